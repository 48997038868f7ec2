/* A plugin. It is built twice, and the two are different. */
#include <stdlib.h>

#ifndef ROUNDS
#define ROUNDS 2
#endif

void work(void);
void work(void) {
    for (int i = 0; i < ROUNDS; i++)
        free(malloc(10));
}
