#!/bin/sh
# A second opinion on the guests, for developers: runs every row of the manifest under qemu-aarch64 and compares status and
# output. Options and exceptions: examples/verify-qemu.rs. Needs qemu-aarch64 (Debian: qemu-user).
#
#   guest-tests/verify-qemu.sh [--runs N] [NAME...]
set -eu
cd "$(dirname "$0")"
exec cargo run --quiet --example verify-qemu -- "$@"
