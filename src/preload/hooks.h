/* The hooks as C declarations, all of them with default visibility, expanded from hooks.def; and what a hook needs to
 * know about its caller. */
#ifndef LT_PRELOAD_HOOKS_H
#define LT_PRELOAD_HOOKS_H

#include "base/attrs.h"
#include "unwind/unwind.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct file_handle;
struct mmsghdr;
struct msghdr;
struct rlimit;
struct rlimit64;
struct sigevent;
struct sockaddr;
struct termios;
struct timespec;
struct winsize;
struct __dirstream; /* DIR */

#define LT_HOOK(result, name, parameters, group, optional) LT_EXPORT result name parameters;
#include "preload/hooks.def"
#undef LT_HOOK

/* The registers of the hook's caller at the moment the hook returns: initialises a struct lt_regs. To be expanded in
 * the hook itself, whose frame starts with the caller's frame pointer (the whole library keeps frame pointers). */
#define LT_CALLER                                                                                                      \
    {                                                                                                                  \
        .ip = (uintptr_t)__builtin_return_address(0), .sp = (uintptr_t)__builtin_dwarf_cfa(),                          \
        .fp = *(const uintptr_t *)__builtin_frame_address(0),                                                          \
    }

#endif
