/* What tests of the report share: a symbolizer that knows just the names a test gives it, and a report made from
 * descriptions of dumps (support/make_dump.h) without files. */
#ifndef LT_TESTS_REPORT_FIXTURE_H
#define LT_TESTS_REPORT_FIXTURE_H

#include "report/allocator.h"
#include "report/diff.h"
#include "report/message.h"
#include "report/nameless.h"
#include "report/names.h"
#include "report/policy.h"
#include "report/recorded.h"
#include "report/render.h"
#include "report/runtime.h"
#include "support/make_dump.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the linked symbolizer knows: lines "MODULE+0xOFFSET|FUNCTION|FILE:LINE", and for inlined functions, innermost
 * first, further "|FUNCTION|FILE:LINE" behind; MODULE is the last part of its path, FILE:LINE may be "-". Static. */
void fake_names(const char *names);

/* How many queries it got since fake_names. */
size_t fake_queries(void);

/* One dump, parsed. */
struct fake_dump {
    struct lt_made_dump made;
    struct lt_loaded loaded;
};

struct fake_report {
    struct fake_dump newer, older;
    struct lt_model model, base;
    struct lt_symbolizer *symbolizer;
    struct lt_table table;
    struct lt_selection selection;
    struct lt_filter filter;
    enum lt_by by;
    enum lt_sort sort;
    bool list;
    bool hints; /* of missing names */
    struct lt_pool pool;
    bool everything; /* rows that hold nothing too */
    size_t top;      /* 0: all */
    size_t shown;    /* made */
};

void fake_dump_make(struct fake_dump *, const char *description);
void fake_dump_free(struct fake_dump *);

/* Builds models and table as a session does; `older` NULL: no comparison. Set selection, filter, by and sort before. */
void fake_report_make(struct fake_report *, const char *newer, const char *older);
void fake_report_free(struct fake_report *);

/* The rendered text, for a terminal `width` columns wide (0: a pipe), or as JSON. To be freed. */
char *fake_text(struct fake_report *, size_t width, bool color);
char *fake_json(struct fake_report *);

/* Makes a report, compares its text with tests/golden/report/GOLDEN.txt and frees it. LEAKTRACK_UPDATE_GOLDEN=1 writes
 * those files anew; read the difference before you commit it. */
void assert_golden_text(struct fake_report *, const char *newer, const char *older, size_t width, const char *golden);

#endif
