/* Sections whose CRC is right and whose payload is not: each is refused for what it is, and nothing is read behind it.
 */
#include "base/attrs.h"
#include "dump/reader.h"
#include "dump/writer.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 24, HEADER = 64, BUFFER = 4096, FILE_ROOM = 1 << 16 };

#define MODULE                                                                                                         \
    "\x01"                                                                                                             \
    "m"                                                                                                                \
    "\0\0\0\0\0\0\0\0" /* path m, nothing else known */

/* A file with one module, two nodes, one good snapshot (1), and whatever a test adds. */
struct file {
    uint8_t bytes[FILE_ROOM];
    size_t size;
    struct lt_writer writer;
    _Alignas(8) uint8_t buffer[BUFFER];
};

static int append(void *context, const void *bytes, size_t size) {
    struct file *file = context;
    assert_true(file->size + size <= sizeof file->bytes);
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
    return 0;
}

/* One section with this payload; its critical flag as format.h says. */
static void add(struct file *file, enum lt_section_type type, const void *payload, size_t length) {
    const bool optional = type == LT_SECTION_BLOCKS || type == LT_SECTION_COUNTERS || type == LT_SECTION_UNLOADS ||
                          type >= LT_SECTION_SAMPLES;
    const uint8_t *bytes = payload;
    lt_section_begin(&file->writer, type, optional ? 0 : LT_SECTION_CRITICAL);
    for (size_t i = 0; i < length; i++)
        lt_put_varint(&file->writer, bytes[i] & 0x7f); /* one byte each ... */
    memcpy(file->buffer + HEAD, bytes, length);        /* ... to be what they are */
    assert_int_equal(lt_section_end(&file->writer), 0);
}

#define ADD(file, type, payload) add(file, type, payload, sizeof(payload) - 1)

static void begin(struct file *file, uint8_t index) {
    const uint8_t payload[] = {index, 0, 0, 1, 0, 0};
    lt_snapshot_begin(&file->writer);
    add(file, LT_SECTION_SNAPSHOT, payload, sizeof payload);
}

static void end(struct file *file, uint8_t index) {
    assert_int_equal(lt_write_end(&file->writer, index), 0);
}

static int set_up(void **state) {
    struct file *file = calloc(1, sizeof *file);
    struct lt_dump_header header = {0};
    if (!file)
        return -1;
    lt_writer_init(&file->writer, append, file, file->buffer, sizeof file->buffer);
    assert_int_equal(lt_write_header(&file->writer, &header), 0);
    ADD(file, LT_SECTION_MODULES, "\1\1" MODULE);
    ADD(file, LT_SECTION_NODES,
        "\1\2"
        "\1\1\2"
        "\1\1\2");
    begin(file, 1);
    end(file, 1);
    *state = file;
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

/* What the file gives: the snapshots' indices as digits, and the reason. */
static void expect(const struct file *file, const char *indices, const char *reason) {
    struct lt_dump dump;
    char found[16] = "";
    const int status = lt_dump_parse(&dump, file->bytes, file->size);
    for (size_t i = 0; i < dump.snapshot_count; i++)
        snprintf(found + i, sizeof found - i, "%d", (int)dump.snapshots[i].index);
    assert_string_equal(found, indices);
    if (!strstr(dump.end_reason, reason) || (!*reason && dump.end_reason[0]))
        fail_msg("\"%s\" does not say \"%s\"", dump.end_reason, reason);
    assert_int_equal(status, dump.end == LT_DUMP_UNREADABLE ? -EBADMSG : 0);
    lt_dump_free(&dump);
}

struct fault {
    enum lt_section_type type;
    const char *payload;
    size_t length;
    const char *reason;
};
#define FAULT(type, payload, reason)                                                                                   \
    { LT_SECTION_##type, payload, sizeof(payload) - 1, reason }

/* Cost their snapshot: the next one is fine. */
static const struct fault row_faults[] = {
    FAULT(SNAPSHOT, "\2\0\0\1\0", "ends inside a number"),
    FAULT(SNAPSHOT, "\2\0\xff\xff\xff\xff\x10\1\0\0", "holds a number above 32 bits"),
    FAULT(SNAPSHOT,
          "\2\0\0\1\0\2"
          "\1\0\0\0\0\0\0\0\0",
          "counts more rows than its bytes can hold"),
    FAULT(SNAPSHOT,
          "\2\0\0\1\0\1"
          "\x0b\0\0\0\0\0\0\0\0",
          "row 1 is of a kind that this reader does not know"),
    FAULT(SITES,
          "\1"
          "\3\1\0\0\0\0\0\0\0\0",
          "row 1 refers to an unknown node"),
    FAULT(SITES,
          "\2"
          "\2\1\0\0\0\0\0\0\0\0"
          "\1\1\0\0\0\0\0\0\0\0",
          "row 2 refers to an unknown node"),
    FAULT(SITES,
          "\1"
          "\1\0\0\0\0\0\0\0\0\0",
          "row 1 is of a kind that this reader does not know"),
    FAULT(SITES,
          "\1"
          "\1\x7f\0\0\0\0\0\0\0\0",
          "row 1 is of a kind that this reader does not know"),
    FAULT(SITES, "\xff\xff\xff\xff\x0f", "counts more rows than its bytes can hold"),
    FAULT(SITES,
          "\2"
          "\1\1\0\0\0\0\0\0\0\0",
          "counts more rows than its bytes can hold"),
    FAULT(SITES,
          "\1"
          "\1\1\0\0\0\0\0\xff\xff\xff\xff\x0f\1\0",
          "row 1 has a birth above 32 bits"),
    FAULT(SITES,
          "\1"
          "\1\1\0\0\0\0\0\0\0\1"
          "\x20\0\0",
          "row 1 has an age above 497 days"),
    FAULT(SITES,
          "\1"
          "\1\1\0\0\0\0\0\0\0\2"
          "\0\0\0",
          "row 1 counts more rows than its bytes can hold"),
    FAULT(SITES,
          "\1"
          "\1\1\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\2\0\0\0\0\0\0",
          "row 1 ends inside a number"),
    FAULT(BLOCKS,
          "\1"
          "\1\1\1\3\1\0",
          "row 1 refers to an unknown node"),
    FAULT(BLOCKS,
          "\2"
          "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\1\1\0\1\0"
          "\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\1\0\1\0",
          "row 2 has an address above 64 bits"),
    FAULT(SAMPLES, "\0\0", "samples at a distance that can't be"),
    FAULT(SAMPLES, "\x81\x80\x80\x80\4\0", "samples at a distance that can't be"),
    FAULT(SAMPLES, "\5\1\1\1\0\1\1\0\0\0", "counts more rows than its bytes can hold"),
    FAULT(SAMPLES, "\5\1\3\1\0\1\1\0\0\0\0", "row 1 refers to an unknown node"),
    FAULT(SAMPLES, "\5\1\1\0\0\1\1\0\0\0\0", "row 1 is of a kind that this reader does not know"),
    FAULT(SAMPLES, "\5\1\1\1\0\1\1\0\0\0\x80", "row 1 ends inside a number"),
    FAULT(COUNTERS,
          "\1"
          "\1\2x",
          "row 1 ends inside a name"),
    FAULT(COUNTERS,
          "\1"
          "\1\2x\0\0",
          "row 1 has a NUL in a name"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\0",
          "counts more rows than its bytes can hold"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\0\0\0\1\3\0\0\0\0",
          "row 1 is of a kind that this reader does not know"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\5\0\1\3\0\0\0\0",
          "row 1 is of an origin that this reader does not know"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\3\3\0\0\0\0",
          "row 1 refers to an unknown node"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\x0b\0\0\0\0",
          "row 1 has a site of a kind that this reader does not know"),
    FAULT(DESCRIPTORS,
          "\2"
          "\xff\xff\xff\xff\x0f\3\0\0\1\3\0\0\0\0"
          "\1\3\0\0\1\3\0\0\0\0",
          "row 2 has a descriptor above 32 bits"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\1\0\0",
          "row 1 has a NUL in a name"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\0\1",
          "row 1 counts more rows than its bytes can hold"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\0\1\3\1",
          "row 1 ends inside a name"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\0\1\1\0",
          "row 1 ends inside a number"),
    FAULT(DESCRIPTORS,
          "\1"
          "\1\3\0\0\1\3\0\0\0\1\3\1\0",
          "row 1 has a NUL in a name"),
    FAULT(MAPPINGS,
          "\1"
          "\1\1\0\x0c\0\0\1\2\0\0\0\0\0",
          "row 1 is of a class of mappings that this reader does not know"),
    FAULT(MAPPINGS,
          "\1"
          "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\1\2\0\0\0\0\0",
          "row 1 has an address above 64 bits"),
    FAULT(MAPPINGS,
          "\1"
          "\1\1\0\0\5\0\1\2\0\0\0\0\0",
          "row 1 is of an origin that this reader does not know"),
    FAULT(THREADS,
          "\1"
          "\xff\xff\xff\xff\x10\0\0\1\x09\0\0\0\0\0",
          "row 1 holds a number above 32 bits"),
    FAULT(THREADS,
          "\1"
          "\1\5\0\1\x09\0\0\0\0\0",
          "row 1 is of an origin that this reader does not know"),
    FAULT(MISUSES,
          "\1"
          "\0\1\1\1\0\0\0\0\0",
          "row 1 is of a misuse that this reader does not know"),
    FAULT(MISUSES,
          "\1"
          "\5\1\1\1\0\0\0\0\0",
          "row 1 is of a misuse that this reader does not know"),
    FAULT(MISUSES,
          "\1"
          "\1\1\1\3\0\0\0\0\0",
          "row 1 refers to an unknown node"),
};

static void rows_cost_their_snapshot(void **state) {
    struct file *file = *state;
    const size_t size = file->size;
    for (size_t i = 0; i < LT_ARRAY_SIZE(row_faults); i++) {
        const struct fault *fault = &row_faults[i];
        file->size = size;
        if (fault->type != LT_SECTION_SNAPSHOT)
            begin(file, 2);
        else
            lt_snapshot_begin(&file->writer);
        add(file, fault->type, fault->payload, fault->length);
        end(file, 2);
        begin(file, 3);
        end(file, 3);
        expect(file, "13", fault->reason);
    }
}

/* Cost every later snapshot. */
static const struct fault dictionary_faults[] = {
    FAULT(MODULES, "\1\1" MODULE, "does not go on where the dictionary ended, later snapshots need it"),
    FAULT(MODULES, "\3\1" MODULE, "does not go on where the dictionary ended, later snapshots need it"),
    FAULT(MODULES, "\2\2" MODULE, "counts more rows than its bytes can hold"),
    FAULT(MODULES,
          "\2\1"
          "\1m\0\0\0\0\0\0\0\1\0\0\0\0",
          ""), /* a whole one: the next faults are not the shape's */
    FAULT(MODULES,
          "\2\1"
          "\1m\0\0\0\0\0\0\0\2\0\0\0\0",
          "row 1 counts more rows than its bytes can hold"),
    FAULT(MODULES,
          "\2\1"
          "\x09m\0\0\0\0\0\0\0",
          "row 1 ends inside a name"),
    FAULT(NODES,
          "\2\1"
          "\1\1\0",
          "does not go on where the dictionary ended"),
    FAULT(NODES,
          "\3\1"
          "\0\1\0",
          "row 1 has a parent that does not stand before it"),
    FAULT(NODES,
          "\3\1"
          "\4\1\0",
          "row 1 has a parent that does not stand before it"),
    FAULT(NODES,
          "\3\1"
          "\1\2\0",
          "row 1 refers to an unknown module"),
};

static void dictionaries_cost_every_later_snapshot(void **state) {
    struct file *file = *state;
    const size_t size = file->size;
    for (size_t i = 0; i < LT_ARRAY_SIZE(dictionary_faults); i++) {
        const struct fault *fault = &dictionary_faults[i];
        file->size = size;
        add(file, fault->type, fault->payload, fault->length);
        begin(file, 2);
        end(file, 2);
        expect(file, *fault->reason ? "1" : "12", fault->reason);
    }
}

/* Cost nothing else. */
static const struct fault harmless_faults[] = {
    FAULT(PROCESS, "\1\5/bin", "row 1 ends inside a name"),
    FAULT(PROCESS, "\1\4/bin\4\1\x80", "row 2 ends inside a number"),
    FAULT(UNLOADS, "\1\2\0", "row 1 refers to an unknown module"),
};

static void process_and_unloads_cost_nothing(void **state) {
    struct file *file = *state;
    const size_t size = file->size;
    for (size_t i = 0; i < LT_ARRAY_SIZE(harmless_faults); i++) {
        const struct fault *fault = &harmless_faults[i];
        file->size = size;
        add(file, fault->type, fault->payload, fault->length);
        begin(file, 2);
        end(file, 2);
        expect(file, "12", fault->reason);
    }
}

static void what_follows_the_last_row_is_skipped(void **state) {
    struct file *file = *state;
    ADD(file, LT_SECTION_NODES,
        "\3\1"
        "\1\1\0"
        "later");
    lt_snapshot_begin(&file->writer);
    ADD(file, LT_SECTION_SNAPSHOT,
        "\2\0\0\1\0\0"
        "later");
    ADD(file, LT_SECTION_SITES,
        "\1"
        "\3\1\0\0\0\0\0\0\0\0"
        "later");
    end(file, 2);
    expect(file, "12", "");
}

static void dictionaries_may_stand_inside_a_snapshot(void **state) {
    struct file *file = *state;
    begin(file, 2);
    ADD(file, LT_SECTION_NODES,
        "\3\1"
        "\1\1\0");
    ADD(file, LT_SECTION_SITES,
        "\1"
        "\3\1\0\0\0\0\0\0\0\0");
    end(file, 2);
    expect(file, "12", "");
}

static void a_snapshot_that_was_given_up_is_passed_over(void **state) {
    struct file *file = *state;
    begin(file, 2);
    ADD(file, LT_SECTION_SITES,
        "\1"
        "\1\1\0\0\0\0\0\0\0\0");
    begin(file, 3);
    end(file, 3);
    expect(file, "13", "");
}

static void end_must_match(void **state) {
    struct file *file = *state;
    begin(file, 2);
    end(file, 7);
    begin(file, 3);
    file->writer.bytes++;
    end(file, 3);
    begin(file, 4);
    file->writer.crc ^= 1;
    end(file, 4);
    begin(file, 5);
    file->writer.sections--;
    end(file, 5);
    begin(file, 6);
    end(file, 6);
    expect(file, "16", "snapshot 2 is damaged: its END at byte");
}

static void unknown_sections_are_skipped_unless_critical(void **state) {
    struct file *file = *state;
    lt_section_begin(&file->writer, (enum lt_section_type)77, 0);
    assert_int_equal(lt_section_end(&file->writer), 0);
    begin(file, 2);
    end(file, 2);
    expect(file, "12", "");
    const size_t at = file->size;
    lt_section_begin(&file->writer, (enum lt_section_type)77, LT_SECTION_CRITICAL);
    assert_int_equal(lt_section_end(&file->writer), 0);

    struct lt_dump dump;
    char reason[160];
    snprintf(reason, sizeof reason,
             "section type 77 version 1 at byte %zu needs a newer leaktrack-report (this one reads format 1.1)", at);
    assert_int_equal(lt_dump_parse(&dump, file->bytes, file->size), -EBADMSG);
    assert_int_equal(dump.end, LT_DUMP_UNREADABLE);
    assert_string_equal(dump.end_reason, reason);
    lt_dump_free(&dump);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
static const struct CMUnitTest tests[] = {
    TEST(rows_cost_their_snapshot),
    TEST(dictionaries_cost_every_later_snapshot),
    TEST(process_and_unloads_cost_nothing),
    TEST(what_follows_the_last_row_is_skipped),
    TEST(dictionaries_may_stand_inside_a_snapshot),
    TEST(a_snapshot_that_was_given_up_is_passed_over),
    TEST(end_must_match),
    TEST(unknown_sections_are_skipped_unless_critical),
};
LT_UNIT_MAIN(tests)
