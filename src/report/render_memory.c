/* Where the memory is that the kernel counts:
 *
 *     resident 212.4 MiB: heap in use 3.1 MiB, kept by malloc 189.2 MiB, Go runtime 4.1 MiB, files 6.0 MiB ...
 *       malloc keeps ...
 *     cgroup memory 812.0 MiB of 1.0 GiB (79.3 %), working set 192.0 MiB, of all its processes: page cache 640.0 MiB,
 *     anonymous 150.0 MiB, kernel 22.0 MiB
 *       mostly page cache: ... */
#include "report/estimate.h"
#include "report/human.h"
#include "report/memory.h"
#include "report/render.h"

#include <inttypes.h>

struct part {
    const char *name;
    uint64_t now, before;
    bool is_estimate, is_change_estimate;
};

static const char *about(bool is_estimate) {
    return is_estimate ? "~" : "";
}

/* "640.0 MiB"; in a comparison, where it has changed, "640.0 MiB (+12.0 MiB)"; "~" in front of an estimate */
static void put_bytes(FILE *out, const struct part *part) {
    fprintf(out, "%s%s", about(part->is_estimate), lt_human_size(part->now).text);
    if (part->before != LT_NO_NUMBER && part->before != part->now)
        fprintf(out, " (%s%s)", about(part->is_change_estimate),
                lt_human_size_change((int64_t)(part->now - part->before)).text);
}

static void put_parts(FILE *out, const struct part *parts, size_t count) {
    const char *lead = ":";
    for (size_t i = 0; i < count; i++) {
        if (parts[i].now == LT_NO_NUMBER || (!parts[i].now && (!parts[i].before || parts[i].before == LT_NO_NUMBER)))
            continue;
        fprintf(out, "%s %s ", lead, parts[i].name);
        put_bytes(out, &parts[i]);
        lead = ",";
    }
    fputc('\n', out);
}

static void put_cgroup_parts(FILE *out, const struct lt_cgroup_use *now, const struct lt_cgroup_use *before) {
    const struct part parts[] = {
        {.name = "page cache", .now = now->page_cache, .before = before->page_cache},
        {.name = "anonymous", .now = now->anonymous, .before = before->anonymous},
        {.name = "shared memory", .now = now->shared, .before = before->shared},
        {.name = "kernel", .now = now->kernel, .before = before->kernel},
        {.name = "socket buffers", .now = now->sockets, .before = before->sockets},
    };
    put_parts(out, parts, sizeof parts / sizeof parts[0]);
}

static void put_page_cache(const struct lt_report *report, FILE *out) {
    const struct lt_dump_snapshot *since;
    const enum lt_page_cache found = lt_page_cache_of(report->model, report->base, &since);
    if (found == LT_PAGE_CACHE_LITTLE)
        return;
    if (found == LT_PAGE_CACHE_GROWTH)
        fprintf(out, "  what grew since snapshot %" PRIu64 " is mostly page cache", since->index);
    else
        fputs("  mostly page cache", out);
    fputs(", of files that were read or written: no leak of this process. The kernel takes it back when memory is "
          "short;\n"
          "  posix_fadvise(POSIX_FADV_DONTNEED) after use or O_DIRECT keep a file out of it, the cgroup's memory.high"
          " keeps it small\n",
          out);
}

static void put_cgroup(const struct lt_report *report, FILE *out) {
    struct lt_cgroup_use now, before;
    if (!lt_cgroup_of(report->model->snapshot, &now))
        return;
    lt_cgroup_of(report->base ? report->base->snapshot : NULL, &before);
    fputs("cgroup memory ", out);
    put_bytes(out, &(struct part){.now = now.used, .before = before.used});
    if (now.limit != LT_NO_NUMBER)
        fprintf(out, " of %s (%s)", lt_human_size(now.limit).text, lt_human_share(now.used, now.limit).text);
    if (lt_working_set(&now) != LT_NO_NUMBER)
        fprintf(out, ", working set %s", lt_human_size(lt_working_set(&now)).text);
    fputs(", of all its processes", out);
    put_cgroup_parts(out, &now, &before);
}

/* What malloc keeps is what the blocks leave of its memory: where they are estimated, so is the rest. */
static void put_resident_parts(const struct lt_report *report, FILE *out, const struct lt_resident_use *now,
                               const struct lt_resident_use *before) {
    const bool is_estimate = lt_estimated_kinds(report->model->snapshot) >> LT_KIND_HEAP & 1;
    const bool is_change_estimate = report->table->estimated_kinds >> LT_KIND_HEAP & 1;
    const struct part parts[] = {
        {"heap in use", now->in_use, before->in_use, is_estimate, is_change_estimate},
        {"kept by malloc", now->kept, before->kept, is_estimate, is_change_estimate},
        {.name = "Go runtime", .now = now->go_runtime, .before = before->go_runtime},
        {.name = "mappings", .now = now->mappings, .before = before->mappings},
        {.name = "stacks", .now = now->stacks, .before = before->stacks},
        {.name = "files", .now = now->files, .before = before->files},
        {.name = "shared memory", .now = now->shared, .before = before->shared},
        {.name = "leaktrack", .now = now->own, .before = before->own},
        {.name = "other", .now = now->other, .before = before->other},
        {.name = "and swapped out", .now = now->swap, .before = before->swap},
    };
    put_parts(out, parts, sizeof parts / sizeof parts[0]);
}

static void put_kept(const struct lt_report *report, FILE *out, const struct lt_resident_use *use) {
    if (!lt_is_mostly_kept(report->model, use))
        return;
    fputs("  malloc keeps more than is in use: free memory that it has not given back (fragmentation), no leak.", out);
    if (report->model->allocator.live.count)
        fputs(" Its settings may\n  make it give back sooner (jemalloc: MALLOC_CONF=background_thread:true)\n", out);
    else
        fputs(" malloc_trim(0)\n  gives back whole pages; fewer arenas (MALLOC_ARENA_MAX=2) or another allocator"
              " (LD_PRELOAD=\"libleaktrack.so libjemalloc.so.2\") keep less\n",
              out);
}

static void put_resident(const struct lt_report *report, FILE *out) {
    struct lt_resident_use now, before;
    if (!lt_resident_of(report->model, &now))
        return;
    lt_resident_of(report->base, &before);
    fputs("resident ", out);
    put_bytes(out, &(struct part){.now = now.total, .before = before.total});
    put_resident_parts(report, out, &now, &before);
    put_kept(report, out, &now);
}

void lt_render_memory(const struct lt_report *report, const struct lt_terminal *terminal) {
    put_resident(report, terminal->out);
    put_cgroup(report, terminal->out);
    put_page_cache(report, terminal->out);
}
