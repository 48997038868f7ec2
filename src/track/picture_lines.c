/* The maps are read into memory that was reserved beforehand: what grew meanwhile would move, and be listed at two
 * places or at none.
 *
 * What a line is where no call stack says it is guessed from the lines alone: the names of modules in memory that is
 * mapped now are the loader's business, and it may unload one while we look (lt_module_learn is for code on a stack,
 * which can't go). A module is a file of which a run of lines is executable, and the anonymous line (its zeroed data)
 * that follows at once on a writable one. An arena of glibc's malloc (malloc/arena.c) is an anonymous range of 64 MiB
 * at a multiple of 64 MiB, of which the first part is writable and the rest inaccessible. */
#include "track/picture_parts.h"

#include "dump/control.h"
#include "os/memory.h"
#include "os/proc.h"

#include <elf.h>
#include <string.h>

enum {
    LINES = 65536, /* vm.max_map_count is 65530 where nobody raised it */
    TEXT_BYTES = 2 << 20,
    GUARD_MAX = 64 * 1024,
};

static struct lt_map_line *line_at(const struct lt_picture *picture, uint32_t i) {
    return lt_vector_at(&picture->lines, i);
}

static const char *path_of(const struct lt_picture *picture, const struct lt_map_line *line) {
    return line->path ? lt_vector_at(&picture->texts, line->path) : "";
}

static uint32_t keep_path(struct lt_picture *picture, const char *path) {
    const struct lt_map_line *last = picture->lines.count > 1 ? line_at(picture, picture->lines.count - 2) : NULL;
    return last && strcmp(path_of(picture, last), path) == 0 ? last->path : lt_picture_text(picture, path);
}

static bool see(void *context, const struct lt_map *map) {
    struct lt_picture *picture = context;
    const struct lt_map_line *last = picture->lines.count ? line_at(picture, picture->lines.count - 1) : NULL;
    const uintptr_t start =
        last && last->end > map->start ? last->end : map->start; /* two that were joined meanwhile */
    if (start >= map->end)
        return true;
    struct lt_map_line *line = lt_vector_add(&picture->lines);
    if (!line) {
        lt_picture_lost(picture);
        return false;
    }
    *line = (struct lt_map_line){
        .start = start,
        .end = map->end,
        .offset = map->offset + (start - map->start),
        .protection = (uint8_t)((map->readable ? PF_R : 0) | (map->writable ? PF_W : 0) | (map->executable ? PF_X : 0)),
        .shared = map->shared,
        .of_file = map->inode != 0,
    };
    line->path = keep_path(picture, map->path);
    return true;
}

void lt_picture_read_lines(struct lt_picture *picture) {
    (void)!lt_vector_reserve(&picture->lines, LINES);
    (void)!lt_vector_reserve(&picture->texts, picture->texts.count + TEXT_BYTES);
    if (lt_proc_maps(picture->buffer, LT_PICTURE_BUFFER, see, picture) != 0 || picture->lines.count == 0) {
        picture->reconciled = false;
        picture->lines.count = 0;
    }
}

/* ---- what they are ---- */

static bool begins(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static enum lt_mapping_class class_of_name(const char *path) {
    if (lt_picture_is_libc_file(path))
        return LT_MAPPING_LIBC;
    static const struct {
        const char *start;
        uint8_t mapping_class;
    } names[] = {
        {"[heap]", LT_MAPPING_HEAP},
        {"[stack", LT_MAPPING_STACK},
        {"[v", LT_MAPPING_KERNEL},
        {"[uprobes]", LT_MAPPING_KERNEL},
        {"/SYSV", LT_MAPPING_SHARED_MEMORY},
        {"/dev/shm/", LT_MAPPING_SHARED_MEMORY},
        {"/dev/zero", LT_MAPPING_SHARED_MEMORY},
        {"/memfd:" LT_CONTROL_NAME, LT_MAPPING_OWN},
        {"/memfd:", LT_MAPPING_SHARED_MEMORY},
        {"/anon_hugepage", LT_MAPPING_ANONYMOUS},
        {"/", LT_MAPPING_FILE},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (begins(path, names[i].start))
            return names[i].mapping_class;
    return LT_MAPPING_ANONYMOUS;
}

/* The lines i .. of one file that stand together are a module's if one of them is executable. Returns the line behind
 * them. */
static uint32_t classify_file(struct lt_picture *picture, uint32_t i) {
    const uint32_t first = i, path = line_at(picture, i)->path;
    bool executable = false;
    for (; i < picture->lines.count && line_at(picture, i)->path == path; i++)
        executable |= line_at(picture, i)->protection & PF_X && !line_at(picture, i)->shared;
    for (uint32_t line = first; executable && line < i; line++)
        line_at(picture, line)->mapping_class = LT_MAPPING_MODULE;
    if (executable && i < picture->lines.count) {
        struct lt_map_line *behind = line_at(picture, i);
        const struct lt_map_line *last = line_at(picture, i - 1);
        if (behind->start == last->end && last->protection & PF_W && !behind->path && !behind->shared)
            behind->mapping_class = LT_MAPPING_MODULE;
    }
    return i;
}

static bool is_private_anonymous(const struct lt_map_line *line) {
    return !line->of_file && !line->shared && line->mapping_class == LT_MAPPING_ANONYMOUS;
}

/* Whether an arena begins with line i. */
static bool is_arena(const struct lt_picture *picture, uint32_t i) {
    const struct lt_map_line *line = line_at(picture, i);
    if (line->start % LT_MALLOC_ARENA || !(line->protection & PF_W) || line->end - line->start >= LT_MALLOC_ARENA ||
        i + 1 == picture->lines.count)
        return false;
    const struct lt_map_line *rest = line_at(picture, i + 1);
    return rest->start == line->end && rest->protection == 0 && is_private_anonymous(rest) &&
           rest->end >= line->start + LT_MALLOC_ARENA;
}

static void classify_anonymous(struct lt_picture *picture, uint32_t i) {
    if (!is_private_anonymous(line_at(picture, i)) || !is_arena(picture, i))
        return;
    line_at(picture, i)->mapping_class = LT_MAPPING_ARENA;
    line_at(picture, i + 1)->mapping_class =
        LT_MAPPING_ARENA; /* or another range joined to it: picture_mappings.c cuts it */
}

/* The threads' stacks, by addresses in them. */
static void collect_stacks(const struct lt_picture *picture, struct lt_vector *stacks) {
    lt_vector_init(stacks, sizeof(uint64_t));
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        const struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        uint64_t *stack = row->stack ? lt_vector_add(stacks) : NULL;
        if (stack)
            *stack = row->stack;
    }
    lt_picture_kept_stacks(picture, stacks);
    lt_vector_sort(stacks);
}

struct lt_map_line *lt_picture_guard(const struct lt_picture *picture, uint32_t i) {
    struct lt_map_line *before = i ? line_at(picture, i - 1) : NULL;
    const bool is_guard = before && before->end == line_at(picture, i)->start && before->protection == 0 &&
                          is_private_anonymous(before) && before->end - before->start <= GUARD_MAX;
    return is_guard ? before : NULL;
}

static void classify_stacks(struct lt_picture *picture) {
    struct lt_vector stacks;
    uint32_t next = 0;
    collect_stacks(picture, &stacks);
    for (uint32_t i = 0; i < picture->lines.count && next < stacks.count; i++) {
        struct lt_map_line *line = line_at(picture, i), *guard = lt_picture_guard(picture, i);
        const uint64_t *address = lt_vector_at(&stacks, next);
        if (*address >= line->end)
            continue;
        if (*address >= line->start && is_private_anonymous(line)) {
            line->mapping_class = LT_MAPPING_THREAD_STACK;
            if (guard)
                guard->mapping_class = LT_MAPPING_THREAD_STACK;
        }
        while (next < stacks.count && *(uint64_t *)lt_vector_at(&stacks, next) < line->end)
            next++;
    }
    lt_vector_free(&stacks);
}

void lt_picture_classify_lines(struct lt_picture *picture) {
    for (uint32_t i = 0; i < picture->lines.count; i++) {
        struct lt_map_line *line = line_at(picture, i);
        line->mapping_class = (uint8_t)class_of_name(path_of(picture, line));
    }
    for (uint32_t i = 0; i < picture->lines.count;)
        if (line_at(picture, i)->mapping_class == LT_MAPPING_FILE)
            i = classify_file(picture, i);
        else
            i++;
    for (uint32_t i = 0; i < picture->lines.count; i++)
        classify_anonymous(picture, i);
    classify_stacks(picture);
}
