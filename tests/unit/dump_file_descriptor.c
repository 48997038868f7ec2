/* The descriptor: where it lives, how a lost one is found again, and what happens when the file, the directory, the
 * privileges or the root directory are gone. */
#include "dump_fixture.h"

#include <signal.h>
#include <sys/resource.h>

static void creates_a_private_file_with_a_high_descriptor(void **state) {
    (void)state;
    struct stat st;
    mode_t old_mask = umask(0);
    assert_int_equal(lt_dump_file_open(&file), 0);
    umask(old_mask);
    assert_int_equal(file.fd, 1008); /* min(RLIMIT_NOFILE, 1024) - 16 */
    assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(file.fd, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    int second = open(path, O_RDWR);
    assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
    close(second);
    assert_int_equal(file.generation, 1);
    assert_false(file.header_written);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_true(file.header_written);
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
}

static void take_a_number_under_a_low_limit(void) {
    be_a_program();
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){12, 12}) == 0);
    close(0), close(1);
    CHILD_CHECK(lt_dump_file_open(&file) == 0);
    CHILD_CHECK(file.fd >= 3 && file.fd < 12);
    for (int fd = 0; fd < 12; fd++)
        dup2(2, fd);
    CHILD_CHECK(lt_dump_file_check(&file) == -EMFILE && file.fd == -1);
    close(0);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) < 0 && file.fd == -1);
    close(7);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0 && file.fd == 7);
}

static void never_takes_the_numbers_of_standard_streams(void **state) {
    (void)state;
    assert_child_passes(take_a_number_under_a_low_limit);
}

static void finds_its_file_again_after_the_descriptor_was_closed(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 5000, NODE_BEFORE, false), 0);
    uint64_t committed = file.committed;
    close(file.fd);
    assert_int_equal(write_snapshot(&w, 5000, NODE_BEFORE, false), 0);
    assert_true(file.committed > committed);
    assert_int_equal(file.generation, 1);
    const struct finding *found = read_back(path);
    assert_int_equal(found->end, LT_DUMP_COMPLETE);
    assert_int_equal(found->snapshots, 2);
    assert_int_equal(found->nodes, 2);
}

static void finds_its_file_again_though_a_child_holds_the_lock(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    pid_t child = fork(); /* by a call that we do not hook */
    if (child == 0) {
        pause();
        _exit(0);
    }
    close(file.fd);
    int status = write_snapshot(&w, 100, NODE_BEFORE, false);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(status, 0);
    assert_string_equal(file.path, path);
    assert_int_equal(read_back(path)->snapshots, 2);
}

static void writes_into_no_file_that_took_its_number(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    snprintf(other, sizeof other, "%s/theirs", scratch);
    put_file(other, "theirs", 6);
    int theirs = open(other, O_RDWR), number = file.fd;
    assert_int_equal(dup2(theirs, number), number);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_not_equal(file.fd, number);
    assert_holds(other, "theirs", 6);
    assert_true(fcntl(number, F_GETFD) >= 0); /* it is theirs to close */

    assert_int_equal(write_open_snapshot(&w, 100, NODE_BEFORE, false), 0); /* now in the middle of a snapshot */
    assert_int_equal(dup2(theirs, file.fd), file.fd);
    assert_int_equal(lt_write_end(&w.writer, w.index), -EBADF);
    lt_dump_file_rollback(&file);
    assert_int_equal(lt_dump_file_make_way(&file, file.fd), -EBADF);
    assert_holds(other, "theirs", 6);
    w.nodes = w.nodes_committed;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(path)->snapshots, 3);
    close(theirs);
}

static void begins_anew_after_its_file_was_deleted(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(file.generation, 2);
    assert_int_equal(read_back(path)->snapshots, 1);
    assert_int_equal(read_back(path)->first, 2);

    close(file.fd); /* deleted and replaced by the dump of a dead process while our descriptor is lost */
    assert_int_equal(unlink(path), 0);
    put_dump(path, pid_of_the_dead(), 12345, true);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(file.generation, 3);
    assert_int_equal(read_back(path)->first, 3);
}

static void begins_anew_after_its_file_was_truncated(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(file.generation, 2);
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
    assert_int_equal(read_back(path)->first, 2);

    assert_int_equal(truncate(path, 100), 0);
    close(file.fd);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(file.generation, 3);
    assert_int_equal(read_back(path)->end, LT_DUMP_COMPLETE);
    assert_int_equal(read_back(path)->first, 3);
}

static void goes_on_in_a_file_that_was_moved(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    snprintf(other, sizeof other, "%s/moved", scratch);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(other)->snapshots, 2);
    assert_int_equal(access(path, F_OK), -1);
}

static void tries_again_when_its_directory_is_back(void **state) {
    (void)state;
    snprintf(other, sizeof other, "%s/away", scratch);
    snprintf(path, sizeof path, "%s/here/dump.bin", scratch);
    lt_dump_file_init(&file, path, 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), -ENOENT);
    assert_int_equal(file.last_error, -ENOENT);
    path[strlen(path) - strlen("/dump.bin")] = '\0';
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(rename(path, other), 0);
    close(file.fd);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), -ENOENT);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(file.generation, 1);
    assert_int_equal(read_back(file.path)->snapshots, 2);
}

static void makes_way_and_keeps_its_lock(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    int number = file.fd;
    assert_int_equal(lt_dump_file_make_way(&file, number + 1), 0);
    assert_int_equal(file.fd, number);
    assert_int_equal(lt_dump_file_make_way(&file, number), 0);
    assert_int_not_equal(file.fd, number);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    int second = open(path, O_RDWR);
    assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
    close(second);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
}

static void make_way_without_a_number_left(void) {
    be_a_program();
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    int number = file.fd;
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){20, 20}) == 0);
    for (int fd = 3; fd < 20; fd++)
        dup2(2, fd);
    CHILD_CHECK(lt_dump_file_make_way(&file, number) < 0 && file.fd == -1);
    CHILD_CHECK(fcntl(number, F_GETFD) == -1);
    close(9);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0 && file.fd == 9);
}

static void gives_its_number_up_where_no_other_is_left(void **state) {
    (void)state;
    assert_child_passes(make_way_without_a_number_left);
    assert_int_equal(read_back(path)->snapshots, 2);
}

static void write_in_a_forked_child(void) {
    int parents = file.fd;
    lt_dump_file_forked(&file, path); /* the pattern lacks %p */
    CHILD_CHECK(file.fd == -1 && fcntl(parents, F_GETFD) == -1);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(strcmp(file.path, path_with_pid()) == 0 && file.generation == 2);
    CHILD_CHECK(read_back(file.path)->snapshots == 1);
}

static void is_left_to_the_parent_by_a_forked_child(void **state) {
    (void)state;
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_child_passes(write_in_a_forked_child);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(path)->snapshots, 2);
    int second = open(path, O_RDWR);
    assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1); /* the lock was not lost with the child's copy */
    close(second);
}

static void drop_privileges(void) {
    be_a_program();
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(read_back(path)->snapshots == 0); /* we may not even read it now */
    close(file.fd);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == -EACCES);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == -EACCES && file.last_error == -EACCES);
}

static void writes_on_after_setuid(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "becoming another user needs root");
    assert_child_passes(drop_privileges);
    assert_int_equal(read_back(path)->snapshots, 2);
}

static void leave_for_another_root(void) {
    be_a_program();
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(mkdir(other, 0700) == 0 && chroot(other) == 0 && chdir("/") == 0);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    close(file.fd);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == -ENOENT);
}

static void writes_on_after_chroot(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    snprintf(other, sizeof other, "%s/root", scratch);
    assert_child_passes(leave_for_another_root);
    assert_int_equal(read_back(path)->snapshots, 2);
}

static const struct CMUnitTest tests[] = {
    TEST(creates_a_private_file_with_a_high_descriptor),
    TEST(never_takes_the_numbers_of_standard_streams),
    TEST(finds_its_file_again_after_the_descriptor_was_closed),
    TEST(finds_its_file_again_though_a_child_holds_the_lock),
    TEST(writes_into_no_file_that_took_its_number),
    TEST(begins_anew_after_its_file_was_deleted),
    TEST(begins_anew_after_its_file_was_truncated),
    TEST(goes_on_in_a_file_that_was_moved),
    TEST(tries_again_when_its_directory_is_back),
    TEST(makes_way_and_keeps_its_lock),
    TEST(gives_its_number_up_where_no_other_is_left),
    TEST(is_left_to_the_parent_by_a_forked_child),
    TEST(writes_on_after_setuid),
    TEST(writes_on_after_chroot),
};
LT_UNIT_MAIN(tests)
