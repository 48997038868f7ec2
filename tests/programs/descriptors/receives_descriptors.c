// Descriptors out of a message; the second message is cut, and one of its two does not come.
#include "listing.h"

#include <sys/socket.h>
#include <sys/timerfd.h>

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(2 * sizeof(int))];
};

static void send_two(int socket_fd, int a, int b) {
    union control control = {0};
    struct iovec byte = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(2 * sizeof(int));
    memcpy(CMSG_DATA(part), (int[2]){a, b}, 2 * sizeof(int));
    need(sendmsg(socket_fd, &message, 0) == 1, "sendmsg");
}

int main(void) {
    int ends[2];
    union control control;
    char byte;
    struct iovec vector = {.iov_base = &byte, .iov_len = 1};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends); // HOLDS 2 socket
    const int timer = timerfd_create(CLOCK_MONOTONIC, 0), file = open("/etc/passwd", O_RDONLY);
    send_two(ends[0], timer, file);
    send_two(ends[0], file, timer);
    close(timer);
    close(file);
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    need(recvmsg(ends[1], &message, 0) == 1, "recvmsg"); // HOLDS 1 event origin=received, 1 file origin=received
    message.msg_controllen = CMSG_LEN(sizeof(int));
    need(recvmsg(ends[1], &message, 0) == 1, "recvmsg"); // HOLDS 1 file origin=received
    need(message.msg_flags & MSG_CTRUNC, "MSG_CTRUNC");
    list_descriptors();
    return 0;
}
