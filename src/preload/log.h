/* LEAKTRACK_LOG: one line per thing worth telling, "leaktrack[PID]: ..." Nothing is written unless it was asked for.
 * Opened by path for each line and closed again (no descriptor of ours lies around); "stderr" is descriptor 2. Raw
 * system calls, bounded formatting, any thread, any context; errno untouched. */
#ifndef LT_PRELOAD_LOG_H
#define LT_PRELOAD_LOG_H

/* `error` is a negative errno whose name and description are appended, or 0. `path` may be NULL. */
void lt_log(const char *text, const char *path, int error);

/* For what changes the meaning of the results: a line in the log, and `text` (which must live forever) as a note in the
 * dump. `path` may be NULL. */
void lt_tell(const char *text, const char *path);

#endif
