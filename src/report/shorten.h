/* Names of C++ as people write them. */
#ifndef LT_REPORT_SHORTEN_H
#define LT_REPORT_SHORTEN_H

/* Shortens a demangled name in place: std::string and the like for what they stand for, std::vector<int> without its
 * default allocator, and no ABI tags. */
void lt_shorten(char *name);

#endif
