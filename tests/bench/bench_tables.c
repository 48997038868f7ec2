/* What the tables cost: the live index alone, acquire and release above an unwinder that costs nothing, threads, memory
 * per block and per node, and the snapshot. Prints a table; docs/design/tables.md shows a run.
 *
 *     bench_tables [DUMP]      DUMP: where the snapshot is written, /dev/shm/bench_tables.bin by default */
#include "base/attrs.h"
#include "os/os.h"
#include "track/live_index.h"
#include "track/snapshot.h"
#include "track/thread.h"
#include "track/track.h"
#include "unwind/modules.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH = 30, RING = 10000, MANY = 1000000, EVENTS = 4000000, REPEATS = 5, MIGRANTS = 4096 };

/* -- the unwinder: DEPTH - 1 frames that never change and a varying innermost one -- */

struct lt_unwind_state {
    uintptr_t frames[DEPTH];
    uint64_t notes[DEPTH], unused;
    uint32_t noted;
};

static __thread uintptr_t leaf;

struct lt_unwind_state *lt_unwind_state_new(void) {
    struct lt_unwind_state *state = lt_arena_alloc(sizeof *state, LT_ARENA_UNIT);
    for (uintptr_t i = 0; state && i < DEPTH; i++)
        state->frames[i] = 0x400000 + i * 64;
    return state;
}

void lt_unwind_state_reset(struct lt_unwind_state *state) {
    state->noted = 0;
}

void lt_unwind_capture(struct lt_unwind_state *state, const struct lt_regs *from, struct lt_stack *stack) {
    (void)from;
    state->frames[DEPTH - 1] = 0x500000 + leaf * 16;
    if (state->noted == DEPTH)
        state->noted--;
    *stack = (struct lt_stack){.frames = state->frames,
                               .notes = state->notes,
                               .note_kept = &state->unused,
                               .noted = &state->noted,
                               .depth = DEPTH,
                               .epoch = 1};
}

const struct lt_unwinder *lt_unwinder(void) {
    static const struct lt_unwinder none = {"none", lt_unwind_capture};
    return &none;
}

uint32_t lt_unwind_epoch(void) {
    return 1;
}

uint32_t lt_unwind_raise_epoch(void) {
    return 1;
}

void lt_unwind_stats(struct lt_unwind_stats *stats) {
    *stats = (struct lt_unwind_stats){0, 0, 0};
}

uint32_t lt_module_count(void) {
    return 0;
}

struct lt_module *lt_module(uint32_t id) {
    (void)id;
    return NULL;
}

const struct lt_module *lt_module_at(uintptr_t address, uint32_t epoch) {
    (void)address, (void)epoch;
    return NULL;
}

const struct lt_module *lt_module_near(uint32_t hint, uintptr_t address, uint32_t epoch) {
    (void)hint, (void)address, (void)epoch;
    return NULL;
}

/* -- measuring -- */

static uintptr_t *addresses; /* MANY places as malloc gives them, blocks of 16 to 256 bytes */
static uint32_t *order;      /* a random permutation of them */

static double cpu_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs `body` REPEATS times and prints the median, and the least and most, of nanoseconds per event. */
static void measure(const char *what, void (*body)(void), uint64_t events) {
    double ns[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        double begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
        body();
        ns[i] = (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)events;
    }
    qsort(ns, REPEATS, sizeof *ns, compare);
    printf("%-62s %7.1f  (%.1f .. %.1f)\n", what, ns[REPEATS / 2], ns[0], ns[REPEATS - 1]);
}

static void make_addresses(void) {
    addresses = malloc(MANY * sizeof *addresses);
    order = malloc(MANY * sizeof *order);
    for (uint32_t i = 0; i < MANY; i++) {
        addresses[i] = (uintptr_t)malloc(16 + (size_t)random() % 241);
        uint32_t other = (uint32_t)random() % (i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

/* Takes about as long as the capture of a stack, which stands between a release and the next acquire. */
static void capture_time(void) {
    uint64_t x = 1;
    for (int i = 0; i < 20; i++)
        __asm__ volatile("imul %0, %0" : "+r"(x));
}

/* One event of each: the block at `address` goes, and comes. */
static void no_event(uintptr_t address) {
    (void)address;
    capture_time();
}

static void index_event(uintptr_t address) {
    struct lt_live_block old, block = {.address = address, .size = 64, .site = 1, .birth = 1};
    (void)lt_live_take(address, &old);
    capture_time();
    (void)!lt_live_insert(&block, lt_live_place(block.address), &old);
}

static struct lt_thread *thread;
static const struct lt_regs nowhere = {0, 0, 0};
static void whole_event(uintptr_t address) {
    lt_release(thread, LT_KIND_HEAP, address);
    lt_acquire(thread, LT_KIND_HEAP, address, 64, &nowhere);
}

static void (*event)(uintptr_t);
static uintptr_t leaves;

static void same_address(void) {
    for (int i = 0; i < EVENTS; i++)
        event(addresses[7]);
}

static void ring(void) {
    for (int i = 0; i < EVENTS / RING; i++)
        for (int block = 0; block < RING; block++) {
            leaf = leaves ? ((uintptr_t)block * 7919) % leaves : 0;
            event(addresses[block]);
        }
}

static void anywhere(void) {
    for (uint32_t i = 0; i < MANY; i++) {
        leaf = leaves ? ((uintptr_t)i * 7919) % leaves : 0;
        event(addresses[order[i]]);
    }
}

static void measure_index(void) {
    for (uint32_t i = 0; i < MANY; i++) {
        struct lt_live_block old, block = {.address = addresses[i], .size = 64, .site = 1, .birth = 1};
        (void)!lt_live_insert(&block, lt_live_place(block.address), &old);
    }
    static const struct {
        const char *name;
        void (*event)(uintptr_t);
    } sides[] = {{"loop alone", no_event}, {"remove and insert", index_event}};
    char what[80];
    for (size_t i = 0; i < LT_ARRAY_SIZE(sides); i++) {
        event = sides[i].event;
        snprintf(what, sizeof what, "index: %s, one address", sides[i].name);
        measure(what, same_address, EVENTS);
        snprintf(what, sizeof what, "index: %s, 10,000 blocks in turn", sides[i].name);
        measure(what, ring, EVENTS);
        snprintf(what, sizeof what, "index: %s, 1,000,000 blocks at random", sides[i].name);
        measure(what, anywhere, MANY);
    }
    for (uint32_t i = 0; i < MANY; i++)
        lt_live_remove(lt_live_find(addresses[i]));
}

static void measure_whole(void) {
    event = whole_event;
    measure("acquire + release: one address", same_address, EVENTS);
    measure("acquire + release: 10,000 blocks, one stack", ring, EVENTS);
    leaves = 64;
    measure("acquire + release: 10,000 blocks, 64 stacks", ring, EVENTS);
    leaves = 100000;
    measure("acquire + release: 1,000,000 blocks at random, 100,000 stacks", anywhere, MANY);
    leaves = 0;
}

/* -- threads -- */

static int threads_now;
static void *run_ring(void *number) {
    struct lt_thread *own = lt_thread_attach();
    const uintptr_t *mine = addresses + (uintptr_t)number * RING;
    for (int i = 0; i < EVENTS / RING / threads_now; i++)
        for (int block = 0; block < RING; block++) {
            lt_release(own, LT_KIND_HEAP, mine[block]);
            lt_acquire(own, LT_KIND_HEAP, mine[block], 64, &nowhere);
        }
    return NULL;
}

static _Atomic(uintptr_t) migrants[MIGRANTS];
static bool recorded;
static void *run_migrants(void *number) {
    struct lt_thread *own = lt_thread_attach();
    unsigned seed = 1 + (unsigned)(uintptr_t)number;
    for (int i = 0; i < EVENTS / threads_now; i++) {
        uintptr_t block = atomic_exchange(&migrants[(unsigned)rand_r(&seed) % MIGRANTS], 0);
        if (!block)
            continue;
        if (recorded) {
            lt_release(own, LT_KIND_HEAP, block);
            lt_acquire(own, LT_KIND_HEAP, block, 64, &nowhere);
        }
        uintptr_t none = 0;
        while (!atomic_compare_exchange_strong(&migrants[(unsigned)rand_r(&seed) % MIGRANTS], &none, block))
            none = 0;
    }
    return NULL;
}

static void *(*job)(void *);
static void run_threads(void) {
    pthread_t ids[8];
    for (uintptr_t i = 0; i < (uintptr_t)threads_now; i++)
        pthread_create(&ids[i], NULL, job, (void *)i);
    for (int i = 0; i < threads_now; i++)
        pthread_join(ids[i], NULL);
}

static void measure_threads(void) {
    char what[64];
    job = run_ring;
    for (threads_now = 1; threads_now <= 8; threads_now *= 2) {
        snprintf(what, sizeof what, "acquire + release: %d threads, 10,000 blocks each", threads_now);
        measure(what, run_threads, EVENTS);
    }
    job = run_migrants;
    threads_now = 4;
    for (int i = 0; i < MIGRANTS / 2; i++)
        migrants[i] = addresses[i];
    measure("4 threads swap 2,048 blocks, nothing recorded", run_threads, EVENTS);
    recorded = true;
    measure("4 threads swap 2,048 blocks, acquire + release", run_threads, EVENTS);
}

/* -- memory and the snapshot -- */

static uint64_t used(void) {
    struct lt_arena_usage usage;
    lt_arena_usage(&usage);
    return usage.used;
}

static size_t fixed_size(size_t size) {
    return size;
}

static size_t random_size(size_t mean) {
    return 1 + (size_t)random() % (2 * mean);
}

static void measure_memory(const char *what, size_t (*pick)(size_t), size_t mean) {
    enum { BLOCKS = 200000 };
    const uint64_t before = used();
    for (int i = 0; i < BLOCKS; i++) {
        size_t size = pick(mean);
        void *block = malloc(size);
        lt_acquire(thread, LT_KIND_HEAP, (uintptr_t)block, size, &nowhere);
    }
    printf("bytes of metadata per live block, %-28s %7.1f\n", what, (double)(used() - before) / BLOCKS);
}

static struct lt_dump_file file;
static void snapshot(void) {
    if (lt_snapshot_take(&file, LT_TRIGGER_CALL, &(struct lt_snapshot_options){0}) != 0)
        printf("the snapshot failed: error %d\n", file.last_error);
}

static void measure_snapshot(const char *path) {
    struct lt_totals totals;
    lt_totals(LT_KIND_HEAP, &totals);
    lt_dump_file_init(&file, path, 0);
    if (lt_snapshot_try_lock() != 0 || lt_dump_file_open(&file) != 0)
        return;
    double begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    snapshot();
    printf("first snapshot of %.2f million live blocks, 100,000 sites, ms %12.1f\n",
           (double)(totals.acquired_count - totals.released_count) / 1e6,
           (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / 1e6);
    measure("later snapshots, ms", snapshot, 1000000);
    unlink(path);
}

int main(int argc, char **argv) {
    lt_clock_init();
    if (lt_arena_init() != 0 || lt_track_init() != 0)
        return 1;
    thread = lt_thread_attach();
    make_addresses();
    printf("CPU nanoseconds per event (one release and one acquire): median (least .. most) of %d\n", REPEATS);
    measure_index();
    measure_whole();
    measure_threads();
    measure_snapshot(argc > 1 ? argv[1] : "/dev/shm/bench_tables.bin");
    measure_memory("malloc of 1 .. 64 bytes", random_size, 32);
    measure_memory("malloc of 1 .. 128 bytes", random_size, 64);
    measure_memory("malloc of 1 .. 256 bytes", random_size, 128);
    measure_memory("malloc of 24 bytes", fixed_size, 24);
    measure_memory("malloc of 120 bytes", fixed_size, 120);
    measure_memory("malloc of 1,000 bytes", fixed_size, 1000);
    return 0;
}
