/* Memory read through the kernel: what is there, what is not, what was never touched. */
#include "os/peek.h"

#include "os/memory.h"

#include "unit.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

static void what_is_in_memory_is_read(void **state) {
    struct lt_peek peek;
    char *pages = lt_pages_new(3 * LT_PAGE), text[6] = "";
    const uintptr_t at = (uintptr_t)pages;
    unsigned char resident[3];
    (void)state;
    lt_pages_keep_small(pages, 3 * LT_PAGE);
    memcpy(pages + 100, "hello", 6);
    assert_int_equal(lt_peek_open(&peek), 0);
    assert_true(lt_peek_read(&peek, at + 100, text, sizeof text));
    assert_string_equal(text, "hello");
    assert_false(lt_peek_read(&peek, at + LT_PAGE, text, sizeof text)); /* never touched, and left so */
    assert_int_equal(mincore(pages, 3 * LT_PAGE, resident), 0);
    assert_int_equal(resident[1] & 1, 0);
    assert_int_equal(mprotect(pages, LT_PAGE, PROT_NONE), 0);
    (void)lt_peek_read(&peek, at + 100, text, sizeof text); /* whatever it says: no fault */
    lt_pages_free(pages, 3 * LT_PAGE);
    assert_false(lt_peek_read(&peek, at + 100, text, sizeof text));
    assert_false(lt_peek_read(&peek, 0, text, sizeof text));
    assert_false(lt_peek_read(&peek, UINTPTR_MAX - 7, text, 4));
    lt_peek_close(&peek);
}

static void *self_of(void *unused) {
    (void)unused;
    return (void *)pthread_self();
}

static void a_thread_is_known_by_its_handle(void **state) {
    struct lt_peek peek;
    pthread_t thread;
    void *handle;
    uint64_t forged[64] = {0};
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, self_of, NULL), 0);
    assert_int_equal(pthread_join(thread, &handle), 0);
    assert_int_equal(lt_peek_open(&peek), 0);
    assert_true(lt_peek_is_thread(&peek, (uint64_t)pthread_self()));
    assert_true(lt_peek_is_thread(&peek, (uint64_t)(uintptr_t)handle)); /* kept for the next thread */
    assert_false(lt_peek_is_thread(&peek, (uint64_t)(uintptr_t)forged));
    assert_false(lt_peek_is_thread(&peek, 0));
    assert_false(lt_peek_is_thread(&peek, 12345));
    lt_peek_close(&peek);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_in_memory_is_read),
    cmocka_unit_test(a_thread_is_known_by_its_handle),
};
LT_UNIT_MAIN(tests)
