//! FEAT_MOPS: against copies of the host, with overlaps, in steps that are interrupted, and up to a fault.

use proptest::prelude::*;

use super::{DATA, Guest, MEMORY_BYTES, encode};
use crate::abi::GuestAddr;
use crate::vcpu::{AbortCause, Access, CpuState, ExceptionKind, Pstate};

/// The three parts of an operation on x0 (to), x1 (from, or the byte), x2 (size), whatever their option bits.
fn parts(name: &str, options: u32) -> [u32; 3] {
    ["P", "M", "E"].map(|part| encode(&format!("{name}{part}"), &[('d', 0), ('s', 1), ('n', 2), ('o', options)]))
}

/// A guest with a pattern in its data.
fn guest(words: &[u32], to: u64, from: u64, size: u64) -> Guest {
    let mut guest = Guest::new(words);
    for place in 0..0x4000u64 {
        guest.window.store(GuestAddr(DATA + place), (place * 7 + place / 256) as u8).unwrap();
    }
    (guest.state.x[0], guest.state.x[1], guest.state.x[2]) = (to, from, size);
    guest
}

fn data(guest: &Guest) -> Vec<u8> {
    (0..0x4000u64).map(|place| guest.window.load(GuestAddr(DATA + place)).unwrap()).collect()
}

fn is_syscall(kind: ExceptionKind) -> bool {
    matches!(kind, ExceptionKind::Syscall { .. })
}

proptest! {
    #[test]
    fn copies_are_those_of_memmove(to in 0..0x1000u64, from in 0..0x1000u64, size in 0..0x2000u64, options in 0..16u32) {
        let mut guest = guest(&parts("CPY", options), DATA + to, DATA + from, size);
        let mut expected = data(&guest);
        expected.copy_within(from as usize..(from + size) as usize, to as usize);
        prop_assert!(is_syscall(guest.run_to_exception()));
        prop_assert!(data(&guest) == expected);
        let is_backward = from < to && to < from + size;
        let moved = if is_backward { 0 } else { size };
        prop_assert_eq!(&guest.state.x[..3], &[DATA + to + moved, DATA + from + moved, 0][..]);
        prop_assert_eq!(guest.state.pstate.0 >> 28 & 15, if is_backward { 0b1010 } else { 0b0010 });
    }

    #[test]
    fn forward_copies_may_overlap_downwards(to in 0..0x800u64, distance in 0..0x1000u64, size in 0..0x2000u64) {
        let mut guest = guest(&parts("CPYF", 0), DATA + to, DATA + to + distance, size);
        let mut expected = data(&guest);
        let from = (to + distance) as usize;
        expected.copy_within(from..from + size as usize, to as usize);
        prop_assert!(is_syscall(guest.run_to_exception()));
        prop_assert!(data(&guest) == expected);
    }

    #[test]
    fn sets_are_those_of_memset(to in 0..0x1000u64, size in 0..0x2000u64, byte in any::<u64>(), options in 0..4u32) {
        let mut guest = guest(&parts("SET", options), DATA + to, byte, size);
        let mut expected = data(&guest);
        expected[to as usize..(to + size) as usize].fill(byte as u8);
        prop_assert!(is_syscall(guest.run_to_exception()));
        prop_assert!(data(&guest) == expected);
        prop_assert_eq!(&guest.state.x[..3], &[DATA + to + size, byte, 0][..]);
    }
}

/// Copies of many steps, of which each can be interrupted, and which count as one instruction.
#[test]
fn long_copies_count_once() {
    const SIZE: u64 = 0x6_0007;
    let mut guest = guest(&parts("CPY", 0), DATA + 0x10_0000, DATA, SIZE);
    let stop = guest.run();
    assert_eq!((stop.instructions_retired, guest.state.x[2]), (4, 0));
    let at = |guest: &Guest, addr| guest.window.load::<u64>(GuestAddr(addr)).unwrap();
    for place in [0, 0x1000, 0x3ff8] {
        assert_eq!(at(&guest, DATA + 0x10_0000 + place), at(&guest, DATA + place));
    }
}

/// What could be copied is, and the registers say how far; once mended, the instruction goes on.
#[test]
fn a_fault_is_at_the_first_bad_byte() {
    let end = MEMORY_BYTES as u64;
    let mut guest = guest(&parts("SET", 0), end - 0x120, 0x55, 0x200);
    let kind = guest.run_to_exception();
    let far = GuestAddr(end);
    assert_eq!(kind, ExceptionKind::DataAbort { far, access: Access::Write, cause: AbortCause::Translation });
    assert_eq!((guest.state.x[0], guest.state.x[2]), (end, 0x200 - 0x120));
    assert_eq!(guest.window.load::<u8>(GuestAddr(end - 1)).unwrap(), 0x55);
    guest.state.x[0] = DATA;
    assert!(is_syscall(guest.run_to_exception()));
    assert_eq!(guest.state.x[0], DATA + 0x200 - 0x120);
}

/// Sizes that no memory has saturate; a main part wants its prologue.
#[test]
fn sizes_saturate_and_formats_are_checked() {
    for (name, most) in [("CPY", (1 << 55) - 1), ("CPYF", i64::MAX as u64), ("SET", i64::MAX as u64)] {
        let [prologue, main, _] = parts(name, 0);
        let mut started = guest(&[prologue], DATA, DATA, u64::MAX);
        assert!(is_syscall(started.run_to_exception()));
        assert_eq!(started.state.x[2], most, "{name}");
        let mut bare = guest(&[main], DATA, DATA, 1);
        bare.state.pstate = Pstate(0);
        let before: CpuState = bare.snapshot();
        assert_eq!(bare.run_to_exception(), ExceptionKind::Undefined { instruction: main });
        assert!(bare.state == before);
    }
}
