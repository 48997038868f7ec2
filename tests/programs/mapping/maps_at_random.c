// Maps, unmaps, moves and protects at random, tells every call and its result, and at the end what the kernel lists:
// maps_at_random SEED COUNT. Most of it happens in a region where nobody else maps. ../../integration/mappings.py is
// the judge. Writes with no help of stdio, so that the program itself has nothing else mapped at the end than at the
// start.
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 300, LONGEST = 40, SEGMENTS = 3, SEGMENT_PAGES = 7 };

static char text[4 << 20];
static size_t length;
static unsigned seed;
static char *const region = (char *)0x200000000000;
static int segments[SEGMENTS], file;
static char *attached[64];
static unsigned attachments;

static void tell(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    length += (size_t)vsnprintf(text + length, sizeof text - length, format, arguments);
    va_end(arguments);
}

static unsigned below(unsigned n) {
    return (unsigned)rand_r(&seed) % n;
}

static char *somewhere(void) {
    const size_t page = below(PAGES); // one draw a statement: compilers differ in the order
    return region + page * PAGE + (below(30) == 0 ? 100 : 0);
}

static size_t some_length(void) {
    const size_t pages = 1 + below(LONGEST);
    return pages * PAGE - (below(4) == 0 ? below(PAGE) : 0);
}

static int some_protection(void) {
    static const int all[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC};
    return all[below(4)];
}

static void list(const char *title) {
    static char buffer[1 << 20];
    size_t size = 0;
    int fd = open("/proc/self/maps", O_RDONLY);
    for (ssize_t n; (n = read(fd, buffer + size, sizeof buffer - 1 - size)) > 0;)
        size += (size_t)n;
    buffer[size] = 0;
    close(fd);
    tell("%s\n%s", title, buffer);
}

static void told_mapped(const char *what, const void *result, size_t size, int line, int replaces) {
    tell("%s %lx %lx %d %d\n", what, (long)result, (long)size, line, replaces);
}

static void map(void) {
    const int shared = below(3) == 0 ? MAP_SHARED : MAP_PRIVATE;
    char *where = somewhere(), *result;
    size_t size = some_length();
    switch (below(6)) {
    case 0: // a hint
        result = mmap(where, size, some_protection(), shared | MAP_ANONYMOUS, -1, 0);
        told_mapped("map", result, size, __LINE__ - 1, 0);
        break;
    case 1:
        result = mmap(where, size, some_protection(), shared | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        told_mapped("map", result, size, __LINE__ - 1, 0);
        break;
    case 2:
        result = mmap(where, size, some_protection(), shared | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        told_mapped("map", result, size, __LINE__ - 1, 1);
        break;
    case 3:
        result = mmap64(where, size, some_protection(), MAP_PRIVATE | MAP_STACK | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        told_mapped("map", result, size, __LINE__ - 1, 1);
        break;
    case 4:
        result = mmap(where, size, PROT_READ, shared | MAP_FIXED, file, 0);
        told_mapped("map", result, size, __LINE__ - 1, 1);
        break;
    case 5: // no such descriptor: what was there stays
        result = mmap(where, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, 1 << 20, 0);
        told_mapped("map", result, size, __LINE__ - 1, 1);
        break;
    }
}

static void unmap(void) {
    char *where = somewhere();
    size_t size = below(20) == 0 ? 0 : some_length();
    int result = munmap(where, size);
    tell("unmap %lx %lx %d\n", (long)where, (long)size, result);
}

// A page of a segment that was moved to where the segment would have it if it began at `address` is what shmdt(address)
// takes: docs/limits.md.
static void forget_attachments(const char *moved, size_t size) {
    for (unsigned i = 0; i < attachments; i++)
        if (moved + size > attached[i] && moved < attached[i] + SEGMENT_PAGES * PAGE)
            attached[i--] = attached[--attachments];
}

static void move(void) {
    static const int all[] = {0, MREMAP_MAYMOVE, MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
                              MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP};
    char *where = somewhere(), *wanted = somewhere(), *result;
    const int flags = all[below(5)];
    size_t old_size = (size_t)below(6) * PAGE, size = (size_t)(1 + below(10)) * PAGE;
    size -= below(2) * 5;
    if (flags & MREMAP_DONTUNMAP || below(3) == 0)
        size = old_size;
    if (flags & MREMAP_FIXED && size == old_size && size > PAGE) // since Linux 6.17 that may move pages and the gaps
        size = old_size = PAGE;                                  // between them, which no other call can
    result = mremap(where, old_size, size, flags, wanted);
    tell("move %lx %lx %lx %lx %d %lx %d\n", (long)where, (long)old_size, (long)result, (long)size, flags, (long)wanted,
         __LINE__ - 2);
    if (result != MAP_FAILED)
        forget_attachments(result, size);
}

static void attach(void) {
    char *where = region + (size_t)below(PAGES) * PAGE, *result;
    const int flags = below(2) ? SHM_REMAP : 0;
    if (attachments == sizeof attached / sizeof attached[0])
        return;
    result = shmat(segments[below(SEGMENTS)], where, flags);
    told_mapped("attach", result, SEGMENT_PAGES * PAGE, __LINE__ - 1, flags != 0);
    if (result != MAP_FAILED)
        attached[attachments++] = result;
}

static void detach(void) {
    if (!attachments)
        return;
    char *where = attached[below(attachments)];
    int result = shmdt(where);
    tell("detach %lx %d\n", (long)where, result);
}

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    seed = (unsigned)atoi(arguments[1]);
    file = memfd_create("pages", 0);
    if (ftruncate(file, LONGEST * PAGE) != 0)
        return 1;
    for (int i = 0; i < SEGMENTS; i++)
        if ((segments[i] = shmget(IPC_PRIVATE, SEGMENT_PAGES * PAGE - 100, 0600)) < 0)
            return 1;
    list("before");
    tell("calls\n");
    for (int i = atoi(arguments[2]); i > 0; i--) {
        static void (*const all[])(void) = {map, map, map, unmap, move, move, attach, detach};
        all[below(8)]();
        if (below(4) == 0)
            mprotect(somewhere(), some_length(), some_protection());
    }
    list("after");
    for (int i = 0; i < SEGMENTS; i++)
        shmctl(segments[i], IPC_RMID, NULL); // gone when they are detached
    for (size_t at = 0; at < length;)
        at += (size_t)write(1, text + at, length - at);
    return 0;
}
