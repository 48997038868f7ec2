/* One table of all options; a type says how a value is read and written. Texts are copied out of the environment block,
 * since programs (nginx, redis, sendmail) write their titles over it later. */
#include "preload/options.h"

#include "base/attrs.h"
#include "base/fmt.h"
#include "base/kind.h"
#include "base/poisson.h"
#include "os/file.h"
#include "preload/log.h"
#include "unwind/unwind.h"

#include <stddef.h>
#include <string.h>

#define PREFIX "LEAKTRACK_"

enum { ALL_KINDS = (1 << LT_KIND_END) - (1 << LT_KIND_HEAP) };

struct lt_options lt_options = {
    .output = "leaktrack.%e.%p.bin",
    .interval_s = 30,
    .kinds = ALL_KINDS,
    .depth = LT_DEPTH_DEFAULT,
    .unwinder = "native",
    .max_dump = 256u << 20,
};

struct option;
struct type {
    bool (*read)(const struct option *, const char *text); /* false: not understood, nothing changed */
    void (*write)(const struct option *, struct lt_fmt *);
};
struct unit {
    char letter;
    uint32_t factor;
};

struct option {
    const char *name;
    const struct type *type;
    void *value;
    const char *complaint;    /* note in the dump when the value is not understood */
    const char *const *words; /* the values of an option that is one of a list; NULL ends it */
    uint64_t least, most;     /* of a number */
    const struct unit *units; /* of a number, may be NULL; letter 0 ends it */
    char *copy;               /* LT_PATH_MAX bytes, of a text */
};

static bool apply_unit(const struct unit *units, char letter, uint64_t *number) {
    for (const struct unit *u = units; u && u->letter; u++)
        if (u->letter == letter)
            return !__builtin_mul_overflow(*number, (uint64_t)u->factor, number);
    return false;
}

/* Digits, then at most one letter of a unit. */
static bool parse_number(const struct option *o, const char *text, uint64_t *number) {
    const char *at = text;
    uint64_t n = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
            return false;
    if (at == text || (*at && (at[1] || !apply_unit(o->units, *at, &n))))
        return false;
    *number = n;
    return n >= o->least && n <= o->most;
}

static bool read_u32(const struct option *o, const char *text) {
    uint64_t n;
    if (!parse_number(o, text, &n))
        return false;
    *(uint32_t *)o->value = (uint32_t)n;
    return true;
}

static void write_u32(const struct option *o, struct lt_fmt *f) {
    lt_fmt_unsigned(f, *(const uint32_t *)o->value);
}

static bool read_u64(const struct option *o, const char *text) {
    uint64_t n;
    if (!parse_number(o, text, &n))
        return false;
    *(uint64_t *)o->value = n;
    return true;
}

static void write_u64(const struct option *o, struct lt_fmt *f) {
    lt_fmt_unsigned(f, *(const uint64_t *)o->value);
}

/* One word of a list, kept as its index (an enum). */
static bool read_choice(const struct option *o, const char *text) {
    for (uint32_t i = 0; o->words[i]; i++)
        if (strcmp(o->words[i], text) == 0) {
            *(uint32_t *)o->value = i;
            return true;
        }
    return false;
}

static void write_choice(const struct option *o, struct lt_fmt *f) {
    lt_fmt_text(f, o->words[*(const uint32_t *)o->value]);
}

/* One word of a list, kept as the word. */
static bool read_word(const struct option *o, const char *text) {
    for (const char *const *word = o->words; *word; word++)
        if (strcmp(*word, text) == 0) {
            *(const char **)o->value = *word;
            return true;
        }
    return false;
}

static bool read_text(const struct option *o, const char *text) {
    struct lt_fmt f = lt_fmt(o->copy, LT_PATH_MAX);
    lt_fmt_text(&f, text);
    if (f.cut)
        return false;
    *(const char **)o->value = o->copy;
    return true;
}

static void write_text(const struct option *o, struct lt_fmt *f) {
    const char *text = *(const char *const *)o->value;
    lt_fmt_text(f, text ? text : "");
}

/* A path that holds wherever the program goes later; "stderr" is no path. */
static bool read_log(const struct option *o, const char *text) {
    struct lt_fmt f = lt_fmt(o->copy, LT_PATH_MAX);
    if (*text != '/' && strcmp(text, "stderr") != 0) {
        if (lt_getcwd(o->copy, LT_PATH_MAX) < 0)
            return false;
        f.length = strlen(o->copy);
        lt_fmt_char(&f, '/');
    }
    lt_fmt_text(&f, text);
    if (f.cut)
        return false;
    *(const char **)o->value = o->copy;
    return true;
}

static bool read_kinds(const struct option *o, const char *text) {
    uint32_t kinds = 0;
    for (const char *word = text, *end;; word = end + 1) {
        end = strchrnul(word, ',');
        const uint32_t named = lt_kinds_from_word(word, (size_t)(end - word));
        if (!named)
            return false;
        kinds |= named;
        if (!*end)
            break;
    }
    *(uint32_t *)o->value = kinds;
    return true;
}

static void write_kinds(const struct option *o, struct lt_fmt *f) {
    uint32_t kinds = *(const uint32_t *)o->value;
    const char *comma = "";
    for (unsigned kind = 1; kind < LT_KIND_END; kind++)
        if (kinds >> kind & 1) {
            lt_fmt_text(f, comma);
            lt_fmt_text(f, lt_kind_name(kind));
            comma = ",";
        }
}

static const struct type type_u32 = {read_u32, write_u32}, type_u64 = {read_u64, write_u64};
static const struct type type_choice = {read_choice, write_choice}, type_word = {read_word, write_text};
static const struct type type_text = {read_text, write_text}, type_log = {read_log, write_text};
static const struct type type_kinds = {read_kinds, write_kinds};

static const struct unit seconds[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {0, 0}};
static const struct unit bytes[] = {{'K', 1u << 10}, {'M', 1u << 20}, {'G', 1u << 30}, {'k', 1u << 10},
                                    {'m', 1u << 20}, {'g', 1u << 30}, {0, 0}};
static const char *const dumper_words[] = {"auto", "thread", "inline", "off", NULL};
static const char *const children_words[] = {"follow", "ignore", "all", NULL};
static const char *const unwinder_words[] = {"native", "fp", "libunwind", NULL};
static const char *const no_yes[] = {"0", "1", NULL};
static char output_copy[LT_PATH_MAX], log_copy[LT_PATH_MAX];

#define OPTION(option_name, field, option_type, ...)                                                                   \
    {                                                                                                                  \
        .name = PREFIX option_name, .complaint = PREFIX option_name " is not understood; the default holds",           \
        .type = &(option_type), .value = &lt_options.field, __VA_ARGS__                                                \
    }

/* The log comes first: it tells what is wrong with the others. */
static const struct option options[] = {
    OPTION("LOG", log, type_log, .copy = log_copy),
    OPTION("OUTPUT", output, type_text, .copy = output_copy),
    OPTION("INTERVAL", interval_s, type_u32, .most = 100 * 86400, .units = seconds),
    OPTION("KINDS", kinds, type_kinds, .words = NULL),
    OPTION("SAMPLE", sample_bytes, type_u64, .most = LT_POISSON_MEAN_MAX, .units = bytes),
    OPTION("DEPTH", depth, type_u32, .least = 1, .most = LT_DEPTH_MAX),
    OPTION("BLOCKS", blocks, type_choice, .words = no_yes),
    OPTION("DUMPER", dumper, type_choice, .words = dumper_words),
    OPTION("UNWINDER", unwinder, type_word, .words = unwinder_words),
    OPTION("CHILDREN", children, type_choice, .words = children_words),
    OPTION("AFTER", after_s, type_u32, .most = 100 * 86400, .units = seconds),
    OPTION("MAX_DUMP", max_dump, type_u64, .least = 64u << 10, .most = UINT64_MAX, .units = bytes),
};

_Static_assert(sizeof(enum lt_dumper) == sizeof(uint32_t) && sizeof(enum lt_children) == sizeof(uint32_t),
               "read_choice stores 32 bits");

/* The value of the variable `name` in one "NAME=value", or NULL. */
static const char *value_in(const char *assignment, const char *name) {
    size_t length = strlen(name);
    return strncmp(assignment, name, length) == 0 && assignment[length] == '=' ? assignment + length + 1 : NULL;
}

static const char *value_of(char **environment, const char *name) {
    const char *value = NULL;
    for (char **at = environment; *at && !value; at++)
        value = value_in(*at, name);
    return value;
}

void lt_options_read(char **environment) {
    for (size_t i = 0; i < LT_ARRAY_SIZE(options); i++) {
        const struct option *o = &options[i];
        const char *value = value_of(environment, o->name);
        if (value && *value && !o->type->read(o, value))
            lt_tell(o->complaint, value);
    }
}

const char *lt_option_text(unsigned i, char *buffer, unsigned size) {
    if (i >= LT_ARRAY_SIZE(options))
        return NULL;
    struct lt_fmt f = lt_fmt(buffer, size);
    lt_fmt_text(&f, options[i].name);
    lt_fmt_char(&f, '=');
    options[i].type->write(&options[i], &f);
    return buffer;
}
