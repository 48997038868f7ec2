/* What is said while it takes long, and that nothing is said while it does not. */
#include "report/progress.h"

#include "report_fixture.h"

#include <pty.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* Works at least `ms`; returns how long it was, on a busy machine. */
static unsigned work_for(unsigned ms) {
    const struct timespec step = {0, 10000000};
    const unsigned start = now_ms();
    for (unsigned done = 0; done < ms; done += 10) {
        lt_progress("step %u of %u", done, ms);
        nanosleep(&step, NULL);
    }
    return now_ms() - start;
}

enum { IN_TIME = 0, TOO_LATE = 1, TRIES = 20 };

/* Runs work_for in a child whose stderr is `fd`; progress has one clock per process. Whether it took less than `most`
 * ms: else what was said proves nothing. */
static bool work_in_child(int fd, unsigned ms, unsigned most) {
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd, STDERR_FILENO);
        const unsigned took = work_for(ms);
        lt_progress_clear();
        fflush(NULL);
        _exit(took < most ? IN_TIME : TOO_LATE);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == IN_TIME;
}

static size_t said(char *text, size_t room, unsigned ms, unsigned most) {
    FILE *file = tmpfile();
    for (int left = TRIES; left && !work_in_child(fileno(file), ms, most); left--) {
        rewind(file);
        assert_int_equal(ftruncate(fileno(file), 0), 0);
    }
    rewind(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = 0;
    fclose(file);
    return size;
}

static void nothing_within_a_second(void **state) {
    char text[256];
    (void)state;
    assert_int_equal(said(text, sizeof text, 100, 1000), 0);
}

static void one_line_in_a_log(void **state) {
    char text[256];
    (void)state;
    assert_in_range(said(text, sizeof text, 1500, 10000), 10, 80);
    assert_int_equal(strncmp(text, "leaktrack-report: step ", 23), 0);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\33'));
}

static void a_line_that_vanishes_on_a_terminal(void **state) {
    char text[4096];
    int terminal, program;
    (void)state;
    struct winsize size = {.ws_row = 24, .ws_col = 40};
    assert_int_equal(openpty(&terminal, &program, NULL, NULL, &size), 0);
    (void)work_in_child(program, 1500, 0);
    close(program); /* the terminal's reads then end, with EIO, behind the last byte */
    size_t got = 0;
    for (ssize_t more; (more = read(terminal, text + got, sizeof text - 1 - got)) > 0;)
        got += (size_t)more;
    assert_in_range(got, 20, sizeof text - 1);
    text[got] = 0;
    assert_non_null(strstr(text, "\r\33[Kstep "));
    assert_null(strchr(text, '\n'));
    assert_string_equal(text + got - 4, "\r\33[K");
    close(terminal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_within_a_second),
        cmocka_unit_test(one_line_in_a_log),
        cmocka_unit_test(a_line_that_vanishes_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
