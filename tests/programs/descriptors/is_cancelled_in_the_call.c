// Threads that are cancelled while they wait in a call that opens: the hook is left by the unwinder, and nothing with
// it.
#include "listing.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int server, ends[2];

static void *open_a_fifo(void *unused) {
    open("fifo", O_RDONLY);
    return unused;
}

static void *accept_a_client(void *unused) {
    accept(server, NULL, NULL);
    return unused;
}

static void *accept_a_client_4(void *unused) {
    accept4(server, NULL, NULL, 0);
    return unused;
}

static void *receive(void *unused) {
    char byte;
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    (void)recvmsg(ends[0], &message, 0);
    return unused;
}

static void *wait_for_a_lock(void *unused) {
    struct flock lock = {.l_type = F_WRLCK};
    fcntl(server, F_OFD_SETLKW, &lock);
    return unused;
}

int main(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    void *(*const calls[])(void *) = {open_a_fifo, accept_a_client, accept_a_client_4, receive, wait_for_a_lock};
    mkfifo("fifo", 0600);
    server = socket(AF_UNIX, SOCK_STREAM, 0); // HOLDS 1 socket
    need(bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 1) == 0, "listen");
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends); // HOLDS 2 socket
    for (int round = 0; round < 5; round++)
        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
            pthread_t thread;
            need(pthread_create(&thread, NULL, calls[i], NULL) == 0, "pthread_create");
            if (round)
                usleep(2000);
            need(pthread_cancel(thread) == 0 || errno == ESRCH, "pthread_cancel");
            pthread_join(thread, NULL);
        }
    open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    list_descriptors();
    return 0;
}
