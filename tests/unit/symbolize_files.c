/* Which file a module's names are taken from, which are refused, and what is said then. */
#include "report/symbolize.h"
#include "unit/symbolize/asked.h"
#include "unit/symbolize/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

static int open_shop(void **state) {
    if (shop_open(state) != 0)
        return -1;
    shop_run("gcc -g -O1 -o ours $S/library.c -shared -fPIC && gcc -g -O1 -o other $S/inlines.c && "
             "gcc -g -O1 -Wl,--build-id=none -o plain $S/library.c -shared -fPIC && cp plain shorter && strip shorter");
    return 0;
}

/* The module of `file`, as if it had been loaded from `path`. */
static struct lt_dump_module loaded_from(const char *file, const char *path) {
    struct lt_dump_module module = shop_module(shop_path(file));
    module.path = path;
    return module;
}

static void the_recorded_path(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("ours"));
    assert_true(module.build_id_size > 0);
    assert_function(&module, shop_function(module.path, "hidden"), NULL, "hidden", LT_SYMBOLS_DEBUG_INFO);
}

static void the_path_of_a_replaced_program(void **state) {
    (void)state;
    char path[SHOP_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s (deleted)", shop_path("ours"));
    struct lt_dump_module module = loaded_from("ours", path);
    assert_function(&module, shop_function(shop_path("ours"), "hidden"), NULL, "hidden", LT_SYMBOLS_DEBUG_INFO);
}

static void a_missing_file(void **state) {
    (void)state;
    struct lt_dump_module module = loaded_from("ours", "/nonexistent/libgone.so.1");
    assert_refused(&module, NULL, "file not found", LT_SYMBOLS_NO_FILE);
}

static void another_build(void **state) {
    (void)state;
    struct lt_dump_module module = loaded_from("ours", shop_path("other"));
    assert_refused(&module, NULL, "file on disk has another build-id; its frames are shown as module+offset",
                   LT_SYMBOLS_OTHER_FILE);
    module.path = shop_path("plain");
    assert_refused(&module, NULL, "has another build-id", LT_SYMBOLS_OTHER_FILE);
}

static void what_is_no_elf_file(void **state) {
    (void)state;
    shop_run(
        "echo text >text && : >empty && mkdir -p folder && mkfifo fifo && head -c 40 ours >head && ar rc archive ours");
    static const char *const names[] = {"text", "empty", "folder", "fifo", "head", "archive"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct lt_dump_module module = loaded_from("ours", shop_path(names[i]));
        assert_refused(&module, NULL, "cannot be read as an ELF file", LT_SYMBOLS_NO_FILE);
    }
    shop_run("ln -s loop loop");
    struct lt_dump_module loop = loaded_from("ours", shop_path("loop"));
    assert_refused(&loop, NULL, "Too many levels of symbolic links", LT_SYMBOLS_NO_FILE);
    struct lt_dump_module device = loaded_from("ours", "/dev/zero");
    assert_refused(&device, NULL, "cannot be read as an ELF file", LT_SYMBOLS_NO_FILE);
}

/* A dump can name any file, and to open a device may do something: rewind a tape, start a watchdog. */
static void what_is_no_regular_file_is_not_opened(void **state) {
    (void)state;
    struct inotify_event event;
    shop_run("rm -f device link && mkfifo device && ln -s device link");
    const int seen = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(inotify_add_watch(seen, shop_path("device"), IN_OPEN) >= 0);
    struct lt_dump_module module = loaded_from("ours", shop_path("link"));
    assert_refused(&module, NULL, "cannot be read as an ELF file", LT_SYMBOLS_NO_FILE);
    assert_int_equal(read(seen, &event, sizeof event), -1);
    close(seen);
}

static void without_build_id_size_and_time_decide(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("plain"));
    assert_int_equal(module.build_id_size, 0);
    uint64_t hidden = shop_function(module.path, "hidden");
    assert_function(&module, hidden, NULL, "hidden", LT_SYMBOLS_DEBUG_INFO);

    struct lt_dump_module touched = module;
    touched.mtime_ns++;
    assert_refused(&touched, NULL, "another size or time", LT_SYMBOLS_OTHER_FILE);

    struct lt_dump_module unknown = module;
    unknown.size = unknown.mtime_ns = 0;
    assert_function(&unknown, hidden, NULL, "hidden", LT_SYMBOLS_DEBUG_INFO);

    struct lt_dump_module resized = loaded_from("plain", shop_path("shorter"));
    assert_refused(&resized, NULL, "another size or time", LT_SYMBOLS_OTHER_FILE);
}

static void symfs_comes_first(void **state) {
    (void)state;
    shop_run("mkdir -p root/usr/lib here && cp ours root/usr/lib/libsample.so && cp other here/libsample.so");
    const struct lt_symbolizer_options options = {.symfs = shop_path("root")};
    struct lt_dump_module module = loaded_from("ours", "/usr/lib/libsample.so");
    uint64_t hidden = shop_function(shop_path("ours"), "hidden");
    assert_function(&module, hidden, &options, "hidden", LT_SYMBOLS_DEBUG_INFO);
}

/* A folder that just holds the binaries is a symfs too, but a name alone proves nothing. */
static void symfs_by_file_name_needs_a_build_id(void **state) {
    (void)state;
    shop_run("mkdir -p flat && cp ours flat/libflat.so && cp plain flat/libplain.so");
    const struct lt_symbolizer_options options = {.symfs = shop_path("flat")};
    struct lt_dump_module module = loaded_from("ours", "/opt/elsewhere/libflat.so");
    assert_function(&module, shop_function(shop_path("ours"), "hidden"), &options, "hidden", LT_SYMBOLS_DEBUG_INFO);
    struct lt_dump_module plain = loaded_from("plain", "/opt/elsewhere/libplain.so");
    assert_refused(&plain, &options, "file not found", LT_SYMBOLS_NO_FILE);
}

/* A copy of the machine's files keeps sizes, not always times. */
static void symfs_without_build_id_ignores_the_time(void **state) {
    (void)state;
    shop_run("mkdir -p copy/lib && cp plain copy/lib/libplain.so && touch -d 2001-01-01 copy/lib/libplain.so");
    const struct lt_symbolizer_options options = {.symfs = shop_path("copy")};
    struct lt_dump_module module = loaded_from("plain", "/lib/libplain.so");
    assert_function(&module, shop_function(shop_path("plain"), "hidden"), &options, "hidden", LT_SYMBOLS_DEBUG_INFO);
}

static void directories_that_are_not_there_are_named(void **state) {
    (void)state;
    const char *const dirs[] = {"/nonexistent/debug"};
    const struct lt_symbolizer_options options = {
        .symfs = "/nonexistent/root", .debug_dirs = dirs, .debug_dir_count = 1};
    struct lt_dump_module module = shop_module(shop_path("ours"));
    struct asked asked;
    ask(&asked, &module, shop_function(module.path, "hidden"), &options);
    assert_int_equal(asked.warning_count, 2);
    assert_non_null(strstr(asked.warnings, "/nonexistent/root is not searched: No such file or directory"));
    assert_non_null(strstr(asked.warnings, "/nonexistent/debug is not searched"));
    assert_string_equal(asked.lines[0].function, "hidden");
    asked_free(&asked);
}

static void code_without_a_file(void **state) {
    (void)state;
    const struct lt_dump_module modules[] = {
        {.path = "linux-vdso.so.1"}, {.path = "[vdso]"}, {.path = ""}, {.path = NULL}};
    static const char *const labels[] = {"[vdso]", "[vdso]", "[anonymous code]", "[anonymous code]",
                                         "[anonymous code]"};
    for (size_t i = 0; i < 5; i++) {
        const struct lt_dump_module *module = i < 4 ? &modules[i] : NULL;
        struct asked asked;
        ask(&asked, module, 0x1000, NULL);
        assert_string_equal(asked.warnings, "");
        assert_int_equal(asked.line_count, 1);
        assert_null(asked.lines[0].function);
        assert_int_equal(asked.source, LT_SYMBOLS_NONE);
        assert_string_equal(lt_symbol_module_label(module), labels[i]);
        asked_free(&asked);
    }
    struct lt_dump_module plain = {.path = "/opt/vdso-tools/linux-vdso.so"};
    assert_string_equal(lt_symbol_module_label(&plain), plain.path);
}

/* Addresses that no function holds: 0, the ELF header, far away. */
static void addresses_outside_of_code(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("ours"));
    static const uint64_t addresses[] = {UINT64_MAX, 0, 8, 1ULL << 40, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct asked asked;
        ask(&asked, &module, addresses[i], NULL);
        assert_int_equal(asked.line_count, 1);
        assert_null(asked.lines[0].function);
        asked_free(&asked);
    }
}

static void two_dumps_of_one_program_meet(void **state) {
    (void)state;
    struct lt_dump_module first = shop_module(shop_path("ours")), second = shop_module(shop_path("ours"));
    uint64_t offset = shop_function(first.path, "hidden") + 1;
    struct lt_symbol_query queries[] = {{.module = &first, .offset = offset}, {.module = &second, .offset = offset}};
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(&(struct lt_symbolizer_options){0});
    assert_int_equal(lt_symbolizer_source(symbolizer, &first), LT_SYMBOLS_UNASKED);
    assert_int_equal(lt_symbolizer_resolve(symbolizer, queries, 2), 0);
    assert_ptr_equal(queries[0].lines, queries[1].lines);
    assert_int_equal(lt_symbolizer_resolve(symbolizer, NULL, 0), 0);
    lt_symbolizer_free(symbolizer);
    lt_symbolizer_free(NULL);
}

static void remember_progress(void *user, const struct lt_symbolizer_progress *progress) {
    *(struct lt_symbolizer_progress *)user = *progress;
}

static void no_inlines_keeps_the_owner_of_the_code(void **state) {
    (void)state;
    struct lt_symbolizer_progress last = {0};
    struct lt_dump_module module = shop_module(shop_path("other"));
    static uint64_t addresses[500];
    static struct lt_symbol_query all[500], outer[500];
    size_t count = shop_code_addresses(module.path, addresses, 500), inlined = 0;
    for (size_t i = 0; i < count; i++)
        all[i] = outer[i] = (struct lt_symbol_query){.module = &module, .offset = addresses[i] + 1};
    struct lt_symbolizer *with = lt_symbolizer_new(&(struct lt_symbolizer_options){0});
    struct lt_symbolizer *without = lt_symbolizer_new(
        &(struct lt_symbolizer_options){.no_inlines = true, .progress = remember_progress, .user = &last});
    assert_int_equal(lt_symbolizer_resolve(with, all, count), 0);
    assert_int_equal(lt_symbolizer_resolve(without, outer, count), 0);
    assert_int_equal(last.total, count);
    assert_int_equal(last.done, count);
    for (size_t i = 0; i < count; i++) {
        const struct lt_symbol_line *owner = &all[i].lines[all[i].line_count - 1];
        inlined += all[i].line_count > 1;
        assert_int_equal(outer[i].line_count, 1);
        assert_int_equal(outer[i].lines[0].line, owner->line);
        assert_false(outer[i].lines[0].inlined);
        if (owner->function)
            assert_string_equal(outer[i].lines[0].function, owner->function);
    }
    assert_true(inlined > 0);
    lt_symbolizer_free(with);
    lt_symbolizer_free(without);
}

int main(void) {
    if (!shop_can_run("gcc strip ar"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_path),
        cmocka_unit_test(the_path_of_a_replaced_program),
        cmocka_unit_test(a_missing_file),
        cmocka_unit_test(another_build),
        cmocka_unit_test(what_is_no_elf_file),
        cmocka_unit_test(what_is_no_regular_file_is_not_opened),
        cmocka_unit_test(what_is_no_regular_file_is_not_opened),
        cmocka_unit_test(without_build_id_size_and_time_decide),
        cmocka_unit_test(symfs_comes_first),
        cmocka_unit_test(symfs_by_file_name_needs_a_build_id),
        cmocka_unit_test(symfs_without_build_id_ignores_the_time),
        cmocka_unit_test(directories_that_are_not_there_are_named),
        cmocka_unit_test(code_without_a_file),
        cmocka_unit_test(addresses_outside_of_code),
        cmocka_unit_test(two_dumps_of_one_program_meet),
        cmocka_unit_test(no_inlines_keeps_the_owner_of_the_code),
    };
    return cmocka_run_group_tests(tests, open_shop, shop_close);
}
