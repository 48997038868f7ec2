/* A program that uses every word of include/leaktrack.h and links nothing of the project. rules.public_header compiles
 * it as C99, C11 and C++17 without extensions and runs it without the library: every call must vanish. */
#include <leaktrack.h>

int main(void) {
    int failures = 0;
    size_t size = sizeof(enum leaktrack_kind);
    const void *handle = &size;
    if (leaktrack_version)
        failures += leaktrack_version() == NULL;
    if (leaktrack_dump)
        failures += leaktrack_dump(0);
    if (leaktrack_pause && leaktrack_resume) {
        leaktrack_pause();
        leaktrack_resume();
    }
    if (leaktrack_acquire && leaktrack_release && leaktrack_ignore) {
        leaktrack_acquire(LEAKTRACK_HEAP, handle, size);
        leaktrack_ignore(LEAKTRACK_HEAP, handle);
        leaktrack_release(LEAKTRACK_HEAP, handle);
    }
    if (leaktrack_live_count)
        failures += leaktrack_live_count(LEAKTRACK_HEAP) < -1;
    return failures ? LEAKTRACK_EXIT_BREACHED : LEAKTRACK_EXIT_OK;
}
