/* The last snapshot of a process, or of an image that is about to be replaced (lt_life_exit and its like: life.h). */
#ifndef LT_PRELOAD_LAST_H
#define LT_PRELOAD_LAST_H

/* Registers for quick_exit(3), before anyone else. From the constructor. */
void lt_last_start(void);

/* In a fork child: its own end is still to come. */
void lt_last_forked(void);

/* Somebody asked for a snapshot: the dump stays, however brief the process (kin.h). */
void lt_last_keep(void);

#endif
