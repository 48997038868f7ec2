/* The interval map against a plain model: an array with one word a page. */
#include "os/arena.h"
#include "os/clock.h"
#include "track/counters.h"
#include "track/mappings.h"
#include "track/thread.h"
#include "track/track.h"
#include "track_fake_unwind.h"

#include "unit.h"
#include "unit_child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

enum { PAGES = 160, PAGE = 4096, STACKS = 5 };
static const uintptr_t base = 0x7f0000000000;

/* Who holds each page: the number of an acquisition, 0 nobody. */
static struct {
    unsigned owner[PAGES];
    uint32_t site[1 << 16];
    uintptr_t attached[1 << 16];
    unsigned acquisitions;
} model;
static struct lt_thread *self;

static uintptr_t address_of(unsigned page) {
    return base + (uintptr_t)page * PAGE;
}

static void start(void) {
    lt_clock_init();
    CHILD_CHECK(lt_arena_init() == 0 && lt_track_init() == 0);
    self = lt_thread_attach();
    CHILD_CHECK(self != NULL);
}

static struct lt_holding acquire(unsigned pages, unsigned stack) {
    static const uintptr_t frames[STACKS][2] = {
        {0x100010, 0x200010}, {0x100020, 0x200020}, {0x100030, 0x200030}, {0x100040, 0x200040}, {0x100050, 0x200050}};
    struct lt_holding holding;
    fake_stack(frames[stack], 2, 0);
    const struct lt_regs regs = {0, 0, 0};
    CHILD_CHECK(lt_resource_acquire(self, LT_KIND_MAPPING, (uint64_t)pages * PAGE, &regs, &holding) == 0);
    return holding;
}

static void clear(unsigned first, unsigned pages) {
    memset(&model.owner[first], 0, pages * sizeof model.owner[0]);
}

static bool put(unsigned first, unsigned pages, unsigned stack, bool attached) {
    const struct lt_mapping mapping = {.start = address_of(first),
                                       .end = address_of(first + pages),
                                       .holding = acquire(pages, stack),
                                       .attached = attached ? address_of(first) : 0};
    if (!lt_mapping_put(self, &mapping)) {
        clear(first, pages);
        return false;
    }
    const unsigned number = ++model.acquisitions;
    model.site[number] = mapping.holding.site;
    model.attached[number] = mapping.attached;
    for (unsigned page = first; page < first + pages; page++)
        model.owner[page] = number;
    return true;
}

static void take_pages(uintptr_t start, uintptr_t end) {
    struct lt_mappings_taken taken = {.count = 0};
    lt_mapping_take(self, start, end, &taken);
    lt_mapping_gone(&taken);
}

static void take(unsigned first, unsigned pages) {
    take_pages(address_of(first), address_of(first + pages));
}

/* The record that begins at `page` in the model: up to which page; 0: none begins there. */
static unsigned run_at(unsigned page) {
    unsigned end = page;
    while (end < PAGES && model.owner[end] == model.owner[page])
        end++;
    return model.owner[page] ? end : 0;
}

/* Map and model agree: the records one by one, and the sums. */
static void compare(void) {
    uintptr_t address = 0;
    struct lt_mapping record;
    uint64_t records = 0, bytes = 0;
    for (unsigned page = 0, end; page < PAGES; page = end ? end : page + 1) {
        if (!(end = run_at(page)))
            continue;
        CHILD_CHECK(lt_mapping_next(address, &record));
        CHILD_CHECK(record.start == address_of(page) && record.end == address_of(end));
        CHILD_CHECK(record.holding.site == model.site[model.owner[page]]);
        CHILD_CHECK(record.attached == model.attached[model.owner[page]]);
        address = record.end;
        records++;
        bytes += record.end - record.start;
    }
    CHILD_CHECK(!lt_mapping_next(address, &record));
    struct lt_totals totals;
    lt_totals(LT_KIND_MAPPING, &totals);
    CHILD_CHECK(totals.acquired_count - totals.released_count == records);
    CHILD_CHECK(totals.acquired_bytes - totals.released_bytes == bytes);
}

/* A call that fails: what is taken out comes back, but for what another thread has mapped meanwhile. */
static void take_and_put_back(unsigned *seed, unsigned first, unsigned pages) {
    struct lt_mappings_taken taken = {.count = 0};
    unsigned before[PAGES], other = (unsigned)rand_r(seed) % PAGES;
    memcpy(before, model.owner, sizeof before);
    lt_mapping_take(rand_r(seed) % 2 ? self : NULL, address_of(first), address_of(first + pages), &taken);
    clear(first, pages);
    compare();
    const bool meanwhile = rand_r(seed) % 4 == 0 && put(other, 1, 0, false);
    lt_mapping_put_back(self, &taken);
    for (unsigned page = first; page < first + pages; page++)
        if (!meanwhile || page != other)
            model.owner[page] = before[page];
}

/* The kernel denies a part of a record: what is another acquisition's by now stays. */
static void vanish(unsigned *seed, unsigned first, unsigned pages) {
    struct lt_mapping seen;
    if (!lt_mapping_at(address_of(first), &seen)) {
        CHILD_CHECK(model.owner[first] == 0);
        return;
    }
    const unsigned owner = model.owner[first];
    if (rand_r(seed) % 2 && first + 1 < PAGES)
        CHILD_CHECK(put(first + 1, 1, 1, false));
    const bool held = lt_mapping_vanished(address_of(first), address_of(first + pages), &seen);
    bool expected = false;
    for (unsigned page = first; page < first + pages; page++)
        if (model.owner[page] == owner) {
            model.owner[page] = 0;
            expected = true;
        }
    CHILD_CHECK(held == expected);
}

/* What is left of an attachment, though its first page may not be. */
static void detach(unsigned first) {
    struct lt_mappings_taken taken = {.count = 0};
    unsigned owner = 0, pieces = 0, before = 0;
    for (unsigned page = first; page < PAGES; page++) {
        const unsigned now = model.owner[page];
        if (!owner && now && model.attached[now] == address_of(first))
            owner = now;
        if (owner && now == owner) {
            pieces += before != now;
            model.owner[page] = 0;
        }
        before = now;
    }
    lt_mapping_take_attached(self, address_of(first), &taken);
    CHILD_CHECK(taken.count == pieces);
    lt_mapping_gone(&taken);
}

static void random_operations(void) {
    unsigned seed = 20261;
    start();
    for (int i = 0; i < 20000; i++) {
        const unsigned first = (unsigned)rand_r(&seed) % PAGES, most = PAGES - first < 24 ? PAGES - first : 24,
                       pages = 1 + (unsigned)rand_r(&seed) % most, what = (unsigned)rand_r(&seed) % 8;
        if (what < 4) {
            CHILD_CHECK(put(first, pages, (unsigned)rand_r(&seed) % STACKS, what == 0));
        } else if (what == 4) {
            take(first, pages);
            clear(first, pages);
        } else if (what == 5) {
            take_and_put_back(&seed, first, pages);
        } else if (what == 6) {
            vanish(&seed, first, pages);
        } else {
            detach(first);
        }
        compare();
    }
}

static void agrees_with_a_plain_model(void **state) {
    (void)state;
    assert_child_passes(random_operations);
}

/* 60,000 records, as many as the kernel grants, come and go ten times: the memory of the first round is enough. */
static void fill_and_empty(void) {
    enum { RECORDS = 60000, ROUNDS = 10 };
    struct lt_arena_usage first, last;
    unsigned seed = 3;
    start();
    const struct lt_holding holding = acquire(1, 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (uintptr_t i = 0; i < RECORDS; i++) {
            const uintptr_t at = base + i * 7919 % RECORDS * 2 * PAGE;
            CHILD_CHECK(lt_mapping_put(self, &(struct lt_mapping){.start = at, .end = at + PAGE, .holding = holding}));
        }
        for (uintptr_t taken = 0, at = base; taken < RECORDS;) {
            const uintptr_t size = (uintptr_t)(1 + (unsigned)rand_r(&seed) % 8) * PAGE;
            struct lt_mappings_taken pieces = {.count = 0};
            lt_mapping_take(self, at, at + size, &pieces);
            taken += pieces.count;
            lt_mapping_gone(&pieces);
            at += size;
        }
        struct lt_mapping left;
        CHILD_CHECK(!lt_mapping_next(0, &left));
        lt_arena_usage(round == 0 ? &first : &last);
    }
    CHILD_CHECK(last.used - first.used < first.used / 10); /* heights are dealt anew: a node more of a rare one */
}

static void uses_records_again(void **state) {
    (void)state;
    assert_child_passes(fill_and_empty);
}

/* Every allocation in turn fails: what is not recorded is counted, the sums stay exact. */
static void without_memory(void) {
    unsigned failed_puts = 0, failed_cuts = 0;
    start();
    CHILD_CHECK(put(0, 1, 0, false)); /* the call stack is known */
    for (uint64_t n = 1; n < 40; n++) {
        lt_arena_fail_after(n);
        for (unsigned i = 0; i < PAGES / 4; i++)
            failed_puts += !put(i * 4, 3, 0, false);
        const uint64_t lost = lt_untracked_count(LT_UNTRACKED_ARENA_FULL);
        take(1, 1);
        const bool is_cut = lt_untracked_count(LT_UNTRACKED_ARENA_FULL) == lost;
        clear(1, is_cut ? 1 : 2); /* a record that can't be made two loses its end */
        failed_cuts += !is_cut;
        lt_arena_fail_after(0);
        compare();
    }
    CHILD_CHECK(failed_puts > 0 && failed_cuts > 0);
}

static void memory_may_run_out(void **state) {
    (void)state;
    assert_child_passes(without_memory);
}

/* A fork child: what it holds is inherited, and its release counts for nothing. */
static void in_a_child(void) {
    struct lt_mapping record;
    start();
    put(10, 10, 0, false);
    lt_track_forked();
    CHILD_CHECK(lt_mapping_at(address_of(12), &record) && record.origin == LT_ORIGIN_INHERITED);
    struct lt_mappings_taken taken = {.count = 0};
    lt_mapping_take(self, address_of(12), address_of(13), &taken);
    CHILD_CHECK(taken.count == 1 && taken.first[0].origin == LT_ORIGIN_INHERITED);
    lt_mapping_put_back(self, &taken);
    CHILD_CHECK(lt_mapping_at(address_of(12), &record) && record.end == address_of(20));
    struct lt_totals totals;
    lt_totals(LT_KIND_MAPPING, &totals);
    CHILD_CHECK(totals.acquired_count == 0 && totals.released_count == 0 && totals.released_bytes == 0);
}

static void a_forked_child_inherits(void **state) {
    (void)state;
    assert_child_passes(in_a_child);
}

/* A handler jumps out of whatever is under way, thousands of times: the map stays in order. */
static sigjmp_buf way_out;
static volatile sig_atomic_t may_jump, jumps;

static void jump(int signal) {
    (void)signal;
    if (may_jump) {
        jumps = jumps + 1;
        siglongjmp(way_out, 1);
    }
}

static void check_order(void) {
    struct lt_mapping record;
    for (uintptr_t address = 0, guard = 0; lt_mapping_next(address, &record); address = record.end, guard++)
        CHILD_CHECK(record.start >= address && record.end > record.start && guard < 100000);
}

static void jump_out(void) {
    enum { JUMPS = 2000 };
    static unsigned seed = 5;
    start();
    const struct lt_holding holding = acquire(1, 0);
    signal(SIGALRM, jump);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, NULL);
    while (jumps < JUMPS) {
        if (sigsetjmp(way_out, 1) == 0) {
            may_jump = 1;
            for (;;) {
                const uintptr_t at = address_of((unsigned)rand_r(&seed) % 5000);
                const uintptr_t end = at + (uintptr_t)(1 + rand_r(&seed) % 20) * PAGE;
                if (rand_r(&seed) % 2)
                    lt_mapping_put(self, &(struct lt_mapping){.start = at, .end = end, .holding = holding});
                else
                    take_pages(at, end);
            }
        }
        may_jump = 0;
        check_order();
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
}

static void survives_jumps_out_of_it(void **state) {
    (void)state;
    assert_child_passes(jump_out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_model), cmocka_unit_test(uses_records_again),
        cmocka_unit_test(memory_may_run_out),        cmocka_unit_test(a_forked_child_inherits),
        cmocka_unit_test(survives_jumps_out_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
