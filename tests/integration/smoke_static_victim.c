/* Linked statically: no dynamic loader, no LD_PRELOAD. */
#include <stdlib.h>

void *volatile kept;

int main(void) {
    kept = malloc(37);
    return 0;
}
