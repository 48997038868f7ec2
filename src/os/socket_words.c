/* Addresses, protocols and states in the words that ss and netstat use. */
#include "os/socket_reader.h"

#include "base/attrs.h"
#include "base/fmt.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

static const char *type_word(int type) {
    return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "dgram" : type == SOCK_SEQPACKET ? "seqpacket" : "raw";
}

static const char *inet_word(int type, int protocol) {
    if (type == SOCK_RAW)
        return "raw";
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_UDPLITE:
        return "udplite";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_MPTCP:
        return "mptcp";
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return "ping";
    default:
        return "raw";
    }
}

static const char *family_word(int family) {
    static const struct {
        int family;
        const char *word;
    } families[] = {{AF_UNIX, "unix"}, {AF_NETLINK, "netlink"}, {AF_PACKET, "packet"},       {AF_VSOCK, "vsock"},
                    {AF_ALG, "alg"},   {AF_CAN, "can"},         {AF_BLUETOOTH, "bluetooth"}, {AF_XDP, "xdp"}};
    for (size_t i = 0; i < LT_ARRAY_SIZE(families); i++)
        if (families[i].family == family)
            return families[i].word;
    return NULL;
}

void lt_socket_put_protocol(struct lt_socket *socket, int family, int type, int protocol) {
    struct lt_fmt f = lt_fmt(socket->protocol, sizeof socket->protocol);
    const char *word = family_word(family);
    if (family == AF_INET || family == AF_INET6) {
        lt_fmt_text(&f, inet_word(type, protocol));
        lt_fmt_text(&f, family == AF_INET6 ? "6" : "");
        return;
    }
    lt_fmt_text(&f, word ? word : "family ");
    if (!word)
        lt_fmt_unsigned(&f, (unsigned)family);
    if (family == AF_UNIX || family == AF_VSOCK) {
        lt_fmt_char(&f, ' ');
        lt_fmt_text(&f, type_word(type));
    }
}

const char *lt_socket_state(int family, int protocol, unsigned state) {
    static const char *const words[] = {"",          "ESTABLISHED", "SYN_SENT", "SYN_RECV",   "FIN_WAIT1",
                                        "FIN_WAIT2", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT", "LAST_ACK",
                                        "LISTEN",    "CLOSING",     "SYN_RECV", "CLOSE"};
    const bool inet = family == AF_INET || family == AF_INET6;
    if (inet && (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP || protocol == IPPROTO_SCTP))
        return state < LT_ARRAY_SIZE(words) ? words[state] : "";
    if (!inet && family != AF_UNIX && family != AF_VSOCK)
        return "";
    return state == TCP_ESTABLISHED ? "ESTABLISHED" : state == TCP_LISTEN ? "LISTEN" : "UNCONN";
}

static unsigned group_of(const unsigned char *address, unsigned i) {
    return (unsigned)address[2 * i] << 8 | address[2 * i + 1];
}

/* Where the longest run of two or more zero groups begins, and its length (RFC 5952, 4.2). */
static unsigned longest_zeros(const unsigned char *address, unsigned *length) {
    unsigned best = 8, run = 0;
    *length = 1;
    for (unsigned i = 0; i < 8; i++) {
        run = group_of(address, i) ? 0 : run + 1;
        if (run > *length) {
            *length = run;
            best = i + 1 - run;
        }
    }
    return best;
}

static void put_group(struct lt_fmt *f, unsigned group) {
    char digits[4];
    unsigned n = 0;
    do
        digits[n++] = "0123456789abcdef"[group & 15];
    while (group >>= 4);
    while (n)
        lt_fmt_char(f, digits[--n]);
}

static void put_ipv4(struct lt_fmt *f, const unsigned char *address) {
    for (unsigned i = 0; i < 4; i++) {
        lt_fmt_text(f, i ? "." : "");
        lt_fmt_unsigned(f, address[i]);
    }
}

static void put_ipv6(struct lt_fmt *f, const unsigned char *address) {
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned length, zeros = longest_zeros(address, &length);
    if (memcmp(address, mapped, sizeof mapped) == 0) {
        lt_fmt_text(f, "::ffff:");
        put_ipv4(f, address + 12);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros) {
            lt_fmt_text(f, "::");
            i += length - 1;
            continue;
        }
        if (i && i != zeros + length)
            lt_fmt_char(f, ':');
        put_group(f, group_of(address, i));
    }
}

void lt_socket_put_inet(char text[static LT_SOCKET_ADDRESS], int family, const void *address, unsigned port) {
    struct lt_fmt f = lt_fmt(text, LT_SOCKET_ADDRESS);
    if (!port)
        return;
    if (family == AF_INET6) {
        lt_fmt_char(&f, '[');
        put_ipv6(&f, address);
        lt_fmt_char(&f, ']');
    } else
        put_ipv4(&f, address);
    lt_fmt_char(&f, ':');
    lt_fmt_unsigned(&f, port);
}

/* As the kernel prints them in /proc/net/unix: '@' for every NUL of an abstract name. But where a name is as long as
 * can be, the NULs at its end are what the program left of its struct sockaddr_un. */
void lt_socket_put_unix(char text[static LT_SOCKET_ADDRESS], const char *path, size_t size, char nul) {
    const size_t whole = sizeof((struct sockaddr_un *)0)->sun_path;
    const bool abstract = size && path[0] == nul;
    struct lt_fmt f = lt_fmt(text, LT_SOCKET_ADDRESS);
    if (!abstract)
        size = strnlen(path, size);
    if (abstract && size == whole)
        while (size > 1 && path[size - 1] == nul)
            size--;
    for (size_t i = 0; i < size; i++)
        lt_fmt_char(&f, path[i] ? path[i] : '@');
}

void lt_socket_put_vsock(char text[static LT_SOCKET_ADDRESS], uint32_t cid, uint32_t port) {
    struct lt_fmt f = lt_fmt(text, LT_SOCKET_ADDRESS);
    lt_fmt_unsigned(&f, cid);
    lt_fmt_char(&f, ':');
    lt_fmt_unsigned(&f, port);
}

void lt_socket_put_queues(struct lt_socket *socket, uint64_t receive, uint64_t send) {
    static const char *const closed_by_peer[] = {"CLOSE_WAIT", "LAST_ACK", "CLOSING"};
    if (strcmp(socket->state, "LISTEN") == 0)
        return;
    for (size_t i = 0; i < LT_ARRAY_SIZE(closed_by_peer); i++)
        if (receive && strcmp(socket->state, closed_by_peer[i]) == 0)
            receive--;
    socket->receive = receive;
    socket->send = send;
}

uint64_t lt_socket_memory(const uint32_t *meminfo) {
    const uint32_t allocated = meminfo[SK_MEMINFO_WMEM_ALLOC], queued = meminfo[SK_MEMINFO_WMEM_QUEUED];
    return (uint64_t)meminfo[SK_MEMINFO_RMEM_ALLOC] + (allocated > queued ? allocated : queued) +
           meminfo[SK_MEMINFO_FWD_ALLOC] + meminfo[SK_MEMINFO_OPTMEM] + meminfo[SK_MEMINFO_BACKLOG];
}
