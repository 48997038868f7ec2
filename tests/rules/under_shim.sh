#!/bin/sh
# under_shim.sh PRELOAD SAYS PROGRAM [ARGUMENT...]
# Under the shim the program prints and ends as without it. PRELOAD is the value of LD_PRELOAD, the shim first, then what is
# preloaded in both runs. SAYS: a regular expression that the library's log must match; -: the log must be empty.
set -u
preload=$1 says=$2
shift 2
behind=${preload#*:}
[ "$behind" != "$preload" ] || behind=
dir=$(mktemp -d "${TMPDIR:-/tmp}/under_shim.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT

LD_PRELOAD=$behind "$@" >"$dir/without" 2>"$dir/error.without"
echo "status $?" >>"$dir/without"
LD_PRELOAD=$preload LEAKTRACK_LOG=$dir/log LEAKTRACK_OUTPUT=$dir/%p.bin "$@" >"$dir/with" 2>"$dir/error.with"
echo "status $?" >>"$dir/with"
touch "$dir/log"

diff -u "$dir/without" "$dir/with" || exit 1
diff -u "$dir/error.without" "$dir/error.with" || exit 1
if grep -q -e '^status 77$' -e '^status 1[0-9][0-9]$' "$dir/with"; then
    echo "the program did not run to its end"
    cat "$dir/with"
    exit 1
fi
if [ "$says" = - ]; then
    [ ! -s "$dir/log" ] || { echo "the log was to be empty:"; cat "$dir/log"; exit 1; }
else
    grep -q -e "$says" "$dir/log" || { echo "the log does not say '$says':"; cat "$dir/log"; exit 1; }
fi
