/* A report for people: the summary, the rows, what was left out, the policies. */
#include "base/attrs.h"
#include "report/human.h"
#include "report/render.h"

#include <inttypes.h>
#include <string.h>

const char *lt_trigger_word(uint32_t trigger) {
    static const char *const words[] = {
#define X(name, number, word) [number] = (word),
        LT_TRIGGERS(X)
#undef X
    };
    return trigger < LT_ARRAY_SIZE(words) && words[trigger] ? words[trigger] : "unknown";
}

struct age_text {
    char text[112];
};

static uint64_t class_start_cs(uint32_t age_class) {
    return age_class == 0 ? 0 : (uint64_t)100 << (age_class - 1);
}

/* Between which ages all live blocks of the row are: their age classes, narrowed by the first and last birth. */
static struct age_text age_of(const struct lt_report *report, const struct lt_row *row) {
    const struct lt_figures *figures = &row->figures;
    struct age_text age = {""};
    if (figures->oldest == LT_NO_AGE || figures->oldest > 50)
        return age;
    const struct lt_model *model = report->model;
    uint64_t now_ns = model->dump->process.start_wall_ns + (uint64_t)model->snapshot->time_cs * 10000000;
    uint64_t least = class_start_cs(figures->youngest), most = class_start_cs(figures->oldest + 1);
    if (now_ns >= figures->last_birth_ns && (now_ns - figures->last_birth_ns) / 10000000 > least)
        least = (now_ns - figures->last_birth_ns) / 10000000;
    if (now_ns >= figures->first_birth_ns && (now_ns - figures->first_birth_ns) / 10000000 < most)
        most = (now_ns - figures->first_birth_ns) / 10000000;
    struct lt_human from = lt_human_duration(least), to = lt_human_duration(most);
    if (most < least + 10 || strcmp(from.text, to.text) == 0)
        snprintf(age.text, sizeof age.text, ", age %s", to.text);
    else
        snprintf(age.text, sizeof age.text, ", age %s to %s", from.text, to.text);
    return age;
}

static uint64_t held_of_kind(const struct lt_report *report, uint32_t kind) {
    return report->table->sums[kind].live.bytes;
}

/* "12.4 MiB in 1000 blocks" */
static void put_amount(FILE *out, const struct lt_amount *amount) {
    fprintf(out, "%s in %s", lt_human_size(amount->bytes).text, lt_human_count(amount->count, "block").text);
}

static void put_title(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_row *row,
                      size_t number) {
    FILE *out = terminal->out;
    lt_paint(terminal, LT_PAINT_STRONG, "#%zu  %s in %s", number, lt_human_size(row->figures.live.bytes).text,
             lt_human_count(row->figures.live.count, "block").text);
    fprintf(out, " (%s of %s)%s", lt_human_share(row->figures.live.bytes, held_of_kind(report, row->kind)).text,
            lt_kind_name(row->kind), age_of(report, row).text);
    if (row->figures.alloc.count != row->figures.live.count)
        fprintf(out, ", of %" PRIu64 " acquired", row->figures.alloc.count);
}

static void put_change_title(const struct lt_terminal *terminal, const struct lt_row *row, size_t number) {
    FILE *out = terminal->out;
    const struct lt_figures *figures = &row->figures;
    enum lt_change change = lt_row_change(figures);
    int64_t bytes = lt_delta_bytes(figures), count = lt_delta_count(figures);
    lt_paint(terminal, LT_PAINT_STRONG, "#%zu  %s", number, lt_human_size_change(bytes).text);
    fprintf(out, " in %+" PRId64 " block%s, ", count, count == 1 || count == -1 ? "" : "s");
    lt_paint(terminal, change <= LT_CHANGE_GROWN ? LT_PAINT_BAD : LT_PAINT_GOOD, "%s", lt_change_word(change));
    fprintf(out, " (%s", lt_kind_name(row->kind));
    if (figures->base.count) {
        fputs(", before ", out);
        put_amount(out, &figures->base);
    }
    if (figures->live.count) {
        fputs(", now ", out);
        put_amount(out, &figures->live);
    }
    fputc(')', out);
}

static void put_row_head(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_row *row,
                         size_t number) {
    if (report->base)
        put_change_title(terminal, row, number);
    else
        put_title(report, terminal, row, number);
    if (row->site_count > 1 || row->label)
        fprintf(terminal->out, ", %s", lt_human_count(row->site_count, "site").text);
    fputc('\n', terminal->out);
}

static void put_rows(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_stack_printer printer = {0};
    for (size_t i = 0; i < report->shown; i++) {
        const struct lt_row *row = &report->table->rows[i];
        fputc('\n', terminal->out);
        put_row_head(report, terminal, row, i + 1);
        if (row->label) {
            fputs("      ", terminal->out);
            lt_paint_name(terminal, LT_PAINT_STRONG, row->label, strlen(row->label));
            fputc('\n', terminal->out);
        } else {
            lt_render_stack(report, terminal, &printer, row, i + 1);
        }
    }
    lt_stack_free(&printer.stack);
    lt_stack_free(&printer.previous);
}

static void put_rest(const struct lt_report *report, FILE *out) {
    const struct lt_table *table = report->table;
    if (table->count > report->shown) {
        struct lt_amount rest = {0};
        for (size_t i = report->shown; i < table->count; i++) {
            rest.count += table->rows[i].figures.live.count;
            rest.bytes += table->rows[i].figures.live.bytes;
        }
        fprintf(out, "\n%s more, holding ",
                lt_human_count(table->count - report->shown, report->by == LT_BY_STACK ? "site" : "row").text);
        put_amount(out, &rest);
        fputs("; --top 0 lists all\n", out);
    }
    if (table->unchanged_sites) {
        fprintf(out, "\n%s unchanged, holding ", lt_human_count(table->unchanged_sites, "site").text);
        put_amount(out, &table->unchanged.live);
        fputc('\n', out);
    }
}

static void put_nothing(const struct lt_report *report, FILE *out) {
    const struct lt_selection *selection = report->selection;
    bool selected = selection->kinds || selection->min_age_cs || lt_filter_selects(report->filter);
    if (report->base)
        fprintf(out, "\nNo change%s.\n", selected ? " in what was selected" : "");
    else
        fprintf(out, "\nNothing is held%s.\n", selected ? " of what was selected" : "");
}

static void put_policies(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_pool scratch = {0};
    for (size_t i = 0; i < report->policy_count; i++) {
        const struct lt_policy *policy = &report->policies[i];
        lt_paint(terminal, policy->breached ? LT_PAINT_BAD : LT_PAINT_GOOD, "%s%s: ", i ? "" : "\n",
                 policy->breached ? "BREACHED" : "kept");
        fprintf(terminal->out, "%s\n", lt_policy_verdict(policy, &scratch));
    }
    lt_pool_free(&scratch);
}

void lt_render_text(const struct lt_report *report, const struct lt_terminal *terminal) {
    lt_render_summary(report, terminal);
    if (report->table->count)
        put_rows(report, terminal);
    else
        put_nothing(report, terminal->out);
    put_rest(report, terminal->out);
    put_policies(report, terminal);
}
