#include "preload/libunwind.h"

#include "base/attrs.h"
#include "preload/log.h"

#include <dlfcn.h>
#include <stddef.h>

enum { UNW_CACHE_PER_THREAD = 2 }; /* libunwind-common.h */

/* With the global cache, which is its default, libunwind <= 1.8.3 holds a lock across dl_iterate_phdr. */
static void use_cache_per_thread(void *library) {
    int (*set_policy)(void *space, int policy) = (int (*)(void *, int))dlsym(library, "_ULx86_64_set_caching_policy");
    void **space = dlsym(library, "_ULx86_64_local_addr_space");
    if (set_policy && space)
        set_policy(*space, UNW_CACHE_PER_THREAD);
}

int (*lt_libunwind_load(void))(void **, int) {
    void *frames[4];
    void *library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    int (*backtrace)(void **, int) = library ? (int (*)(void **, int))dlsym(library, "unw_backtrace") : NULL;
    if (!backtrace) {
        lt_log("LEAKTRACK_UNWINDER=libunwind", dlerror(), 0);
        return NULL;
    }
    use_cache_per_thread(library);
    backtrace(frames, LT_ARRAY_SIZE(frames)); /* its first call sets up tables and opens a pipe: now, not in a hook */
    return backtrace;
}
