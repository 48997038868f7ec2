#include "preload/real.h"

#include "preload/scope.h"

#include <stdint.h>

struct lt_real lt_real;
static void (*free_in_front)(void *); /* NULL: the program's free is ours */

/* The heap proper: a block of one of these is given to the others. */
static const char *const heap_family[] = {"malloc", "calloc", "realloc", "free"};

/* What the runtimes define that keep a shadow of the heap themselves. */
static const char *const sanitizers[] = {"__asan_init",   "__tsan_init", "__msan_init",
                                         "__hwasan_init", "__lsan_init", "__memprof_init"};

static const struct {
    const char *name;
    size_t offset; /* in struct lt_real */
} wanted[] = {
#define LT_HOOK(result, name, parameters, group, optional) {#name, offsetof(struct lt_real, name)},
#include "preload/hooks.def"
#undef LT_HOOK
};

static const struct link_map *behind_us(void) {
    const struct link_map *self = lt_scope_self();
    return self ? self->l_next : NULL;
}

void lt_real_resolve(void) {
    const struct link_map *next = behind_us(), *provider;
    for (size_t i = 0; i < LT_ARRAY_SIZE(wanted); i++)
        *(void **)((char *)&lt_real + wanted[i].offset) = lt_scope_find(next, wanted[i].name, &provider);
    void *first = lt_scope_find(lt_scope_first(), "free", &provider);
    if (provider != lt_scope_self())
        free_in_front = (void (*)(void *))first;
}

void lt_real_free_of_program(void *block) {
    void (*real)(void *) = LT_REAL(free);
    (free_in_front ? free_in_front : real)(block);
}

/* Go's race detector is ThreadSanitizer without its shadow of C's heap: __tsan_go_start tells it. */
static bool has_sanitizer(void) {
    const struct link_map *provider, *first = lt_scope_first();
    if (lt_scope_find(first, "__tsan_go_start", &provider))
        return false;
    for (size_t i = 0; i < LT_ARRAY_SIZE(sanitizers); i++)
        if (lt_scope_find(first, sanitizers[i], &provider))
            return true;
    return false;
}

const char *lt_real_heap_objection(const char **culprit, bool *everything_off) {
    const struct link_map *front = NULL, *family = NULL, *provider;
    *culprit = NULL;
    *everything_off = has_sanitizer();
    if (*everything_off)
        return "a sanitizer's runtime is in the process: libleaktrack.so does nothing";
    lt_scope_find(lt_scope_first(), "malloc", &front);
    if (front && front != lt_scope_self()) {
        *culprit = front->l_name;
        return "heap not tracked: the executable, or a library preloaded before libleaktrack.so, brings its own malloc";
    }
    for (size_t i = 0; i < LT_ARRAY_SIZE(heap_family); i++) {
        lt_scope_find(behind_us(), heap_family[i], &provider);
        if (!family)
            family = provider;
        *culprit = provider->l_name;
        if (provider != family)
            return "heap not tracked: malloc, calloc, realloc and free come from several objects";
    }
    *culprit = NULL;
    return NULL;
}

const char *lt_real_unseen_new(void) {
    const struct link_map *heap, *server, *cxx_library;
    lt_scope_find(behind_us(), "malloc", &heap);
    if (!lt_scope_find(lt_scope_first(), "_Znwm", &server) || server != heap)
        return NULL;
    if (!lt_scope_find(server->l_next, "_Znwm", &cxx_library))
        return NULL;
    for (const struct link_map *object = lt_scope_first(); object; object = object->l_next)
        if (object != heap && lt_scope_needs(object, cxx_library))
            return heap->l_name;
    return NULL;
}
