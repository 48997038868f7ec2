/* Descriptors, mappings, threads and misuses: what the writer wrote, the reader gives back. */
#include "dump/reader.h"
#include "support/make_dump.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sample {
    struct lt_made_dump made;
    struct lt_dump dump;
};

static const struct lt_dump_snapshot *snapshot_of(struct sample *sample, const char *rows) {
    char description[4096];
    snprintf(description, sizeof description, "module app\nsnapshot\n%s", rows);
    sample->made = lt_make_dump(description);
    assert_int_equal(lt_dump_parse(&sample->dump, sample->made.bytes, sample->made.size), 0);
    assert_string_equal(sample->dump.end_reason, "");
    return &sample->dump.snapshots[0];
}

static void sample_free(struct sample *sample) {
    lt_dump_free(&sample->dump);
    lt_made_dump_free(&sample->made);
}

static void assert_no_details(const struct lt_dump_details *details) {
    const struct lt_dump_details none = {"",           "",           "",           "",           "",
                                         LT_NO_NUMBER, LT_NO_NUMBER, LT_NO_NUMBER, LT_NO_NUMBER, LT_NO_NUMBER,
                                         LT_NO_NUMBER, LT_NO_NUMBER, LT_NO_NUMBER};
    assert_string_equal(details->protocol, none.protocol);
    assert_string_equal(details->state, none.state);
    assert_string_equal(details->local, none.local);
    assert_string_equal(details->peer, none.peer);
    assert_string_equal(details->note, none.note);
    assert_memory_equal(&details->inode, &none.inode, sizeof none - offsetof(struct lt_dump_details, inode));
}

static void reads_descriptors(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        snapshot_of(&s, "descriptor 4294967295 socket app+0x10 app+0x20 birth=7 truncated origin=received cloexec "
                        "inode=1 protocol=tcp state=CLOSE_WAIT local=a peer=b receive=2 send=3 memory=4\n"
                        "descriptor 0 file origin=inherited target=/dev/null\n"
                        "descriptor 3 directory app+0x10 stream directory deleted target=/x site=file position=5 "
                        "size=6 watches=8 note=\"count 3\" future=x resident=9\n");
    const struct lt_dump_descriptor *rows = snapshot->descriptors;
    assert_int_equal(snapshot->descriptor_count, 3);
    assert_int_equal(rows[0].fd, 0);
    assert_int_equal(rows[0].kind, LT_KIND_FILE);
    assert_int_equal(rows[0].origin, LT_ORIGIN_INHERITED);
    assert_int_equal(rows[0].holder.node | rows[0].holder.site_kind | rows[0].holder.birth_cs, 0);
    assert_string_equal(rows[0].target, "/dev/null");
    assert_no_details(&rows[0].details);

    assert_int_equal(rows[1].fd, 3);
    assert_int_equal(rows[1].kind, LT_KIND_DIRECTORY);
    assert_int_equal(rows[1].holder.site_kind, LT_KIND_FILE);
    assert_int_equal(rows[1].flags, LT_DESCRIPTOR_VIA_STREAM | LT_DESCRIPTOR_VIA_DIRECTORY | LT_DESCRIPTOR_DELETED);
    assert_int_equal(rows[1].details.position, 5);
    assert_int_equal(rows[1].details.size, 6);
    assert_int_equal(rows[1].details.watches, 8);
    assert_int_equal(rows[1].details.resident, 9);
    assert_string_equal(rows[1].details.note, "count 3");

    assert_int_equal(rows[2].fd, UINT32_MAX);
    assert_int_equal(rows[2].origin, LT_ORIGIN_RECEIVED);
    assert_int_equal(rows[2].flags, LT_DESCRIPTOR_CLOEXEC);
    assert_int_equal(s.dump.nodes[rows[2].holder.node].offset, 0x10);
    assert_int_equal(rows[2].holder.site_kind, LT_KIND_SOCKET);
    assert_int_equal(rows[2].holder.site_flags, LT_SITE_TRUNCATED);
    assert_int_equal(rows[2].holder.birth_cs, 7);
    assert_int_equal(rows[2].details.inode, 1);
    assert_string_equal(rows[2].details.protocol, "tcp");
    assert_string_equal(rows[2].details.state, "CLOSE_WAIT");
    assert_string_equal(rows[2].details.local, "a");
    assert_string_equal(rows[2].details.peer, "b");
    assert_int_equal(rows[2].details.receive, 2);
    assert_int_equal(rows[2].details.send, 3);
    assert_int_equal(rows[2].details.memory, 4);
    sample_free(&s);
}

static void reads_mappings(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        snapshot_of(&s, "mapping 0xffffffffff600000 4096 kernel protection=4 origin=unattributed path=[vsyscall]\n"
                        "mapping 0x1000 8192 \"shared memory\" app+0x10 birth=3 protection=6 shared offset=4096 "
                        "path=/dev/shm/x resident=4096\n"
                        "mapping 0x3000 4096 anonymous app+0x20\n");
    const struct lt_dump_mapping *rows = snapshot->mappings;
    assert_int_equal(snapshot->mapping_count, 3);
    assert_int_equal(rows[0].start, 0x1000);
    assert_int_equal(rows[0].length, 8192);
    assert_int_equal(rows[0].protection, 6);
    assert_int_equal(rows[0].mapping_class, LT_MAPPING_SHARED_MEMORY);
    assert_int_equal(rows[0].origin, LT_ORIGIN_CALL);
    assert_int_equal(rows[0].flags, LT_MAPPING_SHARED);
    assert_int_equal(rows[0].holder.site_kind, LT_KIND_MAPPING);
    assert_int_equal(rows[0].holder.birth_cs, 3);
    assert_int_equal(rows[0].offset, 4096);
    assert_string_equal(rows[0].path, "/dev/shm/x");
    assert_int_equal(rows[0].details.resident, 4096);
    assert_int_equal(rows[1].start, 0x3000);
    assert_int_equal(s.dump.nodes[rows[1].holder.node].offset, 0x20);
    assert_no_details(&rows[1].details);
    assert_int_equal(rows[2].start, 0xffffffffff600000);
    assert_int_equal(rows[2].mapping_class, LT_MAPPING_KERNEL);
    assert_int_equal(rows[2].origin, LT_ORIGIN_UNATTRIBUTED);
    sample_free(&s);
}

static void reads_threads_and_misuses(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        snapshot_of(&s, "thread 100 runs main stack=8388608 name=app origin=unattributed\n"
                        "thread 0 app+0x10 birth=5 detached note=ended\n"
                        "misuse 3 app+0x10 truncated count=9 fd=4 opener app+0x20 birth=8 site=directory\n"
                        "misuse 1 app+0x10\n");
    const struct lt_dump_thread *threads = snapshot->threads;
    const struct lt_dump_misuse *misuses = snapshot->misuses;
    assert_int_equal(snapshot->thread_count, 2);
    assert_int_equal(threads[0].tid, 100);
    assert_int_equal(threads[0].flags, LT_THREAD_RUNS | LT_THREAD_MAIN);
    assert_int_equal(threads[0].stack_size, 8388608);
    assert_string_equal(threads[0].name, "app");
    assert_int_equal(threads[1].flags, LT_THREAD_DETACHED);
    assert_int_equal(threads[1].holder.site_kind, LT_KIND_THREAD);
    assert_string_equal(threads[1].details.note, "ended");
    assert_int_equal(snapshot->misuse_count, 2);
    assert_int_equal(misuses[0].what, LT_MISUSE_OF_DIRECTORY);
    assert_int_equal(misuses[0].count, 9);
    assert_int_equal(misuses[0].fd, 4);
    assert_int_equal(misuses[0].site_flags, LT_SITE_TRUNCATED);
    assert_int_equal(s.dump.nodes[misuses[0].node].offset, 0x10);
    assert_int_equal(s.dump.nodes[misuses[0].opener.node].offset, 0x20);
    assert_int_equal(misuses[0].opener.site_kind, LT_KIND_DIRECTORY);
    assert_int_equal(misuses[0].opener.birth_cs, 8);
    assert_int_equal(misuses[1].count, 1);
    assert_int_equal(misuses[1].opener.site_kind, 0);
    sample_free(&s);
}

static void rows_go_on_over_many_sections(void **state) {
    enum { ROWS = 1000 };
    char *text = malloc(ROWS * 128 + 64);
    size_t length = (size_t)sprintf(text, "module app\nsnapshot\n");
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        length += (size_t)sprintf(text + length, "descriptor %zu file app+%zu\nmapping %zu 4096 file\n", i * 3, i + 1,
                                  (i + 1) * 8192);
    struct lt_made_dump made = lt_make_dump_split(text, 4096);
    struct lt_dump dump;
    assert_int_equal(lt_dump_parse(&dump, made.bytes, made.size), 0);
    assert_int_equal(dump.snapshots[0].descriptor_count, ROWS);
    assert_int_equal(dump.snapshots[0].mapping_count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        const struct lt_dump_descriptor *descriptor = &dump.snapshots[0].descriptors[i];
        assert_int_equal(descriptor->fd, i * 3);
        assert_int_equal(dump.nodes[descriptor->holder.node].offset, i + 1);
        assert_int_equal(dump.snapshots[0].mappings[i].start, (i + 1) * 8192);
    }
    lt_dump_free(&dump);
    lt_made_dump_free(&made);
    free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_descriptors),
    cmocka_unit_test(reads_mappings),
    cmocka_unit_test(reads_threads_and_misuses),
    cmocka_unit_test(rows_go_on_over_many_sections),
};
LT_UNIT_MAIN(tests)
