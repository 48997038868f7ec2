/* Snapshots of a small world, read back and compared with its model. */
#include "os/arena.h"
#include "os/task.h"
#include "track/counters.h"
#include "track/identity.h"
#include "track/snapshot.h"
#include "track_fake_unwind.h"
#include "track_world.h"

#include "unit.h"
#include "unit_child.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = WORLD_THREADS };

static uint64_t counter(const struct lt_dump_snapshot *of, const char *name) {
    size_t i = 0;
    while (i < of->counter_count && strcmp(of->counters[i].name, name) != 0)
        i++;
    CHILD_CHECK(i < of->counter_count);
    return of->counters[i].value;
}

static void agree_in_one_thread(void) {
    world_start();
    world_open_file();
    unsigned seed = 1;
    for (int round = 0; round < 5; round++) {
        world_run(&seed, 3000, 0, 1);
        CHILD_CHECK(world_snapshot(false, 0) == 0);
        CHILD_CHECK(world_equals(world_path));
        const struct lt_dump *dump = world_read(world_path);
        CHILD_CHECK(dump->snapshot_count == (size_t)round + 1 && world_last(dump)->index == (uint64_t)round + 1);
        CHILD_CHECK(world_last(dump)->flags == 0 && world_last(dump)->trigger == LT_TRIGGER_CALL);
    }
    world_remove_file();
}

static void agrees_with_the_model_in_one_thread(void **state) {
    (void)state;
    assert_child_passes(agree_in_one_thread);
}

/* Equal stacks of different threads are one row; nodes are written once. */
static void agree_in_many_threads(void) {
    world_start();
    world_open_file();
    size_t nodes = 0;
    for (int round = 0; round < 5; round++) {
        world_run_threads();
        CHILD_CHECK(world_snapshot(false, 0) == 0);
        CHILD_CHECK(world_equals(world_path));
        size_t now = world_read(world_path)->node_count;
        CHILD_CHECK(round == 0 || now >= nodes);
        nodes = now;
    }
    size_t distinct = 0; /* prefixes of whole stacks, and of truncated ones, each counted where it occurs first */
    for (int n = 0; n < WORLD_STACKS; n++)
        for (uint32_t depth = 1; depth <= world_stacks[n].depth; depth++) {
            int other = 0;
            while (other < n &&
                   (world_stacks[other].depth < depth || world_stacks[other].flags != world_stacks[n].flags ||
                    memcmp(world_stacks[other].frames, world_stacks[n].frames, depth * sizeof(uintptr_t))))
                other++;
            distinct += other == n;
        }
    CHILD_CHECK(nodes == distinct + 1);
    world_remove_file();
}

static void agrees_with_the_model_in_many_threads(void **state) {
    (void)state;
    assert_child_passes(agree_in_many_threads);
}

static _Atomic bool stop;
static void *run_until_stopped(void *share) {
    unsigned seed = (unsigned)(uintptr_t)share;
    while (!atomic_load(&stop))
        world_run(&seed, 1000, (unsigned)(uintptr_t)share, THREADS);
    return NULL;
}

/* What holds although the numbers move: no site has more live than it acquired, totals are the sums of the rows. */
static void check_consistency(const struct lt_dump_snapshot *snapshot_) {
    struct lt_dump_totals sum = {0};
    for (size_t i = 0; i < snapshot_->site_count; i++) {
        const struct lt_dump_site *site = &snapshot_->sites[i];
        CHILD_CHECK(site->live_count <= site->alloc_count && site->live_bytes <= site->alloc_bytes);
        sum.live_count += site->live_count;
        sum.live_bytes += site->live_bytes;
        sum.alloc_count += site->alloc_count;
        sum.alloc_bytes += site->alloc_bytes;
    }
    const struct lt_dump_totals *totals = &snapshot_->totals[LT_KIND_HEAP];
    CHILD_CHECK(totals->live_count == sum.live_count && totals->live_bytes == sum.live_bytes);
    CHILD_CHECK(totals->alloc_count == sum.alloc_count && totals->alloc_bytes == sum.alloc_bytes);
}

static void stay_consistent_under_way(void) {
    pthread_t threads[THREADS];
    world_start();
    world_open_file();
    for (uintptr_t i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, run_until_stopped, (void *)i) == 0);
    for (int round = 0; round < 30; round++)
        CHILD_CHECK(world_snapshot(round % 2, 0) == 0);
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHILD_CHECK(world_snapshot(false, 0) == 0 && world_equals(world_path));
    const struct lt_dump *dump = world_read(world_path);
    CHILD_CHECK(dump->snapshot_count == 31);
    for (size_t i = 0; i < dump->snapshot_count; i++)
        check_consistency(&dump->snapshots[i]);
    world_remove_file();
}

static void stays_consistent_while_threads_run(void **state) {
    (void)state;
    assert_child_passes(stay_consistent_under_way);
}

static void list_blocks(void) {
    world_start();
    world_open_file();
    world_run_threads();
    CHILD_CHECK(world_snapshot(true, LT_SNAPSHOT_LAST) == 0);
    CHILD_CHECK(world_equals(world_path));
    const struct lt_dump *dump = world_read(world_path);
    const struct lt_dump_snapshot *last = world_last(dump);
    CHILD_CHECK(last->flags == LT_SNAPSHOT_LAST);
    CHILD_CHECK(last->block_count == last->totals[LT_KIND_HEAP].live_count && last->block_count > 1000);
    size_t found = 0;
    for (unsigned number = 0; number < WORLD_BLOCKS; number++)
        for (size_t i = 0; i < last->block_count; i++)
            if (last->blocks[i].address == world_address(number)) {
                const struct world_block *block = &world_blocks[number];
                CHILD_CHECK(block->held && !block->ignored && block->size == last->blocks[i].size);
                CHILD_CHECK(last->blocks[i].kind == LT_KIND_HEAP && last->blocks[i].node < dump->node_count);
                found++;
            }
    CHILD_CHECK(found == last->block_count);
    world_remove_file();
}

static void lists_every_block_when_asked(void **state) {
    (void)state;
    assert_child_passes(list_blocks);
}

/* Somebody deletes the dump: a new one begins, with everything that the old one held. */
static void begin_new_file(void) {
    world_start();
    world_open_file();
    unsigned seed = 4;
    world_run(&seed, 3000, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0 && world_snapshot(false, 0) == 0);
    CHILD_CHECK(unlink(world_path) == 0);
    world_run(&seed, 100, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(world_equals(world_path));
    CHILD_CHECK(world_last(world_read(world_path))->index == 1);
    world_remove_file();
}

static void writes_it_all_again_into_a_new_file(void **state) {
    (void)state;
    assert_child_passes(begin_new_file);
}

static void fork_with_blocks(void) {
    world_start();
    world_open_file();
    unsigned seed = 5;
    world_run_threads();
    world_run(&seed, 1000, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    const struct lt_dump_totals parent = world_last(world_read(world_path))->totals[LT_KIND_HEAP];
    pid_t pid = fork();
    if (pid == 0) {
        lt_track_forked();
        lt_dump_file_forked(&world_file, world_path);
        CHILD_CHECK(lt_own_acquires() == 0);
        unsigned freed = 0;
        uint64_t freed_bytes = 0;
        for (unsigned number = 0; freed < 100; number++) /* the parent's blocks, freed here, are no release of ours */
            if (world_blocks[number].held && !world_blocks[number].ignored) {
                CHILD_CHECK(lt_release(lt_thread_attach(), LT_KIND_HEAP, world_address(number)));
                world_blocks[number].held = false;
                freed_bytes += world_blocks[number].size;
                freed++;
            }
        world_forked();
        for (unsigned number = 0; number < WORLD_BLOCKS; number++)
            if (!world_blocks[number].held)
                CHILD_CHECK(world_acquire(lt_thread_attach(), number, (int)(number % WORLD_STACKS), number));
        unlink(world_path);
        CHILD_CHECK(world_snapshot(false, 0) == 0 && world_equals(world_path));
        const struct lt_dump_totals child = world_last(world_read(world_path))->totals[LT_KIND_HEAP];
        CHILD_CHECK(child.inherited_count == parent.live_count - freed);
        CHILD_CHECK(child.inherited_bytes == parent.live_bytes - freed_bytes);
        _exit(0);
    }
    int status;
    CHILD_CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    world_remove_file();
}

static void tells_a_childs_blocks_from_inherited_ones(void **state) {
    (void)state;
    assert_child_passes(fork_with_blocks);
}

static void tell_unloads(void) {
    world_start();
    world_open_file();
    unsigned seed = 8;
    world_run(&seed, 1000, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(world_read(world_path)->modules[2].unload_cs == UINT32_MAX);
    fake_unload(2, lt_unwind_epoch() + 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(world_read(world_path)->modules[2].unload_cs == 202);
    CHILD_CHECK(world_read(world_path)->modules[2].load_cs == 102);
    CHILD_CHECK(world_read(world_path)->modules[3].unload_cs == UINT32_MAX);
    fake_unload(2, 0);
    lt_unwind_raise_epoch(); /* new roots, but the same modules: the same stacks, so the same rows */
    world_run(&seed, 1000, 0, 1);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    CHILD_CHECK(world_read(world_path)->modules[2].unload_cs == UINT32_MAX);
    CHILD_CHECK(world_equals(world_path));
    world_remove_file();
}

static void tells_unloads_and_merges_epochs(void **state) {
    (void)state;
    assert_child_passes(tell_unloads);
}

static void count_what_is_lost(void) {
    world_start();
    world_open_file();
    struct lt_thread *thread = lt_thread_attach();
    world_use_stack(0);
    const struct lt_regs none = {0, 0, 0};
    CHILD_CHECK(lt_acquire(thread, LT_KIND_HEAP, 0x1001, 1, &none) < 0);
    CHILD_CHECK(lt_acquire(thread, LT_KIND_HEAP, (uintptr_t)1 << 47, 1, &none) < 0);
    CHILD_CHECK(lt_acquire(thread, LT_KIND_HEAP, 0x1000, (uint64_t)1 << 48, &none) < 0);
    CHILD_CHECK(lt_acquire(thread, LT_KIND_FILE, 3, 0, &none) < 0);
    CHILD_CHECK(!lt_release(thread, LT_KIND_FILE, 3) && !lt_release(thread, LT_KIND_HEAP, UINTPTR_MAX));
    CHILD_CHECK(lt_acquire(thread, LT_KIND_HEAP, 0x1000, 1, &none) == 0);
    CHILD_CHECK(lt_acquire(thread, LT_KIND_HEAP, 0x1000, 2, &none) == 0);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    const struct lt_dump_snapshot *last = world_last(world_read(world_path));
    CHILD_CHECK(counter(last, lt_untracked_name(LT_UNTRACKED_ADDRESS)) == 2);
    CHILD_CHECK(counter(last, lt_untracked_name(LT_UNTRACKED_TOO_LARGE)) == 1);
    CHILD_CHECK(counter(last, lt_untracked_name(LT_UNTRACKED_KIND_OFF)) == 1);
    CHILD_CHECK(counter(last, lt_untracked_name(LT_UNTRACKED_MISSED_RELEASE)) == 1);
    CHILD_CHECK(counter(last, "thread tables") == 1);
    const struct lt_dump_totals *heap = &last->totals[LT_KIND_HEAP];
    CHILD_CHECK(heap->alloc_count == 2 && heap->live_count == 1 && heap->release_count == 1 && heap->live_bytes == 2);
    world_remove_file();
}

static void counts_what_it_can_not_record(void **state) {
    (void)state;
    assert_child_passes(count_what_is_lost);
}

static const char *notes[3];
static const char *option(unsigned i, char *buffer, unsigned size) {
    snprintf(buffer, size, "LEAKTRACK_OPTION_%u=%u", i, i);
    return i < 2 ? buffer : NULL;
}

static const char *note(unsigned i, char *buffer, unsigned size) {
    (void)buffer, (void)size;
    return notes[i];
}

static void say_who_writes(void) {
    static const struct lt_identity identity = {.library = "1.2.3",
                                                .start_wall_ns = 77,
                                                .control_fd = 99,
                                                .control_inode = 1234,
                                                .forked_from = 55,
                                                .option = option,
                                                .note = note};
    char exe[4096] = "";
    world_start();
    world_open_file();
    CHILD_CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    notes[0] = "first";
    lt_identity_set(&identity);
    CHILD_CHECK(lt_identity_write(&world_file) == 0 && world_file.header_written);
    CHILD_CHECK(world_snapshot(false, 0) == 0);
    notes[1] = "second, later";
    CHILD_CHECK(world_snapshot(false, 0) == 0 && world_snapshot(false, 0) == 0);
    const struct lt_dump_process *process = &world_read(world_path)->process;
    CHILD_CHECK(strcmp(process->exe, exe) == 0 && strcmp(process->library, "1.2.3") == 0);
    CHILD_CHECK(strcmp(process->arch, "x86_64") == 0 && strcmp(process->unwinder, "fake") == 0);
    CHILD_CHECK(process->pid == (uint32_t)getpid() && process->ppid == (uint32_t)getppid());
    CHILD_CHECK(process->forked_from == 55 && process->control_fd == 99 && process->control_inode == 1234);
    CHILD_CHECK(process->start_wall_ns == 77 && process->start_ticks > 0);
    CHILD_CHECK(strstr(process->argv[0], "track_snapshot") && process->argv[1] == NULL);
    CHILD_CHECK(strcmp(process->options[1], "LEAKTRACK_OPTION_1=1") == 0 && process->options[2] == NULL);
    CHILD_CHECK(strcmp(process->notes[0], "first") == 0 && strcmp(process->notes[1], notes[1]) == 0);
    CHILD_CHECK(process->notes[2] == NULL);
    world_remove_file();
}

static void says_who_writes_the_dump(void **state) {
    (void)state;
    assert_child_passes(say_who_writes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_model_in_one_thread),
        cmocka_unit_test(agrees_with_the_model_in_many_threads),
        cmocka_unit_test(stays_consistent_while_threads_run),
        cmocka_unit_test(lists_every_block_when_asked),
        cmocka_unit_test(writes_it_all_again_into_a_new_file),
        cmocka_unit_test(tells_a_childs_blocks_from_inherited_ones),
        cmocka_unit_test(tells_unloads_and_merges_epochs),
        cmocka_unit_test(counts_what_it_can_not_record),
        cmocka_unit_test(says_who_writes_the_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
