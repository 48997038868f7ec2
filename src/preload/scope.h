/* The global scope of the process: the loader's list of objects, and what they define.
 *
 * The start-up objects stand in that list in the order in which the loader searches them: the executable, the preloaded
 * libraries, then the dependencies, breadth first. So a walk that starts behind an object finds what dlsym(RTLD_NEXT)
 * finds from it, without the loader's lock, without memory, and without leaving an error in dlerror(). Meant for
 * start-up: what is loaded later with dlopen stands at the end of the list whether it belongs to the global scope or
 * not.
 *
 * x86-64 glibc; any thread, while no other thread is in dlopen or dlclose. */
#ifndef LT_PRELOAD_SCOPE_H
#define LT_PRELOAD_SCOPE_H

#include <link.h>
#include <stdbool.h>

/* The executable, first of the list; this library's own entry. NULL where the loader does not know us. */
const struct link_map *lt_scope_first(void);
const struct link_map *lt_scope_self(void);

/* The first definition of `name` in `from` and the objects behind it, or NULL; *provider is the object it is in (NULL
 * too). A symbol with versions counts by its default one; an IFUNC is resolved. */
void *lt_scope_find(const struct link_map *from, const char *name, const struct link_map **provider);

/* Whether `object` names `library` among those it needs. */
bool lt_scope_needs(const struct link_map *object, const struct link_map *library);

#endif
