#include "track/identity.h"

#include "base/varint.h"
#include "dump/writer.h"
#include "os/arch.h"
#include "os/proc.h"
#include "os/task.h"
#include "track/dictionary.h"
#include "unwind/unwind.h"

#include <string.h>

enum { BUFFER_SIZE = 32 * 1024, TEXT_SIZE = 8 * 1024 };

static const struct lt_identity nobody = {.control_fd = -1};
static const struct lt_identity *identity = &nobody;
static unsigned notes_kept, notes_told;                 /* in the file for good; in what is being written */
static uint64_t buffer[BUFFER_SIZE / sizeof(uint64_t)]; /* as long as the fields below can get */
static char text[TEXT_SIZE];

void lt_identity_set(const struct lt_identity *ours) {
    identity = ours;
}

static void put_text(struct lt_writer *writer, enum lt_process_field field, const char *bytes, size_t size) {
    lt_put_varint(writer, field);
    lt_put_bytes(writer, bytes, size);
}

static void put_number(struct lt_writer *writer, enum lt_process_field field, uint64_t number) {
    lt_put_varint(writer, field);
    lt_put_varint(writer, lt_varint_size(number));
    lt_put_varint(writer, number);
}

static void put_arguments(struct lt_writer *writer) {
    int64_t size = lt_proc_cmdline(text, sizeof text);
    const char *end = text + (size > 0 ? size : 0);
    for (const char *arg = text; arg < end;) {
        size_t length = strnlen(arg, (size_t)(end - arg));
        put_text(writer, LT_PROCESS_ARG, arg, length);
        arg += length + 1;
    }
}

/* The items from number `i` on; returns the number behind the last. */
static unsigned put_list(struct lt_writer *writer, enum lt_process_field field,
                         const char *(*item)(unsigned, char *, unsigned), unsigned i) {
    for (const char *line; item && (line = item(i, text, sizeof text)); i++)
        put_text(writer, field, line, strlen(line));
    return i;
}

static int write_process(struct lt_writer *writer) {
    lt_section_begin(writer, LT_SECTION_PROCESS, LT_SECTION_CRITICAL);
    int64_t length = lt_proc_exe(text, sizeof text);
    if (length > 0)
        put_text(writer, LT_PROCESS_EXE, text, (size_t)length);
    put_arguments(writer);
    lt_host_name(text, sizeof text);
    put_text(writer, LT_PROCESS_HOST, text, strlen(text));
    put_number(writer, LT_PROCESS_PPID, (uint64_t)lt_getppid());
    if (identity->forked_from)
        put_number(writer, LT_PROCESS_FORKED_FROM, (uint64_t)identity->forked_from);
    put_text(writer, LT_PROCESS_ARCH, LT_ARCH_NAME, strlen(LT_ARCH_NAME));
    if (identity->library)
        put_text(writer, LT_PROCESS_LIBRARY, identity->library, strlen(identity->library));
    put_text(writer, LT_PROCESS_UNWINDER, lt_unwinder()->name, strlen(lt_unwinder()->name));
    put_list(writer, LT_PROCESS_OPTION, identity->option, 0);
    notes_told = put_list(writer, LT_PROCESS_NOTE, identity->note, 0);
    return lt_section_end(writer);
}

int lt_identity_write(struct lt_dump_file *file) {
    struct lt_writer writer;
    struct lt_dump_header header = {.pid = (uint32_t)lt_getpid(),
                                    .start_ticks = file->start_ticks,
                                    .start_wall_ns = identity->start_wall_ns,
                                    .control_fd = (uint32_t)identity->control_fd,
                                    .control_inode = identity->control_inode};
    lt_writer_init(&writer, lt_dump_file_append, file, buffer, sizeof buffer);
    int status = lt_write_header(&writer, &header);
    if (status == 0)
        status = write_process(&writer);
    if (status != 0) {
        lt_dump_file_rollback(file);
        return status;
    }
    lt_dump_file_commit(file);
    lt_identity_commit();
    lt_dictionary_reset();
    return 0;
}

int lt_identity_write_notes(struct lt_writer *writer) {
    notes_told = notes_kept;
    if (!identity->note || !identity->note(notes_kept, text, sizeof text))
        return 0;
    lt_section_begin(writer, LT_SECTION_PROCESS, LT_SECTION_CRITICAL);
    notes_told = put_list(writer, LT_PROCESS_NOTE, identity->note, notes_kept);
    return lt_section_end(writer);
}

void lt_identity_commit(void) {
    notes_kept = notes_told;
}
