/* Modules: the loaded ELF objects whose code appeared on a call stack. Append-only; learned at a rule miss from
 * _dl_find_object(3), so that their identity survives dlclose.
 *
 * Unload epochs. An address names the same code as long as the epoch is the same. The epoch rises when other code is
 * found where a module was, not at the unload: a plugin that is loaded, unloaded and loaded again at its old place is
 * the same module all the time, and stacks through it stay the same stacks. */
#ifndef LT_UNWIND_MODULES_H
#define LT_UNWIND_MODULES_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { LT_BUILD_ID_MAX = 96, LT_MODULE_SEGMENTS_MAX = 16, LT_MODULES_MAX = 1 << 14 };

struct lt_segment { /* one PT_LOAD */
    uint64_t vaddr, memsz, offset;
    uint32_t flags; /* PF_R | PF_W | PF_X */
};

struct lt_module {
    uintptr_t start, end;    /* half-open address range of its segments */
    uintptr_t bias;          /* load bias: address = bias + vaddr */
    uint32_t id;             /* 1, 2, 3 ... in the order of discovery; 0 is "no module" */
    uint32_t epoch_loaded;   /* unload epoch in which it was first seen */
    uint32_t epoch_unloaded; /* first epoch in which it is gone, perhaps one to come; 0 while it is loaded */
    uint32_t loaded_cs;      /* lt_clock_cs() of when it was first seen, */
    uint32_t unloaded_cs;    /* and of when epoch_unloaded was set */
    uint32_t segment_count;
    struct lt_segment segments[LT_MODULE_SEGMENTS_MAX];
    uint32_t build_id_size; /* 0 where there is none */
    uint8_t build_id[LT_BUILD_ID_MAX];
    bool build_id_is_go; /* Go's own (text, 83 bytes), where there is no GNU build-id */
    const char *path;    /* as loaded, absolute where the loader knows; a copy in the arena; never NULL */
    uint64_t device, inode, size, mtime_ns; /* of the file at discovery; 0 where unknown */
    bool file_known;                        /* the four above have been filled in */
    bool is_go;                             /* it holds code that Go's linker laid out */
    uintptr_t eh_frame_hdr;                 /* its unwind table; 0 where there is none */
    const void *link_map;                   /* what the loader calls it; to compare only, it may be gone */
    const void *headers;                    /* its program headers, where they are mapped, */
    uint32_t headers_count;                 /* and how many there are: */
    uint64_t headers_hash;                  /* other headers, other object */
    const uint8_t *build_id_at;             /* where it is mapped, NULL where there is none */
};

/* The module that `address` belonged to in `epoch`, or NULL (anonymous code, or an address never looked up). Lock-free,
 * any thread. */
const struct lt_module *lt_module_at(uintptr_t address, uint32_t epoch);

/* The same, looked for from id `hint` (0: none) up and round: for questions that come in the order of epochs, where
 * lt_module_at, from the newest down, would look through thousands that came and went. */
const struct lt_module *lt_module_near(uint32_t hint, uintptr_t address, uint32_t epoch);

/* How many modules are known, and the one with id `id` (1 .. count). Entries never move. */
uint32_t lt_module_count(void);
struct lt_module *lt_module(uint32_t id);

/* Registers the loaded object that holds `address` unless it is known; what a rule miss does. Returns NULL where the
 * loader knows no object there, or the arena is full. Makes system calls only to read the program's own path. */
const struct lt_module *lt_module_learn(uintptr_t address);

/* Learns the vDSO and the dynamic loader. Once, before any other thread can capture. Returns 0 or -ENOMEM. */
LT_STATUS lt_modules_init(void);

/* Whether this is the dynamic loader, ld.so. */
bool lt_module_is_loader(const struct lt_module *);

/* The flags of the segment that holds `address` (PF_R | PF_W | PF_X), 0 where none does. */
uint32_t lt_module_flags_at(const struct lt_module *, uintptr_t address);

#endif
