// One block of 37 bytes is never freed.
#include <stdlib.h>

int main(void) {
    void *volatile kept = malloc(37); // LEAK count=1 bytes=37
    kept = NULL;
    (void)kept;
    return 0;
}
