/* Symbol lookup without the loader, compared with the loader's own: dlsym is the judge. */
#include "preload/scope.h"

#include "unit.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/auxv.h>

int only_the_program_has_this(void);
int only_the_program_has_this(void) {
    return 1;
}

static const char *const names[] = {
    "malloc",       "calloc",    "realloc",      "free",       "memalign", "posix_memalign", "aligned_alloc",
    "valloc",       "pvalloc",   "reallocarray", "fork",       "vfork",    "_exit",          "_Exit",
    "quick_exit",   "execve",    "execvpe",      "dlopen",     "dlclose",  "pthread_create", "pthread_join",
    "memcpy",       "strlen",    "gettimeofday", "time",       "fopen",    "mmap",           "close",
    "timer_create", "getauxval", "sigaltstack",  "setjmp",     "clone",    "unshare",        "setns",
    "free_sized",   "cfree",     "no_such",      "__asan_init"};

/* The object that an address lies in. The resolvers of time() and gettimeofday() answer with an address in the vDSO. */
static const struct link_map *owner_of(const void *address, const struct link_map *of_resolver) {
    Dl_info info;
    struct link_map *object = NULL;
    if (!address || !dladdr1(address, &info, (void **)&object, RTLD_DL_LINKMAP))
        return NULL;
    return object->l_addr == getauxval(AT_SYSINFO_EHDR) ? of_resolver : object;
}

static void finds_what_dlsym_finds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct link_map *provider;
        void *found = lt_scope_find(lt_scope_first(), names[i], &provider);
        void *judge = dlsym(RTLD_DEFAULT, names[i]);
        if (found != judge)
            fail_msg("%s: %p, dlsym says %p", names[i], found, judge);
        assert_ptr_equal(provider, owner_of(judge, provider));
    }
}

static void begins_behind_an_object(void **state) {
    (void)state;
    const struct link_map *provider;
    assert_ptr_equal(lt_scope_find(lt_scope_first(), "only_the_program_has_this", &provider),
                     (void *)(uintptr_t)only_the_program_has_this);
    assert_ptr_equal(provider, lt_scope_first());
    assert_null(lt_scope_find(lt_scope_first()->l_next, "only_the_program_has_this", &provider));
    assert_null(provider);
}

static void knows_where_it_is(void **state) {
    (void)state;
    assert_ptr_equal(lt_scope_self(), lt_scope_first()); /* this test is the executable itself */
    assert_string_equal(lt_scope_first()->l_name, "");
}

static void knows_who_needs_whom(void **state) {
    (void)state;
    const struct link_map *libc;
    lt_scope_find(lt_scope_first(), "gnu_get_libc_version", &libc);
    assert_non_null(libc);
    assert_true(lt_scope_needs(lt_scope_first(), libc));
    assert_false(lt_scope_needs(libc, lt_scope_first()));
    assert_false(lt_scope_needs(libc, libc));
}

static void leaves_no_error_behind(void **state) {
    (void)state;
    const struct link_map *provider;
    dlerror();
    lt_scope_find(lt_scope_first(), "no_such", &provider);
    assert_null(dlerror());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_dlsym_finds), cmocka_unit_test(begins_behind_an_object),
        cmocka_unit_test(knows_where_it_is),      cmocka_unit_test(knows_who_needs_whom),
        cmocka_unit_test(leaves_no_error_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
