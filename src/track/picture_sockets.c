/* What a socket is doing is asked for all of them together, by inode. */
#include "track/picture_parts.h"

#include "os/socket_list.h"

_Static_assert((int)LT_PICTURE_BUFFER >= (int)LT_SOCKET_BUFFER, "the buffer is lent to lt_socket_list");

static struct lt_descriptor_row *row_of(const struct lt_picture *picture, int fd) {
    uint32_t low = 0, high = picture->descriptors.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        struct lt_descriptor_row *row = lt_vector_at(&picture->descriptors, middle);
        if (row->fd == fd)
            return row;
        if (row->fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct question {
    struct lt_picture *picture;
    struct lt_vector keys; /* of struct lt_socket_key, by inode */
};

/* `key` is the first of those with its inode: the others are duplicates. */
static void see(void *context, const struct lt_socket_key *key, const struct lt_socket *socket) {
    struct question *question = context;
    struct lt_picture *picture = question->picture;
    const struct lt_socket_key *keys = question->keys.items, *end = keys + question->keys.count;
    const uint32_t protocol = lt_picture_text(picture, socket->protocol),
                   state = lt_picture_text(picture, socket->state), local = lt_picture_text(picture, socket->local),
                   peer = lt_picture_text(picture, socket->peer);
    for (const uint64_t inode = key->inode; key < end && key->inode == inode; key++) {
        struct lt_descriptor_row *row = row_of(picture, key->fd);
        if (!row)
            continue;
        row->has_socket = true;
        row->protocol = protocol;
        row->state = state;
        row->local = local;
        row->peer = peer;
        row->receive = socket->receive;
        row->send = socket->send;
        row->memory = socket->memory;
    }
}

static void add_keys(struct question *question) {
    for (uint32_t i = 0; i < question->picture->descriptors.count; i++) {
        const struct lt_descriptor_row *row = lt_vector_at(&question->picture->descriptors, i);
        if (row->kind != LT_KIND_SOCKET || !row->inode)
            continue;
        struct lt_socket_key *key = lt_vector_add(&question->keys);
        if (!key)
            return; /* what is missing is detail */
        *key = (struct lt_socket_key){.inode = row->inode, .fd = row->fd};
    }
}

void lt_picture_ask_sockets(struct lt_picture *picture) {
    struct question question = {.picture = picture};
    lt_vector_init(&question.keys, sizeof(struct lt_socket_key));
    add_keys(&question);
    lt_vector_sort(&question.keys);
    if (question.keys.count)
        (void)!lt_socket_list(picture->descriptor_tid, question.keys.items, question.keys.count, picture->buffer,
                              LT_PICTURE_BUFFER, see, &question);
    lt_vector_free(&question.keys);
}
