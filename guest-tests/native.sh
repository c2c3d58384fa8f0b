#!/bin/bash
# Builds a guest as a program of the host and runs it: native Linux is the reference for what a guest checks.
#
#   guest-tests/native.sh NAME [ARG...]      the guest src-guest/NAME.c with these arguments
#
# For x86-64 Linux. Guests that speak of arm64 itself (registers, instructions, signal frames, structures that x86-64 packs)
# do not build or do not pass. Exit status: the guest's; 2 wrong usage, or it does not build.

set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
name=${1:-}
[ -n "$name" ] && [ -e "$here/src-guest/$name.c" ] || { echo "usage: native.sh NAME [ARG...]" >&2; exit 2; }
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Numbers of the generic table against those of the host, by name.
numbers_of() {
    echo "#include <$1>" | gcc -E -dM -D__ARCH_WANT_RENAMEAT -D__ARCH_WANT_SYS_CLONE3 -D__ARCH_WANT_SET_GET_RLIMIT - |
        sed -nE 's/^#define __NR(3264)?_([a-z0-9_]+) ([0-9]+)$/\2 \3/p' | sort -u
}
numbers_of asm/unistd_64.h >"$dir/host"
numbers_of asm-generic/unistd.h | sed -E 's/^(fstatat) /newfstatat /' | sort >"$dir/generic"
join "$dir/generic" "$dir/host" | awk '
    { host[$2] = $3; if ($2 + 0 > last) last = $2 + 0 }
    END { for (i = 0; i <= last; i++) print (i in host ? host[i] : -1) "," }' >"$dir/numbers.h"

# The runtime, but for what is the processor's.
cp "$here"/src-guest/*.h "$here/native/native.c" "$dir/"
sed '/^static inline long sys6(/,/^}/c long sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);\nu64 native_tls(void);' \
    "$here/src-guest/rt.h" >"$dir/rt.h"
sed 's/__asm__ volatile("mrs %0, tpidr_el0" : "=r"(tls));/tls = native_tls();/' "$here/src-guest/rt.c" >"$dir/rt.c"
cp "$here/src-guest/$name.c" "$dir/guest-$name.c"
gcc -std=gnu11 -O1 -g -w -ffreestanding -nostdlib -static -no-pie -fno-pic -fno-stack-protector -mgeneral-regs-only \
    -fno-strict-aliasing -fno-tree-loop-distribute-patterns -Wl,--build-id=none -Wl,-z,noexecstack -I"$dir" \
    "$dir/guest-$name.c" "$dir/rt.c" "$dir/native.c" -o "$dir/$name" || exit 2
status=0
${NATIVE_DEBUG:-} "$dir/$name" "$@" || status=$?
exit "$status"
