#include "preload/kin.h"

#include "base/fmt.h"
#include "base/hash.h"
#include "dump/control.h"
#include "dump/format.h"
#include "os/proc.h"
#include "os/task.h"
#include "preload/control.h"
#include "preload/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { CROWD = 4, ENTRIES = 27, NAME_SIZE = 96, MISSES = 2 };

struct entry {
    uint64_t program;    /* which dumps compete: hash of the executable, and another for its forked children; 0: free */
    uint64_t held_bytes; /* at the end */
    uint64_t inode;      /* of the dump */
    uint32_t crowded;    /* it stands for more than CROWD processes */
    uint32_t reserved;
    char name[NAME_SIZE]; /* of the dump, without its directory */
};

struct list {
    uint32_t lock; /* pid of who changes the list */
    uint32_t reserved;
    uint64_t directory; /* hash of where the dumps lie */
    struct entry entries[ENTRIES];
};
_Static_assert(sizeof(struct lt_control) + sizeof(struct list) <= LT_CONTROL_SIZE, "the list stands behind the page");

static struct list *own, *parents; /* NULL: there is none */
static uint64_t this_program;
static bool forked;

static struct list *list_behind(struct lt_control *page) {
    return (struct list *)(page + 1);
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static uint64_t directory_of(const char *path) {
    return lt_hash_bytes(1, path, (size_t)(name_of(path) - path));
}

static struct lt_control *map_page(int pid, int number) {
    const int fd = lt_proc_fd_open(pid, number, O_RDWR);
    struct lt_control *page = fd < 0 ? NULL : lt_file_map_shared(fd, LT_CONTROL_SIZE);
    if (fd >= 0)
        lt_close(fd);
    return page;
}

/* The page of process `pid`, NULL where it has none, or is not ours to look at. A process's page takes the first high
 * number and its dump the second, unless the program has something there; and children inherit the limit of numbers. */
static struct lt_control *find_page(int pid) {
    static const char wanted[] = "/memfd:" LT_CONTROL_NAME " (deleted)";
    char target[64];
    for (int number = lt_fd_high(), misses = 0; misses < MISSES; number++) {
        if (!lt_proc_fd_target(pid, number, target, sizeof target))
            misses++;
        else if (strcmp(target, wanted) == 0)
            return map_page(pid, number);
    }
    return NULL;
}

static void learn_program(void) {
    struct lt_file_info exe;
    if (lt_path_info("/proc/self/exe", &exe) == 0)
        this_program = lt_hash_add(exe.id.device, exe.id.inode) | 1;
}

void lt_kin_start(void) {
    struct lt_control *page = find_page(lt_getppid());
    learn_program();
    if (page && page->magic == LT_CONTROL_MAGIC && page->version == LT_CONTROL_VERSION)
        parents = list_behind(page);
}

void lt_kin_own_page(const char *dump_path) {
    struct lt_control *page = lt_control_page();
    own = page ? list_behind(page) : NULL;
    if (own)
        own->directory = directory_of(dump_path);
}

void lt_kin_forked(void) {
    if (!forked)
        this_program = lt_hash_mix(this_program) | 1;
    forked = true;
    if (own)
        parents = own;
    own = NULL;
}

bool lt_kin_has_parent(void) {
    return parents;
}

/* Taken for microseconds, by processes that are about to end; one that died with it is passed over. */
static bool take(struct list *list) {
    const uint32_t self = (uint32_t)lt_getpid();
    for (int attempt = 0; attempt < 1000; attempt++) {
        uint32_t holder = 0;
        if (__atomic_compare_exchange_n(&list->lock, &holder, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
        if (!lt_pid_alive((int)holder))
            __atomic_compare_exchange_n(&list->lock, &holder, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
        lt_sleep_ns(100 * 1000);
    }
    return false;
}

static void release(struct list *list) {
    __atomic_store_n(&list->lock, 0, __ATOMIC_RELEASE);
}

static bool is_dump(const char *path, uint64_t inode) {
    char magic[LT_DUMP_MAGIC_SIZE];
    struct lt_file_info info;
    const int fd = lt_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return false;
    const bool is = lt_file_info(fd, &info) == 0 && info.id.inode == inode &&
                    lt_pread_all(fd, magic, sizeof magic, 0) == sizeof magic &&
                    memcmp(magic, LT_DUMP_MAGIC, sizeof magic) == 0;
    lt_close(fd);
    return is;
}

/* Removes the dump of that entry from the directory of `beside`, and frees the entry. */
static void evict(struct entry *entry, const char *beside) {
    char path[LT_PATH_MAX / 8];
    struct lt_fmt f = lt_fmt(path, sizeof path);
    lt_fmt_bytes(&f, beside, (size_t)(name_of(beside) - beside));
    lt_fmt_bytes(&f, entry->name, strnlen(entry->name, NAME_SIZE));
    entry->program = 0;
    if (f.cut || memchr(entry->name, '/', NAME_SIZE) || !is_dump(path, entry->inode))
        return;
    lt_log("dump of a brief process removed (LEAKTRACK_CHILDREN=all keeps it)", path, lt_unlink(path));
}

struct peers {
    unsigned count;
    bool crowded;
    struct entry *most, *free; /* NULL: none */
};

static struct peers peers_of(struct list *list, uint64_t program) {
    struct peers p = {0};
    for (struct entry *e = list->entries; e < list->entries + ENTRIES; e++) {
        if (!e->program)
            p.free = e;
        if (e->program != program)
            continue;
        p.count++;
        p.crowded |= e->crowded;
        if (!p.most || e->held_bytes > p.most->held_bytes)
            p.most = e;
    }
    return p;
}

/* Puts the newcomer on the list, if there is room; then the rule CROWD. */
static void admit(struct list *list, const struct entry *newcomer, const char *beside) {
    struct peers p = peers_of(list, newcomer->program);
    if (!p.free)
        return;
    *p.free = *newcomer;
    p = peers_of(list, newcomer->program);
    if (!p.crowded && p.count <= CROWD)
        return;
    p.most->crowded = true;
    for (struct entry *e = list->entries; e < list->entries + ENTRIES; e++)
        if (e != p.most && e->program == newcomer->program)
            evict(e, beside);
}

bool lt_kin_wants(uint64_t held_bytes) {
    if (!parents)
        return true;
    const struct peers p = peers_of(parents, this_program);
    return !p.crowded || held_bytes > p.most->held_bytes;
}

static struct entry entry_of(const struct lt_dump_file *file, uint64_t held_bytes) {
    struct entry entry = {.program = this_program, .held_bytes = held_bytes, .inode = file->id.inode};
    struct lt_fmt f = lt_fmt(entry.name, sizeof entry.name);
    lt_fmt_text(&f, name_of(file->path));
    if (f.cut)
        entry.program = 0;
    return entry;
}

void lt_kin_leave(const struct lt_dump_file *file, bool written, uint64_t held_bytes) {
    const struct entry self = entry_of(file, held_bytes);
    if (!parents || parents->directory != directory_of(file->path) || !take(parents))
        return;
    if (written && self.program)
        admit(parents, &self, file->path);
    for (int i = 0; own && i < ENTRIES; i++)
        if (own->entries[i].program)
            admit(parents, &own->entries[i], file->path);
    release(parents);
}

void lt_kin_disown(const struct lt_dump_file *file) {
    if (!own || own->directory != directory_of(file->path) || !take(own))
        return;
    for (int i = 0; i < ENTRIES; i++)
        if (own->entries[i].program)
            evict(&own->entries[i], file->path);
    release(own);
}
