/* Three ways to ask, none of which is best everywhere.
 *
 * By the descriptor itself: exact, and permitted wherever the program may use its own sockets. About ten system calls
 * for each socket, and only by a thread that shares the program's table (pidfd_getfd would bring a helper a copy; but
 * closing a socket whose copy is open takes it out of no epoll, so the program would get events of what it has closed).
 *
 * By sock_diag: one list per protocol, of the whole network namespace, whoever owns the sockets; half the price for
 * each of ours, and something for each of the others. A thread of its own can bear that; a program that is stopped for
 * its snapshot pays it only where it has many sockets.
 *
 * By /proc/net: the same in text, where netlink is refused (gVisor, seccomp filters, kernels without the module).
 *
 * What no list names was never bound or connected (or belongs to another network namespace: a helper can't tell). The
 * kernel tells its protocol all the same, by an extended attribute of the descriptor's link. */
#include "os/socket_list.h"

#include "base/attrs.h"
#include "base/fmt.h"
#include "os/fd_list.h"
#include "os/socket_reader.h"
#include "os/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum {
    ALWAYS = 5,    /* tables that are read wherever there are sockets; the others only for a socket of that name */
    FEW = 1000,    /* of one's own: asked by descriptor */
    MOST = 500000, /* sockets of lists that are looked at: half a second */
    OTHERS = 4,    /* likewise for each of one's own: three cost what a descriptor's questions cost */
};

static const struct lt_socket_table tables[] = {
    {AF_INET, IPPROTO_TCP, "TCP", "tcp"},
    {AF_INET6, IPPROTO_TCP, "TCPv6", "tcp6"},
    {AF_UNIX, 0, "UNIX", "unix"},
    {AF_INET, IPPROTO_UDP, "UDP", "udp"},
    {AF_INET6, IPPROTO_UDP, "UDPv6", "udp6"},
    {AF_INET, IPPROTO_UDPLITE, "UDP-Lite", "udplite"},
    {AF_INET6, IPPROTO_UDPLITE, "UDPLITEv6", "udplite6"},
    {AF_INET, IPPROTO_RAW, "RAW", "raw"},
    {AF_INET6, IPPROTO_RAW, "RAWv6", "raw6"},
    {AF_INET, IPPROTO_SCTP, "SCTP", NULL},
    {AF_INET6, IPPROTO_SCTP, "SCTPv6", NULL},
    {AF_INET, IPPROTO_ICMP, "PING", "icmp"},
    {AF_INET6, IPPROTO_ICMP, "PINGv6", "icmp6"},
    {AF_NETLINK, 0, "NETLINK", "netlink"},
    {AF_PACKET, 0, "PACKET", "packet"},
    {AF_VSOCK, 0, "AF_VSOCK", NULL},
};

/* Bit n: netlink does not answer for table n. Remembered, since each question has the kernel look for a module. */
static _Atomic uint32_t refused;

struct lt_socket_key *lt_socket_wanted(struct lt_socket_search *search, uint64_t inode) {
    uint32_t low = 0, high = search->count;
    search->budget -= search->budget > 0;
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
    key->seen = true;
    search->missing--;
    search->see(search->context, key, search->row);
}

/* Calls `ask` for the first key of each inode that has not been seen. */
static void for_the_missing(struct lt_socket_search *search,
                            void (*ask)(struct lt_socket_search *, struct lt_socket_key *)) {
    for (uint32_t i = 0; search->missing && i < search->count; i++) {
        const bool first = i == 0 || search->keys[i].inode != search->keys[i - 1].inode;
        if (first && !search->keys[i].seen)
            ask(search, search->keys + i);
    }
}

static int read_table(struct lt_socket_search *search, struct lt_socket_link *link, uint32_t i) {
    int status = -ENOENT;
    if (link->fd >= 0 && !(refused >> i & 1))
        status = lt_socket_link_ask(link, tables + i);
    if (status == -ENOENT && link->fd >= 0)
        refused |= 1u << i;
    return status < 0 && status != -E2BIG ? lt_socket_read_proc(search, tables + i) : status;
}

/* Reads the tables of the mask, as long as something is missing; 0 or -E2BIG. What can't be read is done without. */
static int read_tables(struct lt_socket_search *search, uint32_t mask) {
    struct lt_socket_link link;
    int status = 0;
    const bool open = lt_socket_link_open(&link, search) == 0;
    for (uint32_t i = 0; i < LT_ARRAY_SIZE(tables) && search->missing && status != -E2BIG; i++)
        if (mask >> i & 1)
            status = read_table(search, &link, i);
    if (open)
        lt_socket_link_close(&link);
    return status == -E2BIG ? status : 0;
}

/* What the kernel calls the socket, "" where it doesn't say. The name is of the descriptor, which may have changed. */
static void read_name(int tid, const struct lt_socket_key *key, char name[static 24]) {
    static const char attribute[] = "system.sockprotoname";
    char path[LT_FD_PATH], target[LT_FD_PATH], expected[LT_FD_PATH];
    struct lt_fmt f = lt_fmt(expected, sizeof expected);
    lt_fd_path(path, tid, "/fd/", key->fd);
    const long n = lt_syscall4(SYS_getxattr, LT_ARG(path), LT_ARG(attribute), LT_ARG(name), 23);
    const long length = lt_syscall4(SYS_readlinkat, AT_FDCWD, LT_ARG(path), LT_ARG(target), sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    lt_fmt_text(&f, "socket:[");
    lt_fmt_unsigned(&f, key->inode);
    lt_fmt_char(&f, ']');
    name[n > 0 && strcmp(target, expected) == 0 ? n : 0] = '\0';
}

static const struct lt_socket_table *table_of(const char *name) {
    for (uint32_t i = 0; i < LT_ARRAY_SIZE(tables); i++)
        if (strcmp(tables[i].kernel_name, name) == 0)
            return tables + i;
    return NULL;
}

static void note_table(struct lt_socket_search *search, struct lt_socket_key *key) {
    char name[24];
    read_name(search->tid, key, name);
    const struct lt_socket_table *table = table_of(name);
    if (table)
        search->needed |= 1u << (table - tables);
}

static void put_lower(char *text, size_t size, const char *name) {
    struct lt_fmt f = lt_fmt(text, size);
    for (; *name; name++)
        lt_fmt_char(&f, *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name == '-' ? ' ' : *name);
}

static void tell_name(struct lt_socket_search *search, struct lt_socket_key *key) {
    char name[24];
    read_name(search->tid, key, name);
    if (!name[0])
        return;
    lt_socket_begin(search, key->inode);
    const struct lt_socket_table *table = table_of(name);
    if (table && table->family != AF_UNIX) {
        lt_socket_put_protocol(search->row, table->family, 0, table->protocol);
        search->row->state = lt_socket_state(table->family, table->protocol, TCP_CLOSE);
    } else
        put_lower(search->row->protocol, sizeof search->row->protocol, name);
    lt_socket_found(search, key);
}

static void ask_descriptor(struct lt_socket_search *search, struct lt_socket_key *key) {
    (void)lt_socket_by_descriptor(search, key);
}

static const uint32_t always = (1u << ALWAYS) - 1;

/* Lists only for many, and as long as others' sockets don't make them the dearer way. */
static int ask_own(struct lt_socket_search *search) {
    if (search->missing > FEW) {
        search->budget = OTHERS * (uint64_t)search->missing;
        (void)!read_tables(search, always);
    }
    for_the_missing(search, ask_descriptor);
    return 0;
}

static int ask_anothers(struct lt_socket_search *search) {
    int status = read_tables(search, always);
    for_the_missing(search, note_table);
    if (!status)
        status = read_tables(search, search->needed & ~always);
    if (!status)
        for_the_missing(search, tell_name);
    return status;
}

int lt_socket_list(int tid, struct lt_socket_key *keys, uint32_t count, char *buffer, size_t size,
                   void (*see)(void *context, const struct lt_socket_key *, const struct lt_socket *), void *context) {
    const size_t used = sizeof(struct lt_socket_names) + sizeof(struct lt_socket);
    struct lt_socket_search search = {
        .tid = tid,
        .keys = keys,
        .count = count,
        .row = (struct lt_socket *)(void *)buffer,
        .names = (struct lt_socket_names *)(void *)(buffer + sizeof(struct lt_socket)),
        .buffer = buffer + used,
        .size = size - used,
        .budget = MOST,
        .see = see,
        .context = context,
    };
    for (uint32_t i = 0; i < count; i++)
        search.missing += i == 0 || keys[i].inode != keys[i - 1].inode;
    if (!search.missing)
        return 0;
    return tid ? ask_anothers(&search) : ask_own(&search);
}
