// Failing execs change nothing: errno is theirs, the program goes on, and its last snapshot is that of its exit.
#include "busy.h"

#include <errno.h>

int main(void) {
    char *const arguments[] = {"x", NULL};
    leak_a_thousand();
    for (int i = 0; i < 20; i++) {
        errno = 0;
        const int result = execv(i % 2 ? "/nonexistent" : "/etc/passwd", arguments);
        printf("%d %s\n", result, strerror(errno));
    }
    leak_a_thousand();
    return 0;
}
