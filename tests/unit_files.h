/* Directories for a test's files: an empty temporary one that is removed with what is in it, and a tiny tmpfs that is
 * full after a few pages. */
#ifndef LT_TESTS_UNIT_FILES_H
#define LT_TESTS_UNIT_FILES_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* A new directory; its path stays valid until scratch_remove. */
static inline const char *scratch_new(char path[64]) {
    const char *base = getenv("TMPDIR");
    if (!base || strlen(base) > 30)
        base = "/tmp";
    snprintf(path, 64, "%s/leaktrack-test-XXXXXX", base);
    return mkdtemp(path);
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)st, (void)type, (void)walk;
    return remove(path);
}

static inline void scratch_remove(const char *path) {
    umount2(path, MNT_DETACH); /* where scratch_tmpfs was called */
    nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Mounts a tmpfs of `size` ("64k") over the directory; false where that is not permitted. */
static inline bool scratch_tmpfs(const char *path, const char *size) {
    char options[32];
    snprintf(options, sizeof options, "size=%s", size);
    return mount("none", path, "tmpfs", 0, options) == 0;
}

#endif
