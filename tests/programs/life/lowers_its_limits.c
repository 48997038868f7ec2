// Lowers the limit that the argument names and works over two snapshots.
#include "busy.h"

#include <sys/resource.h>

int main(int argc, char **argv) {
    const char *which = argc > 1 ? argv[1] : "fsize";
    const struct rlimit fsize = {1500, 1500}, nofile = {8, 8}, nproc = {1, 1}, as = {64 << 20, 64 << 20};
    int status = -1;
    if (strcmp(which, "fsize") == 0)
        status = setrlimit(RLIMIT_FSIZE, &fsize);
    if (strcmp(which, "nofile") == 0)
        status = setrlimit(RLIMIT_NOFILE, &nofile);
    if (strcmp(which, "nproc") == 0)
        status = setrlimit(RLIMIT_NPROC, &nproc);
    if (strcmp(which, "as") == 0)
        status = setrlimit(RLIMIT_AS, &as);
    if (status != 0)
        die("setrlimit");
    leak_a_thousand();
    for (int i = 0; i < 40; i++)
        if (!(sink = malloc(1 << 20)))
            puts("no memory");
    work_ms(2200);
    puts("done");
    return 0;
}
