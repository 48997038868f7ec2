#include "report/options.h"

#include "base/attrs.h"
#include "report/human.h"
#include "report/kinds.h"
#include "report/message.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
#define X(name, word, letter, argument, group, help) OPTION_##name,
#include "report/options.def"
#undef X
    OPTION_COUNT
};

static const struct {
    const char *word;
    char letter;
    const char *argument, *group, *help;
} table[] = {
#define X(name, word, letter, argument, group, help) {word, letter, argument, group, help},
#include "report/options.def"
#undef X
};

/* getopt's values: beyond any letter. */
enum { FIRST_VALUE = 256 };

static const struct option long_options[] = {
#define X(name, word, letter, argument, group, help)                                                                   \
    {word, _Generic((argument), char * : required_argument, default : no_argument), NULL, FIRST_VALUE + OPTION_##name},
#include "report/options.def"
#undef X
    {NULL, 0, NULL, 0}};

static bool wrong(enum option_id id, const char *value, const char *expected) {
    lt_error("--%s '%s': %s", table[id].word, value, expected);
    return false;
}

/* Finds `value` among the words, which end with NULL. */
static bool find_word(const char *const *words, const char *value, int *index) {
    for (*index = 0; words[*index]; ++*index)
        if (strcmp(words[*index], value) == 0)
            return true;
    return false;
}

static bool set_index(enum option_id id, const char *value, int64_t *index) {
    uint64_t number;
    *index = strcmp(value, "first") == 0 ? LT_FIRST_SNAPSHOT : LT_LAST_SNAPSHOT;
    if (*index || strcmp(value, "last") == 0)
        return true;
    bool negative = value[0] == '-';
    if (lt_parse_number(value + negative, &number) < 0 || number > INT64_MAX || (number == 0 && !negative))
        return wrong(id, value, "must be a snapshot's index, first, last, or -1 for the one before the last");
    *index = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool set_kinds(enum option_id id, const char *value, uint32_t *kinds) {
    for (const char *word = value; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        uint32_t found = lt_kinds_from_word(word, strcspn(word, ","));
        if (!found)
            return wrong(id, value, "must be resource kinds separated by commas, such as heap or descriptors");
        *kinds |= found;
    }
    return true;
}

static bool set_by(enum option_id id, const char *value, enum lt_by *by) {
    static const char *const words[] = {"stack", "function", "file", "line", "module", NULL};
    int index;
    if (!find_word(words, value, &index))
        return wrong(id, value, "must be stack, function, file, line or module");
    *by = (enum lt_by)index;
    return true;
}

static bool set_sort(enum option_id id, const char *value, struct lt_options *options) {
    static const char *const words[] = {"bytes", "count", "alloc-bytes", "alloc-count", "age", "growth", NULL};
    int index;
    if (!find_word(words, value, &index))
        return wrong(id, value, "must be bytes, count, age, alloc-bytes, alloc-count or growth");
    options->sort = (enum lt_sort)index;
    options->has_sort = true;
    return true;
}

static bool set_top(enum option_id id, const char *value, struct lt_options *options) {
    options->has_top = true;
    if (lt_parse_number(value, &options->top) < 0)
        return wrong(id, value, "must be a number of rows; 0 means all");
    return true;
}

static bool set_format(enum option_id id, const char *value, enum lt_format *format) {
    static const char *const words[] = {"text", "json", NULL};
    int index;
    if (!find_word(words, value, &index))
        return wrong(id, value, "must be text or json");
    *format = (enum lt_format)index;
    return true;
}

static bool set_color(enum option_id id, const char *value, enum lt_color *color) {
    static const char *const words[] = {"auto", "always", "never", NULL};
    int index;
    if (!find_word(words, value, &index))
        return wrong(id, value, "must be auto, always or never");
    *color = (enum lt_color)index;
    return true;
}

static bool set_min_age(enum option_id id, const char *value, uint64_t *cs) {
    return lt_parse_duration(value, cs) == 0 || wrong(id, value, "must be a time such as 90, 30s, 5m, 2h or 1d");
}

static bool add_policy(struct lt_options *options, const char *value) {
    size_t capacity = options->policy_count;
    options->policies = lt_grow(options->policies, &capacity, options->policy_count + 1, sizeof *options->policies);
    return lt_policy_parse(&options->policies[options->policy_count++], value) == 0;
}

static bool add_debug_dir(struct lt_options *options, const char *value) {
    size_t capacity = options->debug_dir_count;
    options->debug_dirs = lt_grow(options->debug_dirs, &capacity, capacity + 1, sizeof *options->debug_dirs);
    options->debug_dirs[options->debug_dir_count++] = value;
    return true;
}

static bool set(struct lt_options *options, enum option_id id, const char *value) {
    switch (id) {
    case OPTION_BASE:
        options->base = value;
        return true;
    case OPTION_SNAPSHOT:
        return set_index(id, value, &options->snapshot);
    case OPTION_BASE_SNAPSHOT:
        options->has_base_snapshot = true;
        return set_index(id, value, &options->base_snapshot);
    case OPTION_REQUEST:
        return options->request = true;
    case OPTION_KIND:
        return set_kinds(id, value, &options->selection.kinds);
    case OPTION_WARM_UP:
        return options->selection.warm_up = true;
    case OPTION_INHERITABLE:
        return options->selection.inheritable = true;
    case OPTION_FOCUS:
    case OPTION_IGNORE:
    case OPTION_SHOW:
    case OPTION_HIDE:
        return lt_filter_add(&options->filter, (enum lt_filter_word)(id - OPTION_FOCUS), value) == 0;
    case OPTION_MIN_AGE:
        return set_min_age(id, value, &options->selection.min_age_cs);
    case OPTION_BY:
        return set_by(id, value, &options->by);
    case OPTION_SORT:
        return set_sort(id, value, options);
    case OPTION_TOP:
        return set_top(id, value, options);
    case OPTION_LIST:
        return options->list = true;
    case OPTION_FORMAT:
        return set_format(id, value, &options->format);
    case OPTION_OUTPUT:
        options->output = value;
        return true;
    case OPTION_COLOR:
        return set_color(id, value, &options->color);
    case OPTION_NO_INLINES:
        return options->no_inlines = true;
    case OPTION_FAIL_ON:
        return add_policy(options, value);
    case OPTION_SYMFS:
        options->symfs = value;
        return true;
    case OPTION_DEBUG_DIR:
        return add_debug_dir(options, value);
    case OPTION_NO_DEBUGINFOD:
        return options->no_debuginfod = true;
    case OPTION_HELP:
    case OPTION_VERSION:
    case OPTION_COUNT:
    default:
        return true;
    }
}

static enum option_id id_of(int value) {
    if (value >= FIRST_VALUE)
        return (enum option_id)(value - FIRST_VALUE);
    for (int id = 0; id < OPTION_COUNT; id++)
        if (table[id].letter == value)
            return (enum option_id)id;
    return OPTION_COUNT;
}

static bool begins_with(const char *word, const char *beginning) {
    while (*beginning)
        if (*word++ != *beginning++)
            return false;
    return true;
}

/* getopt takes the beginning of a long option for the whole where only one begins so. */
static bool is_ambiguous(const char *word) {
    size_t found = 0;
    for (int id = 0; begins_with(word, "--") && id < OPTION_COUNT; id++)
        found += begins_with(table[id].word, word + 2);
    return found > 1;
}

/* getopt's own messages start with argv[0] and take two forms; ours name the remedy. */
static enum lt_parsed unknown(char **argv, int value) {
    const char *word = optind > 1 ? argv[optind - 1] : "";
    if (value == ':')
        lt_error("%s needs an argument; see leaktrack-report --help", word);
    else if (optopt && optopt < FIRST_VALUE)
        lt_error("unknown option -%c; see leaktrack-report --help", optopt);
    else if (optopt)
        lt_error("%s: the option takes no argument; see leaktrack-report --help", word);
    else
        lt_error("%s option %s; see leaktrack-report --help", is_ambiguous(word) ? "ambiguous" : "unknown", word);
    return LT_PARSED_WRONG;
}

bool lt_is_comparison(const struct lt_options *options) {
    return options->base || options->has_base_snapshot;
}

/* --inheritable is about descriptors: without --kind it means all of them. */
static bool check_inheritable(struct lt_selection *selection) {
    uint32_t wanted = selection->kinds ? selection->kinds : LT_DESCRIPTOR_KINDS;
    if (!selection->inheritable)
        return true;
    selection->kinds = wanted & LT_DESCRIPTOR_KINDS;
    if (!selection->kinds)
        lt_error("--inheritable is about descriptors; --kind leaves none: try --kind descriptors");
    return selection->kinds != 0;
}

static enum lt_parsed check(struct lt_options *options) {
    bool comparison = lt_is_comparison(options);
    for (size_t i = 0; i < options->policy_count; i++)
        if (!comparison && lt_policy_needs_base(&options->policies[i])) {
            lt_error("--fail-on '%s': growth needs something to compare with: --base DUMP or --base-snapshot N",
                     options->policies[i].text);
            return LT_PARSED_WRONG;
        }
    if (!comparison && options->sort == LT_SORT_GROWTH) {
        lt_error("--sort growth needs something to compare with: --base DUMP or --base-snapshot N");
        return LT_PARSED_WRONG;
    }
    if (options->request && strcmp(options->dump, "-") == 0) {
        lt_error("--request needs the dump's path, not standard input");
        return LT_PARSED_WRONG;
    }
    if (!check_inheritable(&options->selection))
        return LT_PARSED_WRONG;
    if (!options->has_sort && comparison)
        options->sort = LT_SORT_GROWTH;
    if (!options->has_top && options->format == LT_FORMAT_TEXT)
        options->top = LT_TEXT_ROWS;
    return LT_PARSED_REPORT;
}

enum lt_parsed lt_options_parse(struct lt_options *options, int argc, char **argv) {
    char letters[2 * OPTION_COUNT + 2] = ":", *next = letters + 1;
    for (int id = 0; id < OPTION_COUNT; id++)
        if (table[id].letter) {
            *next++ = table[id].letter;
            if (table[id].argument)
                *next++ = ':';
        }
    *options = (struct lt_options){0};
    optind = 0; /* glibc: start afresh, for tests that parse more than once */
    int value;
    while ((value = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        enum option_id id = id_of(value);
        if (id == OPTION_HELP)
            return LT_PARSED_HELP;
        if (id == OPTION_VERSION)
            return LT_PARSED_VERSION;
        if (id == OPTION_COUNT)
            return unknown(argv, value);
        if (!set(options, id, optarg))
            return LT_PARSED_WRONG;
    }
    if (argc - optind != 1) {
        lt_error(argc == optind ? "no dump named; usage: leaktrack-report [options] DUMP, see --help"
                                : "more than one dump named; compare two with --base OLD NEW");
        return LT_PARSED_WRONG;
    }
    options->dump = argv[optind];
    return check(options);
}

void lt_options_free(struct lt_options *options) {
    lt_filter_free(&options->filter);
    free(options->policies);
    free(options->debug_dirs);
}

enum { HELP_WIDTH = 80, HELP_COLUMN = 28 };

/* The words of `text` in lines that begin at HELP_COLUMN; the first line is there already. */
static void put_wrapped(FILE *out, const char *text) {
    size_t column = HELP_COLUMN;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        column += (size_t)fprintf(out, "%s%.*s", column > HELP_COLUMN ? " " : "", (int)length, text);
        text += length + strspn(text + length, " ");
    }
    fputc('\n', out);
}

void lt_print_help(FILE *out) {
    fputs("Usage: leaktrack-report [options] DUMP\n"
          "       leaktrack-report [options] --base OLD NEW\n\n"
          "Says what a process that ran under libleaktrack.so still held, and which call\n"
          "stacks took it.\n",
          out);
    for (int id = 0; id < OPTION_COUNT; id++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", table[id].word, table[id].argument ? " " : "",
                 table[id].argument ? table[id].argument : "");
        if (table[id].group)
            fprintf(out, "\n%s\n", table[id].group);
        fprintf(out, "  %c%c%c %-20s  ", table[id].letter ? '-' : ' ', table[id].letter ? table[id].letter : ' ',
                table[id].letter ? ',' : ' ', left);
        put_wrapped(out, table[id].help);
    }
    fputs("\nExit codes\n"
          "  0 nothing condemned, 1 a policy was breached, 2 wrong usage or the report\n"
          "  could not be written, 3 unreadable dump, 4 dump incomplete or --request not\n"
          "  served (what could be read was reported)\n\n"
          "leaktrack-report(1) says more.\n",
          out);
}
