/* The dump file: the only interface between libleaktrack.so and leaktrack-report. docs/dump-format.md says the same for
 * third parties; change both together, and mind the BUMP RULE at the end.
 *
 *   header | section | section | ...          everything little-endian, sections start at multiples of 8
 *
 * A section is a 24-byte head {type, version, flags, length, CRC of the payload, CRC of the head} and `length` bytes of
 * payload, padded with zeros to a multiple of 8. CRC is CRC-32C (Castagnoli, reflected, RFC 3720 appendix B.4).
 *
 * A *snapshot* is the run of sections from SNAPSHOT to END. Dictionary sections (PROCESS, MODULES, NODES) may stand
 * before or inside it, are written once, and are referred to by every later snapshot. A snapshot without its END is
 * incomplete and is not used; what a failed snapshot left behind is overwritten by the next one.
 *
 * Payloads. `varint` is LEB128 unsigned, at most 10 bytes; `svarint` is zigzag LEB128; `bytes` is a varint length and
 * that many bytes. Rows stand one after the other; `count` in front says how many. "The row before" is the one before
 * it in the same section: a section's first row counts from 0. A section refers only to dictionary rows that stand
 * before it in the file. Bytes that follow the last row belong to a later minor version and are skipped. */
#ifndef LT_DUMP_FORMAT_H
#define LT_DUMP_FORMAT_H

#include <assert.h>
#include <stdint.h>

/* As in PNG: a byte above 127, the name, CR LF, Ctrl-Z, LF: text-mode damage and truncation show at once. */
#define LT_DUMP_MAGIC "\x89LTK\r\n\x1a\n"
enum { LT_DUMP_MAGIC_SIZE = 8, LT_DUMP_MAJOR = 1, LT_DUMP_MINOR = 1, LT_DUMP_ALIGN = 8 };

struct lt_dump_header {
    uint8_t magic[LT_DUMP_MAGIC_SIZE];
    uint16_t major, minor;  /* a reader takes its own major and any minor */
    uint32_t header_size;   /* where the first section starts: sizeof(struct lt_dump_header) */
    uint32_t pid;           /* the writing process */
    uint32_t pointer_size;  /* 8 */
    uint64_t start_ticks;   /* its start time, field 22 of /proc/PID/stat; 0 unknown */
    uint64_t start_wall_ns; /* when the library started, ns since the epoch, UTC */
    uint32_t control_fd;    /* descriptor number of the control memfd in that process, UINT32_MAX = none */
    uint32_t reserved;      /* 0 */
    uint64_t control_inode; /* the memfd's inode: is it still the same file? */
    uint32_t reserved2;     /* 0 */
    uint32_t crc;           /* CRC-32C of the bytes before it */
};
static_assert(sizeof(struct lt_dump_header) == 64, "the header is part of the format");

struct lt_section_head {
    uint32_t type;    /* enum lt_section_type */
    uint16_t version; /* of that type's payload; rises when rows change their meaning */
    uint16_t flags;   /* enum lt_section_flag */
    uint64_t length;  /* bytes of payload, without padding */
    uint32_t payload_crc;
    uint32_t head_crc; /* CRC-32C of the 20 bytes before it */
};
static_assert(sizeof(struct lt_section_head) == 24, "the section head is part of the format");

enum lt_section_flag {
    LT_SECTION_CRITICAL = 1 << 0, /* a reader that does not know the type must refuse the file */
};

enum lt_section_type {
    LT_SECTION_HOLE = 0,     /* thinned: was one or several adjacent sections; payload undefined, payload_crc 0 */
    LT_SECTION_PROCESS = 1,  /* critical, dictionary, first in the file: who this is */
    LT_SECTION_MODULES = 2,  /* critical, dictionary: loaded ELF objects */
    LT_SECTION_NODES = 3,    /* critical, dictionary: call-stack nodes */
    LT_SECTION_SNAPSHOT = 4, /* critical: begins a snapshot */
    LT_SECTION_SITES = 5,    /* critical: site rows */
    LT_SECTION_BLOCKS = 6,   /* live blocks, with LEAKTRACK_BLOCKS=1 */
    LT_SECTION_COUNTERS = 7, /* what could not be tracked, and statistics of the library itself */
    LT_SECTION_UNLOADS = 8,  /* dictionary: modules that are gone */
    LT_SECTION_END = 9,      /* critical: closes a snapshot */
    /* Since 1.1, none of them critical, all of them in the snapshot: */
    LT_SECTION_SAMPLES = 10,     /* that heap blocks are sampled, and how sure the numbers are */
    LT_SECTION_DESCRIPTORS = 11, /* what the kernel lists as open */
    LT_SECTION_MAPPINGS = 12,    /* what the kernel lists as mapped */
    LT_SECTION_THREADS = 13,     /* threads that run, and those that ended and were never joined */
    LT_SECTION_MISUSES = 14,     /* releases of what was not the caller's to release */
};

/* PROCESS: fields until the payload ends, each {varint field, bytes}. Unknown fields are skipped. Numbers inside the
 * bytes are one varint. Repeated where it says so. */
enum lt_process_field {
    LT_PROCESS_EXE = 1,         /* path of the executable */
    LT_PROCESS_ARG = 2,         /* one argument; repeated, argv[0] first */
    LT_PROCESS_HOST = 3,        /* node name */
    LT_PROCESS_PPID = 4,        /* number */
    LT_PROCESS_FORKED_FROM = 5, /* number: the pid whose tables this process inherited by fork, absent otherwise */
    LT_PROCESS_ARCH = 6,        /* "x86_64", "aarch64" */
    LT_PROCESS_LIBRARY = 7,     /* version of libleaktrack.so */
    LT_PROCESS_OPTION = 8,      /* "LEAKTRACK_DEPTH=128": each option in force; repeated */
    LT_PROCESS_UNWINDER = 9,    /* "native", "fp", "libunwind" */
    LT_PROCESS_NOTE = 10,       /* one line for people: "heap tracking is off: the executable brings its own malloc" */
};

/* MODULES: varint first_id, varint count, then rows with ids first_id, first_id + 1, ... (1 is the first of the file):
 *   bytes path | bytes build_id | varint bias | varint device | varint inode | varint size | varint mtime_ns |
 *   varint load_cs | varint segments, then per segment: varint vaddr | varint memsz | varint offset | varint flags
 * build_id: the descriptor of NT_GNU_BUILD_ID; where there is none, LT_GO_BUILD_ID_PREFIX and Go's own build id (text
 * of .note.go.buildid); else empty. device, inode, size and mtime_ns are 0 where unknown. load_cs: centiseconds since
 * start when it was first seen.
 *
 * UNLOADS: varint count, rows: varint module_id | varint unload_cs
 * A later row of the same module replaces an earlier one; unload_cs UINT32_MAX: it is loaded again, at its old place.
 *
 * NODES: varint first_id, varint count, rows with ids first_id, ... (1 is the first; 0 is the root, the empty stack):
 *   varint (id - parent) | varint module_id | svarint (offset - offset of the row before, 0 before the first)
 * A node's path to the root is a call stack, innermost frame first. parent < id always. `offset` is the return address
 * as an address of the module's file (address - bias, "vaddr"); module_id 0: a bare address (anonymous code). For
 * symbols look up offset - 1: a return address points behind its call.
 *
 * SNAPSHOT: varint index (1, 2, 3 ...) | varint wall_ns | varint time_cs | varint trigger | varint flags |
 *   varint kinds, then per kind: varint kind | varint live_count | live_bytes | alloc_count | alloc_bytes |
 *   release_count | release_bytes | inherited_count | inherited_bytes
 *   alloc - release = live, per kind, at a standstill. `inherited` is what a forked child still holds of what its
 *   parent acquired; it is in none of the other numbers.
 *
 * SITES: varint count, rows sorted by (node, kind, flags):
 *   varint (node - node of the row before) | varint kind | varint flags | varint live_count | varint live_bytes |
 *   varint alloc_count | varint alloc_bytes | varint first_birth_cs | varint (last_birth_cs - first_birth_cs) |
 *   varint ages, then per age class: varint class | varint count | varint bytes
 *   Rows with live_count 0 are written too (alloc counts).
 *   Age class 0: younger than 1 s; class n: 2^(n-1) s <= age < 2^n s.
 *   A snapshot may hold several SITES sections (and BLOCKS, COUNTERS): their rows are one list.
 *
 * BLOCKS: varint count, rows sorted by address:
 *   varint (address - address of the row before) | varint size | varint birth_cs | varint node | varint kind |
 *   varint site flags
 *
 * COUNTERS: varint count, rows: varint group | bytes name | varint value.
 *
 * SAMPLES: varint mean (bytes between samples, LEAKTRACK_SAMPLE) | varint count, rows sorted by (node, kind, flags):
 *   varint (node - node of the row before) | varint kind | varint flags | varint live_samples | varint alloc_samples |
 *   varint live_count_variance | live_bytes_variance | alloc_count_variance | alloc_bytes_variance
 *   There where heap blocks are sampled: a block of n bytes is recorded with the chance P = 1 - exp(-n / mean) (n = 0
 *   as n = 1) and counts 1/P times in the heap's numbers of SNAPSHOT and SITES, which are estimates then, each rounded
 *   to a whole number by itself. A row says how many recorded blocks are behind those of the equal row of SITES, and
 *   their estimated variance: sums of (1-P)/P^2 in 2^-8 block^2, and of n^2 (1-P)/P^2 in (mean/256)^2 byte^2; 2^64-1 =
 *   at least that. Rows of BLOCKS are recorded blocks, each with its own size.
 *
 * DESCRIPTORS: varint count, rows sorted by fd:
 *   varint (fd - fd of the row before) | varint kind | varint origin | varint flags | HOLDER | bytes target | DETAILS
 *   kind: what the kernel says; target: where /proc/PID/fd/FD leads, "" where that is told by kind and details alone
 * MAPPINGS: varint count, rows sorted by address:
 *   varint (start - end of the row before) | varint length | varint protection | varint class | varint origin |
 *   varint flags | HOLDER | varint offset | bytes path | DETAILS
 *   One row per piece that has one holder: several rows may make one line of the kernel's maps. protection: as PF_R 4,
 *   PF_W 2, PF_X 1.
 * THREADS: varint count, rows:
 *   varint tid (0 = unknown) | varint origin | varint flags | HOLDER | varint stack_size | bytes name | DETAILS
 * MISUSES: varint count, rows:
 *   varint what | varint count | varint fd (of the last one) | varint node | varint site flags | HOLDER (who had
 *   acquired the descriptor)
 *
 * HOLDER: varint node | varint site kind | varint site flags | varint birth_cs: together the site (SITES: node, kind,
 *   flags) and the time of the acquisition; for what has no site (inherited, unattributed) all 0.
 * DETAILS: varint count, then per field: varint field (enum lt_detail) | bytes. Numbers in the bytes are one varint.
 *   Unknown fields are skipped.
 *
 * END: varint snapshot index | varint sections (of this snapshot, END included) | varint bytes (from SNAPSHOT's head to
 *   END's head) | varint crc (CRC-32C over the 4-byte head_crc of every section of the snapshot before END, in file
 * order) */
#define LT_GO_BUILD_ID_PREFIX "go:"
enum { LT_AGE_CLASSES = 32 }; /* above every class: 2^32 centiseconds are less than 2^26 s */

enum lt_site_flag {
    LT_SITE_TRUNCATED = 1 << 0, /* frames are missing at the outer end */
    LT_SITE_WARMUP = 1 << 1,    /* acquired before LEAKTRACK_AFTER had passed. Since 1.1 */
    LT_SITE_FLAGS_END = 1 << 2,
};

enum lt_snapshot_flag {
    LT_SNAPSHOT_LAST = 1 << 0,       /* the process was about to end or to exec */
    LT_SNAPSHOT_INCOMPLETE = 1 << 1, /* memory ran out: sites are missing; totals are right */
};

/* X(NAME, number, word) */
#define LT_TRIGGERS(X)                                                                                                 \
    X(PERIODIC, 1, "periodic")                                                                                         \
    X(REQUEST, 2, "request")                                                                                           \
    X(CALL, 3, "call") /* leaktrack_dump() */                                                                          \
    X(EXIT, 4, "exit")                                                                                                 \
    X(EXEC, 5, "exec")

enum lt_trigger {
#define X(name, number, word) LT_TRIGGER_##name = (number),
    LT_TRIGGERS(X)
#undef X
};

/* How a row's resource came to be held. */
#define LT_ORIGINS(X)                                                                                                  \
    X(CALL, 0, "call")                                                                                                 \
    X(DUP, 1, "dup")           /* another number for what was open already */                                          \
    X(RECEIVED, 2, "received") /* in a message (SCM_RIGHTS) */                                                         \
    X(INHERITED, 3, "inherited")                                                                                       \
    X(UNATTRIBUTED, 4, "unattributed") /* the kernel shows it, no hook has seen it come */

enum lt_origin {
#define X(name, number, word) LT_ORIGIN_##name = (number),
    LT_ORIGINS(X)
#undef X
        LT_ORIGIN_END
};

enum lt_descriptor_flag {
    LT_DESCRIPTOR_CLOEXEC = 1 << 0,
    LT_DESCRIPTOR_VIA_STREAM = 1 << 1,    /* under a FILE */
    LT_DESCRIPTOR_VIA_DIRECTORY = 1 << 2, /* under a DIR */
    LT_DESCRIPTOR_DELETED = 1 << 3,       /* the file has no name any more */
};

enum lt_mapping_flag {
    LT_MAPPING_SHARED = 1 << 0,
};

/* What a mapping is, where no call stack says it. */
#define LT_MAPPING_CLASSES(X)                                                                                          \
    X(ANONYMOUS, 0, "anonymous")                                                                                       \
    X(FILE, 1, "file")                                                                                                 \
    X(MODULE, 2, "module") /* a loaded ELF object */                                                                   \
    X(HEAP, 3, "heap")     /* brk */                                                                                   \
    X(STACK, 4, "stack")   /* of the main thread */                                                                    \
    X(THREAD_STACK, 5, "thread stack")                                                                                 \
    X(ARENA, 6, "malloc arena")                                                                                        \
    X(SHARED_MEMORY, 7, "shared memory") /* System V, POSIX, memfd */                                                  \
    X(KERNEL, 8, "kernel")               /* vdso, vvar, vsyscall */                                                    \
    X(OWN, 9, "leaktrack")                                                                                             \
    X(MALLOC_BLOCK, 10, "malloc block") /* a large one, in a mapping of its own */                                     \
    X(LIBC, 11, "libc")                 /* of the loader and the C library: locales, the main thread's storage ... */

enum lt_mapping_class {
#define X(name, number, word) LT_MAPPING_##name = (number),
    LT_MAPPING_CLASSES(X)
#undef X
        LT_MAPPING_CLASS_END
};

enum lt_thread_flag {
    LT_THREAD_RUNS = 1 << 0, /* the kernel lists its tid; else it has ended and was never joined */
    LT_THREAD_DETACHED = 1 << 1,
    LT_THREAD_MAIN = 1 << 2,
};

#define LT_MISUSES(X)                                                                                                  \
    X(NOT_OPEN, 1, "close of a descriptor that is not open")                                                           \
    X(OF_STREAM, 2, "close of a stream's descriptor")                                                                  \
    X(OF_DIRECTORY, 3, "close of a directory stream's descriptor")                                                     \
    X(OF_OURS, 4, "close of leaktrack's own descriptor (refused)")

enum lt_misuse_what {
#define X(name, number, word) LT_MISUSE_##name = (number),
    LT_MISUSES(X)
#undef X
        LT_MISUSE_END
};

enum lt_detail {
    LT_DETAIL_INODE = 1,
    LT_DETAIL_PROTOCOL = 2,  /* "tcp", "udp6", "unix stream", "netlink" ... */
    LT_DETAIL_STATE = 3,     /* text: "CLOSE_WAIT", "LISTEN" ... */
    LT_DETAIL_LOCAL = 4,     /* text: "127.0.0.1:8080", "[::1]:80", "/run/x.sock", "@abstract" */
    LT_DETAIL_PEER = 5,      /* likewise */
    LT_DETAIL_RECEIVE = 6,   /* bytes waiting to be read */
    LT_DETAIL_SEND = 7,      /* bytes not yet taken or acknowledged by the peer */
    LT_DETAIL_MEMORY = 8,    /* bytes of kernel memory in its buffers */
    LT_DETAIL_POSITION = 9,  /* file offset */
    LT_DETAIL_SIZE = 10,     /* bytes of the file */
    LT_DETAIL_WATCHES = 11,  /* of an inotify; descriptors registered with an epoll */
    LT_DETAIL_NOTE = 12,     /* text for people: "count 3", "armed, expires in 2.5 s" */
    LT_DETAIL_RESIDENT = 13, /* of a mapping of anonymous memory: bytes in memory */
};

/* COUNTERS groups. */
enum lt_counter_group {
    LT_COUNTER_UNTRACKED = 1,  /* events that were not recorded, by reason */
    LT_COUNTER_STATISTICS = 2, /* the library's own: arena bytes, rule misses, threads, snapshot nanoseconds ... */
    LT_COUNTER_KERNEL = 3,     /* what the kernel says of the process, and how the tables agree with it: names below */
    LT_COUNTER_MEMORY = 4,     /* bytes that the kernel accounts to the process and to its control group: names below */
};

/* Names of group 3. reconciled: 1, or 0 where /proc could not be read: then the rows are what the tables say. */
#define LT_KERNEL_RECONCILED            "reconciled"
#define LT_KERNEL_OPEN_FILES            "open_files" /* without the library's own */
#define LT_KERNEL_OPEN_FILES_LIMIT      "open_files_limit"
#define LT_KERNEL_OPEN_FILES_HARD_LIMIT "open_files_hard_limit"
#define LT_KERNEL_THREADS               "threads"
#define LT_KERNEL_MAPPINGS              "mappings"
#define LT_KERNEL_MAPPINGS_LIMIT        "mappings_limit" /* vm.max_map_count */
#define LT_KERNEL_VANISHED_DESCRIPTORS  "vanished_descriptors"
#define LT_KERNEL_VANISHED_MAPPINGS     "vanished_mappings"
#define LT_KERNEL_VANISHED_THREADS      "vanished_threads"
#define LT_KERNEL_MISUSES_WITHOUT_STACK "misuses_without_stack"

/* Names of group 4. resident_...: of the process, as the kernel counts along; cgroup_...: of the whole control group,
 * all its processes. A number that could not be had is left out; so is a limit that is none. */
#define LT_MEMORY_RESIDENT_ANON        "resident_anon" /* RssAnon */
#define LT_MEMORY_RESIDENT_FILE        "resident_file"
#define LT_MEMORY_RESIDENT_SHMEM       "resident_shmem"
#define LT_MEMORY_SWAP                 "swap"
#define LT_MEMORY_CGROUP_VERSION       "cgroup_version" /* 1 or 2 */
#define LT_MEMORY_CGROUP_USED          "cgroup_used"    /* memory.current, memory.usage_in_bytes */
#define LT_MEMORY_CGROUP_LIMIT         "cgroup_limit"   /* the least of its own and those above it */
#define LT_MEMORY_CGROUP_ANON          "cgroup_anon"
#define LT_MEMORY_CGROUP_FILE          "cgroup_file" /* page cache, shmem included */
#define LT_MEMORY_CGROUP_SHMEM         "cgroup_shmem"
#define LT_MEMORY_CGROUP_INACTIVE_FILE "cgroup_inactive_file"
#define LT_MEMORY_CGROUP_KERNEL        "cgroup_kernel"
#define LT_MEMORY_CGROUP_SLAB          "cgroup_slab" /* part of kernel */
#define LT_MEMORY_CGROUP_SOCK          "cgroup_sock"

/* BUMP RULE. A new section type or field that an old reader may skip: raise LT_DUMP_MINOR, do not set CRITICAL. A row
 * that changes its meaning, or a new resource kind: raise the section's version; the reader keeps reading the old one.
 * A reader skips a section whose version it does not know, and refuses the file if that one is critical. Anything an
 * old reader would misread: raise LT_DUMP_MAJOR. Numbers are never used again. A golden dump of each released format
 * stays in tests/golden and stays readable. */

#endif
