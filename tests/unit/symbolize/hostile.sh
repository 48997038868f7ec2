#!/bin/sh
# hostile.sh KIND: prints assembly (x86-64 or any 64-bit target of gas) of a function `main` with DWARF 4 made to hurt.
#
#   deep       100000 lexical blocks inside each other
#   inlines    1000 inlined calls inside each other at one address
#   self       an entry whose DW_AT_sibling is the entry itself
#   parent     a child whose DW_AT_sibling is its parent
#   skipped    the same under an entry that nobody enters
#   overlap    20000 functions that all cover all of the code
#   stray      no harm meant: a unit that does not say which addresses it has code at; the function is called "stray"
set -eu
kind=$1

abbreviation() { # CODE TAG HAS_CHILDREN [ATTRIBUTE FORM]...
    printf '.uleb128 %s\n.uleb128 %s\n.byte %s\n' "$1" "$2" "$3"
    shift 3
    for value; do printf '.uleb128 %s\n' "$value"; done
    printf '.byte 0,0\n'
}
repeat() { # COUNT LINE...
    printf '.rept %s\n' "$1"
    shift
    for line; do printf '%s\n' "$line"; done
    printf '.endr\n'
}
covers_all='.quad main
.quad .Lend-main'
function="
.uleb128 2
.string \"main\"
$covers_all"

cat <<END
.text
.globl main
.type main,@function
main: .zero 64
.Lend: .size main,.-main
.section .debug_abbrev,"",@progbits
.Labbreviations:
END
abbreviation 1 0x11 1 0x11 0x1 0x12 0x7 0x13 0xb # compile unit: low pc, high pc, language
abbreviation 2 0x2e 1 0x3 0x8 0x11 0x1 0x12 0x7  # subprogram: name, low pc, high pc
abbreviation 3 0xb 1                             # lexical block
abbreviation 4 0x1d 1 0x11 0x1 0x12 0x7 0x3 0x8  # inlined subroutine: low pc, high pc, name
abbreviation 5 0xb 0 0x1 0x13                    # lexical block: sibling
abbreviation 6 0x4 1                             # enumeration
abbreviation 7 0x11 1 0x13 0xb                   # compile unit: language
cat <<END
.byte 0
.section .debug_info,"",@progbits
.Lunit: .long .Lunit_end-.Lunit_start
.Lunit_start: .value 4
.long .Labbreviations
.byte 8
END
if [ "$kind" = stray ]; then
    printf '.uleb128 7\n.byte 4\n'
else
    printf '.uleb128 1\n%s\n.byte 4\n' "$covers_all"
fi
case $kind in
deep) echo "$function"; repeat 100000 '.uleb128 3'; echo '.zero 100001' ;;
inlines) echo "$function"; repeat 1000 '.uleb128 4' "$covers_all" '.string "f"'; echo '.zero 1001' ;;
self) printf '%s\n.La: .uleb128 5\n.long .La-.Lunit\n.byte 0\n' "$function" ;;
parent) printf '%s\n.La: .uleb128 3\n.uleb128 5\n.long .La-.Lunit\n.byte 0,0\n' "$function" ;;
skipped) printf '.La: .uleb128 6\n.uleb128 5\n.long .La-.Lunit\n.byte 0\n%s\n.byte 0\n' "$function" ;;
overlap) repeat 20000 "$function" '.byte 0' ;;
stray) echo "$function" | sed 's/"main"/"stray"/'; echo '.byte 0' ;;
*) echo "hostile.sh: unknown kind $kind" >&2; exit 2 ;;
esac
printf '.byte 0\n.Lunit_end:\n'
