#!/bin/sh
# run_fuzzer.sh FUZZER SEEDS DICTIONARY: fuzzes for LEAKTRACK_FUZZ_SECONDS (20). What it finds stays next to the fuzzer, in
# FUZZER.found; inputs that crash it stay there too, and are printed as text that can be pasted.
set -eu
fuzzer=$1 seeds=$2 dictionary=$3
found=$fuzzer.found
mkdir -p "$found"
[ -n "$(ls "$seeds")" ] || {
    echo "no seeds in $seeds"
    exit 1
}
status=0
"$fuzzer" -max_total_time="${LEAKTRACK_FUZZ_SECONDS:-20}" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -use_value_profile=1 \
    -print_final_stats=1 -dict="$dictionary" -artifact_prefix="$found/" "$found" "$seeds" 2>&1 || status=$?
for crash in "$found"/crash-* "$found"/timeout-* "$found"/oom-* "$found"/leak-*; do
    [ -e "$crash" ] || continue
    echo "$crash:"
    base64 "$crash"
    status=1
done
exit $status
