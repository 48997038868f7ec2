#include "report/runtime.h"

#include "base/attrs.h"
#include "report/names.h"
#include "report/stack.h"

#include <string.h>

/* Functions of glibc whose acquisitions stay with the library. Of a public function that ends in a jump only the
 * internal one has a frame, and only glibc's debug information knows its name. */
static const char *const keepers[] = {
    "_IO_file_doallocate", /* the buffer of a stream; exit() flushes and does not free */
    "_dl_allocate_tls",    /* a thread's TLS vector, cached with its stack after the join */
    "__cxa_atexit",        /* the list of handlers, 32 at a time */
    "new_exitfn",
    "setlocale", /* the loaded locale */
    "setenv",    /* the environment has no owner */
    "putenv",
    "add_to_environ", /* where both jump to */
    "tzset",          /* the zone's rules */
    "tzset_internal",
    "localtime",
    "localtime_r",
    "mktime",
    "bindtextdomain", /* message catalogues */
    "textdomain",
    "dcgettext",
    "dcigettext",
    "getpwnam", /* the buffer behind the static result, and the NSS modules */
    "getpwuid",
    "getgrnam",
    "getgrgid",
};

bool lt_is_runtime_module(const struct lt_dump_module *module) {
    static const char *const names[] = {"libc.so.",     "libc-2.",     "libpthread.so.", "ld-linux",    "ld-2.",
                                        "libstdc++.so", "libgcc_s.so", "libc++.so",      "libc++abi.so"};
    const char *name = module ? lt_module_name(module) : "";
    for (size_t i = 0; i < LT_ARRAY_SIZE(names); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

struct runtime {
    struct lt_model *model;
    bool *is_runtime; /* per module */
    bool *is_startup; /* per node: the loader called it, through run-time libraries only */
};

static uint32_t parent_of(const struct runtime *runtime, uint32_t node) {
    return runtime->model->dump->nodes[node].parent;
}

/* Whether the walk from the innermost frame is still inside the run-time libraries. */
static bool is_inside(const struct runtime *runtime, uint32_t node) {
    uint32_t module = runtime->model->dump->nodes[node].module;
    return node && (runtime->is_runtime[module] || runtime->model->own_module[module]);
}

/* A function that ends in a jump to the library has no frame: below a thread's start that leaves a stack of libc's own
 * frames to a block that is the program's. Only what the loader called is start-up code. */
static bool is_from_loader(const struct runtime *runtime, uint32_t outermost) {
    const struct lt_dump *dump = runtime->model->dump;
    return strncmp(lt_module_name(&dump->modules[dump->nodes[outermost].module]), "ld-", 3) == 0;
}

static void survey(struct runtime *runtime, struct lt_pool *scratch) {
    const struct lt_dump *dump = runtime->model->dump;
    runtime->is_runtime = lt_pool_alloc(scratch, dump->module_count, sizeof *runtime->is_runtime);
    runtime->is_startup = lt_pool_alloc(scratch, dump->node_count, sizeof *runtime->is_startup);
    for (size_t i = 1; i < dump->module_count; i++)
        runtime->is_runtime[i] = lt_is_runtime_module(&dump->modules[i]);
    for (uint32_t i = 1; i < dump->node_count; i++) {
        uint32_t parent = parent_of(runtime, i);
        runtime->is_startup[i] =
            is_inside(runtime, i) && (parent ? runtime->is_startup[parent] : is_from_loader(runtime, i));
    }
}

/* glibc's debug information knows a function by its internal alias: __GI_setlocale, __GI___setenv, __tzset. */
static bool is_keeper(const char *function) {
    if (function && strncmp(function, "__GI_", 5) == 0)
        function += 5;
    if (function && strncmp(function, "__cxa_", 6) != 0 && strncmp(function, "__", 2) == 0)
        function += 2;
    for (size_t i = 0; function && i < LT_ARRAY_SIZE(keepers); i++)
        if (strcmp(function, keepers[i]) == 0)
            return true;
    return false;
}

static bool has_keeper(const struct runtime *runtime, uint32_t from) {
    for (uint32_t node = from; is_inside(runtime, node); node = parent_of(runtime, node)) {
        const struct lt_resolved *resolved = &runtime->model->resolved[node];
        for (uint32_t i = 0; resolved->lines && i < resolved->line_count; i++)
            if (is_keeper(resolved->lines[i].function))
                return true;
    }
    return false;
}

/* Marks single nodes, where lt_names_need would ask for whole stacks. */
static void need_inner_names(const struct runtime *runtime, uint32_t from) {
    for (uint32_t node = from; is_inside(runtime, node); node = parent_of(runtime, node))
        runtime->model->resolved[node].is_needed = true;
}

void lt_runtime_mark(struct lt_model *model, struct lt_symbolizer *symbolizer) {
    struct runtime runtime = {.model = model};
    struct lt_pool scratch = {0};
    survey(&runtime, &scratch);
    for (size_t i = 0; i < model->site_count; i++)
        if (model->sites[i].figures.live.count)
            need_inner_names(&runtime, model->sites[i].node);
    lt_names_resolve(symbolizer, (struct lt_model *[]){model}, 1);
    for (size_t i = 0; i < model->site_count; i++) {
        struct lt_site *site = &model->sites[i];
        bool is_startup = site->node && runtime.is_startup[site->node] && !site->truncated;
        if (is_startup || has_keeper(&runtime, site->node))
            site->figures.kept = site->figures.live;
        site->figures.sites = site->figures.live.count > site->figures.kept.count;
    }
    lt_pool_free(&scratch);
}
