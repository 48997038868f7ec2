/* Files made to hurt, and good files with a few bytes changed: the symbolizer must come back, in bounded time, whatever
 * they hold. Each runs in a child, so that a crash names its seed. */
#include "report/symbolize.h"
#include "unit/symbolize/asked.h"
#include "unit/symbolize/shop.h"

#include <elfutils/libdw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUERIES = 1500, MUTATIONS = 150, SECONDS_MAX = 20, FILE_MAX = 1 << 20 };

/* All of the text's low addresses, and with them some that are none. */
static void resolve_all(const char *path) {
    static struct lt_symbol_query queries[QUERIES];
    struct lt_dump_module module = {.path = path};
    for (size_t i = 0; i < QUERIES; i++)
        queries[i] = (struct lt_symbol_query){.module = &module, .offset = 0x1000 + 3 * i};
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(&(struct lt_symbolizer_options){0});
    if (!symbolizer || lt_symbolizer_resolve(symbolizer, queries, QUERIES) != 0)
        _exit(1);
    for (size_t i = 0; i < QUERIES; i++)
        if (queries[i].line_count < 1)
            _exit(2);
    lt_symbolizer_free(symbolizer);
}

/* The status of a child that resolves addresses of the file; 0 is well. */
static int status_of_resolving(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS_MAX);
        resolve_all(path);
        _exit(0);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void write_file(const char *path, const unsigned char *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *path, unsigned char *bytes) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

/* xorshift: the same damage on every machine. */
static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void damage(unsigned char *bytes, size_t from, size_t to, uint32_t seed) {
    uint32_t state = seed * 2654435761u + 1;
    size_t span = to > from ? to - from : 1;
    for (uint32_t changes = 1 + next_random(&state) % 8; changes > 0; changes--) {
        size_t at = from + next_random(&state) % span;
        switch (next_random(&state) % 4) {
        case 0:
            bytes[at] = 0xff;
            break;
        case 1:
            bytes[at] = 0;
            break;
        case 2:
            bytes[at] ^= (unsigned char)(1u << next_random(&state) % 8);
            break;
        default:
            bytes[at] = (unsigned char)next_random(&state);
        }
    }
}

/* Resolves MUTATIONS copies with changes between two offsets of the file. */
static void mutate(const char *name, size_t from, size_t to) {
    static unsigned char good[FILE_MAX], bad[FILE_MAX];
    size_t size = read_file(shop_path(name), good);
    to = to < size ? to : size;
    assert_true(from < to);
    for (uint32_t seed = 1; seed <= MUTATIONS; seed++) {
        memcpy(bad, good, size);
        damage(bad, from, to, seed);
        write_file(shop_path("damaged"), bad, size);
        int status = status_of_resolving(shop_path("damaged"));
        if (status != 0)
            fail_msg("%s, bytes %zu to %zu, seed %u: status 0x%x", name, from, to, seed, (unsigned)status);
    }
}

static void damaged_headers(void **state) {
    (void)state;
    mutate("c", 0, 1024);
    mutate("cxx", 0, 1024);
}

static void damaged_anywhere(void **state) {
    (void)state;
    mutate("c", 0, FILE_MAX);
    mutate("cxx", 0, FILE_MAX);
    mutate("gz", 0, FILE_MAX);
}

static void cut_short(void **state) {
    (void)state;
    static unsigned char good[FILE_MAX];
    size_t size = read_file(shop_path("c"), good);
    for (size_t cut = 0; cut < size; cut += size / 200 + 1) {
        write_file(shop_path("cut"), good, cut);
        int status = status_of_resolving(shop_path("cut"));
        if (status != 0)
            fail_msg("cut at %zu: status 0x%x", cut, (unsigned)status);
    }
}

/* `main` of a program whose DWARF is what symbolize/hostile.sh says: at most `lines` lines, the last in `function`. */
static void resolve_hostile(const char *kind, size_t lines, const char *function) {
    shop_run("$S/hostile.sh %s >h.s && gcc -nostdlib -static -Wl,-e,main -o h.%s h.s", kind, kind);
    char name[32];
    snprintf(name, sizeof name, "h.%s", kind);
    struct lt_dump_module module = shop_module(shop_path(name));
    struct asked asked;
    ask(&asked, &module, shop_function(module.path, "main") + 8, NULL);
    assert_in_range(asked.line_count, 1, lines);
    assert_string_equal(asked.lines[asked.line_count - 1].function, function);
    asked_free(&asked);
}

static void entries_made_to_hurt(void **state) {
    (void)state;
    alarm(6 * SECONDS_MAX);
    resolve_hostile("deep", 1, "main");
    resolve_hostile("inlines", 256, "main");
    resolve_hostile("self", 1, "main");
    resolve_hostile("parent", 1, "main");
    resolve_hostile("skipped", 1, "main");
    resolve_hostile("overlap", 1, "main");
    alarm(0);
}

static void a_unit_that_does_not_say_where_its_code_is(void **state) {
    (void)state;
    resolve_hostile("stray", 1, "stray");
}

static int open_shop(void **state) {
    if (shop_open(state) != 0)
        return -1;
    shop_run("gcc -g -O2 -o c $S/inlines.c && g++ -g -O2 -o cxx $S/scopes.cc && gcc -g -O2 -gz -o gz $S/inlines.c");
    return 0;
}

int main(void) {
    if (!shop_can_run("gcc g++"))
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_headers),
        cmocka_unit_test(damaged_anywhere),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(entries_made_to_hurt),
        cmocka_unit_test(a_unit_that_does_not_say_where_its_code_is),
    };
    return cmocka_run_group_tests(tests, open_shop, shop_close);
}
