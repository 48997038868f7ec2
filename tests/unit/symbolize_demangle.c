/* Demangling: each language's manglings, what is none, and names made to hurt. */
#include "report/demangle.h"
#include "report/symbolize_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_demangled(const char *name, const char *expected) {
    char *text = lt_demangle(name);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void cxx_names(void **state) {
    (void)state;
    assert_demangled("_ZN4shop5outerEi", "shop::outer(int)");
    assert_demangled("_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()");
    assert_demangled("_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const");
    assert_demangled("_ZdlPvm", "operator delete(void*, unsigned long)");
    assert_demangled("_Z3fooi.part.0", "foo(int) [clone .part.0]");
}

/* Only libiberty knows these; the fallback leaves them alone. */
static void other_languages(void **state) {
    (void)state;
    char *known = lt_demangle("_RNvCs1234_7example3run");
    if (!known) {
        print_message("skipped: built without libiberty\n");
        skip();
    }
    free(known);
    assert_demangled("_RNvCs1234_7example3run", "example::run");
    assert_demangled("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt");
    assert_demangled("_D3std5stdio4File5closeMFZv", "std.stdio.File.close()");
}

static void what_is_not_mangled(void **state) {
    (void)state;
    static const char *const names[] = {"", "main", "malloc", "main.main.func1", "_", "__libc_start_main", "_Z", "_ZN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(lt_demangle(names[i]));
}

/* "_Z1f" and `count` times `letter`, and "v": a function of a pointer to a pointer to ... */
static char *long_name(char letter, size_t count) {
    char *name = malloc(count + 8);
    assert_non_null(name);
    size_t length = (size_t)sprintf(name, "_Z1f");
    for (; count > 0; count--)
        name[length++] = letter;
    name[length++] = 'v';
    name[length] = '\0';
    return name;
}

static void too_long_a_name_stays(void **state) {
    (void)state;
    char *endless = long_name('P', LT_DEMANGLE_MAX), *deep = long_name('P', 20000);
    assert_null(lt_demangle(endless));
    free(lt_demangle(deep)); /* what comes is the demangler's choice, but it comes */
    free(endless);
    free(deep);
}

/* Each type is a function of the one before, twice: 2^40 words when written out. */
static void a_name_that_doubles_is_cut_off(void **state) {
    (void)state;
    char name[1024] = "_Z1fFviE";
    size_t length = strlen(name);
    for (int i = 0; i < 40; i++) {
        if (i == 0)
            length += (size_t)sprintf(name + length, "FvS_S_E");
        else
            length +=
                (size_t)sprintf(name + length, "FvS%c_S%c_E", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(i - 1) % 36],
                                "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(i - 1) % 36]);
    }
    alarm(10);
    char *text = lt_demangle(name);
    alarm(0);
    assert_true(!text || strlen(text) <= LT_DEMANGLE_MAX);
    free(text);
}

static void names_are_kept_once(void **state) {
    (void)state;
    struct lt_symbol_names names = {0};
    char copy[] = "main";
    const char *first = lt_symbol_names_keep(&names, "main");
    assert_ptr_equal(first, lt_symbol_names_keep(&names, copy));
    assert_ptr_not_equal(first, copy);
    assert_ptr_equal(first, lt_symbol_names_keep_symbol(&names, "main"));
    const char *readable = lt_symbol_names_keep_symbol(&names, "_Z1fv");
    assert_string_equal(readable, "f()");
    assert_ptr_equal(readable, lt_symbol_names_keep_symbol(&names, "_Z1fv"));
    assert_ptr_equal(readable, lt_symbol_names_keep(&names, "f()"));
    assert_null(lt_symbol_names_keep(&names, NULL));
    assert_null(lt_symbol_names_keep(&names, ""));
    assert_null(lt_symbol_names_keep_symbol(&names, NULL));
    assert_false(names.out_of_memory);
    lt_symbol_names_free(&names);
}

static void a_name_without_end_is_cut(void **state) {
    (void)state;
    struct lt_symbol_names names = {0};
    char *name = malloc(LT_NAME_MAX + 100);
    assert_non_null(name);
    memset(name, 'x', LT_NAME_MAX + 99);
    name[LT_NAME_MAX + 99] = '\0';
    assert_int_equal(strlen(lt_symbol_names_keep(&names, name)), LT_NAME_MAX);
    free(name);
    lt_symbol_names_free(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cxx_names),
        cmocka_unit_test(other_languages),
        cmocka_unit_test(what_is_not_mangled),
        cmocka_unit_test(too_long_a_name_stays),
        cmocka_unit_test(a_name_that_doubles_is_cut_off),
        cmocka_unit_test(names_are_kept_once),
        cmocka_unit_test(a_name_without_end_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
