/* Three looks, in this order: the records are copied (before), the kernel's directory is read, the records are looked
 * at again (now). A release is recorded before the real call and an acquisition after it, so
 *
 *   the same record before and now, and not listed     somebody closed it behind our back: vanished. Any legitimate
 *                                                      holder of that number since would have raised its generation
 *   the same record, listed as something else          likewise, and what is there now is unattributed
 *   listed, a record before and none now               released meanwhile: no row
 *   listed, no record before, one now                  acquired meanwhile: the row is the record's
 *   listed, no record before nor now                   unattributed; or it was opened so lately that its record is
 *                                                      still on its way: asked once more after a nap
 *   not listed, a record now that was not there before younger than the pass: no row
 *
 * Before a record is dropped the kernel is asked for that number once more, and whether the thread whose table was
 * asked still runs: of a thread that has left, the kernel lists nothing. */
#include "track/picture_parts.h"

#include "os/fd_list.h"
#include "os/task.h"
#include "track/descriptors.h"

#include <errno.h>
#include <sys/stat.h>

_Static_assert((int)LT_PICTURE_BUFFER >= (int)LT_FD_LIST_BUFFER, "the buffer is lent to lt_fd_list");

enum { LOOKS = 8 };
static const uint64_t nap_ns = 1000 * 1000;

struct record {
    int fd;
    bool listed, denied;
    struct lt_descriptor was;
};

static struct lt_descriptor_row *row_at(const struct lt_picture *picture, uint32_t i) {
    return lt_vector_at(&picture->descriptors, i);
}

/* The records as they are; false where memory is short. */
static bool copy_records(struct lt_vector *records) {
    struct lt_descriptor was;
    lt_vector_init(records, sizeof(struct record));
    for (int fd = -1; (fd = lt_descriptor_next(fd + 1, &was)) >= 0;) {
        struct record *record = lt_vector_add(records);
        if (!record)
            return false;
        *record = (struct record){.fd = fd, .was = was};
    }
    return true;
}

/* The record of `fd` among those copied, found forward from *i. */
static struct record *record_of(const struct lt_vector *records, uint32_t *i, int fd) {
    while (*i < records->count && ((struct record *)lt_vector_at(records, *i))->fd < fd)
        ++*i;
    struct record *record = *i < records->count ? lt_vector_at(records, *i) : NULL;
    return record && record->fd == fd ? record : NULL;
}

static bool is_own(const struct lt_picture *picture, int fd) {
    for (unsigned i = 0; i < picture->options.own_fd_count; i++)
        if (picture->options.own_fds[i] == fd)
            return true;
    return false;
}

/* ---- what the kernel lists ---- */

static void describe(struct lt_picture *picture, struct lt_descriptor_row *row, const struct lt_fd_entry *entry,
                     const struct lt_fd_details *details) {
    const bool says_all = details->kind == LT_KIND_SOCKET || (details->kind == LT_KIND_PIPE && entry->target[0] != '/');
    *row = (struct lt_descriptor_row){
        .fd = entry->fd,
        .kind = (uint8_t)details->kind,
        .flags =
            (uint8_t)((details->cloexec ? LT_DESCRIPTOR_CLOEXEC : 0) | (entry->deleted ? LT_DESCRIPTOR_DELETED : 0)),
        .kind_known = entry->target[0] || details->mode,
        .has_position = details->has_position,
        .has_size = S_ISREG(details->mode),
        .target = says_all && details->inode ? 0 : lt_picture_text(picture, entry->target),
        .note = lt_picture_text(picture, details->note),
        .inode = details->inode,
        .position = details->position,
        .size = details->size,
        .watches = details->watches,
    };
}

static bool see(void *context, const struct lt_fd_entry *entry) {
    struct lt_picture *picture = context;
    struct lt_fd_details details;
    if (is_own(picture, entry->fd) || lt_fd_details(picture->descriptor_tid, entry, &details) == -ENOENT)
        return true;
    struct lt_descriptor_row *row = lt_vector_add(&picture->descriptors);
    if (!row)
        return false;
    picture->open_files++;
    describe(picture, row, entry, &details);
    return true;
}

/* Whether the list is whole. */
static bool read_list(struct lt_picture *picture) {
    const uint32_t before = picture->descriptors.count;
    const int status = lt_fd_list(picture->descriptor_tid, picture->buffer, LT_PICTURE_BUFFER, see, picture);
    if (picture->descriptors.count - before != picture->open_files)
        lt_picture_lost(picture);
    return status == 0 && !picture->incomplete;
}

/* ---- whose it is ---- */

/* What the call promised and what the kernel shows can't be the same thing. What open() gives may be a file, a
 * directory, or a named pipe. */
static bool contradicts(enum lt_kind recorded, enum lt_kind shown) {
    if (recorded == LT_KIND_FILE)
        return shown == LT_KIND_SOCKET || shown == LT_KIND_EVENT;
    return recorded != shown;
}

static void attribute(struct lt_descriptor_row *row, const struct lt_descriptor *record) {
    if (!row->kind_known || contradicts(record->kind, row->kind)) /* the number is another file's since it was listed */
        *row = (struct lt_descriptor_row){.fd = row->fd, .kind = record->kind};
    row->origin = record->origin;
    row->holding = record->holding;
    row->flags |= record->via == LT_VIA_STREAM      ? LT_DESCRIPTOR_VIA_STREAM
                  : record->via == LT_VIA_DIRECTORY ? LT_DESCRIPTOR_VIA_DIRECTORY
                                                    : 0;
}

/* Drops a record that the kernel denies; false where it has changed. */
static bool drop_record(struct lt_picture *picture, int fd, const struct lt_descriptor *seen) {
    if (!lt_descriptor_vanished(fd, seen))
        return false;
    lt_resource_release(NULL, &seen->holding, 1, 0);
    picture->vanished[seen->kind]++;
    return true;
}

/* The record and the number have parted: what the call promised can't be what the kernel shows. */
static bool has_parted(struct lt_picture *picture, const struct lt_descriptor_row *row, const struct record *record,
                       const struct lt_descriptor *now) {
    return record && record->was.generation == now->generation && row->kind_known &&
           contradicts(now->kind, row->kind) && drop_record(picture, row->fd, now);
}

/* Whether an origin could be told. */
static bool find_holder(struct lt_picture *picture, struct lt_descriptor_row *row, const struct record *record) {
    struct lt_descriptor now;
    const bool held = lt_descriptor_get(row->fd, &now), parted = held && has_parted(picture, row, record, &now);
    if (held && !parted)
        attribute(row, &now);
    else if (record && !parted)
        row->kind = 0; /* released meanwhile */
    else
        row->origin = LT_ORIGIN_UNATTRIBUTED;
    return row->origin != LT_ORIGIN_UNATTRIBUTED;
}

/* Records come after their real call: a second look, after other threads have had the time. */
static void look_again(struct lt_picture *picture) {
    struct lt_descriptor now;
    if (picture->tasks < 2)
        return;
    lt_sleep_ns(nap_ns);
    for (uint32_t i = 0; i < picture->descriptors.count; i++) {
        struct lt_descriptor_row *row = row_at(picture, i);
        if (row->kind && row->origin == LT_ORIGIN_UNATTRIBUTED && lt_descriptor_get(row->fd, &now))
            attribute(row, &now);
    }
}

static void find_holders(struct lt_picture *picture, const struct lt_vector *records) {
    bool all_known = true;
    for (uint32_t i = 0, r = 0; i < picture->descriptors.count; i++) {
        struct lt_descriptor_row *row = row_at(picture, i);
        struct record *record = record_of(records, &r, row->fd);
        if (record)
            record->listed = true;
        all_known &= find_holder(picture, row, record);
    }
    if (!all_known)
        look_again(picture);
}

/* ---- what the kernel denies ---- */

static bool is_open(const struct lt_picture *picture, int fd) {
    const struct lt_fd_entry entry = {.fd = fd, .target = ""};
    struct lt_fd_details details;
    return lt_fd_details(picture->descriptor_tid, &entry, &details) != -ENOENT;
}

static bool is_denied(const struct lt_picture *picture, const struct record *record) {
    struct lt_descriptor now;
    return !record->listed && !is_own(picture, record->fd) && lt_descriptor_get(record->fd, &now) &&
           now.generation == record->was.generation && !is_open(picture, record->fd);
}

/* Whether the thread that was asked for still has descriptors to show: any one of those that should be open. */
static bool was_asked_rightly(const struct lt_picture *picture) {
    for (unsigned i = 0; i < picture->options.own_fd_count; i++)
        if (is_open(picture, picture->options.own_fds[i]))
            return true;
    for (uint32_t i = 0; i < picture->descriptors.count && i < LOOKS; i++)
        if (is_open(picture, row_at(picture, i)->fd))
            return true;
    return false;
}

static void drop_denied(struct lt_picture *picture, const struct lt_vector *records) {
    for (uint32_t i = 0; i < records->count; i++) {
        struct record *record = lt_vector_at(records, i);
        record->denied = is_denied(picture, record);
    }
    if (!was_asked_rightly(picture))
        return;
    for (uint32_t i = 0; i < records->count; i++) {
        const struct record *record = lt_vector_at(records, i);
        if (record->denied)
            (void)drop_record(picture, record->fd, &record->was);
    }
}

/* ---- rows ---- */

/* No /proc: what the tables say is all there is. */
static void show_records(struct lt_picture *picture, const struct lt_vector *records) {
    picture->reconciled = false;
    picture->open_files = 0;
    picture->descriptors.count = 0;
    for (uint32_t i = 0; i < records->count; i++) {
        const struct record *record = lt_vector_at(records, i);
        struct lt_descriptor_row *row = lt_vector_add(&picture->descriptors);
        if (!row) {
            lt_picture_lost(picture);
            return;
        }
        *row = (struct lt_descriptor_row){.fd = record->fd, .kind = record->was.kind};
        attribute(row, &record->was);
    }
}

/* Rows of kinds that are not tracked go, unless a record is held for them; the others are counted. */
static void count_rows(struct lt_picture *picture) {
    for (uint32_t i = 0; i < picture->descriptors.count; i++) {
        struct lt_descriptor_row *row = row_at(picture, i);
        const bool held = row->origin != LT_ORIGIN_UNATTRIBUTED;
        if (row->kind && held)
            lt_picture_count(picture, row->kind, &row->holding, 0);
        else if (row->kind && !lt_picture_shows(picture, row->kind))
            row->kind = 0;
    }
}

void lt_picture_take_descriptors(struct lt_picture *picture) {
    struct lt_vector records;
    const bool copied = copy_records(&records);
    if (!copied)
        lt_picture_lost(picture);
    if (read_list(picture)) {
        find_holders(picture, &records);
        drop_denied(picture, &records);
    } else {
        show_records(picture, &records);
    }
    count_rows(picture);
    lt_vector_free(&records);
}
