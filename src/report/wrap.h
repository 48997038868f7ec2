/* Text for a terminal, kept to its width. */
#ifndef LT_REPORT_WRAP_H
#define LT_REPORT_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Prints whole lines of printable text (escape.h) with colours (terminal.h). A line wider than `width` is broken at
 * blanks, after punctuation rather than between words, and goes on four columns further in. The columns of a table, a
 * number and its unit, and a word that is too wide stay together. */
void lt_wrap(FILE *, const char *text, size_t width);

#endif
