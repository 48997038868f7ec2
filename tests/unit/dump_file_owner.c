/* Whose file it is: what is created, what is replaced, what is left alone, and how a lost descriptor is found again. */
#include "dump_writing.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char scratch[64], path[128], other[160];
static struct lt_dump_file file;
static struct writing w;

static int set_up(void **state) {
    (void)state;
    scratch_new(scratch);
    snprintf(path, sizeof path, "%s/dump.bin", scratch);
    lt_dump_file_init(&file, path, 0);
    w.file = &file;
    w.index = w.nodes = w.nodes_committed = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    if (file.fd >= 0)
        lt_close(file.fd);
    scratch_remove(scratch);
    return 0;
}

/* In a child, first thing: it is a program of its own, not a forked part of the test. */
static void be_a_program(void) {
    lt_dump_file_init(&file, path, 0);
}

static void put_file(const char *name, const void *bytes, size_t size) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void assert_holds(const char *name, const void *bytes, size_t size) {
    char back[4096];
    int fd = open(name, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, back, sizeof back), size);
    assert_memory_equal(back, bytes, size);
    close(fd);
}

static ino_t inode_of(const char *name) {
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    return st.st_ino;
}

/* A dump that says it is of process `pid`, with one snapshot or none. */
static void put_dump(const char *name, int pid, uint64_t start_ticks, bool with_snapshot) {
    static struct lt_dump_file made;
    static struct writing writing;
    lt_dump_file_init(&made, name, 0);
    writing = (struct writing){.file = &made};
    assert_int_equal(lt_dump_file_begin(&made, false), 0);
    lt_writer_init(&writing.writer, lt_dump_file_append, &made, writing.buffer, sizeof writing.buffer);
    write_header(&writing, (uint32_t)pid, start_ticks);
    if (with_snapshot) {
        write_body(&writing, 100, NODE_BEFORE);
        assert_int_equal(lt_write_end(&writing.writer, writing.index), 0);
    }
    lt_dump_file_commit(&made);
    lt_close(made.fd);
}

static int pid_of_the_dead(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static const char *path_with_pid(void) {
    snprintf(other, sizeof other, "%s.%d", path, lt_getpid());
    return other;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(creates_a_private_file_with_a_high_descriptor),
    TEST(never_takes_the_numbers_of_standard_streams),
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
    TEST(goes_to_one_of_many_rivals),
    TEST(leaves_errno_alone),
};
LT_UNIT_MAIN(tests)
