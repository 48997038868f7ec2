/* What the kernel knows of sockets: protocol, state, addresses, queues. */
#ifndef LT_OS_SOCKET_LIST_H
#define LT_OS_SOCKET_LIST_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A socket that the caller wants to know of. */
struct lt_socket_key {
    uint64_t inode; /* the number in "socket:[...]" */
    int fd;         /* a descriptor of it */
    uint32_t peer;  /* 0; this and the next ones are private */
    uint16_t peer_name;
    bool seen;
};

enum { LT_SOCKET_ADDRESS = 112 }; /* sun_path has 108 bytes, and there is '@' and NUL */

struct lt_socket {
    uint64_t inode;
    char protocol[24]; /* "tcp", "tcp6", "udp", "udp6", "raw", "unix stream", "unix dgram", "unix seqpacket", "netlink",
                        * "packet", ...; the kernel's name of it in lower case where there is no word here */
    const char *state; /* tcp: "ESTABLISHED", "CLOSE_WAIT", "LISTEN" ... ("CLOSE": neither connected nor listening);
                        * others "ESTABLISHED", "LISTEN" or "UNCONN"; "" unknown. A static string. */
    char local[LT_SOCKET_ADDRESS]; /* "127.0.0.1:80", "[::1]:80", "*:0" is "0.0.0.0:0"; "/path", "@abstract"; "" none */
    char peer[LT_SOCKET_ADDRESS];  /* likewise */
    uint64_t receive;              /* bytes waiting to be read; 0 for one that listens */
    uint64_t send;                 /* bytes not yet taken, or acknowledged, by the peer */
    uint64_t memory;               /* bytes of kernel memory in its buffers; 0 unknown */
};

enum { LT_SOCKET_BUFFER = 32 * 1024 }; /* least size of the buffer; it is aligned to 8 */

/* Calls `see` once for each key (the first of those with the same inode) about which anything is known, in no
 * particular order. `keys` are sorted by inode, the private fields 0; `tid` is as in fd_list.h. Takes one
 * descriptor, moved above the low ones, for as long as it lasts. 0, or -E2BIG where the network namespace has so many
 * sockets (half a million) that not all were looked at and some are missing. Nothing blocks. */
LT_STATUS lt_socket_list(int tid, struct lt_socket_key *keys, uint32_t count, char *buffer, size_t size,
                         void (*see)(void *context, const struct lt_socket_key *, const struct lt_socket *),
                         void *context);

#endif
