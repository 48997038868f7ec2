/* make_dump_file PATH < DESCRIPTION: lt_make_dump_file() for tests that are scripts. */
#include "support/make_dump.h"

#include <stdio.h>

int main(int argc, char **argv) {
    static char description[1 << 20];
    size_t size = fread(description, 1, sizeof description - 1, stdin);
    if (argc != 2 || size == sizeof description - 1) {
        fputs("usage: make_dump_file PATH < DESCRIPTION (at most 1 MiB)\n", stderr);
        return 2;
    }
    description[size] = 0;
    lt_make_dump_file(argv[1], description);
    return 0;
}
