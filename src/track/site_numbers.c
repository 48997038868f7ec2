#include "track/site_numbers.h"

#include <errno.h>
#include <stdbool.h>

uint32_t *lt_site_pages;
static uint32_t next = 1;

int lt_site_numbers_init(void) {
    lt_site_pages = lt_arena_alloc(LT_SITE_PAGES * sizeof *lt_site_pages, 4096);
    return lt_site_pages ? 0 : -ENOMEM;
}

/* Of two threads that make the same page one has made it for nothing. */
static LT_COLD bool make_page(uint32_t *page) {
    const struct lt_site_page *made = lt_arena_alloc(sizeof *made, LT_ARENA_UNIT);
    uint32_t none = 0;
    if (made)
        __atomic_compare_exchange_n(page, &none, lt_arena_ref(made), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return made != NULL;
}

uint32_t lt_site_number_new(void) {
    uint32_t number = __atomic_load_n(&next, __ATOMIC_RELAXED);
    do {
        if (number >> LT_SITE_BITS)
            return 0;
        uint32_t *page = &lt_site_pages[number >> LT_SITE_PAGE_BITS];
        if (!__atomic_load_n(page, __ATOMIC_ACQUIRE) && !make_page(page))
            return 0;
    } while (!__atomic_compare_exchange_n(&next, &number, number + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return number;
}

void lt_site_number_give(uint32_t number, const struct lt_site *site) {
    struct lt_site_page *page = lt_arena_known(lt_site_pages[number >> LT_SITE_PAGE_BITS]);
    __atomic_store_n(&page->sites[number % LT_ARRAY_SIZE(page->sites)], lt_arena_ref(site), __ATOMIC_RELEASE);
}

uint32_t lt_site_numbers_end(void) {
    return __atomic_load_n(&next, __ATOMIC_RELAXED);
}
