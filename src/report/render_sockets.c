/* Sockets by state and peer, and who opened them:
 *
 *     sockets by state and peer
 *        120  CLOSE_WAIT   tcp          peer 10.0.0.5:443, oldest 3 h 2 min
 *                               120  connect_backend  src/backend.c:88 (#4)
 *          1  LISTEN       tcp          local 0.0.0.0:80 */
#include "report/human.h"
#include "report/kinds.h"
#include "report/render_resources.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_SITES = 3 };

const char *lt_socket_ends(const struct lt_socket_group *group, struct lt_pool *pool) {
    const char *local = "", *peer = "";
    if (group->local[0] && (group->is_served || !group->peer_length))
        local = lt_pool_format(pool, ", local %s", group->local);
    if (group->peer_length)
        peer = lt_pool_format(pool, ", peer %.*s", (int)group->peer_length, group->peer);
    else if (group->is_served)
        peer = lt_pool_format(pool, ", %zu peers", group->hosts);
    return lt_pool_format(pool, "%s%s", local, peer);
}

const char *lt_socket_age(const struct lt_socket_group *group, struct lt_pool *pool) {
    if (group->oldest == LT_NO_NUMBER)
        return "";
    return lt_pool_format(pool, ", %s %s", group->count > 1 ? "oldest" : "age", lt_human_duration(group->oldest).text);
}

struct lt_held *lt_held_sockets(const struct lt_socket_group *group, struct lt_pool *pool) {
    struct lt_held *held = lt_pool_alloc(pool, group->count, sizeof *held);
    for (size_t i = 0; i < group->count; i++)
        held[i] = (struct lt_held){&group->sockets[i]->holder, 0};
    return held;
}

/* Where the report lists the site with its whole call stack: its number, 0 nowhere. */
static size_t number_of(const struct lt_report *report, uint64_t site_id) {
    for (size_t i = 0; i < report->shown && report->by == LT_BY_STACK; i++)
        if (report->table->rows[i].site->id == site_id)
            return i + 1;
    return 0;
}

/* One line per call stack: its place, and where the whole of it stands. */
static void put_places(const struct lt_report *report, const struct lt_terminal *terminal,
                       const struct lt_socket_group *group, struct lt_pool *pool) {
    struct lt_share *shares;
    size_t count = lt_shares(report->model, lt_held_sockets(group, pool), group->count, pool, &shares);
    for (size_t i = 0; i < count && i < MOST_SITES; i++) {
        const char *place = lt_place_of_holder(report, &shares[i].holder, pool);
        fprintf(terminal->out, "%24s%5zu  ", "", shares[i].count);
        lt_paint_name(terminal, LT_PAINT_FAINT, place, strlen(place));
        size_t number = number_of(report, shares[i].site_id);
        if (number)
            fprintf(terminal->out, " (#%zu)", number);
        fputc('\n', terminal->out);
    }
    if (count > MOST_SITES)
        fprintf(terminal->out, "%24s%5s  %s\n", "", "", lt_human_count(count - MOST_SITES, "more call stack").text);
}

static void put_group(const struct lt_report *report, const struct lt_terminal *terminal,
                      const struct lt_socket_group *group, struct lt_pool *pool) {
    const char *waiting = "";
    bool is_bad = lt_is_close_wait(group->sockets[0]);
    if (group->waiting)
        waiting = lt_pool_format(pool, ", %s not read", lt_human_size(group->waiting).text);
    const char *facts =
        lt_pool_format(pool, "%s%s%s", lt_socket_ends(group, pool), lt_socket_age(group, pool), waiting);
    char *line = lt_pool_format(pool, "%6zu  %-12s %-12s %s", group->count, group->state[0] ? group->state : "-",
                                group->protocol, facts + strspn(facts, ", "));
    lt_paint_name(terminal, is_bad ? LT_PAINT_BAD : LT_PAINT_PLAIN, line, strlen(line));
    fputc('\n', terminal->out);
    put_places(report, terminal, group, pool);
}

static void put_groups(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    struct lt_socket_group *groups;
    size_t count = lt_socket_groups(report->model, pool, &groups), rest = 0;
    if (!count)
        return;
    fputc('\n', terminal->out);
    lt_paint(terminal, LT_PAINT_STRONG, "sockets by state and peer");
    fputc('\n', terminal->out);
    for (size_t i = 0; i < count; i++)
        if (!report->top || i < report->top)
            put_group(report, terminal, &groups[i], pool);
        else
            rest += groups[i].count;
    if (rest)
        fprintf(terminal->out, "%6zu  more in %s; --top 0 lists all\n", rest,
                lt_human_count(count - report->top, "group").text);
}

static void put_state(const struct lt_terminal *terminal, const char *state, uint64_t before, uint64_t after) {
    size_t length = strlen(state), width = lt_escaped_width(state, length);
    lt_paint_name(terminal, LT_PAINT_PLAIN, state, length);
    fprintf(terminal->out, "%*s %11" PRIu64 " %11" PRIu64 " %11s\n", width < 12 ? 12 - (int)width : 0, "", before,
            after, lt_human_count_change((int64_t)(after - before)).text);
}

/* How many sockets stood in each state then and now: both lists are in the order of their words. */
static void put_changes(const struct lt_report *report, const struct lt_terminal *terminal, struct lt_pool *pool) {
    struct lt_socket_state *older, *newer;
    size_t older_count = lt_socket_states(report->base, pool, &older), o = 0;
    size_t newer_count = lt_socket_states(report->model, pool, &newer), n = 0;
    if (!older_count && !newer_count)
        return;
    fprintf(terminal->out, "\n%-12s %11s %11s %11s\n", "sockets", "before", "after", "change");
    while (o < older_count || n < newer_count) {
        int order = o == older_count ? 1 : n == newer_count ? -1 : strcmp(older[o].state, newer[n].state);
        const char *state = order <= 0 ? older[o].state : newer[n].state;
        uint64_t before = order <= 0 ? older[o++].count : 0, after = order >= 0 ? newer[n++].count : 0;
        put_state(terminal, state, before, after);
    }
}

void lt_render_sockets(const struct lt_report *report, const struct lt_terminal *terminal) {
    struct lt_pool pool = {0};
    if (report->base)
        put_changes(report, terminal, &pool);
    else
        put_groups(report, terminal, &pool);
    lt_pool_free(&pool);
}
