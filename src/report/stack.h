/* A site's call stack as a person reads it: one frame per source line, inline functions included, frames of
 * libleaktrack and those that --show and --hide leave out missing. */
#ifndef LT_REPORT_STACK_H
#define LT_REPORT_STACK_H

#include "report/filter.h"
#include "report/model.h"

struct lt_frame {
    const char *function, *file;         /* NULL where unknown; live as long as the symbolizer */
    unsigned line;                       /* 0 where unknown */
    bool inlined;                        /* into the function of the next frame */
    const struct lt_dump_module *module; /* NULL: a bare address */
    uint64_t offset;                     /* of the return address in the module's file, or the bare address */
};

struct lt_stack {
    struct lt_frame *frames; /* innermost first */
    size_t count, capacity;
};

/* Fills in the frames of `site`, whose names must be resolved. A zeroed stack is an empty one; it can be used again and
 * again. */
void lt_stack_get(struct lt_stack *, const struct lt_site *, const struct lt_filter *);
void lt_stack_free(struct lt_stack *);

/* The frame a person would call the place of the acquisition: the innermost one that belongs neither to the C or C++
 * library nor to operator new; the innermost where there is no other. NULL for an empty stack. */
const struct lt_frame *lt_stack_place(const struct lt_stack *);

/* The last part of a path; of a module: its file's name, or the words for a module without one. */
const char *lt_base_name(const char *path);
const char *lt_module_name(const struct lt_dump_module *);

#endif
