/* What keeps the library's work and the program's apart: a private descriptor table, blocked signals, pages that a fork
 * wipes; and what tells a main thread that has left. */
#include "os/file.h"
#include "os/memory.h"
#include "os/proc.h"
#include "os/task.h"

#include "unit.h"
#include "unit_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static int kept[2], others[3];

static void *use_a_table_of_its_own(void *said) {
    bool *passed = said;
    const bool private = lt_fds_private(kept, 2) == 0;
    *passed = private && is_open(kept[0]) && is_open(kept[1]) && !is_open(0) && !is_open(others[0]) &&
              !is_open(others[1]) && !is_open(others[2]);
    close(kept[0]); /* this table's only */
    return NULL;
}

static void a_private_table_holds_what_is_kept(void **state) {
    (void)state;
    bool passed = false;
    pthread_t thread;
    const int null = open("/dev/null", O_RDWR);
    others[0] = fcntl(null, F_DUPFD, 50);
    kept[0] = fcntl(null, F_DUPFD, 100);
    others[1] = fcntl(null, F_DUPFD, 110);
    kept[1] = fcntl(null, F_DUPFD, 120);
    others[2] = fcntl(null, F_DUPFD, 200);
    assert_int_equal(pthread_create(&thread, NULL, use_a_table_of_its_own, &passed), 0);
    pthread_join(thread, NULL);
    assert_true(passed);
    assert_true(is_open(0) && is_open(kept[0]) && is_open(kept[1]));
    for (int i = 0; i < 3; i++)
        assert_true(is_open(others[i]) && close(others[i]) == 0);
    close(kept[0]);
    close(kept[1]);
    close(null);
}

static void high_descriptors(void) {
    const struct rlimit low = {64, 64}, lower = {10, 10}, lowest = {4, 4};
    CHILD_CHECK(lt_fd_high() <= 1008);
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHILD_CHECK(lt_fd_high() == 48);
    CHILD_CHECK(lt_fd_move_high(dup(0)) >= 48);
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &lower) == 0);
    CHILD_CHECK(lt_fd_high() == 8); /* the two last */
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &lowest) == 0);
    CHILD_CHECK(lt_fd_high() == 3);
}

static void descriptors_move_under_the_limit(void **state) {
    (void)state;
    assert_child_passes(high_descriptors);
}

/* It only ever falls: a number that is not kept any more costs a closer look, a kept one is never missed. */
static void kept_descriptors_are_noted(void **state) {
    (void)state;
    assert_false(lt_fd_may_be_kept(INT_MAX - 1));
    assert_int_equal(lt_fd_keep(-EMFILE), -EMFILE);
    assert_false(lt_fd_may_be_kept(0) || lt_fd_may_be_kept(-EMFILE));
    assert_int_equal(lt_fd_keep(1008), 1008);
    assert_true(!lt_fd_may_be_kept(1007) && lt_fd_may_be_kept(1008) && lt_fd_may_be_kept(5000));
    lt_fd_keep(1009);
    assert_true(lt_fd_may_be_kept(1008));
    lt_fd_keep(7);
    assert_true(lt_fd_may_be_kept(7) && !lt_fd_may_be_kept(6));
}

static int *wiped;

static void sees_zero(void) {
    CHILD_CHECK(*wiped == 0);
}

static void a_fork_wipes_the_page(void **state) {
    (void)state;
    wiped = lt_pages_wiped_on_fork(LT_PAGE);
    assert_non_null(wiped);
    *wiped = 42;
    assert_child_passes(sees_zero);
    assert_int_equal(*wiped, 42);
    const pid_t pid = vfork(); /* the same memory: not wiped */
    if (pid == 0)
        _exit(*wiped);
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 42);
    lt_pages_free(wiped, LT_PAGE);
}

static volatile sig_atomic_t handled;

static void handle(int number) {
    (void)number;
    handled++;
}

static void signals_wait(void **state) {
    (void)state;
    signal(SIGUSR1, handle);
    const uint64_t mask = lt_signals_block();
    raise(SIGUSR1);
    const uint64_t inner = lt_signals_block();
    lt_signals_restore(inner);
    assert_int_equal(handled, 0);
    lt_signals_restore(mask);
    assert_int_equal(handled, 1);
}

static void *look_at_the_main_thread(void *unused) {
    for (int i = 0; i < 2000 && !lt_main_thread_left(); i++)
        lt_sleep_ns(1000000);
    _exit(lt_main_thread_left() ? 0 : 1);
    return unused;
}

static void leave_by_pthread_exit(void) {
    pthread_t thread;
    CHILD_CHECK(!lt_main_thread_left());
    CHILD_CHECK(pthread_create(&thread, NULL, look_at_the_main_thread, NULL) == 0);
    syscall(SYS_exit, 1); /* this thread only */
}

static void a_main_thread_that_left_is_told(void **state) {
    (void)state;
    assert_child_passes(leave_by_pthread_exit);
}

static void descriptors_of_a_process_are_named(void **state) {
    (void)state;
    char target[64];
    const int fd = lt_memfd_sealed("named-here", LT_PAGE);
    assert_true(lt_proc_fd_target(getpid(), fd, target, sizeof target));
    assert_string_equal(target, "/memfd:named-here (deleted)");
    assert_true(lt_proc_fd_target(0, fd, target, 8));
    assert_string_equal(target, "/memfd:");
    const int again = lt_proc_fd_open(getpid(), fd, O_RDWR);
    assert_true(again >= 0);
    close(again);
    close(fd);
    assert_false(lt_proc_fd_target(getpid(), fd, target, sizeof target));
    assert_string_equal(target, "");
    assert_int_equal(lt_proc_fd_open(getpid(), fd, O_RDWR), -ENOENT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_private_table_holds_what_is_kept),
    cmocka_unit_test(descriptors_move_under_the_limit),
    cmocka_unit_test(kept_descriptors_are_noted),
    cmocka_unit_test(a_fork_wipes_the_page),
    cmocka_unit_test(signals_wait),
    cmocka_unit_test(a_main_thread_that_left_is_told),
    cmocka_unit_test(descriptors_of_a_process_are_named),
};

LT_UNIT_MAIN(tests)
