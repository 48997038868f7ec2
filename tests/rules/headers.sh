#!/bin/sh
# headers.sh ROOT COMPILER: every header under src compiles alone, and twice in a row, without a warning.
set -eu
cd "$1"
compiler=$2
failed=0
count=0
for header in $(find src -name '*.h' | sort); do
    count=$((count + 1))
    name=${header#src/}
    printf '#include "%s"\n#include "%s"\ntypedef int lt_not_empty;\n' "$name" "$name" |
        "$compiler" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wundef -Werror -fsyntax-only -Isrc -Iinclude -x c - ||
        {
            echo "$header does not compile alone"
            failed=1
        }
done
[ $count -gt 0 ] || exit 1
exit $failed
