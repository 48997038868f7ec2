/* One call stack as text, a line per frame:
 *
 *     make_answer     /src/leaky.c:23
 *     handle_request  /src/leaky.c:34 (inlined)
 *     main            /src/leaky.c:42
 *     libc.so.6+0x27249
 *     ... 5 outer frames as in #1
 *
 * The C library's way to main is left out: it is the same in every program. Into a pipe everything is printed whole. On
 * a terminal a line keeps to its width: first the path loses its folders, then the function its end. */
#include "base/attrs.h"
#include "report/human.h"
#include "report/message.h"
#include "report/render.h"
#include "report/runtime.h"
#include "report/shorten.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 6, NAME_COLUMN = 36, LEAST_SHARED = 4, LEAST_NAME = 16, LONGEST_CYCLE = 24, LONGEST_START = 3 };

static const char ellipsis[] = "...";

static bool same_frame(const struct lt_frame *a, const struct lt_frame *b) {
    if (a->function != b->function || a->file != b->file || a->line != b->line || a->inlined != b->inlined)
        return false;
    return a->function ? a->module == b->module : a->module == b->module && a->offset == b->offset;
}

static size_t shared_frames(const struct lt_stack *a, const struct lt_stack *b) {
    size_t shared = 0;
    while (shared < a->count && shared < b->count &&
           same_frame(&a->frames[a->count - 1 - shared], &b->frames[b->count - 1 - shared]))
        shared++;
    return shared;
}

static char *name_of(const struct lt_frame *frame) {
    char *name = NULL;
    int length = frame->function ? asprintf(&name, "%s", frame->function)
                 : frame->module
                     ? asprintf(&name, "%s+0x%llx", lt_module_name(frame->module), (unsigned long long)frame->offset)
                     : asprintf(&name, "0x%llx", (unsigned long long)frame->offset);
    if (length < 0)
        lt_die_of_memory();
    lt_shorten(name);
    return name;
}

/* The module is worth a word where no source line tells more, or where it is not the program itself. */
static const char *module_of(const struct lt_report *report, const struct lt_frame *frame) {
    if (!frame->module)
        return "anonymous code";
    if (!frame->function)
        return NULL; /* its name says so */
    if (frame->file && frame->module->path && strcmp(frame->module->path, report->model->dump->process.exe) == 0)
        return NULL;
    return lt_module_name(frame->module);
}

/* FILE:LINE [MODULE] (inlined) (N times), as far as they are known. `file` may be shorter than the frame's. */
static char *place_of(const struct lt_report *report, const struct lt_frame *frame, const char *file, size_t repeats) {
    const char *module = module_of(report, frame);
    char line[16] = "", times[48] = "", *place = NULL;
    if (frame->line)
        snprintf(line, sizeof line, ":%u", frame->line);
    if (repeats > 1)
        snprintf(times, sizeof times, " (%zu times)", repeats);
    if (asprintf(&place, "%s%s%s%s%s%s%s%s", file ? file : "", file ? line : "", module && file ? " " : "",
                 module ? "[" : "", module ? module : "", module ? "]" : "", frame->inlined ? " (inlined)" : "",
                 times) < 0)
        lt_die_of_memory();
    return place;
}

/* As many of the last folders of `file` as fit into `columns`, at least its own name. */
static const char *short_path(const char *file, size_t columns) {
    const char *last = lt_base_name(file);
    for (const char *at = strchr(file, '/'); at && at < last; at = strchr(at + 1, '/'))
        if (at > file && lt_escaped_width(at + 1, strlen(at + 1)) <= columns)
            return at + 1;
    return last;
}

/* The place in at most `columns` (0: as many as it takes) if it can be. */
static char *short_place(const struct lt_report *report, const struct lt_frame *frame, size_t repeats, size_t columns) {
    char *place = place_of(report, frame, frame->file, repeats);
    size_t width = lt_escaped_width(place, strlen(place));
    if (!columns || width <= columns || !frame->file)
        return place;
    free(place);
    size_t rest = width - lt_escaped_width(frame->file, strlen(frame->file));
    return place_of(report, frame, short_path(frame->file, columns > rest ? columns - rest : 0), repeats);
}

static void put_padding(FILE *out, size_t count) {
    fprintf(out, "%*s", (int)count, "");
}

/* Prints `name` in at most `room` columns (0: as many as it takes); returns how many it took. */
static size_t put_name(const struct lt_terminal *terminal, const char *name, size_t room, enum lt_paint paint) {
    size_t length = strlen(name), width = lt_escaped_width(name, length);
    if (!room || width <= room) {
        lt_paint_name(terminal, paint, name, length);
        return width;
    }
    length = lt_fit_start(name, room - (sizeof ellipsis - 1));
    lt_paint_name(terminal, paint, name, length);
    fputs(ellipsis, terminal->out);
    return lt_escaped_width(name, length) + sizeof ellipsis - 1;
}

/* `column`: where places start, counted from the names. */
static void put_frame(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_frame *frame,
                      size_t column, size_t repeats, bool is_place) {
    char *name = name_of(frame);
    size_t width = lt_escaped_width(name, strlen(name)), room = 0, columns = 0;
    if (terminal->width) { /* a place may always have what the longest aligned names leave */
        columns = terminal->width - INDENT - 2;
        size_t most = columns * 2 / 3, wanted = width > column ? width : column;
        columns -= wanted < most ? wanted : most;
    }
    char *place = short_place(report, frame, repeats, columns);
    if (terminal->width) {
        size_t taken = INDENT + 2 + lt_escaped_width(place, strlen(place));
        room = terminal->width > taken + LEAST_NAME ? terminal->width - taken : LEAST_NAME;
    }
    put_padding(terminal->out, INDENT);
    width = put_name(terminal, name, room, is_place ? LT_PAINT_STRONG : LT_PAINT_PLAIN);
    if (place[0]) {
        const char *start = place + (place[0] == ' ');
        put_padding(terminal->out, (width < column && (!room || column <= room) ? column - width : 0) + 2);
        lt_paint_name(terminal, LT_PAINT_FAINT, start, strlen(start));
    }
    fputc('\n', terminal->out);
    free(name);
    free(place);
}

static size_t column_of(const struct lt_stack *stack, size_t count) {
    size_t column = 0;
    for (size_t i = 0; i < count; i++) {
        char *name = stack->frames[i].function ? name_of(&stack->frames[i]) : NULL;
        size_t width = name ? lt_escaped_width(name, strlen(name)) : 10;
        free(name);
        if (width > column && width <= NAME_COLUMN)
            column = width;
    }
    return column;
}

/* A run of frames that recursion repeats: `length` frames, `times` times over. */
struct cycle {
    size_t length, times;
};

static bool same_frames(const struct lt_frame *a, const struct lt_frame *b, size_t count) {
    while (count && same_frame(a, b)) {
        a++;
        b++;
        count--;
    }
    return count == 0;
}

/* The shortest cycle that starts at the first of `count` frames and is worth folding; {1, 1} where there is none. */
static struct cycle cycle_at(const struct lt_frame *frames, size_t count) {
    for (size_t length = 1; length <= LONGEST_CYCLE && 2 * length <= count; length++) {
        size_t times = 1;
        while ((times + 1) * length <= count && same_frames(frames, frames + times * length, length))
            times++;
        if (times > 1 && (length == 1 || (times - 1) * length >= LEAST_SHARED))
            return (struct cycle){length, times};
    }
    return (struct cycle){1, 1};
}

static void put_frames(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_stack *stack,
                       size_t count) {
    const struct lt_frame *place = lt_stack_place(stack);
    size_t column = column_of(stack, count);
    for (size_t i = 0; i < count;) {
        struct cycle cycle = cycle_at(&stack->frames[i], count - i);
        for (size_t k = i; k < i + cycle.length; k++)
            put_frame(report, terminal, &stack->frames[k], column, cycle.length == 1 ? cycle.times : 1,
                      &stack->frames[k] == place);
        if (cycle.length > 1)
            fprintf(terminal->out, "%*s... these %zu frames %s\n", INDENT, "", cycle.length,
                    lt_human_count(cycle.times - 1, "more time").text);
        i += cycle.length * cycle.times;
    }
}

/* What of the C library calls main, or a thread's first function. */
static bool is_start(const struct lt_frame *frame) {
    static const char *const names[] = {"__libc_start_call_main",
                                        "__libc_start_main_impl",
                                        "__libc_start_main",
                                        "start_thread",
                                        "__clone3",
                                        "clone3",
                                        "__clone",
                                        "clone"};
    for (size_t i = 0; frame->function && i < LT_ARRAY_SIZE(names); i++)
        if (strcmp(frame->function, names[i]) == 0)
            return true;
    return false;
}

/* How many frames are left without those behind main, or behind a thread's first function. Where one side has no names,
 * the other's tell. */
static size_t frames_to_start(const struct lt_stack *stack) {
    for (size_t i = stack->count > LONGEST_START ? stack->count - LONGEST_START : 1; i < stack->count; i++) {
        const struct lt_frame *inner = &stack->frames[i - 1], *frame = &stack->frames[i];
        bool is_behind_main = inner->function && strcmp(inner->function, "main") == 0;
        if (lt_is_runtime_module(frame->module) && (is_behind_main || is_start(frame)))
            return i;
    }
    return stack->count;
}

static void put_end(const struct lt_report *report, const struct lt_terminal *terminal, const struct lt_row *row,
                    size_t frames, size_t shared, size_t previous) {
    FILE *out = terminal->out;
    if (shared)
        fprintf(out, "%*s... %zu outer frames as in #%zu\n", INDENT, "", shared, previous);
    if (row->site->truncated)
        fprintf(out, "%*s... outer frames are missing\n", INDENT, "");
    if (frames)
        return;
    bool is_empty = row->site->node == 0;
    bool filtered = report->filter->patterns[LT_FILTER_SHOW] || report->filter->patterns[LT_FILTER_HIDE];
    fprintf(out, "%*s(%s)\n", INDENT, "",
            !is_empty && filtered ? "no frame left by --show and --hide" : "no frame was recorded");
}

void lt_render_stack(const struct lt_report *report, const struct lt_terminal *terminal,
                     struct lt_stack_printer *printer, const struct lt_row *row, size_t number) {
    struct lt_stack *stack = &printer->stack;
    lt_stack_get(stack, row->site, report->filter);
    stack->count = frames_to_start(stack);
    size_t shared = printer->previous_number ? shared_frames(stack, &printer->previous) : 0;
    if (shared == stack->count && shared)
        shared--; /* at least one frame of its own */
    if (shared < LEAST_SHARED)
        shared = 0;
    /* what the stack before did not print itself stands where that one says */
    size_t where = shared <= printer->left_out && shared ? printer->left_out_number : printer->previous_number;
    put_frames(report, terminal, stack, stack->count - shared);
    put_end(report, terminal, row, stack->count, shared, where);
    struct lt_stack swap = printer->previous;
    printer->previous = *stack;
    printer->stack = swap;
    printer->previous_number = number;
    printer->left_out = shared;
    printer->left_out_number = where;
}
