/* Which way to ask:
 *
 *   by the descriptor   exact and cheap, but only by who shares the program's table
 *   sock_diag           one list per protocol, of the whole network namespace
 *   /proc/net           the same in text, where netlink is refused */
#include "os/socket_list.h"

#include "os/clock.h"
#include "os/socket_reader.h"

#include <errno.h>
#include <string.h>

static const uint64_t patience_ns = 1000 * 1000 * 1000;

struct lt_socket_key *lt_socket_wanted(struct lt_socket_search *search, uint64_t inode) {
    uint32_t low = 0, high = search->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (search->keys[middle].inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    struct lt_socket_key *key = search->keys + low;
    return low < search->count && key->inode == inode && !key->seen ? key : NULL;
}

void lt_socket_begin(struct lt_socket_search *search, uint64_t inode) {
    memset(search->row, 0, sizeof *search->row);
    search->row->inode = inode;
    search->row->state = "";
}

void lt_socket_found(struct lt_socket_search *search, struct lt_socket_key *key) {
    key->seen = 1;
    search->missing--;
    search->see(search->context, key, search->row);
}

static uint32_t distinct(const struct lt_socket_key *keys, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += i == 0 || keys[i].inode != keys[i - 1].inode;
    return n;
}

static void ask_descriptors(struct lt_socket_search *search) {
    for (uint32_t i = 0; i < search->count; i++) {
        struct lt_socket_key *key = lt_socket_wanted(search, search->keys[i].inode);
        if (key)
            lt_socket_by_descriptor(search, key);
    }
}

int lt_socket_list(int tid, struct lt_socket_key *keys, uint32_t count, char *buffer, size_t size,
                   void (*see)(void *context, const struct lt_socket_key *, const struct lt_socket *), void *context) {
    struct lt_socket_search search = {
        .tid = tid,
        .keys = keys,
        .count = count,
        .missing = distinct(keys, count),
        .row = (struct lt_socket *)(void *)buffer,
        .buffer = buffer + sizeof(struct lt_socket),
        .size = size - sizeof(struct lt_socket),
        .deadline_ns = lt_clock_mono_ns() + patience_ns,
        .see = see,
        .context = context,
    };
    if (tid == 0)
        ask_descriptors(&search);
    return search.missing && tid ? -ENOENT : 0;
}
