/* One picture at a time, guarded by the snapshot lock. The parts are taken one after the other, each from its own list
 * of the kernel; what one part means for another is in picture_parts.h. */
#include "track/picture.h"

#include "base/attrs.h"
#include "os/limits.h"
#include "track/counters.h"
#include "track/handles.h"
#include "track/misuses.h"
#include "track/picture_parts.h"
#include "track/program_threads.h"
#include "track/statistics.h"
#include "track/thread.h"

#include <string.h>

static uint64_t buffer[LT_PICTURE_BUFFER / sizeof(uint64_t)];
static struct lt_picture picture;

char *lt_picture_buffer(void) {
    return (char *)buffer;
}

uint32_t lt_picture_text(struct lt_picture *of, const char *text) {
    const size_t size = strlen(text) + 1;
    const uint32_t at = of->texts.count ? of->texts.count : 1; /* offset 0 is the empty one */
    if (size == 1)
        return 0;
    if (!lt_vector_resize(&of->texts, at + (uint32_t)size)) {
        lt_picture_lost(of);
        return 0;
    }
    memcpy(lt_vector_at(&of->texts, at), text, size);
    return at;
}

void lt_picture_lost(struct lt_picture *of) {
    of->incomplete = true;
    of->tally->incomplete = true;
}

void lt_picture_count(struct lt_picture *of, enum lt_kind kind, const struct lt_holding *holding, uint64_t size) {
    if (lt_holding_kind(holding))
        lt_tally_add(of->tally, holding->site, size, holding->birth);
    else
        lt_tally_inherited(of->tally, kind, size);
}

static void count_handles(void) {
    struct lt_handle handle;
    for (uint32_t i = 0; lt_handle_next(&i, &handle); i++)
        if (lt_picture_shows(&picture, handle.kind))
            lt_picture_count(&picture, handle.kind, &handle.holding, 0);
}

static void begin(const struct lt_picture_options *options, struct lt_tally *tally) {
    lt_picture_free();
    picture.options = *options;
    picture.tally = tally;
    picture.buffer = lt_picture_buffer();
    picture.reconciled = true;
    picture.descriptor_tid = options->program_tid;
}

static bool shows_descriptors(void) {
    const uint32_t kinds =
        1u << LT_KIND_FILE | 1u << LT_KIND_DIRECTORY | 1u << LT_KIND_SOCKET | 1u << LT_KIND_PIPE | 1u << LT_KIND_EVENT;
    return picture.options.kinds & kinds;
}

/* Whether anything but heap blocks is tracked. */
static bool is_wanted(void) {
    return picture.options.kinds & ~(1u << LT_KIND_HEAP);
}

void lt_picture_take(const struct lt_picture_options *options, struct lt_tally *tally) {
    const uint64_t refused = lt_untracked_count(LT_UNTRACKED_BUSY);
    begin(options, tally);
    if (!is_wanted())
        return;
    lt_picture_take_threads(&picture);
    if (shows_descriptors()) {
        lt_picture_take_descriptors(&picture);
        lt_picture_ask_sockets(&picture);
    }
    if (lt_picture_shows(&picture, LT_KIND_MAPPING)) {
        lt_picture_take_mappings(&picture);
        lt_picture_ask_resident(&picture);
    }
    if (lt_picture_shows(&picture, LT_KIND_THREAD))
        lt_picture_find_stacks(&picture);
    count_handles();
    if (refused != lt_untracked_count(LT_UNTRACKED_BUSY))
        lt_picture_lost(&picture); /* a table could not be read to its end */
}

static uint32_t put_known(struct lt_writer *writer, const char *name, uint64_t value, bool known) {
    return known ? lt_put_counter(writer, LT_COUNTER_KERNEL, name, value) : 0;
}

uint32_t lt_picture_put_counters(struct lt_writer *writer) {
    struct lt_limits limits;
    uint64_t descriptors = 0;
    if (!is_wanted())
        return 0;
    lt_limits(&limits);
    for (enum lt_kind kind = LT_KIND_FILE; kind <= LT_KIND_EVENT; kind++)
        descriptors += picture.vanished[kind];
    const struct {
        const char *name;
        uint64_t value;
        bool known;
    } rows[] = {
        {LT_KERNEL_RECONCILED, picture.reconciled, true},
        {LT_KERNEL_OPEN_FILES, picture.open_files, picture.open_files > 0},
        {LT_KERNEL_OPEN_FILES_LIMIT, limits.open_files, limits.open_files > 0},
        {LT_KERNEL_OPEN_FILES_HARD_LIMIT, limits.open_files_hard, limits.open_files_hard > 0},
        {LT_KERNEL_THREADS, picture.tasks, picture.tasks > 0},
        {LT_KERNEL_MAPPINGS, picture.lines.count, picture.lines.count > 0},
        {LT_KERNEL_MAPPINGS_LIMIT, limits.mappings, limits.mappings > 0},
        {LT_KERNEL_VANISHED_DESCRIPTORS, descriptors, true},
        {LT_KERNEL_VANISHED_MAPPINGS, picture.vanished[LT_KIND_MAPPING], true},
        {LT_KERNEL_VANISHED_THREADS, lt_program_threads_vanished(), true},
        {LT_KERNEL_MISUSES_WITHOUT_STACK, lt_misuses_without_stack(), true},
    };
    uint32_t count = 0;
    for (size_t i = 0; i < LT_ARRAY_SIZE(rows); i++)
        count += put_known(writer, rows[i].name, rows[i].value, rows[i].known);
    return count;
}

int lt_picture_write(struct lt_writer *writer) {
    return is_wanted() ? lt_picture_write_rows(&picture, writer) : 0;
}

void lt_picture_free(void) {
    struct {
        struct lt_vector *vector;
        size_t item_size;
    } const vectors[] = {
        {&picture.texts, 1},
        {&picture.descriptors, sizeof(struct lt_descriptor_row)},
        {&picture.mappings, sizeof(struct lt_mapping_row)},
        {&picture.threads, sizeof(struct lt_thread_row)},
        {&picture.lines, sizeof(struct lt_map_line)},
    };
    for (size_t i = 0; i < LT_ARRAY_SIZE(vectors); i++) {
        lt_vector_free(vectors[i].vector);
        lt_vector_init(vectors[i].vector, vectors[i].item_size);
    }
    picture.incomplete = false;
    picture.open_files = picture.tasks = 0;
}

void lt_picture_forked(void) {
    memset(picture.vanished, 0, sizeof picture.vanished);
}
