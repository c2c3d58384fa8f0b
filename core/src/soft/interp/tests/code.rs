//! Fetching: faults, page borders, and code that changes.

use std::sync::atomic::Ordering;

use super::{CODE, Guest, MEMORY_BYTES, SVC, StopReason, encode};
use crate::abi::{GuestAddr, GuestRange};
use crate::soft::interp::CodeSource;
use crate::vcpu::{AbortCause, ExceptionKind};

fn movz(rd: u32, imm: u32) -> u32 {
    encode("MOVZ", &[('z', 1), ('i', imm), ('d', rd)])
}

#[test]
fn bad_program_counters() {
    let mut guest = Guest::new(&[]);
    guest.state.pc = CODE + 2;
    assert_eq!(guest.run_to_exception(), ExceptionKind::PcAlignment { far: GuestAddr(CODE + 2) });
    for far in [MEMORY_BYTES as u64, 0x0070_0000_0000_0000, 0xffff_ffff_ffff_fffc] {
        guest.state.pc = far;
        let far = GuestAddr(far);
        assert_eq!(guest.run_to_exception(), ExceptionKind::InstructionAbort { far, cause: AbortCause::Translation });
        assert_eq!(guest.state.pc, far.0);
    }
    guest.code.forbidden_page.store(CODE, Ordering::Relaxed);
    guest.state.pc = CODE;
    let cause = AbortCause::Permission;
    assert_eq!(guest.run_to_exception(), ExceptionKind::InstructionAbort { far: GuestAddr(CODE), cause });
}

#[test]
fn branch_to_a_misaligned_address_faults_at_the_target() {
    let mut guest = Guest::new(&[encode("BR", &[('n', 1)])]);
    guest.state.x[1] = CODE + 1;
    let stop = guest.run();
    assert_eq!(stop.instructions_retired, 1);
    let StopReason::Exception(exception) = stop.reason else { panic!("{stop:?}") };
    assert_eq!(exception.kind, ExceptionKind::PcAlignment { far: GuestAddr(CODE + 1) });
    assert_eq!(guest.state.pc, CODE + 1);
}

#[test]
fn execution_stops_at_the_first_instruction_of_a_forbidden_page() {
    let mut guest = Guest::new(&[]);
    let border = CODE + 0x1000;
    guest.put_code(border - 8, &[movz(0, 1), movz(1, 2), movz(2, 3)]);
    guest.code.forbidden_page.store(border, Ordering::Relaxed);
    guest.state.pc = border - 8;
    let stop = guest.run();
    assert_eq!(stop.instructions_retired, 2);
    assert_eq!((guest.state.x[0], guest.state.x[1], guest.state.x[2], guest.state.pc), (1, 2, 0, border));
}

#[test]
fn undefined_instructions_are_precise() {
    let word = 0xffff_ffff;
    let mut guest = Guest::new(&[movz(0, 1), word, movz(0, 2)]);
    let stop = guest.run();
    let StopReason::Exception(exception) = stop.reason else { panic!("{stop:?}") };
    assert_eq!(exception.kind, ExceptionKind::Undefined { instruction: word });
    assert_eq!((stop.instructions_retired, guest.state.pc, guest.state.x[0]), (1, CODE + 4, 1));
}

#[test]
fn the_guest_changes_its_own_code() {
    // x1 = CODE + 0x100, w2 = new word: str w2, [x1]; dc cvau, x1; dsb ish; ic ivau, x1; dsb ish; isb; blr x1
    let words = [
        encode("STR_uimm_w", &[('n', 1), ('t', 2)]),
        0xd50b_7b21,
        0xd503_3b9f,
        0xd50b_7521,
        0xd503_3b9f,
        0xd503_3fdf,
        encode("BLR", &[('n', 1)]),
    ];
    let mut guest = Guest::new(&words);
    guest.put_code(CODE + 0x100, &[movz(0, 1), encode("RET", &[('n', 30)])]);
    guest.state.x[1] = CODE + 0x100;
    for value in 2..50 {
        guest.state.x[2] = u64::from(movz(0, value));
        guest.state.pc = CODE;
        assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
        assert_eq!(guest.state.x[0], u64::from(value));
    }
}

#[test]
fn code_without_invalidation_may_stay_and_other_pages_do() {
    let mut guest = Guest::new(&[movz(0, 1)]);
    guest.run_to_exception();
    guest.put_code(CODE, &[movz(0, 2)]);
    guest.code.invalidate(GuestRange::new(GuestAddr(CODE + 0x1000), 64).unwrap());
    guest.state.pc = CODE;
    guest.run_to_exception();
    assert_eq!(guest.state.x[0], 1, "a change of another page drops nothing");
    guest.code.invalidate(GuestRange::new(GuestAddr(CODE), 64).unwrap());
    guest.state.pc = CODE;
    guest.run_to_exception();
    assert_eq!(guest.state.x[0], 2);
}

#[test]
fn a_loop_sees_that_its_target_has_changed() {
    // Two blocks that go to each other for ever, until the second becomes an svc.
    let mut guest = Guest::new(&[encode("B", &[('i', 16)])]);
    guest.put_code(CODE + 64, &[encode("B", &[('i', 0x3ff_fff0)])]);
    std::thread::scope(|scope| {
        let (window, code) = (guest.window, guest.code.clone());
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            window.store(GuestAddr(CODE + 64), SVC).unwrap();
            code.invalidate(GuestRange::new(GuestAddr(CODE + 64), 4).unwrap());
        });
        assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
    });
    assert_eq!(guest.state.pc, CODE + 68);
}

#[test]
fn a_cache_that_overflows_starts_again() {
    // A page of nothing but branches to the next instruction, again and again after each change.
    let mut guest = Guest::new(&[]);
    let next = encode("B", &[('i', 1)]);
    guest.put_code(CODE, &[next; 8192]);
    guest.put_code(CODE + 4 * 8192, &[SVC]);
    for _ in 0..60 {
        guest.code.invalidate(GuestRange::new(GuestAddr(CODE), 4 * 8192).unwrap());
        guest.state.pc = CODE;
        assert_eq!(guest.run().instructions_retired, 8193);
    }
}
