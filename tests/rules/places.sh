#!/bin/sh
# places.sh ROOT: #if stays in the platform rooms, and no file names a path of one machine. Prints what is elsewhere, and
# fails then.
set -eu
cd "$1"
failed=0

complain() { # complain WHY LINES
    [ -n "$2" ] || return 0
    printf '%s\n' "$2" | sed "s/\$/   <- $1/"
    failed=1
}

# The rooms of conditions: the compiler (base/attrs.h), the kernel (os), the processor (unwind/arch_*), libc (hooks.def).
conditions() {
    grep -rnE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\b' src include |
        grep -vE '^src/(base/attrs\.h|os/[^:]*|unwind/arch_[^:]*|preload/hooks\.def):' |
        grep -vE '#ifndef (LT_[A-Z0-9_]+|LEAKTRACK)_H$' |
        grep -vE '^include/leaktrack\.h:[0-9]+:#(ifdef __cplusplus|ifndef LEAKTRACK_API)$' || :
}

files() {
    if [ -e .git ]; then
        git ls-files --cached --others --exclude-standard -z
    else
        find . -path ./build -prune -o -type f -print0
    fi
}

machine_paths() { files | xargs -0 grep -nIE '(^|[^A-Za-z0-9_.-])/(work|farm|root|home)/[a-z]' /dev/null || :; }

complain 'conditional code belongs in a platform room' "$(conditions)"
complain 'a path of one machine' "$(machine_paths)"
exit $failed
