/* What each function that opens or closes adds to, or takes from, the numbers of live descriptors that the library
 * knows; failures and corners included. Run under the shim only. */
#include "leaktrack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <mqueue.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

/* What -D_FORTIFY_SOURCE makes of open and its like. */
int __open_2(const char *, int), __open64_2(const char *, int);
int __openat_2(int, const char *, int), __openat64_2(int, const char *, int);
mqd_t __mq_open_2(const char *, int);

enum { KINDS = LEAKTRACK_TIMER + 1 };
static const char *const words[KINDS] = {"",     "heap",  "mapping", "file",   "directory", "socket",
                                         "pipe", "event", "stream",  "thread", "timer"};
static int64_t live[KINDS];
static int failures;
static char path[64] = "/tmp/every_descriptor.XXXXXX";

/* The numbers of live descriptors have changed by `change` of `kind`, and by nothing else, since the last call. */
static void changed(const char *what, int kind, int64_t change) {
    for (int k = LEAKTRACK_FILE; k <= LEAKTRACK_STREAM; k++) {
        const int64_t now = leaktrack_live_count((enum leaktrack_kind)k), expected = k == kind ? change : 0;
        if (now - live[k] != expected) {
            printf("%s: %s %+lld, expected %+lld\n", what, words[k], (long long)(now - live[k]), (long long)expected);
            failures++;
        }
        live[k] = now;
    }
}

static void need(const char *what, bool so) {
    if (!so) {
        printf("%s: did not do what it should: %s\n", what, strerror(errno));
        failures++;
    }
}

static int opened(const char *what, int kind, int fd) {
    need(what, fd >= 0);
    changed(what, kind, 1);
    return fd;
}

static void is_closed(const char *what, int kind, int fd) {
    need(what, close(fd) == 0);
    changed(what, kind, -1);
}

#define OPENS(kind, call) is_closed("close after " #call, LEAKTRACK_##kind, opened(#call, LEAKTRACK_##kind, call))

static void failed(const char *what, int result) {
    if (result != -1)
        printf("%s: did not fail\n", what);
    failures += result != -1;
    changed(what, 0, 0);
}

static char name[64];

static char *template(const char *suffix) {
    snprintf(name, sizeof name, "/tmp/every_descriptor.XXXXXX%s", suffix);
    return name;
}

static int without_name(int fd) {
    unlink(name);
    return fd;
}

static void by_name(void) {
    OPENS(FILE, open(path, O_RDONLY));
    OPENS(FILE, open(path, O_RDWR | O_CREAT, 0600));
    OPENS(FILE, open("/tmp", O_RDWR | O_TMPFILE, 0600));
    OPENS(DIRECTORY, open("/tmp", O_RDONLY | O_DIRECTORY));
    OPENS(FILE, open64(path, O_RDONLY));
    OPENS(FILE, openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0600));
    OPENS(DIRECTORY, openat64(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
    OPENS(FILE, __open_2(path, O_RDONLY));
    OPENS(FILE, __open64_2(path, O_RDONLY));
    OPENS(FILE, __openat_2(AT_FDCWD, path, O_RDONLY));
    OPENS(FILE, __openat64_2(AT_FDCWD, path, O_RDONLY));
    OPENS(FILE, creat(path, 0600));
    OPENS(FILE, creat64(path, 0600));
    failed("open(no such file)", open("/no/such/file", O_RDONLY));
    failed("creat(no such directory)", creat("/no/such/file", 0600));
}

static void by_template(void) {
    OPENS(FILE, without_name(mkstemp(template(""))));
    OPENS(FILE, without_name(mkstemp64(template(""))));
    OPENS(FILE, without_name(mkostemp(template(""), O_CLOEXEC)));
    OPENS(FILE, without_name(mkostemp64(template(""), O_CLOEXEC)));
    OPENS(FILE, without_name(mkstemps(template(".c"), 2)));
    OPENS(FILE, without_name(mkstemps64(template(".c"), 2)));
    OPENS(FILE, without_name(mkostemps(template(".c"), 2, O_CLOEXEC)));
    OPENS(FILE, without_name(mkostemps64(template(".c"), 2, O_CLOEXEC)));
    OPENS(FILE, memfd_create("every", MFD_CLOEXEC));
    OPENS(FILE, shm_open("/every_descriptor", O_RDWR | O_CREAT, 0600));
    OPENS(FILE, shm_open("/every_descriptor", O_RDWR, 0));
    shm_unlink("/every_descriptor");
}

static void by_handle(void) {
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } any = {.handle.handle_bytes = MAX_HANDLE_SZ};
    int mount_id, fd, mount = opened("open(/)", LEAKTRACK_DIRECTORY, open("/tmp", O_RDONLY | O_DIRECTORY));
    if (name_to_handle_at(AT_FDCWD, path, &any.handle, &mount_id, 0) == 0) {
        fd = open_by_handle_at(mount, &any.handle, O_RDONLY);
        if (fd >= 0)
            is_closed("close", LEAKTRACK_FILE, opened("open_by_handle_at", LEAKTRACK_FILE, fd));
    }
    is_closed("close", LEAKTRACK_DIRECTORY, mount);
}

static void queues_and_terminals(void) {
    struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 8};
    int terminal, program;
    snprintf(name, sizeof name, "/every%d", getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attributes);
    if (queue >= 0) {
        opened("mq_open", LEAKTRACK_FILE, queue);
        need("mq_open's attributes", mq_getattr(queue, &attributes) == 0 && attributes.mq_msgsize == 8);
        need("mq_close", mq_close(queue) == 0);
        changed("mq_close", LEAKTRACK_FILE, -1);
        OPENS(FILE, __mq_open_2(name, O_RDWR));
        mq_unlink(name);
    }
    OPENS(FILE, posix_openpt(O_RDWR | O_NOCTTY));
    OPENS(FILE, getpt());
    need("openpty", openpty(&terminal, &program, NULL, NULL, NULL) == 0);
    changed("openpty", LEAKTRACK_FILE, 2);
    is_closed("close", LEAKTRACK_FILE, terminal);
    is_closed("close", LEAKTRACK_FILE, program);
}

static FILE *stream(const char *what, int kind, FILE *made) {
    need(what, made != NULL);
    changed(what, kind, 1);
    return made;
}

static void stream_closed(const char *what, int kind, FILE *closed) {
    need(what, fclose(closed) == 0);
    changed(what, kind, -1);
}

#define STREAMS(kind, call)                                                                                            \
    stream_closed("fclose after " #call, LEAKTRACK_##kind, stream(#call, LEAKTRACK_##kind, call))

static ssize_t swallow(void *cookie, const char *bytes, size_t size) {
    (void)cookie, (void)bytes;
    return (ssize_t)size;
}

static void by_stream(void) {
    char *text, buffer[8];
    wchar_t *wide;
    size_t size;
    const cookie_io_functions_t functions = {.write = swallow};
    STREAMS(FILE, fopen(path, "r+"));
    STREAMS(FILE, fopen64(path, "re"));
    STREAMS(FILE, tmpfile());
    STREAMS(FILE, tmpfile64());
    STREAMS(STREAM, fmemopen(buffer, sizeof buffer, "w"));
    STREAMS(STREAM, open_memstream(&text, &size));
    free(text);
    STREAMS(STREAM, open_wmemstream(&wide, &size));
    free(wide);
    STREAMS(STREAM, fopencookie(NULL, "w", functions));
    need("fopen", !fopen("/no/such/file", "r"));
    changed("fopen(no such file)", 0, 0);
    FILE *command = stream("popen", LEAKTRACK_PIPE, popen("exit 3", "r"));
    need("pclose", WEXITSTATUS(pclose(command)) == 3);
    changed("pclose", LEAKTRACK_PIPE, -1);
    int fd = opened("socket", LEAKTRACK_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0));
    FILE *over = fdopen(fd, "r");
    changed("fdopen", 0, 0);
    stream_closed("fclose", LEAKTRACK_SOCKET, over);
}

static void streams_anew(void) {
    FILE *file = stream("fopen", LEAKTRACK_FILE, fopen(path, "r"));
    need("freopen", freopen(path, "w", file) == file);
    changed("freopen", 0, 0);
    need("freopen64", freopen64(NULL, "r", file) == file);
    changed("freopen64(NULL)", 0, 0);
    need("freopen", !freopen("/no/such/file", "r", file));
    changed("freopen(no such file)", LEAKTRACK_FILE, -1);
    file = stream("open_memstream", LEAKTRACK_STREAM, fmemopen(NULL, 8, "w"));
    fclose(file);
    changed("fclose", LEAKTRACK_STREAM, -1);
}

static void by_directory(void) {
    DIR *directory = opendir("/tmp");
    changed("opendir", LEAKTRACK_DIRECTORY, 1);
    need("closedir", closedir(directory) == 0);
    changed("closedir", LEAKTRACK_DIRECTORY, -1);
    int fd = opened("open", LEAKTRACK_DIRECTORY, open("/tmp", O_RDONLY | O_DIRECTORY));
    directory = fdopendir(fd);
    changed("fdopendir", 0, 0);
    need("closedir", closedir(directory) == 0);
    changed("closedir", LEAKTRACK_DIRECTORY, -1);
    need("opendir", !opendir("/no/such/directory"));
    need("closedir(NULL)", closedir(((DIR *volatile[]){NULL})[0]) == -1 && errno == EINVAL);
    changed("opendir(no such directory)", 0, 0);
}

static void events(void) {
    sigset_t signals;
    sigemptyset(&signals);
    OPENS(EVENT, epoll_create(1));
    OPENS(EVENT, epoll_create1(EPOLL_CLOEXEC));
    OPENS(EVENT, eventfd(0, 0));
    OPENS(EVENT, timerfd_create(CLOCK_MONOTONIC, 0));
    OPENS(EVENT, inotify_init());
    OPENS(EVENT, inotify_init1(IN_CLOEXEC));
    OPENS(EVENT, pidfd_open(getpid(), 0));
    int fd = opened("signalfd", LEAKTRACK_EVENT, signalfd(-1, &signals, 0));
    need("signalfd", signalfd(fd, &signals, 0) == fd);
    changed("signalfd again", 0, 0);
    is_closed("close", LEAKTRACK_EVENT, fd);
    fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
    if (fd >= 0)
        is_closed("close", LEAKTRACK_EVENT, opened("fanotify_init", LEAKTRACK_EVENT, fd));
}

static void pairs(void) {
    int fds[2];
    need("pipe", pipe(fds) == 0);
    changed("pipe", LEAKTRACK_PIPE, 2);
    is_closed("close", LEAKTRACK_PIPE, fds[0]);
    is_closed("close", LEAKTRACK_PIPE, fds[1]);
    need("pipe2", pipe2(fds, O_CLOEXEC) == 0);
    changed("pipe2", LEAKTRACK_PIPE, 2);
    need("close_range", close_range((unsigned)fds[0], (unsigned)fds[1], 0) == 0);
    changed("close_range", LEAKTRACK_PIPE, -2);
    need("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    changed("socketpair", LEAKTRACK_SOCKET, 2);
    is_closed("close", LEAKTRACK_SOCKET, fds[0]);
    is_closed("close", LEAKTRACK_SOCKET, fds[1]);
    failed("pipe2(no such flag)", pipe2(fds, -1));
}

static void connections(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "every_descriptor.%d", getpid());
    int server = opened("socket", LEAKTRACK_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0)), client[2];
    need("bind", bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 2) == 0);
    for (int i = 0; i < 2; i++) {
        client[i] = opened("socket", LEAKTRACK_SOCKET, socket(AF_UNIX, SOCK_STREAM, 0));
        need("connect", connect(client[i], (struct sockaddr *)&address, sizeof address) == 0);
    }
    OPENS(SOCKET, accept(server, NULL, NULL));
    OPENS(SOCKET, accept4(server, NULL, NULL, SOCK_CLOEXEC));
    fcntl(server, F_SETFL, O_NONBLOCK);
    failed("accept(nobody there)", accept(server, NULL, NULL));
    for (int i = 0; i < 2; i++)
        is_closed("close", LEAKTRACK_SOCKET, client[i]);
    is_closed("close", LEAKTRACK_SOCKET, server);
}

static void duplicates(void) {
    int file = opened("open", LEAKTRACK_FILE, open(path, O_RDONLY)), ends[2];
    need("pipe", pipe(ends) == 0);
    changed("pipe", LEAKTRACK_PIPE, 2);
    OPENS(FILE, dup(file));
    OPENS(PIPE, fcntl(ends[0], F_DUPFD, 100));
    OPENS(FILE, fcntl64(file, F_DUPFD_CLOEXEC, 200));
    need("fcntl", fcntl(file, F_GETFD) == 0 && fcntl(file, F_SETFD, FD_CLOEXEC) == 0 && fcntl(file, F_GETFD) == 1);
    OPENS(FILE, dup2(file, 300));
    OPENS(PIPE, dup3(ends[1], 300, O_CLOEXEC));
    need("dup2(same)", dup2(file, file) == file);
    changed("dup2(same)", 0, 0);
    failed("dup3(same)", dup3(file, file, 0));
    failed("dup2(not open, held)", dup2(301, file));
    failed("dup2(number too high)", dup2(file, 1 << 30));
    failed("dup(not open)", dup(301));
    failed("fcntl(not open)", fcntl(301, F_DUPFD, 0));
    need("dup2 over a pipe", dup2(file, ends[0]) == ends[0]);
    for (int k = LEAKTRACK_FILE; k <= LEAKTRACK_PIPE; k++) /* one went, one came */
        live[k] += k == LEAKTRACK_FILE ? 1 : k == LEAKTRACK_PIPE ? -1 : 0;
    changed("dup2 over a pipe", 0, 0);
    is_closed("close", LEAKTRACK_FILE, ends[0]);
    is_closed("close", LEAKTRACK_PIPE, ends[1]);
    is_closed("close", LEAKTRACK_FILE, file);
}

static void ranges(void) {
    int first =
        opened("eventfd", LEAKTRACK_EVENT, fcntl(opened("eventfd", LEAKTRACK_EVENT, eventfd(0, 0)), F_DUPFD, 400));
    for (int i = 0; i < 600; i++)
        opened("dup", LEAKTRACK_EVENT, dup2(first, first + 1 + i));
    need("close_range", close_range(400, ~0u, CLOSE_RANGE_CLOEXEC) == 0);
    changed("close_range(CLOEXEC)", 0, 0);
    failed("close_range(no such flag)", close_range(400, 500, 1 << 20));
    failed("close_range(upside down)", close_range(500, 400, 0));
    need("close_range", close_range(401, 500, 0) == 0);
    changed("close_range", LEAKTRACK_EVENT, -100);
    need("close_range", close_range(501, 600, CLOSE_RANGE_UNSHARE) == 0);
    changed("close_range(UNSHARE), one thread", LEAKTRACK_EVENT, -100);
    closefrom(600);
    changed("closefrom", LEAKTRACK_EVENT, -400);
    closefrom(3);
    changed("closefrom", LEAKTRACK_EVENT, -2);
}

/* What a message brings: the numbers that the kernel told, and no more where there was too little room. */
static void send_three(int socket, int fd) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } control = {0};
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    *part = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(3 * sizeof(int))};
    memcpy(CMSG_DATA(part), (int[3]){fd, fd, fd}, 3 * sizeof(int));
    need("sendmsg", sendmsg(socket, &message, 0) == 1);
    changed("sendmsg", 0, 0);
}

static void received(int socket, const char *what, int room_for, bool several) {
    union {
        struct cmsghdr align;
        char room[256];
    } control = {0};
    char byte;
    int fds[3];
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &vector,
                                          .msg_iovlen = 1,
                                          .msg_control = &control,
                                          .msg_controllen = CMSG_LEN((size_t)room_for * sizeof(int))}};
    need(what, several ? recvmmsg(socket, &message, 1, 0, NULL) == 1 : recvmsg(socket, &message.msg_hdr, 0) == 1);
    need(what, !(message.msg_hdr.msg_flags & MSG_CTRUNC) == (room_for == 3));
    changed(what, LEAKTRACK_EVENT, room_for);
    if (room_for) {
        memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message.msg_hdr)), (size_t)room_for * sizeof(int));
        for (int i = 0; i < room_for; i++)
            is_closed(what, LEAKTRACK_EVENT, fds[i]);
    }
}

static void messages(void) {
    int ends[2], fd = opened("eventfd", LEAKTRACK_EVENT, eventfd(0, 0));
    need("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    changed("socketpair", LEAKTRACK_SOCKET, 2);
    for (int room_for = 0; room_for <= 3; room_for++)
        for (int several = 0; several < 2; several++) {
            send_three(ends[0], fd);
            received(ends[1], several ? "recvmmsg" : "recvmsg", room_for, several);
        }
    is_closed("close", LEAKTRACK_EVENT, fd);
    is_closed("close", LEAKTRACK_SOCKET, ends[0]);
    is_closed("close", LEAKTRACK_SOCKET, ends[1]);
    int self = opened("pidfd_open", LEAKTRACK_EVENT, pidfd_open(getpid(), 0));
    OPENS(FILE, pidfd_getfd(self, 0, 0));
    is_closed("close", LEAKTRACK_EVENT, self);
}

/* What nobody saw: raw system calls. A number that is handed out again was closed before. */
static void unseen(void) {
    int fd = opened("open", LEAKTRACK_FILE, open(path, O_RDONLY));
    syscall(SYS_close, fd);
    changed("raw close", 0, 0);
    need("open", open(path, O_RDONLY) == fd);
    changed("open at the same number", 0, 0);
    syscall(SYS_close, fd);
    leaktrack_pause();
    need("open", open(path, O_RDONLY) == fd);
    leaktrack_resume();
    changed("open while paused, at the same number", LEAKTRACK_FILE, -1);
    need("close", close(fd) == 0);
    changed("close of what was not recorded", 0, 0);
    failed("close twice", close(fd));
    failed("close(-1)", close(-1));
    OPENS(FILE, dup((int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY)));
    syscall(SYS_close, fd);
}

static int in_other_memory(void *file) {
    close(*(int *)file);
    for (int i = 0; i < 5; i++)
        open(path, O_RDONLY);
    closefrom(0);
    _exit(0);
}

/* Neither closes nor opens of a child that shares the memory are the parent's. */
static void children(void) {
    static char stack[64 * 1024] __attribute__((aligned(16)));
    int status, file = opened("open", LEAKTRACK_FILE, open(path, O_RDONLY));
    pid_t pid = vfork();
    if (pid == 0)
        in_other_memory(&file);
    need("vfork", waitpid(pid, &status, 0) == pid && status == 0);
    changed("vfork child", 0, 0);
    pid = clone(in_other_memory, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &file);
    need("clone", waitpid(pid, &status, 0) == pid && status == 0);
    changed("clone(CLONE_VM | CLONE_VFORK) child", 0, 0);
    OPENS(FILE, open(path, O_RDONLY));
    is_closed("close", LEAKTRACK_FILE, file);
}

static void *with_own_table(void *file) {
    need("unshare", unshare(CLONE_FILES) == 0);
    close(*(int *)file);
    need("open", open(path, O_RDONLY) >= 0);
    return NULL;
}

static void *with_own_range(void *file) {
    need("close_range", close_range(3, ~0u, CLOSE_RANGE_UNSHARE) == 0);
    need("open", open(path, O_RDONLY) >= 0);
    return file;
}

static void *close_it(void *file) {
    need("close", close(*(int *)file) == 0);
    return NULL;
}

static void threads(void) {
    int file = opened("open", LEAKTRACK_FILE, open(path, O_RDONLY));
    void *(*const bodies[])(void *) = {with_own_table, with_own_range, close_it};
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        need("pthread_create", pthread_create(&thread, NULL, bodies[i], &file) == 0);
        pthread_join(thread, NULL);
        changed(i == 2 ? "close in a thread" : "thread with a table of its own", i == 2 ? LEAKTRACK_FILE : 0, -1);
    }
}

int main(void) {
    if (!leaktrack_live_count) {
        printf("the shim is not preloaded\n");
        return 1;
    }
    for (int k = LEAKTRACK_FILE; k <= LEAKTRACK_STREAM; k++)
        live[k] = leaktrack_live_count((enum leaktrack_kind)k);
    close(opened("mkstemp", LEAKTRACK_FILE, mkstemp(path)));
    changed("close", LEAKTRACK_FILE, -1);
    by_name();
    by_template();
    by_handle();
    queues_and_terminals();
    by_stream();
    streams_anew();
    by_directory();
    events();
    pairs();
    connections();
    duplicates();
    messages();
    unseen();
    children();
    ranges(); /* before there are threads: the kernel lists one that was joined for a moment longer */
    threads();
    unlink(path);
    printf("%d failures\n", failures);
    return failures != 0;
}
