// Children that share the parent's memory, or start with a copy of its descriptors: what they open and close is theirs.
#include "listing.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static int child_of_clone(void *unused) {
    (void)unused;
    closefrom(3);
    open("/etc/passwd", O_RDONLY);
    _exit(0);
}

static void await(pid_t pid) {
    int status;
    need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child");
}

int main(void) {
    static char stack[65536] __attribute__((aligned(16)));
    const int file = open("/etc/passwd", O_RDONLY); // HOLDS 1 file
    pid_t pid = vfork();
    if (pid == 0) {
        close(file);
        open("/etc/group", O_RDONLY);
        open("/etc/group", O_RDONLY);
        dup2(file, 0);
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    await(pid);
    await(clone(child_of_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, file);
    posix_spawn_file_actions_addopen(&actions, 5, "/etc/group", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 5, 0);
    need(posix_spawn(&pid, "/bin/true", &actions, NULL, (char *[]){"true", NULL}, environ) == 0, "posix_spawn");
    await(pid);
    posix_spawn_file_actions_destroy(&actions);
    need(system("exit 0") == 0, "system");
    open("/etc/group", O_RDONLY); // HOLDS 1 file
    list_descriptors();
    return 0;
}
