//! Branches, the count of instructions, and interruption.

use std::sync::atomic::Ordering;

use super::{CODE, Guest, SVC, StopReason, encode};
use crate::vcpu::{ExceptionKind, Pstate};

/// ConditionHolds by the table of Arm ARM C1.2.4.
fn holds(cond: u32, nzcv: u32) -> bool {
    let (n, z, c, v) = (nzcv & 8 != 0, nzcv & 4 != 0, nzcv & 2 != 0, nzcv & 1 != 0);
    [z, !z, c, !c, n, !n, v, !v, c && !z, !c || z, n == v, n != v, n == v && !z, n != v || z, true, true][cond as usize]
}

/// `branch` over `mov x0, #1`; x0 tells whether it was taken.
fn is_taken(before: &[u32], branch: u32, prepare: impl Fn(&mut Guest)) -> bool {
    let skipped = encode("MOVZ", &[('z', 1), ('i', 1), ('d', 0)]);
    let mut guest = Guest::new(&[before, &[branch, skipped]].concat());
    prepare(&mut guest);
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
    guest.state.x[0] == 0
}

#[test]
fn conditional_branches_follow_every_flag_combination() {
    for cond in 0..16 {
        let branch = encode("B_cond", &[('i', 2), ('c', cond)]);
        for nzcv in 0..16 {
            let taken = is_taken(&[], branch, |guest| guest.state.pstate = Pstate(u64::from(nzcv) << 28));
            assert_eq!(taken, holds(cond, nzcv), "condition {cond}, nzcv {nzcv:04b}");
        }
    }
}

#[test]
fn fused_comparisons_branch_and_set_flags_as_unfused_ones() {
    let values = [0u64, 1, 5, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, i64::MAX as u64, 1 << 63, u64::MAX];
    for z in 0..2 {
        for cond in 0..16 {
            let branch = encode("B_cond", &[('i', 2), ('c', cond)]);
            for (a, b) in values.iter().flat_map(|&a| values.iter().map(move |&b| (a, b))) {
                let compare = encode("SUBS_reg", &[('z', z), ('n', 2), ('m', 3), ('d', 4)]);
                let run = |words: &[u32]| {
                    let mut guest = Guest::new(words);
                    (guest.state.x[2], guest.state.x[3]) = (a, b);
                    guest.run_to_exception();
                    guest.state
                };
                let skipped = encode("MOVZ", &[('z', 1), ('i', 1), ('d', 0)]);
                let fused = run(&[compare, branch, skipped]);
                // A hint between the two keeps them apart.
                let hint = encode("HINT", &[]);
                let apart = run(&[compare, hint, branch, skipped]);
                assert_eq!((fused.x, fused.pstate), (apart.x, apart.pstate), "{a:x} {b:x} {cond}");
                let nzcv = (fused.pstate.0 >> 28) as u32;
                assert_eq!(fused.x[0] == 0, holds(cond, nzcv));
            }
        }
    }
}

#[test]
fn fused_comparison_with_an_immediate_uses_all_of_it() {
    // cmp x2, #0xfff; b.eq
    let compare = encode("SUBS_imm", &[('z', 1), ('n', 2), ('i', 0xfff), ('d', 31)]);
    let branch = encode("B_cond", &[('i', 2), ('c', 0)]);
    assert!(is_taken(&[compare], branch, |guest| guest.state.x[2] = 0xfff));
    assert!(!is_taken(&[compare], branch, |guest| guest.state.x[2] = 0xffe));
    // cmp x2, #0xfff, lsl #12 does not fit and is not fused.
    let compare = encode("SUBS_imm", &[('z', 1), ('n', 2), ('i', 0xfff), ('s', 1), ('d', 31)]);
    assert!(is_taken(&[compare], branch, |guest| guest.state.x[2] = 0xfff000));
    // The base may be SP.
    let compare = encode("SUBS_imm", &[('z', 1), ('n', 31), ('i', 16), ('d', 31)]);
    assert!(is_taken(&[compare], branch, |guest| guest.state.sp = 16));
}

#[test]
fn compare_and_test_branches() {
    for (value, z, is_zero) in [(0u64, 1, true), (1 << 32, 1, false), (1 << 32, 0, true), (1, 0, false)] {
        let prepare = |guest: &mut Guest| guest.state.x[5] = value;
        assert_eq!(is_taken(&[], encode("CBZ", &[('z', z), ('i', 2), ('t', 5)]), prepare), is_zero);
        assert_eq!(is_taken(&[], encode("CBNZ", &[('z', z), ('i', 2), ('t', 5)]), prepare), !is_zero);
    }
    for bit in [0u32, 31, 32, 63] {
        let prepare = |guest: &mut Guest| guest.state.x[5] = 1 << bit;
        let fields = [('z', bit >> 5), ('b', bit & 31), ('i', 2), ('t', 5)];
        assert!(is_taken(&[], encode("TBNZ", &fields), prepare));
        assert!(!is_taken(&[], encode("TBZ", &fields), prepare));
        assert!(is_taken(&[], encode("TBZ", &fields), |guest| guest.state.x[5] = !(1 << bit)));
    }
    assert!(is_taken(&[], encode("CBZ", &[('z', 1), ('i', 2), ('t', 31)]), |guest| guest.state.sp = 16));
}

#[test]
fn calls_leave_the_return_address_and_returns_take_it() {
    // bl +8; svc; add x0, x0, #1; ret
    let increment = encode("ADD_imm", &[('z', 1), ('i', 1)]);
    let mut guest = Guest::new(&[encode("BL", &[('i', 2)]), SVC, increment, encode("RET", &[('n', 30)])]);
    for round in 1..4 {
        guest.state.pc = CODE;
        let stop = guest.run();
        assert_eq!(stop.instructions_retired, 4);
        assert_eq!((guest.state.x[0], guest.state.x[30], guest.state.pc), (round, CODE + 4, CODE + 8));
    }
    // blr x30 reads its target before it writes the return address.
    let mut guest = Guest::new(&[encode("BLR", &[('n', 30)]), SVC, SVC]);
    guest.state.x[30] = CODE + 8;
    guest.run_to_exception();
    assert_eq!((guest.state.pc, guest.state.x[30]), (CODE + 12, CODE + 4));
}

#[test]
fn backward_branches_and_tagged_targets() {
    // At CODE + 8: b -8 to CODE: br x1 with a tag to CODE + 12.
    let mut guest = Guest::new(&[encode("BR", &[('n', 1)]), SVC, encode("B", &[('i', 0x3ff_fffe)]), SVC]);
    guest.state.x[1] = 0xab << 56 | (CODE + 12);
    guest.state.pc = CODE + 8;
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
    assert_eq!(guest.state.pc, CODE + 16);
}

#[test]
fn a_loop_is_counted_and_ends_by_an_interrupt() {
    // x0 times: subs x0, x0, #1; b.ne -4
    let words = [encode("SUBS_imm", &[('z', 1), ('i', 1)]), encode("B_cond", &[('i', 0x7_ffff), ('c', 1)])];
    let mut guest = Guest::new(&words);
    guest.state.x[0] = 1000;
    assert_eq!(guest.run().instructions_retired, 2001);

    let mut guest = Guest::new(&[encode("B", &[('i', 0)])]);
    guest.interrupt.store(4, Ordering::Relaxed);
    let stop = guest.run();
    assert_eq!((stop.reason, stop.instructions_retired, guest.state.pc), (StopReason::Interrupted, 0, CODE));
    guest.interrupt.store(0, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let Guest { interpreter, state, interrupt, .. } = &mut guest;
        let interrupt = &*interrupt;
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            interrupt.store(1, Ordering::Relaxed);
        });
        let stop = interpreter.run(state, interrupt);
        assert_eq!(stop.reason, StopReason::Interrupted);
        assert!(stop.instructions_retired > 0);
    });
    assert_eq!(guest.state.pc, CODE);
}

#[test]
fn an_interrupt_that_is_latched_wins_over_a_bad_pc() {
    let mut guest = Guest::new(&[]);
    guest.state.pc = 2;
    guest.interrupt.store(1, Ordering::Relaxed);
    assert_eq!(guest.run().reason, StopReason::Interrupted);
    assert_eq!(guest.state.pc, 2);
}
