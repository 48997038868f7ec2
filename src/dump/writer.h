/* Builds sections of a dump in a caller's buffer. Pure: no system call, no allocation, no libc beyond memcpy, so that
 * it runs inside a stranger's process. Where the bytes go is the sink's business. */
#ifndef LT_DUMP_WRITER_H
#define LT_DUMP_WRITER_H

#include "base/status.h"
#include "dump/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes finished bytes (head, payload, padding); 0 or a negative errno, which makes every later call a no-op. */
typedef int lt_sink(void *context, const void *bytes, size_t size);

struct lt_writer {
    lt_sink *sink;
    void *context;
    uint8_t *buffer;   /* one section is built here: head, payload, padding */
    size_t capacity;   /* of the buffer, >= 4096 */
    size_t length;     /* bytes in the buffer so far, the head's included; 0 = no section open */
    size_t count_at;   /* where in the buffer lt_rows_end puts the count */
    bool overflow;     /* the open section does not fit: lt_section_end says -EOVERFLOW */
    int status;        /* first failure of the sink, or 0 */
    uint64_t bytes;    /* of the sections since lt_snapshot_begin */
    uint32_t sections; /* how many they are */
    uint32_t crc;      /* over their head_crcs */
};

/* `buffer` is aligned to 8 and belongs to the writer until its last call. */
void lt_writer_init(struct lt_writer *, lt_sink *, void *context, void *buffer, size_t capacity);

/* Completes `header` (magic, version, sizes, CRC) and hands it to the sink. */
LT_STATUS lt_write_header(struct lt_writer *, struct lt_dump_header *header);

/* Opens a section; puts append to its payload and set `overflow` when the buffer is full; lt_section_end closes it and
 * hands it to the sink. Returns 0, -EOVERFLOW (nothing was handed over), or the sink's failure. */
void lt_section_begin(struct lt_writer *, enum lt_section_type, uint16_t flags);
void lt_put_varint(struct lt_writer *, uint64_t);
void lt_put_svarint(struct lt_writer *, int64_t);
void lt_put_bytes(struct lt_writer *, const void *, size_t size);
LT_STATUS lt_section_end(struct lt_writer *);

/* Row sections ({first_id,} count, rows) whose number of rows is not known beforehand: lt_rows_begin reserves room for
 * the count (a padded 5-byte varint) and lt_rows_end fills it in and closes the section. lt_rows_full says that another
 * row of at most `row_size` bytes might not fit: close the section and begin the next. */
void lt_rows_begin(struct lt_writer *, enum lt_section_type, uint16_t flags, bool with_first_id, uint64_t first_id);
bool lt_rows_full(const struct lt_writer *, size_t row_size);
LT_STATUS lt_rows_end(struct lt_writer *, uint32_t count);

/* Starts the count of sections and bytes that lt_write_end closes the snapshot with. */
void lt_snapshot_begin(struct lt_writer *);
LT_STATUS lt_write_end(struct lt_writer *, uint64_t snapshot_index);

/* A head that turns an existing section, or several adjacent ones, into one HOLE: 24 bytes to be written over the first
 * head; `length` is all that follows them. */
struct lt_section_head lt_hole_head(uint64_t length);

#endif
