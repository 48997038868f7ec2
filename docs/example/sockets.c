/* A client that never closes its connections, or a server (argument "server"): the peer closes, and the sockets stay in
 * CLOSE_WAIT until the process runs out of descriptors. Says "ready", and ends with its input. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 20 };

static int checked(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(2);
    }
    return result;
}

static int listen_somewhere(struct sockaddr_in *address) {
    socklen_t size = sizeof *address;
    int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    checked(bind(listener, (struct sockaddr *)address, size), "bind");
    checked(listen(listener, CONNECTIONS), "listen");
    checked(getsockname(listener, (struct sockaddr *)address, &size), "getsockname");
    return listener;
}

static int call_backend(const struct sockaddr_in *address) {
    int connection = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(connect(connection, (const struct sockaddr *)address, sizeof *address), "connect");
    return connection;
}

static int take_call(int listener) {
    return checked(accept(listener, NULL, NULL), "accept");
}

static void hear_the_peer_close(int connection) {
    char byte;
    checked((int)read(connection, &byte, 1), "read");
}

int main(int argc, char **argv) {
    int keeps_calls_taken = argc > 1 && strcmp(argv[1], "server") == 0;
    struct sockaddr_in address;
    int listener = listen_somewhere(&address);
    for (int i = 0; i < CONNECTIONS; i++) {
        int client = call_backend(&address), server = take_call(listener);
        close(keeps_calls_taken ? client : server);
        hear_the_peer_close(keeps_calls_taken ? server : client);
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
