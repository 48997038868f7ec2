#include "report/recorded.h"

#include "leaktrack.h"
#include "report/kinds.h"

#include <string.h>

static uint32_t kinds_of_words(const char *words) {
    uint32_t kinds = 0;
    for (const char *word = words; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL)
        kinds |= lt_kinds_from_word(word, strcspn(word, ","));
    return kinds;
}

static uint32_t chosen_kinds(const struct lt_dump_process *process) {
    static const char name[] = LEAKTRACK_ENV_KINDS "=";
    for (size_t i = 0; process->options[i]; i++)
        if (strncmp(process->options[i], name, sizeof name - 1) == 0)
            return kinds_of_words(process->options[i] + sizeof name - 1);
    return UINT32_MAX;
}

static bool is_heap_off(const struct lt_dump_process *process) {
    static const char beginning[] = "heap not tracked";
    for (size_t i = 0; process->notes[i]; i++)
        if (strncmp(process->notes[i], beginning, sizeof beginning - 1) == 0)
            return true;
    return false;
}

/* Dumps of format 1.0 are of the heap alone. */
static bool has_resources(const struct lt_dump_snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->counter_count; i++)
        if (snapshot->counters[i].group == LT_COUNTER_KERNEL)
            return true;
    return false;
}

uint32_t lt_recorded_kinds(const struct lt_model *model) {
    const struct lt_dump_process *process = &model->dump->process;
    uint32_t kinds = chosen_kinds(process);
    if (is_heap_off(process))
        kinds &= ~LT_KIND_BIT(LT_KIND_HEAP);
    for (uint32_t kind = LT_KIND_MAPPING; kind < LT_KIND_END; kind++)
        if (!model->snapshot->totals[kind].present && !has_resources(model->snapshot))
            kinds &= ~LT_KIND_BIT(kind);
    return kinds;
}
