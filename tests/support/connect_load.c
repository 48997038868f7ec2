/* connect_load PORT COUNT AT_ONCE REQUEST: opens COUNT connections to 127.0.0.1:PORT, AT_ONCE of them at a time, sends
 * REQUEST over each, waits for the first bytes of an answer, and closes. Prints how many were answered.
 *
 * Closes by reset: an orderly end would leave each pair of ports in TIME_WAIT for a minute, and there are only 28,000.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in server = {.sin_family = AF_INET};
static const char *request;
static int epoll, to_open, answered, failed;

static void fail(const char *what) {
    fprintf(stderr, "connect_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_one(void) {
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0)
        fail("socket");
    if (connect(fd, (const struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
        fail("connect");
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
}

static void close_one(int fd, bool good) {
    answered += good;
    failed += !good;
    close(fd);
    if (to_open > 0) {
        to_open--;
        open_one();
    }
}

static bool send_request(int fd) {
    struct epoll_event wait = {.events = EPOLLIN, .data.fd = fd};
    return write(fd, request, strlen(request)) == (ssize_t)strlen(request) &&
           epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &wait) == 0;
}

static void go_on(const struct epoll_event *event) {
    char answer[4096];
    const int fd = event->data.fd;
    if (event->events & EPOLLIN)
        close_one(fd, read(fd, answer, sizeof answer) > 0);
    else if ((event->events & (EPOLLERR | EPOLLHUP)) || !send_request(fd))
        close_one(fd, false);
}

int main(int argc, char **argv) {
    struct epoll_event events[64];
    if (argc != 5)
        return 2;
    const int count = atoi(argv[2]), at_once = atoi(argv[3]);
    server.sin_port = htons((unsigned short)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request = argv[4];
    epoll = epoll_create1(EPOLL_CLOEXEC);
    to_open = count > at_once ? count - at_once : 0;
    for (int i = 0; i < count && i < at_once; i++)
        open_one();
    while (answered + failed < count) {
        const int n = epoll_wait(epoll, events, 64, 10000);
        if (n <= 0 && errno != EINTR)
            fail("nothing happens");
        for (int i = 0; i < n; i++)
            go_on(&events[i]);
    }
    printf("%d\n", answered);
    return failed ? 1 : 0;
}
