#!/bin/sh
# exports.sh LIBRARY SOURCE_DIR: what the library exports is what exports.map lists, and that is hooks.def and the functions of
# leaktrack.h. Prints the differences.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/exports.XXXXXX")
trap 'rm -rf "$dir"' EXIT
nm -D --defined-only "$1" | awk '{print $NF}' | sort >"$dir/library"
sed -e 's,/\*.*,,' -e '/local:/,$d' "$2/src/preload/exports.map" | grep -o '[a-z_A-Z0-9]*;' | tr -d ';' | sort >"$dir/map"
{
    sed -n 's/^LT_HOOK([^,]*, \([a-z_A-Z0-9]*\),.*/\1/p' "$2/src/preload/hooks.def"
    sed -n 's/^LEAKTRACK_API.*[ *]\(leaktrack_[a-z_]*\)(.*/\1/p' "$2/include/leaktrack.h"
} | sort >"$dir/declared"
for list in map declared; do
    [ -s "$dir/$list" ] || { echo "found no names: the test is out of date"; exit 1; }
done
diff -u --label exports.map --label "$1" "$dir/map" "$dir/library"
diff -u --label "hooks.def and leaktrack.h" --label exports.map "$dir/declared" "$dir/map"
