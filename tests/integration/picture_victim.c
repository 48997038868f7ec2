/* picture_victim CASE: comes to hold resources in ways of its own, says "ready", and does nothing more that an outside
 * judge could see: it only allocates and frees, so that a snapshot can be asked for. What it says after "ready" are the
 * numbers that the judge needs. Cases that work under load do so until a line comes on stdin. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = 4 };

static void check(int condition, const char *what) {
    if (condition)
        return;
    perror(what);
    exit(96);
}

static int opened(const char *path) {
    const int fd = open(path, O_RDONLY);
    check(fd >= 0, path);
    return fd;
}

static _Noreturn void stand_still(void) {
    fflush(stdout);
    for (;;) {
        void *volatile block = malloc(10);
        free(block);
        usleep(200);
    }
}

static _Noreturn void be_ready(const char *numbers) {
    printf("ready %s\n", numbers);
    stand_still();
}

static _Noreturn void say_numbers(int a, int b, int c) {
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%d %d %d", a, b, c);
    be_ready(numbers);
}

/* What no hook sees: one opened, one closed, one replaced by another type. */
static void raw(void) {
    const int unknown = (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
    const int closed = opened("/etc/passwd"), replaced = opened("/etc/passwd");
    const int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
    check(unknown >= 0 && socket_ >= 0, "raw");
    check(syscall(SYS_close, closed) == 0, "close");
    check(syscall(SYS_dup3, socket_, replaced, 0) == replaced, "dup3");
    say_numbers(unknown, closed, replaced);
}

static void many(void) {
    const struct rlimit limit = {12000, 12000};
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
    int last = 0;
    for (int i = 0; i < 10000; i++)
        last = opened("/etc/passwd");
    say_numbers(10000, last, 0);
}

/* A server whose clients have gone and that never closes: CLOSE_WAIT. */
static void close_wait(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(server, (void *)&address, size) == 0 && listen(server, 16) == 0, "listen");
    check(getsockname(server, (void *)&address, &size) == 0, "getsockname");
    for (int i = 0; i < 5; i++) {
        const int client = socket(AF_INET, SOCK_STREAM, 0);
        check(connect(client, (void *)&address, size) == 0, "connect");
        check(accept(server, NULL, NULL) >= 0, "accept");
        check(close(client) == 0, "close");
    }
    say_numbers(5, ntohs(address.sin_port), server);
}

/* ---- mappings ---- */

static char *mapped(size_t pages) {
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(at != MAP_FAILED, "mmap");
    return at;
}

static void mappings(void) {
    char numbers[128];
    char *whole = mapped(16), *parted = mapped(16), *gone = mapped(16);
    char *raw_ = (char *)syscall(SYS_mmap, NULL, 7 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(mprotect(whole + 4 * PAGE, PAGE, PROT_READ) == 0, "mprotect");
    check(munmap(parted + 4 * PAGE, 2 * PAGE) == 0, "munmap");
    check(syscall(SYS_munmap, gone + 8 * PAGE, 8 * PAGE) == 0, "raw munmap");
    const int file = opened("/etc/passwd");
    check(mmap(whole + 8 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) != MAP_FAILED, "mmap file");
    snprintf(numbers, sizeof numbers, "%lu %lu %lu %lu", (uintptr_t)whole, (uintptr_t)parted, (uintptr_t)gone,
             (uintptr_t)raw_);
    be_ready(numbers);
}

/* ---- under load ---- */

static atomic_int stop;

static void *descriptors_under_load(void *unused) {
    const int kept = opened("/dev/null"), other = opened("/dev/zero");
    while (!stop) {
        const int fd = opened("/etc/passwd"), copy = dup(fd), event = eventfd(1, 0);
        check(dup2(fd, kept) == kept && dup2(other, kept) == kept, "dup2");
        check(close(copy) == 0 && close(event) == 0 && close(fd) == 0, "close");
    }
    return unused;
}

static void *mappings_under_load(void *unused) {
    mapped(5);
    while (!stop) {
        char *at = mapped(8);
        check(munmap(at + PAGE, 3 * PAGE) == 0, "munmap"); /* the hole may be another thread's at once */
        check(munmap(at, PAGE) == 0 && munmap(at + 4 * PAGE, 4 * PAGE) == 0, "munmap");
    }
    return unused;
}

static void *allocate(void *unused) {
    (void)unused;
    return malloc(10);
}

static void *threads_under_load(void *unused) {
    while (!stop) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, allocate, NULL) == 0, "pthread_create");
        void *block;
        pthread_join(thread, &block);
        free(block);
    }
    return unused;
}

/* The line on stdin ends the load; then all is as it was, but for what each thread keeps. */
static void load(void) {
    pthread_t threads[3 * THREADS];
    void *(*const work[])(void *) = {descriptors_under_load, mappings_under_load, threads_under_load};
    for (int i = 0; i < 3 * THREADS; i++)
        check(pthread_create(&threads[i], NULL, work[i % 3], NULL) == 0, "pthread_create");
    printf("loaded\n");
    fflush(stdout);
    (void)!getchar();
    stop = 1;
    for (int i = 0; i < 3 * THREADS; i++)
        pthread_join(threads[i], NULL);
    say_numbers(2 * THREADS, THREADS, 5 * PAGE);
}

/* ---- surroundings ---- */

static void *go_on(void *unused) {
    (void)unused;
    usleep(100000);
    say_numbers((int)syscall(SYS_gettid), opened("/etc/passwd"), 0);
}

static void leave(void) {
    pthread_t thread;
    opened("/etc/passwd");
    check(pthread_create(&thread, NULL, go_on, NULL) == 0, "pthread_create");
    pthread_exit(NULL);
}

static void *end_with_own_table(void *fd) {
    check(unshare(CLONE_FILES) == 0, "unshare");
    check(close((int)(intptr_t)fd) == 0, "close"); /* of this thread's copy */
    exit(0);
}

/* The last snapshot is taken by a thread whose descriptors are not the program's. */
static void own_table(void) {
    pthread_t thread;
    const int fd = opened("/etc/passwd");
    check(pthread_create(&thread, NULL, end_with_own_table, (void *)(intptr_t)fd) == 0, "pthread_create");
    for (;;)
        pause();
}

static void without_proc(void) {
    const int fd = opened("/etc/passwd");
    check(chroot("/sys") == 0 && chdir("/") == 0, "chroot");
    check(syscall(SYS_close, opened("/")) == 0, "close");
    say_numbers(fd, 0, 0);
}

static void *idle(void *unused) {
    for (;;)
        pause();
    return unused;
}

static void *end(void *unused) {
    return unused;
}

static void threads(void) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    for (int i = 0; i < 3; i++)
        check(pthread_create(&thread, &attributes, idle, NULL) == 0, "pthread_create");
    for (int i = 0; i < 2; i++)
        check(pthread_create(&thread, NULL, end, NULL) == 0, "pthread_create");
    check(pthread_create(&thread, NULL, end, NULL) == 0 && pthread_detach(thread) == 0, "detached");
    usleep(200000);
    say_numbers(3, 2, 1 << 20);
}

/* All that the C library maps by itself; and a mapping that nobody has seen. */
static void libc(void) {
    pthread_t joined[3], detached;
    const long raw = syscall(SYS_mmap, NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(raw > 0, "mmap");
    check(setlocale(LC_ALL, "C.UTF-8") != NULL, "setlocale");
    for (int i = 0; i < 3; i++)
        check(pthread_create(&joined[i], NULL, end, NULL) == 0, "pthread_create");
    check(pthread_create(&detached, NULL, end, NULL) == 0 && pthread_detach(detached) == 0, "detached");
    for (int i = 0; i < 3; i++)
        check(pthread_join(joined[i], NULL) == 0, "pthread_join");
    void *volatile blocks[] = {malloc(1 << 20), calloc(3, 1 << 18), aligned_alloc(1 << 16, 1 << 21), malloc(1 << 18)};
    blocks[3] = realloc(blocks[3], 3 << 20);
    check(blocks[0] && blocks[1] && blocks[2] && blocks[3], "malloc");
    usleep(200000);
    char numbers[64];
    snprintf(numbers, sizeof numbers, "%lu %zu", (unsigned long)raw, (size_t)3 * PAGE);
    be_ready(numbers);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"raw", raw},
        {"many", many},
        {"close_wait", close_wait},
        {"mappings", mappings},
        {"load", load},
        {"leave", leave},
        {"without_proc", without_proc},
        {"threads", threads},
        {"own_table", own_table},
        {"libc", libc},
    };
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    fprintf(stderr, "usage: picture_victim CASE\n");
    return 2;
}
