//! Exclusives and atomics.

use super::{CODE, DATA, Guest, encode};
use crate::abi::GuestAddr;

/// Runs `words` with x1 = DATA, x3 = 7, x4 = 8; memory at DATA is 1, 2.
fn run(words: &[u32]) -> Guest {
    let mut guest = Guest::new(words);
    guest.state.x[1] = DATA;
    (guest.state.x[3], guest.state.x[4], guest.state.x[5]) = (7, 8, 99);
    guest.window.store_pair(GuestAddr(DATA), 1_u64, 2_u64).unwrap();
    guest.run_to_exception();
    guest
}

fn memory(guest: &Guest) -> (u64, u64) {
    guest.window.load_pair(GuestAddr(DATA)).unwrap()
}

#[test]
fn exclusive_pairs_store_when_nothing_has_changed() {
    let load = encode("LDXR_x", &[('n', 1), ('t', 2)]);
    let store = encode("STXR_x", &[('n', 1), ('t', 3), ('s', 5)]);
    let guest = run(&[load, store]);
    assert_eq!((guest.state.x[2], guest.state.x[5], memory(&guest)), (1, 0, (7, 2)));
    // The monitor is open after the store, even where memory holds the same value as before.
    let same = encode("STXR_x", &[('n', 1), ('t', 2), ('s', 6)]);
    let guest = run(&[load, same, store]);
    assert_eq!((guest.state.x[6], guest.state.x[5], memory(&guest)), (0, 1, (1, 2)));
    let guest = run(&[store]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 2)));
}

#[test]
fn exclusive_stores_fail_after_a_change() {
    let load = encode("LDXR_x", &[('n', 1), ('t', 2)]);
    let store = encode("STXR_x", &[('n', 1), ('t', 3), ('s', 5)]);
    let change = encode("STRB_uimm", &[('n', 1), ('t', 4), ('i', 7)]);
    let guest = run(&[load, change, store]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (8 << 56 | 1, 2)));
    let guest = run(&[load, encode("CLREX", &[('i', 15)]), store]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 2)));
    // Another size, or another address.
    let guest = run(&[load, encode("STXR_w", &[('n', 1), ('t', 3), ('s', 5)])]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 2)));
    let guest = run(&[load, encode("ADD_imm", &[('z', 1), ('n', 1), ('d', 1), ('i', 8)]), store]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 2)));
    // An exit in between.
    let guest = run(&[load, super::SVC, store]);
    let mut guest = guest;
    guest.run_to_exception();
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 2)));
    assert_eq!(guest.state.pc, CODE + 16);
}

#[test]
fn exclusive_register_pairs() {
    let load = encode("LDAXP", &[('z', 1), ('n', 1), ('t', 2), ('u', 6)]);
    let store = encode("STLXP", &[('z', 1), ('n', 1), ('t', 3), ('u', 4), ('s', 5)]);
    let guest = run(&[load, store]);
    assert_eq!((guest.state.x[2], guest.state.x[6], guest.state.x[5]), (1, 2, 0));
    assert_eq!(memory(&guest), (7, 8));
    // Only the second half has changed.
    let guest = run(&[load, encode("STR_uimm_x", &[('n', 1), ('t', 4), ('i', 1)]), store]);
    assert_eq!((guest.state.x[5], memory(&guest)), (1, (1, 8)));
    // 32-bit halves.
    let load = encode("LDXP", &[('z', 0), ('n', 1), ('t', 2), ('u', 6)]);
    let store = encode("STXP", &[('z', 0), ('n', 1), ('t', 3), ('u', 4), ('s', 5)]);
    let guest = run(&[load, store]);
    assert_eq!((guest.state.x[2], guest.state.x[6], guest.state.x[5], memory(&guest)), (1, 0, 0, (8 << 32 | 7, 2)));
}

#[test]
fn compare_and_swap_pair_compares_both_halves() {
    // x2, x3 are the expected values, x4, x5 the new ones.
    let casp = encode("CASP", &[('z', 1), ('A', 1), ('R', 1), ('n', 1), ('s', 2), ('t', 4)]);
    let mut guest = Guest::new(&[casp]);
    guest.window.store_pair(GuestAddr(DATA), 1_u64, 2_u64).unwrap();
    (guest.state.x[1], guest.state.x[4], guest.state.x[5]) = (DATA, 40, 50);
    for (expected, after) in [((1, 3), (1, 2)), ((0, 2), (1, 2)), ((1, 2), (40, 50))] {
        (guest.state.x[2], guest.state.x[3]) = expected;
        guest.state.pc = CODE;
        guest.run_to_exception();
        assert_eq!(((guest.state.x[2], guest.state.x[3]), memory(&guest)), ((1, 2), after));
    }
}

/// `vcpus` interpreters run `words` on one memory, each from x0 = `rounds`; returns the words at DATA.
fn race(words: &[u32], vcpus: usize, rounds: u64) -> (u64, u64) {
    let guest = Guest::new(words);
    std::thread::scope(|scope| {
        for _ in 0..vcpus {
            scope.spawn(|| {
                let code = std::sync::Arc::clone(&guest.code) as _;
                let mut interpreter = crate::soft::interp::Interpreter::new(guest.window, code);
                let mut state = crate::vcpu::CpuState { pc: CODE, ..Default::default() };
                (state.x[0], state.x[1], state.x[3]) = (rounds, DATA, 1);
                interpreter.run(&mut state, &guest.interrupt);
                assert_eq!(state.x[0], 0);
            });
        }
    });
    memory(&guest)
}

#[test]
fn no_increment_is_lost_between_vcpus() {
    let decrement = encode("SUB_imm", &[('z', 1), ('i', 1)]);
    // ldxr x2, [x1]; add x2, x2, #1; stxr w5, x2, [x1]; cbnz w5, -12; sub x0, x0, #1; cbnz x0, -20
    let exclusive = [
        encode("LDXR_x", &[('n', 1), ('t', 2)]),
        encode("ADD_imm", &[('z', 1), ('n', 2), ('d', 2), ('i', 1)]),
        encode("STXR_x", &[('n', 1), ('t', 2), ('s', 5)]),
        encode("CBNZ", &[('t', 5), ('i', 0x7_fffd)]),
        decrement,
        encode("CBNZ", &[('z', 1), ('i', 0x7_fffb)]),
    ];
    assert_eq!(race(&exclusive, 4, 20_000).0, 80_000);
    let atomic =
        [encode("LDADD_x", &[('n', 1), ('t', 31), ('s', 3)]), decrement, encode("CBNZ", &[('z', 1), ('i', 0x7_fffe)])];
    assert_eq!(race(&atomic, 4, 20_000).0, 80_000);
}
