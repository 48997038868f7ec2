/* sock_diag(7): the kernel prints a list into our buffer while we receive it, so nothing here waits, and who stops
 * reading stops the work. The kernel has no filter for "the sockets of this process", so all of the network namespace
 * are gone through; on a host of 100,000 sockets that is a tenth of a second, in a thread of its own. */
#include "os/socket_reader.h"

#include "os/file.h"
#include "os/syscall.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <linux/vm_sockets_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

typedef void see_message(struct lt_socket_link *, const struct nlmsghdr *);

/* The attribute of that number behind `fixed` bytes of a message, or NULL. */
static const void *attribute(const struct nlmsghdr *message, size_t fixed, unsigned type, size_t least, size_t *size) {
    const char *at = (const char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(fixed);
    const char *end = (const char *)message + message->nlmsg_len;
    while (end - at >= (long)sizeof(struct rtattr)) {
        const struct rtattr *a = (const void *)at;
        if (a->rta_len < sizeof *a || a->rta_len > end - at)
            break;
        if (a->rta_type == type && RTA_PAYLOAD(a) >= least) {
            if (size)
                *size = RTA_PAYLOAD(a);
            return RTA_DATA(a);
        }
        at += RTA_ALIGN(a->rta_len);
    }
    return NULL;
}

static void put_memory(struct lt_socket *row, const struct nlmsghdr *message, size_t fixed, unsigned type) {
    const uint32_t *meminfo = attribute(message, fixed, type, SK_MEMINFO_VARS * sizeof *meminfo, NULL);
    if (!meminfo) /* before Linux 4.7 without the last one */
        return;
    row->memory = lt_socket_memory(meminfo);
    row->receive = meminfo[SK_MEMINFO_RMEM_ALLOC];
    row->send = meminfo[SK_MEMINFO_WMEM_ALLOC];
}

static void see_inet(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const int protocol = link->table->protocol;
    const struct inet_diag_msg *m = NLMSG_DATA(message);
    struct lt_socket_key *key = lt_socket_wanted(search, m->idiag_inode);
    struct lt_socket *row = search->row;
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(row, m->idiag_family, protocol == IPPROTO_RAW ? SOCK_RAW : 0, protocol);
    row->state = lt_socket_state(m->idiag_family, protocol, m->idiag_state);
    lt_socket_put_inet(row->local, m->idiag_family, m->id.idiag_src, ntohs(m->id.idiag_sport));
    lt_socket_put_inet(row->peer, m->idiag_family, m->id.idiag_dst, ntohs(m->id.idiag_dport));
    put_memory(row, message, sizeof *m, INET_DIAG_SKMEMINFO);
    lt_socket_put_queues(row, m->idiag_rqueue, m->idiag_wqueue);
    lt_socket_found(search, key);
}

/* ---- unix: the peer is told by its inode, and what people want is its name ---- */

enum { UNNAMED = LT_SOCKET_NAMES + 1 };

/* The number of a name, from 1 on; 0 where there is no room for another. */
static uint16_t intern(struct lt_socket_names *names, const char *name) {
    uint32_t i = 0;
    while (i < names->count && strcmp(names->name[i], name) != 0)
        i++;
    if (i == LT_SOCKET_NAMES)
        return 0;
    if (i == names->count)
        strcpy(names->name[names->count++], name);
    return (uint16_t)(i + 1);
}

/* The number of the name of the socket in a message, or UNNAMED. */
static uint16_t name_in(struct lt_socket_names *names, const struct nlmsghdr *message) {
    char text[LT_SOCKET_ADDRESS];
    size_t size;
    const char *name = attribute(message, sizeof(struct unix_diag_msg), UNIX_DIAG_NAME, 1, &size);
    if (!name)
        return UNNAMED;
    lt_socket_put_unix(text, name, size, '\0');
    return intern(names, text);
}

/* First pass: who is whose peer, and the names of connected ones (a client's peer has the name of the server). */
static void see_unix_peers(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct unix_diag_msg *m = NLMSG_DATA(message);
    const uint32_t *peer = attribute(message, sizeof *m, UNIX_DIAG_PEER, sizeof *peer, NULL);
    struct lt_socket_key *key = lt_socket_wanted(search, m->udiag_ino);
    if (!peer)
        return;
    if (key)
        key->peer = *peer;
    if ((key = lt_socket_wanted(search, *peer)) != NULL)
        key->peer_name = name_in(search->names, message);
}

/* The answer to a question for one socket: everyone's peer. */
static void see_unix_name(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct unix_diag_msg *m = NLMSG_DATA(message);
    const uint16_t name = name_in(search->names, message);
    for (uint32_t i = 0; i < search->count; i++)
        if (search->keys[i].peer == m->udiag_ino)
            search->keys[i].peer_name = name;
}

static void see_unix(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct unix_diag_msg *m = NLMSG_DATA(message);
    struct lt_socket_key *key = lt_socket_wanted(search, m->udiag_ino);
    struct lt_socket *row = search->row;
    size_t size;
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(row, AF_UNIX, m->udiag_type, 0);
    const bool has_peer = attribute(message, sizeof *m, UNIX_DIAG_PEER, sizeof(uint32_t), NULL) != NULL;
    row->state = lt_socket_state(AF_UNIX, 0,
                                 m->udiag_state == TCP_LISTEN ? TCP_LISTEN
                                 : has_peer                   ? TCP_ESTABLISHED
                                                              : TCP_CLOSE);
    const char *name = attribute(message, sizeof *m, UNIX_DIAG_NAME, 1, &size);
    if (name)
        lt_socket_put_unix(row->local, name, size, '\0');
    if (key->peer_name && key->peer_name != UNNAMED)
        strcpy(row->peer, search->names->name[key->peer_name - 1]);
    put_memory(row, message, sizeof *m, UNIX_DIAG_MEMINFO);
    const struct unix_diag_rqlen *queues = attribute(message, sizeof *m, UNIX_DIAG_RQLEN, sizeof *queues, NULL);
    if (queues)
        lt_socket_put_queues(row, queues->udiag_rqueue, queues->udiag_wqueue);
    lt_socket_found(search, key);
}

/* ---- the others ---- */

static void see_netlink(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct netlink_diag_msg *m = NLMSG_DATA(message);
    struct lt_socket_key *key = lt_socket_wanted(search, m->ndiag_ino);
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(search->row, link->table->family, m->ndiag_type, m->ndiag_protocol);
    put_memory(search->row, message, sizeof *m, NETLINK_DIAG_MEMINFO);
    lt_socket_found(search, key);
}

static void see_packet(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct packet_diag_msg *m = NLMSG_DATA(message);
    struct lt_socket_key *key = lt_socket_wanted(search, m->pdiag_ino);
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(search->row, link->table->family, m->pdiag_type, 0);
    put_memory(search->row, message, sizeof *m, PACKET_DIAG_MEMINFO);
    lt_socket_found(search, key);
}

static void see_vsock(struct lt_socket_link *link, const struct nlmsghdr *message) {
    struct lt_socket_search *search = link->search;
    const struct vsock_diag_msg *m = NLMSG_DATA(message);
    struct lt_socket_key *key = lt_socket_wanted(search, m->vdiag_ino);
    struct lt_socket *row = search->row;
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(row, link->table->family, m->vdiag_type, 0);
    row->state = lt_socket_state(link->table->family, 0, m->vdiag_state);
    lt_socket_put_vsock(row->local, m->vdiag_src_cid, m->vdiag_src_port);
    if (m->vdiag_state == TCP_ESTABLISHED)
        lt_socket_put_vsock(row->peer, m->vdiag_dst_cid, m->vdiag_dst_port);
    lt_socket_found(search, key);
}

/* ---- asking ---- */

/* The end of a list, and an error, begin with a status; a list's end before Linux 4.20 with 0. */
static int result_in(const struct nlmsghdr *message) {
    const int *status = NLMSG_DATA(message);
    return message->nlmsg_len < NLMSG_LENGTH(sizeof *status) ? -EIO : *status < 0 ? *status : 0;
}

/* All that one receive gave; 1 where the list goes on, 0 at its end, or a negative errno. */
static int see_messages(struct lt_socket_link *link, see_message *see, long size) {
    const struct nlmsghdr *message = (const void *)link->search->buffer;
    for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
        if (message->nlmsg_seq != link->sequence)
            continue;
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return result_in(message);
        see(link, message);
        if (!link->search->missing || !(message->nlmsg_flags & NLM_F_MULTI))
            return 0;
    }
    return 1;
}

static int receive(struct lt_socket_link *link, see_message *see) {
    int status;
    do {
        if (!link->search->budget)
            return -E2BIG;
        const long n = lt_syscall6(SYS_recvfrom, link->fd, LT_ARG(link->search->buffer), (long)link->search->size,
                                   MSG_DONTWAIT | MSG_TRUNC, 0, 0);
        if (n == -EINTR)
            status = 1;
        else if (n <= 0 || (size_t)n > link->search->size)
            status = n < 0 ? (int)n : -EMSGSIZE;
        else
            status = see_messages(link, see, n);
    } while (status > 0);
    return status;
}

static int ask(struct lt_socket_link *link, const void *request, size_t size, unsigned flags, see_message *see) {
    struct {
        struct nlmsghdr head;
        char body[sizeof(struct inet_diag_req_v2)]; /* the largest */
    } message = {.head = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                          .nlmsg_seq = ++link->sequence}};
    memcpy(message.body, request, size);
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const long n = lt_syscall6(SYS_sendto, link->fd, LT_ARG(&message), message.head.nlmsg_len, MSG_DONTWAIT,
                               LT_ARG(&kernel), sizeof kernel);
    return n < 0 ? (int)n : receive(link, see);
}

/* All states but those whose sockets belong to no descriptor. */
static const uint32_t states = ~(1u << TCP_TIME_WAIT | 1u << TCP_SYN_RECV | 1u << 12 /* TCP_NEW_SYN_RECV */);

static const struct unix_diag_req unix_request = {
    .sdiag_family = AF_UNIX,
    .udiag_states = ~0u,
    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN | UDIAG_SHOW_MEMINFO,
    .udiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
};
static const struct netlink_diag_req netlink_request = {
    .sdiag_family = AF_NETLINK, .sdiag_protocol = NDIAG_PROTO_ALL, .ndiag_show = NDIAG_SHOW_MEMINFO};
static const struct packet_diag_req packet_request = {.sdiag_family = AF_PACKET, .pdiag_show = PACKET_SHOW_MEMINFO};
static const struct vsock_diag_req vsock_request = {.sdiag_family = AF_VSOCK, .vdiag_states = ~0u};

static int ask_for_inet(struct lt_socket_link *link) {
    const struct inet_diag_req_v2 request = {.sdiag_family = link->table->family,
                                             .sdiag_protocol = link->table->protocol,
                                             .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
                                             .idiag_states = states};
    return ask(link, &request, sizeof request, NLM_F_DUMP, see_inet);
}

/* Datagram clients have a peer that has none: a syslog socket. Few distinct ones, each asked for by its inode. */
static int ask_for_names(struct lt_socket_link *link) {
    struct lt_socket_search *search = link->search;
    for (uint32_t i = 0, asked = 0; i < search->count && asked < LT_SOCKET_NAMES; i++) {
        struct lt_socket_key *key = search->keys + i;
        if (!key->peer || key->peer_name)
            continue;
        struct unix_diag_req request = unix_request;
        request.udiag_ino = key->peer;
        key->peer_name = UNNAMED; /* unless the answer says otherwise */
        if (ask(link, &request, sizeof request, 0, see_unix_name) == -E2BIG)
            return -E2BIG;
        asked++;
    }
    return 0;
}

static int ask_for_unix(struct lt_socket_link *link) {
    link->search->names->count = 0;
    int status = ask(link, &unix_request, sizeof unix_request, NLM_F_DUMP, see_unix_peers);
    if (!status)
        status = ask_for_names(link);
    return status ? status : ask(link, &unix_request, sizeof unix_request, NLM_F_DUMP, see_unix);
}

int lt_socket_link_ask(struct lt_socket_link *link, const struct lt_socket_table *table) {
    link->table = table;
    switch (table->family) {
    case AF_UNIX:
        return ask_for_unix(link);
    case AF_NETLINK:
        return ask(link, &netlink_request, sizeof netlink_request, NLM_F_DUMP, see_netlink);
    case AF_PACKET:
        return ask(link, &packet_request, sizeof packet_request, NLM_F_DUMP, see_packet);
    case AF_VSOCK:
        return ask(link, &vsock_request, sizeof vsock_request, NLM_F_DUMP, see_vsock);
    default:
        return ask_for_inet(link);
    }
}

int lt_socket_link_open(struct lt_socket_link *link, struct lt_socket_search *search) {
    *link = (struct lt_socket_link){.search = search};
    const int fd = (int)lt_syscall3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    const int moved = fd < 0 ? fd : lt_fd_move_high(fd);
    link->fd = moved < 0 ? fd : moved;
    return link->fd < 0 ? link->fd : 0;
}

void lt_socket_link_close(struct lt_socket_link *link) {
    lt_close(link->fd);
}
