// POSIX record locks go when any descriptor of the file is closed by their owner; a snapshot in a helper must not be
// that.
#include "busy.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

static void *work(void *unused) {
    work_ms(1300);
    return unused;
}

int main(void) {
    pthread_t thread;
    int status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open("locked", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0)
        die("fcntl");
    pthread_create(&thread, NULL, work, NULL);
    work_ms(1200);
    pthread_join(thread, NULL);
    if (fork() == 0) {
        fcntl(fd, F_GETLK, &lock);
        _exit(lock.l_type == F_WRLCK ? 0 : 1);
    }
    wait(&status);
    puts(status == 0 ? "still locked" : "lock lost");
    return 0;
}
