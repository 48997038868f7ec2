#!/bin/sh
# self_test.sh RULES: each rule finds the fault that it is there for, in a small tree made for it.
set -eu
rules=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fresh() {
    rm -rf "$tree"
    mkdir -p "$tree/src/base" "$tree/src/track" "$tree/src/unwind" "$tree/src/os" "$tree/src/dump" "$tree/src/report" \
        "$tree/include"
    printf '#ifndef LT_BASE_GOOD_H\n#define LT_BASE_GOOD_H\n#include <stdint.h>\n#endif\n' >"$tree/src/base/good.h"
    printf '#include "track/track.h"\n#include "base/good.h"\n' >"$tree/src/track/track.c"
}

passes() { # passes RULE: the tree is clean
    "$rules/$1" "$tree" >"$tree/out" 2>&1 || {
        echo "self_test: $1 complains of a clean tree:"
        cat "$tree/out"
        exit 1
    }
}

finds() { # finds TEXT RULE [argument...]: the rule fails, and says TEXT
    text=$1 rule=$2
    shift 2
    if "$rules/$rule" "$tree" "$@" >"$tree/out" 2>&1; then
        echo "self_test: $rule did not see: $text"
        exit 1
    fi
    grep -qF -- "$text" "$tree/out" || {
        echo "self_test: $rule failed without saying: $text"
        cat "$tree/out"
        exit 1
    }
    fresh
}

fresh
passes layers.sh
passes sizes.sh
passes places.sh

echo '#include "preload/hooks.h"' >"$tree/src/track/up.c"
finds 'src/track/up.c:1: track includes preload/hooks.h, which does not lie below it' layers.sh
echo '#include <stdio.h>' >"$tree/src/track/up.c"
finds 'track never includes <stdio.h>' layers.sh
echo '#include "dump/reader.h"' >"$tree/src/track/up.c"
finds 'track includes the reader of dumps' layers.sh
echo '#include "dump/reader_rows.h"' >"$tree/src/dump/writer.c"
finds 'dump includes the reader of dumps' layers.sh
echo '#include "os/os.h"' >"$tree/src/report/up.c"
finds 'report includes os/os.h' layers.sh
echo '#include "dump/writer.h"' >"$tree/src/report/up.c"
finds 'report includes the writer of dumps' layers.sh
echo '#include "../base/good.h"' >"$tree/src/track/up.c"
finds 'name the room' layers.sh
mkdir "$tree/src/cellar"
echo '#include <stdint.h>' >"$tree/src/cellar/new.c"
finds 'the room of this file is not in the table' layers.sh
echo '#include <leaktrack.h>' >"$tree/src/os/up.c"
finds 'leaktrack.h is for preload and report' layers.sh

{
    echo 'int lt_long(void) {'
    for line in 1 2 3 4 5 6; do printf '    %d;\n\n\n\n\n\n\n\n\n\n' $line; done
    echo '}'
} >"$tree/src/base/long.c"
finds 'src/base/long.c:1: a function of 62 lines' sizes.sh
yes '/* filling */' | head -n 501 >"$tree/src/base/long.c"
finds 'src/base/long.c:501: more than 500 lines' sizes.sh

printf 'int x;\n#ifdef __linux__\n#endif\n' >"$tree/src/track/if.c"
finds 'src/track/if.c:2:#ifdef __linux__   <- conditional code' places.sh
printf '  # if __GLIBC__ > 2\n' >"$tree/src/unwind/if.h"
finds 'conditional code' places.sh
printf '#ifdef __x86_64__\n' >"$tree/src/unwind/arch_native.h"
passes places.sh
printf 'see /%s/someone/leaktrack\n' home >"$tree/src/README.md"
finds 'a path of one machine' places.sh

echo 'static inline uint32_t lt_needs_stdint(void) { return 0; }' >"$tree/src/base/alone.h"
finds 'src/base/alone.h does not compile alone' headers.sh cc
echo 'enum { LT_TWICE };' >"$tree/src/base/twice.h"
finds 'src/base/twice.h does not compile alone' headers.sh cc
