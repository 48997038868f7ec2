/* The hooks of streams and directory streams: FILE and DIR. libc opens and closes what is under them by calls of its
 * own that no hook sees, so these say it all. A stream has the kind of its descriptor; one without (fmemopen,
 * open_memstream) is a resource of its own, known by its address. */
#include "preload/descriptor.h"
#include "preload/event.h"
#include "preload/hooks.h"
#include "preload/real.h"
#include "track/handles.h"

#include <errno.h>
#include <stdio.h>

/* Not <dirent.h>: it says that closedir is never given NULL, which it is, and answers. */
int dirfd(struct __dirstream *directory);

/* -1 where there is none. */
static int number_of(FILE *stream) {
    const int saved = errno;
    const int fd = fileno(stream);
    errno = saved;
    return fd;
}

static FILE *opened(FILE *stream, enum lt_kind kind, const struct lt_regs *caller) {
    if (stream)
        lt_fd_acquired_via(number_of(stream), kind, LT_VIA_STREAM, caller);
    return stream;
}

/* A stream without a descriptor. */
static FILE *made(FILE *stream, const struct lt_regs *caller) {
    struct lt_event event;
    if (!stream || !lt_event_begin(&event, LT_KIND_STREAM, 0, caller))
        return stream;
    const struct lt_handle handle = {.handle = (uintptr_t)stream, .holding = event.holding, .kind = LT_KIND_STREAM};
    if (!lt_handle_put(&handle))
        lt_resource_release(event.thread, &event.holding, 1, 0);
    lt_event_end(&event);
    return stream;
}

/* A stream is gone whether its last write succeeds or not. Gives the kind of its descriptor. */
static enum lt_kind closing(FILE *stream) {
    struct lt_descriptor held = {.kind = LT_KIND_FILE};
    struct lt_handle handle;
    const int fd = stream ? number_of(stream) : -1;
    if (fd >= 0)
        lt_fd_released(fd, &held);
    else if (lt_handle_take(LT_KIND_STREAM, (uintptr_t)stream, &handle))
        lt_resource_release(lt_event_thread(), &handle.holding, 1, 0);
    return held.kind;
}

FILE *fopen(const char *path, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(fopen)(path, mode), LT_KIND_FILE, &caller);
}

FILE *_IO_fopen(const char *path, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL_OR(_IO_fopen, fopen)(path, mode), LT_KIND_FILE, &caller);
}

FILE *fopen64(const char *path, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(fopen64)(path, mode), LT_KIND_FILE, &caller);
}

FILE *tmpfile(void) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(tmpfile)(), LT_KIND_FILE, &caller);
}

FILE *tmpfile64(void) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(tmpfile64)(), LT_KIND_FILE, &caller);
}

FILE *popen(const char *command, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL(popen)(command, mode), LT_KIND_PIPE, &caller);
}

FILE *_IO_popen(const char *command, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return opened(LT_REAL_OR(_IO_popen, popen)(command, mode), LT_KIND_PIPE, &caller);
}

static FILE *put_stream_on(FILE *(*real)(int, const char *), int fd, const char *mode) {
    if (lt_fd_is_ours(fd)) {
        errno = EBADF;
        return NULL;
    }
    FILE *stream = real(fd, mode);
    if (stream)
        lt_fd_goes_via(fd, LT_VIA_STREAM);
    return stream;
}

FILE *fdopen(int fd, const char *mode) {
    return put_stream_on(LT_REAL(fdopen), fd, mode);
}

FILE *_IO_fdopen(int fd, const char *mode) {
    return put_stream_on(LT_REAL_OR(_IO_fdopen, fdopen), fd, mode);
}

/* The stream stays, its file goes, also where the new one can't be opened. Without a path it is the same file anew. */
FILE *freopen(const char *path, const char *mode, FILE *stream) {
    const struct lt_regs caller = LT_CALLER;
    const enum lt_kind kind = closing(stream);
    return opened(LT_REAL(freopen)(path, mode, stream), path ? LT_KIND_FILE : kind, &caller);
}

FILE *freopen64(const char *path, const char *mode, FILE *stream) {
    const struct lt_regs caller = LT_CALLER;
    const enum lt_kind kind = closing(stream);
    return opened(LT_REAL(freopen64)(path, mode, stream), path ? LT_KIND_FILE : kind, &caller);
}

FILE *fmemopen(void *buffer, size_t size, const char *mode) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(fmemopen)(buffer, size, mode), &caller);
}

FILE *open_memstream(char **buffer, size_t *size) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(open_memstream)(buffer, size), &caller);
}

FILE *open_wmemstream(wchar_t **buffer, size_t *size) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(open_wmemstream)(buffer, size), &caller);
}

FILE *fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions) {
    const struct lt_regs caller = LT_CALLER;
    return made(LT_REAL(fopencookie)(cookie, mode, functions), &caller);
}

int fclose(FILE *stream) {
    closing(stream);
    return LT_REAL(fclose)(stream);
}

int _IO_fclose(FILE *stream) {
    closing(stream);
    return LT_REAL_OR(_IO_fclose, fclose)(stream);
}

int pclose(FILE *stream) {
    closing(stream);
    return LT_REAL(pclose)(stream);
}

struct __dirstream *opendir(const char *path) {
    const struct lt_regs caller = LT_CALLER;
    struct __dirstream *directory = LT_REAL(opendir)(path);
    if (directory)
        lt_fd_acquired_via(dirfd(directory), LT_KIND_DIRECTORY, LT_VIA_DIRECTORY, &caller);
    return directory;
}

struct __dirstream *fdopendir(int fd) {
    if (lt_fd_is_ours(fd)) {
        errno = EBADF;
        return NULL;
    }
    struct __dirstream *directory = LT_REAL(fdopendir)(fd);
    if (directory)
        lt_fd_goes_via(fd, LT_VIA_DIRECTORY);
    return directory;
}

int closedir(struct __dirstream *directory) {
    struct lt_descriptor held;
    if (directory)
        lt_fd_released(dirfd(directory), &held);
    return LT_REAL(closedir)(directory);
}
