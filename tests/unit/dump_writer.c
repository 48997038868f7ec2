/* The bytes that the writer makes: sections that fit, sections that do not, sinks that fail. */
#include "base/crc32c.h"
#include "dump/reader.h"
#include "dump/writer.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4096, HEAD = 24, FILE_SIZE = 1 << 16 };

struct file { /* the sink's */
    uint8_t bytes[FILE_SIZE];
    size_t size;
    int calls, fail_at; /* the call that fails, 0 = none */
};

static int append(void *context, const void *bytes, size_t size) {
    struct file *file = context;
    if (++file->calls == file->fail_at)
        return -ENOSPC;
    assert_true(file->size + size <= sizeof file->bytes);
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
    return 0;
}

struct fixture {
    struct file file;
    struct lt_writer writer;
    _Alignas(8) uint8_t buffer[CAPACITY];
};

static int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (!fixture)
        return -1;
    lt_writer_init(&fixture->writer, append, &fixture->file, fixture->buffer, sizeof fixture->buffer);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static void header_is_sealed(void **state) {
    struct fixture *fixture = *state;
    struct lt_dump_header header = {.pid = 7, .reserved = 99};
    assert_int_equal(lt_write_header(&fixture->writer, &header), 0);
    assert_int_equal(fixture->file.size, 64);
    assert_memory_equal(fixture->file.bytes, "\x89LTK\r\n\x1a\n\x01\0\x01\0\x40\0\0\0\x07\0\0\0\x08\0\0\0", 24);
    assert_int_equal(header.reserved, 0);
    assert_int_equal(lt_crc32c(0, fixture->file.bytes, 60), header.crc);
}

static struct lt_section_head head_at(const struct file *file, size_t offset) {
    struct lt_section_head head;
    memcpy(&head, file->bytes + offset, sizeof head);
    return head;
}

static void section_is_headed_padded_and_summed(void **state) {
    struct fixture *fixture = *state;
    lt_section_begin(&fixture->writer, LT_SECTION_COUNTERS, 0);
    lt_put_varint(&fixture->writer, 300);
    lt_put_svarint(&fixture->writer, -1);
    lt_put_bytes(&fixture->writer, "abc", 3);
    assert_int_equal(fixture->file.calls, 0); /* nothing is handed over before it is whole */
    assert_int_equal(lt_section_end(&fixture->writer), 0);
    const struct lt_section_head head = head_at(&fixture->file, 0);
    assert_int_equal(fixture->file.size, HEAD + 8);
    assert_int_equal(head.type, LT_SECTION_COUNTERS);
    assert_int_equal(head.version, 1);
    assert_int_equal(head.length, 7);
    assert_memory_equal(fixture->file.bytes + HEAD,
                        "\xac\x02\x01\x03"
                        "abc\0",
                        8);
    assert_int_equal(head.payload_crc, lt_crc32c(0, fixture->file.bytes + HEAD, 7));
    assert_int_equal(head.head_crc, lt_crc32c(0, fixture->file.bytes, 20));
}

static void row_count_is_filled_in_behind_the_first_id(void **state) {
    struct fixture *fixture = *state;
    lt_rows_begin(&fixture->writer, LT_SECTION_NODES, LT_SECTION_CRITICAL, true, 200);
    lt_put_varint(&fixture->writer, 1);
    assert_int_equal(lt_rows_end(&fixture->writer, 1000), 0);
    assert_memory_equal(fixture->file.bytes + HEAD, "\xc8\x01\xe8\x87\x80\x80\x00\x01", 8);
    assert_int_equal(head_at(&fixture->file, 0).flags, LT_SECTION_CRITICAL);
}

static void a_full_buffer_is_told_and_nothing_is_handed_over(void **state) {
    struct fixture *fixture = *state;
    static const uint8_t bytes[CAPACITY];
    lt_section_begin(&fixture->writer, LT_SECTION_PROCESS, 0);
    lt_put_bytes(&fixture->writer, bytes, sizeof bytes);
    lt_put_varint(&fixture->writer, 1); /* would fit, but the payload already lacks something */
    assert_int_equal(lt_section_end(&fixture->writer), -EOVERFLOW);
    assert_int_equal(fixture->file.calls, 0);

    lt_section_begin(&fixture->writer, LT_SECTION_PROCESS, 0); /* the next section starts afresh */
    assert_int_equal(lt_section_end(&fixture->writer), 0);
    assert_int_equal(fixture->file.size, HEAD);
}

static void rows_full_keeps_every_row_whole(void **state) {
    struct fixture *fixture = *state;
    uint32_t rows = 0;
    lt_rows_begin(&fixture->writer, LT_SECTION_NODES, 0, false, 0);
    for (; !lt_rows_full(&fixture->writer, 10); rows++)
        lt_put_varint(&fixture->writer, UINT64_MAX);
    assert_int_equal(lt_rows_end(&fixture->writer, rows), 0);
    assert_int_equal(rows, (CAPACITY - HEAD - 5 - 7) / 10);
}

static void a_full_section_is_padded_inside_the_buffer(void **state) {
    struct fixture *fixture = *state;
    for (size_t capacity = CAPACITY - 8; capacity < CAPACITY; capacity++) {
        uint32_t rows = 0;
        fixture->buffer[capacity] = 0xaa;
        fixture->file.size = 0;
        lt_writer_init(&fixture->writer, append, &fixture->file, fixture->buffer, capacity);
        lt_rows_begin(&fixture->writer, LT_SECTION_NODES, 0, false, 0);
        for (; !lt_rows_full(&fixture->writer, 1); rows++)
            lt_put_varint(&fixture->writer, 1);
        assert_int_equal(lt_rows_end(&fixture->writer, rows), 0);
        assert_true(fixture->file.size <= capacity);
        assert_int_equal(fixture->buffer[capacity], 0xaa);
    }
}

static void a_failing_sink_is_not_called_again(void **state) {
    struct fixture *fixture = *state;
    fixture->file.fail_at = 1;
    lt_section_begin(&fixture->writer, LT_SECTION_PROCESS, 0);
    assert_int_equal(lt_section_end(&fixture->writer), -ENOSPC);
    lt_section_begin(&fixture->writer, LT_SECTION_PROCESS, 0);
    assert_int_equal(lt_section_end(&fixture->writer), -ENOSPC);
    assert_int_equal(lt_write_end(&fixture->writer, 1), -ENOSPC);
    assert_int_equal(fixture->file.calls, 1);
}

static void begin_snapshot(struct fixture *fixture, uint64_t index) {
    lt_snapshot_begin(&fixture->writer);
    lt_section_begin(&fixture->writer, LT_SECTION_SNAPSHOT, LT_SECTION_CRITICAL);
    lt_put_varint(&fixture->writer, index);
    for (int i = 0; i < 5; i++)
        lt_put_varint(&fixture->writer, 0);
    assert_int_equal(lt_section_end(&fixture->writer), 0);
}

static void write_snapshot(struct fixture *fixture, uint64_t index) {
    begin_snapshot(fixture, index);
    assert_int_equal(lt_write_end(&fixture->writer, index), 0);
}

/* Turns the section at `offset` into a hole, as thinning does. */
static void dig(struct file *file, size_t offset) {
    const struct lt_section_head hole = lt_hole_head(head_at(file, offset).length);
    memcpy(file->bytes + offset, &hole, sizeof hole);
    memset(file->bytes + offset + HEAD, 0, hole.length);
}

static void a_hole_takes_its_snapshot_out(void **state) {
    struct fixture *fixture = *state;
    struct file *file = &fixture->file;
    struct lt_dump_header header = {0};
    struct lt_dump dump;
    assert_int_equal(lt_write_header(&fixture->writer, &header), 0);
    const size_t snapshot = file->size;
    write_snapshot(fixture, 1);
    const size_t end = file->size - HEAD - 8;
    write_snapshot(fixture, 2);

    for (int which = 1; which <= 3; which++) { /* its begin, its end, both: whatever a killed process had got to */
        struct file copy = *file;
        if (which & 1)
            dig(&copy, snapshot);
        if (which & 2)
            dig(&copy, end);
        assert_int_equal(lt_dump_parse(&dump, copy.bytes, copy.size), 0);
        assert_int_equal(dump.end, LT_DUMP_COMPLETE);
        assert_int_equal(dump.snapshot_count, 1);
        assert_int_equal(dump.snapshots[0].index, 2);
        lt_dump_free(&dump);
    }
}

static void a_hole_between_begin_and_end_is_no_damage(void **state) {
    struct fixture *fixture = *state;
    struct lt_dump_header header = {0};
    struct lt_dump dump;
    assert_int_equal(lt_write_header(&fixture->writer, &header), 0);
    begin_snapshot(fixture, 1);
    const size_t counters = fixture->file.size;
    lt_rows_begin(&fixture->writer, LT_SECTION_COUNTERS, 0, false, 0);
    assert_int_equal(lt_rows_end(&fixture->writer, 0), 0);
    assert_int_equal(lt_write_end(&fixture->writer, 1), 0);
    write_snapshot(fixture, 2);
    dig(&fixture->file, counters);
    assert_int_equal(lt_dump_parse(&dump, fixture->file.bytes, fixture->file.size), 0);
    assert_string_equal(dump.end_reason, "");
    assert_int_equal(dump.snapshot_count, 1);
    assert_int_equal(dump.snapshots[0].index, 2);
    lt_dump_free(&dump);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    TEST(header_is_sealed),
    TEST(section_is_headed_padded_and_summed),
    TEST(row_count_is_filled_in_behind_the_first_id),
    TEST(a_full_buffer_is_told_and_nothing_is_handed_over),
    TEST(rows_full_keeps_every_row_whole),
    TEST(a_full_section_is_padded_inside_the_buffer),
    TEST(a_failing_sink_is_not_called_again),
    TEST(a_hole_takes_its_snapshot_out),
    TEST(a_hole_between_begin_and_end_is_no_damage),
};
LT_UNIT_MAIN(tests)
