#include "report/policy.h"

#include "base/attrs.h"
#include "report/human.h"
#include "report/message.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *const measure_words[] = {"blocks", "bytes", "sites", "growth.blocks", "growth.bytes"};

/* Longer ones first. */
static const struct {
    const char *sign;
    enum lt_operator op;
} operators[] = {{">=", LT_OP_GE}, {"<=", LT_OP_LE}, {"==", LT_OP_EQ}, {"!=", LT_OP_NE},
                 {">", LT_OP_GT},  {"<", LT_OP_LT},  {"=", LT_OP_EQ}};

static bool is_bytes(enum lt_measure measure) {
    return measure == LT_MEASURE_BYTES || measure == LT_MEASURE_GROWTH_BYTES;
}

bool lt_policy_needs_base(const struct lt_policy *policy) {
    return policy->measure >= LT_MEASURE_GROWTH_BLOCKS;
}

static size_t trimmed(const char *text, size_t length) {
    while (length && text[length - 1] == ' ')
        length--;
    return length;
}

static bool parse_kind(struct lt_policy *policy, const char *word, size_t length) {
    policy->kind = lt_kind_from_name(word, length);
    return policy->kind || (length == 3 && memcmp(word, "any", 3) == 0);
}

static bool parse_measure(struct lt_policy *policy, const char *word, size_t length) {
    static const struct {
        const char *word;
        enum lt_measure measure;
    } also[] = {
        {"count", LT_MEASURE_BLOCKS}, {"growth", LT_MEASURE_GROWTH_BLOCKS}, {"growth.count", LT_MEASURE_GROWTH_BLOCKS}};
    for (size_t i = 0; i < LT_ARRAY_SIZE(measure_words); i++)
        if (strlen(measure_words[i]) == length && memcmp(measure_words[i], word, length) == 0) {
            policy->measure = (enum lt_measure)i;
            return true;
        }
    for (size_t i = 0; i < LT_ARRAY_SIZE(also); i++)
        if (strlen(also[i].word) == length && memcmp(also[i].word, word, length) == 0) {
            policy->measure = also[i].measure;
            return true;
        }
    return false;
}

static const char *parse_operator(struct lt_policy *policy, const char *at) {
    for (size_t i = 0; i < LT_ARRAY_SIZE(operators); i++)
        if (strncmp(at, operators[i].sign, strlen(operators[i].sign)) == 0) {
            policy->op = operators[i].op;
            return at + strlen(operators[i].sign);
        }
    return NULL;
}

static bool parse_limit(struct lt_policy *policy, const char *at) {
    uint64_t value;
    at += strspn(at, " ");
    bool negative = *at == '-';
    if (negative && !lt_policy_needs_base(policy))
        return false;
    at += negative;
    if ((is_bytes(policy->measure) ? lt_parse_size(at, &value) : lt_parse_number(at, &value)) < 0 || value > INT64_MAX)
        return false;
    policy->limit = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

int lt_policy_parse(struct lt_policy *policy, const char *text) {
    *policy = (struct lt_policy){.text = text};
    size_t left = strcspn(text, "<>=!");
    const char *dot = memchr(text, '.', left);
    size_t kind_length = trimmed(text, dot ? (size_t)(dot - text) : left);
    const char *wrong = NULL, *number = parse_operator(policy, text + left);
    if (!parse_kind(policy, text, kind_length))
        wrong = "it must start with a resource kind such as heap, or any";
    else if (dot && !parse_measure(policy, dot + 1, trimmed(dot + 1, (size_t)(text + left - dot - 1))))
        wrong = "after the kind comes .blocks, .bytes, .sites, .growth.blocks or .growth.bytes";
    else if (!number)
        wrong = "an operator is missing: one of > >= < <= == !=";
    else if (!parse_limit(policy, number))
        wrong = is_bytes(policy->measure)
                    ? "after the operator comes a size such as 4096, 64K or 1.5M"
                    : "after the operator comes a whole number (sizes need .bytes: heap.bytes>1M)";
    if (wrong)
        lt_error("--fail-on '%s': %s", text, wrong);
    return wrong ? -EINVAL : 0;
}

static int64_t measured(const struct lt_policy *policy, const struct lt_figures *figures, size_t sites) {
    switch (policy->measure) {
    case LT_MEASURE_BYTES:
        return (int64_t)figures->live.bytes;
    case LT_MEASURE_SITES:
        return (int64_t)sites;
    case LT_MEASURE_GROWTH_BLOCKS:
        return lt_delta_count(figures);
    case LT_MEASURE_GROWTH_BYTES:
        return lt_delta_bytes(figures);
    case LT_MEASURE_BLOCKS:
    default:
        return (int64_t)figures->live.count;
    }
}

static bool holds(int64_t found, enum lt_operator op, int64_t limit) {
    switch (op) {
    case LT_OP_GT:
        return found > limit;
    case LT_OP_GE:
        return found >= limit;
    case LT_OP_LT:
        return found < limit;
    case LT_OP_LE:
        return found <= limit;
    case LT_OP_EQ:
        return found == limit;
    case LT_OP_NE:
    default:
        return found != limit;
    }
}

bool lt_policy_judge(struct lt_policy *policy, const struct lt_table *table) {
    policy->found = 0;
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++)
        if (!policy->kind || policy->kind == kind)
            policy->found += measured(policy, &table->sums[kind], table->site_counts[kind]);
    policy->breached = holds(policy->found, policy->op, policy->limit);
    return policy->breached;
}

char *lt_policy_verdict(const struct lt_policy *policy, struct lt_pool *pool) {
    const char *human = "";
    if (is_bytes(policy->measure) && (policy->found >= 1024 || policy->found <= -1024))
        human = lt_pool_format(pool, " (%s)", lt_human_size_change(policy->found).text + (policy->found > 0));
    return lt_pool_format(pool, "%s.%s is %" PRId64 "%s, which %s %s",
                          policy->kind ? lt_kind_name(policy->kind) : "any", measure_words[policy->measure],
                          policy->found, human, policy->breached ? "breaches" : "keeps", policy->text);
}
