/* The registry is a directory of pointers, filled from the front by compare-and-swap, whose entries never go away:
 * readers need no lock, and of two threads that learn the same object at once one loses and uses the other's entry.
 *
 * A module is LOADED (epoch_unloaded 0), GONE (the loader no longer has it, but nothing else has been seen in its
 * place: epoch_unloaded is the next epoch, which would be the first without it) or DISPLACED (epoch_unloaded has come).
 * GONE goes back to LOADED when the same object is found at its old place again.
 *
 * The vDSO and the loader are learned first, from their own headers. The vDSO is no object of the loader on every
 * kernel; and _dl_find_object() may not be asked before the loader has set up its tables: glibc's answer is then read
 * through a null pointer. What calls malloc that early is the loader itself. */
#include "unwind/modules.h"

#include "base/attrs.h"
#include "base/fmt.h"
#include "os/arena.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "unwind/module_elf.h"
#include "unwind/rule_cache.h"
#include "unwind/unwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

static _Atomic(struct lt_module *) *directory;
static _Atomic uint32_t counted; /* where to go on counting its entries */
static _Atomic uint32_t epoch = 1;
static _Atomic bool loader_ready; /* its tables are set up */
static const struct lt_module *loader, *vdso;

uint32_t lt_unwind_epoch(void) {
    return atomic_load_explicit(&epoch, memory_order_acquire);
}

static uint32_t raise_epoch(void) {
    return atomic_fetch_add(&epoch, 1) + 1;
}

uint32_t lt_unwind_raise_epoch(void) {
    lt_rule_cache_forked();
    return raise_epoch();
}

struct lt_module *lt_module(uint32_t id) {
    return directory && id - 1 < LT_MODULES_MAX ? atomic_load_explicit(&directory[id - 1], memory_order_acquire) : NULL;
}

uint32_t lt_module_count(void) {
    uint32_t n = atomic_load_explicit(&counted, memory_order_relaxed);
    while (lt_module(n + 1))
        n++;
    atomic_store_explicit(&counted, n, memory_order_relaxed);
    return n;
}

static uint32_t unloaded_epoch(const struct lt_module *module) {
    return __atomic_load_n(&module->epoch_unloaded, __ATOMIC_RELAXED);
}

static bool is_present_in(const struct lt_module *module, uint32_t when) {
    uint32_t unloaded = unloaded_epoch(module);
    return module->epoch_loaded <= when && (unloaded == 0 || when < unloaded);
}

static bool overlaps(const struct lt_module *module, uintptr_t start, uintptr_t end) {
    return module->start < end && start < module->end;
}

bool lt_module_is_loader(const struct lt_module *module) {
    return module == loader;
}

uint32_t lt_module_flags_at(const struct lt_module *module, uintptr_t address) {
    for (uint32_t i = 0; i < module->segment_count; i++) {
        const struct lt_segment *s = &module->segments[i];
        if (address - (module->bias + s->vaddr) < s->memsz)
            return s->flags;
    }
    return 0;
}

/* Not in a hole between its segments, where something else may be mapped. */
static bool holds(const struct lt_module *module, uintptr_t address) {
    return address - module->start < module->end - module->start && lt_module_flags_at(module, address) != 0;
}

static bool was_at(const struct lt_module *module, uintptr_t address, uint32_t when) {
    return holds(module, address) && is_present_in(module, when);
}

const struct lt_module *lt_module_at(uintptr_t address, uint32_t when) {
    for (uint32_t id = lt_module_count(); id > 0; id--)
        if (was_at(lt_module(id), address, when))
            return lt_module(id);
    return NULL;
}

const struct lt_module *lt_module_near(uint32_t hint, uintptr_t address, uint32_t when) {
    const uint32_t count = lt_module_count();
    for (uint32_t id = hint, left = count; left > 0; id++, left--) {
        if (id == 0 || id > count)
            id = 1;
        if (was_at(lt_module(id), address, when))
            return lt_module(id);
    }
    return NULL;
}

/* Whether `a` is a present entry for the object of `b`, which another thread made at the same time. */
static bool is_twin(const struct lt_module *a, const struct lt_module *b) {
    return unloaded_epoch(a) == 0 && a->start == b->start && a->headers_hash == b->headers_hash &&
           a->build_id_size == b->build_id_size && memcmp(a->build_id, b->build_id, a->build_id_size) == 0 &&
           a->device == b->device && a->inode == b->inode && a->mtime_ns == b->mtime_ns;
}

/* Puts a filled-in entry into the directory; a twin that another thread was quicker with is used instead. */
static struct lt_module *publish(struct lt_module *module) {
    for (uint32_t i = lt_module_count(); i < LT_MODULES_MAX; i++) {
        struct lt_module *other = NULL;
        module->id = i + 1;
        if (atomic_compare_exchange_strong(&directory[i], &other, module))
            return module;
        if (is_twin(other, module))
            return other;
    }
    return NULL;
}

static void read_file_identity(struct lt_module *module) {
    struct lt_file_info info;
    if (module->path[0] != '/' || lt_path_info(module->path, &info) != 0)
        return;
    module->device = info.id.device;
    module->inode = info.id.inode;
    module->size = info.size;
    module->mtime_ns = info.mtime_ns;
    module->file_known = true;
}

/* ---- paths ---- */

static const char *exe_path(void) {
    char *path = lt_arena_alloc(LT_PATH_MAX, 8);
    return path && lt_proc_exe(path, LT_PATH_MAX - 1) > 0 ? path : "";
}

/* A library that was opened by a relative name: the working directory stands in front, as far as it is still the same.
 */
static const char *absolute_path(const char *name) {
    char *path = lt_arena_alloc(LT_PATH_MAX, 8);
    if (!path || lt_getcwd(path, LT_PATH_MAX) != 0)
        return "";
    size_t length = strnlen(path, LT_PATH_MAX);
    struct lt_fmt rest = lt_fmt(path + length, LT_PATH_MAX - length);
    lt_fmt_char(&rest, '/');
    lt_fmt_text(&rest, name);
    return path;
}

static const char *copy_path(const char *name) {
    if (name[0] == '\0')
        return exe_path();
    if (name[0] != '/')
        return absolute_path(name);
    size_t size = strnlen(name, LT_PATH_MAX - 1) + 1;
    char *copy = lt_arena_alloc(size, 8);
    if (!copy)
        return "";
    memcpy(copy, name, size - 1);
    return copy;
}

/* ---- the two that the loader is not asked for ---- */

static struct lt_module *module_new(const struct lt_headers *headers, const char *path) {
    struct lt_module *module = lt_module_count() < LT_MODULES_MAX ? lt_arena_alloc(sizeof *module, 8) : NULL;
    if (!module)
        return NULL;
    lt_headers_read(headers, module);
    module->path = path;
    module->loaded_cs = lt_clock_cs();
    read_file_identity(module);
    return module;
}

static struct lt_module *learn_mapped(uintptr_t header, const char *path) {
    struct lt_headers headers;
    struct lt_module *module = lt_headers_find(header, &headers) ? module_new(&headers, path) : NULL;
    if (!module)
        return NULL;
    module->epoch_loaded = lt_unwind_epoch();
    return publish(module);
}

static const struct link_map *find_link_map(uintptr_t bias) {
    const struct link_map *map = _r_debug.r_map;
    while (map && map->l_addr != bias)
        map = map->l_next;
    return map;
}

static void learn_loader(void) {
    uintptr_t header = _r_debug.r_ldbase;
    const struct link_map *map = header ? find_link_map(header) : NULL;
    if (header)
        loader = learn_mapped(header, map && map->l_name ? copy_path(map->l_name) : "");
}

static void learn_vdso(void) {
    int saved = errno; /* getauxval writes it where there is no entry */
    uintptr_t header = getauxval(AT_SYSINFO_EHDR);
    errno = saved;
    if (header)
        vdso = learn_mapped(header, "[vdso]");
}

int lt_modules_init(void) {
    directory = lt_arena_alloc(LT_MODULES_MAX * sizeof *directory, 64);
    atomic_store(&counted, 0);
    if (!directory)
        return -ENOMEM;
    learn_loader();
    learn_vdso();
    return 0;
}

/* ---- the others ---- */

static bool loader_is_ready(void) {
    if (lt_likely(atomic_load_explicit(&loader_ready, memory_order_relaxed)))
        return true;
    bool ready = _r_debug.r_state == RT_CONSISTENT;
    atomic_store_explicit(&loader_ready, ready, memory_order_relaxed);
    return ready;
}

static bool ask_loader(uintptr_t address, struct dl_find_object *found) {
    return loader_is_ready() && _dl_find_object((void *)address, found) == 0 && found->dlfo_link_map &&
           address - (uintptr_t)found->dlfo_map_start <
               (uintptr_t)found->dlfo_map_end - (uintptr_t)found->dlfo_map_start;
}

/* Whether `address` lies in the object that was found. An object with holes between its segments is known to the loader
 * by segments: then it must be asked again. */
static bool is_inside(const struct dl_find_object *found, uintptr_t address) {
    struct dl_find_object other;
    return (address >= (uintptr_t)found->dlfo_map_start && address < (uintptr_t)found->dlfo_map_end) ||
           (ask_loader(address, &other) && other.dlfo_link_map == found->dlfo_link_map);
}

/* The program's own headers, which the kernel names: its ELF header need not lie at its load bias. */
static bool find_program_headers(uintptr_t bias, struct lt_headers *headers) {
    int saved = errno;
    *headers = (struct lt_headers){(const ElfW(Phdr) *)getauxval(AT_PHDR), (uint32_t)getauxval(AT_PHNUM), bias};
    errno = saved;
    return headers->at && headers->count;
}

static bool find_headers(const struct dl_find_object *found, struct lt_headers *headers) {
    uintptr_t bias = found->dlfo_link_map->l_addr, start = (uintptr_t)found->dlfo_map_start;
    if (found->dlfo_link_map->l_name[0] == '\0' && find_program_headers(bias, headers) &&
        is_inside(found, (uintptr_t)headers->at))
        return true;
    return (is_inside(found, bias) && lt_headers_find(bias, headers)) || lt_headers_find(start, headers);
}

static void set_unloaded(struct lt_module *module) {
    __atomic_store_n(&module->unloaded_cs, lt_clock_cs(), __ATOMIC_RELAXED);
    __atomic_store_n(&module->epoch_unloaded, lt_unwind_epoch() + 1, __ATOMIC_RELEASE);
}

/* Other code is in [start, end): `by` or, where that is NULL, code of no module. Where somebody has seen what was there
 * before, the epoch ends. */
static void displace(uintptr_t start, uintptr_t end, const struct lt_module *by) {
    bool seen = lt_rule_cache_drop(start, end) && by;
    for (uint32_t id = lt_module_count(); id > 0; id--) {
        struct lt_module *module = lt_module(id);
        if (!overlaps(module, start, end) || !is_present_in(module, lt_unwind_epoch()) || (by && is_twin(module, by)))
            continue;
        set_unloaded(module);
        seen = true;
    }
    if (seen)
        raise_epoch();
}

static bool is_same_file(const struct lt_module *module, const char *path) {
    struct lt_file_info info;
    return module->file_known && path[0] == '/' && lt_path_info(path, &info) == 0 && info.id.device == module->device &&
           info.id.inode == module->inode && info.size == module->size && info.mtime_ns == module->mtime_ns;
}

/* For an object without a build-id: whether it never went, as far as we know, and still has its name; else by its file.
 */
static bool is_same_by_name(const struct lt_module *module, const struct link_map *map) {
    bool never_went = unloaded_epoch(module) == 0 && module->link_map == map;
    return (never_went && (map->l_name[0] != '/' || strcmp(map->l_name, module->path) == 0)) ||
           is_same_file(module, map->l_name);
}

/* Whether what the loader found is the module we know at that place. */
static bool is_same(const struct lt_module *module, const struct dl_find_object *found) {
    struct lt_headers headers = {module->headers, module->headers_count, module->bias};
    if (found->dlfo_link_map->l_addr != module->bias || !is_inside(found, (uintptr_t)module->headers) ||
        lt_headers_hash(&headers) != module->headers_hash)
        return false;
    if (module->build_id_size == 0)
        return is_same_by_name(module, found->dlfo_link_map);
    return memcmp(module->build_id, module->build_id_at, module->build_id_size) == 0;
}

static const struct lt_module *add(const struct dl_find_object *found) {
    struct lt_headers headers;
    if (!find_headers(found, &headers))
        return NULL;
    struct lt_module *module = module_new(&headers, copy_path(found->dlfo_link_map->l_name));
    if (!module)
        return NULL;
    module->link_map = found->dlfo_link_map;
    displace(module->start, module->end, module);
    module->epoch_loaded = lt_unwind_epoch();
    return publish(module);
}

static struct lt_module *known_at(uintptr_t address) {
    return (struct lt_module *)(uintptr_t)lt_module_at(address, lt_unwind_epoch());
}

static void revive(struct lt_module *module, const struct link_map *map) {
    __atomic_store_n(&module->link_map, map, __ATOMIC_RELAXED);
    __atomic_store_n(&module->epoch_unloaded, 0, __ATOMIC_RELAXED);
}

const struct lt_module *lt_module_learn(uintptr_t address) {
    struct dl_find_object found;
    struct lt_module *known = known_at(address);
    if (known && (known == loader || known == vdso))
        return known;
    if (!ask_loader(address, &found)) {
        if (known)
            displace(address, address + 1, NULL);
        return NULL;
    }
    if (!known || !is_same(known, &found))
        return add(&found);
    if (lt_unlikely(unloaded_epoch(known) != 0 || known->link_map != found.dlfo_link_map))
        revive(known, found.dlfo_link_map);
    return known;
}

/* Whether the loader still has the module where it was. Looks at nothing of the object: it may be on its way out. */
static bool is_loaded(const struct lt_module *module) {
    struct dl_find_object found;
    return ask_loader(module->start, &found) && found.dlfo_link_map == module->link_map;
}

void lt_unwind_modules_changed(void) {
    for (uint32_t id = lt_module_count(); id > 0; id--) {
        struct lt_module *module = lt_module(id);
        if (module == loader || module == vdso || unloaded_epoch(module) != 0 || is_loaded(module))
            continue;
        set_unloaded(module);
        lt_rule_cache_drop(module->start, module->end);
    }
}
