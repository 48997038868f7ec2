/* Modules that come and go, and what becomes of their addresses. The loader, asked through dl_iterate_phdr, is the
 * judge of what is known of a module; libunwind of the stacks through it. */
#include "unwind_judge.h"

#include "unwind/modules.h"

#include "base/attrs.h"
#include "unit.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

typedef void plugin_call(void (*callback)(void));

struct plugin {
    void *handle;
    plugin_call *call;
};

static struct plugin plugin_open(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", PLUGIN_FOLDER, name);
    struct plugin plugin = {.handle = dlopen(path, RTLD_NOW)};
    if (!plugin.handle)
        fail_msg("%s", dlerror());
    void *symbol = dlsym(plugin.handle, "plugin_call");
    memcpy(&plugin.call, &symbol, sizeof symbol);
    return plugin;
}

static void plugin_close(struct plugin plugin) {
    assert_int_equal(dlclose(plugin.handle), 0);
    lt_unwind_modules_changed();
}

static uintptr_t return_address; /* into the plugin */

static LT_NOINLINE void from_plugin(void) {
    return_address = (uintptr_t)__builtin_return_address(0);
    judge();
    __asm__ volatile("" ::: "memory");
}

static void assert_all_equal(uint32_t count) {
    struct judge_counts counts = judge_take_counts();
    assert_int_equal(counts.different, 0);
    assert_int_equal(counts.cut, 0);
    assert_int_equal(counts.equal, count);
}

/* ---- what is known ---- */

static bool has_build_id(const struct dl_phdr_info *info, const ElfW(Phdr) * notes, const struct lt_module *module) {
    const char *at = (const char *)info->dlpi_addr + notes->p_vaddr, *end = at + notes->p_memsz;
    return module->build_id_size > 0 && memmem(at, (size_t)(end - at), module->build_id, module->build_id_size);
}

static int compare_with_loader(struct dl_phdr_info *info, size_t size, void *context) {
    const struct lt_module *module = context;
    unsigned segments = 0;
    bool same_id = false;
    (void)size;
    if (info->dlpi_addr != module->bias)
        return 0;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD) {
            const struct lt_segment *s = &module->segments[segments++];
            assert_true(s->vaddr == header->p_vaddr && s->memsz == header->p_memsz && s->offset == header->p_offset &&
                        s->flags == header->p_flags);
        }
        if (header->p_type == PT_GNU_EH_FRAME)
            assert_int_equal(module->eh_frame_hdr, info->dlpi_addr + header->p_vaddr);
        if (header->p_type == PT_NOTE)
            same_id = same_id || has_build_id(info, header, module);
    }
    assert_int_equal(segments, module->segment_count);
    assert_true(same_id);
    if (info->dlpi_name[0] == '/')
        assert_string_equal(info->dlpi_name, module->path);
    return 1;
}

static void assert_as_the_loader_says(uintptr_t address) {
    const struct lt_module *module = lt_module_learn(address);
    assert_non_null(module);
    assert_int_equal(dl_iterate_phdr(compare_with_loader, (void *)(uintptr_t)module), 1);
    assert_ptr_equal(lt_module_at(address, lt_unwind_epoch()), module);
    assert_ptr_equal(lt_module(module->id), module);
    assert_ptr_equal(lt_module_learn(address), module);
    assert_int_equal(module->epoch_unloaded, 0);
}

static void modules_are_as_the_loader_says(void **state) {
    (void)state;
    assert_as_the_loader_says((uintptr_t)modules_are_as_the_loader_says);
    assert_as_the_loader_says((uintptr_t)dlsym(RTLD_DEFAULT, "qsort"));
    assert_as_the_loader_says((uintptr_t)dlsym(RTLD_DEFAULT, "unw_backtrace"));
    assert_as_the_loader_says((uintptr_t)dlsym(RTLD_DEFAULT, "_dl_mcount"));
    char *exe = realpath("/proc/self/exe", NULL);
    assert_string_equal(lt_module_learn((uintptr_t)modules_are_as_the_loader_says)->path, exe);
    free(exe);
}

static void loader_and_vdso_are_known(void **state) {
    (void)state;
    assert_true(lt_module_is_loader(lt_module_learn((uintptr_t)dlsym(RTLD_DEFAULT, "_dl_mcount"))));
    assert_false(lt_module_is_loader(lt_module_learn((uintptr_t)dlsym(RTLD_DEFAULT, "qsort"))));
    uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);
    lt_skip_when(vdso == 0, "this kernel gives no vDSO");
    assert_string_equal(lt_module_learn(vdso)->path, "[vdso]");
}

static void other_memory_is_no_module(void **state) {
    void *block = malloc(100);
    assert_null(lt_module_learn((uintptr_t)&state));
    assert_null(lt_module_learn((uintptr_t)block));
    assert_null(lt_module_learn(0));
    assert_null(lt_module_learn(UINTPTR_MAX));
    assert_null(lt_module_at((uintptr_t)block, lt_unwind_epoch()));
    assert_null(lt_module(0));
    assert_null(lt_module(lt_module_count() + 1));
    assert_null(lt_module(UINT32_MAX));
    free(block);
}

/* ---- unloading ---- */

static void the_same_module_again_is_the_same(void **state) {
    (void)state;
    uint32_t epoch = lt_unwind_epoch(), id = 0;
    for (int i = 0; i < 50; i++) {
        struct plugin plugin = plugin_open("plugin_small.so");
        plugin.call(from_plugin);
        const struct lt_module *module = lt_module_at(return_address, lt_unwind_epoch());
        assert_non_null(module);
        if (id == 0)
            id = module->id;
        assert_int_equal(module->id, id);
        assert_int_equal(module->epoch_unloaded, 0);
        plugin_close(plugin);
        assert_int_not_equal(module->epoch_unloaded, 0);
        assert_ptr_equal(lt_module_at(return_address, epoch), module); /* what it was when that stack was captured */
    }
    assert_int_equal(lt_unwind_epoch(), epoch);
    assert_all_equal(50);
}

/* These two have the same code at the same offsets, but for the size of a frame. */
static void another_module_at_the_same_address(void **state) {
    (void)state;
    struct plugin plugin = plugin_open("plugin_large.so");
    plugin.call(from_plugin);
    uint32_t old_epoch = lt_unwind_epoch();
    uintptr_t old_address = return_address;
    const struct lt_module *old = lt_module_at(old_address, old_epoch);
    plugin_close(plugin);
    plugin = plugin_open("plugin_larger.so");
    plugin.call(from_plugin);
    assert_int_equal(return_address, old_address); /* else this is no test */
    const struct lt_module *new = lt_module_at(return_address, lt_unwind_epoch());
    assert_true(lt_unwind_epoch() > old_epoch);
    assert_int_equal(judge_last()->stack.epoch, lt_unwind_epoch());
    assert_ptr_not_equal(new, old);
    assert_ptr_equal(lt_module_at(old_address, old_epoch), old);
    assert_true(old->epoch_unloaded > old_epoch && old->epoch_unloaded <= lt_unwind_epoch());
    assert_string_equal(strrchr(new->path, '/'), "/plugin_larger.so");
    plugin_close(plugin);
    assert_all_equal(2);
}

/* As when libc unloads a name service or a character set by itself. These two have no build-id. */
static void unloading_that_nobody_told(void **state) {
    (void)state;
    struct plugin plugin = plugin_open("plugin_small.so");
    plugin.call(from_plugin);
    uint32_t old_epoch = lt_unwind_epoch();
    assert_int_equal(lt_module_at(return_address, old_epoch)->build_id_size, 0);
    dlclose(plugin.handle);
    plugin = plugin_open("plugin_medium.so");
    plugin.call(from_plugin);
    assert_true(lt_unwind_epoch() > old_epoch);
    assert_string_equal(strrchr(lt_module_at(return_address, lt_unwind_epoch())->path, '/'), "/plugin_medium.so");
    plugin_close(plugin);
    assert_all_equal(2);
}

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char jit_code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};

static void code_of_a_jit_compiler_where_a_module_was(void **state) {
    (void)state;
    struct plugin plugin = plugin_open("plugin_small.so");
    plugin.call(from_plugin);
    uint32_t old_epoch = lt_unwind_epoch();
    uintptr_t page = return_address & ~(uintptr_t)4095;
    plugin_close(plugin);
    void *code = mmap((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(code, (void *)page);
    memcpy(code, jit_code, sizeof jit_code);
    memcpy(&plugin.call, &code, sizeof code);
    plugin.call(from_plugin);
    assert_true(lt_unwind_epoch() > old_epoch);
    assert_null(lt_module_at(return_address, lt_unwind_epoch()));
    lt_unwind_range_gone(page, page + 4096);
    munmap(code, 4096);
    uint32_t jit_epoch = lt_unwind_epoch();
    plugin = plugin_open("plugin_small.so"); /* and a module where that code was */
    plugin.call(from_plugin);
    if ((return_address & ~(uintptr_t)4095) == page)
        assert_true(lt_unwind_epoch() > jit_epoch);
    plugin_close(plugin);
    assert_all_equal(3);
}

int main(void) {
    judge_start(LT_DEPTH_DEFAULT, "native");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_are_as_the_loader_says),
        cmocka_unit_test(loader_and_vdso_are_known),
        cmocka_unit_test(other_memory_is_no_module),
        cmocka_unit_test(the_same_module_again_is_the_same),
        cmocka_unit_test(another_module_at_the_same_address),
        cmocka_unit_test(unloading_that_nobody_told),
        cmocka_unit_test(code_of_a_jit_compiler_where_a_module_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
