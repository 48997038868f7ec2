/* What a test has a program do with descriptors:
 *
 *   uses_descriptors pairs N          N times: open and close a file, a socket, a pipe, a copy
 *   uses_descriptors leave N          leaves N of each open
 *   uses_descriptors exhaust N        opens files until the limit, N, is reached
 *   uses_descriptors client PORT N    connects N times, is left by the server, and closes nothing
 *   uses_descriptors server N         accepts N connections, whose clients leave, and closes nothing */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(int good, const char *what) {
    if (!good) {
        perror(what);
        exit(1);
    }
}

static void open_and_close(void) {
    int ends[2];
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = dup(file), link = socket(AF_INET, SOCK_STREAM, 0);
    check(file >= 0 && copy >= 0 && link >= 0 && pipe(ends) == 0, "open");
    check(!close(file) && !close(copy) && !close(link) && !close(ends[0]) && !close(ends[1]), "close");
}

static void leave_open(void) {
    int ends[2];
    check(open("/etc/passwd", O_RDONLY) >= 0 && fopen("/etc/group", "r") && dup(1) >= 0, "open");
    check(socket(AF_INET, SOCK_STREAM, 0) >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socket");
    check(pipe(ends) == 0 && eventfd(0, 0) >= 0, "pipe");
}

static void exhaust(int limit) {
    const struct rlimit few = {(rlim_t)limit, (rlim_t)limit};
    check(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
    while (open("/etc/passwd", O_RDONLY) >= 0)
        ;
}

/* Until the other side has closed. */
static void wait_until_left(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    check(poll(&poll_fd, 1, 20000) == 1 && (poll_fd.revents & POLLRDHUP), "poll");
}

__attribute__((noinline)) static void connect_and_forget(const struct sockaddr_in *server) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(fd >= 0 && connect(fd, (const struct sockaddr *)server, sizeof *server) == 0, "connect");
    wait_until_left(fd);
}

__attribute__((noinline)) static void accept_and_forget(int listener) {
    const int fd = accept(listener, NULL, NULL);
    check(fd >= 0, "accept");
    wait_until_left(fd);
}

static void be_client(int port, int count) {
    const struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (int i = 0; i < count; i++)
        connect_and_forget(&server);
}

static void be_server(int count) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof here;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (const struct sockaddr *)&here, size) == 0 && listen(listener, 50) == 0, "listen");
    check(getsockname(listener, (struct sockaddr *)&here, &size) == 0, "getsockname");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (int i = 0; i < count; i++)
        accept_and_forget(listener);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    const int count = argc > 2 ? atoi(argv[argc - 1]) : 0;
    if (strcmp(what, "client") == 0 && argc == 4)
        be_client(atoi(argv[2]), count);
    else if (strcmp(what, "server") == 0)
        be_server(count);
    else if (strcmp(what, "exhaust") == 0)
        exhaust(count);
    else if (strcmp(what, "pairs") == 0 || strcmp(what, "leave") == 0)
        for (int i = 0; i < count; i++)
            what[0] == 'p' ? open_and_close() : leave_open();
    else
        return 2;
    return 0;
}
