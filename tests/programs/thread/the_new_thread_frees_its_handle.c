// The memory that pthread_create writes the handle to belongs to the new thread, which unmaps it before its creator is
// back.
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

static void *forget(void *page) {
    pthread_detach(*(pthread_t *)page);
    munmap(page, PAGE);
    return NULL;
}

int main(void) {
    struct stat tasks;
    for (int i = 0; i < 2000; i++) {
        void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t *handle = page;
        if (pthread_create(handle, NULL, forget, page) != 0)
            return 1;
    }
    do // the kernel knows a detached one for a moment longer
        usleep(1000);
    while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3);
    return 0;
}
