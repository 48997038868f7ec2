/* The descriptor table: number -> who holds it. A radix tree by descriptor number, in pages that come with their first
 * use: what is 24 KiB for a program with ten descriptors serves one with a million, or with one number near 2^31.
 *
 * Lock-free, any thread, any signal handler, errno untouched, no system call but arena growth. A number belongs to one
 * acquirer at a time: the hooks put a record after the real call and take it before the real release, so two threads
 * meet on one record only where the program itself races. Every record of a number has a generation of its own; the
 * snapshot, which knows the kernel's list, drops a record only by compare-and-swap on what it has seen. */
#ifndef LT_TRACK_DESCRIPTORS_H
#define LT_TRACK_DESCRIPTORS_H

#include "base/status.h"
#include "track/resource.h"

#include <stdbool.h>
#include <stdint.h>

/* What stands between the program and the number: numbers of the dump format. */
enum lt_via {
    LT_VIA_NOTHING = 0,
    LT_VIA_STREAM = 1,    /* a FILE: fopen, fdopen, popen ... */
    LT_VIA_DIRECTORY = 2, /* a DIR: opendir, fdopendir */
};

struct lt_descriptor {
    struct lt_holding holding;
    uint8_t kind;        /* what the hook takes it for; the kernel's word counts at the snapshot */
    uint8_t origin;      /* enum lt_origin */
    uint8_t via;         /* enum lt_via */
    uint32_t generation; /* of the record; private */
};

/* Reserves the table. Once, after lt_arena_init. */
LT_STATUS lt_descriptors_init(void);

/* `fd` is held from now on. 0; or 1 where something was recorded there, with *old filled in: its close was not seen; or
 * -ENOMEM, counted untracked, where no memory is left. */
int lt_descriptor_put(int fd, const struct lt_descriptor *, struct lt_descriptor *old);

/* Takes the record away and tells what it was; false where nothing was recorded. Afterwards lt_descriptor_last still
 * tells who held the number last, until it is held again: a second close of it is somebody's mistake. And
 * lt_descriptor_put_back undoes it, after a release that failed, unless the number has had another record since:
 * then false. */
bool lt_descriptor_take(int fd, struct lt_descriptor *taken);
bool lt_descriptor_last(int fd, struct lt_descriptor *last);
bool lt_descriptor_put_back(int fd, const struct lt_descriptor *taken);

/* lt_descriptor_take for what nothing stands on (LT_VIA_NOTHING): false, and nothing taken, for any other. Tells the
 * kind, or 0 where the record has no site (inherited). */
bool lt_descriptor_take_bare(int fd, enum lt_kind *kind);

/* Changes what stands between the program and the number (fdopen); nothing where nothing is recorded. */
void lt_descriptor_set_via(int fd, enum lt_via);

/* The record of `fd` as it is now; false where there is none. */
bool lt_descriptor_get(int fd, struct lt_descriptor *);

/* The lowest recorded number at or above `fd`, with its record; -1 after the last. */
int lt_descriptor_next(int fd, struct lt_descriptor *);

/* For the snapshot: the kernel denies what is recorded. Takes the record away if it is still the one `seen`. */
bool lt_descriptor_vanished(int fd, const struct lt_descriptor *seen);

/* In a forked child: every record becomes inherited (its site is not this process's any more), and nobody is known to
 * have held any other number. */
void lt_descriptors_forked(void);

#endif
