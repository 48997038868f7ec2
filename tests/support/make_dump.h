/* Builds dumps in memory from a short description, so that tests of whatever reads a dump need no live process.
 *
 * One statement a line, words separated by blanks, a word may be "quoted"; '#' begins a comment line. In any order:
 *
 *   process exe=/usr/bin/app arg=app arg=-v host=box ppid=1 forked-from=7 arch=x86_64 library=0.1.0 option=A=b
 *           unwinder=native note="one line" pid=4711 ticks=99 start=1700000000000000000 future=x
 *          one line, and the first; all of it is optional
 *   module app path=/usr/bin/app build-id=00aaff bias=0x400000 device=1 inode=2 size=3 mtime=4 load=0
 *          segment=vaddr/memsz/offset/flags          defaults: path is the name, everything else 0 or absent
 *   unload app 500
 *   snapshot index=1 wall=1700000001000000000 time=100 trigger=exit last incomplete sampling=524288
 *          defaults: the next index, start + time, 100 * index, periodic, every block
 *   totals heap live=1/10 alloc=5/50 release=4/40 inherited=0/0
 *          count/bytes; a kind without this line gets the sums of its sites
 *   site heap app+0x10 app+0x20 0x7000 live=2/74 alloc=3/111 first=10 last=20 truncated warm-up age=0:1/37 age=3:1/37
 *        samples=1/2 live-variance=3/4 alloc-variance=5/6    the row of SAMPLES, where samples are not 0/0
 *          frames innermost first: module+offset, or a bare address; alloc defaults to live; "heap" alone is the
 *          empty stack
 *
 *   block 0x7f0010 heap app+0x10 app+0x20 size=37 birth=10 truncated
 *
 *   counter untracked "paused by leaktrack_pause" 3
 *          groups: untracked, statistics, kernel, memory
 *
 *   descriptor 3 socket app+0x10 birth=10 truncated site=socket origin=call cloexec stream directory deleted
 *          target=socket:[7] DETAILS
 *   mapping 0x7f0000 8192 file app+0x10 birth=10 protection=6 origin=call shared offset=0 path=/usr/lib/x DETAILS
 *   thread 100 app+0x10 birth=10 origin=call runs detached main stack=8388608 name=worker DETAILS
 *   misuse 1 app+0x10 truncated count=2 fd=5 opener app+0x20 site=file birth=3
 *          the frames are the holder's; its site= is what the row is where there are frames (an opener's: file)
 *          DETAILS: inode= protocol= state= local= peer= receive= send= memory= position= size= watches= note=
 *          resident= future=
 *
 * What follows a `snapshot` line belongs to it, up to the next. Modules must be named before they are used. */
#ifndef LT_TESTS_MAKE_DUMP_H
#define LT_TESTS_MAKE_DUMP_H

#include <stddef.h>
#include <stdint.h>

struct lt_made_dump {
    uint8_t *bytes;
    size_t size;
};

/* The dump that `description` tells of. A mistake in it prints the line to stderr and aborts. */
struct lt_made_dump lt_make_dump(const char *description);

/* The same with sections of at most `section_size` (>= 4096) bytes: rows spread over several sections. */
struct lt_made_dump lt_make_dump_split(const char *description, size_t section_size);
void lt_made_dump_free(struct lt_made_dump *);

/* The same, written to a file; aborts where that fails. */
void lt_make_dump_file(const char *path, const char *description);

#endif
