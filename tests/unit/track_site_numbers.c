/* Numbers of sites: each is given once, and names its site to every thread. */
#include "os/arena.h"
#include "track/stacks.h"

#include "unit.h"

#include <pthread.h>

enum { THREADS = 4, EACH = 5000, SITES = THREADS * EACH };

static struct lt_site sites[SITES + 1]; /* their `node` is the number they were told */

static void make(struct lt_site *site) {
    const uint32_t number = lt_site_number_new();
    struct lt_site *copy = lt_arena_alloc(sizeof *copy, LT_ARENA_UNIT);
    if (!number || !copy)
        return;
    site->node = copy->node = number;
    lt_site_number_give(number, copy);
}

static void *make_many(void *first) {
    for (int i = 0; i < EACH; i++)
        make((struct lt_site *)first + i);
    return NULL;
}

static void every_thread_gets_its_own(void **state) {
    (void)state;
    static bool seen[SITES + 2];
    pthread_t threads[THREADS];
    assert_int_equal(lt_arena_init(), 0);
    assert_int_equal(lt_site_numbers_init(), 0);
    assert_null(lt_site_at(0));
    assert_int_equal(lt_site_numbers_end(), 1);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, &sites[i * EACH]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lt_site_numbers_end(), SITES + 1);
    for (int i = 0; i < SITES; i++) {
        const uint32_t number = sites[i].node;
        assert_true(number > 0 && number <= SITES && !seen[number]);
        assert_int_equal(lt_site_at(number)->node, number);
        seen[number] = true;
    }
}

static void there_is_none_without_memory(void **state) {
    (void)state;
    while (lt_site_numbers_end() % (1 << LT_SITE_PAGE_BITS))
        assert_int_not_equal(lt_site_number_new(), 0);
    const uint32_t end = lt_site_numbers_end();
    lt_arena_fail_after(1);
    assert_int_equal(lt_site_number_new(), 0); /* the next one needs a page */
    lt_arena_fail_after(0);
    assert_int_equal(lt_site_numbers_end(), end);
    assert_int_equal(lt_site_number_new(), end);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_thread_gets_its_own),
    cmocka_unit_test(there_is_none_without_memory),
};

LT_UNIT_MAIN(tests)
