/* Frame for frame what addr2line -i and llvm-symbolizer say, for what compilers make: each sample is compiled here, and
 * a few thousand addresses spread over all of its code are compared. */
#include "unit/symbolize/judge.h"
#include "unit/symbolize/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ADDRESSES_MAX = 4000 };

/* At least this share of the compared frames must be inlined ones, or the sample shows nothing: percent. */
enum { NO_INLINES = 0, SOME_INLINES = 10 };

static void compare(enum judge_kind kind, const char *name, size_t inlined_percent) {
    static uint64_t addresses[ADDRESSES_MAX];
    if (!judge_is_here(kind))
        return;
    const char *path = shop_path(name);
    struct lt_dump_module module = shop_module(path);
    size_t count = shop_code_addresses(path, addresses, ADDRESSES_MAX);
    size_t frames = judge_frames(kind, path, &module, NULL, addresses, count);
    print_message("%s: %zu addresses, %zu frames\n", name, count, frames);
    assert_true(frames * 100 >= count * (100 + inlined_percent));
}

static void compare_with_both(const char *name, size_t inlined_percent) {
    compare(JUDGE_LLVM, name, inlined_percent);
    compare(JUDGE_ADDR2LINE, name, inlined_percent);
}

static void gcc_c(void **state) {
    (void)state;
    shop_need("gcc");
    shop_run("gcc -g -O0 -o c.O0 $S/inlines.c && gcc -g -O2 -o c.O2 $S/inlines.c && gcc -g -O2 -no-pie -o c.nopie "
             "$S/inlines.c && gcc -g -O2 -gdwarf-4 -o c.dwarf4 $S/inlines.c && gcc -g -O3 -flto -o c.lto $S/inlines.c");
    compare_with_both("c.O0", SOME_INLINES);
    compare_with_both("c.O2", SOME_INLINES);
    compare_with_both("c.nopie", SOME_INLINES);
    compare_with_both("c.dwarf4", SOME_INLINES);
    compare(JUDGE_LLVM, "c.lto", SOME_INLINES); /* addr2line 2.40 gives the file of link-time units as "<artificial>" */
}

static void gcc_cxx(void **state) {
    (void)state;
    shop_need("g++");
    shop_run("g++ -g -O2 -o cxx.O2 $S/scopes.cc && g++ -g -O0 -o cxx.O0 $S/scopes.cc && "
             "g++ -g -O2 -fdebug-types-section -o cxx.types $S/scopes.cc");
    compare_with_both("cxx.O2", SOME_INLINES);
    compare_with_both("cxx.O0", NO_INLINES);
    compare(JUDGE_LLVM, "cxx.types", SOME_INLINES); /* addr2line 2.40 finds no inlined functions there */
}

/* No .debug_aranges. Only LLVM's judge: addr2line 2.40 loses inlined frames of clang's. */
static void clang_c_and_cxx(void **state) {
    (void)state;
    shop_need("clang clang++");
    shop_run("clang -g -O2 -o clang.c $S/inlines.c && clang++ -g -O2 -o clang.cxx $S/scopes.cc && "
             "clang++ -g -O2 -gdwarf-4 -o clang.dwarf4 $S/scopes.cc");
    compare(JUDGE_LLVM, "clang.c", SOME_INLINES);
    compare(JUDGE_LLVM, "clang.cxx", SOME_INLINES);
    compare(JUDGE_LLVM, "clang.dwarf4", SOME_INLINES);
}

/* The functions are in .dwo files next to the program; addr2line 2.40 does not look there. */
static void split_dwarf(void **state) {
    (void)state;
    shop_need("gcc g++");
    shop_run("gcc -g -O2 -gsplit-dwarf -c -o split5.o $S/inlines.c && gcc -o split5 split5.o && "
             "g++ -g -O2 -gsplit-dwarf -gdwarf-4 -c -o split4.o $S/scopes.cc && g++ -o split4 split4.o");
    compare(JUDGE_LLVM, "split5", SOME_INLINES);
    compare(JUDGE_LLVM, "split4", SOME_INLINES);
}

static void split_dwarf_of_clang(void **state) {
    (void)state;
    shop_need("clang++");
    shop_run("clang++ -g -O2 -gsplit-dwarf -fsplit-dwarf-inlining -c -o clang_split.o $S/scopes.cc && "
             "clang++ -o clang_split clang_split.o");
    compare(JUDGE_LLVM, "clang_split", SOME_INLINES);
}

static void compressed_sections(void **state) {
    (void)state;
    shop_need("gcc");
    shop_run("gcc -g -O2 -gz=zlib -o gz $S/inlines.c && readelf -SW gz | grep -q 'debug_info.* C '");
    compare_with_both("gz", SOME_INLINES);
}

static void shared_library(void **state) {
    (void)state;
    shop_need("gcc");
    shop_run("gcc -g -O2 -shared -fPIC -o library.so $S/library.c");
    compare_with_both("library.so", NO_INLINES);
}

/* Go's own linker writes neither .debug_aranges nor a GNU build-id. */
static void go_program(void **state) {
    (void)state;
    shop_need("go");
    shop_run("export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GOTOOLCHAIN=local && "
             "go build -o gobin $S/goroutines.go && rm -rf cache");
    compare_with_both("gobin", SOME_INLINES);
}

/* No names compared: identical functions of the standard library are folded, and each judge picks another of their
 * names. */
static void rust_program(void **state) {
    (void)state;
    shop_need("rustc");
    if (!shop_try("rustc -g -O -o rust.legacy $S/traits.rs && rustc -g -O -C symbol-mangling-version=v0 -o rust.v0 "
                  "$S/traits.rs")) {
        print_message("skipped: rustc is installed but cannot compile\n");
        skip();
    }
    compare(JUDGE_ADDR2LINE, "rust.legacy", SOME_INLINES);
    compare(JUDGE_ADDR2LINE, "rust.v0", SOME_INLINES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcc_c),
        cmocka_unit_test(gcc_cxx),
        cmocka_unit_test(clang_c_and_cxx),
        cmocka_unit_test(split_dwarf),
        cmocka_unit_test(split_dwarf_of_clang),
        cmocka_unit_test(compressed_sections),
        cmocka_unit_test(shared_library),
        cmocka_unit_test(go_program),
        cmocka_unit_test(rust_program),
    };
    return cmocka_run_group_tests(tests, shop_open, shop_close);
}
