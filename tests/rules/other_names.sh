#!/bin/sh
# other_names.sh LIBRARY: what the C library exports under several names is hooked under all of them, if under one. The heap's
# other names (__libc_malloc) are left alone: allocators of the program's define and call those for blocks of their own.
set -eu
dir=$(mktemp -d "${TMPDIR:-/tmp}/other_names.XXXXXX")
trap 'rm -rf "$dir"' EXIT
libc=$(ldd "$1" | awk '$1 ~ /^libc\.so/ {print $3}')
[ -n "$libc" ] || { echo "skipped: the C library is not glibc"; exit 77; }
nm -D --defined-only "$1" | awk '{print $NF}' | sort -u >"$dir/hooks"
nm -D --defined-only "$libc" | awk '$2 ~ /[TWi]/ && !/GLIBC_PRIVATE/ {sub(/@.*/, "", $3); print $1, $3}' | sort -u >"$dir/names"
awk 'NR == FNR {hook[$1]; next} $2 in hook {at[$1] = $2} {name[FNR] = $0; n = FNR}
     END {for (i = 1; i <= n; i++) {split(name[i], f, " "); if (f[1] in at) {all++; if (!(f[2] in hook)) print f[2], "is", at[f[1]]}}
          if (all < 100) print "found only", all + 0, "names: the test is out of date"}' "$dir/hooks" "$dir/names" |
    grep -v '^__libc_[a-z]*alloc \|^__libc_memalign \|^__libc_free ' >"$dir/missing" || true
cat "$dir/missing"
[ ! -s "$dir/missing" ]
