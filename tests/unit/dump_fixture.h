/* A dump file in a new directory for each test, and other files to meet there. */
#ifndef LT_TESTS_DUMP_FIXTURE_H
#define LT_TESTS_DUMP_FIXTURE_H

#include "unit.h"

#include "dump_writing.h"
#include "unit_child.h"
#include "unit_files.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/wait.h>

static char scratch[64], path[128], other[160];
static struct lt_dump_file file;
static struct writing w;

static inline int set_up(void **state) {
    (void)state;
    scratch_new(scratch);
    snprintf(path, sizeof path, "%s/dump.bin", scratch);
    lt_dump_file_init(&file, path, 0);
    w.file = &file;
    w.index = w.nodes = w.nodes_committed = 0;
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    if (file.fd >= 0)
        lt_close(file.fd);
    scratch_remove(scratch);
    return 0;
}

/* In a child, first thing: it is a program of its own, not a forked part of the test. */
static inline void be_a_program(void) {
    lt_dump_file_init(&file, path, 0);
}

static inline void put_file(const char *name, const void *bytes, size_t size) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static inline void assert_holds(const char *name, const void *bytes, size_t size) {
    char back[4096];
    int fd = open(name, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, back, sizeof back), size);
    assert_memory_equal(back, bytes, size);
    close(fd);
}

static inline ino_t inode_of(const char *name) {
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    return st.st_ino;
}

/* A dump that says it is of process `pid`, with one snapshot or none. */
static inline void put_dump(const char *name, int pid, uint64_t start_ticks, bool with_snapshot) {
    static struct lt_dump_file made;
    static struct writing writing;
    lt_dump_file_init(&made, name, 0);
    writing = (struct writing){.file = &made};
    assert_int_equal(lt_dump_file_begin(&made, false), 0);
    lt_writer_init(&writing.writer, lt_dump_file_append, &made, writing.buffer, sizeof writing.buffer);
    write_header(&writing, (uint32_t)pid, start_ticks);
    if (with_snapshot) {
        write_body(&writing, 100, NODE_BEFORE);
        assert_int_equal(lt_write_end(&writing.writer, writing.index), 0);
    }
    lt_dump_file_commit(&made);
    lt_close(made.fd);
}

static inline int pid_of_the_dead(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static inline const char *path_with_pid(void) {
    snprintf(other, sizeof other, "%s.%d", path, lt_getpid());
    return other;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
