/* Who writes the dump: its header and its PROCESS section. */
#ifndef LT_TRACK_IDENTITY_H
#define LT_TRACK_IDENTITY_H

#include "base/status.h"
#include "dump/writer.h"
#include "track/dump_file.h"

#include <stdint.h>

struct lt_identity {
    const char *library;    /* version of libleaktrack.so */
    uint64_t start_wall_ns; /* when the library started */
    int control_fd;         /* of the control page (dump/control.h), -1 = none */
    uint64_t control_inode;
    int forked_from; /* the pid whose tables this process inherited, 0 = none */
    /* The options in force, "LEAKTRACK_DEPTH=128", and notes for people, for i = 0, 1, ...; NULL after the last.
     * `buffer` may hold the text. Either function may be NULL. */
    const char *(*option)(unsigned i, char *buffer, unsigned size);
    const char *(*note)(unsigned i, char *buffer, unsigned size);
};

/* Fixes who we are; `identity` must live forever, what it points to may change until it is written. Call it again when
 * the control page has changed (fork). */
void lt_identity_set(const struct lt_identity *identity);

/* Writes header and PROCESS section into a file that has none yet (header_written), and forgets what an earlier file
 * held. A snapshot does it when needed; done earlier, it lets --request find the control page before the first
 * snapshot. The caller holds the snapshot lock, or is alone. The file must be open. */
LT_STATUS lt_identity_write(struct lt_dump_file *);

/* For the snapshot: writes notes that have come since as a further PROCESS section; they count as written after
 * lt_identity_commit. */
LT_STATUS lt_identity_write_notes(struct lt_writer *);
void lt_identity_commit(void);

#endif
