#include "report/output.h"

#include "report/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int deadly_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* For the handler: the temporary file that must not survive us. */
static char *volatile doomed;

static void on_deadly_signal(int number) {
    if (doomed)
        unlink(doomed);
    /* SA_RESETHAND: this time it kills */
    raise(number);
}

static void watch_signals(void) {
    struct sigaction action = {.sa_handler = on_deadly_signal, .sa_flags = (int)SA_RESETHAND}, old;
    for (size_t i = 0; i < sizeof deadly_signals / sizeof deadly_signals[0]; i++)
        if (sigaction(deadly_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(deadly_signals[i], &action, NULL);
}

static int fail_at(struct lt_output *output, const char *what, int error) {
    if (doomed) {
        unlink(doomed);
        doomed = NULL;
    }
    lt_error("%s: %s%s; the report was not written", output->path ? output->path : "standard output", what,
             strerror(error));
    return -error;
}

static int fail(struct lt_output *output, int error) {
    return fail_at(output, "", error);
}

static bool is_written_directly(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static int open_directly(struct lt_output *output) {
    output->stream = fopen(output->path, "we");
    return output->stream ? 0 : fail(output, errno);
}

/* A temporary file that must not survive us, from the moment it is there: a signal waits until the handler knows it. */
static int make_temporary(char *template) {
    sigset_t deadly, before;
    sigemptyset(&deadly);
    for (size_t i = 0; i < sizeof deadly_signals / sizeof deadly_signals[0]; i++)
        sigaddset(&deadly, deadly_signals[i]);
    sigprocmask(SIG_BLOCK, &deadly, &before);
    const int fd = mkostemp(template, O_CLOEXEC), error = errno;
    if (fd >= 0) {
        doomed = template;
        watch_signals();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return fd;
}

static mode_t wanted_mode(const char *target) {
    struct stat status;
    mode_t mask = umask(0);
    umask(mask);
    return stat(target, &status) == 0 ? status.st_mode & 0777 : 0666 & ~mask;
}

static int open_beside(struct lt_output *output) {
    output->target = realpath(output->path, NULL);
    if (!output->target)
        output->target = strdup(output->path);
    if (!output->target || asprintf(&output->temporary, "%s.XXXXXX", output->target) < 0)
        lt_die_of_memory();
    int fd = make_temporary(output->temporary);
    if (fd < 0)
        return fail_at(output, "no file can be made in its directory: ", errno);
    if (fchmod(fd, wanted_mode(output->target)) < 0 || !(output->stream = fdopen(fd, "w"))) {
        int error = errno;
        close(fd);
        return fail(output, error);
    }
    return 0;
}

static void release(struct lt_output *output) {
    doomed = NULL;
    free(output->target);
    free(output->temporary);
    *output = (struct lt_output){0};
}

int lt_output_open(struct lt_output *output, const char *path) {
    *output = (struct lt_output){.path = path};
    signal(SIGPIPE, SIG_IGN); /* so that a pager that quits does not hide the exit code */
    signal(SIGXFSZ, SIG_IGN); /* a file size limit then is an error like any other */
    if (!path || strcmp(path, "-") == 0) {
        output->path = NULL;
        output->stream = stdout;
        return 0;
    }
    int status = is_written_directly(path) ? open_directly(output) : open_beside(output);
    if (status)
        release(output);
    return status;
}

/* The stream only remembers that a write failed; the next one fails for the same reason. */
static int write_error(FILE *stream) {
    if (!ferror(stream))
        return fflush(stream) == 0 ? 0 : errno;
    return write(fileno(stream), "\n", 1) < 0 ? errno : EIO;
}

int lt_output_close(struct lt_output *output) {
    int error = write_error(output->stream), status = 0;
    if (output->stream != stdout && fclose(output->stream) != 0 && !error)
        error = errno;
    if (!error && output->temporary && rename(output->temporary, output->target) != 0)
        error = errno;
    if (error && error != EPIPE)
        status = fail(output, error);
    release(output);
    return status;
}
