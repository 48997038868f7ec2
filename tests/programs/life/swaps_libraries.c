/* Two plugins take turns at the same address, 4000 times: each time the stacks through them are new ones. */
#include "busy.h"

#include <dlfcn.h>
#include <limits.h>

enum { TIMES = 4000 };

static char directory[PATH_MAX];

static void use(const char *name) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    void *library = dlopen(path, RTLD_NOW);
    void (*work)(void) = library ? (void (*)(void))dlsym(library, "work") : NULL;
    if (!work)
        die(dlerror());
    work();
    dlclose(library);
}

int main(void) {
    const ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (length <= 0)
        die("/proc/self/exe");
    *strrchr(directory, '/') = '\0';
    leak_a_thousand();
    for (int i = 0; i < TIMES; i++)
        use(i % 2 ? "libworks_here.so" : "libworks_there.so");
    return 0;
}
