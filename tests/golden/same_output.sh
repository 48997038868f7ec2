#!/bin/sh
# same_output.sh EXPECT COMMAND...: the command succeeds and prints just what the file EXPECT holds.
set -eu
expect=$1
shift
output=$("$@")
printf '%s\n' "$output" | diff -u "$expect" -
