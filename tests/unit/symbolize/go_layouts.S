/* One small Go program's table as each version of the linker lays it out: -DLAYOUT=116, 118, 120, 126, 127.
 *
 *     main.first    32 bytes, /src/a.go:10
 *     main.second   [0, 8) /src/a.go:20, [8, 16) main.tiny inlined, /src/b.go:7, called from /src/a.go:21, [16, 32) line 21
 *
 * Layout 116 has no inlined call: there main.second is /src/b.go:7 in [8, 16). */
#if LAYOUT == 116
#define MAGIC 0xfffffffa
#elif LAYOUT == 118
#define MAGIC 0xfffffff0
#else
#define MAGIC 0xfffffff1
#endif

        .text
        .skip   64                      # C start-up code in front
        .globl  main, _start
        .type   main, @function
        .size   main, 32
main:
_start:
text:
first:  .skip   32, 0x90
second: .skip   32, 0x90
text_end:

#ifdef __PIE__
        .section .data.rel.ro.gopclntab, "aw"  /* GNU ld makes it a part of .data.rel.ro */
#else
        .section .gopclntab, "a"
#endif
        .balign 32
table:
        .long   MAGIC
        .byte   0, 0, 1, 8
        .quad   2, 2                    # functions, files
#if LAYOUT == 118 || LAYOUT == 120
        .quad   text
#elif LAYOUT >= 126
        .quad   0
#endif
        .quad   names - table, units - table, files - table, pcs - table, functions - table
names:  .byte   0
name_first:
        .asciz  "main.first"
name_second:
        .asciz  "main.second"
name_tiny:
        .asciz  "main.tiny"
        .balign 4
units:  .long   file_a - files, file_b - files
files:
file_a: .asciz  "/src/a.go"
file_b: .asciz  "/src/b.go"
        /* Runs of (zigzag difference, length), from -1 on. */
pcs:    .byte   0
file_0: .byte   2, 32, 0
line_10:
        .byte   22, 32, 0
second_file:
        .byte   2, 8, 2, 8, 1, 16, 0
second_line:
        .byte   42, 8, 25, 8, 28, 16, 0
second_inline:
        .byte   0, 8, 2, 8, 1, 16, 0
        .balign 8
functions:
#if LAYOUT == 116
        .quad   first, record_first - functions, second, record_second - functions, text_end
#else
        .long   first - text, record_first - functions, second - text, record_second - functions, text_end - text, 0
#endif

        .macro  RECORD entry, name, file, line
#if LAYOUT == 116
        .quad   \entry
#else
        .long   \entry - text
#endif
        .long   \name - names, 0, 0, 0, \file - pcs, \line - pcs, 3, 0
#if LAYOUT >= 120
        .long   1                       # startLine
#endif
        .endm

record_first:
        RECORD  first, name_first, file_0, line_10
        .byte   0, 0, 0, 0
        .long   0, 0, 0
record_second:
        RECORD  second, name_second, second_file, second_line
        .byte   0, 0, 0, 4
        .long   0, 0, second_inline - pcs
        .long   -1, -1, -1, tree - go_func

table_end:

        .section .rodata, "a"
rodata: .quad   0
go_func:
        .quad   0
tree:
#if LAYOUT == 118
        .short  -1
        .byte   0, 0
        .long   1, 7, name_tiny - names, 16
#else
        .byte   0, 0, 0, 0
        .long   name_tiny - names, 16, 3
#endif

        .section .data, "aw"
        .balign 8
        .quad   table, 0                # not moduledata: what follows is not the names
module: .quad   table, names
        .skip   160
        .quad   text, text_end
#if LAYOUT == 118
        .skip   304 - 192 - 8
        .quad   rodata, go_func
#elif LAYOUT == 127
        .skip   296 - 192
        .quad   rodata, 8, go_func, 16, 24      # types, typedesclen, etypes, itaboffset, itabsize
        .quad   rodata, go_func, table_end      # ... epclntab
#else
        .skip   296 - 192
        .quad   rodata, go_func                 # types, etypes
        .quad   rodata, go_func
#if LAYOUT == 126
        .quad   table_end                       # epclntab
#endif
#endif
        .quad   rodata, 1, 1                    # textsectmap
        .section .note.go.buildid, "a", @note
        .long   4, 4, 4
        .asciz  "Go"
        .byte   0
        .ascii  "id/s"
        .section .note.GNU-stack, "", @progbits
