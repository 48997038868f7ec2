/* A dump of a million nodes and a million sites: read in less than half a second of CPU, in memory that the file
 * bounds. */
#include "base/attrs.h"
#include "dump/reader.h"
#include "dump/writer.h"

#include "unit.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 1000000, NODE_ROOM = 3 * 10, SITE_ROOM = 16 * 10, BUFFER = 1 << 16 };

struct file { /* the sink's */
    uint8_t *bytes;
    size_t size, room;
};

static int append(void *context, const void *bytes, size_t size) {
    struct file *file = context;
    if (file->size + size > file->room) {
        file->room = 2 * (file->size + size);
        file->bytes = realloc(file->bytes, file->room);
        assert_non_null(file->bytes);
    }
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
    return 0;
}

static void put_numbers(struct lt_writer *writer, const uint64_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        lt_put_varint(writer, numbers[i]);
}

static void put_node(struct lt_writer *writer, uint32_t id, bool first) {
    (void)first;
    lt_put_varint(writer, id > 5 ? 1 + id % 5 : id); /* chains, and a few children of the root */
    lt_put_varint(writer, 0);
    lt_put_svarint(writer, (int64_t)(id * 2654435761u % 200000) - 100000);
}

static void put_site(struct lt_writer *writer, uint32_t id, bool first) {
    const uint64_t numbers[] = {
        first ? id : 1, LT_KIND_HEAP, 0, id % 1000, id, id, 37ull * id, id % 5000, 300, 2, 1, 5, 500, 2, 100, 4000};
    put_numbers(writer, numbers, LT_ARRAY_SIZE(numbers));
}

static void write_rows(struct lt_writer *writer, enum lt_section_type type, size_t room,
                       void (*put)(struct lt_writer *, uint32_t id, bool first)) {
    for (uint32_t id = 1; id <= ROWS;) {
        uint32_t count = 0;
        lt_rows_begin(writer, type, LT_SECTION_CRITICAL, type == LT_SECTION_NODES, id);
        for (; id <= ROWS && !lt_rows_full(writer, room); id++, count++)
            put(writer, id, count == 0);
        assert_int_equal(lt_rows_end(writer, count), 0);
    }
}

static struct file large_dump(void) {
    static const uint64_t snapshot[] = {1, 0, 0, LT_TRIGGER_EXIT, 0, 0};
    static _Alignas(8) uint8_t buffer[BUFFER];
    struct file file = {0};
    struct lt_writer writer;
    struct lt_dump_header header = {0};
    lt_writer_init(&writer, append, &file, buffer, sizeof buffer);
    assert_int_equal(lt_write_header(&writer, &header), 0);
    write_rows(&writer, LT_SECTION_NODES, NODE_ROOM, put_node);
    lt_snapshot_begin(&writer);
    lt_section_begin(&writer, LT_SECTION_SNAPSHOT, LT_SECTION_CRITICAL);
    put_numbers(&writer, snapshot, LT_ARRAY_SIZE(snapshot));
    assert_int_equal(lt_section_end(&writer), 0);
    write_rows(&writer, LT_SECTION_SITES, SITE_ROOM, put_site);
    assert_int_equal(lt_write_end(&writer, 1), 0);
    return file;
}

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static size_t heap_bytes(void) {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void reads_a_million_rows_fast_and_in_bounds(void **state) {
    struct file file = large_dump();
    struct lt_dump dump;
    (void)state;
    const size_t heap = heap_bytes();
    const double start = cpu_seconds();
    assert_int_equal(lt_dump_parse(&dump, file.bytes, file.size), 0);
    const double seconds = cpu_seconds() - start;
    const double times = (double)(heap_bytes() - heap) / (double)file.size;

    const struct lt_dump_site *last = &dump.snapshots[0].sites[ROWS - 1];
    assert_int_equal(dump.end, LT_DUMP_COMPLETE);
    assert_int_equal(dump.node_count, ROWS + 1);
    assert_int_equal(dump.snapshots[0].site_count, ROWS);
    assert_int_equal(last->node, ROWS);
    assert_int_equal(last->alloc_bytes, 37ull * ROWS);
    assert_int_equal(last->ages[1].bytes, 4000);
    lt_dump_free(&dump);
    free(file.bytes);

    print_message("%zu bytes in %.3f s of CPU; memory %.1f times the file\n", file.size, seconds, times);
    lt_skip_when(LT_SANITIZED, "time and memory mean nothing under a sanitizer");
    assert_true(seconds < 0.5);
    assert_true(times < 8);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_a_million_rows_fast_and_in_bounds),
};
LT_UNIT_MAIN(tests)
