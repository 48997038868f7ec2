#!/bin/sh
# no_reader_in_library.sh LIBRARY: the writer of dumps is in libleaktrack.so, the reader is not.
set -eu
symbols=$(nm "$1")
printf '%s\n' "$symbols" | grep -q ' lt_section_end$' || {
    echo "$1 has no lt_section_end: stripped, or without the writer of dumps"
    exit 1
}
! printf '%s\n' "$symbols" | grep -E ' lt_(dump_parse|dump_free|read_[a-z]+|cursor[a-z_]*)$'
