/* Sites by number: 1, 2, 3 ... in the order in which they are made, by any thread. What is live refers to its site so,
 * because a number is shorter than an address (live_index.h), and because those given before a fork are the lower ones.
 *
 * A directory of one page per 1,024 numbers, found through a root that is reserved as a whole; of both only the pages
 * in use are ever touched: 4 bytes per site. */
#ifndef LT_TRACK_SITE_NUMBERS_H
#define LT_TRACK_SITE_NUMBERS_H

#include "base/attrs.h"
#include "base/status.h"
#include "os/arena.h"

#include <stdint.h>

enum { LT_SITE_BITS = 26, LT_SITE_PAGE_BITS = 10, LT_SITE_PAGES = 1 << (LT_SITE_BITS - LT_SITE_PAGE_BITS) };

struct lt_site;

struct lt_site_page {
    uint32_t sites[1 << LT_SITE_PAGE_BITS]; /* arena refs */
};
extern uint32_t *lt_site_pages; /* arena refs of the pages, 0 = none yet */

/* Reserves the root. Once, after lt_arena_init. */
LT_STATUS lt_site_numbers_init(void);

/* The next number; it names no site before lt_site_number_give. 0 when the arena is full, or numbers are used up. Any
 * thread. */
uint32_t lt_site_number_new(void);
void lt_site_number_give(uint32_t number, const struct lt_site *);

/* All numbers given so far are below. */
uint32_t lt_site_numbers_end(void);

/* The site of a number that was given to one; NULL for 0. Any thread. */
static LT_ALWAYS_INLINE struct lt_site *lt_site_at(uint32_t number) {
    if (number == 0)
        return NULL;
    const struct lt_site_page *page =
        lt_arena_known(__atomic_load_n(&lt_site_pages[number >> LT_SITE_PAGE_BITS], __ATOMIC_ACQUIRE));
    return lt_arena_at(__atomic_load_n(&page->sites[number % LT_ARRAY_SIZE(page->sites)], __ATOMIC_ACQUIRE));
}

#endif
