#include "report/filter.h"

#include "report/message.h"
#include "report/names.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM  0
#define uthash_fatal(text) lt_die_of_memory()
#include <uthash.h>

/* Names are interned by the symbolizer, and a program has far fewer of them than its stacks have frames. */
struct verdict {
    const char *name;
    bool matches;
    UT_hash_handle hh;
};

struct lt_pattern {
    struct lt_pattern *next;
    struct verdict *verdicts;
    regex_t regex;
};

static const char *const words[] = {"--focus", "--ignore", "--show", "--hide"};

int lt_filter_add(struct lt_filter *filter, enum lt_filter_word word, const char *expression) {
    struct lt_pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern)
        lt_die_of_memory();
    int error = regcomp(&pattern->regex, expression, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char reason[160];
        regerror(error, &pattern->regex, reason, sizeof reason);
        lt_error("%s '%s': %s; it must be a POSIX extended regular expression, see regex(7)", words[word], expression,
                 reason);
        free(pattern);
        return -EINVAL;
    }
    pattern->next = filter->patterns[word];
    filter->patterns[word] = pattern;
    return 0;
}

static void free_pattern(struct lt_pattern *pattern) {
    struct verdict *verdict = pattern->verdicts;
    HASH_CLEAR(hh, pattern->verdicts);
    while (verdict) { /* the elements are still linked in the order they came */
        struct verdict *next = verdict->hh.next;
        free(verdict);
        verdict = next;
    }
    regfree(&pattern->regex);
    free(pattern);
}

void lt_filter_free(struct lt_filter *filter) {
    for (size_t word = 0; word < LT_FILTER_WORDS; word++)
        while (filter->patterns[word]) {
            struct lt_pattern *next = filter->patterns[word]->next;
            free_pattern(filter->patterns[word]);
            filter->patterns[word] = next;
        }
}

static bool pattern_matches(struct lt_pattern *pattern, const char *name) {
    struct verdict *verdict;
    if (!name)
        return false;
    HASH_FIND_PTR(pattern->verdicts, &name, verdict);
    if (verdict)
        return verdict->matches;
    verdict = calloc(1, sizeof *verdict);
    if (!verdict)
        lt_die_of_memory();
    verdict->name = name;
    verdict->matches = regexec(&pattern->regex, name, 0, NULL, 0) == 0;
    HASH_ADD_PTR(pattern->verdicts, name, verdict);
    return verdict->matches;
}

static bool any_matches(struct lt_pattern *patterns, const struct lt_symbol_line *line,
                        const struct lt_dump_module *module) {
    for (struct lt_pattern *pattern = patterns; pattern; pattern = pattern->next)
        if (pattern_matches(pattern, line->function) || pattern_matches(pattern, line->file) ||
            (module && pattern_matches(pattern, module->path)))
            return true;
    return false;
}

bool lt_filter_shows(const struct lt_filter *filter, const struct lt_symbol_line *line,
                     const struct lt_dump_module *module) {
    if (filter->patterns[LT_FILTER_SHOW] && !any_matches(filter->patterns[LT_FILTER_SHOW], line, module))
        return false;
    return !any_matches(filter->patterns[LT_FILTER_HIDE], line, module);
}

bool lt_filter_selects(const struct lt_filter *filter) {
    return filter->patterns[LT_FILTER_FOCUS] || filter->patterns[LT_FILTER_IGNORE];
}

enum { FOCUSED = 1, IGNORED = 2 };

static unsigned char marks_of_node(const struct lt_filter *filter, const struct lt_model *model, size_t node) {
    const struct lt_resolved *resolved = &model->resolved[node];
    uint32_t module_id = model->dump->nodes[node].module;
    const struct lt_dump_module *module = module_id ? &model->dump->modules[module_id] : NULL;
    unsigned char marks = 0;
    for (uint32_t i = 0; resolved->lines && i < resolved->line_count; i++) {
        if (any_matches(filter->patterns[LT_FILTER_FOCUS], &resolved->lines[i], module))
            marks |= FOCUSED;
        if (any_matches(filter->patterns[LT_FILTER_IGNORE], &resolved->lines[i], module))
            marks |= IGNORED;
    }
    return marks;
}

void lt_filter_sites(const struct lt_filter *filter, struct lt_model *model) {
    unsigned char *marks = lt_pool_alloc(&model->pool, model->dump->node_count, 1);
    for (size_t i = 1; i < model->dump->node_count; i++) /* a parent stands before its children */
        marks[i] = marks[model->dump->nodes[i].parent] | marks_of_node(filter, model, i);
    unsigned char wanted = filter->patterns[LT_FILTER_FOCUS] ? FOCUSED : 0;
    bool *keep = lt_pool_alloc(&model->pool, model->dump->node_count, sizeof *keep);
    for (size_t i = 0; i < model->dump->node_count; i++)
        keep[i] = (marks[i] & (wanted | IGNORED)) == wanted;
    size_t kept = 0;
    for (size_t i = 0; i < model->site_count; i++)
        if (keep[model->sites[i].node])
            model->sites[kept++] = model->sites[i];
    model->site_count = kept;
    lt_resources_keep(&model->resources, keep);
}
