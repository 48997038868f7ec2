#include "preload/output.h"

#include "base/attrs.h"
#include "leaktrack.h"
#include "os/clock.h"
#include "os/proc.h"
#include "preload/control.h"
#include "preload/kin.h"
#include "preload/log.h"
#include "preload/options.h"
#include "preload/output_name.h"
#include "preload/process.h"
#include "track/identity.h"

#include <stdatomic.h>
#include <string.h>

enum { WORD_SIZE = 256 };
static const uint64_t NS_PER_CS = 10 * 1000 * 1000;

static struct lt_dump_file file = {.fd = -1};
static char path[LT_PATH_MAX], directory[LT_PATH_MAX], program[WORD_SIZE], host[WORD_SIZE];
static bool begun, forked;
static const char *notes[16];
static _Atomic uint32_t note_count;
static const char *note(unsigned i, char *buffer, unsigned size);
static struct lt_identity identity = {.library = LEAKTRACK_VERSION, .option = lt_option_text, .note = note};

/* Last part of the executable's path, without the " (deleted)" of one that has been replaced since. */
static void learn_program(void) {
    int64_t length = lt_proc_exe(path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    const char *name = strrchr(path, '/');
    char *deleted = strstr(path, " (deleted)");
    if (deleted)
        *deleted = '\0';
    struct lt_fmt f = lt_fmt(program, sizeof program);
    lt_fmt_text(&f, name ? name + 1 : "unknown");
}

static void make_path(void) {
    const struct lt_output_words words = {.directory = directory,
                                          .program = program,
                                          .host = host,
                                          .pid = lt_process_pid(),
                                          .start_wall_s = lt_clock_wall_ns() / 1000000000u};
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_output_name(&f, lt_options.output, &words);
    if (forked && !lt_output_name_has_pid(lt_options.output)) {
        lt_fmt_char(&f, '.');
        lt_fmt_signed(&f, words.pid);
    }
}

static void begin(void) {
    struct lt_file_id page;
    begun = true;
    lt_control_open();
    lt_kin_own_page(file.path);
    identity.control_fd = lt_control_fd(&page);
    identity.control_inode = page.inode;
    lt_identity_set(&identity);
}

void lt_output_start(bool create) {
    learn_program();
    identity.start_wall_ns = lt_clock_wall_ns() - lt_clock_cs() * NS_PER_CS;
    lt_host_name(host, sizeof host);
    int status = lt_getcwd(directory, sizeof directory);
    if (status && lt_options.output[0] != '/')
        lt_log("no working directory for the dump", lt_options.output, status);
    make_path();
    lt_dump_file_init(&file, path, lt_options.max_dump);
    if (!create)
        return;
    begin();
    status = lt_dump_file_open(&file);
    if (!status)
        status = lt_identity_write(&file); /* so that a request finds the page before the first snapshot */
    if (status)
        lt_log("cannot create the dump (will try again)", file.path, status);
}

void lt_output_forked(int parent) {
    identity.forked_from = parent;
    forked = true;
    begun = false;
    lt_kin_forked();
    lt_control_forked();
    make_path();
    lt_dump_file_forked(&file, path);
    identity.control_fd = -1;
    identity.control_inode = 0;
    lt_identity_set(&identity);
}

struct lt_dump_file *lt_output_for_snapshot(bool last) {
    if (!begun && !last)
        begin();
    begun = true;
    return &file;
}

const struct lt_dump_file *lt_output_file(void) {
    return &file;
}

void lt_output_discard(void) {
    struct lt_file_info info;
    if (file.fd >= 0 && lt_path_info(file.path, &info) == 0 && info.id.device == file.id.device &&
        info.id.inode == file.id.inode)
        (void)!lt_unlink(file.path);
}

bool lt_output_begun(void) {
    return begun;
}

/* Holes and all: a place that is taken but not filled yet ends the list for this time. */
static const char *note(unsigned i, char *buffer, unsigned size) {
    (void)buffer, (void)size;
    return i < LT_ARRAY_SIZE(notes) ? notes[i] : NULL;
}

void lt_output_note(const char *text) {
    const uint32_t place = atomic_fetch_add(&note_count, 1);
    if (place < LT_ARRAY_SIZE(notes))
        notes[place] = text;
}

unsigned lt_output_descriptors(int descriptors[static 2]) {
    struct lt_file_id id;
    const int control = lt_control_fd(&id), dump = file.fd;
    unsigned count = 0;
    if (dump >= 0)
        descriptors[count++] = dump;
    if (control >= 0)
        descriptors[count++] = control;
    if (count == 2 && dump > control) {
        descriptors[0] = control;
        descriptors[1] = dump;
    }
    return count;
}

LT_COLD bool lt_output_owns(int fd) {
    struct lt_file_id id;
    struct lt_file_info info;
    if (fd < 0 || (fd != file.fd && !lt_control_is(fd)))
        return false;
    if (lt_control_fd(&id) != fd)
        id = file.id;
    return lt_file_info(fd, &info) == 0 && info.id.device == id.device && info.id.inode == id.inode;
}

void lt_output_make_way(int fd) {
    if (fd == file.fd)
        (void)!lt_dump_file_make_way(&file, fd);
    else
        lt_control_make_way();
}
