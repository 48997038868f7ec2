/* Whose memory is this? One image of the library can be executed by three kinds of process:
 *
 *   the one it belongs to;
 *   a vfork child (or any clone(CLONE_VM)): the parent's memory itself, under another pid;
 *   a fork child that came by a way we do not hook (a raw system call, daemon(3), forkpty(3)): a copy of the memory
 * that does not know yet that it is one.
 *
 * The kernel's pid tells the first from the others, a page that every fork wipes tells the second from the third. Any
 * thread, any context, errno untouched. */
#ifndef LT_PRELOAD_PROCESS_H
#define LT_PRELOAD_PROCESS_H

#include <stdbool.h>

enum lt_whose { LT_OWN_MEMORY, LT_PARENTS_MEMORY, LT_COPIED_MEMORY };

/* This memory belongs to the calling process from now on: at start, and in a fork child. */
void lt_process_claim(void);

/* Asks the kernel for the pid. */
enum lt_whose lt_process_whose(void);

/* LT_COPIED_MEMORY or not, without a system call; false where the kernel can't wipe pages on fork. */
bool lt_process_is_copy(void);

/* The owner's pid, without a system call; 0 before the first lt_process_claim. */
int lt_process_pid(void);

#endif
