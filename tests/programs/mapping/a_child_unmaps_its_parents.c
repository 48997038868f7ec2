// A forked child releases what it inherited, and counts none of it; a child of vfork releases what is its parent's.
// dumps: 2
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

int main(void) {
    char *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); // LEAK count=1 bytes=8192
    pid_t child = fork();
    if (child == 0) {
        munmap(at, 3 * PAGE);
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
        char *again = mmap(at, PAGE, PROT_READ, flags, -1, 0); // LEAK count=1 bytes=4096
        _exit(again != at);
    }
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0) {
        munmap(at, 2 * PAGE);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
