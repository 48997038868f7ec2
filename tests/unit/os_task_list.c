/* Threads and limits against what the test started, readdir(3), and the shell's ulimit. */
#include "os/limits.h"
#include "os/task_list.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { THREADS = 100 };

static char buffer[LT_TASK_LIST_BUFFER];
static _Atomic int started, stop;
static int tids[THREADS];

static void *wait_with_a_name(void *number) {
    char name[16];
    const int i = (int)(intptr_t)number;
    snprintf(name, sizeof name, "w) S (%d", i);
    prctl(PR_SET_NAME, name);
    tids[i] = (int)syscall(SYS_gettid);
    started++;
    while (!stop)
        usleep(1000);
    return NULL;
}

struct seen {
    int count, first, named;
};

static bool see(void *context, const struct lt_task *task) {
    struct seen *seen = context;
    int number = -1;
    if (seen->count++ == 0)
        seen->first = task->tid;
    if (sscanf(task->name, "w) S (%d", &number) == 1 && number < THREADS && tids[number] == task->tid &&
        (task->state == 'S' || task->state == 'R'))
        seen->named++;
    return true;
}

static int threads_by_readdir(void) {
    DIR *directory = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; (e = readdir(directory)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(directory);
    return n;
}

static void lists_every_thread(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    struct seen seen = {0};
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_with_a_name, (void *)i), 0);
    while (started < THREADS)
        usleep(1000);
    errno = 77;
    assert_int_equal(lt_task_list(buffer, sizeof buffer, see, &seen), 0);
    assert_int_equal(errno, 77);
    assert_int_equal(seen.count, threads_by_readdir());
    assert_int_equal(seen.first, getpid());
    assert_int_equal(seen.named, THREADS);
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static bool see_first(void *context, const struct lt_task *task) {
    *(struct lt_task *)context = *task;
    return false;
}

static void *look_after_the_main_thread_left(void *unused) {
    struct lt_task first;
    (void)unused;
    for (int i = 0; i < 2000; i++, usleep(1000)) {
        CHILD_CHECK(lt_task_list(buffer, sizeof buffer, see_first, &first) == 0 && first.tid == getpid());
        if (first.state == 'Z')
            _exit(0);
    }
    _exit(1);
}

static void leave_by_pthread_exit(void) {
    pthread_t thread;
    CHILD_CHECK(pthread_create(&thread, NULL, look_after_the_main_thread_left, NULL) == 0);
    syscall(SYS_exit, 0); /* this thread only */
}

static void shows_a_main_thread_that_left(void **state) {
    (void)state;
    assert_child_passes(leave_by_pthread_exit);
}

static void list_when_full(void) {
    const struct rlimit limit = {20, 20};
    struct seen seen = {0};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(0) >= 0)
        ;
    CHILD_CHECK(lt_task_list(buffer, sizeof buffer, see, &seen) == 0);
    CHILD_CHECK(seen.count == 1 && seen.first == getpid());
}

static void works_where_no_descriptor_is_left(void **state) {
    (void)state;
    assert_child_passes(list_when_full);
}

static char scratch[64];

static void look_without_proc(void) {
    struct seen seen = {0};
    struct lt_limits limits;
    CHILD_CHECK(chroot(scratch) == 0);
    CHILD_CHECK(lt_task_list(buffer, sizeof buffer, see, &seen) == -ENOENT && seen.count == 0);
    lt_limits(&limits);
    CHILD_CHECK(limits.open_files > 0 && limits.mappings == 0);
}

static void works_without_proc(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    scratch_new(scratch);
    const bool passed = child_passes(look_without_proc);
    scratch_remove(scratch);
    assert_true(passed);
}

static uint64_t by_shell(const char *command) {
    unsigned long long value = 0;
    char text[64] = "";
    FILE *shell = popen(command, "r");
    assert_true(shell && fgets(text, sizeof text, shell));
    pclose(shell);
    if (strncmp(text, "unlimited", 9) == 0)
        return UINT64_MAX;
    assert_int_equal(sscanf(text, "%llu", &value), 1);
    return value;
}

static void tells_the_limits(void **state) {
    (void)state;
    struct lt_limits limits;
    lt_limits(&limits);
    const uint64_t processes = by_shell("bash -c 'ulimit -u'"), machine = by_shell("cat /proc/sys/kernel/threads-max");
    assert_int_equal(limits.open_files, by_shell("ulimit -S -n"));
    assert_int_equal(limits.open_files_hard, by_shell("ulimit -H -n"));
    assert_int_equal(limits.mappings, by_shell("cat /proc/sys/vm/max_map_count"));
    assert_int_equal(limits.threads, processes < machine ? processes : machine);
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(prlimit(0, RLIMIT_NOFILE, &(struct rlimit){50, before.rlim_max}, NULL), 0);
    lt_limits(&limits);
    assert_int_equal(limits.open_files, 50);
    setrlimit(RLIMIT_NOFILE, &before);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lists_every_thread),
    cmocka_unit_test(shows_a_main_thread_that_left),
    cmocka_unit_test(works_where_no_descriptor_is_left),
    cmocka_unit_test(works_without_proc),
    cmocka_unit_test(tells_the_limits),
};

LT_UNIT_MAIN(tests)
