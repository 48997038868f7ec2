/* Sampling: which blocks a sampler picks, and what the tracker makes of them, compared with sums by libm. Seeds are
 * fixed: nothing here depends on luck. */
#include "track/sampler.h"

#include "dump/reader.h"
#include "track/thread.h"
#include "track_world.h"
#include "unit.h"
#include "unit_child.h"

#include <math.h>
#include <stdlib.h>

enum { MEAN = 4096, EVENTS = 2000000 };

static double chance(uint64_t size) {
    return -expm1(-(double)(size ? size : 1) / MEAN);
}

static bool is_sampled(struct lt_sampler *sampler, uint64_t size) {
    return lt_sampler_count(sampler, size) && lt_sampler_stop(sampler);
}

static void blocks_are_sampled_by_their_size(void **state) {
    static const uint64_t sizes[] = {0, 1, 16, 100, 1000, 4096, 10000, 20000, 50000, 200000};
    (void)state;
    lt_sampling_init(MEAN);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct lt_sampler sampler;
        double sampled = 0;
        const double p = chance(sizes[i]), expected = EVENTS * p, deviation = sqrt(EVENTS * p * (1 - p));
        lt_sampler_init(&sampler, i);
        for (unsigned event = 0; event < EVENTS; event++)
            sampled += is_sampled(&sampler, sizes[i]);
        if (fabs(sampled - expected) > 4 * deviation)
            fail_msg("size %llu: %f of %f blocks, %f standard deviations away", (unsigned long long)sizes[i], sampled,
                     expected, (sampled - expected) / deviation);
    }
}

/* Also right behind a sampled block: what comes next must not depend on it. */
static void blocks_are_sampled_independently(void **state) {
    struct lt_sampler sampler;
    double both = 0, after_large = 0, larges = 0;
    (void)state;
    lt_sampling_init(MEAN);
    lt_sampler_init(&sampler, 1);
    for (unsigned event = 0; event < EVENTS; event++) {
        const bool large = is_sampled(&sampler, 3000), small = is_sampled(&sampler, 200);
        larges += large;
        both += large && small;
        after_large += small;
    }
    const double p = chance(200);
    assert_true(fabs(both - larges * p) < 4 * sqrt(larges * p * (1 - p)));
    assert_true(fabs(after_large - EVENTS * p) < 4 * sqrt(EVENTS * p * (1 - p)));
}

/* Blocks of many sizes, small ones in the majority: the estimates lie around the truth, as far off as they say. */
static void estimates_are_unbiased(void **state) {
    struct lt_sampler sampler;
    double count = 0, bytes = 0, true_bytes = 0, count_variance = 0, bytes_variance = 0;
    uint64_t stream = 0;
    (void)state;
    lt_sampling_init(MEAN);
    lt_sampler_init(&sampler, 99);
    srandom(7);
    for (unsigned event = 0; event < EVENTS; event++) {
        const uint64_t size = (uint64_t)1 << random() % 15, jitter = (uint64_t)random() % (size + 1);
        true_bytes += (double)(size + jitter);
        stream += size + jitter;
        if (!is_sampled(&sampler, size + jitter))
            continue;
        const struct lt_weight weight = lt_weight_of(LT_KIND_HEAP, size + jitter);
        count += (double)weight.count / 4096;
        bytes += (double)weight.bytes / 256;
        count_variance += (double)weight.count_variance / 256;
        bytes_variance += (double)weight.bytes_variance / 65536 * MEAN * MEAN;
    }
    assert_true(fabs(count - EVENTS) < 4 * sqrt(count_variance));
    assert_true(fabs(bytes - true_bytes) < 4 * sqrt(bytes_variance));
    assert_true(sqrt(bytes_variance) < 0.01 * true_bytes); /* and that is not much */
    assert_true(lt_sampler_bytes(&sampler) == stream);     /* the count of bytes is exact */
}

/* Sizes around and far above the mean make variances of many orders of magnitude: 1,000 runs of few blocks. */
static void the_error_is_as_large_as_it_says(void **state) {
    enum { RUNS = 1000, BLOCKS = 300 };
    double squares = 0, variances = 0, sum = 0, true_bytes = 0;
    (void)state;
    lt_sampling_init(MEAN);
    for (unsigned block = 0; block < BLOCKS; block++)
        true_bytes += 10.0 + block * 37;
    for (unsigned run = 0; run < RUNS; run++) {
        struct lt_sampler sampler;
        double bytes = 0;
        lt_sampler_init(&sampler, run);
        for (unsigned block = 0; block < BLOCKS; block++) {
            if (!is_sampled(&sampler, 10 + block * 37))
                continue;
            const struct lt_weight weight = lt_weight_of(LT_KIND_HEAP, 10 + block * 37);
            bytes += (double)weight.bytes / 256;
            variances += (double)weight.bytes_variance / 65536 * MEAN * MEAN;
        }
        sum += bytes;
        squares += (bytes - true_bytes) * (bytes - true_bytes);
    }
    const double deviation = sqrt(squares / RUNS), said = sqrt(variances / RUNS);
    assert_true(fabs(sum / RUNS - true_bytes) < 4 * said / sqrt(RUNS));
    assert_true(fabs(deviation / said - 1) < 0.1);
}

/* What the dump should say of a stack, or of all. */
struct expected {
    double live_count, live_bytes, alloc_count, alloc_bytes, release_count, release_bytes;
    double live_variance, alloc_variance; /* of the bytes */
    unsigned live, acquired;              /* blocks */
};
static struct expected expected[WORLD_STACKS], all;
static struct {
    uint64_t size;
    int stack; /* -1 = not held */
    bool ignored;
} blocks[WORLD_BLOCKS];

static double variance_of(uint64_t size) {
    const double p = chance(size);
    return (double)size * (double)size * (1 - p) / p / p;
}

static void came(struct expected *e, uint64_t size) {
    const double w = 1 / chance(size);
    e->live_count += w;
    e->live_bytes += w * (double)size;
    e->alloc_count += w;
    e->alloc_bytes += w * (double)size;
    e->live_variance += variance_of(size);
    e->alloc_variance += variance_of(size);
    e->live++;
    e->acquired++;
}

static void went(struct expected *e, uint64_t size) {
    const double w = 1 / chance(size);
    e->live_count -= w;
    e->live_bytes -= w * (double)size;
    e->release_count += w;
    e->release_bytes += w * (double)size;
    e->live_variance -= variance_of(size);
    e->live--;
}

static void gone(unsigned number) {
    if (blocks[number].stack < 0 || blocks[number].ignored)
        return;
    went(&expected[blocks[number].stack], blocks[number].size);
    went(&all, blocks[number].size);
}

static void acquire(struct lt_thread *thread, unsigned number) {
    static const uint64_t sizes[] = {0, 1, 24, 500, 4000, 9000, 70000, 1000000};
    const uint64_t size = sizes[random() % 8];
    const int stack = (int)(random() % WORLD_STACKS);
    world_use_stack(stack);
    CHILD_CHECK(lt_acquire_sampled(thread, LT_KIND_HEAP, world_address(number), size, &(struct lt_regs){0, 0, 0}) >= 0);
    gone(number); /* a missed release, if it was held */
    blocks[number].size = size;
    blocks[number].stack = stack;
    blocks[number].ignored = false;
    came(&expected[stack], size);
    came(&all, size);
}

static void run(struct lt_thread *thread, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        const unsigned number = (unsigned)random() % WORLD_BLOCKS, dice = (unsigned)random() % 100;
        if (blocks[number].stack < 0 || dice < 5) {
            acquire(thread, number);
        } else if (dice < 25) {
            const struct lt_move move = lt_move_begin(LT_KIND_HEAP, world_address(number));
            lt_move_cancel(&move);
        } else if (dice < 45) {
            const struct lt_move move = lt_move_begin(LT_KIND_HEAP, world_address(number));
            lt_move_commit(thread, LT_KIND_HEAP, &move);
            gone(number);
            blocks[number].stack = -1;
            acquire(thread, number);
        } else if (dice < 47) {
            gone(number);
            blocks[number].ignored = true;
            lt_ignore(LT_KIND_HEAP, world_address(number));
        } else {
            CHILD_CHECK(lt_release(dice % 2 ? thread : NULL, LT_KIND_HEAP, world_address(number)));
            gone(number);
            blocks[number].stack = -1;
        }
    }
}

/* Equal but for rounding: of each weight, and of the sum. */
static void check(const char *what, uint64_t found, double wanted) {
    if (fabs((double)found - wanted) <= 2 + 1e-6 * fabs(wanted))
        return;
    fprintf(stderr, "%s: %llu instead of %f\n", what, (unsigned long long)found, wanted);
    CHILD_CHECK(false);
}

static void check_totals(const struct lt_dump_totals *totals) {
    check("live count", totals->live_count, all.live_count);
    check("live bytes", totals->live_bytes, all.live_bytes);
    check("acquired count", totals->alloc_count, all.alloc_count);
    check("acquired bytes", totals->alloc_bytes, all.alloc_bytes);
    check("released count", totals->release_count, all.release_count);
    check("released bytes", totals->release_bytes, all.release_bytes);
    CHILD_CHECK(llabs((long long)(totals->alloc_count - totals->release_count - totals->live_count)) <= 1);
    CHILD_CHECK(llabs((long long)(totals->alloc_bytes - totals->release_bytes - totals->live_bytes)) <= 1);
}

/* The stack's own last frame tells which it is; whole stacks and truncated ones are two sites. */
static struct expected *expected_of(const struct lt_dump *dump, uint32_t node, uint32_t flags) {
    for (int n = 0; n < WORLD_STACKS; n++) {
        const struct world_stack *stack = &world_stacks[n];
        const uintptr_t last = stack->frames[stack->depth - 1];
        const bool is_truncated = flags & LT_SITE_TRUNCATED;
        if ((last & 0xfffff) == (dump->nodes[node].offset & 0xfffff) && is_truncated == (stack->flags != 0))
            return &expected[n];
    }
    return NULL;
}

static void check_snapshot(void) {
    const struct lt_dump *dump = world_read(world_path);
    const struct lt_dump_snapshot *last = world_last(dump);
    CHILD_CHECK(last->sampling_mean == MEAN);
    CHILD_CHECK(last->sample_count == last->site_count && last->site_count > WORLD_STACKS / 2);
    check_totals(&last->totals[LT_KIND_HEAP]);
    for (size_t i = 0; i < last->site_count; i++) {
        const struct lt_dump_site *site = &last->sites[i];
        const struct lt_dump_sample *sample = &last->samples[i];
        const struct expected *e = expected_of(dump, site->node, site->flags);
        CHILD_CHECK(e && sample->node == site->node && sample->flags == site->flags && sample->kind == site->kind);
        CHILD_CHECK(sample->live_samples == e->live && sample->alloc_samples == e->acquired);
        check("site: live count", site->live_count, e->live_count);
        check("site: live bytes", site->live_bytes, e->live_bytes);
        check("site: acquired count", site->alloc_count, e->alloc_count);
        check("site: acquired bytes", site->alloc_bytes, e->alloc_bytes);
        const double unit = MEAN / 256.0 * MEAN / 256.0;
        check("site: variance", sample->live_bytes_variance / 100, e->live_variance / unit / 100);
        check("site: acquired variance", sample->alloc_bytes_variance / 100, e->alloc_variance / unit / 100);
    }
}

static void dump_estimates(void) {
    lt_sampling_init(MEAN);
    world_start();
    world_open_file();
    srandom(3);
    for (unsigned i = 0; i < WORLD_BLOCKS; i++)
        blocks[i].stack = -1;
    CHILD_CHECK(world_snapshot(true, 0) == 0); /* that it samples is said before anything is sampled */
    CHILD_CHECK(world_last(world_read(world_path))->sampling_mean == MEAN);
    run(lt_thread_attach(), 30000);
    CHILD_CHECK(world_snapshot(true, 0) == 0);
    check_snapshot();
    struct lt_totals totals;
    lt_totals(LT_KIND_HEAP, &totals);
    check("acquired so far", totals.acquired_bytes, all.alloc_bytes);
    check("released so far", totals.released_bytes, all.release_bytes);
    run(lt_thread_attach(), 3000);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    check_snapshot();
    world_remove_file();
}

static void the_dump_holds_what_blocks_stand_for(void **state) {
    (void)state;
    assert_child_passes(dump_estimates);
}

static void fork_while_sampling(void) {
    lt_sampling_init(MEAN);
    world_start();
    srandom(5);
    for (unsigned i = 0; i < WORLD_BLOCKS; i++)
        blocks[i].stack = -1;
    struct lt_thread *thread = lt_thread_attach();
    for (unsigned number = 0; number < 100; number++)
        acquire(thread, number);
    const struct lt_sampler before = thread->sampler;
    const double held = all.live_bytes;
    lt_track_forked();
    CHILD_CHECK(thread->sampler.random != before.random); /* parent and child draw different numbers */
    CHILD_CHECK(lt_sampler_bytes(&thread->sampler) == 0);
    for (unsigned number = 0; number < 100; number++)
        blocks[number].stack = -1;
    memset(&all, 0, sizeof all);
    memset(expected, 0, sizeof expected);
    world_open_file();
    CHILD_CHECK(lt_release(thread, LT_KIND_HEAP, world_address(0)));
    CHILD_CHECK(lt_own_acquires() == 0);
    for (unsigned number = 200; number < 1500; number++)
        acquire(thread, number);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    check_snapshot();
    const struct lt_dump_totals *heap = &world_last(world_read(world_path))->totals[LT_KIND_HEAP];
    CHILD_CHECK(heap->inherited_bytes > 0 && (double)heap->inherited_bytes <= held + 1);
    world_remove_file();
}

static void a_forked_child_starts_anew(void **state) {
    (void)state;
    assert_child_passes(fork_while_sampling);
}

static void the_filter_never_forgets(void **state) {
    (void)state;
    assert_false(lt_maybe_sampled(0x1000));
    lt_filter_add(0x1000);
    lt_filter_add(0x1000 + ((uintptr_t)1 << (4 + 2 * LT_FILTER_BITS))); /* another slot or the same: no matter */
    assert_true(lt_maybe_sampled(0x1000));
    lt_filter_remove(0x1000 + ((uintptr_t)1 << (4 + 2 * LT_FILTER_BITS)));
    assert_true(lt_maybe_sampled(0x1000));
    lt_filter_remove(0x1000);
    assert_false(lt_maybe_sampled(0x1000));
    for (unsigned i = 0; i < 1000; i++)
        lt_filter_add(0x2000);
    for (unsigned i = 0; i < 999; i++) {
        lt_filter_remove(0x2000);
        assert_true(lt_maybe_sampled(0x2000)); /* it was full: nobody knows how many there are */
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(blocks_are_sampled_by_their_size),
    cmocka_unit_test(blocks_are_sampled_independently),
    cmocka_unit_test(estimates_are_unbiased),
    cmocka_unit_test(the_error_is_as_large_as_it_says),
    cmocka_unit_test(the_dump_holds_what_blocks_stand_for),
    cmocka_unit_test(a_forked_child_starts_anew),
    cmocka_unit_test(the_filter_never_forgets),
};
LT_UNIT_MAIN(tests)
