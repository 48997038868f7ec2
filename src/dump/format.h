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
enum { LT_DUMP_MAGIC_SIZE = 8, LT_DUMP_MAJOR = 1, LT_DUMP_MINOR = 0, LT_DUMP_ALIGN = 8 };

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
 * device, inode, size and mtime_ns are 0 where unknown. load_cs: centiseconds since start when it was first seen.
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
 * END: varint snapshot index | varint sections (of this snapshot, END included) | varint bytes (from SNAPSHOT's head to
 *   END's head) | varint crc (CRC-32C over the 4-byte head_crc of every section of the snapshot before END, in file
 * order) */
enum { LT_AGE_CLASSES = 32 }; /* above every class: 2^32 centiseconds are less than 2^26 s */

enum lt_site_flag {
    LT_SITE_TRUNCATED = 1 << 0, /* frames are missing at the outer end */
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

/* COUNTERS groups. */
enum lt_counter_group {
    LT_COUNTER_UNTRACKED = 1,  /* events that were not recorded, by reason */
    LT_COUNTER_STATISTICS = 2, /* the library's own: arena bytes, rule misses, threads, snapshot nanoseconds ... */
};

/* BUMP RULE. A new section type or field that an old reader may skip: raise LT_DUMP_MINOR, do not set CRITICAL. A row
 * that changes its meaning, or a new resource kind: raise the section's version; the reader keeps reading the old one.
 * A reader skips a section whose version it does not know, and refuses the file if that one is critical. Anything an
 * old reader would misread: raise LT_DUMP_MAJOR. Numbers are never used again. A golden dump of each released format
 * stays in tests/golden and stays readable. */

#endif
