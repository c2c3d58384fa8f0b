#!/bin/bash
# Builds the guest programs, every one of src-guest/NAME.c (with NAME.S where there is one) into DIR/NAME.
#
#   guest-tests/build.sh [DIR]      build all into DIR (default: fixtures/ beside guest-tests/), and write
#                                   DIR/RECIPE.txt (compiler, binutils, flags) and DIR/SHA256SUMS
#   guest-tests/build.sh --check    rebuild into a temporary directory and compare with fixtures/
#
# Exit status: 0 done or equal; 1 a build, a register check or the comparison failed; 2 wrong usage or a tool is missing;
# 3 (--check only) the installed compiler or binutils are not the recorded ones, so that nothing was compared.
#
# The output is a function of the sources and the tool versions: no build id, no paths, no dates, stripped. A guest uses
# floating point or SIMD registers only where its source has the line `// build: floating point`: the disassembly of all
# others is searched for them, so that they test what they say they test. One with the line `// build: unwinding` has frame
# tables, and the unwinder of the tool chain in it. Needs aarch64-linux-gnu-gcc and its binutils (Debian: gcc-aarch64-linux-gnu). CROSS overrides the tool prefix.

set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
sources=$here/src-guest
fixtures=$here/../fixtures
cross=${CROSS:-aarch64-linux-gnu-}

cflags=(-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -no-pie -fno-pic
        -march=armv8-a -mno-outline-atomics -fno-stack-protector
        -fno-asynchronous-unwind-tables -fno-ident -fno-common -fno-strict-aliasing
        -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections "-ffile-prefix-map=$sources/=")
# One of the two: guests without floating point, guests with it (where a * b + c stays two operations).
general=(-mgeneral-regs-only)
floating=(-ffp-contract=off -fno-math-errno)
ldflags=(-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
         -Wl,-s)

die() { echo "build.sh: $2" >&2; exit "$1"; }

recipe() {
    "${cross}gcc" --version | sed -n '1s/^/compiler: /p'
    "${cross}ld" --version | sed -n '1s/^/binutils: /p'
    echo "cflags: ${cflags[*]//$sources/src-guest}"
    echo "registers: ${general[*]} or ${floating[*]}"
    echo "ldflags: ${ldflags[*]}"
    echo "unwinding: ${unwinding[*]} ${unwinder[*]}"
}

# True for a source that is about floating point.
has_floating_point() { grep -q '^// build: floating point$' "$1"; }

# For a source that looks at its own stack: frame tables, and the unwinder.
unwinding=(-fasynchronous-unwind-tables)
unwinder=(-Wl,--eh-frame-hdr -lgcc_eh -lgcc)
is_unwinding() { grep -q '^// build: unwinding$' "$1"; }

# Fails when the program touches a SIMD or floating point register.
check_registers() {
    local found
    found=$("${cross}objdump" -d --no-show-raw-insn "$1" | cut -f2- | sed 's/<[^>]*>//g; s,//.*,,' |
        grep -E '\b([qvdsh]([12]?[0-9]|3[01]))\b(\.|,|\]|$|\s)' | head -3 || true)
    [ -z "$found" ] || die 1 "$(basename "$1") uses floating point or SIMD registers: $found"
}

build_all() {
    local out=$1 objects source name extra registers libraries
    mkdir -p "$out"
    objects=$(mktemp -d)
    trap 'rm -rf "$objects"' RETURN
    (cd "$sources" && "${cross}gcc" "${cflags[@]}" "${general[@]}" -c rt.c -o "$objects/rt.o" &&
        "${cross}gcc" "${cflags[@]}" "${general[@]}" -c start.S -o "$objects/start.o")
    for source in "$sources"/*.c; do
        name=$(basename "$source" .c)
        [ "$name" = rt ] && continue
        extra=() registers=("${general[@]}") libraries=()
        has_floating_point "$source" && registers=("${floating[@]}")
        is_unwinding "$source" && registers+=("${unwinding[@]}") && libraries=("${unwinder[@]}")
        [ -e "$sources/$name.S" ] && extra=("$name.S")
        (cd "$sources" && "${cross}gcc" "${cflags[@]}" "${registers[@]}" "${ldflags[@]}" "$name.c" "${extra[@]}" \
            "$objects/start.o" "$objects/rt.o" "${libraries[@]}" -o "$objects/$name") || die 1 "$name does not build"
        "${cross}strip" -s -R .comment "$objects/$name"
        has_floating_point "$source" || check_registers "$objects/$name"
        install -m 755 "$objects/$name" "$out/$name"
    done
}

programs() { (cd "$sources" && ls *.c | sed 's/\.c$//' | grep -v '^rt$'); }

command -v "${cross}gcc" >/dev/null || die 2 "${cross}gcc not found: install gcc-aarch64-linux-gnu, or set CROSS"

case ${1:-} in
--check)
    [ -e "$fixtures/RECIPE.txt" ] || die 1 "fixtures/RECIPE.txt is missing: run guest-tests/build.sh"
    if ! diff <(grep -E '^(compiler|binutils):' "$fixtures/RECIPE.txt") <(recipe | grep -E '^(compiler|binutils):'); then
        die 3 "the tools differ from the recorded ones (above: < recorded, > installed): nothing was compared"
    fi
    (cd "$fixtures" && sha256sum --quiet -c SHA256SUMS) || die 1 "fixtures/ does not match its own SHA256SUMS"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    build_all "$work"
    recipe >"$work/RECIPE.txt"
    (cd "$work" && sha256sum -- $(programs) >SHA256SUMS)
    status=0
    for name in $(programs) RECIPE.txt SHA256SUMS; do
        cmp -s "$work/$name" "$fixtures/$name" || { echo "build.sh: $name differs from fixtures/$name" >&2; status=1; }
    done
    [ $status = 0 ] || die 1 "fixtures/ is not what the sources build to: run guest-tests/build.sh and commit"
    echo "build.sh: $(programs | wc -l) guest programs rebuilt, all equal to fixtures/"
    ;;
-*)
    die 2 "unknown option $1; usage: build.sh [DIR | --check]"
    ;;
*)
    out=${1:-$fixtures}
    build_all "$out"
    recipe >"$out/RECIPE.txt"
    (cd "$out" && sha256sum -- $(programs) >SHA256SUMS)
    echo "build.sh: $(programs | wc -l) guest programs built"
    ;;
esac
