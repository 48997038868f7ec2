/* Whose file is it? A living writer holds flock on it; that is the answer that needs no /proc and holds across pid
 * namespaces. The header's pid and start time answer where the lock can't: a program that closed our descriptor, and
 * file systems without locks. Taking a path over follows the usual order of lock files: lock, then look whether the
 * path still names what was locked. */
#include "track/dump_file.h"

#include "base/crc32c.h"
#include "base/fmt.h"
#include "dump/format.h"
#include "dump/writer.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/proc.h"
#include "os/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

enum {
    EXISTING = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
}; /* opening must not block or have a side effect, whatever it is */

static bool same_id(const struct lt_file_id *a, const struct lt_file_id *b) {
    return a->device == b->device && a->inode == b->inode;
}

/* Whether `path` still names the open file `fd`. */
static bool is_at(const char *path, int fd, struct lt_file_info *info) {
    struct lt_file_info there;
    return lt_file_info(fd, info) == 0 && lt_link_info(path, &there) == 0 && same_id(&there.id, &info->id);
}

void lt_dump_file_init(struct lt_dump_file *file, const char *path, uint64_t max_bytes) {
    struct lt_fmt f = lt_fmt(file->path, sizeof file->path);
    lt_fmt_text(&f, path);
    file->fd = -1;
    file->id = (struct lt_file_id){0, 0};
    file->start_ticks = lt_proc_start_ticks(0);
    file->committed = file->position = file->spare = 0;
    file->max_bytes = max_bytes;
    file->generation = file->fruitless = file->refusals = 0;
    file->header_written = file->last = file->pid_appended = false;
    file->last_error = 0;
    file->interval_factor = 1;
    file->can_thin = false;
    file->runs = (struct lt_dump_runs){0};
}

/* A new or emptied file: nothing that was written earlier is in it. */
static void begin_anew(struct lt_dump_file *file) {
    file->committed = file->position = file->spare = 0;
    file->header_written = false;
    file->fruitless = file->refusals = 0;
    file->interval_factor = 1;
    file->generation++;
    lt_runs_clear(&file->runs);
}

/* Makes `fd` the file's descriptor. Where no number up there is free it stays what it is, but never standard input,
 * output or error, which the program may be about to open. */
static int adopt(struct lt_dump_file *file, int fd, const struct lt_file_id *id) {
    int high = lt_fd_move_high(fd);
    if (high < 0 && fd < 3) {
        lt_close(fd);
        return high;
    }
    file->fd = lt_fd_keep(high < 0 ? fd : high);
    file->id = *id;
    return 0;
}

enum owner { OWNER_NONE, OWNER_ALIVE, OWNER_US, OWNER_FOREIGN };

static bool read_header(int fd, struct lt_dump_header *header) {
    return lt_pread_all(fd, header, sizeof *header, 0) == sizeof *header &&
           memcmp(header->magic, LT_DUMP_MAGIC, LT_DUMP_MAGIC_SIZE) == 0 &&
           lt_crc32c(0, header, offsetof(struct lt_dump_header, crc)) == header->crc;
}

static bool is_this_process(const struct lt_dump_file *file, const struct lt_dump_header *header) {
    return header->pid == (uint32_t)lt_getpid() && header->start_ticks == file->start_ticks;
}

static bool is_alive(const struct lt_dump_header *header) {
    if (header->pid == 0 || header->pid > INT32_MAX)
        return false;
    uint64_t ticks = lt_proc_start_ticks((int)header->pid);
    return lt_pid_alive((int)header->pid) && (!ticks || !header->start_ticks || ticks == header->start_ticks);
}

/* Whose dump is the open, unlocked or locked, file? */
static enum owner owner_of(const struct lt_dump_file *file, int fd, bool locked) {
    struct lt_dump_header header;
    char magic[LT_DUMP_MAGIC_SIZE];
    int64_t size = lt_pread_all(fd, magic, sizeof magic, 0);
    if (size == 0)
        return OWNER_NONE;
    if (size != sizeof magic || memcmp(magic, LT_DUMP_MAGIC, sizeof magic) != 0)
        return OWNER_FOREIGN;
    if (!read_header(fd, &header)) /* cut or damaged: only the lock can tell */
        return locked ? OWNER_NONE : OWNER_ALIVE;
    if (is_this_process(file, &header))
        return OWNER_US;
    return is_alive(&header) ? OWNER_ALIVE : OWNER_NONE;
}

/* Whether a section SNAPSHOT follows the header. */
static bool holds_a_snapshot(int fd) {
    struct lt_section_head head;
    uint64_t offset = sizeof(struct lt_dump_header);
    while (lt_pread_all(fd, &head, sizeof head, offset) == sizeof head &&
           lt_crc32c(0, &head, offsetof(struct lt_section_head, head_crc)) == head.head_crc) {
        if (head.type == LT_SECTION_SNAPSHOT)
            return true;
        if (head.length > INT64_MAX - offset - 2 * sizeof head)
            return false;
        offset += (sizeof head + head.length + LT_DUMP_ALIGN - 1) & ~(uint64_t)(LT_DUMP_ALIGN - 1);
    }
    return false;
}

/* Renames the dump of our own earlier image to the first free name of PATH.1, PATH.2 ... */
static int keep_aside(const char *path) {
    char *aside = lt_pages_new(LT_PATH_MAX);
    struct lt_file_info info;
    int status = aside ? -EEXIST : -ENOMEM;
    for (unsigned n = 1; n < 10000 && status == -EEXIST; n++) {
        struct lt_fmt f = lt_fmt(aside, LT_PATH_MAX);
        lt_fmt_text(&f, path);
        lt_fmt_char(&f, '.');
        lt_fmt_unsigned(&f, n);
        status = f.cut ? -ENAMETOOLONG : lt_link_info(aside, &info);
        status = status == 0 ? -EEXIST : status == -ENOENT ? lt_rename(path, aside) : status;
    }
    lt_pages_free(aside, LT_PATH_MAX);
    return status;
}

/* Where a file can be emptied but not removed (its directory is not ours; it is a mount point) it is used as it is, if
 * nobody else owns or names it. */
static int empty_in_place(int fd, int why, const struct lt_file_info *info) {
    if ((why != -EACCES && why != -EPERM && why != -EBUSY && why != -EROFS) || info->links != 1 ||
        info->uid != lt_geteuid())
        return why;
    return lt_file_truncate(fd, 0);
}

/* Clears the open file away from the path if it may be replaced; *usable: it is empty now and may be used itself.
 * -EWOULDBLOCK: the dump of a live process; -EEXIST: not a dump. */
static int clear_away(const struct lt_dump_file *file, int fd, bool *usable) {
    const char *path = file->path;
    struct lt_file_info info;
    int status = lt_file_lock(fd);
    if (status == -EWOULDBLOCK)
        return status;
    if (!is_at(path, fd, &info))
        return 0; /* somebody else has cleared it away */
    enum owner owner = owner_of(file, fd, status == 0);
    if (owner == OWNER_FOREIGN)
        return -EEXIST;
    if (owner == OWNER_ALIVE)
        return -EWOULDBLOCK;
    if (owner == OWNER_US && holds_a_snapshot(fd))
        return keep_aside(path);
    status = lt_unlink(path);
    if (status) {
        status = empty_in_place(fd, status, &info);
        *usable = status == 0;
    }
    return status;
}

/* What to do about the file that lies at the path: its descriptor, empty and locked, -ESTALE after it was cleared away,
 * or a reason to leave it alone. */
static int take_over(const struct lt_dump_file *file) {
    struct lt_file_info info;
    bool usable = false;
    int status = lt_link_info(file->path, &info);
    if (status)
        return status == -ENOENT ? -ESTALE : status;
    if (!S_ISREG(info.mode))
        return -EEXIST;
    int fd = lt_open(file->path, O_RDWR | EXISTING, 0);
    if (fd < 0)
        return fd == -ENOENT ? -ESTALE : fd;
    status = clear_away(file, fd, &usable);
    if (usable)
        return fd;
    lt_close(fd);
    return status ? status : -ESTALE;
}

/* Opens an empty, locked file at the path; -EWOULDBLOCK where a live process's dump lies there. Every attempt that
 * meets another process doing the same ends in -ESTALE. */
static int create(const struct lt_dump_file *file, struct lt_file_info *info) {
    int fd = -ESTALE;
    for (int attempt = 0; attempt < 8 && fd == -ESTALE; attempt++) {
        fd = lt_open(file->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd == -EEXIST)
            fd = take_over(file);
        if (fd >= 0 && (lt_file_lock(fd) == -EWOULDBLOCK || !is_at(file->path, fd, info))) {
            lt_close(fd);
            fd = -ESTALE;
        }
    }
    return fd;
}

static bool append_pid(struct lt_dump_file *file) {
    struct lt_fmt f = {.text = file->path, .size = sizeof file->path, .length = strlen(file->path)};
    size_t length = f.length;
    lt_fmt_char(&f, '.');
    lt_fmt_signed(&f, lt_getpid());
    if (f.cut)
        file->path[length] = '\0';
    file->pid_appended = !f.cut;
    return !f.cut;
}

int lt_dump_file_open(struct lt_dump_file *file) {
    struct lt_file_info info;
    int fd = create(file, &info);
    if (fd == -EWOULDBLOCK && !file->pid_appended)
        fd = append_pid(file) ? create(file, &info) : -ENAMETOOLONG;
    if (fd >= 0) {
        begin_anew(file);
        /* Behind the end of the file a hole changes nothing; it only shows whether there can be holes. */
        file->can_thin = lt_file_punch_hole(fd, 1 << 20, 1) == 0;
        fd = adopt(file, fd, &info.id);
    }
    file->last_error = fd == -EWOULDBLOCK ? -EEXIST : fd;
    return file->last_error;
}

/* Whether fd is still what was opened. */
static bool is_ours(const struct lt_dump_file *file, struct lt_file_info *info) {
    return file->fd >= 0 && lt_file_info(file->fd, info) == 0 && same_id(&info->id, &file->id);
}

/* Opens the file again that this process wrote before. An inode number may have been used again, so its header must say
 * that it is ours. The lock may well be held: by a child that inherited the lost descriptor. */
static int reopen(struct lt_dump_file *file) {
    struct lt_dump_header header;
    struct lt_file_info info;
    int fd = lt_open(file->path, O_RDWR | EXISTING, 0);
    if (fd < 0)
        return fd;
    bool ours = lt_file_info(fd, &info) == 0 && same_id(&info.id, &file->id) && info.size >= file->committed &&
                read_header(fd, &header) && is_this_process(file, &header);
    if (!ours) {
        lt_close(fd);
        return -ESTALE;
    }
    (void)!lt_file_lock(fd);
    return adopt(file, fd, &info.id);
}

/* Our own descriptor leads to a file that is gone, or shorter than what was written. */
static int recover(struct lt_dump_file *file, const struct lt_file_info *info) {
    struct lt_file_info there;
    if (info->links == 0 && (lt_link_info(file->path, &there) < 0 || !same_id(&there.id, &info->id))) {
        lt_close(file->fd);
        file->fd = -1;
        file->committed = 0;
        return lt_dump_file_open(file);
    }
    if (info->size >= file->committed)
        return 0;
    begin_anew(file);
    return lt_file_truncate(file->fd, 0);
}

int lt_dump_file_check(struct lt_dump_file *file) {
    struct lt_file_info info;
    int status;
    if (is_ours(file, &info)) {
        status = recover(file, &info);
    } else {
        file->fd = -1;
        status = file->committed ? reopen(file) : -ENOENT;
        if (status == -ENOENT || status == -ESTALE)
            status = lt_dump_file_open(file);
    }
    file->last_error = status;
    return status;
}

int lt_dump_file_begin(struct lt_dump_file *file, bool last) {
    file->last = last;
    int status = lt_dump_file_check(file);
    if (!status && file->position > file->committed)
        lt_dump_file_rollback(file);
    return status;
}

static int write_hole(const struct lt_dump_file *file, const struct lt_dump_run *hole) {
    const struct lt_section_head head = lt_hole_head(hole->length - sizeof head);
    int status = lt_pwrite_all(file->fd, &head, sizeof head, hole->offset);
    if (!status)
        status = lt_file_punch_hole(file->fd, hole->offset + sizeof head, hole->length - sizeof head);
    return status;
}

/* Turns one old snapshot into holes; false where none is left, or to do so would free nothing. */
static bool thin(struct lt_dump_file *file) {
    struct lt_dump_run hole;
    struct lt_file_info before, after;
    uint32_t victim = file->can_thin ? lt_runs_victim(&file->runs) : 0;
    if (!victim || !is_ours(file, &before))
        return false;
    while (file->can_thin && lt_runs_thin(&file->runs, victim, &hole))
        file->can_thin = write_hole(file, &hole) == 0;
    bool freed = is_ours(file, &after) && after.allocated < before.allocated;
    file->fruitless = freed ? 0 : file->fruitless + 1;
    /* Snapshots smaller than a block between dictionaries free nothing, however many go. */
    if (file->fruitless > 8 && file->fruitless > file->runs.snapshots)
        file->can_thin = false;
    return file->can_thin;
}

/* Bytes that a snapshot in the middle of the run leaves free: enough for a last one that is as large and a quarter
 * more. */
static uint64_t spare_room(const struct lt_dump_file *file, size_t size) {
    uint64_t now = lt_runs_pending_bytes(&file->runs) + size;
    uint64_t like = now > file->spare ? now : file->spare;
    return file->last ? 0 : like + like / 4 + 4096;
}

static int make_room(struct lt_dump_file *file, size_t size) {
    struct lt_file_info info;
    uint64_t need = size + spare_room(file, size), limit = lt_file_size_limit();
    if (file->position > limit || need > limit - file->position)
        return -EFBIG;
    for (;;) {
        if (!is_ours(file, &info))
            return -EBADF;
        if (!file->max_bytes || info.allocated + need <= file->max_bytes)
            return 0;
        if (!thin(file))
            return -EFBIG;
    }
}

/* Dictionaries stand for ever; everything else of a snapshot may become a hole. */
static void note_section(struct lt_dump_file *file, const void *bytes, size_t size) {
    struct lt_section_head head;
    if (file->position == 0 || size < sizeof head)
        return;
    memcpy(&head, bytes, sizeof head);
    switch (head.type) {
    case LT_SECTION_SNAPSHOT:
    case LT_SECTION_SITES:
    case LT_SECTION_BLOCKS:
    case LT_SECTION_COUNTERS:
    case LT_SECTION_END:
        if (!lt_runs_add(&file->runs, file->position, size) && thin(file))
            lt_runs_add(&file->runs, file->position, size);
        break;
    }
}

int lt_dump_file_append(void *dump_file, const void *bytes, size_t size) {
    struct lt_dump_file *file = dump_file;
    int status = make_room(file, size);
    if (!status)
        status = lt_pwrite_all(file->fd, bytes, size, file->position);
    while ((status == -ENOSPC || status == -EDQUOT) && file->last && thin(file))
        status = lt_pwrite_all(file->fd, bytes, size, file->position);
    file->last_error = status;
    if (status)
        return status;
    note_section(file, bytes, size);
    file->position += size;
    return 0;
}

/* `used` of `limit` bytes are gone for good. Each halving of what is left doubles the interval: so every doubling lasts
 * as long as the one before. */
static uint32_t factor_for(uint64_t used, uint64_t limit) {
    uint64_t left = limit > used ? limit - used : 0;
    uint32_t factor = 1;
    for (; left < limit / 2 && factor < 1 << 16; limit /= 2)
        factor *= 2;
    return factor;
}

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* RLIMIT_FSIZE counts the file's length. The cap counts blocks, and what can be thinned does not use them up: only
 * dictionaries do, and the blocks that a hole shares with them. */
static void update_interval(struct lt_dump_file *file) {
    struct lt_file_info info;
    uint32_t factor = factor_for(file->position, lt_file_size_limit());
    if (file->max_bytes && is_ours(file, &info)) {
        uint64_t thinnable = file->can_thin && file->runs.bytes < info.allocated ? file->runs.bytes : 0;
        factor = larger(factor, factor_for(info.allocated - thinnable, file->max_bytes));
    }
    file->interval_factor = larger(factor, 1u << (file->refusals < 10 ? file->refusals : 10));
}

void lt_dump_file_commit(struct lt_dump_file *file) {
    uint64_t bytes = lt_runs_pending_bytes(&file->runs);
    if (bytes)
        file->spare = bytes;
    lt_runs_commit(&file->runs, lt_clock_cs());
    file->committed = file->position;
    file->header_written = file->committed > 0;
    file->refusals = 0;
    update_interval(file);
}

void lt_dump_file_rollback(struct lt_dump_file *file) {
    struct lt_file_info info;
    lt_runs_rollback(&file->runs);
    file->position = file->committed;
    file->refusals += file->last_error == -EFBIG;
    if (is_ours(file, &info) && info.size > file->committed)
        (void)!lt_file_truncate(file->fd, file->committed); /* if it stays, the next snapshot is written over it */
    update_interval(file);
}

int lt_dump_file_make_way(struct lt_dump_file *file, int number) {
    struct lt_file_info info;
    if (file->fd != number)
        return 0;
    bool ours = is_ours(file, &info);
    int moved = ours ? lt_fd_move_high(number) : -EBADF;
    if (ours && moved < 0)
        lt_close(number);
    file->fd = moved < 0 ? -1 : lt_fd_keep(moved);
    return moved < 0 ? moved : 0;
}

void lt_dump_file_forked(struct lt_dump_file *file, const char *path) {
    struct lt_file_info info;
    if (is_ours(file, &info))
        lt_close(file->fd);
    struct lt_dump_runs runs = file->runs;
    uint32_t generation = file->generation;
    lt_dump_file_init(file, path, file->max_bytes);
    file->generation = generation;
    file->runs = runs;
    lt_runs_clear(&file->runs);
}
