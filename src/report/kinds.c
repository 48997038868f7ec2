#include "report/kinds.h"

#include "report/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool lt_kind_is_in(uint32_t kind, uint32_t kinds) {
    return !kinds || (kind < LT_KIND_END && kinds & LT_KIND_BIT(kind));
}

bool lt_kind_has_bytes(uint32_t kind) {
    return kind == LT_KIND_HEAP || kind == LT_KIND_MAPPING;
}

static const char *const nouns[LT_KIND_END][2] = {
    [LT_KIND_HEAP] = {"block", "blocks"},
    [LT_KIND_MAPPING] = {"mapping", "mappings"},
    [LT_KIND_FILE] = {"file", "files"},
    [LT_KIND_DIRECTORY] = {"directory", "directories"},
    [LT_KIND_SOCKET] = {"socket", "sockets"},
    [LT_KIND_PIPE] = {"pipe end", "pipe ends"},
    [LT_KIND_EVENT] = {"event descriptor", "event descriptors"},
    [LT_KIND_STREAM] = {"stream", "streams"},
    [LT_KIND_THREAD] = {"thread", "threads"},
    [LT_KIND_TIMER] = {"timer", "timers"},
};

static const char *noun_of(uint32_t kind, bool several) {
    return kind < LT_KIND_END && nouns[kind][several] ? nouns[kind][several] : "of an unknown kind";
}

const char *lt_kind_plural(uint32_t kind) {
    return kind == LT_KIND_HEAP ? "heap" : noun_of(kind, true);
}

const char *lt_kind_noun(uint32_t kind) {
    return noun_of(kind, true);
}

struct lt_human lt_human_kind_count(uint64_t count, uint32_t kind) {
    struct lt_human result;
    snprintf(result.text, sizeof result.text, "%" PRIu64 " %s", count, noun_of(kind, count != 1));
    return result;
}

struct lt_phrase lt_human_held(const struct lt_amount *amount, uint32_t kind, bool is_estimate) {
    struct lt_phrase result;
    const char *mark = is_estimate ? "~" : "";
    struct lt_human count = lt_human_kind_count(amount->count, kind);
    if (lt_kind_has_bytes(kind))
        snprintf(result.text, sizeof result.text, "%s%s in %s%s", mark, lt_human_size(amount->bytes).text, mark,
                 count.text);
    else
        snprintf(result.text, sizeof result.text, "%s%s", mark, count.text);
    return result;
}
