#include "fuzz/mend_dump.h"

#include "base/crc32c.h"
#include "base/varint.h"
#include "dump/format.h"

#include <string.h>

static size_t put_number(uint8_t *at, size_t room, uint64_t number) {
    uint8_t bytes[LT_VARINT_MAX];
    const size_t size = lt_varint_put(bytes, number);
    if (size > room)
        return 0;
    memcpy(at, bytes, size);
    return size;
}

/* Makes the END at `at` true, as far as its payload has room; its index stays. */
static void mend_end(uint8_t *payload, size_t length, uint32_t sections, size_t bytes, uint32_t crc) {
    uint64_t index;
    size_t at = lt_varint_get(payload, length, &index);
    at += put_number(payload + at, length - at, sections);
    at += put_number(payload + at, length - at, bytes);
    put_number(payload + at, length - at, crc);
}

void lt_mend_dump(uint8_t *data, size_t size) {
    struct lt_dump_header header;
    struct lt_section_head head;
    uint32_t sections = 0, crc = 0;
    size_t start = 0;
    if (size < sizeof header)
        return;
    memcpy(&header, data, sizeof header);
    header.crc = lt_crc32c(0, &header, offsetof(struct lt_dump_header, crc));
    memcpy(data, &header, sizeof header);
    for (size_t at = sizeof header; size - at >= sizeof head;) {
        uint8_t *payload = data + at + sizeof head;
        memcpy(&head, data + at, sizeof head);
        const size_t room = size - at - sizeof head;
        const size_t length = head.length < room ? (size_t)head.length : room;
        if (head.type == LT_SECTION_SNAPSHOT) {
            start = at;
            sections = crc = 0;
        }
        if (head.type == LT_SECTION_END)
            mend_end(payload, length, sections + 1, at - start, crc);
        head.payload_crc = lt_crc32c(0, payload, length);
        head.head_crc = lt_crc32c(0, &head, offsetof(struct lt_section_head, head_crc));
        memcpy(data + at, &head, sizeof head);
        sections++;
        crc = lt_crc32c(crc, &head.head_crc, sizeof head.head_crc);
        const size_t padded = (length + LT_DUMP_ALIGN - 1) / LT_DUMP_ALIGN * LT_DUMP_ALIGN;
        at += sizeof head + (padded < room ? padded : room);
    }
}
