#!/bin/sh
# library.sh LIBRARY: what a library that goes into a stranger's process must be, read from its ELF headers.
set -eu
failures=0
expect() { # expect TEXT CONDITION...
    text=$1
    shift
    "$@" || { echo "not so: $text"; failures=$((failures + 1)); }
}
has() { printf '%s\n' "$1" | grep -q -e "$2"; }
lacks() { ! has "$1" "$2"; }

dynamic=$(readelf -dW "$1")
segments=$(readelf -lW "$1")
tls=$(printf '%s\n' "$segments" | awk '$1 == "TLS" {print $6}')
notes=$(readelf -nW "$1")
imports=$(nm -D --undefined-only "$1" | awk '{print $NF}' | sed 's/@.*//')
needed=$(printf '%s\n' "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v -e '^libc\.so\.6$' -e '^ld-linux' || true)

expect "needs nothing but libc and its loader (needs: $needed)" [ -z "$needed" ]
expect "has no text relocations" lacks "$dynamic" TEXTREL
expect "is bound when it is loaded" has "$dynamic" 'FLAGS_1.*NOW'
expect "is never unloaded" has "$dynamic" 'FLAGS_1.*NODELETE'
expect "binds its own symbols to itself" has "$dynamic" 'SYMBOLIC'
expect "has no lazy calls (a .rela.plt)" lacks "$dynamic" JMPREL
expect "has a stack that is not executable" has "$segments" 'GNU_STACK.* RW '
expect "has no segment writable and executable" lacks "$segments" 'LOAD.* RWE '
expect "is marked for control-flow enforcement" has "$notes" 'x86 feature: IBT, SHSTK'
expect "has at most 128 bytes of thread-local storage" [ "$((tls))" -le 128 ]
expect "reaches thread-local storage without __tls_get_addr" lacks "$imports" '__tls_get_addr'

# What would allocate, lock, print, read the environment, or end the process.
for function in malloc calloc realloc free strdup asprintf vasprintf getline fopen fprintf printf snprintf vsnprintf puts \
    fputs getenv secure_getenv setenv putenv unsetenv dl_iterate_phdr pthread_mutex_lock pthread_once pthread_key_create \
    pthread_getattr_np syslog exit abort __assert_fail signal sigaction backtrace _Unwind_Backtrace; do
    expect "does not import $function" lacks "$imports" "^$function\$"
done

# gcc puts what it takes for unlikely into .cold parts, optimised for size. Once that was the whole way of an event.
symbols=$(nm -S "$1")
sizes() { printf '%s\n' "$symbols" | grep -e " $1\(\.[a-z0-9_.]*\)\?\$" | "$2" -e '\.cold$' | awk '{ print $2 }'; }
keeps() { grep -v "$@"; }
for function in lt_acquire lt_release malloc free; do
    all=$(sizes $function keeps) cold=$(sizes $function grep)
    expect "most of $function is not cold code (0x$cold of 0x$all bytes)" [ $((0x0$cold)) -le $((0x0$all)) ]
done
[ "$failures" = 0 ]
