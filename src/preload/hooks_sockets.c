/* The hooks of what gives a number without a name: sockets, pipes, events, and descriptors out of messages. */
#include "preload/descriptor.h"
#include "preload/hooks.h"
#include "preload/real.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGE_PIDFD = 4 }; /* SCM_PIDFD, Linux 6.5 */

static int connected(int fd, const struct lt_regs *caller) {
    return lt_fd_acquired(fd, LT_KIND_SOCKET, caller);
}

static int watching(int fd, const struct lt_regs *caller) {
    return lt_fd_acquired(fd, LT_KIND_EVENT, caller);
}

static int both(int result, const int fds[2], enum lt_kind kind, const struct lt_regs *caller) {
    if (result == 0) {
        lt_fd_acquired(fds[0], kind, caller);
        lt_fd_acquired(fds[1], kind, caller);
    }
    return result;
}

int socket(int domain, int type, int protocol) {
    const struct lt_regs caller = LT_CALLER;
    return connected(LT_REAL(socket)(domain, type, protocol), &caller);
}

int socketpair(int domain, int type, int protocol, int fds[2]) {
    const struct lt_regs caller = LT_CALLER;
    return both(LT_REAL(socketpair)(domain, type, protocol, fds), fds, LT_KIND_SOCKET, &caller);
}

int accept(int fd, struct sockaddr *address, socklen_t *length) {
    const struct lt_regs caller = LT_CALLER;
    return connected(LT_REAL(accept)(fd, address, length), &caller);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return connected(LT_REAL(accept4)(fd, address, length, flags), &caller);
}

int pipe(int fds[2]) {
    const struct lt_regs caller = LT_CALLER;
    return both(LT_REAL(pipe)(fds), fds, LT_KIND_PIPE, &caller);
}

int __pipe(int fds[2]) {
    const struct lt_regs caller = LT_CALLER;
    return both(LT_REAL_OR(__pipe, pipe)(fds), fds, LT_KIND_PIPE, &caller);
}

int pipe2(int fds[2], int flags) {
    const struct lt_regs caller = LT_CALLER;
    return both(LT_REAL(pipe2)(fds, flags), fds, LT_KIND_PIPE, &caller);
}

int epoll_create(int size) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(epoll_create)(size), &caller);
}

int epoll_create1(int flags) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(epoll_create1)(flags), &caller);
}

int eventfd(unsigned count, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(eventfd)(count, flags), &caller);
}

int timerfd_create(int clock, int flags) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(timerfd_create)(clock, flags), &caller);
}

/* With a descriptor of its own it only changes what that one waits for. */
int signalfd(int fd, const sigset_t *signals, int flags) {
    const struct lt_regs caller = LT_CALLER;
    const int result = LT_REAL(signalfd)(fd, signals, flags);
    return fd == -1 ? watching(result, &caller) : result;
}

int inotify_init(void) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(inotify_init)(), &caller);
}

int inotify_init1(int flags) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(inotify_init1)(flags), &caller);
}

int fanotify_init(unsigned flags, unsigned file_flags) {
    const struct lt_regs caller = LT_CALLER;
    return watching(LT_REAL(fanotify_init)(flags, file_flags), &caller);
}

/* What a C library may lack answers as a kernel that lacks it. */
static int missing(void) {
    errno = ENOSYS;
    return -1;
}

int pidfd_open(pid_t pid, unsigned flags) {
    const struct lt_regs caller = LT_CALLER;
    return LT_REAL(pidfd_open) ? watching(LT_REAL(pidfd_open)(pid, flags), &caller) : missing();
}

int pidfd_getfd(int process, int fd, unsigned flags) {
    const struct lt_regs caller = LT_CALLER;
    const int result = LT_REAL(pidfd_getfd) ? LT_REAL(pidfd_getfd)(process, fd, flags) : missing();
    lt_fd_received(result, &caller);
    return result;
}

/* The descriptors of one control message: as many as the kernel has put there, whatever was sent. */
static void receive(const struct cmsghdr *part, const struct lt_regs *caller) {
    const bool carries =
        part->cmsg_level == SOL_SOCKET && (part->cmsg_type == SCM_RIGHTS || part->cmsg_type == MESSAGE_PIDFD);
    int fd;
    for (size_t at = CMSG_LEN(0); carries && at + sizeof fd <= part->cmsg_len; at += sizeof fd) {
        memcpy(&fd, (const char *)part + at, sizeof fd);
        lt_fd_received(fd, caller);
    }
}

/* Of a cut message (MSG_CTRUNC) the kernel gives no more descriptors than it tells of here. */
static void unpack(struct msghdr *message, const struct lt_regs *caller) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part))
        receive(part, caller);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    const struct lt_regs caller = LT_CALLER;
    const ssize_t result = LT_REAL(recvmsg)(fd, message, flags);
    if (result >= 0)
        unpack(message, &caller);
    return result;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    const struct lt_regs caller = LT_CALLER;
    const int result = LT_REAL(recvmmsg)(fd, messages, count, flags, timeout);
    for (int i = 0; i < result; i++)
        unpack(&messages[i].msg_hdr, &caller);
    return result;
}
