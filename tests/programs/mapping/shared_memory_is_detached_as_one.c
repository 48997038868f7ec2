// shmat acquires the segment in whole pages; shmdt takes all that is left of it, though its first page is another's
// now.
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>

enum { PAGE = 4096 };

int main(void) {
    int id = shmget(IPC_PRIVATE, 5 * PAGE - 1, 0600);
    char *kept = shmat(id, NULL, 0), *cut = kept; // LEAK count=1 bytes=20480
    cut = shmat(id, NULL, SHM_RDONLY);
    shmctl(id, IPC_RMID, NULL);
    if (id < 0 || kept == (void *)-1 || cut == (void *)-1)
        return 1;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    for (int page = 0; page <= 2; page += 2)
        if (mmap(cut + page * PAGE, PAGE, PROT_READ, flags, -1, 0) == MAP_FAILED) // LEAK count=2 bytes=8192
            return 3;
    if (shmdt(cut) != 0 || shmdt(kept + PAGE) == 0)
        return 2;
    return 0;
}
