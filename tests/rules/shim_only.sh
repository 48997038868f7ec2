#!/bin/sh
# shim_only.sh PRELOAD PROGRAM [ARGUMENT...]: the program, which is its own judge, ends with 0 under the shim, and the library
# has nothing to say in its log. PRELOAD is the value of LD_PRELOAD.
set -u
preload=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/shim_only.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
LD_PRELOAD=$preload LEAKTRACK_LOG=$dir/log LEAKTRACK_OUTPUT=$dir/%p.bin "$@"
status=$?
[ ! -s "$dir/log" ] || { echo "the log was to be empty:"; cat "$dir/log"; exit 1; }
exit $status
