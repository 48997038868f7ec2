#include "os/file.h"

#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u /* Linux 6.3 */
#endif

/* The kernel's signal set: 64 bits, a number to each signal from 1 on. */
typedef uint64_t kernel_sigset;
enum { SIGNAL_SET_SIZE = sizeof(kernel_sigset) };
#define SET_OF(signal) ((kernel_sigset)1 << ((signal)-1))

/* Writing may raise SIGPIPE (nobody reads) or SIGXFSZ (the file would grow past RLIMIT_FSIZE), and both kill a program
 * that did not expect them from us. They go to the writing thread, so it keeps them blocked and eats the one it raised.
 */
struct shield {
    kernel_sigset mask, pending;
};

static const kernel_sigset write_signals = SET_OF(SIGPIPE) | SET_OF(SIGXFSZ);

static struct shield raise_shield(void) {
    struct shield s = {0, 0};
    lt_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, LT_ARG(&write_signals), LT_ARG(&s.mask), SIGNAL_SET_SIZE);
    lt_syscall2(SYS_rt_sigpending, LT_ARG(&s.pending), SIGNAL_SET_SIZE);
    return s;
}

static void lower_shield(const struct shield *s, long result) {
    kernel_sigset ours = write_signals & ~s->pending;
    struct timespec now = {0, 0};
    if ((result == -EPIPE || result == -EFBIG) && ours)
        lt_syscall4(SYS_rt_sigtimedwait, LT_ARG(&ours), 0, LT_ARG(&now), SIGNAL_SET_SIZE);
    lt_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, LT_ARG(&s->mask), 0, SIGNAL_SET_SIZE);
}

static void info_of(struct lt_file_info *info, const struct stat *st) {
    *info = (struct lt_file_info){
        .id = {.device = st->st_dev, .inode = st->st_ino},
        .size = (uint64_t)st->st_size,
        .allocated = (uint64_t)st->st_blocks * 512,
        .mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec,
        .mode = st->st_mode,
        .links = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
    };
}

int lt_file_info(int fd, struct lt_file_info *info) {
    struct stat st;
    int status = (int)lt_syscall2(SYS_fstat, fd, LT_ARG(&st));
    if (!status)
        info_of(info, &st);
    return status;
}

static int info_at(const char *path, struct lt_file_info *info, int flags) {
    struct stat st;
    int status = (int)lt_syscall4(SYS_newfstatat, AT_FDCWD, LT_ARG(path), LT_ARG(&st), flags);
    if (!status)
        info_of(info, &st);
    return status;
}

int lt_path_info(const char *path, struct lt_file_info *info) {
    return info_at(path, info, 0);
}

int lt_link_info(const char *path, struct lt_file_info *info) {
    return info_at(path, info, AT_SYMLINK_NOFOLLOW);
}

static long open_once(const char *path, int flags, unsigned mode) {
    long fd;
    do
        fd = lt_syscall4(SYS_openat, AT_FDCWD, LT_ARG(path), flags | O_CLOEXEC, (long)mode);
    while (fd == -EINTR);
    return fd;
}

/* A program that leaks descriptors has none left for us just when a snapshot matters most. So its limit is raised for
 * the length of one call: the soft one where the hard one is higher, else both, which is permitted to root. */
static long open_beyond_limit(const char *path, int flags, unsigned mode) {
    struct rlimit limit, more;
    if (lt_syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, LT_ARG(&limit)) < 0)
        return -EMFILE;
    more.rlim_max = limit.rlim_cur < limit.rlim_max ? limit.rlim_max : limit.rlim_max + 64;
    more.rlim_cur = more.rlim_max;
    if (lt_syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, LT_ARG(&more), 0) < 0)
        return -EMFILE;
    const long fd = open_once(path, flags, mode);
    lt_syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, LT_ARG(&limit), 0);
    return fd;
}

int lt_open(const char *path, int flags, unsigned mode) {
    const long fd = open_once(path, flags, mode);
    return (int)(fd == -EMFILE ? open_beyond_limit(path, flags, mode) : fd);
}

bool lt_fd_is_open(int fd) {
    return lt_syscall2(SYS_fcntl, fd, F_GETFD) != -EBADF;
}

void lt_close(int fd) {
    lt_syscall1(SYS_close, fd); /* never again on EINTR: Linux has closed it by then */
}

int lt_fd_move(int fd, int least) {
    long moved = lt_syscall3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least);
    if (moved >= 0)
        lt_close(fd);
    return (int)moved;
}

int lt_fd_high(void) {
    struct rlimit limit;
    if (lt_syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, LT_ARG(&limit)) < 0 || limit.rlim_cur > 1024)
        limit.rlim_cur = 1024;
    const int end = (int)limit.rlim_cur;
    return end > 19 ? end - 16 : end > 6 ? end - 2 : 3;
}

int lt_fd_move_high(int fd) {
    const int moved = lt_fd_move(fd, lt_fd_high());
    return moved < 0 && fd < 3 ? lt_fd_move(fd, 3) : moved;
}

LT_HOT_DATA _Atomic int lt_fd_lowest_kept = INT_MAX;

int lt_fd_keep(int fd) {
    int lowest = atomic_load(&lt_fd_lowest_kept);
    while (fd >= 0 && fd < lowest && !atomic_compare_exchange_weak(&lt_fd_lowest_kept, &lowest, fd))
        ;
    return fd;
}

/* What lies above the last one kept is not even copied: a server with 100,000 sockets pays for the first thousand. */
int lt_fds_private(const int *keep, unsigned count) {
    unsigned from = count ? (unsigned)keep[count - 1] + 1 : 0;
    int status = (int)lt_syscall3(SYS_close_range, from, UINT_MAX, CLOSE_RANGE_UNSHARE);
    if (status < 0)
        status = (int)lt_syscall1(SYS_unshare, CLONE_FILES); /* Linux before 5.9: the copies stay open */
    from = 0;
    for (unsigned i = 0; !status && i < count; i++) {
        if (keep[i] > (int)from)
            lt_syscall3(SYS_close_range, from, keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    return status;
}

/* Calls `number`(fd, bytes, size, offset) until all is written; write ignores the offset. */
static int write_whole(long number, int fd, const void *bytes, size_t size, uint64_t offset) {
    const char *at = bytes;
    long n = 0;
    struct shield shield = raise_shield();
    while (size && n >= 0) {
        n = lt_syscall4(number, fd, LT_ARG(at), (long)size, (long)offset);
        if (n == -EINTR)
            n = 0;
        else if (n == 0)
            n = -EIO; /* a device that takes nothing and says nothing would hold us here for ever */
        if (n > 0) {
            at += n;
            offset += (uint64_t)n;
            size -= (size_t)n;
        }
    }
    lower_shield(&shield, n);
    return n < 0 ? (int)n : 0;
}

uint64_t lt_file_size_limit(void) {
    struct rlimit limit;
    if (lt_syscall4(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, LT_ARG(&limit)) < 0)
        return UINT64_MAX;
    return limit.rlim_cur;
}

int lt_pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset) {
    uint64_t limit = lt_file_size_limit();
    if (offset > limit || size > limit - offset)
        return -EFBIG;
    return write_whole(SYS_pwrite64, fd, bytes, size, offset);
}

int lt_write_all(int fd, const void *bytes, size_t size) {
    return write_whole(SYS_write, fd, bytes, size, 0);
}

int64_t lt_pread_all(int fd, void *bytes, size_t size, uint64_t offset) {
    char *at = bytes;
    size_t done = 0;
    while (done < size) {
        long n = lt_syscall4(SYS_pread64, fd, LT_ARG(at + done), (long)(size - done), (long)(offset + done));
        if (n == -EINTR)
            continue;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

int lt_file_lock(int fd) {
    return (int)lt_syscall2(SYS_flock, fd, LOCK_EX | LOCK_NB);
}

int lt_file_truncate(int fd, uint64_t size) {
    struct shield shield = raise_shield(); /* growing past RLIMIT_FSIZE raises SIGXFSZ here too */
    long status = lt_syscall2(SYS_ftruncate, fd, (long)size);
    lower_shield(&shield, status);
    return (int)status;
}

int lt_file_punch_hole(int fd, uint64_t offset, uint64_t size) {
    return (int)lt_syscall4(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (long)offset, (long)size);
}

int lt_rename(const char *from, const char *to) {
    return (int)lt_syscall4(SYS_renameat, AT_FDCWD, LT_ARG(from), AT_FDCWD, LT_ARG(to));
}

int lt_unlink(const char *path) {
    return (int)lt_syscall3(SYS_unlinkat, AT_FDCWD, LT_ARG(path), 0);
}

int lt_getcwd(char *path, size_t size) {
    long length = lt_syscall2(SYS_getcwd, LT_ARG(path), (long)size);
    if (length > 0 && path[0] != '/') /* "(unreachable)/x": outside of the root directory */
        return -ENOENT;
    return length < 0 ? (int)length : 0;
}

int lt_memfd_sealed(const char *name, size_t size) {
    const long flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    long fd = lt_syscall2(SYS_memfd_create, LT_ARG(name), flags | MFD_NOEXEC_SEAL);
    if (fd == -EINVAL)
        fd = lt_syscall2(SYS_memfd_create, LT_ARG(name), flags);
    if (fd < 0)
        return (int)fd;
    long status = lt_file_truncate((int)fd, size);
    if (!status)
        status = lt_syscall3(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    if (!status)
        return (int)fd;
    lt_close((int)fd);
    return (int)status;
}

void *lt_file_map_shared(int fd, size_t size) {
    return lt_mapping(lt_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}
