#include "report/sockets.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEAST_SERVED = 3, /* so many connections of one own address and port: a server's */
    MOST_HOSTS = 8,   /* a served port with more peers' hosts than that is one group */
};

/* A socket with what it is grouped by. */
struct entry {
    const struct lt_dump_descriptor *row;
    size_t host_length; /* of the peer, without its port */
    bool is_served;
    size_t hosts; /* 0: the peer's host counts; else it does not, and there are so many */
};

/* The last colon of "1.2.3.4:80" or "[::1]:80" ends the host; a path or an abstract name has no port. */
static size_t host_length(const char *address) {
    const char *colon = strrchr(address, ':');
    return address[0] == '/' || address[0] == '@' || !colon ? strlen(address) : (size_t)(colon - address);
}

static const char *port_of(const char *address) {
    return address + host_length(address);
}

static int compare_parts(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_local(const struct entry *a, const struct entry *b) {
    int order = strcmp(a->row->details.protocol, b->row->details.protocol);
    return order ? order : strcmp(a->row->details.local, b->row->details.local);
}

static int by_host(const struct entry *a, const struct entry *b) {
    return compare_parts(a->row->details.peer, a->host_length, b->row->details.peer, b->host_length);
}

/* Sockets of one local address and one peer's host stand together. */
static int by_service(const void *left, const void *right) {
    int order = by_local(left, right);
    return order ? order : by_host(left, right);
}

static bool has_listener(const struct entry *entries, size_t count, const struct entry *of) {
    const struct lt_dump_details *details = &of->row->details;
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].row->details.state, "LISTEN") == 0 &&
            strcmp(entries[i].row->details.protocol, details->protocol) == 0 &&
            strcmp(port_of(entries[i].row->details.local), port_of(details->local)) == 0)
            return true;
    return false;
}

/* The entries from `first` on that are equal by `compare`. */
static size_t run_length(const struct entry *entries, size_t count, size_t first,
                         int (*compare)(const struct entry *, const struct entry *)) {
    size_t end = first + 1;
    while (end < count && compare(&entries[first], &entries[end]) == 0)
        end++;
    return end - first;
}

static int compare_services(const struct entry *a, const struct entry *b) {
    return by_service(a, b);
}

/* Who listens on the port, or has several connections there, serves it: the ports of one client's connections to one
 * host differ. */
static void find_served(struct entry *entries, size_t count, struct lt_pool *scratch) {
    struct entry *listeners = lt_pool_alloc(scratch, count, sizeof *listeners);
    size_t listener_count = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].row->details.state, "LISTEN") == 0)
            listeners[listener_count++] = entries[i];
    qsort(entries, count, sizeof *entries, by_service);
    for (size_t i = 0, run; i < count; i += run) {
        run = run_length(entries, count, i, by_local);
        for (size_t k = i, hosts; k < i + run; k += hosts) {
            hosts = run_length(entries, i + run, k, compare_services);
            bool is_served = port_of(entries[k].row->details.peer)[0] &&
                             (run >= LEAST_SERVED || hosts > 1 || has_listener(listeners, listener_count, &entries[k]));
            for (size_t socket = k; socket < k + hosts; socket++)
                entries[socket].is_served = is_served;
        }
    }
}

/* What a group has in common, but for the peer. */
static int by_end(const struct entry *a, const struct entry *b) {
    const struct lt_dump_details *x = &a->row->details, *y = &b->row->details;
    int order = strcmp(x->state, y->state);
    if (!order)
        order = strcmp(x->protocol, y->protocol);
    if (!order)
        order = a->is_served - b->is_served;
    return order || !a->is_served ? order : strcmp(x->local, y->local);
}

static int by_group(const struct entry *a, const struct entry *b) {
    int order = by_end(a, b);
    if (order || (a->hosts && b->hosts))
        return order;
    return a->is_served ? by_host(a, b) : strcmp(a->row->details.peer, b->row->details.peer);
}

static int by_group_then_fd(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = by_group(a, b);
    return order ? order : (a->row->fd > b->row->fd) - (a->row->fd < b->row->fd);
}

/* Sorts the entries into groups. */
static void sort_into_groups(struct entry *entries, size_t count) {
    qsort(entries, count, sizeof *entries, by_group_then_fd);
    for (size_t i = 0, run; i < count; i += run) {
        run = run_length(entries, count, i, by_end);
        size_t hosts = 0;
        for (size_t k = i; k < i + run; k += run_length(entries, i + run, k, by_group))
            hosts++;
        for (size_t k = i; k < i + run && entries[i].is_served && hosts > MOST_HOSTS; k++)
            entries[k].hosts = hosts;
    }
    qsort(entries, count, sizeof *entries, by_group_then_fd);
}

static int by_count(const void *left, const void *right) {
    const struct lt_socket_group *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return (a->sockets[0]->fd > b->sockets[0]->fd) - (a->sockets[0]->fd < b->sockets[0]->fd);
}

static struct lt_socket_group new_group(const struct entry *first, const struct lt_dump_descriptor **sockets) {
    const struct lt_dump_details *details = &first->row->details;
    return (struct lt_socket_group){.protocol = details->protocol,
                                    .state = details->state,
                                    .peer = details->peer,
                                    .local = details->local,
                                    .peer_length = first->hosts       ? 0
                                                   : first->is_served ? first->host_length
                                                                      : strlen(details->peer),
                                    .hosts = first->hosts,
                                    .is_served = first->is_served,
                                    .oldest = LT_NO_NUMBER,
                                    .sockets = sockets};
}

static void join(struct lt_socket_group *group, const struct lt_dump_descriptor *row,
                 const struct lt_dump_snapshot *snapshot) {
    uint64_t age = lt_holder_age(snapshot, &row->holder);
    if (age != LT_NO_NUMBER && (group->oldest == LT_NO_NUMBER || age > group->oldest))
        group->oldest = age;
    if (row->details.receive != LT_NO_NUMBER)
        group->waiting += row->details.receive;
    group->sockets[group->count++] = row;
}

static size_t collect(const struct lt_model *model, struct entry *entries) {
    size_t count = 0;
    for (size_t i = 0; i < model->resources.descriptor_count; i++) {
        const struct lt_dump_descriptor *row = model->resources.descriptors[i];
        if (row->kind == LT_KIND_SOCKET)
            entries[count++] = (struct entry){.row = row, .host_length = host_length(row->details.peer)};
    }
    return count;
}

size_t lt_socket_groups(const struct lt_model *model, struct lt_pool *pool, struct lt_socket_group **groups) {
    size_t most = model->resources.descriptor_count, group_count = 0;
    struct entry *entries = lt_pool_alloc(pool, most, sizeof *entries);
    const struct lt_dump_descriptor **sockets = lt_pool_alloc(pool, most, sizeof(void *));
    size_t count = collect(model, entries);
    *groups = lt_pool_alloc(pool, count, sizeof **groups);
    if (!count)
        return 0;
    find_served(entries, count, pool);
    sort_into_groups(entries, count);
    for (size_t i = 0; i < count; i++) {
        if (!i || by_group(&entries[i - 1], &entries[i]) != 0)
            (*groups)[group_count++] = new_group(&entries[i], sockets + i);
        join(&(*groups)[group_count - 1], entries[i].row, model->snapshot);
    }
    qsort(*groups, group_count, sizeof **groups, by_count);
    return group_count;
}

static int by_word(const void *left, const void *right) {
    return strcmp(((const struct lt_socket_state *)left)->state, ((const struct lt_socket_state *)right)->state);
}

size_t lt_socket_states(const struct lt_model *model, struct lt_pool *pool, struct lt_socket_state **result) {
    struct lt_socket_state *states = *result = lt_pool_alloc(pool, model->resources.descriptor_count, sizeof *states);
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < model->resources.descriptor_count; i++) {
        const struct lt_dump_descriptor *row = model->resources.descriptors[i];
        if (row->kind == LT_KIND_SOCKET)
            states[count++] = (struct lt_socket_state){row->details.state[0] ? row->details.state : "-", 1};
    }
    if (count)
        qsort(states, count, sizeof *states, by_word);
    for (size_t i = 0; i < count; i++) {
        if (kept && strcmp(states[kept - 1].state, states[i].state) == 0)
            states[kept - 1].count++;
        else
            states[kept++] = states[i];
    }
    return kept;
}
