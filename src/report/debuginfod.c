/* libdw asks the servers when it looks for the debug file of a file it has. When the file itself is gone, this asks.
 * The few calls are reached by dlsym, so that neither the build nor the program depends on a library that most machines
 * lack. */
#include "report/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

typedef int progress_fn(debuginfod_client *client, long done, long total);
typedef int find_fn(debuginfod_client *client, const unsigned char *build_id, int size, char **path);

/* The functions used of <elfutils/debuginfod.h>. */
struct debuginfod {
    debuginfod_client *(*begin)(void);
    void (*end)(debuginfod_client *client);
    find_fn *find_debuginfo, *find_executable;
    void (*set_progressfn)(debuginfod_client *client, progress_fn *fn);
    void (*set_user_data)(debuginfod_client *client, void *data);
    void *(*get_user_data)(debuginfod_client *client);
    bool usable;
};

static struct debuginfod library;

static bool find_symbol(void *handle, const char *name, void *slot) {
    void *symbol = dlsym(handle, name);
    *(void **)slot = symbol;
    return symbol != NULL;
}

/* Loads the library at the first call; warns once where it is missing. */
static bool load(struct lt_symbol_run *run) {
    static bool tried;
    if (tried)
        return library.usable;
    tried = true;
    void *handle = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);
    library.usable = handle && find_symbol(handle, "debuginfod_begin", &library.begin) &&
                     find_symbol(handle, "debuginfod_end", &library.end) &&
                     find_symbol(handle, "debuginfod_find_debuginfo", &library.find_debuginfo) &&
                     find_symbol(handle, "debuginfod_find_executable", &library.find_executable) &&
                     find_symbol(handle, "debuginfod_set_progressfn", &library.set_progressfn) &&
                     find_symbol(handle, "debuginfod_set_user_data", &library.set_user_data) &&
                     find_symbol(handle, "debuginfod_get_user_data", &library.get_user_data);
    if (!library.usable)
        lt_symbol_warn(run, "DEBUGINFOD_URLS is set, but nothing can be fetched: libdebuginfod.so.1 is not installed "
                            "(Debian: libdebuginfod1)");
    return library.usable;
}

/* Returning 0 lets the transfer go on. */
static int on_progress(debuginfod_client *client, long done, long total) {
    struct lt_symbol_run *run = library.get_user_data(client);
    run->progress.fetched_bytes = done > 0 ? (uint64_t)done : 0;
    run->progress.fetch_total_bytes = total > 0 ? (uint64_t)total : 0;
    lt_symbol_progress(run);
    return 0;
}

void lt_debuginfod_watch(struct lt_symbol_run *run, debuginfod_client *client) {
    if (!load(run) || !client)
        return;
    library.set_user_data(client, run);
    library.set_progressfn(client, on_progress);
}

int lt_debuginfod_fetch(struct lt_symbol_run *run, const uint8_t *build_id, size_t build_id_size, char **path) {
    debuginfod_client *client = load(run) ? library.begin() : NULL;
    if (!client)
        return -ENOSYS;
    lt_debuginfod_watch(run, client);
    int fd = library.find_debuginfo(client, build_id, (int)build_id_size, path);
    if (fd < 0)
        fd = library.find_executable(client, build_id, (int)build_id_size, path);
    library.end(client);
    run->progress.fetched_bytes = run->progress.fetch_total_bytes = 0;
    return fd;
}
