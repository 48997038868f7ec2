/* The vDSO: the page of code that the kernel maps into every process and that reads clocks without a system call.
 *
 * libc's clock_gettime uses it too, but a preloaded library (libfaketime) may interpose that one, and it writes errno.
 */
#ifndef LT_OS_VDSO_H
#define LT_OS_VDSO_H

/* The address of the function `name` in the vDSO, or NULL: under Valgrind and some sandboxes there is none. */
void *lt_vdso_find(const char *name);

#endif
