/* The arena: alignment, zeros, threads, limits, fork, mlockall, trimming, failure on demand.
 * There is one arena in a process, so every test runs in a child of its own. */
#include "os/os.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static bool is_zero(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static void set_limit(__rlimit_resource_t resource, uint64_t bytes) {
    CHILD_CHECK(setrlimit(resource, &(struct rlimit){bytes, bytes}) == 0);
}

static void hand_out_aligned_zeroed_pieces(void) {
    CHILD_CHECK(lt_arena_alloc(8, 8) == NULL); /* before lt_arena_init */
    CHILD_CHECK(lt_arena_init() == 0);
    char *end = NULL;
    for (size_t align = 8; align <= 4096; align *= 2)
        for (size_t size = 0; size < 70; size += 3) {
            char *piece = lt_arena_alloc(size, align);
            CHILD_CHECK(piece && (uintptr_t)piece % align == 0);
            CHILD_CHECK(piece >= end);
            CHILD_CHECK(is_zero(piece, size));
            memset(piece, 0xff, size);
            end = piece + size;
        }
}

static void hands_out_aligned_zeroed_pieces(void **state) {
    (void)state;
    assert_child_passes(hand_out_aligned_zeroed_pieces);
}

/* The flags (proc(5), VmFlags) of the mapping that begins at `address`. */
static bool mapping_has_flag(const void *address, const char *flag) {
    char line[4096];
    unsigned long start, end;
    bool here = false, found = false;
    FILE *smaps = fopen("/proc/self/smaps", "re");
    CHILD_CHECK(smaps);
    while (fgets(line, sizeof line, smaps)) {
        if (sscanf(line, "%lx-%lx", &start, &end) == 2)
            here = start == (unsigned long)address;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, flag);
    }
    fclose(smaps);
    return found;
}

static void start_in_small_pages(void) {
    CHILD_CHECK(lt_arena_init() == 0);
    CHILD_CHECK(mapping_has_flag(lt_arena_base, " wr "));
    CHILD_CHECK(mapping_has_flag(lt_arena_base, " nh "));
}

static void starts_in_small_pages(void **state) {
    (void)state;
    if (access("/sys/kernel/mm/transparent_hugepage", F_OK) != 0) {
        print_message("this kernel has no transparent huge pages\n");
        skip();
    }
    assert_child_passes(start_in_small_pages);
}

static void round_trip_references(void) {
    CHILD_CHECK(lt_arena_ref(NULL) == 0 && lt_arena_at(0) == NULL);
    CHILD_CHECK(lt_arena_init() == 0);
    for (int i = 0; i < 1000; i++) {
        void *piece = lt_arena_alloc(4096, 8);
        uint32_t ref = lt_arena_ref(piece);
        CHILD_CHECK(ref != 0 && lt_arena_at(ref) == piece);
    }
}

static void references_come_back(void **state) {
    (void)state;
    assert_child_passes(round_trip_references);
}

enum { THREADS = 4, PIECES = 20000 };

static void *fill_pieces(void *argument) {
    uint64_t *mark = argument;
    for (int i = 0; i < PIECES; i++) {
        uint64_t *piece = lt_arena_alloc(64, 16);
        if (!piece)
            return "no memory";
        for (int word = 0; word < 8; word++)
            if (piece[word])
                return "not zero: handed out twice";
        for (int word = 0; word < 8; word++)
            piece[word] = *mark;
    }
    return NULL;
}

static void race_for_pieces(void) {
    pthread_t threads[THREADS];
    uint64_t mark = 1;
    struct lt_arena_usage usage;
    CHILD_CHECK(lt_arena_init() == 0);
    lt_arena_usage(&usage);
    uint64_t before = usage.used;
    for (int i = 0; i < THREADS; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, fill_pieces, &mark) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *complaint;
        CHILD_CHECK(pthread_join(threads[i], &complaint) == 0 && complaint == NULL);
    }
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.used - before >= THREADS * PIECES * 64 && usage.used - before <= THREADS * PIECES * 64 + 16);
    CHILD_CHECK(usage.used <= usage.committed && usage.committed <= usage.reserved);
}

static void threads_get_pieces_of_their_own(void **state) {
    (void)state;
    assert_child_passes(race_for_pieces);
}

static void fail_from_the_nth_on(void) {
    CHILD_CHECK(lt_arena_init() == 0);
    lt_arena_fail_after(3);
    CHILD_CHECK(lt_arena_alloc(8, 8) && lt_arena_alloc(8, 8));
    CHILD_CHECK(!lt_arena_alloc(8, 8) && !lt_arena_alloc(8, 8));
    lt_arena_fail_after(1);
    CHILD_CHECK(!lt_arena_alloc(8, 8));
    lt_arena_fail_after(0);
    CHILD_CHECK(lt_arena_alloc(8, 8));
}

static void fails_from_the_nth_on_when_told(void **state) {
    (void)state;
    assert_child_passes(fail_from_the_nth_on);
}

static void stay_small_under_rlimit_as(void) {
    struct lt_arena_usage usage;
    set_limit(RLIMIT_AS, GIB);
    CHILD_CHECK(lt_arena_init() == 0);
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.reserved >= 100 * MIB && usage.reserved <= 128 * MIB);
    void *program = mmap(NULL, 800 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHILD_CHECK(program != MAP_FAILED); /* seven eighths are left to the program */
    CHILD_CHECK(lt_arena_alloc(200 * MIB, 8) == NULL);
    CHILD_CHECK(lt_arena_alloc(8, 8) != NULL);
}

static void leaves_the_program_its_share_of_rlimit_as(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow does not fit under RLIMIT_AS");
    assert_child_passes(stay_small_under_rlimit_as);
}

static void run_out_under_rlimit_data(void) {
    struct lt_arena_usage usage;
    set_limit(RLIMIT_DATA, 200 * MIB);
    CHILD_CHECK(lt_arena_init() == 0);
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.reserved <= 25 * MIB);
    set_limit(RLIMIT_DATA, 0); /* from now on the kernel refuses every new writable page */
    size_t pieces = 0;
    while (lt_arena_alloc(4096, 8))
        pieces++;
    lt_arena_usage(&usage);
    CHILD_CHECK(pieces > 0 && usage.used <= usage.committed);
    CHILD_CHECK(!lt_arena_alloc(MIB, 8));
}

static void runs_out_without_harm_under_rlimit_data(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow does not fit under RLIMIT_DATA");
    assert_child_passes(run_out_under_rlimit_data);
}

static void give_no_arena_without_room(void) {
    set_limit(RLIMIT_AS, 0);
    CHILD_CHECK(lt_arena_init() == -ENOMEM);
    CHILD_CHECK(lt_arena_alloc(8, 8) == NULL);
    lt_arena_fit(true);
    struct lt_arena_usage usage;
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.reserved == 0);
}

static void says_enomem_where_nothing_can_be_mapped(void **state) {
    (void)state;
    assert_child_passes(give_no_arena_without_room);
}

static void use_it_all(void) {
    set_limit(RLIMIT_DATA, 160 * MIB);
    CHILD_CHECK(lt_arena_init() == 0);
    struct lt_arena_usage usage;
    lt_arena_usage(&usage);
    uint64_t handed_out = 0;
    while (lt_arena_alloc(4096, 4096))
        handed_out += 4096;
    CHILD_CHECK(handed_out == usage.reserved - 4096); /* all but the page of the root header */
}

static void hands_out_the_reservation_to_its_last_page(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow does not fit under RLIMIT_DATA");
    assert_child_passes(use_it_all);
}

static uint64_t *inherited;

static void write_in_a_fork(void) {
    CHILD_CHECK(*inherited == 1);
    *inherited = 2;
    for (int i = 0; i < 1000; i++)
        CHILD_CHECK(lt_arena_alloc(4096, 8));
}

static void copy_in_a_fork(void) {
    CHILD_CHECK(lt_arena_init() == 0);
    uint64_t *word = lt_arena_alloc(8, 8);
    *word = 1;
    inherited = word;
    CHILD_CHECK(child_passes(write_in_a_fork));
    CHILD_CHECK(*word == 1);
    CHILD_CHECK(lt_arena_alloc(8, 8) == word + 1); /* what the child took is not missing here */
}

static void is_copied_by_fork(void **state) {
    (void)state;
    assert_child_passes(copy_in_a_fork);
}

static bool is_mapped(const void *address) {
    char buffer[4096];
    struct lt_map map;
    return lt_proc_map_at((uintptr_t)address, &map, buffer, sizeof buffer) == 0;
}

static void fit_a_lowered_limit(void) {
    struct lt_arena_usage usage;
    struct lt_memory_use use;
    CHILD_CHECK(lt_arena_init() == 0);
    char *piece = lt_arena_alloc(3 * MIB, 8);
    lt_arena_fit(false); /* no limit, nothing to do */
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.reserved == 32 * GIB);

    set_limit(RLIMIT_AS, GIB);
    lt_arena_fit(false);
    lt_arena_usage(&usage);
    CHILD_CHECK(usage.reserved > usage.committed && usage.reserved <= 128 * MIB + usage.committed);
    CHILD_CHECK(is_mapped(piece + 3 * MIB) && !is_mapped((char *)lt_arena_at(1) - 8 + usage.reserved));
    CHILD_CHECK(lt_proc_memory_use(&use) == 0 && use.address_space < 256 * MIB);
    CHILD_CHECK(mmap(NULL, 700 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHILD_CHECK(lt_arena_alloc(32 * MIB, 8) && !lt_arena_alloc(128 * MIB, 8));
}

static void gives_reserved_pages_back_under_a_lowered_limit(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow does not fit under RLIMIT_AS");
    assert_child_passes(fit_a_lowered_limit);
}

/* mlockall counts the whole address space against RLIMIT_MEMLOCK unless the caller may lock as it likes. */
static void lock_all_unprivileged(void) {
    struct lt_memory_use use;
    CHILD_CHECK(lt_proc_memory_use(&use) == 0);
    CHILD_CHECK(use.address_space < 8 * MIB);
    set_limit(RLIMIT_MEMLOCK, 8 * MIB);
    CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
    CHILD_CHECK(lt_arena_init() == 0);
    CHILD_CHECK(mlockall(MCL_CURRENT) != 0);
    lt_arena_fit(true);
    CHILD_CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    while (lt_arena_alloc(4096, 8))
        ;
}

static void lets_an_unprivileged_program_lock_its_memory(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow can't be locked");
    lt_skip_when(geteuid() != 0, "becoming another user needs root");
    assert_child_passes(lock_all_unprivileged);
}

static void grow_while_locked(void) {
    struct lt_memory_use before, after;
    CHILD_CHECK(lt_arena_init() == 0);
    CHILD_CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    CHILD_CHECK(lt_proc_memory_use(&before) == 0);
    for (int i = 0; i < 1024; i++)
        CHILD_CHECK(lt_arena_alloc(4096, 8));
    CHILD_CHECK(lt_proc_memory_use(&after) == 0);
    CHILD_CHECK(after.address_space == before.address_space);
}

static void grows_in_a_program_that_locks_its_memory(void **state) {
    (void)state;
    lt_skip_when(LT_SANITIZED, "AddressSanitizer's shadow can't be locked");
    lt_skip_when(geteuid() != 0, "locking 32 GiB of reservation needs root");
    assert_child_passes(grow_while_locked);
}

static atomic_bool trimmed, stop;

/* Every piece needs a commit of its own, so that the trimmer meets threads in the middle of one. However late it comes
 * on a busy machine, it finds something to trim. */
static void *alloc_until_stopped(void *argument) {
    struct lt_arena_usage usage;
    while (!atomic_load(&stop)) {
        lt_arena_usage(&usage);
        if (usage.used > 8 * GIB && !atomic_load(&trimmed)) {
            sched_yield();
            continue;
        }
        uint64_t *piece = lt_arena_alloc(MIB, 8);
        if (piece)
            *piece = 1; /* faults where the trimmer has unmapped it */
    }
    return argument;
}

static bool is_writable(const void *address) {
    char buffer[4096];
    struct lt_map map;
    return lt_proc_map_at((uintptr_t)address, &map, buffer, sizeof buffer) == 0 && map.writable;
}

/* Right after the trim, something of the program's comes to lie in the place that was given back. */
static void trim_under_load(void) {
    pthread_t threads[2];
    struct lt_arena_usage usage;
    set_limit(RLIMIT_MEMLOCK, 0);
    CHILD_CHECK(lt_arena_init() == 0);
    for (int i = 0; i < 2; i++)
        CHILD_CHECK(pthread_create(&threads[i], NULL, alloc_until_stopped, NULL) == 0);
    do
        lt_arena_usage(&usage);
    while (usage.used < (uint64_t)getpid() % 64 * MIB); /* a moment that differs from run to run */
    lt_arena_fit(true);
    atomic_store(&trimmed, true);
    lt_arena_usage(&usage);
    char *given_back = (char *)lt_arena_at(1) - LT_ARENA_UNIT + usage.reserved;
    void *bystander = mmap(given_back, GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHILD_CHECK(bystander == given_back);
    lt_sleep_ns(200000);
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        CHILD_CHECK(pthread_join(threads[i], NULL) == 0);
    CHILD_CHECK(!is_writable(bystander));
}

static void is_trimmed_under_load_without_a_fault(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++)
        assert_child_passes(trim_under_load);
}

static void leave_errno(void) {
    errno = 4242;
    CHILD_CHECK(lt_arena_init() == 0 && lt_arena_alloc(40 * MIB, 8) && !lt_arena_alloc(SIZE_MAX - 8, 8));
    lt_arena_fit(true);
    CHILD_CHECK(errno == 4242);
}

static void leaves_errno_alone(void **state) {
    (void)state;
    assert_child_passes(leave_errno);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(hands_out_aligned_zeroed_pieces),
    cmocka_unit_test(starts_in_small_pages),
    cmocka_unit_test(references_come_back),
    cmocka_unit_test(threads_get_pieces_of_their_own),
    cmocka_unit_test(fails_from_the_nth_on_when_told),
    cmocka_unit_test(leaves_the_program_its_share_of_rlimit_as),
    cmocka_unit_test(runs_out_without_harm_under_rlimit_data),
    cmocka_unit_test(says_enomem_where_nothing_can_be_mapped),
    cmocka_unit_test(hands_out_the_reservation_to_its_last_page),
    cmocka_unit_test(is_copied_by_fork),
    cmocka_unit_test(gives_reserved_pages_back_under_a_lowered_limit),
    cmocka_unit_test(lets_an_unprivileged_program_lock_its_memory),
    cmocka_unit_test(grows_in_a_program_that_locks_its_memory),
    cmocka_unit_test(is_trimmed_under_load_without_a_fault),
    cmocka_unit_test(leaves_errno_alone),
};
LT_UNIT_MAIN(tests)
