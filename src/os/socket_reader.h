/* The parts of socket_list.c: three readers of the same facts, and the words they share. For those files only. */
#ifndef LT_OS_SOCKET_READER_H
#define LT_OS_SOCKET_READER_H

#include "base/status.h"
#include "os/socket_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* One of the kernel's tables of sockets. */
struct lt_socket_table {
    uint8_t family, protocol;
    const char *kernel_name; /* what the kernel calls such a socket ("TCPv6") */
    const char *file;        /* in /proc/net, NULL: none */
};

enum { LT_SOCKET_NAMES = 63 };
struct lt_socket_names {
    uint32_t count;
    char name[LT_SOCKET_NAMES][LT_SOCKET_ADDRESS];
};

/* One lt_socket_list at work. `row` is the socket in hand: a reader empties it (lt_socket_begin), fills it in, and
 * hands it out (lt_socket_found). All three memories are parts of the caller's buffer. */
struct lt_socket_search {
    int tid;
    uint32_t count, missing; /* keys; inodes among them that have not been seen */
    uint32_t needed;         /* bit n: a socket of table n was met */
    struct lt_socket_key *keys;
    struct lt_socket *row;
    struct lt_socket_names *names;
    char *buffer;
    size_t size;
    uint64_t budget; /* how many more sockets of the lists are looked at */
    void (*see)(void *, const struct lt_socket_key *, const struct lt_socket *);
    void *context;
};

/* The key that wants the socket of a list and has not been told of it, or NULL. Takes one from the budget. */
struct lt_socket_key *lt_socket_wanted(struct lt_socket_search *, uint64_t inode);

void lt_socket_begin(struct lt_socket_search *, uint64_t inode);
void lt_socket_found(struct lt_socket_search *, struct lt_socket_key *);

/* The word for protocol, and for the type where that belongs to it: "tcp6", "unix stream". */
void lt_socket_put_protocol(struct lt_socket *, int family, int type, int protocol);

/* The word for a state as the kernel numbers them (TCP_ESTABLISHED ...), after the protocol is known. */
const char *lt_socket_state(int family, int protocol, unsigned state);

/* "127.0.0.1:80", "[::1]:80"; `address` has 4 or 16 bytes in network order, `port` is in the host's; 0: "", neither
 * bound nor connected. */
void lt_socket_put_inet(char text[static LT_SOCKET_ADDRESS], int family, const void *address, unsigned port);

/* sun_path as the kernel gives it: `size` bytes, of which an abstract name's first is NUL, or what stands for it. */
void lt_socket_put_unix(char text[static LT_SOCKET_ADDRESS], const char *path, size_t size, char nul);

/* "cid:port" of a virtual machine's socket. */
void lt_socket_put_vsock(char text[static LT_SOCKET_ADDRESS], uint32_t cid, uint32_t port);

/* The queues as lists tell them, after the state is known: for one that listens these are numbers of connections, and
 * the peer's last word (FIN) counts as a byte to be read. */
void lt_socket_put_queues(struct lt_socket *, uint64_t receive, uint64_t send);

/* Bytes of memory, from the SK_MEMINFO_VARS numbers of SO_MEMINFO. */
uint64_t lt_socket_memory(const uint32_t *meminfo);

/* By the descriptor itself: exact, and needs neither netlink nor /proc, but the calling thread's table. false where
 * `fd` is no socket of that inode (any more). */
bool lt_socket_by_descriptor(struct lt_socket_search *, struct lt_socket_key *);

/* By netlink. ask: goes through a table; 0, -E2BIG once the budget is spent, or a negative errno where the kernel
 * doesn't answer for it. */
struct lt_socket_link {
    struct lt_socket_search *search;
    const struct lt_socket_table *table; /* that is being read */
    int fd;
    uint32_t sequence;
};
LT_STATUS lt_socket_link_open(struct lt_socket_link *, struct lt_socket_search *);
LT_STATUS lt_socket_link_ask(struct lt_socket_link *, const struct lt_socket_table *);
void lt_socket_link_close(struct lt_socket_link *);

/* By the table's file in /proc/net: less is told there (no queues of unix sockets, no memory). Results as above. */
LT_STATUS lt_socket_read_proc(struct lt_socket_search *, const struct lt_socket_table *);

#endif
