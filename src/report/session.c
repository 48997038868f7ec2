#include "report/session.h"
#include "report/allocator.h"
#include "report/go_runtime.h"

#include "leaktrack.h"
#include "report/diff.h"
#include "report/message.h"
#include "report/nameless.h"
#include "report/names.h"
#include "report/output.h"
#include "report/progress.h"
#include "report/recorded.h"
#include "report/render.h"
#include "report/request.h"
#include "report/runtime.h"
#include "report/siblings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One side of a comparison, or the only one. */
struct input {
    struct lt_loaded loaded;
    struct lt_model model;
    const struct lt_dump_snapshot *snapshot;
};

struct session {
    struct lt_options *options;
    struct input newer, older;
    struct lt_symbolizer *symbolizer;
    struct lt_table table;
    bool is_incomplete; /* something that was asked for is missing: exit code 4 */
};

static bool open_inputs(struct session *session) {
    const struct lt_options *options = session->options;
    struct input *newer = &session->newer, *older = &session->older;
    if (lt_load(&newer->loaded, options->dump, options->request) < 0 ||
        (options->base && lt_load(&older->loaded, options->base, false) < 0))
        return false;
    newer->snapshot = lt_find_snapshot(&newer->loaded, options->snapshot);
    session->is_incomplete |= newer->loaded.dump.end != LT_DUMP_COMPLETE;
    if (newer->snapshot && lt_is_comparison(options)) {
        session->is_incomplete |= options->base && older->loaded.dump.end != LT_DUMP_COMPLETE;
        older->snapshot = lt_find_snapshot(options->base ? &older->loaded : &newer->loaded, options->base_snapshot);
    }
    return true;
}

static bool open_symbolizer(struct session *session) {
    const struct lt_options *options = session->options;
    session->symbolizer = lt_symbolizer_new(&(struct lt_symbolizer_options){
        .symfs = options->symfs,
        .debug_dirs = options->debug_dirs,
        .debug_dir_count = options->debug_dir_count,
        .no_inlines = options->no_inlines,
        .no_debuginfod = options->no_debuginfod,
        .warn = lt_warn_of_symbols,
        .progress = lt_progress_of_symbols,
    });
    return session->symbolizer;
}

static void need_all_names(struct session *session, struct input *input) {
    for (size_t i = 0; i < input->model.site_count; i++)
        lt_names_need(&input->model.sites[i]);
    lt_resources_need_names(&input->model, true);
    lt_names_resolve(session->symbolizer, (struct lt_model *[]){&input->model}, 1);
}

static void build(struct session *session, struct input *input, const struct lt_loaded *loaded) {
    const struct lt_options *options = session->options;
    lt_model_build(&input->model, loaded, input->snapshot, &options->selection);
    if (lt_filter_selects(&options->filter)) {
        need_all_names(session, input);
        lt_filter_sites(&options->filter, &input->model);
    }
    lt_runtime_mark(&input->model, session->symbolizer);
    lt_allocator_take(&input->model);
    lt_go_runtime_take(&input->model, session->symbolizer);
}

static void need_names(struct session *session, size_t rows) {
    struct lt_model *models[] = {&session->newer.model, &session->older.model};
    for (size_t i = 0; i < rows; i++)
        lt_names_need(session->table.rows[i].site);
    bool mappings = session->options->list || lt_is_near_limit(lt_use_of_mappings(session->newer.snapshot));
    lt_resources_need_names(&session->newer.model, mappings);
    lt_names_resolve(session->symbolizer, models, session->older.snapshot ? 2 : 1);
}

/* Whether rows that hold nothing are left out: people want leaks, unless they ask about acquisitions; a program wants
 * sites that sum up to the totals. */
static bool held_only(const struct lt_options *options) {
    bool by_alloc = options->sort == LT_SORT_ALLOC_BYTES || options->sort == LT_SORT_ALLOC_COUNT;
    return options->format == LT_FORMAT_TEXT && !by_alloc;
}

static void make_table(struct session *session) {
    const struct lt_options *options = session->options;
    struct input *newer = &session->newer, *older = &session->older;
    build(session, newer, &newer->loaded);
    if (older->snapshot) {
        build(session, older, options->base ? &older->loaded : &newer->loaded);
        lt_diff(&session->table, &newer->model, &older->model, session->symbolizer);
    } else {
        lt_table_of_model(&session->table, &newer->model);
    }
    if (options->by != LT_BY_STACK) {
        need_names(session, session->table.count);
        lt_table_group(&session->table, options->by, &options->filter);
    }
    lt_table_settle(&session->table, held_only(options));
    lt_table_sort(&session->table, options->sort);
}

static bool judge(struct session *session) {
    struct lt_options *options = session->options;
    bool breached = false;
    for (size_t i = 0; i < options->policy_count; i++)
        breached |= lt_policy_judge(&options->policies[i], &session->table, &session->newer.model);
    return breached;
}

/* Where the report does not say it to the person in front of the screen: of which process, since a dump may be gone by
 * the time somebody reads it. */
static void say_breaches(const struct session *session) {
    const struct lt_options *options = session->options;
    const struct lt_dump_process *process = &session->newer.loaded.dump.process;
    struct lt_pool scratch = {0};
    bool is_seen = options->format == LT_FORMAT_TEXT && (!options->output || strcmp(options->output, "-") == 0);
    for (size_t i = 0; i < options->policy_count && !is_seen; i++)
        if (options->policies[i].breached)
            lt_error("%s, pid %" PRIu32 ": %s", process->exe[0] ? process->exe : options->dump, process->pid,
                     lt_policy_verdict(&options->policies[i], &scratch));
    lt_pool_free(&scratch);
}

static bool print(struct session *session) {
    const struct lt_options *options = session->options;
    size_t shown = lt_table_cut(&session->table, (size_t)options->top);
    struct lt_output output;
    need_names(session, options->by == LT_BY_STACK ? shown : 0);
    lt_progress_clear();
    struct lt_report report = {.model = &session->newer.model,
                               .base = session->older.snapshot ? &session->older.model : NULL,
                               .table = &session->table,
                               .shown = shown,
                               .by = options->by,
                               .sort = options->sort,
                               .list = options->list,
                               .top = (size_t)options->top,
                               .filter = &options->filter,
                               .selection = &options->selection,
                               .recorded = lt_recorded_kinds(&session->newer.model),
                               .policies = options->policies,
                               .policy_count = options->policy_count};
    lt_find_nameless(&report, session->symbolizer, &session->newer.model.pool);
    report.siblings =
        lt_siblings(options->dump, session->newer.loaded.dump.process.start_wall_ns, &session->newer.model.pool);
    if (lt_output_open(&output, options->output) < 0)
        return false;
    if (options->format == LT_FORMAT_JSON) {
        lt_render_json(&report, output.stream);
    } else {
        struct lt_terminal terminal = lt_terminal_of(output.stream, options->color);
        lt_render_text(&report, &terminal);
    }
    return lt_output_close(&output) == 0;
}

static int run(struct session *session) {
    const struct lt_options *options = session->options;
    if (options->request && lt_request_snapshot(options->dump) < 0)
        session->is_incomplete = true;
    if (!open_inputs(session))
        return LEAKTRACK_EXIT_UNREADABLE;
    if (!session->newer.snapshot || (lt_is_comparison(options) && !session->older.snapshot))
        return LEAKTRACK_EXIT_USAGE;
    if (session->newer.snapshot == session->older.snapshot)
        lt_warn("%s: snapshot %" PRIu64 " is compared with itself%s", options->dump, session->newer.snapshot->index,
                session->newer.loaded.dump.snapshot_count == 1 ? ": the dump holds no other" : "");
    if (!open_symbolizer(session))
        lt_die_of_memory();
    make_table(session);
    bool breached = judge(session);
    if (!print(session))
        return LEAKTRACK_EXIT_USAGE;
    say_breaches(session);
    const struct lt_dump *dumps[] = {&session->newer.loaded.dump, options->base ? &session->older.loaded.dump : NULL};
    for (size_t i = 0; i < 2; i++)
        if (dumps[i] && dumps[i]->end != LT_DUMP_COMPLETE)
            lt_warn("%s: the dump is incomplete: %s", i ? options->base : options->dump, dumps[i]->end_reason);
    return breached ? LEAKTRACK_EXIT_BREACHED : session->is_incomplete ? LEAKTRACK_EXIT_INCOMPLETE : LEAKTRACK_EXIT_OK;
}

static void close_session(struct session *session) {
    lt_table_free(&session->table);
    lt_model_free(&session->newer.model);
    lt_model_free(&session->older.model);
    lt_symbolizer_free(session->symbolizer);
    lt_unload(&session->newer.loaded);
    lt_unload(&session->older.loaded);
}

int lt_session_run(struct lt_options *options) {
    struct session session = {.options = options};
    int code = run(&session);
    close_session(&session);
    return code;
}
