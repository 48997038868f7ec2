/* Text that the kernel prints, one line a socket. Addresses are words in the machine's byte order, whose bytes in
 * memory are the address. Linux, Documentation/networking/proc_net_tcp.rst; net/unix/af_unix.c, unix_seq_show. */
#include "os/socket_reader.h"

#include "base/fmt.h"
#include "os/lines.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static const char *after_word(const char *at) {
    at += strcspn(at, " ");
    return at + strspn(at, " ");
}

/* The field of that number, from 0 on; "" where there are fewer. */
static const char *field(const char *line, unsigned number) {
    line += strspn(line, " ");
    while (number--)
        line = after_word(line);
    return line;
}

static uint32_t word_at(const char *at) {
    char digits[9] = "";
    memcpy(digits, at, strnlen(at, 8));
    return (uint32_t)lt_number_at(digits, 16);
}

/* "0100007F:1F90". */
static void put_address(char text[static LT_SOCKET_ADDRESS], int family, const char *at) {
    uint32_t words[4] = {0};
    const unsigned count = family == AF_INET6 ? 4 : 1;
    if (strnlen(at, 8 * count + 1) <= 8 * count)
        return;
    for (unsigned i = 0; i < count; i++)
        words[i] = word_at(at + 8 * i);
    lt_socket_put_inet(text, family, words, (unsigned)lt_number_at(at + 8 * count + 1, 16));
}

/* sl: local remote st tx_queue:rx_queue tr:when retransmits uid timeout inode ... */
static void see_inet(struct lt_socket_search *search, const struct lt_socket_table *table, const char *line) {
    struct lt_socket_key *key = lt_socket_wanted(search, lt_number_at(field(line, 9), 10));
    struct lt_socket *row = search->row;
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(row, table->family, table->protocol == IPPROTO_RAW ? SOCK_RAW : 0, table->protocol);
    row->state = lt_socket_state(table->family, table->protocol, (unsigned)lt_number_at(field(line, 3), 16));
    put_address(row->local, table->family, field(line, 1));
    put_address(row->peer, table->family, field(line, 2));
    const char *queues = field(line, 4), *colon = strchr(queues, ':');
    if (colon)
        lt_socket_put_queues(row, lt_number_at(colon + 1, 16), lt_number_at(queues, 16));
    lt_socket_found(search, key);
}

/* Num: RefCount Protocol Flags Type St Inode Path */
static void see_unix(struct lt_socket_search *search, const struct lt_socket_table *table, const char *line) {
    static const uint64_t listens = 0x10000; /* __SO_ACCEPTCON */
    static const unsigned connected = 3;     /* SS_CONNECTED of linux/net.h */
    const char *inode = field(line, 6);
    struct lt_socket_key *key = lt_socket_wanted(search, lt_number_at(inode, 10));
    struct lt_socket *row = search->row;
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    const int type = (int)lt_number_at(field(line, 4), 16);
    lt_socket_put_protocol(row, table->family, type, 0);
    if (lt_number_at(field(line, 3), 16) & listens)
        row->state = "LISTEN";
    else if (type != SOCK_DGRAM) /* a datagram server is shown as connected while it has a client */
        row->state = lt_number_at(field(line, 5), 16) == connected ? "ESTABLISHED" : "UNCONN";
    const char *path = strchr(inode, ' ');
    if (path)
        lt_socket_put_unix(row->local, path + 1, strlen(path + 1), '@');
    lt_socket_found(search, key);
}

/* Others: nothing but that it is there. The inode is the last field. */
static void see_other(struct lt_socket_search *search, const struct lt_socket_table *table, const char *line) {
    const char *last = line;
    for (const char *next; *(next = after_word(last)); last = next)
        ;
    struct lt_socket_key *key = lt_socket_wanted(search, lt_number_at(last, 10));
    if (!key)
        return;
    lt_socket_begin(search, key->inode);
    lt_socket_put_protocol(search->row, table->family, 0, table->protocol);
    lt_socket_found(search, key);
}

static void see_line(struct lt_socket_search *search, const struct lt_socket_table *table, const char *line) {
    if (table->family == AF_INET || table->family == AF_INET6)
        see_inet(search, table, line);
    else if (table->family == AF_UNIX)
        see_unix(search, table, line);
    else
        see_other(search, table, line);
}

int lt_socket_read_proc(struct lt_socket_search *search, const struct lt_socket_table *table) {
    char path[64];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    struct lt_lines lines;
    const char *line;
    if (!table->file)
        return -ENOENT;
    lt_fmt_text(&f, "/proc/thread-self/net/");
    lt_fmt_text(&f, table->file);
    int status = lt_lines_open(&lines, path, search->buffer, search->size);
    if (status)
        return status;
    (void)lt_lines_next(&lines); /* the head line */
    while (search->missing && !status && (line = lt_lines_next(&lines)) != NULL) {
        see_line(search, table, line);
        status = search->budget ? 0 : -E2BIG;
    }
    const int reading = lt_lines_close(&lines);
    return status ? status : reading;
}
