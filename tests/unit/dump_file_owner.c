/* Whose file it is: what lies at the path is replaced, kept aside or left alone, and one of many rivals gets it. */
#include "dump_fixture.h"

static void leaves_alone_what_is_not_a_dump(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } texts[] = {
        {"x", 1}, {"\x89LTK\r\n\x1a", 7}, {"\x89LTK\n\x1a\n.", 8}, {"a letter to my mother, not backed up", 36}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put_file(path, texts[i].bytes, texts[i].size);
        assert_int_equal(lt_dump_file_open(&file), -EEXIST);
        assert_int_equal(file.last_error, -EEXIST);
        assert_int_equal(file.fd, -1);
        assert_holds(path, texts[i].bytes, texts[i].size);
    }
}

static void leaves_alone_what_is_not_a_file(void **state) {
    (void)state;
    snprintf(other, sizeof other, "%s/target", scratch);
    put_file(other, "precious", 8);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    assert_holds(other, "precious", 8);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/nowhere", path), 0); /* a dangling one is not created either */
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    lt_dump_file_init(&file, "/dev/null", 0);
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
}

static void replaces_an_empty_file(void **state) {
    (void)state;
    put_file(path, "", 0); /* as mktemp leaves it */
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_int_equal(read_back(path)->snapshots, 1);
    assert_string_equal(file.path, path);
}

static void replaces_the_dump_of_a_dead_process_by_a_new_inode(void **state) {
    (void)state;
    put_dump(path, pid_of_the_dead(), 12345, true);
    ino_t old = inode_of(path);
    char byte;
    int reader = open(path, O_RDONLY);
    assert_int_equal(lt_dump_file_open(&file), 0);
    assert_string_equal(file.path, path);
    assert_int_not_equal(inode_of(path), old);
    assert_int_equal(read(reader, &byte, 1), 1); /* a report that has it open reads on */
    close(reader);
}

static void replaces_the_dump_of_a_reused_pid(void **state) {
    (void)state;
    put_dump(path, 1, lt_proc_start_ticks(1) + 1, true);
    assert_int_equal(lt_dump_file_open(&file), 0);
    assert_string_equal(file.path, path);
}

static void replaces_a_dump_of_no_possible_process(void **state) {
    (void)state;
    static const int pids[] = {0, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        put_dump(path, pids[i], 0, true);
        lt_dump_file_init(&file, path, 0);
        assert_int_equal(lt_dump_file_open(&file), 0);
        assert_string_equal(file.path, path);
        lt_close(file.fd);
    }
}

static void replaces_a_dump_that_was_cut(void **state) {
    (void)state;
    put_dump(path, pid_of_the_dead(), 12345, true);
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(lt_dump_file_open(&file), 0);
    assert_string_equal(file.path, path);
}

static void adds_its_pid_beside_the_dump_of_a_live_process(void **state) {
    (void)state;
    put_dump(path, 1, lt_proc_start_ticks(1), true); /* alive, though it has lost its descriptor and lock */
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    assert_string_equal(file.path, path_with_pid());
    assert_int_equal(read_back(path)->snapshots, 1);
    assert_int_equal(read_back(other)->snapshots, 1);
}

static void adds_its_pid_beside_a_locked_file(void **state) {
    (void)state;
    put_dump(path, pid_of_the_dead(), 12345, true); /* a pid of another namespace looks dead: the lock tells */
    int holder = open(path, O_RDONLY);
    assert_int_equal(flock(holder, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(lt_dump_file_open(&file), 0);
    assert_string_equal(file.path, path_with_pid());
    close(holder);
}

static void adds_its_pid_once_only(void **state) {
    (void)state;
    put_dump(path, 1, lt_proc_start_ticks(1), true);
    put_dump(path_with_pid(), 1, lt_proc_start_ticks(1), true);
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    assert_string_equal(file.path, path_with_pid());
    assert_int_equal(lt_dump_file_open(&file), -EEXIST);
    assert_string_equal(file.path, path_with_pid());
}

static void keeps_the_dump_of_its_image_before_exec(void **state) {
    (void)state;
    for (int image = 1; image <= 2; image++) {
        put_dump(path, lt_getpid(), lt_proc_start_ticks(0), true);
        ino_t old = inode_of(path);
        lt_dump_file_init(&file, path, 0);
        assert_int_equal(lt_dump_file_open(&file), 0);
        assert_string_equal(file.path, path);
        lt_close(file.fd);
        snprintf(other, sizeof other, "%s.%d", path, image);
        assert_int_equal(inode_of(other), old);
    }
    put_dump(path, lt_getpid(), lt_proc_start_ticks(0), false); /* one without a snapshot is worth nothing */
    lt_dump_file_init(&file, path, 0);
    assert_int_equal(lt_dump_file_open(&file), 0);
    snprintf(other, sizeof other, "%s.3", path);
    assert_int_equal(access(other, F_OK), -1);
}

static void write_where_the_directory_is_not_ours(void) {
    be_a_program();
    CHILD_CHECK(chmod(scratch, 0755) == 0);
    CHILD_CHECK(chown(path, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    ino_t old = inode_of(path);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(inode_of(path) == old && read_back(path)->snapshots == 1);
}

static void uses_a_prepared_file_in_place(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "becoming another user needs root");
    put_dump(path, pid_of_the_dead(), 12345, true);
    assert_child_passes(write_where_the_directory_is_not_ours);
}

static void find_a_file_of_somebody_else(void) {
    be_a_program();
    CHILD_CHECK(chmod(scratch, 01777) == 0 && chmod(path, 0666) == 0);
    CHILD_CHECK(setresuid(65534, 65534, 65534) == 0);
    CHILD_CHECK(lt_dump_file_open(&file) == -EPERM);
    CHILD_CHECK(access(path, F_OK) == 0);
}

static void uses_no_file_of_another_user(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "becoming another user needs root");
    put_file(path, "", 0);
    assert_child_passes(find_a_file_of_somebody_else);
}

/* Processes that start at once and want the same path: each gets a file of its own. */
enum { RIVALS = 8 };

static void want_the_same_path(int start, int done) {
    char byte;
    be_a_program();
    CHILD_CHECK(read(start, &byte, 1) == 0); /* all at once: when the other end closes */
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(strcmp(file.path, path) == 0 || strcmp(file.path, path_with_pid()) == 0);
    byte = strcmp(file.path, path) == 0;
    CHILD_CHECK(write(done, &byte, 1) == 1);
    usleep(100000);
    CHILD_CHECK(write_snapshot(&w, 100, NODE_BEFORE, false) == 0);
    CHILD_CHECK(read_back(file.path)->snapshots == 2);
    _exit(0);
}

static void goes_to_one_of_many_rivals(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        int start[2], done[2], winners = 0, status;
        char won[RIVALS];
        put_dump(path, pid_of_the_dead(), 12345, true);
        assert_int_equal(pipe(start) | pipe(done), 0);
        for (int i = 0; i < RIVALS; i++)
            if (fork() == 0) {
                close(start[1]);
                want_the_same_path(start[0], done[1]);
            }
        close(start[0]), close(start[1]), close(done[1]);
        for (int i = 0; i < RIVALS; i++) {
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
            assert_int_equal(read(done[0], &won[i], 1), 1);
            winners += won[i];
        }
        close(done[0]);
        assert_int_equal(winners, 1);
    }
}

static void leaves_errno_alone(void **state) {
    (void)state;
    errno = 4242;
    put_dump(path, 1, 0, true);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    lt_close(file.fd);
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), 0);
    lt_dump_file_forked(&file, "/nowhere/dump.bin");
    assert_int_equal(write_snapshot(&w, 100, NODE_BEFORE, false), -ENOENT);
    assert_int_equal(errno, 4242);
}

static const struct CMUnitTest tests[] = {
    TEST(leaves_alone_what_is_not_a_dump),
    TEST(leaves_alone_what_is_not_a_file),
    TEST(replaces_an_empty_file),
    TEST(replaces_the_dump_of_a_dead_process_by_a_new_inode),
    TEST(replaces_the_dump_of_a_reused_pid),
    TEST(replaces_a_dump_of_no_possible_process),
    TEST(replaces_a_dump_that_was_cut),
    TEST(adds_its_pid_beside_the_dump_of_a_live_process),
    TEST(adds_its_pid_beside_a_locked_file),
    TEST(adds_its_pid_once_only),
    TEST(keeps_the_dump_of_its_image_before_exec),
    TEST(uses_a_prepared_file_in_place),
    TEST(uses_no_file_of_another_user),
    TEST(goes_to_one_of_many_rivals),
    TEST(leaves_errno_alone),
};
LT_UNIT_MAIN(tests)
