/* The hooks that keep the unwinder from reading what is not there any more: it remembers the bounds of the stacks it
 * has seen, and is told before any of that is unmapped, moved or protected; and which modules are loaded, and is told
 * after one may be gone. Mappings as a resource are not tracked here.
 *
 * An allocator calls these with its locks held and before libc is initialised, so they start nothing and take nothing.
 */
#include "preload/hooks.h"
#include "preload/life.h"
#include "preload/real.h"

#include <stdarg.h>
#include <sys/mman.h>

static void range_gone(const void *start, size_t size) {
    if (lt_state == LT_STATE_ON)
        lt_unwind_range_gone((uintptr_t)start, (uintptr_t)start + size);
}

LT_EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
    if (flags & MAP_FIXED)
        range_gone(address, size);
    return LT_REAL(mmap)(address, size, protection, flags, fd, offset);
}

LT_EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset) {
    if (flags & MAP_FIXED)
        range_gone(address, size);
    return LT_REAL(mmap64)(address, size, protection, flags, fd, offset);
}

LT_EXPORT int munmap(void *address, size_t size) {
    range_gone(address, size);
    return LT_REAL(munmap)(address, size);
}

LT_EXPORT void *mremap(void *old, size_t old_size, size_t new_size, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(arguments, void *) : NULL;
    va_end(arguments);
    range_gone(old, old_size);
    if (flags & MREMAP_FIXED)
        range_gone(wanted, new_size);
    return LT_REAL(mremap)(old, old_size, new_size, flags, wanted);
}

LT_EXPORT int mprotect(void *address, size_t size, int protection) {
    if (!(protection & PROT_READ))
        range_gone(address, size);
    return LT_REAL(mprotect)(address, size, protection);
}

LT_EXPORT int pkey_mprotect(void *address, size_t size, int protection, int key) {
    range_gone(address, size);
    return LT_REAL(pkey_mprotect)(address, size, protection, key);
}

LT_EXPORT int dlclose(void *library) {
    int result = LT_REAL(dlclose)(library);
    if (result == 0 && lt_state == LT_STATE_ON)
        lt_unwind_modules_changed();
    return result;
}
