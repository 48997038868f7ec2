/* A radix tree by descriptor number: three levels, because dup2 may put a descriptor anywhere below 2^31 and the arena
 * has no room for an array of that length.
 *
 * A record is one word, changed by compare-and-swap, and the time of birth beside it:
 *
 *     | site 32 | generation 22 | via 2 | origin 3 | kind 4 | held 1 |
 *
 * Nobody asks for the birth of a record that is not held: so it is written first, and a reader that finds the same
 * word, held, before and after it has read the birth has a matching pair. A record that is replaced is taken first. To
 * take a record clears `held` alone. What is left says who held the number last, and is what lets a release that failed
 * be put back. */
#include "track/descriptors.h"

#include "base/attrs.h"
#include "os/arena.h"
#include "track/counters.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>

enum {
    PAGE_BITS = 9,
    BOOK_BITS = 11,
    SHELF_BITS = 11,
    KIND_SHIFT = 1,
    ORIGIN_SHIFT = 5,
    VIA_SHIFT = 8,
    GENERATION_SHIFT = 10,
    SITE_SHIFT = 32,
};
_Static_assert(PAGE_BITS + BOOK_BITS + SHELF_BITS == 31, "every descriptor number");

#define HELD            ((uint64_t)1)
#define VIA_MASK        ((uint64_t)3 << VIA_SHIFT)
#define GENERATION_ONE  ((uint64_t)1 << GENERATION_SHIFT)
#define GENERATION_MASK (((uint64_t)1 << SITE_SHIFT) - GENERATION_ONE)

struct slot {
    _Atomic uint64_t word;
    _Atomic uint32_t birth;
    uint32_t reserved;
};

struct page {
    struct slot slots[1 << PAGE_BITS];
};

struct book {
    _Atomic uint32_t pages[1 << BOOK_BITS]; /* arena refs */
};

struct shelf {
    _Atomic uint32_t books[1 << SHELF_BITS]; /* arena refs */
};

static struct shelf *shelf;
static LT_HOT_DATA struct page *first_page; /* where nearly all numbers of nearly all programs are */

int lt_descriptors_init(void) {
    shelf = lt_arena_alloc(sizeof *shelf, 64);
    first_page = shelf ? lt_arena_alloc(sizeof *first_page, 64) : NULL;
    return first_page ? 0 : -ENOMEM;
}

static _Atomic uint32_t *book_ref(uint32_t fd) {
    return &shelf->books[fd >> (PAGE_BITS + BOOK_BITS)];
}

static _Atomic uint32_t *page_ref(struct book *book, uint32_t fd) {
    return &book->pages[fd >> PAGE_BITS & ((1 << BOOK_BITS) - 1)];
}

static LT_ALWAYS_INLINE void *at(const _Atomic uint32_t *ref) {
    return lt_arena_at(atomic_load_explicit(ref, memory_order_acquire));
}

/* NULL where nothing near that number was ever recorded, and for what is no number. */
static LT_NOINLINE struct slot *find_high(int fd) {
    if (fd < 0)
        return NULL;
    struct book *book = at(book_ref((uint32_t)fd));
    struct page *page = book ? at(page_ref(book, (uint32_t)fd)) : NULL;
    return page ? &page->slots[fd & ((1 << PAGE_BITS) - 1)] : NULL;
}

static LT_ALWAYS_INLINE struct slot *find(int fd) {
    if (lt_unlikely(!first_page))
        return NULL;
    return lt_likely((unsigned)fd < 1 << PAGE_BITS) ? &first_page->slots[fd] : find_high(fd);
}

/* What a ref leads to, made if need be; NULL where no memory is left. */
static void *at_or_new(_Atomic uint32_t *ref, size_t size) {
    void *old = at(ref), *new = old ? NULL : lt_arena_alloc(size, 64);
    uint32_t none = 0;
    if (new)
        atomic_compare_exchange_strong_explicit(ref, &none, lt_arena_ref(new), memory_order_acq_rel,
                                                memory_order_acquire);
    return at(ref);
}

static LT_COLD struct slot *make(int fd) {
    if (fd < 0 || !first_page)
        return NULL;
    struct book *book = at_or_new(book_ref((uint32_t)fd), sizeof *book);
    if (book)
        at_or_new(page_ref(book, (uint32_t)fd), sizeof(struct page));
    return find(fd);
}

static LT_ALWAYS_INLINE uint64_t word_of(const struct lt_descriptor *descriptor, uint64_t generation) {
    return (uint64_t)descriptor->holding.site << SITE_SHIFT | generation | (uint64_t)descriptor->via << VIA_SHIFT |
           (uint64_t)descriptor->origin << ORIGIN_SHIFT | (uint64_t)descriptor->kind << KIND_SHIFT | HELD;
}

static LT_ALWAYS_INLINE enum lt_kind kind_in(uint64_t word) {
    return word >> KIND_SHIFT & 0xf;
}

static LT_ALWAYS_INLINE void decode(uint64_t word, uint32_t birth, struct lt_descriptor *descriptor) {
    *descriptor = (struct lt_descriptor){
        .holding = {.site = (uint32_t)(word >> SITE_SHIFT), .birth = birth},
        .kind = (uint8_t)kind_in(word),
        .origin = word >> ORIGIN_SHIFT & 7,
        .via = word >> VIA_SHIFT & 3,
        .generation = (uint32_t)((word & GENERATION_MASK) >> GENERATION_SHIFT),
    };
}

/* The record, held or not; returns its word. */
static LT_ALWAYS_INLINE uint64_t read_slot(struct slot *slot, struct lt_descriptor *descriptor) {
    uint64_t word, again = atomic_load_explicit(&slot->word, memory_order_acquire);
    uint32_t birth;
    do {
        word = again;
        birth = atomic_load_explicit(&slot->birth, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        again = atomic_load_explicit(&slot->word, memory_order_relaxed);
    } while (lt_unlikely(again != word));
    decode(word, birth, descriptor);
    return word;
}

static LT_ALWAYS_INLINE bool swap(struct slot *slot, uint64_t *from, uint64_t to) {
    return atomic_compare_exchange_strong_explicit(&slot->word, from, to, memory_order_acq_rel, memory_order_acquire);
}

static LT_ALWAYS_INLINE bool take(struct slot *slot, struct lt_descriptor *taken) {
    while (atomic_load_explicit(&slot->word, memory_order_relaxed) & HELD) {
        uint64_t word = read_slot(slot, taken);
        if (lt_likely(word & HELD && swap(slot, &word, word & ~HELD)))
            return true;
    }
    return false;
}

static LT_COLD bool take_over(struct slot *slot, struct lt_descriptor *old) {
    return take(slot, old);
}

static LT_COLD int no_memory(void) {
    lt_untracked(LT_UNTRACKED_ARENA_FULL);
    return -ENOMEM;
}

int lt_descriptor_put(int fd, const struct lt_descriptor *descriptor, struct lt_descriptor *old) {
    struct slot *slot = find(fd);
    if (lt_unlikely(!slot) && !(slot = make(fd)))
        return no_memory();
    bool replaces = false;
    uint64_t word, next;
    do {
        word = atomic_load_explicit(&slot->word, memory_order_relaxed);
        if (lt_unlikely(word & HELD)) {
            replaces |= take_over(slot, old);
            word &= ~HELD;
        }
        next = word_of(descriptor, (word + GENERATION_ONE) & GENERATION_MASK);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&slot->birth, descriptor->holding.birth, memory_order_relaxed);
    } while (lt_unlikely(!swap(slot, &word, next)));
    return replaces;
}

bool lt_descriptor_take(int fd, struct lt_descriptor *taken) {
    struct slot *slot = find(fd);
    return slot && take(slot, taken);
}

bool lt_descriptor_take_bare(int fd, enum lt_kind *kind) {
    struct slot *slot = find(fd);
    uint64_t word = slot ? atomic_load_explicit(&slot->word, memory_order_relaxed) : 0;
    while (lt_likely((word & (HELD | VIA_MASK)) == HELD)) {
        *kind = word >> SITE_SHIFT ? kind_in(word) : 0;
        if (lt_likely(swap(slot, &word, word & ~HELD)))
            return true;
    }
    return false;
}

bool lt_descriptor_put_back(int fd, const struct lt_descriptor *taken) {
    struct slot *slot = find(fd);
    const uint64_t held = word_of(taken, (uint64_t)taken->generation << GENERATION_SHIFT);
    uint64_t word = held & ~HELD;
    return slot && swap(slot, &word, held);
}

bool lt_descriptor_last(int fd, struct lt_descriptor *last) {
    struct slot *slot = find(fd);
    return slot && !(read_slot(slot, last) & HELD) && last->kind;
}

void lt_descriptor_set_via(int fd, enum lt_via via) {
    struct slot *slot = find(fd);
    uint64_t word = slot ? atomic_load_explicit(&slot->word, memory_order_relaxed) : 0;
    while (word & HELD && !swap(slot, &word, (word & ~VIA_MASK) | (uint64_t)via << VIA_SHIFT))
        ;
}

bool lt_descriptor_get(int fd, struct lt_descriptor *descriptor) {
    struct slot *slot = find(fd);
    return slot && read_slot(slot, descriptor) & HELD;
}

/* The slot of *fd or of the next number above it that has one, and moves *fd there; NULL after the last. */
static struct slot *next_slot(int64_t *fd) {
    while (*fd <= INT_MAX && first_page) {
        struct slot *slot = find((int)*fd);
        if (slot)
            return slot;
        const unsigned bits = at(book_ref((uint32_t)*fd)) ? PAGE_BITS : PAGE_BITS + BOOK_BITS;
        *fd = ((*fd >> bits) + 1) << bits;
    }
    return NULL;
}

int lt_descriptor_next(int first, struct lt_descriptor *descriptor) {
    int64_t fd = first < 0 ? 0 : first;
    for (struct slot *slot; (slot = next_slot(&fd)); fd++)
        if (read_slot(slot, descriptor) & HELD)
            return (int)fd;
    return -1;
}

bool lt_descriptor_vanished(int fd, const struct lt_descriptor *seen) {
    struct slot *slot = find(fd);
    uint64_t word = word_of(seen, (uint64_t)seen->generation << GENERATION_SHIFT);
    return slot && swap(slot, &word, word & ~HELD);
}

/* Only the caller's thread lives, but it may be in a handler that has interrupted any of the above: each of them goes
 * on with what it finds here. Who held a number that is free is forgotten: a child closes what it does not know. */
void lt_descriptors_forked(void) {
    struct lt_descriptor descriptor;
    int64_t fd = 0;
    for (struct slot *slot; (slot = next_slot(&fd)); fd++) {
        const uint64_t word = read_slot(slot, &descriptor), generation = word & GENERATION_MASK;
        descriptor.holding.site = 0;
        descriptor.origin = LT_ORIGIN_INHERITED;
        if (word)
            atomic_store_explicit(&slot->word, word & HELD ? word_of(&descriptor, generation) : generation,
                                  memory_order_relaxed);
    }
}
