/* Mappings outside the arena. */
#include "os/memory.h"

#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static void gives_zeroed_pages_and_takes_them_back(void **state) {
    (void)state;
    unsigned char present;
    char *pages = lt_pages_new(5000);
    assert_non_null(pages);
    assert_int_equal((uintptr_t)pages % LT_PAGE, 0);
    for (size_t i = 0; i < 2 * LT_PAGE; i++)
        assert_int_equal(pages[i], 0);
    memset(pages, 1, 2 * LT_PAGE);
    lt_pages_free(pages, 5000);
    assert_int_equal(mincore(pages, LT_PAGE, &present), -1);
    assert_int_equal(errno, ENOMEM); /* nothing is mapped there any more */
    lt_pages_free(NULL, 5000);
}

static void resizes_with_the_contents(void **state) {
    (void)state;
    char *pages = lt_pages_new(LT_PAGE);
    memset(pages, 'x', LT_PAGE);
    pages = lt_pages_resize(pages, LT_PAGE, 1 << 24);
    assert_non_null(pages);
    assert_int_equal(pages[0], 'x');
    assert_int_equal(pages[LT_PAGE - 1], 'x');
    assert_int_equal(pages[LT_PAGE], 0);
    assert_int_equal(pages[(1 << 24) - 1], 0);
    assert_null(lt_pages_resize(pages, 1 << 24, (size_t)1 << 62));
    assert_int_equal(pages[0], 'x');
    lt_pages_free(pages, 1 << 24);
}

static void refuses_what_no_machine_has(void **state) {
    (void)state;
    errno = 4242;
    assert_null(lt_pages_new((size_t)1 << 62));
    assert_null(lt_pages_new(SIZE_MAX));
    assert_null(lt_pages_new(0));
    assert_int_equal(errno, 4242);
}

static void knows_what_can_be_read(void **state) {
    (void)state;
    char *pages = lt_pages_new(2 * LT_PAGE);
    const uintptr_t first = (uintptr_t)pages, second = first + LT_PAGE;
    assert_non_null(pages);
    assert_true(lt_memory_readable(first) && lt_memory_readable(second));
    lt_pages_free(pages + LT_PAGE, LT_PAGE);
    assert_true(lt_memory_readable(first));
    assert_false(lt_memory_readable(second));
    assert_false(lt_memory_readable(0)); /* for the kernel: no question */
    assert_false(lt_memory_readable(8));
    assert_false(lt_memory_readable(UINTPTR_MAX - 7));
    lt_pages_free(pages, LT_PAGE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gives_zeroed_pages_and_takes_them_back),
    cmocka_unit_test(resizes_with_the_contents),
    cmocka_unit_test(refuses_what_no_machine_has),
    cmocka_unit_test(knows_what_can_be_read),
};
LT_UNIT_MAIN(tests)
