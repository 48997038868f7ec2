/* make_dump DUMP < DESCRIPTION: writes the dump that the description tells of; see make_dump.h. */
#include "support/make_dump.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    size_t length = 0, room = 1 << 16;
    char *text = malloc(room);
    if (argc != 2) {
        fprintf(stderr, "usage: make_dump DUMP < DESCRIPTION\n");
        return 2;
    }
    for (;;) {
        if (!text)
            return 1;
        const size_t got = fread(text + length, 1, room - length - 1, stdin);
        if (got == 0)
            break;
        length += got;
        if (room - length < 2)
            text = realloc(text, room *= 2);
    }
    text[length] = 0;
    lt_make_dump_file(argv[1], text);
    free(text);
    return 0;
}
