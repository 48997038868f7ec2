/* /proc/self/pagemap, and not mincore(2) or smaps: mincore is ten times faster, but service managers' system call
 * filters (systemd's @system-service) have no place for it and kill who calls it; smaps walks all pages of all files,
 * too. */
#include "os/resident.h"

#include "base/attrs.h"
#include "os/file.h"
#include "os/lines.h"
#include "os/memory.h"

#include <fcntl.h>
#include <string.h>

#define PRESENT (UINT64_C(1) << 63) /* of a page's word: Documentation/admin-guide/mm/pagemap.rst */

/* "RssAnon:	    1234 kB" */
static uint64_t kibibytes(const char *text) {
    return lt_number_at(text + strspn(text, " \t"), 10) * 1024;
}

int lt_resident(struct lt_resident *resident, char *buffer, size_t size) {
    const struct {
        const char *name;
        uint64_t *value;
    } rows[] = {
        {"RssAnon:", &resident->anon},
        {"RssFile:", &resident->file},
        {"RssShmem:", &resident->shmem},
        {"VmSwap:", &resident->swap},
    };
    struct lt_lines lines;
    const uint64_t none = LT_RESIDENT_UNKNOWN;
    *resident = (struct lt_resident){none, none, none, none};
    const int status = lt_lines_open(&lines, "/proc/thread-self/status", buffer, size);
    if (status != 0)
        return status;
    for (const char *line; (line = lt_lines_next(&lines)) != NULL;)
        for (size_t i = 0; i < LT_ARRAY_SIZE(rows); i++)
            if (strncmp(line, rows[i].name, strlen(rows[i].name)) == 0)
                *rows[i].value = kibibytes(line + strlen(rows[i].name));
    return lt_lines_close(&lines);
}

int lt_pages_open(void) {
    return lt_open("/proc/thread-self/pagemap", O_RDONLY, 0);
}

int64_t lt_pages_resident(int fd, uintptr_t start, uintptr_t end, uint64_t *words) {
    const size_t size = (end - start) / LT_PAGE * sizeof *words;
    const int64_t n = lt_pread_all(fd, words, size, start / LT_PAGE * sizeof *words);
    int64_t present = 0;
    for (int64_t i = 0; i < n / (int64_t)sizeof *words; i++)
        present += (words[i] & PRESENT) != 0;
    return n < 0 ? n : present;
}
