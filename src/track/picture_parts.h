/* What the files of the picture share: the rows, and how each part of it is taken and written. Scratch memory of one
 * snapshot; the snapshot lock is held. picture.h is the door. */
#ifndef LT_TRACK_PICTURE_PARTS_H
#define LT_TRACK_PICTURE_PARTS_H

#include "os/peek.h"
#include "track/picture.h"
#include "track/resource.h"
#include "track/scratch.h"

enum {
    LT_PICTURE_BUFFER = 32 * 1024,
    LT_MALLOC_ARENA = 64 << 20, /* of an arena of glibc's malloc, and what it is aligned to (HEAP_MAX_SIZE) */
};

/* One of DESCRIPTORS. Texts are offsets in lt_picture.texts; 0 is "". */
struct lt_descriptor_row {
    int fd;
    uint8_t kind; /* 0: the row is none after all */
    uint8_t origin, flags;
    bool kind_known; /* the kernel has told it */
    bool has_position, has_size, has_socket;
    struct lt_holding holding;
    uint32_t target, note, protocol, state, local, peer;
    uint64_t inode, position, size, watches, receive, send, memory;
};

/* One of MAPPINGS: a piece of a line of the maps that has one holder. */
struct lt_mapping_row {
    uintptr_t start, end;
    uint64_t offset;
    uint32_t path;
    uint8_t protection, mapping_class, origin, flags;
    bool has_resident;
    struct lt_holding holding;
    uint64_t resident; /* bytes in memory, of anonymous memory */
};

/* One of THREADS. */
struct lt_thread_row {
    struct lt_holding holding;
    uint64_t stack_size;
    uintptr_t stack; /* an address in it, 0 unknown */
    int tid;
    uint32_t name;
    uint8_t origin, flags;
    bool has_left; /* a main thread that has ended before the others */
};

/* A line of the maps. */
struct lt_map_line {
    uintptr_t start, end;
    uint64_t offset;
    uint32_t path;
    uint8_t protection;
    bool shared, of_file;
    uint8_t mapping_class; /* what it is where nobody holds it */
};

struct lt_picture {
    struct lt_picture_options options;
    struct lt_tally *tally;
    char *buffer;        /* LT_PICTURE_BUFFER bytes */
    int descriptor_tid;  /* whose descriptors are listed; 0: the calling thread's own */
    struct lt_peek peek; /* while mappings are taken */
    bool can_peek;
    bool reconciled, incomplete;
    struct lt_vector texts; /* char */
    struct lt_vector descriptors, mappings, threads, lines;
    uint32_t open_files, tasks; /* as the kernel lists them, without the library's own */
    uint64_t vanished[LT_KIND_END];
};

static inline bool lt_picture_shows(const struct lt_picture *picture, enum lt_kind kind) {
    return picture->options.kinds >> kind & 1;
}

/* Keeps a text: its offset, 0 for "" and where memory is short. */
uint32_t lt_picture_text(struct lt_picture *, const char *);

/* A vector had no room: rows are missing, and the dump says so. */
void lt_picture_lost(struct lt_picture *);

/* Counts what a row holds as live, or as inherited: then under `kind`. */
void lt_picture_count(struct lt_picture *, enum lt_kind, const struct lt_holding *, uint64_t size);

/* The parts, in this order: threads (which thread's descriptor table can be asked?), descriptors, sockets, mappings
 * (whose lines they read), then the threads' stacks in those lines, and how much of the mappings is in memory. */
void lt_picture_take_threads(struct lt_picture *);
void lt_picture_take_descriptors(struct lt_picture *);
void lt_picture_ask_sockets(struct lt_picture *);
void lt_picture_take_mappings(struct lt_picture *);
void lt_picture_find_stacks(struct lt_picture *);
void lt_picture_ask_resident(struct lt_picture *);

/* The inaccessible line in front of line i, a stack; NULL where there is none. */
struct lt_map_line *lt_picture_guard(const struct lt_picture *, uint32_t i);

/* The lines of the maps, and for each what it is where nobody holds it. */
void lt_picture_read_lines(struct lt_picture *);
void lt_picture_classify_lines(struct lt_picture *);

/* picture_libc.c: whether the file is one that the C library maps by itself; what the private, writable memory at `at`,
 * which nobody holds, is, and where that ends at the latest (`end` is cut); addresses in the stacks of threads that
 * have ended, which glibc keeps for others. */
bool lt_picture_is_libc_file(const char *path);
enum lt_mapping_class lt_picture_libc_class(const struct lt_picture *, uintptr_t at, uintptr_t *end);
void lt_picture_kept_stacks(const struct lt_picture *, struct lt_vector *addresses);

/* LT_PICTURE_BUFFER bytes, the snapshot's. */
char *lt_picture_buffer(void);

/* picture_write.c */
LT_STATUS lt_picture_write_rows(const struct lt_picture *, struct lt_writer *);

#endif
