/* Go programs without debug information: what the runtime's own table says must be what DWARF says of the same program
 * before it was stripped, inlined calls included. */
#include "unit/symbolize/asked.h"
#include "unit/symbolize/judge.h"
#include "unit/symbolize/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ADDRESSES_MAX = 2000 };

static int open_shop(void **state) {
    return shop_open(state);
}

/* Builds `name`, with everything, and `name`.bare, without symbols; the linker lays both out alike. */
static void build(const char *name, const char *options) {
    shop_need("go strip llvm-symbolizer");
    shop_run("export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GOTOOLCHAIN=local && "
             "go build %s -o %s $S/goroutines.go && cp %s %s.bare && strip %s.bare",
             options, name, name, name, name);
}

static bool is_go_source(const char *file) {
    const char *type = file ? strrchr(file, '.') : NULL;
    return type && (strcmp(type, ".go") == 0 || strcmp(type, ".s") == 0);
}

/* Drops what was not written in Go: C functions, which the table does not know, and what the compiler made up (wrappers
 * of methods, comparisons of types), for which the two have different words and neither a line of source. */
static size_t written_in_go(const struct lt_dump_module *module, uint64_t *addresses, size_t count) {
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(&(struct lt_symbolizer_options){0});
    size_t kept = 0;
    assert_non_null(symbolizer);
    for (size_t i = 0; i < count; i++) {
        struct lt_symbol_query query = {.module = module, .offset = addresses[i] + 1};
        assert_int_equal(lt_symbolizer_resolve(symbolizer, &query, 1), 0);
        if (is_go_source(query.lines[query.line_count - 1].file))
            addresses[kept++] = addresses[i];
    }
    lt_symbolizer_free(symbolizer);
    assert_true(count - kept < count / 20);
    return kept;
}

static void compare_bare_with_full(const char *name) {
    char bare[SHOP_PATH_MAX];
    snprintf(bare, sizeof bare, "%s.bare", name);
    uint64_t *addresses = calloc(ADDRESSES_MAX, sizeof *addresses);
    assert_non_null(addresses);
    const size_t count = shop_code_addresses(shop_path(name), addresses, ADDRESSES_MAX);
    struct lt_dump_module module = shop_module(shop_path(bare));
    const size_t kept = written_in_go(&module, addresses, count);
    assert_true(kept > 100);
    assert_true(judge_frames(JUDGE_LLVM, shop_path(name), &module, NULL, addresses, kept) > kept);
    struct asked asked;
    ask(&asked, &module, addresses[0], NULL);
    assert_int_equal(asked.source, LT_SYMBOLS_GO_TABLE);
    asked_free(&asked);
    free(addresses);
}

static void at_a_fixed_address(void **state) {
    (void)state;
    build("fixed", "");
    compare_bare_with_full("fixed");
}

static void position_independent(void **state) {
    (void)state;
    build("pie", "-buildmode=pie");
    compare_bare_with_full("pie");
}

/* The linker of the C compiler puts the table into another section, and C code in front of Go's. */
static void linked_with_c(void **state) {
    (void)state;
    build("cgo", "-ldflags=-linkmode=external");
    compare_bare_with_full("cgo");
}

static void position_independent_with_c(void **state) {
    (void)state;
    build("cgopie", "-buildmode=pie -ldflags=-linkmode=external");
    compare_bare_with_full("cgopie");
}

static void assert_line(const struct lt_symbol_line *line, const char *function, const char *file, unsigned number) {
    assert_string_equal(line->function, function);
    assert_string_equal(line->file, file);
    assert_int_equal(line->line, number);
}

/* Each version of the table, laid out by hand: no toolchain but one can be had at a time. */
static void layouts(void **state) {
    (void)state;
    static const int versions[] = {116, 118, 120, 126, 127};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        const bool has_inlines = versions[i] != 116;
        for (const char *const *kind = (const char *const[]){"-static -no-pie -fno-pie", "-static-pie -fPIE", NULL};
             *kind; kind++) {
            shop_run("gcc -nostdlib %s -DLAYOUT=%d -o layout $S/go_layouts.S && cp layout layout.bare && "
                     "strip layout.bare",
                     *kind, versions[i]);
            struct lt_dump_module module = shop_module(shop_path("layout.bare"));
            const uint64_t first = shop_function(shop_path("layout"), "main");
            struct asked asked;
            ask(&asked, &module, first + 3, NULL);
            assert_int_equal(asked.line_count, 1);
            assert_line(&asked.lines[0], "main.first", "/src/a.go", 10);
            asked_free(&asked);
            ask(&asked, &module, first + 32 + 8, NULL);
            assert_int_equal(asked.line_count, has_inlines ? 2 : 1);
            assert_line(&asked.lines[0], has_inlines ? "main.tiny" : "main.second", "/src/b.go", 7);
            assert_int_equal(asked.lines[0].inlined, has_inlines);
            if (has_inlines)
                assert_line(&asked.lines[1], "main.second", "/src/a.go", 21);
            asked_free(&asked);
            ask(&asked, &module, first + 64, NULL);
            assert_null(asked.lines[0].function);
            asked_free(&asked);
        }
    }
}

/* Whatever the bytes are: an answer, and soon. */
static void damaged_tables(void **state) {
    (void)state;
    shop_run("gcc -nostdlib -static -no-pie -fno-pie -DLAYOUT=120 -o whole $S/go_layouts.S && objcopy -O binary -j "
             ".gopclntab whole table");
    FILE *file = fopen(shop_path("table"), "rb");
    uint8_t table[4096], damaged[sizeof table];
    assert_non_null(file);
    const size_t size = fread(table, 1, sizeof table, file);
    fclose(file);
    assert_in_range(size, 200, sizeof table - 1);
    srandom(20);
    for (int round = 0; round < 100; round++) {
        memcpy(damaged, table, size);
        for (int i = 0; i < 3; i++)
            damaged[8 + (size_t)random() % (size - 8)] = (uint8_t)random();
        file = fopen(shop_path("damaged"), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(damaged, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        shop_run("objcopy --update-section .gopclntab=damaged whole hurt && strip hurt");
        struct lt_dump_module module = shop_module(shop_path("hurt"));
        const uint64_t first = shop_function(shop_path("whole"), "main");
        for (uint64_t at = 0; at < 64; at += 4) {
            struct asked asked;
            ask(&asked, &module, first + at, NULL);
            assert_in_range(asked.line_count, 1, 256);
            asked_free(&asked);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts),
        cmocka_unit_test(damaged_tables),
        cmocka_unit_test(at_a_fixed_address),
        cmocka_unit_test(position_independent),
        cmocka_unit_test(linked_with_c),
        cmocka_unit_test(position_independent_with_c),
    };
    return cmocka_run_group_tests(tests, open_shop, shop_close);
}
