/* Statements about resources other than blocks, and their rows. */
#include "support/make_dump_rows.h"

#include "base/varint.h"

#include <string.h>

static const struct {
    const char *name;
    int field; /* enum lt_detail, or one of no version */
    bool is_number;
} detail_words[] = {
    {"inode", LT_DETAIL_INODE, true},       {"protocol", LT_DETAIL_PROTOCOL, false},
    {"state", LT_DETAIL_STATE, false},      {"local", LT_DETAIL_LOCAL, false},
    {"peer", LT_DETAIL_PEER, false},        {"receive", LT_DETAIL_RECEIVE, true},
    {"send", LT_DETAIL_SEND, true},         {"memory", LT_DETAIL_MEMORY, true},
    {"position", LT_DETAIL_POSITION, true}, {"size", LT_DETAIL_SIZE, true},
    {"watches", LT_DETAIL_WATCHES, true},   {"note", LT_DETAIL_NOTE, false},
    {"resident", LT_DETAIL_RESIDENT, true}, {"future", LT_MAKE_FUTURE, false},
};

static bool take_detail(struct lt_maker *maker, struct lt_make_resource_row *row, const char *word) {
    for (size_t i = 0; i < sizeof detail_words / sizeof detail_words[0]; i++) {
        const char *value = lt_maker_value_of(word, detail_words[i].name);
        if (!value)
            continue;
        if (row->detail_count == LT_MAKE_DETAILS)
            LT_MAKER_FAIL(maker, "too many details");
        row->details[row->detail_count].field = detail_words[i].field;
        if (detail_words[i].is_number)
            row->details[row->detail_count].number = lt_maker_number(maker, value);
        else
            row->details[row->detail_count].text = value;
        row->detail_count++;
        return true;
    }
    return false;
}

/* X(NAME, number, word) tables of the format. */
static uint64_t origin_of(struct lt_maker *maker, const char *word) {
#define X(name, value, text)                                                                                           \
    if (strcmp(word, text) == 0)                                                                                       \
        return value;
    LT_ORIGINS(X)
#undef X
    return lt_maker_number(maker, word);
}

static uint64_t class_of(struct lt_maker *maker, const char *word) {
#define X(name, value, text)                                                                                           \
    if (strcmp(word, text) == 0)                                                                                       \
        return value;
    LT_MAPPING_CLASSES(X)
#undef X
    return lt_maker_number(maker, word);
}

/* A word that sets a flag. */
struct flag_word {
    const char *word;
    uint64_t flag;
};

static bool take_flag(const char *word, const struct flag_word *flags, uint64_t *value) {
    for (; flags->word; flags++)
        if (strcmp(word, flags->word) == 0) {
            *value |= flags->flag;
            return true;
        }
    return false;
}

/* The frames at *words, if any, make `kind` the kind of their site. */
static void take_frames(struct lt_maker *maker, char ***words, struct lt_make_holder *holder, uint32_t kind) {
    char **before = *words;
    holder->node = lt_maker_take_stack(maker, words);
    if (*words != before)
        holder->kind = kind;
}

static bool take_holder(struct lt_maker *maker, const char *word, struct lt_make_holder *holder) {
    const struct lt_make_slot slots[] = {{"birth", &holder->birth}, {0}};
    const char *site = lt_maker_value_of(word, "site");
    if (site)
        holder->kind = lt_maker_kind(maker, site);
    else if (strcmp(word, "truncated") == 0)
        holder->flags |= LT_SITE_TRUNCATED;
    else
        return lt_maker_take_number(maker, word, slots);
    return true;
}

/* What a statement has of its own. */
struct vocabulary {
    const char *text; /* name of the word for row->text */
    const struct flag_word *flags;
    const struct lt_make_slot *slots;
};

static void take_words(struct lt_maker *maker, struct lt_make_resource_row *row, char **words,
                       const struct vocabulary *own) {
    for (; *words; words++) {
        const char *value;
        if ((value = lt_maker_value_of(*words, own->text)))
            row->text = value;
        else if ((value = lt_maker_value_of(*words, "origin")))
            row->origin = origin_of(maker, value);
        else if (!take_flag(*words, own->flags, &row->flags) && !take_holder(maker, *words, &row->holder) &&
                 !lt_maker_take_number(maker, *words, own->slots) && !take_detail(maker, row, *words))
            lt_maker_unknown(maker, *words);
    }
}

static void add_row(struct lt_maker *maker, enum lt_make_resource type, const struct lt_make_resource_row *row) {
    struct lt_make_resource_rows *list = &maker->resources[type];
    list->rows = lt_maker_grown(maker, list->rows, &list->room, list->count + 1, sizeof *list->rows);
    list->rows[list->count++] = *row;
}

void lt_maker_do_descriptor(struct lt_maker *maker, char **words) {
    static const struct flag_word flags[] = {{"cloexec", LT_DESCRIPTOR_CLOEXEC},
                                             {"stream", LT_DESCRIPTOR_VIA_STREAM},
                                             {"directory", LT_DESCRIPTOR_VIA_DIRECTORY},
                                             {"deleted", LT_DESCRIPTOR_DELETED},
                                             {0}};
    const struct lt_make_slot none = {0};
    struct lt_make_resource_row row = {.text = ""};
    if (!words[0] || !words[1])
        LT_MAKER_FAIL(maker, "descriptor NUMBER KIND");
    row.numbers[0] = lt_maker_number(maker, words[0]);
    row.numbers[1] = lt_maker_kind(maker, words[1]);
    words += 2;
    take_frames(maker, &words, &row.holder, (uint32_t)row.numbers[1]);
    take_words(maker, &row, words, &(struct vocabulary){"target", flags, &none});
    add_row(maker, LT_MAKE_DESCRIPTOR, &row);
}

void lt_maker_do_mapping(struct lt_maker *maker, char **words) {
    static const struct flag_word flags[] = {{"shared", LT_MAPPING_SHARED}, {0}};
    struct lt_make_resource_row row = {.text = ""};
    const struct lt_make_slot slots[] = {{"protection", &row.numbers[2]}, {"offset", &row.numbers[4]}, {0}};
    if (!words[0] || !words[1] || !words[2])
        LT_MAKER_FAIL(maker, "mapping ADDRESS LENGTH CLASS");
    row.numbers[0] = lt_maker_number(maker, words[0]);
    row.numbers[1] = lt_maker_number(maker, words[1]);
    row.numbers[3] = class_of(maker, words[2]);
    words += 3;
    take_frames(maker, &words, &row.holder, LT_KIND_MAPPING);
    take_words(maker, &row, words, &(struct vocabulary){"path", flags, slots});
    add_row(maker, LT_MAKE_MAPPING, &row);
}

void lt_maker_do_thread(struct lt_maker *maker, char **words) {
    static const struct flag_word flags[] = {
        {"runs", LT_THREAD_RUNS}, {"detached", LT_THREAD_DETACHED}, {"main", LT_THREAD_MAIN}, {0}};
    struct lt_make_resource_row row = {.text = ""};
    const struct lt_make_slot slots[] = {{"stack", &row.numbers[1]}, {0}};
    if (!words[0])
        LT_MAKER_FAIL(maker, "thread TID");
    row.numbers[0] = lt_maker_number(maker, *words++);
    take_frames(maker, &words, &row.holder, LT_KIND_THREAD);
    take_words(maker, &row, words, &(struct vocabulary){"name", flags, slots});
    add_row(maker, LT_MAKE_THREAD, &row);
}

void lt_maker_do_misuse(struct lt_maker *maker, char **words) {
    struct lt_make_resource_row row = {.numbers = {0, 1}};
    const struct lt_make_slot slots[] = {{"count", &row.numbers[1]}, {"fd", &row.numbers[2]}, {0}};
    bool of_opener = false;
    if (!words[0])
        LT_MAKER_FAIL(maker, "misuse WHAT");
    row.numbers[0] = lt_maker_number(maker, *words++);
    row.numbers[3] = lt_maker_take_stack(maker, &words);
    for (; *words; words++) {
        if (strcmp(*words, "opener") == 0) {
            of_opener = true;
            words++;
            take_frames(maker, &words, &row.holder, LT_KIND_FILE);
            words--;
        } else if (!of_opener && strcmp(*words, "truncated") == 0) {
            row.numbers[4] |= LT_SITE_TRUNCATED;
        } else if (!(of_opener && take_holder(maker, *words, &row.holder)) &&
                   !lt_maker_take_number(maker, *words, slots)) {
            lt_maker_unknown(maker, *words);
        }
    }
    add_row(maker, LT_MAKE_MISUSE, &row);
}

/* Rows */

static const struct lt_make_resource_row *row_at(const struct lt_maker *maker, enum lt_make_resource type, size_t i) {
    return &maker->resources[type].rows[i];
}

static void put_holder(struct lt_writer *writer, const struct lt_make_holder *holder) {
    lt_put_varint(writer, holder->node);
    lt_put_varint(writer, holder->kind);
    lt_put_varint(writer, holder->flags);
    lt_put_varint(writer, holder->birth);
}

static void put_text(struct lt_writer *writer, const char *text) {
    lt_put_bytes(writer, text, strlen(text));
}

static void put_details(struct lt_writer *writer, const struct lt_make_resource_row *row) {
    lt_put_varint(writer, row->detail_count);
    for (size_t i = 0; i < row->detail_count; i++) {
        uint8_t bytes[LT_VARINT_MAX];
        lt_put_varint(writer, (uint64_t)row->details[i].field);
        if (row->details[i].text)
            put_text(writer, row->details[i].text);
        else
            lt_put_bytes(writer, bytes, lt_varint_put(bytes, row->details[i].number));
    }
}

static void put_descriptor(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_resource_row *row = row_at(maker, LT_MAKE_DESCRIPTOR, i);
    lt_put_varint(writer, row->numbers[0] - (first ? 0 : row[-1].numbers[0]));
    lt_put_varint(writer, row->numbers[1]);
    lt_put_varint(writer, row->origin);
    lt_put_varint(writer, row->flags);
    put_holder(writer, &row->holder);
    put_text(writer, row->text);
    put_details(writer, row);
}

static void put_mapping(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_resource_row *row = row_at(maker, LT_MAKE_MAPPING, i);
    lt_put_varint(writer, row->numbers[0] - (first ? 0 : row[-1].numbers[0] + row[-1].numbers[1]));
    lt_put_varint(writer, row->numbers[1]);
    lt_put_varint(writer, row->numbers[2]);
    lt_put_varint(writer, row->numbers[3]);
    lt_put_varint(writer, row->origin);
    lt_put_varint(writer, row->flags);
    put_holder(writer, &row->holder);
    lt_put_varint(writer, row->numbers[4]);
    put_text(writer, row->text);
    put_details(writer, row);
}

static void put_thread(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_resource_row *row = row_at(maker, LT_MAKE_THREAD, i);
    (void)first;
    lt_put_varint(writer, row->numbers[0]);
    lt_put_varint(writer, row->origin);
    lt_put_varint(writer, row->flags);
    put_holder(writer, &row->holder);
    lt_put_varint(writer, row->numbers[1]);
    put_text(writer, row->text);
    put_details(writer, row);
}

static void put_misuse(struct lt_maker *maker, size_t i, bool first) {
    struct lt_writer *writer = &maker->writer;
    const struct lt_make_resource_row *row = row_at(maker, LT_MAKE_MISUSE, i);
    (void)first;
    for (size_t number = 0; number < 5; number++)
        lt_put_varint(writer, row->numbers[number]);
    put_holder(writer, &row->holder);
}

static int by_first_number(const void *a, const void *b) {
    const struct lt_make_resource_row *x = a, *y = b;
    return (x->numbers[0] > y->numbers[0]) - (x->numbers[0] < y->numbers[0]);
}

void lt_maker_write_resources(struct lt_maker *maker) {
    static const struct {
        enum lt_section_type type;
        void (*put)(struct lt_maker *, size_t i, bool first);
        bool sorted;
    } sections[] = {
        [LT_MAKE_DESCRIPTOR] = {LT_SECTION_DESCRIPTORS, put_descriptor, true},
        [LT_MAKE_MAPPING] = {LT_SECTION_MAPPINGS, put_mapping, true},
        [LT_MAKE_THREAD] = {LT_SECTION_THREADS, put_thread, false},
        [LT_MAKE_MISUSE] = {LT_SECTION_MISUSES, put_misuse, false},
    };
    for (size_t i = 0; i < LT_MAKE_RESOURCES; i++) {
        struct lt_make_resource_rows *list = &maker->resources[i];
        if (list->count && sections[i].sorted)
            qsort(list->rows, list->count, sizeof *list->rows, by_first_number);
        lt_maker_write_rows(maker, sections[i].type, 0, 0, list->count, sections[i].put);
        list->count = 0;
    }
}
