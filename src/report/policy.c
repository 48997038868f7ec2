#include "report/policy.h"

#include "base/attrs.h"
#include "report/estimate.h"
#include "report/human.h"
#include "report/kinds.h"
#include "report/message.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct {
    const char *word;
    bool is_bytes, is_growth;
} measures[] = {
#define X(name, word, is_bytes, is_growth) {word, is_bytes, is_growth},
    LT_MEASURES(X)
#undef X
};

static const char *const facts[] = {NULL,
#define X(name, word) word,
                                    LT_FACTS(X)
#undef X
};

/* Longer ones first. */
static const struct {
    const char *sign;
    enum lt_operator op;
} operators[] = {{">=", LT_OP_GE}, {"<=", LT_OP_LE}, {"==", LT_OP_EQ}, {"!=", LT_OP_NE},
                 {">", LT_OP_GT},  {"<", LT_OP_LT},  {"=", LT_OP_EQ}};

static bool is_bytes(const struct lt_policy *policy) {
    return measures[policy->measure].is_bytes;
}

bool lt_policy_needs_base(const struct lt_policy *policy) {
    return measures[policy->measure].is_growth;
}

static size_t trimmed(const char *text, size_t length) {
    while (length && text[length - 1] == ' ')
        length--;
    return length;
}

static bool is_word(const char *expected, const char *word, size_t length) {
    return strlen(expected) == length && memcmp(expected, word, length) == 0;
}

static bool parse_subject(struct lt_policy *policy, const char *word, size_t length) {
    for (size_t i = 1; i < LT_ARRAY_SIZE(facts); i++)
        if (is_word(facts[i], word, length))
            policy->fact = (enum lt_fact)i;
    policy->kinds = lt_kinds_from_word(word, length);
    return policy->fact || policy->kinds || is_word("any", word, length);
}

static bool parse_measure(struct lt_policy *policy, const char *word, size_t length) {
    static const struct {
        const char *word;
        enum lt_measure measure;
    } also[] = {{"count", LT_MEASURE_BLOCKS}, {"all", LT_MEASURE_ALL_BLOCKS}, {"growth", LT_MEASURE_GROWTH_BLOCKS}};
    for (size_t i = 0; i < LT_ARRAY_SIZE(measures); i++)
        if (is_word(measures[i].word, word, length)) {
            policy->measure = (enum lt_measure)i;
            return true;
        }
    for (size_t i = 0; i < LT_ARRAY_SIZE(also); i++)
        if (is_word(also[i].word, word, length)) {
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
    if ((is_bytes(policy) ? lt_parse_size(at, &value) : lt_parse_number(at, &value)) < 0 || value > INT64_MAX)
        return false;
    policy->limit = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* Such a policy would never be breached. */
static bool measures_no_bytes(const struct lt_policy *policy) {
    for (uint32_t kind = 1; kind < LT_KIND_END; kind++)
        if (lt_kind_is_in(kind, policy->kinds) && lt_kind_has_bytes(kind))
            return false;
    return is_bytes(policy);
}

int lt_policy_parse(struct lt_policy *policy, const char *text) {
    *policy = (struct lt_policy){.text = text};
    size_t left = strcspn(text, "<>=!");
    const char *dot = memchr(text, '.', left);
    size_t subject_length = trimmed(text, dot ? (size_t)(dot - text) : left);
    const char *wrong = NULL, *number = parse_operator(policy, text + left);
    if (!parse_subject(policy, text, subject_length))
        wrong = "it must start with a resource kind such as heap, with descriptors, any, close_wait, misuse, ...";
    else if (policy->fact && dot)
        wrong = "only kinds have measures: nothing with a dot here";
    else if (dot && !parse_measure(policy, dot + 1, trimmed(dot + 1, (size_t)(text + left - dot - 1))))
        wrong =
            "after the kind comes .blocks, .bytes, .sites, .all.blocks, .all.bytes, .growth.blocks or .growth.bytes";
    else if (measures_no_bytes(policy))
        wrong = "only heap and mapping have bytes; others are counted: file>0";
    else if (!number)
        wrong = "an operator is missing: one of > >= < <= == !=";
    else if (!parse_limit(policy, number))
        wrong = is_bytes(policy) ? "after the operator comes a size such as 4096, 64K or 1.5M"
                                 : "after the operator comes a whole number (sizes need .bytes: heap.bytes>1M)";
    if (wrong)
        lt_error("--fail-on '%s': %s", text, wrong);
    return wrong ? -EINVAL : 0;
}

static int64_t measured(const struct lt_policy *policy, const struct lt_figures *figures) {
    switch (policy->measure) {
    case LT_MEASURE_BYTES:
        return (int64_t)(figures->live.bytes - figures->kept.bytes);
    case LT_MEASURE_ALL_BLOCKS:
        return (int64_t)figures->live.count;
    case LT_MEASURE_ALL_BYTES:
        return (int64_t)figures->live.bytes;
    case LT_MEASURE_SITES:
        return (int64_t)figures->sites;
    case LT_MEASURE_GROWTH_BLOCKS:
        return lt_delta_count(figures);
    case LT_MEASURE_GROWTH_BYTES:
        return lt_delta_bytes(figures);
    case LT_MEASURE_BLOCKS:
    default:
        return (int64_t)(figures->live.count - figures->kept.count);
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

static size_t count_unattributed(const struct lt_resources *rows) {
    size_t count = 0;
    for (size_t i = 0; i < rows->descriptor_count; i++)
        count += rows->descriptors[i]->origin == LT_ORIGIN_UNATTRIBUTED;
    return count;
}

static size_t count_close_wait(const struct lt_resources *rows) {
    size_t count = 0;
    for (size_t i = 0; i < rows->descriptor_count; i++)
        count += lt_is_close_wait(rows->descriptors[i]);
    return count;
}

static size_t count_unjoined(const struct lt_resources *rows) {
    size_t count = 0;
    for (size_t i = 0; i < rows->thread_count; i++)
        count += lt_is_unjoined(rows->threads[i]);
    return count;
}

static uint64_t count_misuses(const struct lt_resources *rows) {
    uint64_t count = 0;
    for (size_t i = 0; i < rows->misuse_count; i++)
        count += lt_is_plain_misuse(rows->misuses[i]) ? rows->misuses[i]->count : 0;
    return count;
}

static uint64_t count_fact(enum lt_fact fact, const struct lt_resources *rows) {
    switch (fact) {
    case LT_FACT_OPEN_FILES:
        return rows->descriptor_count;
    case LT_FACT_UNATTRIBUTED:
        return count_unattributed(rows);
    case LT_FACT_CLOSE_WAIT:
        return count_close_wait(rows);
    case LT_FACT_UNJOINED:
        return count_unjoined(rows);
    case LT_FACT_MISUSE:
        return count_misuses(rows);
    case LT_FACT_NONE:
    default:
        return 0;
    }
}

static double variance_of(const struct lt_policy *policy, const struct lt_figures *figures) {
    struct lt_variance variance = figures->live_variance;
    if (policy->measure == LT_MEASURE_SITES)
        return 0;
    if (lt_policy_needs_base(policy))
        variance = lt_variance_sum(variance, figures->base_variance);
    return is_bytes(policy) ? variance.bytes : variance.count;
}

static bool is_estimate(const struct lt_policy *policy, const struct lt_table *table) {
    return table->estimated_kinds & (policy->kinds ? policy->kinds : UINT32_MAX);
}

bool lt_policy_judge(struct lt_policy *policy, const struct lt_table *table, const struct lt_model *model) {
    policy->found = (int64_t)count_fact(policy->fact, &model->resources);
    policy->kept = 0;
    policy->is_estimate = !policy->fact && is_estimate(policy, table);
    policy->variance = 0;
    for (uint32_t kind = 1; kind < LT_KIND_END && !policy->fact; kind++)
        if (lt_kind_is_in(kind, policy->kinds)) {
            policy->found += measured(policy, &table->sums[kind]);
            policy->variance += variance_of(policy, &table->sums[kind]);
            policy->kept += policy->measure <= LT_MEASURE_SITES ? table->sums[kind].kept.count : 0;
        }
    policy->breached = holds(policy->found, policy->op, policy->limit);
    return policy->breached;
}

/* What was measured: "heap.bytes", "file.count", "close_wait". */
static const char *subject_of(const struct lt_policy *policy, struct lt_pool *pool) {
    const char *measure = measures[policy->measure].word, *kind = "any";
    if (policy->fact)
        return facts[policy->fact];
    if (policy->kinds == LT_DESCRIPTOR_KINDS)
        kind = "descriptors";
    else if (policy->kinds)
        kind = lt_kind_name((unsigned)__builtin_ctz(policy->kinds));
    if (policy->measure == LT_MEASURE_BLOCKS && policy->kinds && policy->kinds != LT_KIND_BIT(LT_KIND_HEAP))
        measure = "count";
    return lt_pool_format(pool, "%s.%s", kind, measure);
}

/* How sure it is: ", ± 8 %, estimated from samples". */
static const char *doubt_of(const struct lt_policy *policy, struct lt_pool *pool) {
    if (!policy->is_estimate)
        return "";
    if (policy->measure == LT_MEASURE_SITES)
        return ", of those that were sampled";
    const char *error = lt_pool_format(pool, "%s", lt_human_error((double)policy->found, policy->variance).text);
    return lt_pool_format(pool, "%s%s, estimated from samples", error[0] ? " " : "", error);
}

char *lt_policy_verdict(const struct lt_policy *policy, struct lt_pool *pool) {
    const char *human = "", *kept = "", *doubt = doubt_of(policy, pool);
    if (is_bytes(policy) && (policy->found >= 1024 || policy->found <= -1024))
        human = lt_pool_format(pool, ", %s", lt_human_size_change(policy->found).text + (policy->found > 0));
    if (policy->kept)
        kept = lt_pool_format(pool, ", without %s that run-time libraries keep",
                              lt_human_count(policy->kept, "block").text);
    return lt_pool_format(pool, "%s: %s (%s is %s%" PRId64 "%s%s%s)", policy->breached ? "breached" : "not breached",
                          policy->text, subject_of(policy, pool), policy->is_estimate ? "about " : "", policy->found,
                          human, doubt, kept);
}
