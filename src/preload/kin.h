/* Many processes, few dumps. A shell script is dozens of processes that live for milliseconds, a server may fork one
 * for every connection, and nobody wants a file of each. Two rules for *brief* processes, those that end by themselves
 * within ten seconds and were not asked for a snapshot (LEAKTRACK_CHILDREN=all switches both off):
 *
 *   CROWD    Of the brief processes of one program (one executable) among the descendants of an image, up to four keep
 *            their dumps. From the fifth on only the one that held the most bytes at its end does. Forked children that
 *            stay what they are compete among themselves: they do not push out the program that forked them.
 *   WRAPPER  A script that ends by exec was a wrapper for what it becomes: its interpreter leaves no dump, nor do the
 * brief processes that it ran.
 *
 * What the processes know of each other stands behind the control page of the image that they come from: forked
 * children share that page, images started by them find it through /proc/PPID/fd. It is a list of dumps that may still
 * have to go, with their inodes. Nothing in it is trusted: only a dump in this process's own directory is ever removed.
 */
#ifndef LT_PRELOAD_KIN_H
#define LT_PRELOAD_KIN_H

#include "track/dump_file.h"

#include <stdbool.h>
#include <stdint.h>

/* A new image: looks for its parent's list. */
void lt_kin_start(void);

/* This process has a control page of its own now: its children's dumps are listed there. */
void lt_kin_own_page(const char *dump_path);

/* In a fork child: the list of the image it comes from is its parent's now. */
void lt_kin_forked(void);

/* Whether the parent is tracked, too. */
bool lt_kin_has_parent(void);

/* Whether the dump of a brief process that holds so many bytes has a chance to stay. Asked before it is written. */
bool lt_kin_wants(uint64_t held_bytes);

/* A brief process ends. Lists its dump, if it has been `written`, and those that are listed here with the parent, and
 * removes the ones (perhaps this one) that the rule CROWD condemns. */
void lt_kin_leave(const struct lt_dump_file *, bool written, uint64_t held_bytes);

/* The rule WRAPPER: removes the dumps listed here. */
void lt_kin_disown(const struct lt_dump_file *);

#endif
