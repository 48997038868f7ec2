/* See judge.h. Both judges speak addr2line's output: an address, then two lines per frame, innermost first.
 *
 * Known differences that are no faults: our names have scopes where the judge's have none ("f" against "N::f"); a
 * function that DWARF knows is called by that name, not by that of a compiler's clone ("f" against "f.part.0",
 * "f.cold"); code without DWARF has no file for us, the judges show the symbol table's ("crtstuff.c:?"); a relative
 * compilation directory is prepended once by libdw, twice by the judges. */
#include "unit/symbolize/judge.h"

#include "report/demangle.h"
#include "unit/symbolize/shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_MAX_LENGTH = 64 * 1024, SHOWN_MAX = 5 };

struct judging {
    enum judge_kind kind;
    FILE *output;
    size_t frames, differences, excused;
    char function[LINE_MAX_LENGTH], place[LINE_MAX_LENGTH];
};

static const char *judge_program(enum judge_kind kind) {
    if (kind == JUDGE_ADDR2LINE)
        return "addr2line";
    return shop_has("llvm-symbolizer") ? "llvm-symbolizer" : "llvm-symbolizer-14";
}

bool judge_is_here(enum judge_kind kind) {
    bool here = shop_has(judge_program(kind));
    if (!here)
        print_message("not compared with %s: it is not installed\n", judge_program(kind));
    return here;
}

static FILE *ask_judge(enum judge_kind kind, const char *file, const uint64_t *addresses, size_t count) {
    FILE *questions = fopen(shop_path("addresses"), "w");
    assert_non_null(questions);
    for (size_t i = 0; i < count; i++)
        fprintf(questions, "0x%llx\n", (unsigned long long)addresses[i]);
    fclose(questions);
    const char *options = kind == JUDGE_ADDR2LINE ? "-afi" : "--output-style=GNU --no-demangle -afi";
    char command[4 * SHOP_PATH_MAX];
    snprintf(command, sizeof command, "%s %s -e '%s' <'%s' 2>/dev/null", judge_program(kind), options, file,
             shop_path("addresses"));
    return popen(command, "r");
}

static bool read_line(FILE *file, char line[LINE_MAX_LENGTH]) {
    if (!fgets(line, LINE_MAX_LENGTH, file))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

/* Reads the next frame; false at the next address, which is left unread, and at the end. */
static bool next_frame(struct judging *judging) {
    int first = getc(judging->output), second = getc(judging->output);
    if (first == '0' && second == 'x') {
        ungetc('x', judging->output);
        ungetc('0', judging->output);
        return false;
    }
    ungetc(second, judging->output);
    ungetc(first, judging->output);
    return read_line(judging->output, judging->function) && read_line(judging->output, judging->place);
}

/* Splits "file:12 (discriminator 3)" into file and line; a line that is not known is 0. */
static unsigned split_place(char *place) {
    char *discriminator = strstr(place, " (discriminator");
    if (discriminator)
        *discriminator = '\0';
    char *colon = strrchr(place, ':');
    assert_non_null(colon);
    *colon = '\0';
    return (unsigned)strtoul(colon + 1, NULL, 10);
}

/* Drops "." and ".." and double slashes, in place. */
static void normalize(char *path) {
    char copy[LINE_MAX_LENGTH], *rest = copy, *end = path;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *part; (part = strsep(&rest, "/")) != NULL;) {
        char *slash = end > path ? memrchr(path, '/', (size_t)(end - path)) : NULL;
        if (strcmp(part, "..") == 0 && slash)
            end = slash;
        else if (part[0] && strcmp(part, ".") != 0)
            end += sprintf(end, "/%s", part);
    }
    *end = '\0';
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static bool same_file(const char *ours, char *theirs) {
    if (!ours)
        return true; /* the caller has compared the lines: neither knows one */
    char mine[LINE_MAX_LENGTH];
    bool relative = ours[0] != '/';
    snprintf(mine, sizeof mine, "%s", ours);
    normalize(mine);
    normalize(theirs);
    return strcmp(mine, theirs) == 0 || (relative && ends_with(theirs, mine));
}

/* "f.part.0" and "f(int) [clone .part.0]" become "f" and "f(int)". */
static void drop_clone(char *name) {
    static const char *const marks[] = {" [clone", ".constprop.", ".isra.", ".part.", ".cold", ".lto_priv.", ".abi0"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char *mark = strstr(name, marks[i]);
        if (mark && mark > name)
            *mark = '\0';
    }
}

static bool same_function(const char *ours, const char *theirs) {
    char mine[LINE_MAX_LENGTH], other[LINE_MAX_LENGTH];
    char *demangled = lt_demangle(theirs);
    snprintf(mine, sizeof mine, "%s", ours ? ours : "??");
    snprintf(other, sizeof other, "%s", demangled ? demangled : theirs);
    free(demangled);
    drop_clone(mine);
    drop_clone(other);
    size_t length = strlen(mine), other_length = strlen(other);
    bool scoped = length > other_length + 2 && strncmp(mine + length - other_length - 2, "::", 2) == 0;
    return strcmp(mine, other) == 0 || (scoped && ends_with(mine, other));
}

static void complain(struct judging *judging, uint64_t address, size_t frame, const struct lt_symbol_line *ours) {
    if (judging->differences++ >= SHOWN_MAX)
        return;
    print_message("0x%llx frame %zu: ours %s %s:%u, the judge's %s %s\n", (unsigned long long)address, frame,
                  ours && ours->function ? ours->function : "??", ours && ours->file ? ours->file : "??",
                  ours ? ours->line : 0, judging->function, judging->place);
}

static bool same_frame(struct judging *judging, const struct lt_symbol_line *ours) {
    unsigned line = split_place(judging->place);
    bool same = same_file(ours->file, judging->place);
    if (judging->kind == JUDGE_ADDR2LINE && !same && ours->line == line) {
        judging->excused++;
        return true;
    }
    return same && ours->line == line &&
           (judging->kind == JUDGE_ADDR2LINE || same_function(ours->function, judging->function));
}

static void compare_query(struct judging *judging, const struct lt_symbol_query *query) {
    char header[LINE_MAX_LENGTH];
    assert_true(read_line(judging->output, header));
    assert_int_equal(strtoull(header, NULL, 16), query->offset - 1);
    size_t frame = 0;
    for (; next_frame(judging); frame++) {
        const struct lt_symbol_line *ours = frame < query->line_count ? &query->lines[frame] : NULL;
        if (!ours || !same_frame(judging, ours) || ours->inlined != (frame + 1 < query->line_count))
            complain(judging, query->offset - 1, frame, ours);
    }
    if (frame < query->line_count) {
        snprintf(judging->function, sizeof judging->function, "no frame");
        complain(judging, query->offset - 1, frame, &query->lines[frame]);
    }
    judging->frames += frame;
}

size_t judge_frames(enum judge_kind kind, const char *judged_file, const struct lt_dump_module *module,
                    const struct lt_symbolizer_options *options, const uint64_t *addresses, size_t count) {
    struct lt_symbol_query *queries = calloc(count, sizeof *queries);
    struct judging *judging = calloc(1, sizeof *judging);
    assert_true(queries && judging);
    for (size_t i = 0; i < count; i++)
        queries[i] = (struct lt_symbol_query){.module = module, .offset = addresses[i] + 1};
    struct lt_symbolizer *symbolizer = lt_symbolizer_new(options ? options : &(struct lt_symbolizer_options){0});
    assert_non_null(symbolizer);
    assert_int_equal(lt_symbolizer_resolve(symbolizer, queries, count), 0);
    judging->kind = kind;
    judging->output = ask_judge(kind, judged_file, addresses, count);
    assert_non_null(judging->output);
    for (size_t i = 0; i < count; i++)
        compare_query(judging, &queries[i]);
    assert_int_equal(pclose(judging->output), 0);
    size_t frames = judging->frames, differences = judging->differences;
    if (judging->excused * 50 > frames)
        differences += judging->excused;
    lt_symbolizer_free(symbolizer);
    free(judging);
    free(queries);
    if (differences)
        fail_msg("%zu of %zu frames differ from %s's", differences, frames, judge_program(kind));
    return frames;
}
