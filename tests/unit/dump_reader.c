/* What the writer wrote, the reader gives back. */
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

static struct sample *sample_of(struct sample *sample, const char *description) {
    sample->made = lt_make_dump(description);
    assert_int_equal(lt_dump_parse(&sample->dump, sample->made.bytes, sample->made.size), 0);
    return sample;
}

static void sample_free(struct sample *sample) {
    lt_dump_free(&sample->dump);
    lt_made_dump_free(&sample->made);
}

static void reads_the_process(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_process *process =
        &sample_of(&s,
                   "process exe=/usr/bin/app arg=app arg=\"two words\" host=box ppid=300 forked-from=299 arch=x86_64 "
                   "library=0.1.0 option=LEAKTRACK_DEPTH=128 unwinder=native note=\"heap is off\" pid=4242 ticks=77 "
                   "start=1700000000123456789\nsnapshot\n")
             ->dump.process;
    assert_string_equal(process->exe, "/usr/bin/app");
    assert_string_equal(process->argv[0], "app");
    assert_string_equal(process->argv[1], "two words");
    assert_null(process->argv[2]);
    assert_string_equal(process->host, "box");
    assert_int_equal(process->ppid, 300);
    assert_int_equal(process->forked_from, 299);
    assert_string_equal(process->arch, "x86_64");
    assert_string_equal(process->library, "0.1.0");
    assert_string_equal(process->options[0], "LEAKTRACK_DEPTH=128");
    assert_null(process->options[1]);
    assert_string_equal(process->unwinder, "native");
    assert_string_equal(process->notes[0], "heap is off");
    assert_int_equal(process->pid, 4242);
    assert_int_equal(process->start_ticks, 77);
    assert_int_equal(process->start_wall_ns, 1700000000123456789);
    assert_int_equal(process->control_fd, UINT32_MAX);
    sample_free(&s);
}

static void absent_texts_are_empty(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_process *process = &sample_of(&s, "snapshot\n")->dump.process;
    assert_string_equal(process->exe, "");
    assert_string_equal(process->unwinder, "");
    assert_null(process->argv[0]);
    assert_null(process->options[0]);
    assert_null(process->notes[0]);
    sample_free(&s);
}

static void reads_modules(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump *dump =
        &sample_of(&s, "module app path=/usr/bin/app build-id=00aaff bias=0x555500000000 device=1 inode=2 size=3 "
                       "mtime=4 load=5 segment=0x1000/0x2000/0x800/5 segment=0xffffffff00000000/1/2/6\n"
                       "module lib\nunload lib 99\nsnapshot\n")
             ->dump;
    const struct lt_dump_module *app = &dump->modules[1], *lib = &dump->modules[2];
    assert_int_equal(dump->module_count, 3);
    assert_string_equal(dump->modules[0].path, "");
    assert_string_equal(app->path, "/usr/bin/app");
    assert_int_equal(app->build_id_size, 3);
    assert_memory_equal(app->build_id, "\x00\xaa\xff", 3);
    assert_int_equal(app->bias, 0x555500000000);
    assert_int_equal(app->device, 1);
    assert_int_equal(app->inode, 2);
    assert_int_equal(app->size, 3);
    assert_int_equal(app->mtime_ns, 4);
    assert_int_equal(app->load_cs, 5);
    assert_int_equal(app->unload_cs, UINT32_MAX);
    assert_int_equal(app->segment_count, 2);
    assert_int_equal(app->segments[0].vaddr, 0x1000);
    assert_int_equal(app->segments[0].memsz, 0x2000);
    assert_int_equal(app->segments[0].offset, 0x800);
    assert_int_equal(app->segments[0].flags, 5);
    assert_int_equal(app->segments[1].vaddr, 0xffffffff00000000);
    assert_int_equal(lib->unload_cs, 99);
    assert_int_equal(lib->segment_count, 0);
    sample_free(&s);
}

/* The stack of `node` as "module:offset module:offset ...", innermost first. */
static const char *stack_text(const struct lt_dump *dump, uint32_t node) {
    static char text[256];
    size_t length = 0;
    for (text[0] = 0; node; node = dump->nodes[node].parent)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%u:%llx", length ? " " : "",
                                   dump->nodes[node].module, (unsigned long long)dump->nodes[node].offset);
    return text;
}

static void reads_sites_with_their_stacks(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump *dump =
        &sample_of(&s, "module app\nmodule libc\nsnapshot\n"
                       "site heap app+0x30 app+0x20 libc+0x10 live=2/74 alloc=3/111 first=10 last=20 truncated "
                       "age=0:1/37 age=26:1/37\n"
                       "site heap 0xffffffffff600007 app+0x20 libc+0x10 live=1/1 first=0xffffffff\n"
                       "site heap live=0/0 alloc=7/8\n")
             ->dump;
    const struct lt_dump_snapshot *snapshot = &dump->snapshots[0];
    assert_int_equal(dump->node_count, 5); /* the shared outer frames are two nodes */
    assert_int_equal(snapshot->site_count, 3);

    assert_int_equal(snapshot->sites[0].node, 0);
    assert_int_equal(snapshot->sites[0].live_count, 0);
    assert_int_equal(snapshot->sites[0].alloc_count, 7);
    assert_int_equal(snapshot->sites[0].alloc_bytes, 8);

    const struct lt_dump_site *site = &snapshot->sites[1];
    assert_string_equal(stack_text(dump, site->node), "1:30 1:20 2:10");
    assert_int_equal(site->kind, LT_KIND_HEAP);
    assert_int_equal(site->flags, LT_SITE_TRUNCATED);
    assert_int_equal(site->live_count, 2);
    assert_int_equal(site->live_bytes, 74);
    assert_int_equal(site->alloc_count, 3);
    assert_int_equal(site->alloc_bytes, 111);
    assert_int_equal(site->first_birth_cs, 10);
    assert_int_equal(site->last_birth_cs, 20);
    assert_int_equal(site->age_count, 2);
    assert_int_equal(site->ages[1].age_class, 26);
    assert_int_equal(site->ages[1].count, 1);
    assert_int_equal(site->ages[1].bytes, 37);

    assert_string_equal(stack_text(dump, snapshot->sites[2].node), "0:ffffffffff600007 1:20 2:10");
    assert_int_equal(snapshot->sites[2].first_birth_cs, UINT32_MAX);
    assert_int_equal(snapshot->sites[2].last_birth_cs, UINT32_MAX);
    sample_free(&s);
}

static void reads_samples(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        sample_of(&s, "module app\nsnapshot sampling=4096\n"
                      "site heap app+0x10 live=256/4104 alloc=512/8208 samples=1/2 live-variance=3/4 "
                      "alloc-variance=5/18446744073709551615 truncated\n"
                      "site file app+0x10 live=1/0\n"
                      "snapshot\n")
            ->dump.snapshots;
    assert_int_equal(snapshot[0].sampling_mean, 4096);
    assert_int_equal(snapshot[0].sample_count, 1);
    const struct lt_dump_sample *sample = &snapshot[0].samples[0];
    assert_int_equal(sample->node, snapshot[0].sites[0].node);
    assert_int_equal(sample->kind, LT_KIND_HEAP);
    assert_int_equal(sample->flags, LT_SITE_TRUNCATED);
    assert_int_equal(sample->live_samples, 1);
    assert_int_equal(sample->alloc_samples, 2);
    assert_int_equal(sample->live_count_variance, 3);
    assert_int_equal(sample->live_bytes_variance, 4);
    assert_int_equal(sample->alloc_count_variance, 5);
    assert_true(sample->alloc_bytes_variance == UINT64_MAX);
    assert_int_equal(snapshot[1].sampling_mean, 0);
    assert_int_equal(snapshot[1].sample_count, 0);
    sample_free(&s);
}

static void reads_blocks_and_counters(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        &sample_of(&s, "module app\nsnapshot\nblock 0xffffffffffff0000 heap app+0x10 size=37 birth=9\n"
                       "block 0x7f0010 heap app+0x20 size=0 truncated\ncounter untracked \"by reason\" 3\n"
                       "counter statistics rules 18446744073709551615\n")
             ->dump.snapshots[0];
    assert_int_equal(snapshot->block_count, 2);
    assert_int_equal(snapshot->blocks[0].address, 0x7f0010);
    assert_int_equal(snapshot->blocks[0].flags, LT_SITE_TRUNCATED);
    assert_int_equal(snapshot->blocks[0].node, 2);
    assert_int_equal(snapshot->blocks[1].address, 0xffffffffffff0000);
    assert_int_equal(snapshot->blocks[1].size, 37);
    assert_int_equal(snapshot->blocks[1].birth_cs, 9);
    assert_int_equal(snapshot->blocks[1].kind, LT_KIND_HEAP);
    assert_int_equal(snapshot->counter_count, 2);
    assert_int_equal(snapshot->counters[0].group, LT_COUNTER_UNTRACKED);
    assert_string_equal(snapshot->counters[0].name, "by reason");
    assert_int_equal(snapshot->counters[0].value, 3);
    assert_int_equal(snapshot->counters[1].group, LT_COUNTER_STATISTICS);
    assert_int_equal(snapshot->counters[1].value, UINT64_MAX);
    sample_free(&s);
}

static void reads_totals(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump_snapshot *snapshot =
        &sample_of(&s, "snapshot index=7 wall=1700000001000000000 time=123 trigger=exit last incomplete\n"
                       "totals heap live=1/2 alloc=3/4 release=5/6 inherited=7/8\nsite file live=2/0 alloc=3/0\n")
             ->dump.snapshots[0];
    const struct lt_dump_totals *heap = &snapshot->totals[LT_KIND_HEAP], *file = &snapshot->totals[LT_KIND_FILE];
    assert_int_equal(snapshot->index, 7);
    assert_int_equal(snapshot->wall_ns, 1700000001000000000);
    assert_int_equal(snapshot->time_cs, 123);
    assert_int_equal(snapshot->trigger, LT_TRIGGER_EXIT);
    assert_int_equal(snapshot->flags, LT_SNAPSHOT_LAST | LT_SNAPSHOT_INCOMPLETE);
    assert_true(heap->present && file->present && !snapshot->totals[LT_KIND_PIPE].present);
    assert_int_equal(heap->live_count, 1);
    assert_int_equal(heap->live_bytes, 2);
    assert_int_equal(heap->alloc_count, 3);
    assert_int_equal(heap->alloc_bytes, 4);
    assert_int_equal(heap->release_count, 5);
    assert_int_equal(heap->release_bytes, 6);
    assert_int_equal(heap->inherited_count, 7);
    assert_int_equal(heap->inherited_bytes, 8);
    assert_int_equal(file->live_count, 2);
    assert_int_equal(file->release_count, 1);
    sample_free(&s);
}

static void later_snapshots_use_earlier_dictionaries(void **state) {
    struct sample s;
    (void)state;
    const struct lt_dump *dump =
        &sample_of(&s, "module app\nsnapshot\nsite heap app+0x10 live=1/10\nmodule lib\nsnapshot\n"
                       "site heap app+0x10 live=2/20\nsite heap lib+0x5 app+0x10 live=1/1\n")
             ->dump;
    assert_int_equal(dump->end, LT_DUMP_COMPLETE);
    assert_string_equal(dump->end_reason, "");
    assert_int_equal(dump->snapshot_count, 2);
    assert_int_equal(dump->snapshots[1].index, 2);
    assert_int_equal(dump->snapshots[1].sites[0].node, dump->snapshots[0].sites[0].node);
    assert_string_equal(stack_text(dump, dump->snapshots[1].sites[1].node), "2:5 1:10");
    sample_free(&s);
}

/* A description with `sites` sites of two frames and as many blocks. */
static char *large_description(size_t sites) {
    const size_t size = 64 + sites * 128;
    char *text = malloc(size);
    size_t length = (size_t)snprintf(text, size, "module app\nsnapshot\n");
    for (size_t i = 0; i < sites; i++)
        length += (size_t)snprintf(text + length, size - length,
                                   "site heap app+%zu app+7 live=%zu/%zu\nblock %zu heap app+%zu app+7 size=%zu\n",
                                   i * 16 + 100, i, i * 37, i * 64 + 4096, i * 16 + 100, i);
    return text;
}

static void rows_go_on_over_many_sections(void **state) {
    enum { SITES = 3000 };
    char *description = large_description(SITES);
    struct lt_made_dump made = lt_make_dump_split(description, 4096);
    struct lt_dump dump;
    (void)state;
    assert_int_equal(lt_dump_parse(&dump, made.bytes, made.size), 0);
    const struct lt_dump_snapshot *snapshot = &dump.snapshots[0];
    assert_int_equal(dump.end, LT_DUMP_COMPLETE);
    assert_int_equal(snapshot->site_count, SITES);
    assert_int_equal(snapshot->block_count, SITES);
    for (size_t i = 0; i < SITES; i++) {
        assert_int_equal(dump.nodes[snapshot->sites[i].node].offset, i * 16 + 100);
        assert_int_equal(snapshot->sites[i].live_bytes, i * 37);
        assert_int_equal(snapshot->blocks[i].address, i * 64 + 4096);
        assert_int_equal(snapshot->blocks[i].node, snapshot->sites[i].node);
    }
    lt_dump_free(&dump);
    lt_made_dump_free(&made);
    free(description);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_the_process),
    cmocka_unit_test(absent_texts_are_empty),
    cmocka_unit_test(reads_modules),
    cmocka_unit_test(reads_sites_with_their_stacks),
    cmocka_unit_test(reads_samples),
    cmocka_unit_test(reads_blocks_and_counters),
    cmocka_unit_test(reads_totals),
    cmocka_unit_test(later_snapshots_use_earlier_dictionaries),
    cmocka_unit_test(rows_go_on_over_many_sections),
};
LT_UNIT_MAIN(tests)
