/* Call stacks of the running thread: the contract that every unwinder (native rules, frame pointers, libunwind) keeps.
 *
 * Words. A *frame* is one return address. The *CFA* (canonical frame address, DWARF 5 §6.4) is the stack pointer's
 * value in the caller just before the call. A stack is *truncated* when frames are missing at its outer end (the walk
 * left the readable stack, met code without a rule, or passed the depth limit).
 *
 * Safety. Nothing here allocates through malloc, takes a lock, calls dl_iterate_phdr, or touches errno. A capture makes
 * no system call except on first sight of a return address or of a stack, and never faults whatever the unwind
 * information says: it reads only inside the mapping that holds the stack pointer (see stack_bounds.h). It needs less
 * than 1 KiB of the caller's stack. A signal handler may capture while the interrupted thread is capturing: each
 * capture has an lt_unwind_state of its own, guarded by the caller. */
#ifndef LT_UNWIND_UNWIND_H
#define LT_UNWIND_UNWIND_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { LT_DEPTH_DEFAULT = 128, LT_DEPTH_MAX = 4096 };

/* The registers that unwinding starts from: those of a hook's caller at the moment the hook returns. */
struct lt_regs {
    uintptr_t ip; /* return address: where the caller goes on */
    uintptr_t sp; /* the caller's stack pointer after the return, i.e. the hook's CFA */
    uintptr_t fp; /* the caller's frame pointer register (rbp, x29), whatever it holds */
};

enum lt_stack_flag {
    LT_STACK_TRUNCATED = 1 << 0, /* frames are missing at the outer end */
    LT_STACK_SIGNAL = 1 << 1,    /* a signal frame lies on it */
    LT_STACK_LOADER = 1 << 2,    /* a frame lies in the dynamic loader (ld.so) */
};

/* One captured call stack.
 *
 * frames[0 .. depth) are *outermost first*: frames[depth - 1] is the return address into the code that called the hook.
 *
 * Notes. What a caller has derived from a stack (the nodes of a trie) the unwinder keeps with what it remembers of the
 * stack, and gives back where it proves that the frames are the same again. A note belongs to a frame, and stands for
 * all frames from the outermost to that one, together with the epoch and LT_STACK_TRUNCATED: equal notes mean equal
 * stacks, and none is 0. Where `note` is not 0, it is the innermost frame's, which tells the whole stack, and there are
 * no frames. Else notes[0 .. *noted) are known; the caller may add the others, the count of them last, and that of the
 * innermost frame to *note_kept. One that adds none gets none.
 *
 * Storage belongs to the lt_unwind_state and lives until its next capture. */
struct lt_stack {
    uint64_t note;
    const uintptr_t *frames;
    uint64_t *notes, *note_kept;
    uint32_t *noted;
    uint32_t depth;
    uint32_t flags; /* enum lt_stack_flag */
    uint32_t epoch; /* the unload epoch in which all frames were captured: equal addresses mean equal code within one */
};

struct lt_unwind_state; /* one per thread table; made by the tracker, see below */

/* One unwinder. `name` is the word of LEAKTRACK_UNWINDER. */
struct lt_unwinder {
    const char *name;
    /* Captures the stack that starts at `from` into *stack; never fails: the least it gives is one frame, from->ip. */
    void (*capture)(struct lt_unwind_state *, const struct lt_regs *from, struct lt_stack *stack);
};

/* Options fixed before the first capture. */
struct lt_unwind_options {
    uint32_t depth;       /* frames kept per call stack (the innermost ones), 1 .. LT_DEPTH_MAX */
    const char *unwinder; /* "native", "fp" or "libunwind" */
    /* For "libunwind" only: libunwind's unw_backtrace-like function. unwind/ never loads libraries; preload/ does. */
    int (*libunwind_backtrace)(void **frames, int max);
};

/* Sets the module up: reserves the rule cache in the arena, learns the vDSO and the loader. Called once, before any
 * other thread can capture. Returns 0, -ENOMEM, or -EINVAL for an unknown unwinder (the native one is then in use). */
LT_STATUS lt_unwind_init(const struct lt_unwind_options *);

/* The unwinder in use. */
const struct lt_unwinder *lt_unwinder(void);

/* Makes the per-thread state (frame storage, stack bounds, later the memo) in the arena, for the calling thread or for
 * one to come. NULL when the arena is full. States are never freed; a dead thread's is reset and used again. */
struct lt_unwind_state *lt_unwind_state_new(void);

/* Forgets what belongs to the thread that used the state before (its stack bounds, its memo). */
void lt_unwind_state_reset(struct lt_unwind_state *);

/* Captures with the unwinder in use. */
void lt_unwind_capture(struct lt_unwind_state *, const struct lt_regs *from, struct lt_stack *stack);

/* To be called after dlclose() returned: compares the known modules with the loader's present ones; where one is gone,
 * marks it unloaded and drops the rules of its code. (The epoch rises when other code is found in its place; see
 * modules.h.) Cheap when nothing is gone. Any thread. */
void lt_unwind_modules_changed(void);

/* To be called before [start, end) is unmapped, protected or mapped over: cached stack bounds that overlap are dropped
 * by every thread before their next read. Any thread. */
void lt_unwind_range_gone(uintptr_t start, uintptr_t end);

/* The present unload epoch; rises, never falls. lt_unwind_raise_epoch() raises it by one (used in a fork child, so that
 * what it inherited and what it acquires are told apart) and gives the new one. */
uint32_t lt_unwind_epoch(void);
uint32_t lt_unwind_raise_epoch(void);

/* Counters for the dump's statistics. */
struct lt_unwind_stats {
    uint64_t rule_misses;    /* return addresses whose rule was compiled */
    uint64_t rules_none;     /* of those, addresses without a usable rule */
    uint64_t bounds_lookups; /* times a stack's mapping was looked up */
};
void lt_unwind_stats(struct lt_unwind_stats *);

#endif
