/* Memory that the C library maps by itself, past the symbols that hooks stand in front of, and how it is known:
 *
 *   the loader's   what was mapped before anybody else ran, and is no module's: its own heap (elf/dl-minimal.c) and the
 *                  main thread's storage. Noted at the start.
 *   malloc's       a large block, in a mapping of its own: the header in front of it says so, and how long the mapping
 *                  is (malloc/malloc.c, IS_MMAPPED)
 *   thread stacks  that glibc keeps for the next thread (nptl/nptl-stack.c): the descriptor of the thread that ended
 *                  still stands there
 *   files          locales, message catalogues, the cache of character conversions: by their names
 *
 * Headers and descriptors are read by peek.h: another thread may unmap them meanwhile. */
#include "track/picture_parts.h"

#include "os/memory.h"
#include "os/proc.h"
#include "track/program_threads.h"

#include <elf.h>
#include <string.h>

enum {
    LOADER_RANGES =
        64, /* one, where nothing is mapped in between; a program with hundreds of libraries has some more */
    HEADER_FLAGS = 7,
    HEADER_IS_MMAPPED = 2,
};

static struct loader_range { uintptr_t start, end; } loader[LOADER_RANGES];
static unsigned loader_count;

struct start {
    uintptr_t module_end; /* of the line before, if it was a module's writable one: its zeroed data follows at once */
};

static bool see(void *context, const struct lt_map *map) {
    struct start *start = context;
    const bool is_anonymous = map->inode == 0 && !map->path[0];
    if (is_anonymous && map->writable && !map->shared && map->start != start->module_end)
        loader[loader_count++] = (struct loader_range){map->start, map->end};
    start->module_end = !is_anonymous && map->writable ? map->end : 0;
    return loader_count < LOADER_RANGES;
}

void lt_picture_start(void) {
    char *buffer = lt_picture_buffer();
    struct start start = {0};
    loader_count = 0;
    (void)!lt_proc_maps(buffer, LT_PICTURE_BUFFER, see, &start);
}

/* The range that holds `at`, or the next one: where it begins `end` is cut. */
static bool is_loaders(uintptr_t at, uintptr_t *end) {
    for (unsigned i = 0; i < loader_count; i++) {
        if (loader[i].start > at && loader[i].start < *end)
            *end = loader[i].start;
        if (loader[i].start <= at && at < loader[i].end) {
            *end = *end < loader[i].end ? *end : loader[i].end;
            return true;
        }
    }
    return false;
}

/* How long the mapping is of which a large block's header says that it begins at `at`; 0 where none does. */
static uint64_t malloc_block(const struct lt_picture *picture, uintptr_t at) {
    uint64_t header[2]; /* the size of the block before: none; the size of this one */
    if (!picture->can_peek || !lt_peek_read(&picture->peek, at, header, sizeof header))
        return 0;
    const uint64_t size = header[1] & ~(uint64_t)HEADER_FLAGS;
    const bool is_header = header[0] == 0 && (header[1] & HEADER_FLAGS) == HEADER_IS_MMAPPED && size % LT_PAGE == 0;
    return is_header ? size : 0;
}

enum lt_mapping_class lt_picture_libc_class(const struct lt_picture *picture, uintptr_t at, uintptr_t *end) {
    if (is_loaders(at, end))
        return LT_MAPPING_LIBC;
    const uint64_t size = malloc_block(picture, at);
    if (size == 0 || size > *end - at)
        return LT_MAPPING_ANONYMOUS;
    *end = at + size;
    return LT_MAPPING_MALLOC_BLOCK;
}

bool lt_picture_is_libc_file(const char *path) {
    static const char catalogue[] = ".mo";
    const size_t length = strlen(path);
    return strstr(path, "/lib/locale/") || strstr(path, "/gconv/gconv-modules.cache") ||
           (length >= sizeof catalogue && strcmp(path + length - (sizeof catalogue - 1), catalogue) == 0);
}

void lt_picture_kept_stacks(const struct lt_picture *picture, struct lt_vector *addresses) {
    uint64_t handle;
    for (uint32_t i = 0; picture->can_peek && lt_program_thread_past(&i, &handle); i++) {
        uint64_t *address = lt_peek_is_thread(&picture->peek, handle) ? lt_vector_add(addresses) : NULL;
        if (address)
            *address = handle;
    }
}
