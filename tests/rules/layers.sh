#!/bin/sh
# layers.sh ROOT: an arrow between rooms only points down. Reads every #include under ROOT/src, prints each forbidden one
# as file:line, and fails if there is any.
set -eu
cd "$1"

# The one table: a room, what it may include besides itself, and the system headers that it never sees. What runs in a
# stranger's process has neither stdio nor malloc: stdio.h stdlib.h malloc.h dlfcn.h mark the slip. A file that lives by
# other rules than its room has a line of its own, which comes first.
table='
dump/reader   | base                       |
dump          | base                       | stdio.h stdlib.h malloc.h dlfcn.h
base          |                            | stdio.h stdlib.h malloc.h dlfcn.h
os            | base                       | stdio.h stdlib.h malloc.h dlfcn.h
unwind        | os base                    | stdio.h stdlib.h malloc.h
track         | unwind dump os base        | stdio.h stdlib.h malloc.h dlfcn.h
preload       | track unwind dump os base  | malloc.h
report        | dump base                  |
'

find src -name '*.[chS]' -o -name '*.def' | sort |
    xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null | awk -v table="$table" '
function fail(why) {
    printf "%s:%s: %s\n", file, line, why
    failed = 1
}
# The row of a path without src/: the longest first column that it starts with.
function row_of(path, key, best) {
    best = ""
    for (key in may)
        if (index(path, key) == 1 && length(key) > length(best))
            best = key
    return best
}
BEGIN {
    rows = split(table, row, "\n")
    for (i = 1; i <= rows; i++)
        if (split(row[i], column, "|") == 3) {
            gsub(/ +$/, "", column[1])
            may[column[1]] = " " column[2] " "
            never[column[1]] = " " column[3] " "
        }
}
{
    split($0, part, ":")
    file = part[1]
    line = part[2]
    path = file
    sub(/^src\//, "", path)
    self = row_of(path)
    room = path
    sub(/\/.*/, "", room)
    if (self == "") {
        fail("the room of this file is not in the table of tests/rules/layers.sh")
        next
    }
    if (match($0, /<[^>]*>/) && $0 !~ /<leaktrack.h>/) {
        header = substr($0, RSTART + 1, RLENGTH - 2)
        if (index(never[self], " " header " "))
            fail(self " never includes <" header ">")
        next
    }
    match($0, /["<][^">]*[">]/)
    header = substr($0, RSTART + 1, RLENGTH - 2)
    if (header == "leaktrack.h") {
        if (room != "preload" && room != "report")
            fail("leaktrack.h is for preload and report")
        next
    }
    target = header
    if (!sub(/\/.*/, "", target) || header ~ /\.\./) {
        fail("includes \"" header "\": name the room, \"room/file.h\"")
        next
    }
    if (target != room && !index(may[self], " " target " "))
        fail(self " includes " header ", which does not lie below it")
    if (header ~ /^dump\/reader/ && room != "report" && self != "dump/reader")
        fail(self " includes the reader of dumps, which is for hosted programs")
    if (header ~ /^dump\/writer/ && room == "report")
        fail("report includes the writer of dumps")
}
END {
    if (!NR) {
        print "no #include found under src"
        failed = 1
    }
    exit failed
}'
