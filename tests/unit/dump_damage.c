/* Cut at every byte and with every bit flipped, a dump still gives what is whole in it, and one line that says what is
 * not. The readers of the tests below know the sample's layout from walking its section heads. */
#include "dump/reader.h"
#include "support/make_dump.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char description[] =
    "process exe=/usr/bin/app arg=app arg=-v host=box\n"
    "module app path=/usr/bin/app build-id=00aaff segment=0/0x2000/0/5\n"
    "snapshot\nsite heap app+0x10 app+0x20 live=1/37 age=0:1/37\ncounter untracked paused 3\n"
    "module lib\nunload lib 150\n"
    "snapshot\nsite heap app+0x10 app+0x20 live=2/74\nsite heap lib+0x8 app+0x20 live=1/1\n"
    "block 0x7f0010 heap app+0x10 app+0x20 size=37\n"
    "snapshot trigger=exit last\nsite heap app+0x10 app+0x20 live=3/111\nsite heap lib+0x8 app+0x20 live=1/1\n";

enum { SNAPSHOTS = 3, HEADER = sizeof(struct lt_dump_header), HEAD = sizeof(struct lt_section_head) };

static struct lt_made_dump sample;

static struct lt_section_head head_at(size_t offset) {
    struct lt_section_head head;
    memcpy(&head, sample.bytes + offset, sizeof head);
    return head;
}

static size_t next_of(size_t offset) {
    return offset + HEAD + ((size_t)head_at(offset).length + 7) / 8 * 8;
}

/* Where the section that holds byte `at` begins. */
static size_t section_of(size_t at) {
    size_t offset = HEADER;
    while (next_of(offset) <= at)
        offset = next_of(offset);
    return offset;
}

/* The offset of the n-th section of a type, from 1. */
static size_t find(enum lt_section_type type, int n) {
    size_t offset = HEADER;
    for (; offset < sample.size; offset = next_of(offset))
        if (head_at(offset).type == type && --n == 0)
            return offset;
    fail_msg("no such section");
    return 0;
}

/* Parses a copy that ends where its memory ends, so that a sanitizer sees a read behind it; checks what must hold for
 * every file. Returns the number of snapshots; the reason is left in `reason`. */
static char reason[160];

static size_t parse(const uint8_t *bytes, size_t size, enum lt_dump_end *end) {
    uint8_t *copy = malloc(size ? size : 1);
    struct lt_dump dump;
    memcpy(copy, bytes, size);
    const int status = lt_dump_parse(&dump, copy, size);
    assert_int_equal(status, dump.end == LT_DUMP_UNREADABLE ? -EBADMSG : 0);
    assert_int_equal(dump.end == LT_DUMP_COMPLETE, dump.end_reason[0] == 0);
    assert_null(strchr(dump.end_reason, '\n'));
    assert_true(strlen(dump.end_reason) < sizeof dump.end_reason - 1); /* nothing of it was cut off */
    assert_true(dump.end == LT_DUMP_UNREADABLE || dump.snapshot_count > 0);
    const size_t count = dump.snapshot_count;
    *end = dump.end;
    memcpy(reason, dump.end_reason, sizeof reason);
    lt_dump_free(&dump);
    free(copy);
    return count;
}

static void every_cut_keeps_the_snapshots_before_it(void **state) {
    (void)state;
    for (size_t size = 0; size <= sample.size; size++) {
        enum lt_dump_end end;
        const size_t count = parse(sample.bytes, size, &end);
        size_t whole = 0;
        bool closed = false; /* does the file end right behind an END and its padding? */
        for (int n = 1; n <= SNAPSHOTS; n++) {
            const size_t offset = find(LT_SECTION_END, n);
            whole += size >= offset + HEAD + head_at(offset).length;
            closed |= size == next_of(offset);
        }
        assert_int_equal(count, whole);
        assert_int_equal(end, closed ? LT_DUMP_COMPLETE : whole ? LT_DUMP_TRUNCATED : LT_DUMP_UNREADABLE);
    }
}

/* What is left when byte `at` of the sample is wrong. */
static size_t snapshots_left(size_t at) {
    if (at < HEADER)
        return 0;
    const size_t offset = section_of(at);
    const struct lt_section_head head = head_at(offset);
    size_t before = 0;
    for (int n = 1; n <= SNAPSHOTS; n++)
        before += find(LT_SECTION_END, n) < offset;
    if (at >= offset + HEAD + head.length)
        return SNAPSHOTS; /* padding */
    if (at < offset + HEAD || head.type == LT_SECTION_MODULES || head.type == LT_SECTION_NODES)
        return before; /* what follows can't be found, or refers to what is lost */
    if (head.type == LT_SECTION_PROCESS || head.type == LT_SECTION_UNLOADS)
        return SNAPSHOTS;
    return SNAPSHOTS - 1;
}

static void every_flip_costs_only_what_depends_on_it(void **state) {
    (void)state;
    for (size_t at = 0; at < sample.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            enum lt_dump_end end;
            sample.bytes[at] ^= (uint8_t)(1 << bit);
            const size_t count = parse(sample.bytes, sample.size, &end);
            sample.bytes[at] ^= (uint8_t)(1 << bit);
            const size_t left = snapshots_left(at);
            assert_int_equal(count, left);
            assert_int_equal(end, left ? LT_DUMP_TRUNCATED : LT_DUMP_UNREADABLE);
        }
}

static void expect(size_t size, enum lt_dump_end expected_end, const char *expected_reason) {
    enum lt_dump_end end;
    parse(sample.bytes, size, &end);
    assert_int_equal(end, expected_end);
    assert_string_equal(reason, expected_reason);
}

static const char *line(const char *format, size_t a, size_t b, size_t c) {
    static char text[160];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, format, a, b, c);
#pragma GCC diagnostic pop
    return text;
}

static void a_cut_says_where(void **state) {
    (void)state;
    const size_t sites = find(LT_SECTION_SITES, 3), snapshot = find(LT_SECTION_SNAPSHOT, 2);
    expect(0, LT_DUMP_UNREADABLE, "the file is empty");
    expect(10, LT_DUMP_UNREADABLE, "the file is cut: the header needs 64 bytes, the file ends after 10");
    expect(64, LT_DUMP_UNREADABLE, "no complete snapshot: the file ends before the first one");
    expect(sites + HEAD + 3, LT_DUMP_TRUNCATED,
           line("snapshot 3 is cut: section SITES at byte %zu needs %zu bytes, the file ends after %zu", sites,
                HEAD + (size_t)head_at(sites).length, HEAD + 3));
    expect(sites + 8, LT_DUMP_TRUNCATED,
           line("snapshot 3 is cut: a section head at byte %zu needs 24 bytes, the file ends after %zu", sites, 8, 0));
    expect(sites, LT_DUMP_TRUNCATED, "snapshot 3 is cut: its END is missing");
    expect(snapshot, LT_DUMP_TRUNCATED, "the file is cut after snapshot 1: the next snapshot is missing");
    expect(find(LT_SECTION_END, 1), LT_DUMP_UNREADABLE, "no complete snapshot: snapshot 1 is cut: its END is missing");
}

static void expect_flip(size_t at, enum lt_dump_end end, const char *expected_reason) {
    sample.bytes[at] ^= 1;
    expect(sample.size, end, expected_reason);
    sample.bytes[at] ^= 1;
}

static void damage_says_where(void **state) {
    (void)state;
    const size_t nodes = find(LT_SECTION_NODES, 2), sites = find(LT_SECTION_SITES, 2), end = find(LT_SECTION_END, 2);
    expect_flip(0, LT_DUMP_UNREADABLE, "not a leaktrack dump: it begins with other bytes");
    expect_flip(4, LT_DUMP_UNREADABLE, "damaged: line ends were changed, as by a copy in text mode");
    expect_flip(
        8, LT_DUMP_UNREADABLE,
        "format 0.1 can't be read by this leaktrack-report, which reads 1.x: use the one of the same version as "
        "the library");
    expect_flip(20, LT_DUMP_UNREADABLE, "the file is damaged: the header fails its CRC");
    expect_flip(
        nodes + HEAD, LT_DUMP_TRUNCATED,
        line("the file is damaged after snapshot 1: section NODES at byte %zu fails its CRC, later snapshots need "
             "it",
             nodes, 0, 0));
    expect_flip(sites + HEAD, LT_DUMP_TRUNCATED,
                line("snapshot 2 is damaged: section SITES at byte %zu fails its CRC", sites, 0, 0));
    expect_flip(sites, LT_DUMP_TRUNCATED,
                line("snapshot 2 is damaged: the section head at byte %zu fails its CRC", sites, 0, 0));
    expect_flip(end + HEAD, LT_DUMP_TRUNCATED,
                line("snapshot 2 is damaged: section END at byte %zu fails its CRC", end, 0, 0));
}

static int set_up(void **state) {
    (void)state;
    sample = lt_make_dump(description);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    lt_made_dump_free(&sample);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_keeps_the_snapshots_before_it),
        cmocka_unit_test(every_flip_costs_only_what_depends_on_it),
        cmocka_unit_test(a_cut_says_where),
        cmocka_unit_test(damage_says_where),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
