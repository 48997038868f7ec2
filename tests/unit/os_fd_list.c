/* The descriptors against readdir(3) and readlink(2) of the same directory, and against what the test opened. */
#include "os/fd_list.h"

#include "os/file.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MOST = 20000 };

static char buffer[LT_FD_LIST_BUFFER];

/* What a pass has shown: numbers, and the entry of one number in full. */
struct listing {
    int count, numbers[MOST], wanted;
    struct lt_fd_entry entry;
    char target[LT_PATH_MAX];
    struct lt_fd_details details;
    int status, tid;
};

static bool see(void *context, const struct lt_fd_entry *entry) {
    struct listing *l = context;
    l->numbers[l->count++] = entry->fd;
    if (entry->fd == l->wanted) {
        l->entry = *entry;
        l->entry.target = strcpy(l->target, entry->target);
        l->status = lt_fd_details(l->tid, entry, &l->details);
    }
    return l->count < MOST;
}

static struct listing listing;

static const struct listing *list(int tid, int wanted) {
    listing.count = 0;
    listing.wanted = wanted;
    listing.tid = tid;
    listing.status = -ESRCH; /* not listed */
    CHILD_CHECK(lt_fd_list(tid, buffer, sizeof buffer, see, &listing) == 0);
    return &listing;
}

/* The judge. */
static int truth[MOST];

static int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static int read_truth(const char *path) {
    DIR *directory = opendir(path);
    int n = 0;
    for (struct dirent *e; (e = readdir(directory)) != NULL;)
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(directory))
            truth[n++] = atoi(e->d_name);
    closedir(directory);
    qsort(truth, (size_t)n, sizeof *truth, compare);
    return n;
}

static void check_listing(int tid, const char *path) {
    const int expected = read_truth(path);
    const struct listing *l = list(tid, -1);
    CHILD_CHECK(l->count == expected);
    CHILD_CHECK(memcmp(l->numbers, truth, (size_t)expected * sizeof *truth) == 0);
    CHILD_CHECK(read_truth(path) == expected);
}

static void lists_what_readdir_lists(void **state) {
    (void)state;
    int fds[50];
    check_listing(0, "/proc/self/fd");
    for (int i = 0; i < 50; i++)
        fds[i] = dup(0);
    check_listing(0, "/proc/self/fd");
    for (int i = 0; i < 50; i += 3)
        close(fds[i]);
    check_listing(0, "/proc/thread-self/fd");
    for (int i = 0; i < 50; i++)
        close(fds[i]);
}

static void open_ten_thousand(void) {
    const struct rlimit many = {10100, 10100};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &many) == 0);
    for (int i = 0; i < 10000; i++)
        CHILD_CHECK(dup(0) >= 0);
    check_listing(0, "/proc/self/fd");
    const int last = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const struct listing *l = list(0, last);
    CHILD_CHECK(l->count > 10000 && l->status == 0 && l->details.cloexec);
    CHILD_CHECK(l->details.kind == LT_KIND_FILE && l->details.size > 0 && !l->details.has_position);
    CHILD_CHECK(list(getpid(), last)->details.has_position);
}

static void lists_ten_thousand(void **state) {
    (void)state;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    lt_skip_when(limit.rlim_max < 10100 && geteuid() != 0, "RLIMIT_NOFILE can't be raised to 10,100");
    assert_child_passes(open_ten_thousand);
}

/* `see` that opens and closes what is listed next and last must not be misled. */
static bool close_and_count(void *context, const struct lt_fd_entry *entry) {
    (void)entry;
    close(100);
    close(open("/dev/null", O_RDONLY));
    ++*(int *)context;
    return true;
}

static void bears_changes_meanwhile(void **state) {
    (void)state;
    int seen = 0;
    const int before = list(0, -1)->count;
    assert_int_equal(dup2(0, 100), 100);
    assert_int_equal(lt_fd_list(0, buffer, sizeof buffer, close_and_count, &seen), 0);
    assert_int_equal(seen, before);
    assert_int_equal(list(0, -1)->count, before);
}

static bool stop(void *context, const struct lt_fd_entry *entry) {
    (void)entry;
    return ++*(int *)context < 2;
}

static void stops_when_told(void **state) {
    (void)state;
    int seen = 0;
    const int before = read_truth("/proc/self/fd");
    assert_int_equal(lt_fd_list(0, buffer, sizeof buffer, stop, &seen), 0);
    assert_int_equal(seen, 2);
    assert_int_equal(read_truth("/proc/self/fd"), before); /* the pass's own is closed */
}

static bool look_for_low(void *context, const struct lt_fd_entry *entry) {
    (void)entry;
    const int fd = dup(1);
    *(bool *)context = *(bool *)context && fd == 0;
    close(fd);
    return true;
}

static void without_standard_input(void) {
    bool free_all_the_time = true;
    close(0);
    CHILD_CHECK(lt_fd_list(0, buffer, sizeof buffer, look_for_low, &free_all_the_time) == 0);
    CHILD_CHECK(free_all_the_time);
}

static void takes_no_low_number(void **state) {
    (void)state;
    assert_child_passes(without_standard_input);
}

/* Opens until there is no descriptor left, of 64, and lists them. */
static void list_when_full(rlim_t hard, bool privileged) {
    struct rlimit limit = {64, hard};
    int expected = 0;
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHILD_CHECK(privileged || setresuid(65534, 65534, 65534) == 0);
    while (dup(0) >= 0)
        ;
    CHILD_CHECK(errno == EMFILE);
    for (int fd = 0; fd < 10000; fd++)
        expected += fcntl(fd, F_GETFD) >= 0;
    const struct listing *l = list(0, 63);
    CHILD_CHECK(l->count == expected && expected >= 64 && l->status == 0 && l->target[0]);
    for (int i = 0; i < 64; i++)
        CHILD_CHECK(l->numbers[i] == i);
    CHILD_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 64 && limit.rlim_max == hard);
    CHILD_CHECK(dup(0) < 0 && errno == EMFILE);
}

static void soft_limit(void) {
    list_when_full(128, true);
}

static void hard_limit(void) {
    list_when_full(64, geteuid() == 0);
}

static void hard_limit_without_rights(void) {
    list_when_full(64, geteuid() != 0);
}

static void lists_where_no_descriptor_is_left(void **state) {
    (void)state;
    assert_child_passes(soft_limit);
    assert_child_passes(hard_limit);
    assert_child_passes(hard_limit_without_rights);
}

/* ---- another thread's table ---- */

static int program_tid, program_count;

static void *list_the_programs(void *passed) {
    struct stat own, theirs;
    if (lt_fds_private(NULL, 0) != 0)
        return NULL;
    /* the pass's directory gets a number here that is a file there */
    const int high = lt_fd_high();
    const struct listing *l = list(program_tid, high);
    *(bool *)passed = l->count == program_count && l->status == 0 && l->details.kind == LT_KIND_FILE &&
                      stat("/dev/null", &theirs) == 0 && l->details.inode == theirs.st_ino &&
                      strcmp(l->target, "/dev/null") == 0 && fstat(high, &own) < 0;
    return NULL;
}

static void a_private_table_reads_the_programs(void **state) {
    (void)state;
    bool passed = false;
    pthread_t thread;
    const int null = open("/dev/null", O_RDWR);
    assert_int_equal(dup2(null, lt_fd_high()), lt_fd_high());
    program_tid = (int)syscall(SYS_gettid);
    program_count = read_truth("/proc/self/fd");
    assert_int_equal(pthread_create(&thread, NULL, list_the_programs, &passed), 0);
    pthread_join(thread, NULL);
    close(lt_fd_high());
    close(null);
    assert_true(passed);
}

static void *look_after_the_main_thread_left(void *unused) {
    (void)unused;
    usleep(30000);
    check_listing(0, "/proc/thread-self/fd");
    CHILD_CHECK(list(0, -1)->count >= 3);
    _exit(0);
}

static void leave_by_pthread_exit(void) {
    pthread_t thread;
    CHILD_CHECK(pthread_create(&thread, NULL, look_after_the_main_thread_left, NULL) == 0);
    pthread_exit(NULL);
}

static void works_after_the_main_thread_left(void **state) {
    (void)state;
    assert_child_passes(leave_by_pthread_exit);
}

/* ---- without /proc ---- */

static char scratch[64];

static bool count(void *context, const struct lt_fd_entry *entry) {
    (void)entry;
    ++*(int *)context;
    return true;
}

static void look_without_proc(void) {
    int seen = 0;
    struct lt_fd_details details;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct lt_fd_entry entry = {.fd = fd, .target = "/dev/null"}, none = {.fd = 999, .target = "socket:[7]"};
    CHILD_CHECK(chroot(scratch) == 0);
    errno = 77;
    CHILD_CHECK(lt_fd_list(0, buffer, sizeof buffer, count, &seen) == -ENOENT && seen == 0);
    CHILD_CHECK(lt_fd_list(getpid(), buffer, sizeof buffer, count, &seen) == -ENOENT && seen == 0);
    CHILD_CHECK(lt_fd_details(0, &entry, &details) == 0); /* one's own table needs no /proc */
    CHILD_CHECK(details.kind == LT_KIND_FILE && details.cloexec && S_ISCHR(details.mode));
    CHILD_CHECK(lt_fd_details(getpid(), &none, &details) == -ENOENT);
    CHILD_CHECK(details.kind == LT_KIND_SOCKET && details.inode == 7);
    CHILD_CHECK(errno == 77);
}

static void works_without_proc(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    scratch_new(scratch);
    const bool passed = child_passes(look_without_proc);
    scratch_remove(scratch);
    assert_true(passed);
}

/* ---- details ---- */

/* The descriptor's details, once as one's own and once as another thread's; both must agree. */
static const struct lt_fd_details *details_of(int fd) {
    static struct lt_fd_details own;
    assert_int_equal(list(0, fd)->status, 0);
    own = listing.details;
    assert_int_equal(list(getpid(), fd)->status, 0);
    assert_int_equal(own.kind, listing.details.kind);
    assert_int_equal(own.mode, listing.details.mode);
    assert_int_equal(own.device, listing.details.device);
    assert_int_equal(own.inode, listing.details.inode);
    assert_int_equal(own.size, listing.details.size);
    assert_int_equal(own.watches, listing.details.watches);
    if (own.has_position)
        assert_int_equal(own.position, listing.details.position);
    assert_int_equal(own.cloexec, listing.details.cloexec);
    assert_int_equal(own.cloexec, fcntl(fd, F_GETFD) & FD_CLOEXEC ? 1 : 0);
    return &own;
}

static void tells_of_files(void **state) {
    (void)state;
    char path[128];
    struct stat st;
    scratch_new(scratch);
    snprintf(path, sizeof path, "%s/a (deleted)", scratch);
    const int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
    fstat(fd, &st);
    const struct lt_fd_details *d = details_of(fd);
    assert_int_equal(d->kind, LT_KIND_FILE);
    assert_true(d->has_position && d->position == 3 && d->size == 5 && d->inode == st.st_ino && d->device == st.st_dev);
    assert_string_equal(listing.target, path); /* its name, not the kernel's word */
    assert_false(listing.entry.deleted);
    unlink(path);
    details_of(fd);
    assert_string_equal(listing.target, path);
    assert_true(listing.entry.deleted);
    close(fd);
    const int directory = open(scratch, O_RDONLY);
    assert_int_equal(details_of(directory)->kind, LT_KIND_DIRECTORY);
    close(directory);
    const int memory = memfd_create("m", MFD_CLOEXEC);
    assert_int_equal(details_of(memory)->kind, LT_KIND_FILE);
    assert_string_equal(listing.target, "/memfd:m");
    assert_false(listing.entry.deleted);
    close(memory);
    scratch_remove(scratch);
}

static void tells_of_pipes_and_sockets(void **state) {
    (void)state;
    int pipes[2], sockets[2];
    char path[128];
    struct stat st;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    fstat(pipes[0], &st);
    assert_int_equal(details_of(pipes[0])->kind, LT_KIND_PIPE);
    assert_int_equal(details_of(pipes[1])->inode, st.st_ino);
    fstat(sockets[0], &st);
    assert_int_equal(details_of(sockets[0])->kind, LT_KIND_SOCKET);
    assert_int_equal(details_of(sockets[0])->inode, st.st_ino);
    scratch_new(scratch);
    snprintf(path, sizeof path, "%s/fifo", scratch);
    assert_int_equal(mkfifo(path, 0600), 0);
    const int fifo = open(path, O_RDWR);
    assert_int_equal(details_of(fifo)->kind, LT_KIND_PIPE);
    scratch_remove(scratch);
    close(fifo);
    for (int i = 0; i < 2; i++) {
        close(pipes[i]);
        close(sockets[i]);
    }
}

static void note_is(int fd, const char *note) {
    const struct lt_fd_details *d = details_of(fd);
    assert_int_equal(d->kind, LT_KIND_EVENT);
    assert_string_equal(d->note, note);
    close(fd);
}

static void tells_of_events(void **state) {
    (void)state;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    note_is(eventfd(300, 0), "count 300");
    note_is(eventfd(0, EFD_CLOEXEC), "count 0");
    note_is(signalfd(-1, &signals, 0), "signals 2 15");
    note_is(timerfd_create(CLOCK_MONOTONIC, 0), "not armed");
    const int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    const struct itimerspec in = {.it_interval = {2, 500000000}, .it_value = {1000, 0}};
    timerfd_settime(timer, 0, &in, NULL);
    const struct lt_fd_details *d = details_of(timer);
    assert_memory_equal(d->note, "armed, expires in 999.", 22);
    assert_string_equal(d->note + 27, ", every 2.500 s");
    close(timer);
}

static void counts_watches(void **state) {
    (void)state;
    const int epoll = epoll_create1(0), inotify = inotify_init1(IN_CLOEXEC);
    for (int i = 0; i < 500; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd(0, 0), &event), 0);
    }
    assert_int_equal(details_of(epoll)->watches, 500);
    assert_int_equal(close_range((unsigned)inotify + 1, ~0u, 0), 0);
    assert_true(inotify_add_watch(inotify, "/tmp", IN_CREATE) >= 0 && inotify_add_watch(inotify, "/", IN_CREATE) >= 0);
    assert_int_equal(details_of(inotify)->watches, 2);
    close(epoll);
    close(inotify);
}

static void tells_of_processes(void **state) {
    (void)state;
    char note[32];
    const int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    lt_skip_when(fd < 0, "pidfd_open is not there");
    snprintf(note, sizeof note, "process %d", getpid());
    note_is(fd, note);
}

static void tells_what_is_closed(void **state) {
    (void)state;
    struct lt_fd_details details;
    const struct lt_fd_entry entry = {.fd = 999, .target = "pipe:[5]"};
    errno = 77;
    assert_int_equal(lt_fd_details(0, &entry, &details), -ENOENT);
    assert_int_equal(lt_fd_details(getpid(), &entry, &details), -ENOENT);
    assert_int_equal(details.kind, LT_KIND_PIPE);
    assert_int_equal(errno, 77);
    assert_int_equal(lt_fd_list(0x7ffffff, buffer, sizeof buffer, see, &listing), -ENOENT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lists_what_readdir_lists),
    cmocka_unit_test(lists_ten_thousand),
    cmocka_unit_test(bears_changes_meanwhile),
    cmocka_unit_test(stops_when_told),
    cmocka_unit_test(takes_no_low_number),
    cmocka_unit_test(lists_where_no_descriptor_is_left),
    cmocka_unit_test(a_private_table_reads_the_programs),
    cmocka_unit_test(works_after_the_main_thread_left),
    cmocka_unit_test(works_without_proc),
    cmocka_unit_test(tells_of_files),
    cmocka_unit_test(tells_of_pipes_and_sockets),
    cmocka_unit_test(tells_of_events),
    cmocka_unit_test(counts_watches),
    cmocka_unit_test(tells_of_processes),
    cmocka_unit_test(tells_what_is_closed),
};

LT_UNIT_MAIN(tests)
