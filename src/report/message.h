/* What the report says about itself: one line on stderr per message, "leaktrack-report: ...", with the bytes of names
 * escaped, so that a hostile dump can't drive the terminal. */
#ifndef LT_REPORT_MESSAGE_H
#define LT_REPORT_MESSAGE_H

void lt_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lt_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that memory ran out and exits with LEAKTRACK_EXIT_UNREADABLE. */
_Noreturn void lt_die_of_memory(void);

#endif
