/* The statements of a snapshot are collected and written when the next snapshot, or the end, comes: its stacks must
 * stand in the dictionary first. */
#include "support/make_dump.h"

#include "base/varint.h"
#include "support/make_dump_rows.h"

#include <string.h>

/* Splits `text` in place: blanks separate, quotes keep blanks and vanish. */
static void split(struct lt_maker *maker, char *text) {
    size_t count = 0;
    char *to = text;
    while (*text) {
        while (*text == ' ' || *text == '\t')
            text++;
        if (!*text)
            break;
        if (count == LT_MAKE_WORDS)
            LT_MAKER_FAIL(maker, "more than %d words", LT_MAKE_WORDS);
        maker->words[count++] = to;
        for (bool quoted = false; *text && (quoted || (*text != ' ' && *text != '\t')); text++) {
            if (*text == '"')
                quoted = !quoted;
            else
                *to++ = *text;
        }
        if (*text)
            text++;
        *to++ = 0;
    }
    maker->words[count] = NULL;
}

static uint64_t number_until(struct lt_maker *maker, const char *text, const char *stops, const char **rest) {
    char *end;
    const uint64_t value = strtoull(text, &end, 0);
    if (end == text || (*end && !strchr(stops, *end)))
        LT_MAKER_FAIL(maker, "'%s' is not a number", text);
    *rest = *end ? end + 1 : end;
    return value;
}

uint64_t lt_maker_number(struct lt_maker *maker, const char *text) {
    const char *rest;
    return number_until(maker, text, "", &rest);
}

static struct lt_make_pair pair(struct lt_maker *maker, const char *text) {
    const char *rest;
    struct lt_make_pair pair;
    pair.count = number_until(maker, text, "/", &rest);
    pair.bytes = lt_maker_number(maker, rest);
    return pair;
}

const char *lt_maker_value_of(const char *word, const char *name) {
    const size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

bool lt_maker_take_number(struct lt_maker *maker, const char *word, const struct lt_make_slot *slots) {
    for (; slots->name; slots++) {
        const char *value = lt_maker_value_of(word, slots->name);
        if (value) {
            *slots->value = lt_maker_number(maker, value);
            return true;
        }
    }
    return false;
}

void lt_maker_unknown(struct lt_maker *maker, const char *word) {
    LT_MAKER_FAIL(maker, "unknown word '%s'", word);
}

uint32_t lt_maker_kind(struct lt_maker *maker, const char *word) {
    const unsigned kind = word ? lt_kind_from_name(word, strlen(word)) : 0;
    if (!kind)
        LT_MAKER_FAIL(maker, "'%s' is not a kind", word ? word : "");
    return kind;
}

static uint32_t module_id(struct lt_maker *maker, const char *name, size_t length) {
    for (size_t i = 0; i < maker->module_count; i++)
        if (strlen(maker->modules[i].name) == length && memcmp(maker->modules[i].name, name, length) == 0)
            return (uint32_t)i + 1;
    LT_MAKER_FAIL(maker, "no module '%.*s'", (int)length, name);
}

static struct lt_make_node_key frame_of(struct lt_maker *maker, const char *word) {
    const char *plus = strrchr(word, '+');
    struct lt_make_node_key key = {0};
    if (plus)
        key.module = module_id(maker, word, (size_t)(plus - word));
    key.offset = lt_maker_number(maker, plus ? plus + 1 : word);
    return key;
}

uint32_t lt_maker_take_stack(struct lt_maker *maker, char ***words) {
    char **first = *words, **end = first;
    uint32_t id = 0;
    while (*end && !strchr(*end, '=') && (strchr(*end, '+') || strncmp(*end, "0x", 2) == 0))
        end++;
    *words = end;
    while (end-- > first) { /* outermost first: a node's parent is its caller */
        struct lt_make_node_key key = frame_of(maker, *end);
        key.parent = id;
        id = lt_maker_intern(maker, &key);
    }
    return id;
}

/* Statements */

static void put_field(struct lt_maker *maker, int field, const char *value) {
    lt_put_varint(&maker->writer, (uint64_t)field);
    lt_put_bytes(&maker->writer, value, strlen(value));
}

static void put_number_field(struct lt_maker *maker, int field, uint64_t value) {
    uint8_t bytes[LT_VARINT_MAX];
    lt_put_varint(&maker->writer, (uint64_t)field);
    lt_put_bytes(&maker->writer, bytes, lt_varint_put(bytes, value));
}

static const struct {
    const char *name;
    int field; /* enum lt_process_field, or one of no version */
    bool is_number;
} process_words[] = {
    {"exe", LT_PROCESS_EXE, false},         {"arg", LT_PROCESS_ARG, false},
    {"host", LT_PROCESS_HOST, false},       {"ppid", LT_PROCESS_PPID, true},
    {"arch", LT_PROCESS_ARCH, false},       {"forked-from", LT_PROCESS_FORKED_FROM, true},
    {"library", LT_PROCESS_LIBRARY, false}, {"option", LT_PROCESS_OPTION, false},
    {"note", LT_PROCESS_NOTE, false},       {"unwinder", LT_PROCESS_UNWINDER, false},
    {"future", LT_MAKE_FUTURE, false},
};

static bool put_process_word(struct lt_maker *maker, const char *word) {
    for (size_t i = 0; i < sizeof process_words / sizeof process_words[0]; i++) {
        const char *value = lt_maker_value_of(word, process_words[i].name);
        if (!value)
            continue;
        if (process_words[i].is_number)
            put_number_field(maker, process_words[i].field, lt_maker_number(maker, value));
        else
            put_field(maker, process_words[i].field, value);
        return true;
    }
    return false;
}

/* The header's words stand in the same statement; the header itself is written first. */
static void do_process(struct lt_maker *maker, char **words) {
    uint64_t pid = 4711;
    struct lt_dump_header *header = &maker->header;
    const struct lt_make_slot slots[] = {
        {"pid", &pid}, {"ticks", &header->start_ticks}, {"start", &header->start_wall_ns}, {0}};
    if (maker->made.size)
        LT_MAKER_FAIL(maker, "the process must be named first");
    lt_section_begin(&maker->writer, LT_SECTION_PROCESS, LT_SECTION_CRITICAL);
    for (; *words; words++)
        if (!lt_maker_take_number(maker, *words, slots) && !put_process_word(maker, *words))
            lt_maker_unknown(maker, *words);
    header->pid = (uint32_t)pid;
    /* the header does not touch the section that is being built in the buffer */
    lt_maker_check(maker, lt_write_header(&maker->writer, header));
    lt_maker_check(maker, lt_section_end(&maker->writer));
}

static void need_header(struct lt_maker *maker) {
    char *none = NULL;
    if (!maker->made.size)
        do_process(maker, &none);
}

static void take_build_id(struct lt_maker *maker, struct lt_make_module *module, const char *hex) {
    for (; *hex; hex += 2) {
        unsigned byte;
        if (module->build_id_size == sizeof module->build_id || sscanf(hex, "%2x", &byte) != 1 || !hex[1])
            LT_MAKER_FAIL(maker, "bad build-id");
        module->build_id[module->build_id_size++] = (uint8_t)byte;
    }
}

static void take_segment(struct lt_maker *maker, struct lt_make_module *module, const char *text) {
    if (module->segment_count == LT_MAKE_SEGMENTS)
        LT_MAKER_FAIL(maker, "too many segments");
    uint64_t *fields = module->segments[module->segment_count++];
    for (int i = 0; i < 4; i++)
        fields[i] = number_until(maker, text, i < 3 ? "/" : "", &text);
}

static void do_module(struct lt_maker *maker, char **words) {
    if (maker->module_count == LT_MAKE_MODULES || !words[0])
        LT_MAKER_FAIL(maker, "too many modules, or no name");
    struct lt_make_module *module = &maker->modules[maker->module_count++];
    const struct lt_make_slot slots[] = {{"bias", &module->bias},
                                         {"device", &module->device},
                                         {"inode", &module->inode},
                                         {"size", &module->size},
                                         {"mtime", &module->mtime},
                                         {"load", &module->load},
                                         {0}};
    snprintf(module->name, sizeof module->name, "%s", *words);
    snprintf(module->path, sizeof module->path, "%s", *words);
    for (words++; *words; words++) {
        const char *value;
        if ((value = lt_maker_value_of(*words, "path")))
            snprintf(module->path, sizeof module->path, "%s", value);
        else if ((value = lt_maker_value_of(*words, "build-id")))
            take_build_id(maker, module, value);
        else if ((value = lt_maker_value_of(*words, "segment")))
            take_segment(maker, module, value);
        else if (!lt_maker_take_number(maker, *words, slots))
            lt_maker_unknown(maker, *words);
    }
}

static void do_unload(struct lt_maker *maker, char **words) {
    if (!words[0] || !words[1])
        LT_MAKER_FAIL(maker, "unload MODULE CENTISECONDS");
    struct lt_make_module *module = &maker->modules[module_id(maker, words[0], strlen(words[0])) - 1];
    module->gone = true;
    module->unload = lt_maker_number(maker, words[1]);
}

static uint64_t trigger_of(struct lt_maker *maker, const char *word) {
#define X(name, value, text)                                                                                           \
    if (strcmp(word, text) == 0)                                                                                       \
        return value;
    LT_TRIGGERS(X)
#undef X
    return lt_maker_number(maker, word);
}

static void do_snapshot(struct lt_maker *maker, char **words) {
    lt_maker_write_snapshot(maker);
    uint64_t wall = 0;
    const struct lt_make_slot slots[] = {
        {"index", &maker->index}, {"wall", &wall}, {"time", &maker->time}, {"sampling", &maker->sampling}, {0}};
    maker->open = true;
    maker->index++;
    maker->time = 100 * maker->index;
    maker->trigger = LT_TRIGGER_PERIODIC;
    maker->sampling = 0;
    maker->flags = 0;
    for (; *words; words++) {
        const char *trigger = lt_maker_value_of(*words, "trigger");
        if (trigger)
            maker->trigger = trigger_of(maker, trigger);
        else if (strcmp(*words, "last") == 0)
            maker->flags |= LT_SNAPSHOT_LAST;
        else if (strcmp(*words, "incomplete") == 0)
            maker->flags |= LT_SNAPSHOT_INCOMPLETE;
        else if (!lt_maker_take_number(maker, *words, slots))
            lt_maker_unknown(maker, *words);
    }
    maker->wall = wall ? wall : maker->header.start_wall_ns + maker->time * 10000000;
}

static void do_totals(struct lt_maker *maker, char **words) {
    struct lt_make_totals *totals = &maker->totals[lt_maker_kind(maker, *words)];
    totals->present = totals->given = true;
    for (words++; *words; words++) {
        const char *value;
        if ((value = lt_maker_value_of(*words, "live")))
            totals->live = pair(maker, value);
        else if ((value = lt_maker_value_of(*words, "alloc")))
            totals->alloc = pair(maker, value);
        else if ((value = lt_maker_value_of(*words, "release")))
            totals->release = pair(maker, value);
        else if ((value = lt_maker_value_of(*words, "inherited")))
            totals->inherited = pair(maker, value);
        else
            lt_maker_unknown(maker, *words);
    }
}

static void take_age(struct lt_maker *maker, struct lt_make_site *site, const char *text) {
    if (site->age_count == LT_MAKE_AGES)
        LT_MAKER_FAIL(maker, "too many ages");
    uint64_t *fields = site->ages[site->age_count++];
    fields[0] = number_until(maker, text, ":", &text);
    fields[1] = number_until(maker, text, "/", &text);
    fields[2] = lt_maker_number(maker, text);
}

static void do_site(struct lt_maker *maker, char **words) {
    struct lt_make_site site = {.kind = lt_maker_kind(maker, *words)};
    const struct lt_make_slot slots[] = {{"first", &site.first}, {"last", &site.last}, {0}};
    bool alloc_given = false;
    words++;
    site.node = lt_maker_take_stack(maker, &words);
    for (; *words; words++) {
        const char *value;
        if ((value = lt_maker_value_of(*words, "live"))) {
            site.live = pair(maker, value);
        } else if ((value = lt_maker_value_of(*words, "alloc"))) {
            site.alloc = pair(maker, value);
            alloc_given = true;
        } else if ((value = lt_maker_value_of(*words, "samples"))) {
            site.samples = pair(maker, value);
        } else if ((value = lt_maker_value_of(*words, "live-variance"))) {
            site.live_variance = pair(maker, value);
        } else if ((value = lt_maker_value_of(*words, "alloc-variance"))) {
            site.alloc_variance = pair(maker, value);
        } else if ((value = lt_maker_value_of(*words, "age"))) {
            take_age(maker, &site, value);
        } else if (strcmp(*words, "truncated") == 0) {
            site.flags |= LT_SITE_TRUNCATED;
        } else if (strcmp(*words, "warm-up") == 0) {
            site.flags |= LT_SITE_WARMUP;
        } else if (!lt_maker_take_number(maker, *words, slots)) {
            lt_maker_unknown(maker, *words);
        }
    }
    if (!alloc_given)
        site.alloc = site.live;
    if (site.last < site.first)
        site.last = site.first;
    maker->sites = lt_maker_grown(maker, maker->sites, &maker->site_room, maker->site_count + 1, sizeof *maker->sites);
    maker->sites[maker->site_count++] = site;
}

static void do_block(struct lt_maker *maker, char **words) {
    if (!words[0] || !words[1])
        LT_MAKER_FAIL(maker, "block ADDRESS KIND FRAME... size=N");
    struct lt_make_block block = {.address = lt_maker_number(maker, words[0]), .kind = lt_maker_kind(maker, words[1])};
    const struct lt_make_slot slots[] = {{"size", &block.size}, {"birth", &block.birth}, {0}};
    words += 2;
    block.node = lt_maker_take_stack(maker, &words);
    for (; *words; words++) {
        if (strcmp(*words, "truncated") == 0)
            block.flags |= LT_SITE_TRUNCATED;
        else if (!lt_maker_take_number(maker, *words, slots))
            lt_maker_unknown(maker, *words);
    }
    maker->blocks =
        lt_maker_grown(maker, maker->blocks, &maker->block_room, maker->block_count + 1, sizeof *maker->blocks);
    maker->blocks[maker->block_count++] = block;
}

static enum lt_counter_group counter_group(struct lt_maker *maker, const char *word) {
    static const char *const words[] = {[LT_COUNTER_UNTRACKED] = "untracked",
                                        [LT_COUNTER_STATISTICS] = "statistics",
                                        [LT_COUNTER_KERNEL] = "kernel",
                                        [LT_COUNTER_MEMORY] = "memory"};
    for (enum lt_counter_group group = LT_COUNTER_UNTRACKED; group <= LT_COUNTER_MEMORY; group++)
        if (strcmp(word, words[group]) == 0)
            return group;
    lt_maker_unknown(maker, word);
    return LT_COUNTER_UNTRACKED;
}

static void do_counter(struct lt_maker *maker, char **words) {
    if (!words[0] || !words[1] || !words[2] || maker->counter_count == LT_MAKE_COUNTERS)
        LT_MAKER_FAIL(maker, "counter untracked|statistics|kernel|memory NAME VALUE, or too many of them");
    struct lt_make_counter *counter = &maker->counters[maker->counter_count++];
    counter->group = counter_group(maker, words[0]);
    snprintf(counter->name, sizeof counter->name, "%s", words[1]);
    counter->value = lt_maker_number(maker, words[2]);
}

static void do_future(struct lt_maker *maker, char **words) {
    (void)words;
    maker->future = true;
}

static void do_thin(struct lt_maker *maker, char **words) {
    if (!words[0])
        LT_MAKER_FAIL(maker, "thin INDEX");
    lt_maker_write_snapshot(maker);
    lt_maker_thin(maker, lt_maker_number(maker, words[0]));
}

static const struct {
    const char *word;
    void (*run)(struct lt_maker *, char **words);
    bool of_snapshot;
} statements[] = {
    {"process", do_process, false},
    {"module", do_module, false},
    {"unload", do_unload, false},
    {"snapshot", do_snapshot, false},
    {"totals", do_totals, true},
    {"site", do_site, true},
    {"block", do_block, true},
    {"counter", do_counter, true},
    {"future", do_future, true},
    {"thin", do_thin, false},
    {"descriptor", lt_maker_do_descriptor, true},
    {"mapping", lt_maker_do_mapping, true},
    {"thread", lt_maker_do_thread, true},
    {"misuse", lt_maker_do_misuse, true},
};

static void do_line(struct lt_maker *maker, char *line) {
    split(maker, line);
    const char *word = maker->words[0];
    if (!word || *word == '#')
        return;
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (strcmp(word, statements[i].word) != 0)
            continue;
        if (statements[i].of_snapshot && !maker->open)
            LT_MAKER_FAIL(maker, "'%s' in front of the first snapshot", word);
        if (statements[i].run != do_process)
            need_header(maker);
        statements[i].run(maker, maker->words + 1);
        return;
    }
    LT_MAKER_FAIL(maker, "unknown statement '%s'", word);
}

struct lt_made_dump lt_make_dump_split(const char *description, size_t section_size) {
    struct lt_maker *maker = calloc(1, sizeof *maker);
    char *text = strdup(description);
    void *buffer = malloc(section_size);
    if (!maker || !text || !buffer)
        abort();
    lt_writer_init(&maker->writer, lt_maker_collect, maker, buffer, section_size);
    maker->header.control_fd = UINT32_MAX;
    maker->header.start_wall_ns = 1700000000000000000;
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = 0;
        maker->line++;
        do_line(maker, line);
        line = end;
    }
    need_header(maker);
    lt_maker_write_snapshot(maker);
    const struct lt_made_dump made = maker->made;
    lt_maker_clear(maker);
    free(maker);
    free(buffer);
    free(text);
    return made;
}

struct lt_made_dump lt_make_dump(const char *description) {
    return lt_make_dump_split(description, 1 << 20);
}

void lt_made_dump_free(struct lt_made_dump *made) {
    free(made->bytes);
    *made = (struct lt_made_dump){0};
}

void lt_make_dump_file(const char *path, const char *description) {
    struct lt_made_dump made = lt_make_dump(description);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(made.bytes, 1, made.size, file) != made.size || fclose(file) != 0) {
        perror(path);
        abort();
    }
    lt_made_dump_free(&made);
}
