#!/bin/sh
# sizes.sh ROOT: files have at most 500 lines, functions 60. Prints what is longer, and fails then.
#
# Functions are found by their layout, which clang-format keeps: the body begins at a line in column 1 that ends in "{" and
# ends at the next "}" in column 1.
set -eu
cd "$1"

find src include tests tools docs -type f \( -name '*.[chS]' -o -name '*.cc' -o -name '*.cpp' -o -name '*.def' -o \
    -name '*.sh' -o -name '*.py' -o -name '*.cmake' -o -name 'CMakeLists.txt' -o -path 'tools/*' \) 2>/dev/null | sort |
    xargs awk '
function fail(line, why) {
    printf "%s:%d: %s\n", FILENAME, line, why
    failed = 1
}
FNR == 1 {
    files++
    code = FILENAME ~ /\.(c|h|cc|cpp)$/
    begin = 0
}
FNR == 501 { fail(501, "more than 500 lines: split it by idea") }
code && /^[A-Za-z_].*\) *(const|noexcept)? *\{$/ { begin = FNR }
code && /^\}/ {
    if (begin && FNR - begin + 1 > 60)
        fail(begin, "a function of " FNR - begin + 1 " lines; 60 are the limit")
    begin = 0
}
END {
    if (!files) {
        print "no files found"
        failed = 1
    }
    exit failed
}'
