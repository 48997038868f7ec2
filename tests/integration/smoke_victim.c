/* What leaktrack-smoke is tried on: does, one after the other, what its arguments say. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <libintl.h>
#include <locale.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *volatile kept;

static void leak(int count) {
    for (int i = 0; i < count; i++)
        kept = malloc(37);
}

static void leave_open(int count) {
    for (int i = 0; i < count; i++)
        if (open("/dev/null", O_RDONLY) < 0)
            exit(9);
}

static void close_twice(void) {
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    close(fd);
}

static void *nothing(void *unused) {
    return unused;
}

static void at_exit(void) {}

static void copy_input(void) {
    char line[256];
    while (fgets(line, sizeof line, stdin))
        fputs(line, stdout);
    fputs("to stderr\n", stderr);
}

static void fork_and_leak(int count) {
    pid_t child = fork();
    if (child == 0) {
        leak(count);
        exit(0);
    }
    waitpid(child, NULL, 0);
}

/* What glibc acquires for itself and never frees, where its exported functions have frames. */
static void use_libc(void) {
    pthread_t thread;
    setlocale(LC_ALL, "C.UTF-8");
    getpwnam("root");
    getgrgid(0);
    textdomain("leaktrack");
    bindtextdomain("leaktrack", "/nowhere");
    for (int i = 0; i < 100; i++)
        atexit(at_exit);
    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        pthread_join(thread, NULL);
    puts("hello");
}

/* The same, where they jump to internal ones: only debug information names these. */
static void use_more_of_libc(void) {
    static char put[] = "LEAKTRACK_TEST_PUT=1";
    time_t now = time(NULL);
    struct tm tm;
    setenv("LEAKTRACK_TEST_VARIABLE", "value", 1);
    putenv(put);
    localtime(&now);
    localtime_r(&now, &tm);
    mktime(&tm);
    setlocale(LC_ALL, "C.UTF-8");
    textdomain("leaktrack");
    gettext("word");
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        int next = i + 1 < argc ? atoi(argv[i + 1]) : 0;
        if (strcmp(argv[i], "leak") == 0)
            leak(next);
        else if (strcmp(argv[i], "open") == 0)
            leave_open(next);
        else if (strcmp(argv[i], "close-twice") == 0)
            close_twice();
        else if (strcmp(argv[i], "fork") == 0)
            fork_and_leak(next);
        else if (strcmp(argv[i], "exit") == 0)
            exit(next);
        else if (strcmp(argv[i], "die") == 0)
            raise(next);
        else if (strcmp(argv[i], "libc") == 0)
            use_libc();
        else if (strcmp(argv[i], "libc-more") == 0)
            use_more_of_libc();
        else if (strcmp(argv[i], "copy") == 0)
            copy_input();
        else if (strcmp(argv[i], "print") == 0)
            puts(argv[++i]);
        else if (strcmp(argv[i], "exec") == 0)
            execvp(argv[i + 1], argv + i + 1);
    }
    return 0;
}
