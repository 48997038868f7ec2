#!/bin/sh
# descriptor_calls_are_forwarded_once.sh LIBRARY PROGRAM: 200 rounds more make 200 times the program's own system calls more,
# and no other in each round.
set -eu
command -v strace >/dev/null || { echo "skipped: no strace"; exit 77; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/forwarded.XXXXXX")
trap 'rm -rf "$dir"' EXIT

calls() { # calls ROUNDS: "count name" of every system call, under the library
    strace -f -qq -o "$dir/trace" -E LD_PRELOAD="$1" -E LEAKTRACK_DUMPER=off -E LEAKTRACK_OUTPUT="$dir/%p" "$2" "$3" ||
        { [ ! -s "$dir/trace" ] && echo "skipped: strace may not trace here" && exit 77; exit 1; }
    sed -n 's/^[0-9]* *\([a-z_0-9]*\)(.*/\1/p' "$dir/trace" | sort | uniq -c | awk '{print $2, $1}'
}

calls "$1" "$2" 100 >"$dir/few"
calls "$1" "$2" 300 >"$dir/many"
join -a 1 -a 2 -e 0 -o 0,1.2,2.2 "$dir/few" "$dir/many" | awk '$3 - $2 >= 100 {print $1, $3 - $2}' >"$dir/more"
printf '%s\n' 'close 1200' 'dup 200' 'dup2 200' 'eventfd2 200' 'fcntl 200' 'openat 200' 'pipe2 200' 'socket 200' |
    diff -u --label expected --label "with the library" - "$dir/more"
