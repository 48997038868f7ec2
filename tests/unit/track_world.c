#include "track_world.h"

#include "os/arena.h"
#include "os/clock.h"
#include "track/snapshot.h"
#include "track_fake_unwind.h"
#include "unit_child.h"
#include "unwind/modules.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world_stack world_stacks[WORLD_STACKS];
struct world_block world_blocks[WORLD_BLOCKS];
uint64_t world_released_count, world_released_bytes, world_lost;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the model's numbers */

/* Every stack shares a random prefix with an earlier one and ends in a frame of its own; every tenth is the one before
 * it, truncated; every seventh has a frame in anonymous code. */
static void make_stack(int n, unsigned *seed) {
    struct world_stack *stack = &world_stacks[n];
    if (n % 10 == 9) {
        *stack = world_stacks[n - 1];
        stack->flags = LT_STACK_TRUNCATED;
        return;
    }
    stack->depth = 1 + (uint32_t)rand_r(seed) % WORLD_DEPTH;
    for (uint32_t i = 0; i < stack->depth; i++)
        stack->frames[i] = ((uintptr_t)(1 + rand_r(seed) % FAKE_MODULES) << 20) + (uintptr_t)(rand_r(seed) % 1000);
    if (n > 0)
        memcpy(stack->frames, world_stacks[rand_r(seed) % n].frames,
               (size_t)rand_r(seed) % stack->depth * sizeof stack->frames[0]);
    if (n % 7 == 0)
        stack->frames[rand_r(seed) % (int)stack->depth] = 0x7f5500000000 + (uintptr_t)n;
    stack->frames[stack->depth - 1] = ((uintptr_t)3 << 20) + 5000 + (uintptr_t)n;
}

void world_start(void) {
    unsigned seed = 7;
    lt_clock_init();
    CHILD_CHECK(lt_arena_init() == 0);
    CHILD_CHECK(lt_track_init() == 0);
    for (int n = 0; n < WORLD_STACKS; n++)
        make_stack(n, &seed);
    for (unsigned block = 0; block < WORLD_BLOCKS; block++)
        world_blocks[block].stack = -1;
}

uintptr_t world_address(unsigned block) {
    return (block % 2 ? 0x7f1200000000 : 0x555500000000) + (uintptr_t)block * 48;
}

void world_use_stack(int n) {
    fake_stack(world_stacks[n].frames, world_stacks[n].depth, world_stacks[n].flags);
}

bool world_acquire(struct lt_thread *thread, unsigned number, int stack, uint64_t size) {
    struct world_block *block = &world_blocks[number];
    world_use_stack(stack);
    int status = lt_acquire(thread, LT_KIND_HEAP, world_address(number), size, &(struct lt_regs){0, 0, 0});
    pthread_mutex_lock(&lock);
    if (status >= 0) {
        CHILD_CHECK((uint32_t)status == world_stacks[stack].flags);
        *block = (struct world_block){.size = size, .stack = stack};
        world_stacks[stack].live_count++;
        world_stacks[stack].live_bytes += size;
        world_stacks[stack].alloc_count++;
        world_stacks[stack].alloc_bytes += size;
    } else {
        *block = (struct world_block){.stack = -1};
        world_lost++;
    }
    block->held = true;
    pthread_mutex_unlock(&lock);
    return status >= 0;
}

/* The model's side of a release, or of an lt_ignore, which counts as one. */
static void gone(const struct world_block *block) {
    pthread_mutex_lock(&lock);
    if (block->stack >= 0 && !block->ignored) {
        world_stacks[block->stack].live_count--;
        world_stacks[block->stack].live_bytes -= block->size;
        world_released_count++;
        world_released_bytes += block->size;
    }
    pthread_mutex_unlock(&lock);
}

bool world_release(struct lt_thread *thread, unsigned number) {
    struct world_block *block = &world_blocks[number];
    gone(block);
    block->held = false;
    return lt_release(thread, LT_KIND_HEAP, world_address(number)) == (block->stack >= 0);
}

static void reallocate(struct lt_thread *thread, unsigned number, unsigned *seed) {
    struct lt_move move = lt_move_begin(LT_KIND_HEAP, world_address(number));
    CHILD_CHECK((move.entry != NULL) == (world_blocks[number].stack >= 0));
    if (rand_r(seed) % 3 == 0) {
        lt_move_cancel(&move);
        return;
    }
    gone(&world_blocks[number]);
    lt_move_commit(thread, LT_KIND_HEAP, &move);
    world_acquire(thread, number, rand_r(seed) % WORLD_STACKS, (uint64_t)rand_r(seed));
}

static void ignore(unsigned number) {
    gone(&world_blocks[number]);
    world_blocks[number].ignored = true;
    lt_ignore(LT_KIND_HEAP, world_address(number));
    lt_ignore(LT_KIND_HEAP, world_address(number)); /* twice is once */
}

/* The address is handed out again without a release that we saw. */
static void acquire_again(struct lt_thread *thread, unsigned number, unsigned *seed) {
    struct world_block old = world_blocks[number];
    if (world_acquire(thread, number, rand_r(seed) % WORLD_STACKS, 1))
        gone(&old);
    else
        world_blocks[number] = old; /* what could not be recorded replaces nothing */
}

void world_run(unsigned *seed, unsigned count, unsigned share, unsigned shares) {
    struct lt_thread *thread = lt_thread_attach();
    CHILD_CHECK(thread != NULL);
    for (unsigned i = 0; i < count; i++) {
        unsigned number = (unsigned)rand_r(seed) % (WORLD_BLOCKS / shares) * shares + share;
        int dice = rand_r(seed) % 100;
        if (!world_blocks[number].held)
            world_acquire(thread, number, rand_r(seed) % WORLD_STACKS, (uint64_t)rand_r(seed) % 100000);
        else if (dice < 20)
            reallocate(thread, number, seed);
        else if (dice < 22)
            ignore(number);
        else if (dice < 24)
            acquire_again(thread, number, seed);
        else
            CHILD_CHECK(world_release(dice % 2 ? thread : NULL, number));
    }
}

void world_forked(void) {
    for (int n = 0; n < WORLD_STACKS; n++)
        world_stacks[n].live_count = world_stacks[n].live_bytes = world_stacks[n].alloc_count =
            world_stacks[n].alloc_bytes = 0;
    for (unsigned block = 0; block < WORLD_BLOCKS; block++)
        world_blocks[block].stack = -1;
    world_released_count = world_released_bytes = world_lost = 0;
}

static void *run_share(void *share) {
    unsigned seed = 100 + (unsigned)(uintptr_t)share;
    world_run(&seed, 5000, (unsigned)(uintptr_t)share, WORLD_THREADS);
    return NULL;
}

void world_run_threads(void) {
    pthread_t threads[WORLD_THREADS];
    for (uintptr_t i = 0; i < WORLD_THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, run_share, (void *)i) == 0);
    for (int i = 0; i < WORLD_THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* -- the dump -- */

struct lt_picture_options world_picture;
struct lt_dump_file world_file;
char world_path[] = "/tmp/leaktrack-test-XXXXXX/dump.bin";

void world_open_file(void) {
    char *slash = strrchr(world_path, '/');
    *slash = '\0';
    CHILD_CHECK(mkdtemp(world_path) != NULL);
    *slash = '/';
    lt_dump_file_init(&world_file, world_path, 0);
    CHILD_CHECK(lt_dump_file_open(&world_file) == 0);
}

void world_remove_file(void) {
    unlink(world_path);
    *strrchr(world_path, '/') = '\0';
    rmdir(world_path);
}

int world_snapshot(bool blocks, uint32_t flags) {
    const struct lt_snapshot_options options = {.blocks = blocks, .flags = flags, .picture = world_picture};
    CHILD_CHECK(lt_snapshot_try_lock() == 0);
    int status = lt_snapshot_take(&world_file, LT_TRIGGER_CALL, &options);
    lt_snapshot_unlock();
    return status;
}

const struct lt_dump_snapshot *world_last(const struct lt_dump *dump) {
    CHILD_CHECK(dump && dump->snapshot_count > 0);
    return &dump->snapshots[dump->snapshot_count - 1];
}

const struct lt_dump *world_read(const char *path) {
    static struct lt_dump dump;
    static char bytes[8 << 20];
    lt_dump_free(&dump);
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    if (lt_dump_parse(&dump, bytes, size) == 0 && dump.end == LT_DUMP_COMPLETE)
        return &dump;
    fprintf(stderr, "%s: %s\n", path, dump.end_reason);
    return NULL;
}

static bool is_frame(const struct lt_dump *dump, const struct lt_dump_node *node, uintptr_t address) {
    uint32_t id = address >> 20 <= FAKE_MODULES ? (uint32_t)(address >> 20) : 0;
    const struct lt_dump_module *module = &dump->modules[node->module];
    if (id == 0)
        return node->module == 0 && node->offset == address;
    return strcmp(module->path, lt_module(id)->path) == 0 && module->bias == lt_module(id)->bias &&
           node->offset == address - module->bias && module->build_id_size == 4 && module->build_id[3] == id;
}

static bool is_stack(const struct lt_dump *dump, uint32_t node, const struct world_stack *stack) {
    uint32_t i = stack->depth;
    for (; node && i; node = dump->nodes[node].parent)
        if (!is_frame(dump, &dump->nodes[node], stack->frames[--i]))
            return false;
    return node == 0 && i == 0;
}

static struct world_stack *stack_of(const struct lt_dump *dump, const struct lt_dump_site *site) {
    uint32_t truncated = site->flags & LT_SITE_TRUNCATED ? LT_STACK_TRUNCATED : 0;
    for (int n = 0; n < WORLD_STACKS; n++)
        if (world_stacks[n].flags == truncated && is_stack(dump, site->node, &world_stacks[n]))
            return &world_stacks[n];
    return NULL;
}

static bool ages_add_up(const struct lt_dump_site *site) {
    uint64_t count = 0, bytes = 0;
    for (size_t i = 0; i < site->age_count; i++) {
        count += site->ages[i].count;
        bytes += site->ages[i].bytes;
    }
    return count == site->live_count && bytes == site->live_bytes;
}

static bool site_equals(const struct lt_dump *dump, const struct lt_dump_site *site) {
    struct world_stack *stack = stack_of(dump, site);
    bool equal = stack && !stack->seen && site->kind == LT_KIND_HEAP && site->live_count == stack->live_count &&
                 site->live_bytes == stack->live_bytes && site->alloc_count == stack->alloc_count &&
                 site->alloc_bytes == stack->alloc_bytes && site->first_birth_cs <= site->last_birth_cs &&
                 ages_add_up(site);
    if (stack)
        stack->seen = true;
    if (!equal)
        fprintf(stderr, "site at node %u: %s: live %lu (%lu) of %lu (%lu)\n", site->node,
                stack ? "other numbers than the model's" : "no such stack", (unsigned long)site->live_count,
                (unsigned long)(stack ? stack->live_count : 0), (unsigned long)site->alloc_count,
                (unsigned long)(stack ? stack->alloc_count : 0));
    return equal;
}

/* The totals are those of the model, and acquired - released = live. */
static bool totals_equal(const struct lt_dump_totals *totals) {
    struct lt_dump_totals sum = {.release_count = world_released_count, .release_bytes = world_released_bytes};
    for (int n = 0; n < WORLD_STACKS; n++) {
        sum.live_count += world_stacks[n].live_count;
        sum.live_bytes += world_stacks[n].live_bytes;
        sum.alloc_count += world_stacks[n].alloc_count;
        sum.alloc_bytes += world_stacks[n].alloc_bytes;
    }
    bool equal = totals->present && totals->live_count == sum.live_count && totals->live_bytes == sum.live_bytes &&
                 totals->alloc_count == sum.alloc_count && totals->alloc_bytes == sum.alloc_bytes &&
                 totals->release_count == sum.release_count && totals->release_bytes == sum.release_bytes &&
                 totals->alloc_count - totals->release_count == totals->live_count &&
                 totals->alloc_bytes - totals->release_bytes == totals->live_bytes;
    if (!equal)
        fprintf(stderr, "totals: live %lu (%lu), acquired %lu (%lu), released %lu (%lu)\n",
                (unsigned long)totals->live_count, (unsigned long)sum.live_count, (unsigned long)totals->alloc_count,
                (unsigned long)sum.alloc_count, (unsigned long)totals->release_count, (unsigned long)sum.release_count);
    return equal;
}

bool world_equals_dump(const struct lt_dump *dump) {
    const struct lt_dump_snapshot *last = world_last(dump);
    bool equal = totals_equal(&last->totals[LT_KIND_HEAP]);
    for (int n = 0; n < WORLD_STACKS; n++)
        world_stacks[n].seen = false;
    for (size_t i = 0; equal && i < last->site_count; i++)
        equal = site_equals(dump, &last->sites[i]);
    for (int n = 0; equal && n < WORLD_STACKS; n++)
        if (world_stacks[n].seen != (world_stacks[n].alloc_count > 0)) {
            fprintf(stderr, "stack %d is %smissing\n", n, world_stacks[n].seen ? "not " : "");
            equal = false;
        }
    return equal;
}

bool world_equals(const char *path) {
    const struct lt_dump *dump = world_read(path);
    return dump && world_equals_dump(dump);
}
