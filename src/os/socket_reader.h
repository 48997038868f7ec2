/* The parts of socket_list.c: three readers of the same facts, and the words they share. For those files only. */
#ifndef LT_OS_SOCKET_READER_H
#define LT_OS_SOCKET_READER_H

#include "base/status.h"
#include "os/socket_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* One lt_socket_list at work. `row` is the socket in hand: a reader empties it (lt_socket_begin), fills it in, and
 * hands it out (lt_socket_found). */
struct lt_socket_search {
    int tid;
    struct lt_socket_key *keys;
    uint32_t count, missing; /* keys, and those of another inode than the one before that are not yet seen */
    char *buffer;
    size_t size;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    void (*see)(void *, const struct lt_socket_key *, const struct lt_socket *);
    void *context;
    struct lt_socket *row;
};

/* The key that wants the socket and has not been told of it, or NULL. */
struct lt_socket_key *lt_socket_wanted(struct lt_socket_search *, uint64_t inode);

void lt_socket_begin(struct lt_socket_search *, uint64_t inode);
void lt_socket_found(struct lt_socket_search *, struct lt_socket_key *);

/* The word for protocol, and for the type where that belongs to it: "tcp6", "unix stream". */
void lt_socket_put_protocol(struct lt_socket *, int family, int type, int protocol);

/* The word for a state as the kernel numbers them (TCP_ESTABLISHED ...), after the protocol is known. */
const char *lt_socket_state(int family, int protocol, unsigned state);

/* "127.0.0.1:80", "[::1]:80"; `address` has 4 or 16 bytes in network order, `port` is in the host's. */
void lt_socket_put_inet(char text[static LT_SOCKET_ADDRESS], int family, const void *address, unsigned port);

/* sun_path as the kernel gives it: `size` bytes, of which an abstract name's first is NUL. */
void lt_socket_put_unix(char text[static LT_SOCKET_ADDRESS], const char *path, size_t size);

/* Bytes of memory, from the SK_MEMINFO_VARS numbers of SO_MEMINFO. */
uint64_t lt_socket_memory(const uint32_t *meminfo);

/* By the descriptor itself: exact, and needs neither netlink nor /proc, but the calling thread's table. false where
 * `fd` is no socket of that inode (any more). */
bool lt_socket_by_descriptor(struct lt_socket_search *, struct lt_socket_key *);

#endif
