#!/bin/sh
# public_header.sh ROOT COMPILER LANGUAGE STANDARD: public_header.c compiles as that language without a warning, links
# without the library and runs.
set -eu
root=$1 compiler=$2 language=$3 standard=$4
if ! command -v "$compiler" >/dev/null; then
    echo "skipped: there is no $compiler"
    exit 77
fi
program=$(mktemp)
trap 'rm -f "$program"' EXIT
"$compiler" -x "$language" "-std=$standard" -pedantic -Wall -Wextra -Wshadow -Wconversion -Wundef -Werror \
    -I"$root/include" "$root/tests/rules/public_header.c" -o "$program"
"$program"
