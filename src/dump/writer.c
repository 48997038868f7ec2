/* Sections are built whole in the buffer before the sink sees a byte: the head stands in front of the payload and holds
 * its length and CRC, and a dump file can't be patched behind (the sink only appends).
 *
 *   buffer: | head 24 | payload ... | padding 0..7 |          length counts head + payload
 */
#include "dump/writer.h"

#include "base/attrs.h"
#include "base/crc32c.h"
#include "base/varint.h"

#include <errno.h>
#include <string.h>

enum {
    HEAD_SIZE = sizeof(struct lt_section_head),
    COUNT_SIZE = 5, /* a 32-bit count as a varint that is padded to its longest form, to be filled in later */
};

void lt_writer_init(struct lt_writer *writer, lt_sink *sink, void *context, void *buffer, size_t capacity) {
    *writer = (struct lt_writer){.sink = sink, .context = context, .buffer = buffer, .capacity = capacity};
}

static int hand_over(struct lt_writer *writer, const void *bytes, size_t size) {
    if (writer->status == 0)
        writer->status = writer->sink(writer->context, bytes, size);
    return writer->status;
}

int lt_write_header(struct lt_writer *writer, struct lt_dump_header *header) {
    memcpy(header->magic, LT_DUMP_MAGIC, LT_DUMP_MAGIC_SIZE);
    header->major = LT_DUMP_MAJOR;
    header->minor = LT_DUMP_MINOR;
    header->header_size = sizeof *header;
    header->pointer_size = sizeof(void *);
    header->reserved = header->reserved2 = 0;
    header->crc = lt_crc32c(0, header, offsetof(struct lt_dump_header, crc));
    return hand_over(writer, header, sizeof *header);
}

static struct lt_section_head sealed_head(struct lt_section_head head) {
    head.head_crc = lt_crc32c(0, &head, offsetof(struct lt_section_head, head_crc));
    return head;
}

struct lt_section_head lt_hole_head(uint64_t length) {
    return sealed_head((struct lt_section_head){.type = LT_SECTION_HOLE, .version = 1, .length = length});
}

void lt_section_begin(struct lt_writer *writer, enum lt_section_type type, uint16_t flags) {
    const struct lt_section_head head = {.type = type, .version = 1, .flags = flags};
    memcpy(writer->buffer, &head, HEAD_SIZE);
    writer->length = HEAD_SIZE;
    writer->overflow = false;
}

/* Room that a payload may still take: the longest padding is always kept free. */
static size_t room(const struct lt_writer *writer) {
    return writer->overflow ? 0 : writer->capacity - (LT_DUMP_ALIGN - 1) - writer->length;
}

static void put(struct lt_writer *writer, const void *bytes, size_t size) {
    if (lt_unlikely(size > room(writer))) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->buffer + writer->length, bytes, size);
    writer->length += size;
}

void lt_put_varint(struct lt_writer *writer, uint64_t value) {
    uint8_t bytes[LT_VARINT_MAX];
    put(writer, bytes, lt_varint_put(bytes, value));
}

void lt_put_svarint(struct lt_writer *writer, int64_t value) {
    lt_put_varint(writer, lt_zigzag(value));
}

void lt_put_bytes(struct lt_writer *writer, const void *bytes, size_t size) {
    lt_put_varint(writer, size);
    put(writer, bytes, size);
}

int lt_section_end(struct lt_writer *writer) {
    if (writer->overflow)
        return -EOVERFLOW;
    struct lt_section_head head;
    memcpy(&head, writer->buffer, HEAD_SIZE);
    head.length = writer->length - HEAD_SIZE;
    head.payload_crc = lt_crc32c(0, writer->buffer + HEAD_SIZE, head.length);
    head = sealed_head(head);
    memcpy(writer->buffer, &head, HEAD_SIZE);

    const size_t size = (writer->length + LT_DUMP_ALIGN - 1) & ~(size_t)(LT_DUMP_ALIGN - 1);
    memset(writer->buffer + writer->length, 0, size - writer->length);
    writer->length = 0;
    writer->bytes += size;
    writer->sections++;
    writer->crc = lt_crc32c(writer->crc, &head.head_crc, sizeof head.head_crc);
    return hand_over(writer, writer->buffer, size);
}

void lt_rows_begin(struct lt_writer *writer, enum lt_section_type type, uint16_t flags, bool with_first_id,
                   uint64_t first_id) {
    static const uint8_t later[COUNT_SIZE] = {0};
    lt_section_begin(writer, type, flags);
    if (with_first_id)
        lt_put_varint(writer, first_id);
    writer->count_at = writer->length;
    put(writer, later, sizeof later);
}

bool lt_rows_full(const struct lt_writer *writer, size_t row_size) {
    return row_size > room(writer);
}

int lt_rows_end(struct lt_writer *writer, uint32_t count) {
    uint8_t *at = writer->buffer + writer->count_at;
    for (int i = 0; i < COUNT_SIZE - 1; i++, count >>= 7)
        at[i] = (uint8_t)(count | 0x80);
    at[COUNT_SIZE - 1] = (uint8_t)count;
    return lt_section_end(writer);
}

void lt_snapshot_begin(struct lt_writer *writer) {
    writer->bytes = 0;
    writer->sections = 0;
    writer->crc = 0;
}

int lt_write_end(struct lt_writer *writer, uint64_t snapshot_index) {
    lt_section_begin(writer, LT_SECTION_END, LT_SECTION_CRITICAL);
    lt_put_varint(writer, snapshot_index);
    lt_put_varint(writer, writer->sections + 1u);
    lt_put_varint(writer, writer->bytes);
    lt_put_varint(writer, writer->crc);
    return lt_section_end(writer);
}
