/* A record is made before its thread is, and gets the thread's tid from the thread itself: so the kernel is asked
 * first, and the records are looked at afterwards. A task that no record knows then is unattributed (a raw clone), or
 * so young that it has not begun to run: asked once more after a nap. A record whose tid the kernel no longer knows is
 * a thread that has ended; if nobody can join it any more (detached), that was its release. */
#include "track/picture_parts.h"

#include "os/task.h"
#include "os/task_list.h"
#include "track/program_threads.h"

_Static_assert((int)LT_PICTURE_BUFFER >= (int)LT_TASK_LIST_BUFFER, "the buffer is lent to lt_task_list");

static const uint64_t nap_ns = 1000 * 1000;

struct record {
    uint32_t number;
    bool listed;
    struct lt_program_thread thread;
};

static struct record *record_at(const struct lt_vector *records, uint32_t i) {
    return lt_vector_at(records, i);
}

/* A record, to be found by tid; of two with one tid (the elder has ended) the younger one stands behind. */
struct reference {
    uint64_t key; /* tid << 32 | birth */
    uint32_t record;
};

struct roll {
    struct lt_picture *picture;
    struct lt_vector records, order; /* of struct record; of struct reference, sorted */
};

static void copy_records(struct roll *roll) {
    struct lt_program_thread thread;
    lt_vector_free(&roll->records);
    lt_vector_free(&roll->order);
    for (uint32_t i = 0; lt_program_thread_next(&i, &thread); i++) {
        struct record *record = lt_vector_add(&roll->records);
        struct reference *reference = record ? lt_vector_add(&roll->order) : NULL;
        if (!reference) {
            lt_picture_lost(roll->picture);
            return;
        }
        const uint64_t key = (uint64_t)(uint32_t)thread.tid << 32 | thread.holding.birth;
        *record = (struct record){.number = i, .thread = thread};
        *reference = (struct reference){.key = key, .record = roll->records.count - 1};
    }
    lt_vector_sort(&roll->order);
}

/* The youngest record of `tid`, or NULL. */
static struct record *record_of(const struct roll *roll, int tid) {
    const uint64_t end = ((uint64_t)(uint32_t)tid + 1) << 32;
    uint32_t low = 0, high = roll->order.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (((struct reference *)lt_vector_at(&roll->order, middle))->key < end)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    struct record *record =
        record_at(&roll->records, ((struct reference *)lt_vector_at(&roll->order, low - 1))->record);
    return record->thread.tid == tid ? record : NULL;
}

/* ---- what the kernel lists ---- */

static bool is_own(const struct lt_picture *picture, int tid) {
    for (unsigned i = 0; i < picture->options.own_tid_count; i++)
        if (picture->options.own_tids[i] == tid)
            return true;
    return false;
}

static bool has_left(const struct lt_task *task) {
    return task->state == 'Z' || task->state == 'X';
}

static bool see(void *context, const struct lt_task *task) {
    struct lt_picture *picture = context;
    if (is_own(picture, task->tid))
        return true;
    struct lt_thread_row *row = lt_vector_add(&picture->threads);
    if (!row)
        return false;
    picture->tasks++;
    *row = (struct lt_thread_row){.tid = task->tid,
                                  .name = lt_picture_text(picture, task->name),
                                  .flags = LT_THREAD_RUNS,
                                  .origin = LT_ORIGIN_UNATTRIBUTED,
                                  .has_left = has_left(task)};
    return true;
}

static bool is_listed(const struct lt_picture *picture, int tid) {
    for (uint32_t i = 0; i < picture->threads.count; i++)
        if (((struct lt_thread_row *)lt_vector_at(&picture->threads, i))->tid == tid)
            return true;
    return false;
}

/* Whether the list is whole, and speaks of threads by the numbers that they have here: /proc may be that of another
 * pid namespace. */
static bool read_list(struct lt_picture *picture) {
    const int status = lt_task_list(picture->buffer, LT_PICTURE_BUFFER, see, picture);
    if (picture->threads.count != picture->tasks)
        lt_picture_lost(picture);
    if (status == 0 && is_listed(picture, lt_getpid()))
        return !picture->incomplete;
    picture->threads.count = picture->tasks = 0;
    return false;
}

/* A thread that has left shows no descriptors, and the main thread, which was named, may have: then any other. */
static void choose_table(struct lt_picture *picture) {
    bool left = false;
    for (uint32_t i = 0; i < picture->threads.count && picture->options.program_tid; i++) {
        const struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        if (row->tid == picture->options.program_tid)
            left = row->has_left;
        else if (left && !row->has_left) {
            picture->descriptor_tid = row->tid;
            return;
        }
    }
}

/* ---- whose they are ---- */

static void attribute(struct lt_thread_row *row, const struct lt_program_thread *thread) {
    row->holding = thread->holding;
    row->origin = thread->inherited ? LT_ORIGIN_INHERITED : LT_ORIGIN_CALL;
    row->flags |= thread->detached ? LT_THREAD_DETACHED : 0;
    row->stack = thread->stack;
    row->stack_size = thread->stack_size;
}

static bool find_holders(struct roll *roll) {
    struct lt_picture *picture = roll->picture;
    const int main_tid = lt_getpid();
    bool all_known = true;
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        struct record *record = row->tid == main_tid ? NULL : record_of(roll, row->tid);
        if (record) {
            record->listed = true;
            attribute(row, &record->thread);
        } else if (row->tid == main_tid) {
            row->origin = LT_ORIGIN_INHERITED;
            row->flags |= LT_THREAD_MAIN;
        } else {
            all_known = false;
        }
    }
    return all_known;
}

/* Those that nobody knows and that are no more were joined meanwhile: no rows. */
static void drop_ended(struct lt_picture *picture) {
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        if (row->origin == LT_ORIGIN_UNATTRIBUTED && !lt_tid_alive(row->tid))
            row->flags = 0;
    }
}

/* ---- those that are not listed ---- */

static void add_row(struct lt_picture *picture, const struct lt_program_thread *thread, uint8_t flags) {
    struct lt_thread_row *row = lt_vector_add(&picture->threads);
    if (!row) {
        lt_picture_lost(picture);
        return;
    }
    *row = (struct lt_thread_row){.tid = thread->tid, .flags = flags};
    attribute(row, thread);
}

static bool is_being_made(const struct lt_program_thread *thread) {
    return thread->tid == 0 && thread->handle == 0;
}

static void show_unlisted(struct roll *roll) {
    for (uint32_t i = 0; i < roll->records.count; i++) {
        struct record *record = record_at(&roll->records, i);
        const struct lt_program_thread *thread = &record->thread;
        if (record->listed || is_being_made(thread))
            continue;
        const bool elder = thread->tid && record_of(roll, thread->tid) != record;
        if (!elder && (thread->tid == 0 || lt_tid_alive(thread->tid)))
            add_row(roll->picture, thread, LT_THREAD_RUNS); /* since the list was read */
        else if (!thread->detached)
            add_row(roll->picture, thread, 0);
        else
            (void)lt_program_thread_ended(record->number, thread);
    }
}

static void count_rows(struct lt_picture *picture) {
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        const struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        if (row->origin != LT_ORIGIN_UNATTRIBUTED && !(row->flags & LT_THREAD_MAIN))
            lt_picture_count(picture, LT_KIND_THREAD, &row->holding, 0);
    }
}

void lt_picture_take_threads(struct lt_picture *picture) {
    struct roll roll = {.picture = picture};
    const bool listed = read_list(picture);
    lt_vector_init(&roll.records, sizeof(struct record));
    lt_vector_init(&roll.order, sizeof(struct reference));
    choose_table(picture);
    if (!lt_picture_shows(picture, LT_KIND_THREAD))
        return;
    picture->reconciled &= listed;
    copy_records(&roll);
    if (!find_holders(&roll)) {
        lt_sleep_ns(nap_ns);
        copy_records(&roll);
        (void)find_holders(&roll);
        drop_ended(picture);
    }
    show_unlisted(&roll);
    count_rows(picture);
    lt_vector_free(&roll.records);
    lt_vector_free(&roll.order);
}

/* ---- their stacks, in the lines of the maps ---- */

static const struct lt_map_line *line_at(const struct lt_picture *picture, uintptr_t address) {
    uint32_t low = 0, high = picture->lines.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const struct lt_map_line *line = lt_vector_at(&picture->lines, middle);
        if (address < line->start)
            high = middle;
        else if (address >= line->end)
            low = middle + 1;
        else
            return line;
    }
    return NULL;
}

static void find_stack(const struct lt_picture *picture, struct lt_thread_row *row) {
    const struct lt_map_line *line = row->stack ? line_at(picture, row->stack) : NULL;
    if (line)
        row->stack_size = line->end - line->start;
}

static void find_main_stack(const struct lt_picture *picture, struct lt_thread_row *row) {
    for (uint32_t i = 0; i < picture->lines.count; i++) {
        const struct lt_map_line *line = lt_vector_at(&picture->lines, i);
        if (line->mapping_class == LT_MAPPING_STACK)
            row->stack_size = line->end - line->start;
    }
}

void lt_picture_find_stacks(struct lt_picture *picture) {
    if (!picture->lines.count) {
        lt_picture_read_lines(picture);
        lt_picture_classify_lines(picture);
    }
    for (uint32_t i = 0; i < picture->threads.count; i++) {
        struct lt_thread_row *row = lt_vector_at(&picture->threads, i);
        if (row->flags & LT_THREAD_MAIN)
            find_main_stack(picture, row);
        else if (!row->stack_size)
            find_stack(picture, row);
    }
}
