/* leaktrack-report: reads a dump, finds names, compares, judges, prints. session.h says in which order. */
#include "leaktrack.h"
#include "report/options.h"
#include "report/output.h"
#include "report/session.h"

#include <fcntl.h>
#include <unistd.h>

static int print_text(void (*text)(FILE *)) {
    struct lt_output output;
    if (lt_output_open(&output, NULL) < 0)
        return LEAKTRACK_EXIT_USAGE;
    text(output.stream);
    return lt_output_close(&output) < 0 ? LEAKTRACK_EXIT_USAGE : LEAKTRACK_EXIT_OK;
}

static void print_version(FILE *out) {
    fputs("leaktrack-report " LEAKTRACK_VERSION "\n", out);
}

/* A closed standard descriptor must not become that of a file: what is meant for stderr would end in the report. */
static void occupy_standard_descriptors(void) {
    int fd;
    do
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv) {
    struct lt_options options;
    int code = LEAKTRACK_EXIT_USAGE;
    occupy_standard_descriptors();
    switch (lt_options_parse(&options, argc, argv)) {
    case LT_PARSED_REPORT:
        code = lt_session_run(&options);
        break;
    case LT_PARSED_HELP:
        code = print_text(lt_print_help);
        break;
    case LT_PARSED_VERSION:
        code = print_text(print_version);
        break;
    case LT_PARSED_WRONG:
    default:
        break;
    }
    lt_options_free(&options);
    return code;
}
