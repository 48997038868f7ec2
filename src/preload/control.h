/* Our side of the control page (dump/control.h): made once per process, looked at when a hook reads the clock. */
#ifndef LT_PRELOAD_CONTROL_H
#define LT_PRELOAD_CONTROL_H

#include "os/file.h"

#include <stdbool.h>
#include <stdint.h>

/* Makes this process's page. In a fork child it takes the place of the parent's. Where it can't be had nobody can ask
 * for a snapshot; the log says so. */
void lt_control_open(void);

/* In a fork child: the page is the parent's, and no wish in it is ours. Its descriptor stays until lt_control_open. */
void lt_control_forked(void);

/* This process's page, or NULL. */
struct lt_control *lt_control_page(void);

/* Whether somebody asks this process for a snapshot. */
bool lt_control_wanted(void);

/* The wishes so far; to be taken before a snapshot and answered with its result after it. */
uint32_t lt_control_ticket(void);
void lt_control_answer(uint32_t ticket, int result);

/* Shows that the process is there and brings the totals up to date; for once a second or so. */
void lt_control_beat(void);

/* The page's descriptor, -1 without one, and what it must lead to; and whether a number is that one. */
int lt_control_fd(struct lt_file_id *);
bool lt_control_is(int fd);

/* The program asks for that number: the descriptor goes elsewhere. */
void lt_control_make_way(void);

#endif
