/* About ten system calls of a tenth of a microsecond each: cheaper than any list for few sockets, exact, and permitted
 * wherever the program itself may use its sockets (gVisor, seccomp filters). */
#include "os/socket_reader.h"

#include "os/file.h"
#include "os/syscall.h"

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>

static int option(int fd, int level, int name, int otherwise) {
    int value = 0;
    socklen_t size = sizeof value;
    const long status = lt_syscall5(SYS_getsockopt, fd, level, name, LT_ARG(&value), LT_ARG(&size));
    return status < 0 ? otherwise : value;
}

static uint64_t queue(int fd, unsigned long which) {
    int bytes = 0;
    return lt_syscall3(SYS_ioctl, fd, (long)which, LT_ARG(&bytes)) < 0 || bytes < 0 ? 0 : (uint64_t)bytes;
}

/* The address by getsockname or getpeername; whether there is one. */
static bool put_address(int fd, long call, char text[static LT_SOCKET_ADDRESS]) {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_vm vm;
    } a;
    socklen_t size = sizeof a;
    if (lt_syscall3(call, fd, LT_ARG(&a), LT_ARG(&size)) < 0 || size < sizeof a.any.sa_family)
        return false;
    if (a.any.sa_family == AF_INET)
        lt_socket_put_inet(text, AF_INET, &a.in.sin_addr, ntohs(a.in.sin_port));
    else if (a.any.sa_family == AF_INET6)
        lt_socket_put_inet(text, AF_INET6, &a.in6.sin6_addr, ntohs(a.in6.sin6_port));
    else if (a.any.sa_family == AF_VSOCK)
        lt_socket_put_vsock(text, a.vm.svm_cid, a.vm.svm_port);
    else if (a.any.sa_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path))
        lt_socket_put_unix(text, a.un.sun_path, size - offsetof(struct sockaddr_un, sun_path), '\0');
    return true;
}

/* TCP tells its state in the first byte of TCP_INFO. Of the others only whether they listen, or have a peer. */
static const char *state_of(int fd, int family, int protocol, bool has_peer) {
    unsigned char state = 0;
    socklen_t size = sizeof state;
    const bool inet = family == AF_INET || family == AF_INET6;
    if (inet && protocol == IPPROTO_TCP &&
        lt_syscall5(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, LT_ARG(&state), LT_ARG(&size)) == 0)
        return lt_socket_state(family, protocol, state);
    if (family != AF_NETLINK && !has_peer && option(fd, SOL_SOCKET, SO_ACCEPTCONN, 0))
        return "LISTEN";
    return lt_socket_state(family, protocol, has_peer ? TCP_ESTABLISHED : TCP_CLOSE);
}

static void put_queues(int fd, struct lt_socket *row, int family, int protocol) {
    uint32_t meminfo[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof meminfo;
    lt_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_MEMINFO, LT_ARG(meminfo), LT_ARG(&size));
    row->memory = lt_socket_memory(meminfo);
    if (strcmp(row->state, "LISTEN") == 0)
        return;
    /* for others FIONREAD is the next message's size */
    row->receive = family == AF_UNIX || protocol == IPPROTO_TCP ? queue(fd, SIOCINQ) : meminfo[SK_MEMINFO_RMEM_ALLOC];
    row->send = queue(fd, SIOCOUTQ);
}

/* The inode is compared at last: what was asked before is then known to be of this socket. */
bool lt_socket_by_descriptor(struct lt_socket_search *search, struct lt_socket_key *key) {
    const int fd = key->fd, family = option(fd, SOL_SOCKET, SO_DOMAIN, -1);
    const int type = option(fd, SOL_SOCKET, SO_TYPE, 0);
    const int protocol = type == SOCK_RAW ? IPPROTO_RAW : option(fd, SOL_SOCKET, SO_PROTOCOL, 0);
    struct lt_socket *row = search->row;
    struct lt_file_info info;
    if (family < 0)
        return false;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(row, family, type, protocol);
    put_address(fd, SYS_getsockname, row->local);
    const bool has_peer = put_address(fd, SYS_getpeername, row->peer);
    row->state = state_of(fd, family, protocol, has_peer);
    put_queues(fd, row, family, protocol);
    if (lt_file_info(fd, &info) < 0 || info.id.inode != key->inode)
        return false;
    lt_socket_found(search, key);
    return true;
}
