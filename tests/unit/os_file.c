/* Files: whole writes through interruptions, full disks, limits and closed pipes; locks, holes, seals, descriptors.
 * What changes the process's limits or signals runs in a child. */
#include "os/file.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static char scratch[64], path[128];

static int set_up(void **state) {
    (void)state;
    scratch_new(scratch);
    snprintf(path, sizeof path, "%s/file", scratch);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    scratch_remove(scratch);
    return 0;
}

static int new_file(void) {
    return lt_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static uint64_t size_of(int fd) {
    struct lt_file_info info;
    return lt_file_info(fd, &info) ? UINT64_MAX : info.size;
}

static void writes_and_reads_at_an_offset(void **state) {
    (void)state;
    char back[8] = "........";
    int fd = new_file();
    assert_true(fd >= 0);
    assert_int_equal(lt_pwrite_all(fd, "abcdef", 6, 10), 0);
    assert_int_equal(lt_pread_all(fd, back, 8, 12), 4); /* short: the file ends */
    assert_memory_equal(back, "cdef....", 8);
    assert_int_equal(lt_pread_all(fd, back, 8, 16), 0);
    assert_int_equal(lt_pwrite_all(fd, "", 0, 0), 0);
    assert_int_equal(lt_pread_all(-1, back, 8, 0), -EBADF);
    assert_int_equal(lt_pwrite_all(-1, back, 8, 0), -EBADF);
    lt_close(fd);
}

static void opens_close_on_exec_and_says_why_not(void **state) {
    (void)state;
    char link[160];
    int fd = new_file();
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    lt_close(fd);
    snprintf(link, sizeof link, "%s/link", scratch);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(lt_open(link, O_RDWR | O_NOFOLLOW, 0), -ELOOP);
    assert_int_equal(lt_open("/nowhere/file", O_RDONLY, 0), -ENOENT);
    assert_int_equal(lt_open(scratch, O_RDWR, 0), -EISDIR);
}

static void tells_identity_size_and_blocks(void **state) {
    (void)state;
    struct lt_file_info info, by_path;
    struct stat st;
    char link[160];
    int fd = new_file();
    assert_int_equal(lt_pwrite_all(fd, "x", 1, 100000), 0);
    assert_int_equal(lt_file_info(fd, &info), 0);
    assert_int_equal(lt_path_info(path, &by_path), 0);
    assert_memory_equal(&info.id, &by_path.id, sizeof info.id);
    assert_int_equal(info.size, by_path.size);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(info.id.device, st.st_dev);
    assert_int_equal(info.id.inode, st.st_ino);
    assert_int_equal(info.size, 100001);
    assert_int_equal(info.allocated, st.st_blocks * 512);
    assert_int_equal(info.mtime_ns, (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec);
    assert_int_equal(info.mode, S_IFREG | 0600);
    assert_int_equal(info.links, 1);
    assert_int_equal(info.uid, geteuid());
    assert_int_equal(lt_path_info("/nowhere", &info), -ENOENT);
    assert_int_equal(lt_link_info("/nowhere", &info), -ENOENT);
    snprintf(link, sizeof link, "%s/link", scratch);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(lt_path_info(link, &info), 0);
    assert_true(S_ISREG(info.mode));
    assert_int_equal(lt_link_info(link, &info), 0);
    assert_true(S_ISLNK(info.mode));
    lt_close(fd);
}

static void moves_a_descriptor_to_the_lowest_free_number(void **state) {
    (void)state;
    int first = new_file(), second = new_file();
    int taken = fcntl(first, F_DUPFD_CLOEXEC, 200);
    assert_int_equal(taken, 200);
    int moved = lt_fd_move(second, 200);
    assert_int_equal(moved, 201);
    assert_int_equal(fcntl(moved, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(second, F_GETFD), -1);
    assert_true(lt_fd_move(moved, 1 << 30) < 0); /* above RLIMIT_NOFILE */
    assert_int_equal(fcntl(moved, F_GETFD), FD_CLOEXEC);
    lt_close(first), lt_close(moved), lt_close(taken);
}

static void locks_against_another_open_file(void **state) {
    (void)state;
    int first = new_file(), second = lt_open(path, O_RDWR, 0);
    assert_int_equal(lt_file_lock(first), 0);
    assert_int_equal(lt_file_lock(first), 0);
    assert_int_equal(lt_file_lock(second), -EWOULDBLOCK);
    lt_close(first);
    assert_int_equal(lt_file_lock(second), 0);
    lt_close(second);
}

static void frees_the_blocks_of_a_hole(void **state) {
    (void)state;
    static char bytes[1 << 16], back[1 << 16];
    struct lt_file_info before, after;
    int fd = new_file();
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(lt_pwrite_all(fd, bytes, sizeof bytes, 0), 0);
    assert_int_equal(lt_file_info(fd, &before), 0);
    int status = lt_file_punch_hole(fd, 4096, 40960);
    lt_skip_when(status == -EOPNOTSUPP, "the temporary directory's file system has no holes");
    assert_int_equal(status, 0);
    assert_int_equal(lt_file_info(fd, &after), 0);
    assert_int_equal(after.size, before.size);
    assert_int_equal(before.allocated - after.allocated, 40960);
    memset(bytes + 4096, 0, 40960);
    assert_int_equal(lt_pread_all(fd, back, sizeof back, 0), sizeof back);
    assert_memory_equal(bytes, back, sizeof back);
    lt_close(fd);
}

static void renames_unlinks_and_truncates(void **state) {
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s/other", scratch);
    int fd = new_file();
    assert_int_equal(lt_file_truncate(fd, 1234), 0);
    assert_int_equal(size_of(fd), 1234);
    assert_int_equal(lt_rename(path, other), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(lt_unlink(other), 0);
    assert_int_equal(lt_unlink(other), -ENOENT);
    assert_int_equal(lt_rename(path, other), -ENOENT);
    lt_close(fd);
}

static void says_enospc_on_a_full_device(void **state) {
    (void)state;
    int fd = lt_open("/dev/full", O_RDWR, 0);
    assert_int_equal(lt_pwrite_all(fd, "x", 1, 0), -ENOSPC);
    assert_int_equal(lt_write_all(fd, "x", 1), -ENOSPC);
    lt_close(fd);
}

static void says_enospc_on_a_full_file_system(void **state) {
    (void)state;
    static char bytes[1 << 17];
    char small[80];
    snprintf(small, sizeof small, "%s/small", scratch);
    assert_int_equal(mkdir(small, 0700), 0);
    bool mounted = scratch_tmpfs(small, "64k");
    lt_skip_when(!mounted, "mounting a tmpfs is not permitted");
    snprintf(path, sizeof path, "%s/file", small);
    int fd = new_file();
    int status = lt_pwrite_all(fd, bytes, sizeof bytes, 0);
    uint64_t size = size_of(fd);
    lt_close(fd);
    umount2(small, MNT_DETACH);
    assert_int_equal(status, -ENOSPC);
    assert_int_equal(size, 65536); /* what fits is there: the caller overwrites it */
}

/* A pipe whose reader is slow, under a timer that interrupts every system call. */
enum { STREAM = 1 << 20 };

static void be_interrupted(int signal) {
    (void)signal;
}

static uint64_t sum_of_stream(int fd) {
    unsigned char bytes[4096];
    uint64_t sum = 0, place = 0;
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) != 0)
        for (ssize_t i = 0; i < n; i++)
            sum += bytes[i] * ++place;
    return sum;
}

static void write_under_a_timer(void) {
    static unsigned char bytes[STREAM];
    uint64_t sum = 0, back;
    int data[2], answer[2];
    for (uint64_t i = 0; i < STREAM; i++)
        sum += (bytes[i] = (unsigned char)(i * 31 >> 3)) * (i + 1);
    CHILD_CHECK(pipe(data) == 0 && pipe(answer) == 0);
    if (fork() == 0) {
        close(data[1]);
        usleep(20000); /* the pipe is full and the writer asleep by now */
        back = sum_of_stream(data[0]);
        _exit(write(answer[1], &back, sizeof back) != sizeof back);
    }
    close(data[0]);
    struct sigaction action = {.sa_handler = be_interrupted}; /* no SA_RESTART */
    struct itimerval often = {{0, 500}, {0, 500}};
    CHILD_CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    CHILD_CHECK(lt_write_all(data[1], bytes, STREAM) == 0);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    close(data[1]);
    CHILD_CHECK(read(answer[0], &back, sizeof back) == sizeof back && back == sum);
}

static void writes_all_through_interruptions(void **state) {
    (void)state;
    assert_child_passes(write_under_a_timer);
}

static sigset_t pending_set(void) {
    sigset_t set;
    sigpending(&set);
    return set;
}

static void write_past_the_limit(void) {
    int fd = new_file();
    CHILD_CHECK(lt_file_size_limit() == UINT64_MAX);
    CHILD_CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000}) == 0);
    CHILD_CHECK(lt_file_size_limit() == 1000);
    CHILD_CHECK(lt_pwrite_all(fd, "0123456789", 10, 991) == -EFBIG);
    CHILD_CHECK(size_of(fd) == 0); /* not even what would have fitted */
    CHILD_CHECK(lt_pwrite_all(fd, "x", 1, UINT64_MAX) == -EFBIG);
    CHILD_CHECK(lt_pwrite_all(fd, "0123456789", 10, 990) == 0);
    CHILD_CHECK(lseek(fd, 995, SEEK_SET) == 995);
    CHILD_CHECK(lt_write_all(fd, "0123456789", 10) == -EFBIG);
    CHILD_CHECK(lt_write_all(fd, "x", 1) == -EFBIG);
    CHILD_CHECK(lt_file_truncate(fd, 1001) == -EFBIG);
    CHILD_CHECK(size_of(fd) == 1000);
    CHILD_CHECK(lt_memfd_sealed("control", 4096) == -EFBIG);
    sigset_t pending = pending_set();
    CHILD_CHECK(!sigismember(&pending, SIGXFSZ));
}

static void survives_rlimit_fsize(void **state) {
    (void)state;
    assert_child_passes(write_past_the_limit); /* SIGXFSZ keeps its default action there: to kill */
}

static void write_to_nobody(void) {
    sigset_t before, after, pipe_signal;
    int ends[2];
    CHILD_CHECK(pipe(ends) == 0);
    close(ends[0]);
    sigprocmask(SIG_SETMASK, NULL, &before);
    CHILD_CHECK(lt_write_all(ends[1], "x", 1) == -EPIPE);
    sigprocmask(SIG_SETMASK, NULL, &after);
    CHILD_CHECK(memcmp(&before, &after, 8) == 0);
    sigset_t pending = pending_set();
    CHILD_CHECK(!sigismember(&pending, SIGPIPE));

    /* The program's own pending SIGPIPE is not ours to eat. */
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
    CHILD_CHECK(write(ends[1], "x", 1) == -1);
    CHILD_CHECK(lt_write_all(ends[1], "x", 1) == -EPIPE);
    pending = pending_set();
    CHILD_CHECK(sigismember(&pending, SIGPIPE));
}

static void survives_a_pipe_that_nobody_reads(void **state) {
    (void)state;
    assert_child_passes(write_to_nobody);
}

static void seals_a_memfd(void **state) {
    (void)state;
    int fd = lt_memfd_sealed("control", 4096);
    assert_true(fd >= 0);
    assert_int_equal(size_of(fd), 4096);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(lt_file_truncate(fd, 8192), -EPERM);
    assert_int_equal(lt_file_truncate(fd, 0), -EPERM);
    uint32_t *one = lt_file_map_shared(fd, 4096), *other = lt_file_map_shared(fd, 4096);
    assert_true(one && other && one != other);
    *one = 77;
    assert_int_equal(*other, 77);
    assert_null(lt_file_map_shared(-1, 4096));
    munmap(one, 4096), munmap(other, 4096);
    lt_close(fd);
}

static void lose_the_working_directory(void) {
    char cwd[LT_PATH_MAX], gone[160], by_libc[LT_PATH_MAX];
    CHILD_CHECK(chdir(scratch) == 0);
    CHILD_CHECK(lt_getcwd(cwd, sizeof cwd) == 0 && getcwd(by_libc, sizeof by_libc) && strcmp(cwd, by_libc) == 0);
    CHILD_CHECK(lt_getcwd(cwd, 3) == -ERANGE);
    snprintf(gone, sizeof gone, "%s/gone", scratch);
    CHILD_CHECK(mkdir(gone, 0700) == 0 && chdir(gone) == 0 && rmdir(gone) == 0);
    CHILD_CHECK(lt_getcwd(cwd, sizeof cwd) == -ENOENT);
    if (geteuid() != 0)
        return;
    CHILD_CHECK(mkdir(gone, 0700) == 0 && chdir("/") == 0 && chroot(gone) == 0);
    CHILD_CHECK(lt_getcwd(cwd, sizeof cwd) == -ENOENT); /* the kernel says "(unreachable)/" */
}

static void tells_the_working_directory_or_that_there_is_none(void **state) {
    (void)state;
    assert_child_passes(lose_the_working_directory);
}

static void leaves_errno_alone(void **state) {
    (void)state;
    struct lt_file_info info;
    errno = 4242;
    assert_int_equal(lt_open("/nowhere/file", O_RDONLY, 0), -ENOENT);
    assert_int_equal(lt_file_info(-1, &info), -EBADF);
    assert_int_equal(lt_fd_move(-1, 3), -EBADF);
    assert_int_equal(lt_file_lock(-1), -EBADF);
    assert_int_equal(lt_file_truncate(-1, 3), -EBADF);
    assert_int_equal(lt_file_punch_hole(-1, 0, 3), -EBADF);
    assert_int_equal(lt_write_all(-1, "x", 1), -EBADF);
    lt_close(-1);
    assert_int_equal(errno, 4242);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(writes_and_reads_at_an_offset),
    TEST(opens_close_on_exec_and_says_why_not),
    TEST(tells_identity_size_and_blocks),
    TEST(moves_a_descriptor_to_the_lowest_free_number),
    TEST(locks_against_another_open_file),
    TEST(frees_the_blocks_of_a_hole),
    TEST(renames_unlinks_and_truncates),
    TEST(says_enospc_on_a_full_device),
    TEST(says_enospc_on_a_full_file_system),
    TEST(writes_all_through_interruptions),
    TEST(survives_rlimit_fsize),
    TEST(survives_a_pipe_that_nobody_reads),
    TEST(seals_a_memfd),
    TEST(tells_the_working_directory_or_that_there_is_none),
    TEST(leaves_errno_alone),
};
LT_UNIT_MAIN(tests)
