/* Real sockets in every state that a program can bring them to, asked in all three ways, against what the test made of
 * them, against each other, and against ss(8). */
#include "os/socket_list.h"

#include "os/sandbox.h"

#include "unit.h"
#include "unit_child.h"
#include "unit_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

enum { MOST = 64, PAIRS = 2000 };

/* What the test made, and what must be told of it. */
static struct made {
    const char *what, *protocol, *state;
    int fd;
    char local[LT_SOCKET_ADDRESS], peer[LT_SOCKET_ADDRESS];
    uint64_t inode, receive;
} made[MOST];
static int made_count;

/* What was told, by one way. */
static struct lt_socket told[MOST];
static int told_times[MOST], wrong;
static char buffer[LT_SOCKET_BUFFER] __attribute__((aligned(16)));
static char scratch[64];

/* ---- making sockets ---- */

static struct made *keep(int fd, const char *what, const char *protocol, const char *state) {
    struct stat st;
    CHILD_CHECK(fstat(fd, &st) == 0 && made_count < MOST);
    struct made *m = &made[made_count++];
    *m = (struct made){.what = what, .protocol = protocol, .state = state, .fd = fd, .inode = st.st_ino};
    return m;
}

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static void print_address(char *text, const union address *a) {
    char host[INET6_ADDRSTRLEN];
    const bool six = a->any.sa_family == AF_INET6;
    inet_ntop(a->any.sa_family, six ? (const void *)&a->in6.sin6_addr : &a->in.sin_addr, host, sizeof host);
    snprintf(text, LT_SOCKET_ADDRESS, six ? "[%s]:%d" : "%s:%d", host, ntohs(six ? a->in6.sin6_port : a->in.sin_port));
}

static union address name_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *)) {
    union address a = {0};
    socklen_t size = sizeof a;
    CHILD_CHECK(ask(fd, &a.any, &size) == 0);
    return a;
}

static void with_names(struct made *m, bool has_peer) {
    const union address local = name_of(m->fd, getsockname), peer = has_peer ? name_of(m->fd, getpeername) : local;
    print_address(m->local, &local);
    if (has_peer)
        print_address(m->peer, &peer);
}

static int bound(int family, int type) {
    union address a = {.any.sa_family = (sa_family_t)family};
    if (family == AF_INET)
        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a.in6.sin6_addr = in6addr_loopback;
    const int fd = socket(family, type, 0);
    CHILD_CHECK(fd >= 0 && bind(fd, &a.any, sizeof a) == 0);
    return fd;
}

static int connected(int listener, int type) {
    const union address a = name_of(listener, getsockname);
    const int fd = socket(a.any.sa_family, type, 0);
    CHILD_CHECK(fd >= 0 && connect(fd, &a.any, sizeof a) == 0);
    return fd;
}

/* Segments take their time on a busy machine, on loopback too. */
static void settle(int fd, unsigned char wanted) {
    unsigned char state = 0;
    for (int i = 0; i < 10000 && state != wanted; i++, usleep(i ? 1000 : 0))
        CHILD_CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &(socklen_t){1}) == 0);
    CHILD_CHECK(state == wanted);
}

static void half_close(int leaving, int left) {
    CHILD_CHECK(shutdown(leaving, SHUT_WR) == 0);
    settle(left, TCP_CLOSE_WAIT);
    settle(leaving, TCP_FIN_WAIT2);
}

static void make_tcp(int family, const char *protocol) {
    const int listener = bound(family, SOCK_STREAM);
    CHILD_CHECK(listen(listener, 5) == 0);
    with_names(keep(listener, "listener", protocol, "LISTEN"), false);
    const int client = connected(listener, SOCK_STREAM), server = accept(listener, NULL, NULL);
    char five[5];
    CHILD_CHECK(write(client, "hello", 5) == 5 && recv(server, five, 5, MSG_PEEK | MSG_WAITALL) == 5);
    with_names(keep(client, "client", protocol, "ESTABLISHED"), true);
    struct made *m = keep(server, "server", protocol, "ESTABLISHED");
    with_names(m, true);
    m->receive = 5;
    const int leaving = connected(listener, SOCK_STREAM), left = accept(listener, NULL, NULL);
    half_close(leaving, left);
    with_names(keep(leaving, "half closed", protocol, "FIN_WAIT2"), true);
    with_names(keep(left, "left alone", protocol, "CLOSE_WAIT"), true);
    keep(socket(family, SOCK_STREAM, 0), "never connected", protocol, "CLOSE");
    with_names(keep(bound(family, SOCK_STREAM), "bound only", protocol, "CLOSE"), false);
    CHILD_CHECK(connected(listener, SOCK_STREAM) >= 0); /* waits to be accepted */
}

/* A listener whose queue is full answers no more. */
static void make_syn_sent(void) {
    const int listener = bound(AF_INET, SOCK_STREAM);
    CHILD_CHECK(listen(listener, 0) == 0);
    const union address a = name_of(listener, getsockname);
    int fd = -1;
    for (int i = 0; i < 4; i++) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHILD_CHECK(connect(fd, &a.any, sizeof a) < 0 && errno == EINPROGRESS);
        usleep(20000);
    }
    struct made *m = keep(fd, "waiting for an answer", "tcp", "SYN_SENT");
    with_names(m, false);
    print_address(m->peer, &a);
}

static void make_udp(int family, const char *protocol) {
    const int server = bound(family, SOCK_DGRAM), client = connected(server, SOCK_DGRAM);
    with_names(keep(server, "udp server", protocol, "UNCONN"), false);
    with_names(keep(client, "udp client", protocol, "ESTABLISHED"), true);
    keep(socket(family, SOCK_DGRAM, 0), "udp, not bound", protocol, "UNCONN");
}

static struct sockaddr_un local_address(const char *name, socklen_t *size) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const size_t abstract = name[0] == '@', length = strlen(name) - abstract;
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    if (strstr(name, "padded")) /* sizeof, as many programs say */
        *size = sizeof a;
    memcpy(a.sun_path + abstract, name + abstract, length);
    return a;
}

/* A server of that name, and a client that has none. */
static void make_unix(const char *name, int type, const char *protocol) {
    socklen_t size;
    const struct sockaddr_un a = local_address(name, &size);
    const int server = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type, 0);
    CHILD_CHECK(bind(server, (const void *)&a, size) == 0);
    const bool listens = type != SOCK_DGRAM && listen(server, 5) == 0;
    CHILD_CHECK(connect(client, (const void *)&a, size) == 0 && write(client, "hello", 5) == 5);
    struct made *m = keep(server, "named", protocol, listens ? "LISTEN" : "UNCONN");
    strcpy(m->local, name);
    m->receive = listens ? 0 : 5;
    strcpy(keep(client, "client of a named one", protocol, "ESTABLISHED")->peer, name);
    if (!listens)
        return;
    m = keep(accept(server, NULL, NULL), "accepted", protocol, "ESTABLISHED");
    strcpy(m->local, name);
    m->receive = 5;
}

static void make_pair(int type, const char *protocol) {
    int fds[2];
    CHILD_CHECK(socketpair(AF_UNIX, type, 0, fds) == 0 && write(fds[0], "hi", 2) == 2);
    keep(fds[0], "one of a pair", protocol, "ESTABLISHED");
    keep(fds[1], "other of a pair", protocol, "ESTABLISHED")->receive = 2;
    keep(socket(AF_UNIX, type, 0), "unix, alone", protocol, "UNCONN");
}

static void make_all(void) {
    char path[96];
    snprintf(path, sizeof path, "%s/named.sock", scratch);
    make_tcp(AF_INET, "tcp");
    if (access("/proc/net/if_inet6", R_OK) == 0) {
        make_tcp(AF_INET6, "tcp6");
        make_udp(AF_INET6, "udp6");
    } else
        print_message("skipped: IPv6 is off\n");
    make_syn_sent();
    make_udp(AF_INET, "udp");
    make_unix(path, SOCK_STREAM, "unix stream");
    snprintf(path, sizeof path, "@leaktrack-padded-%d", getpid());
    make_unix(path, SOCK_DGRAM, "unix dgram");
    snprintf(path, sizeof path, "@leaktrack-test-%d", getpid());
    make_unix(path, SOCK_SEQPACKET, "unix seqpacket");
    make_pair(SOCK_STREAM, "unix stream");
    make_pair(SOCK_DGRAM, "unix dgram");
    keep(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "netlink", "netlink", "");
    if (geteuid() == 0) {
        keep(socket(AF_PACKET, SOCK_DGRAM, 0), "packet", "packet", "");
        keep(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "raw", "raw", "UNCONN");
    }
}

/* ---- asking ---- */

static int by_inode(const void *a, const void *b) {
    const struct lt_socket_key *x = a, *y = b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void see(void *context, const struct lt_socket_key *key, const struct lt_socket *s) {
    (void)context;
    for (int i = 0; i < made_count; i++)
        if (made[i].inode == key->inode) {
            CHILD_CHECK(s->inode == key->inode);
            told[i] = *s;
            told_times[i]++;
        }
}

/* Asks for all; each socket twice, as if it had been duplicated. */
static void ask(int tid) {
    static struct lt_socket_key keys[2 * MOST];
    memset(told, 0, sizeof told);
    memset(told_times, 0, sizeof told_times);
    for (int i = 0; i < 2 * made_count; i++)
        keys[i] = (struct lt_socket_key){.inode = made[i / 2].inode, .fd = made[i / 2].fd};
    qsort(keys, 2 * (size_t)made_count, sizeof *keys, by_inode);
    errno = 77;
    CHILD_CHECK(lt_socket_list(tid, keys, 2 * (uint32_t)made_count, buffer, sizeof buffer, see, NULL) == 0);
    CHILD_CHECK(errno == 77);
}

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

static void expect_text(const struct made *m, const char *which, const char *ours, const char *theirs) {
    if (is(ours, theirs))
        return;
    wrong++;
    fprintf(stderr, "%s (%s, fd %d): %s is \"%s\", not \"%s\"\n", m->what, m->protocol, m->fd, which, ours, theirs);
}

/* What one way of asking can't know. */
enum { KNOWS_ALL = 0, NO_QUEUES = 1, NO_BOUND = 2, NO_SYN_SENT = 4, NO_UNIX_PEERS = 8 };

static void compare(unsigned lacks) {
    wrong = 0;
    for (int i = 0; i < made_count; i++) {
        const struct made *m = &made[i];
        const struct lt_socket *s = &told[i];
        if (told_times[i] != 1) {
            wrong++;
            fprintf(stderr, "%s (%s): told %d times\n", m->what, m->protocol, told_times[i]);
            continue;
        }
        const bool local = strncmp(m->protocol, "unix", 4) == 0, other = m->state[0] == '\0' || is(m->protocol, "raw");
        expect_text(m, "protocol", s->protocol, m->protocol);
        if (!((lacks & NO_UNIX_PEERS) && is(m->protocol, "unix dgram")))
            expect_text(m, "state", s->state, m->state);
        if (!other && !((lacks & NO_BOUND) && is(m->what, "bound only") && !s->local[0]))
            expect_text(m, "local", s->local, m->local);
        if (!other && !((lacks & NO_SYN_SENT) && is(m->state, "SYN_SENT")) && !((lacks & NO_UNIX_PEERS) && local))
            expect_text(m, "peer", s->peer, m->peer);
        if (!other && !(lacks & NO_QUEUES) && s->receive != m->receive) {
            wrong++;
            fprintf(stderr, "%s (%s): %d bytes to read, not %d\n", m->what, m->protocol, (int)s->receive,
                    (int)m->receive);
        }
        if (!(lacks & NO_QUEUES) && m->receive && !local && !s->memory) { /* a local sender's account bears it */
            wrong++;
            fprintf(stderr, "%s (%s): no memory\n", m->what, m->protocol);
        }
    }
    CHILD_CHECK(wrong == 0);
}

static void ask_descriptors(void) {
    make_all();
    ask(0);
    compare(NO_SYN_SENT); /* getpeername says ENOTCONN until the answer is there */
}

static void by_descriptor(void **state) {
    (void)state;
    assert_child_passes(ask_descriptors);
}

static bool netlink_answers(void) {
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    return fd >= 0 && close(fd) == 0;
}

static void ask_netlink(void) {
    make_all();
    ask((int)syscall(SYS_gettid));
    compare(NO_BOUND); /* listed since Linux 6.8 */
}

static void by_netlink(void **state) {
    (void)state;
    lt_skip_when(!netlink_answers(), "no NETLINK_SOCK_DIAG here");
    assert_child_passes(ask_netlink);
}

/* From here on every raw system call socket(AF_NETLINK, ...) of os/ is refused. */
static void refuse_netlink(void) {
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    lt_sandbox_filter(&program);
}

static void ask_proc(void) {
    make_all();
    refuse_netlink();
    ask((int)syscall(SYS_gettid));
    compare(NO_BOUND | NO_QUEUES | NO_UNIX_PEERS);
}

static void by_proc(void **state) {
    (void)state;
    assert_child_passes(ask_proc);
}

static void ask_without_proc(void) {
    make_all();
    CHILD_CHECK(chroot(scratch) == 0);
    ask(0); /* the paths of unix sockets are as they were given to bind */
    compare(NO_SYN_SENT);
    refuse_netlink();
    ask((int)syscall(SYS_gettid));
    for (int i = 0; i < made_count; i++)
        CHILD_CHECK(told_times[i] == 0);
}

static void without_proc(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "chroot needs root");
    assert_child_passes(ask_without_proc);
}

/* ---- ss(8) ---- */

/* "ESTAB" and "CLOSE-WAIT" are ss's spellings. */
static const char *state_of_ss(char *state) {
    for (char *at = state; *at; at++)
        *at = *at == '-' ? '_' : *at;
    if (is(state, "ESTAB"))
        return "ESTABLISHED";
    return is(state, "FIN_WAIT_2") ? "FIN_WAIT2" : state;
}

static int compare_line_of_ss(char *line) {
    char netid[16], state[16], receive[16], send[16], local[128], peer[128];
    const char *inode = strstr(line, " ino:");
    if (sscanf(line, "%15s %15s %15s %15s %127s %127s", netid, state, receive, send, local, peer) != 6 || !inode)
        return 0;
    for (int i = 0; i < made_count; i++) {
        const struct made *m = &made[i];
        const struct lt_socket *s = &told[i];
        if (m->inode != strtoull(inode + 5, NULL, 10))
            continue;
        if (!is(state, "UNCONN"))
            expect_text(m, "ss: state", s->state, state_of_ss(state));
        expect_text(m, "ss: local", s->local, local);
        if (s->peer[0])
            expect_text(m, "ss: peer", s->peer, peer);
        char ours[64], theirs[64];
        snprintf(ours, sizeof ours, "%llu %llu", (unsigned long long)s->receive, (unsigned long long)s->send);
        snprintf(theirs, sizeof theirs, "%s %s", receive, send);
        if (!is(s->state, "LISTEN") && !is(s->state, "CLOSE_WAIT")) /* ss counts connections, and the FIN as a byte */
            expect_text(m, "ss: queues", ours, theirs);
        return 1;
    }
    return 0;
}

static void compare_with_ss(void) {
    char line[4096];
    int compared = 0;
    make_all();
    ask((int)syscall(SYS_gettid));
    FILE *ss = popen("ss -H -a -n -e -t -u", "r");
    CHILD_CHECK(ss != NULL);
    wrong = 0;
    while (fgets(line, sizeof line, ss))
        compared += compare_line_of_ss(line);
    pclose(ss);
    print_message("%d lines of ss compared\n", compared);
    CHILD_CHECK(wrong == 0 && compared >= 9);
}

static void as_ss_says(void **state) {
    (void)state;
    lt_skip_when(!netlink_answers() || system("ss -V >/dev/null 2>&1") != 0, "ss (iproute2) is not here");
    assert_child_passes(compare_with_ss);
}

/* ---- many ---- */

static void count_states(void *context, const struct lt_socket_key *key, const struct lt_socket *s) {
    int *counts = context;
    CHILD_CHECK(key->inode == s->inode && is(s->protocol, "tcp"));
    counts[is(s->state, "CLOSE_WAIT") ? 0 : is(s->state, "FIN_WAIT2") ? 1 : 2]++;
}

static void ask_for_many(void) {
    static struct lt_socket_key keys[2 * PAIRS];
    const struct rlimit limit = {2 * PAIRS + 100, 2 * PAIRS + 100};
    CHILD_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int listener = bound(AF_INET, SOCK_STREAM);
    CHILD_CHECK(listen(listener, 5) == 0);
    for (int i = 0; i < PAIRS; i++) {
        const int client = connected(listener, SOCK_STREAM), server = accept(listener, NULL, NULL);
        half_close(client, server);
        keys[2 * i].fd = client;
        keys[2 * i + 1].fd = server;
    }
    for (int round = 0; round < 2; round++) {
        int counts[3] = {0};
        for (int i = 0; i < 2 * PAIRS; i++) {
            struct stat st;
            fstat(keys[i].fd, &st);
            keys[i] = (struct lt_socket_key){.inode = st.st_ino, .fd = keys[i].fd};
        }
        qsort(keys, 2 * (size_t)PAIRS, sizeof *keys, by_inode);
        CHILD_CHECK(
            lt_socket_list(round ? getpid() : 0, keys, 2 * PAIRS, buffer, sizeof buffer, count_states, counts) == 0);
        CHILD_CHECK(counts[0] == PAIRS && counts[1] == PAIRS && counts[2] == 0);
    }
}

static void many(void **state) {
    (void)state;
    lt_skip_when(geteuid() != 0, "RLIMIT_NOFILE can't be raised");
    assert_child_passes(ask_for_many);
}

/* ---- what is not there ---- */

static void count(void *context, const struct lt_socket_key *key, const struct lt_socket *s) {
    *(int *)context += key->inode == s->inode;
}

static void nothing_is_invented(void **state) {
    (void)state;
    int seen = 0;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct lt_socket_key none[3] = {{.inode = 1, .fd = 0}, {.inode = 2, .fd = fd}, {.inode = UINT64_MAX, .fd = 999}};
    assert_int_equal(lt_socket_list(0, none, 0, buffer, sizeof buffer, count, &seen), 0);
    assert_int_equal(lt_socket_list(0, none, 3, buffer, sizeof buffer, count, &seen), 0);
    assert_int_equal(lt_socket_list(getpid(), none, 3, buffer, sizeof buffer, count, &seen), 0);
    assert_int_equal(seen, 0);
    close(fd);
    const int again = open("/dev/null", O_RDONLY); /* no descriptor was left open */
    assert_int_equal(again, fd);
    close(again);
}

static int set_up(void **state) {
    return (*state = (void *)(uintptr_t)scratch_new(scratch)) ? 0 : -1;
}

static int tear_down(void **state) {
    scratch_remove(*state);
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(by_descriptor, set_up, tear_down),
    cmocka_unit_test_setup_teardown(by_netlink, set_up, tear_down),
    cmocka_unit_test_setup_teardown(by_proc, set_up, tear_down),
    cmocka_unit_test_setup_teardown(without_proc, set_up, tear_down),
    cmocka_unit_test_setup_teardown(as_ss_says, set_up, tear_down),
    cmocka_unit_test(many),
    cmocka_unit_test(nothing_is_invented),
};

LT_UNIT_MAIN(tests)
