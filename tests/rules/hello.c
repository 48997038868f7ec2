/* A program with a block on the heap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char *text = strdup("hello");
    if (!text)
        return 1;
    puts(text);
    free(text);
    return 0;
}
