/* Debug information that is not in the file itself: found, and equal to what the unstripped file gives. */
#include "unit/symbolize/asked.h"
#include "unit/symbolize/judge.h"
#include "unit/symbolize/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ADDRESSES_MAX = 1000 };

static int open_shop(void **state) {
    if (shop_open(state) != 0)
        return -1;
    shop_run("g++ -g -O2 -o full $S/scopes.cc && cp full stripped && strip stripped && "
             "objcopy --only-keep-debug full full.debug && gcc -g -O1 -o quiet.full $S/library.c -shared -fPIC");
    return 0;
}

/* The frames of `module` must be those that the judge finds in the unstripped file. */
static void compare_with_full(const struct lt_dump_module *module, const char *full,
                              const struct lt_symbolizer_options *options) {
    uint64_t addresses[ADDRESSES_MAX];
    enum judge_kind kind = judge_is_here(JUDGE_LLVM) ? JUDGE_LLVM : JUDGE_ADDR2LINE;
    size_t count = shop_code_addresses(full, addresses, ADDRESSES_MAX);
    size_t frames = judge_frames(kind, full, module, options, addresses, count);
    assert_true(frames > count);
}

/* Writes the path that a build-id has in a debug directory, "ab/cdef...", for the shell. */
static const char *build_id_path(const struct lt_dump_module *module) {
    static char text[2 * 64 + 2];
    char *at = text;
    for (size_t i = 0; i < module->build_id_size; i++)
        at += sprintf(at, "%02x%s", module->build_id[i], i == 0 ? "/" : "");
    return text;
}

static void nothing_to_find(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    struct asked asked;
    ask(&asked, &module, shop_function(shop_path("full"), "plain"), NULL);
    assert_int_equal(asked.line_count, 1);
    assert_null(asked.lines[0].function);
    assert_int_equal(asked.lines[0].line, 0);
    assert_int_equal(asked.source, LT_SYMBOLS_NONE);
    assert_string_equal(asked.warnings, "");
    asked_free(&asked);
}

static void only_dynamic_symbols(void **state) {
    (void)state;
    shop_run("cp quiet.full dynamic && strip dynamic");
    struct lt_dump_module module = shop_module(shop_path("dynamic"));
    assert_function(&module, shop_function(shop_path("quiet.full"), "library_take"), NULL, "library_take",
                    LT_SYMBOLS_SYMBOL_TABLE);
}

static void build_id_in_a_debug_directory(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    const char *id = build_id_path(&module);
    shop_run("mkdir -p dbg/.build-id/%.2s && cp full.debug dbg/.build-id/%s.debug", id, id);
    const char *const dirs[] = {shop_path("dbg")};
    const struct lt_symbolizer_options options = {.debug_dirs = dirs, .debug_dir_count = 1};
    compare_with_full(&module, shop_path("full"), &options);
}

/* The program is gone, or was never on this machine. */
static void only_the_debug_file_is_left(void **state) {
    (void)state;
    struct lt_dump_module module = shop_module(shop_path("stripped"));
    const char *id = build_id_path(&module);
    shop_run("mkdir -p root/usr/lib/debug/.build-id/%.2s && cp full.debug root/usr/lib/debug/.build-id/%s.debug", id,
             id);
    module.path = "/nonexistent/program";
    const struct lt_symbolizer_options options = {.symfs = shop_path("root")};
    compare_with_full(&module, shop_path("full"), &options);
}

static void debuglink_beside_the_file(void **state) {
    (void)state;
    shop_run("mkdir -p near/.debug && cp full.debug linked.debug && cp stripped near/linked && "
             "objcopy --add-gnu-debuglink=linked.debug near/linked && mv linked.debug near/.debug/");
    struct lt_dump_module module = shop_module(shop_path("near/linked"));
    compare_with_full(&module, shop_path("full"), NULL);
    shop_run("mv near/.debug/linked.debug near/");
    compare_with_full(&module, shop_path("full"), NULL);
}

static void debuglink_in_a_debug_directory(void **state) {
    (void)state;
    shop_run("cp full.debug far.debug && mkdir -p bin && cp stripped bin/far && "
             "objcopy --add-gnu-debuglink=far.debug bin/far && mkdir -p \"away/$PWD/bin\" && mv far.debug "
             "\"away/$PWD/bin/\"");
    const char *const dirs[] = {shop_path("away")};
    const struct lt_symbolizer_options options = {.debug_dirs = dirs, .debug_dir_count = 1};
    struct lt_dump_module module = shop_module(shop_path("bin/far"));
    compare_with_full(&module, shop_path("full"), &options);
}

/* The link's file is there, but it belongs to another build: not used, neither by build-id nor by CRC. */
static void debuglink_to_another_build(void **state) {
    (void)state;
    shop_run(
        "mkdir -p wrong && g++ -g -O1 -DOTHER -o wrong/other $S/scopes.cc && cp full.debug wrong/x.debug && "
        "cp stripped wrong/x && objcopy --add-gnu-debuglink=wrong/x.debug wrong/x && "
        "objcopy --only-keep-debug wrong/other wrong/x.debug && "
        "gcc -g -O1 -Wl,--build-id=none -o wrong/n.full $S/inlines.c && cp wrong/n.full wrong/n && strip wrong/n && "
        "objcopy --only-keep-debug wrong/n.full wrong/n.debug && objcopy --add-gnu-debuglink=wrong/n.debug wrong/n && "
        "objcopy --only-keep-debug wrong/other wrong/n.debug");
    static const char *const names[] = {"wrong/x", "wrong/n"};
    for (size_t i = 0; i < 2; i++) {
        struct lt_dump_module module = shop_module(shop_path(names[i]));
        struct asked asked;
        ask(&asked, &module, shop_function(shop_path(i ? "wrong/n.full" : "full"), "main"), NULL);
        assert_null(asked.lines[0].function);
        assert_int_equal(asked.source, LT_SYMBOLS_NONE);
        asked_free(&asked);
    }
}

/* Two programs share their debug information: .gnu_debugaltlink. */
static void dwz_shared_information(void **state) {
    (void)state;
    shop_need("dwz");
    shop_run("cp full one && g++ -g -O1 -o two $S/scopes.cc && dwz -m common one two && "
             "readelf -SW one | grep -q gnu_debugaltlink");
    struct lt_dump_module module = shop_module(shop_path("one"));
    compare_with_full(&module, shop_path("full"), NULL);
}

/* One program whose units share theirs: partial units that the others import. */
static void dwz_within_one_file(void **state) {
    (void)state;
    shop_need("dwz");
    shop_run("g++ -g -O2 -c -o a.o $S/scopes.cc && g++ -g -O2 -c -o b.o -Dmain=second -Dplain=plain2 -Dshop=shop2 "
             "$S/scopes.cc && g++ -o both.full a.o b.o && cp both.full both && dwz both && "
             "[ $(stat -c %%s both) -lt $(stat -c %%s both.full) ]");
    struct lt_dump_module module = shop_module(shop_path("both"));
    compare_with_full(&module, shop_path("both.full"), NULL);
}

/* Fedora's way: a small symbol table, compressed, inside the stripped file. */
static void mini_debug_info(void **state) {
    (void)state;
    shop_need("xz nm");
    shop_run(
        "cp quiet.full mini && strip mini && objcopy -S --keep-symbol=hidden quiet.full m && "
        "objcopy -j .text -j .symtab -j .strtab -j .shstrtab --keep-symbol=hidden --only-keep-debug quiet.full m && "
        "objcopy --strip-debug m && xz m && objcopy --add-section .gnu_debugdata=m.xz mini");
    struct lt_dump_module module = shop_module(shop_path("mini"));
    assert_function(&module, shop_function(shop_path("quiet.full"), "hidden"), NULL, "hidden", LT_SYMBOLS_SYMBOL_TABLE);
}

/* libelf before 0.189 gives nothing for these, without a word. */
static void zstd_compressed_sections(void **state) {
    (void)state;
    if (!shop_try("objcopy --compress-debug-sections=zstd full zstd && readelf -SW zstd | grep -q ' C '")) {
        print_message("skipped: this objcopy does not write zstd\n");
        skip();
    }
    struct lt_dump_module module = shop_module(shop_path("zstd"));
    struct asked asked;
    ask(&asked, &module, shop_function(module.path, "plain"), NULL);
    assert_string_equal(asked.lines[0].function, "plain");
    if (asked.lines[0].line == 0)
        assert_non_null(strstr(asked.warnings, "compressed with zstd"));
    assert_int_equal(asked.warning_count, asked.lines[0].line == 0);
    asked_free(&asked);
}

static void zstd_in_a_separate_file(void **state) {
    (void)state;
    if (!shop_try("mkdir -p z && objcopy --compress-debug-sections=zstd full.debug z/z.debug")) {
        print_message("skipped: this objcopy does not write zstd\n");
        skip();
    }
    shop_run("cp stripped z/z && objcopy --add-gnu-debuglink=z/z.debug z/z");
    struct lt_dump_module module = shop_module(shop_path("z/z"));
    struct asked asked;
    ask(&asked, &module, shop_function(shop_path("full"), "plain"), NULL);
    if (asked.lines[0].line == 0)
        assert_non_null(strstr(asked.warnings, "compressed with zstd"));
    asked_free(&asked);
}

static void missing_split_files(void **state) {
    (void)state;
    shop_run("gcc -g -O2 -gsplit-dwarf -c -o split.o $S/inlines.c && gcc -o split split.o && rm split.dwo");
    struct lt_dump_module module = shop_module(shop_path("split"));
    struct asked asked;
    ask(&asked, &module, shop_function(module.path, "exported"), NULL);
    assert_int_equal(asked.warning_count, 1);
    assert_non_null(strstr(asked.warnings, "split debug file"));
    assert_string_equal(asked.lines[0].function, "exported");
    assert_true(asked.lines[0].line > 0);
    asked_free(&asked);
}

int main(void) {
    if (!shop_can_run("gcc g++ strip objcopy"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_find),
        cmocka_unit_test(only_dynamic_symbols),
        cmocka_unit_test(build_id_in_a_debug_directory),
        cmocka_unit_test(only_the_debug_file_is_left),
        cmocka_unit_test(debuglink_beside_the_file),
        cmocka_unit_test(debuglink_in_a_debug_directory),
        cmocka_unit_test(debuglink_to_another_build),
        cmocka_unit_test(dwz_shared_information),
        cmocka_unit_test(dwz_within_one_file),
        cmocka_unit_test(mini_debug_info),
        cmocka_unit_test(zstd_compressed_sections),
        cmocka_unit_test(zstd_in_a_separate_file),
        cmocka_unit_test(missing_split_files),
    };
    return cmocka_run_group_tests(tests, open_shop, shop_close);
}
