// Leaves its working directory (chdir), has it removed (rmdir), or changes its root directory (chroot, nothing in it,
// no /proc), and works over a snapshot.
#include "busy.h"

#include <sys/stat.h>

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "chdir";
    leak_a_thousand();
    if (strcmp(how, "chdir") == 0 && chdir("/") != 0)
        die("chdir");
    if (strcmp(how, "rmdir") == 0) {
        if (mkdir("gone", 0700) != 0 || chdir("gone") != 0 || rmdir("../gone") != 0)
            die("rmdir");
    }
    if (strcmp(how, "chroot") == 0) {
        if (mkdir("empty", 0700) != 0 || chroot("empty") != 0 || chdir("/") != 0 || setuid(65534) != 0)
            die("chroot");
    }
    work_ms(1200);
    return 0;
}
