/* Linked with counting_heap.c and -rdynamic: the executable's malloc comes before every preloaded one. What it does not
 * bring itself (reallocarray) must work on its own blocks, too. */
#include <stdio.h>
#include <stdlib.h>

unsigned long heap_calls(void);

int main(void) {
    unsigned long before = heap_calls();
    void *block = malloc(5);
    block = reallocarray(block, 10, 10);
    free(block);
    printf("%lu calls\n", heap_calls() - before);
    return 0;
}
