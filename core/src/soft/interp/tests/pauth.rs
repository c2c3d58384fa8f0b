//! Pointer authentication and branch targets.

use std::sync::atomic::Ordering;

use super::{CODE, DATA, Guest, SVC, encode};
use crate::soft::a64::CpuModel;
use crate::vcpu::{AbortCause, ExceptionKind, PauthKeys, Pstate};

/// A tag, a user address.
const POINTER: u64 = 0x5a00_7fff_1234_5678;
/// Bits of the code.
const CODE_BITS: u64 = 0x007f_0000_0000_0000;

fn guest(words: &[u32], cpu: &str) -> Guest {
    let mut guest = Guest::with_cpu(words, cpu.parse().unwrap());
    guest.state.pauth = PauthKeys::random();
    (guest.state.x[0], guest.state.x[1]) = (POINTER, 0xdead_beef);
    guest
}

/// x0 after the instructions.
fn x0(words: &[u32], cpu: &str, change: impl Fn(&mut Guest)) -> u64 {
    let mut guest = guest(words, cpu);
    change(&mut guest);
    assert!(matches!(guest.run_to_exception(), ExceptionKind::Syscall { .. }));
    guest.state.x[0]
}

/// The instruction with x0 as its register and x1 as its modifier.
fn word(symbol: &str) -> u32 {
    encode(symbol, &[('d', 0), ('n', 1)])
}

#[test]
fn what_is_signed_authenticates_by_the_same_key_only() {
    for cpu in ["max", "max,pacqarma5=on"] {
        for key in ["IA", "IB", "DA", "DB"] {
            let sign = word(&format!("PAC{key}"));
            let signed = x0(&[sign], cpu, |_| {});
            assert_eq!(signed & !CODE_BITS, POINTER, "{cpu} {key}: only the code changes");
            assert_eq!(x0(&[sign, word(&format!("AUT{key}"))], cpu, |_| {}), POINTER);
            assert_eq!(x0(&[sign, word("XPACI")], cpu, |_| {}), POINTER);
            assert_eq!(x0(&[sign, word("XPACD")], cpu, |_| {}), POINTER);
            let error = if key.ends_with('A') { 1 << 53 } else { 2 << 53 };
            // A wrong modifier is found out unless seven bits agree by chance; out of 32 most are.
            let change = encode("ADD_imm", &[('z', 1), ('i', 1), ('n', 1), ('d', 1)]);
            let outcomes: Vec<u64> =
                (0..32).map(|_| x0(&[sign, change, word(&format!("AUT{key}"))], cpu, |_| {})).collect();
            assert!(outcomes.iter().all(|&outcome| outcome == POINTER || outcome == POINTER | error), "{outcomes:x?}");
            assert!(outcomes.iter().filter(|&&outcome| outcome != POINTER).count() > 20, "{outcomes:x?}");
        }
    }
}

#[test]
fn pointers_to_the_upper_half_have_no_tag() {
    const UPPER: u64 = 0xffff_8000_1234_5678;
    let run = |words: &[u32], pointer: u64| x0(words, "max", |guest| guest.state.x[0] = pointer);
    for (key, error) in [("IA", 1 << 61), ("IB", 2 << 61), ("DA", 1 << 61), ("DB", 2 << 61)] {
        let (sign, check) = (word(&format!("PAC{key}")), word(&format!("AUT{key}")));
        assert_eq!(run(&[word("XPACI")], 0x1280_8000_1234_5678), UPPER);
        assert_eq!(run(&[sign, check], UPPER), UPPER);
        assert_eq!(run(&[sign], UPPER) & 0x0080_ffff_ffff_ffff, UPPER & 0x0080_ffff_ffff_ffff);
        let change = encode("ADD_imm", &[('z', 1), ('i', 1), ('n', 1), ('d', 1)]);
        // Fifteen bits agree by chance more seldom than seven.
        let outcomes: Vec<u64> = (0..32).map(|_| run(&[sign, change, check], UPPER)).collect();
        let failed = UPPER & !(3 << 61) | error;
        assert!(outcomes.iter().filter(|&&outcome| outcome == failed).count() > 20, "{outcomes:x?}");
    }
}

/// A code has few bits, so that two may be the same by chance; with several keys they are not.
#[test]
fn zero_forms_and_hints_are_the_same_codes() {
    let differ = (0..8).map(|_| same_codes_of(PauthKeys::random())).filter(|differ| *differ).count();
    assert!(differ > 0, "the modifier has no effect");
}

/// True when a modifier of zero gives another code than one that is not.
fn same_codes_of(keys: PauthKeys) -> bool {
    let run = |words: &[u32], from: usize, sp: u64| {
        let mut guest = guest(words, "max");
        guest.state.pauth = keys;
        guest.state.x[from] = POINTER;
        guest.state.x[16] = 0xdead_beef;
        guest.state.sp = sp;
        guest.run_to_exception();
        guest.state.x[from]
    };
    let by_register = x0(&[word("PACIA")], "max", |guest| guest.state.pauth = keys);
    assert_eq!(run(&[encode("PACIA1716", &[])], 17, 0), by_register);
    assert_eq!(run(&[encode("PACIASP", &[])], 30, 0xdead_beef), by_register);
    let by_zero = run(&[encode("PACIAZ", &[])], 30, 0xdead_beef);
    assert_eq!(run(&[encode("PACIZA", &[('d', 30)])], 30, 0), by_zero);
    assert_eq!(run(&[encode("PACIBSP", &[]), encode("AUTIBSP", &[])], 30, 64), POINTER);
    assert_eq!(run(&[encode("PACIBSP", &[]), encode("XPACLRI", &[])], 30, 64), POINTER);
    by_zero != by_register
}

/// Every form that signs with the one that takes its code, the register that they are about, and what their modifier is in.
#[test]
fn every_form_that_signs_has_one_that_authenticates() {
    let mut forms = Vec::new();
    for key in ["IA", "IB"] {
        forms.push((format!("PAC{key}1716"), format!("AUT{key}1716"), 17));
        forms.push((format!("PAC{key}Z"), format!("AUT{key}Z"), 30));
        forms.push((format!("PAC{key}SP"), format!("AUT{key}SP"), 30));
    }
    for key in ["IA", "IB", "DA", "DB"] {
        forms.push((format!("PAC{key}"), format!("AUT{key}"), 2));
        let (kind, letter) = key.split_at(1);
        forms.push((format!("PAC{kind}Z{letter}"), format!("AUT{kind}Z{letter}"), 2));
    }
    for (sign, authenticate, about) in forms {
        let run = |symbols: &[&str]| {
            let words: Vec<u32> = symbols.iter().map(|symbol| encode(symbol, &[('d', about), ('n', 1)])).collect();
            let pointers = (0..16).map(|index| POINTER + 8 * index);
            pointers
                .map(|pointer| {
                    let mut guest = guest(&words, "max");
                    guest.state.pauth =
                        PauthKeys { keys: [0x1234_5678_9abc_def0_0fed_cba9_8765_4321; 5], ..PauthKeys::random() };
                    guest.state.x[16] = 0xdead_beef;
                    guest.state.x[about as usize] = pointer;
                    guest.run_to_exception();
                    guest.state.x[about as usize] == pointer
                })
                .filter(|is_same| *is_same)
                .count()
        };
        assert!(run(&[&sign]) < 8, "{sign} signs");
        assert_eq!(run(&[&sign, &authenticate]), 16, "{authenticate} takes the code of {sign}");
    }
}

#[test]
fn what_is_off_does_nothing() {
    assert_eq!(x0(&[word("PACIA")], "max", |guest| guest.state.pauth.enabled = 0x1e), POINTER);
    let hint = |guest: &mut Guest| guest.state.x[30] = POINTER;
    let mut without = guest(&[encode("PACIASP", &[])], "a72");
    hint(&mut without);
    assert!(matches!(without.run_to_exception(), ExceptionKind::Syscall { .. }));
    assert_eq!(without.state.x[30], POINTER, "a hint");
    let mut undefined = guest(&[word("PACIA")], "a72");
    assert!(matches!(undefined.run_to_exception(), ExceptionKind::Undefined { .. }));
}

#[test]
fn generic_codes_are_in_the_upper_half() {
    let pacga = encode("PACGA", &[('d', 0), ('n', 0), ('m', 1)]);
    let key = |guest: &mut Guest| {
        guest.state.pauth.keys[PauthKeys::GA] = 0x5c35_8ec4_2c1d_3fa5_2524_4cfd_f04b_ed73;
        (guest.state.x[0], guest.state.x[1]) = (1, 2);
    };
    assert_eq!(x0(&[pacga], "max,pacqarma5=on", key), 0x8a0c_bb7a_0000_0000);
    let fast = x0(&[pacga], "max", key);
    assert!(fast != 0 && fast << 32 == 0);
}

#[test]
fn authenticated_branches_and_loads() {
    // x30 is signed by SP, then used; the words in between are skipped.
    let target = CODE + 16;
    let mut returns = guest(&[encode("PACIASP", &[]), encode("RETAA", &[]), 0, 0, encode("BTI", &[])], "max");
    returns.state.x[30] = target;
    assert!(matches!(returns.run_to_exception(), ExceptionKind::Syscall { .. }));
    let mut forged = guest(&[encode("RETAB", &[])], "max");
    forged.state.x[30] = target | CODE_BITS & !(3 << 53);
    match forged.run_to_exception() {
        ExceptionKind::InstructionAbort { far, cause: AbortCause::Translation } => assert_eq!(far.0, target | 2 << 53),
        ExceptionKind::Syscall { .. } => {} // One code in 128 is right.
        other => panic!("{other:?}"),
    }
    let calls = [
        (encode("PACIA", &[('d', 2), ('n', 1)]), encode("BLRAA", &[('n', 2), ('m', 1)])),
        (encode("PACIZB", &[('d', 2)]), encode("BLRABZ", &[('n', 2)])),
    ];
    for (sign, call) in calls {
        let mut guest = guest(&[sign, call, 0, 0], "max");
        guest.state.x[2] = target;
        assert!(matches!(guest.run_to_exception(), ExceptionKind::Syscall { .. }));
        assert_eq!(guest.state.x[30], CODE + 8);
    }
    let mut load = guest(
        &[encode("PACDZA", &[('d', 2)]), encode("LDRAA_pre", &[('i', 0x1ff), ('j', 1), ('n', 2), ('t', 0)])],
        "max",
    );
    load.state.x[2] = DATA + 8;
    load.window.store(crate::abi::GuestAddr(DATA), 0x1234_5678_9abc_def0u64).unwrap();
    assert!(matches!(load.run_to_exception(), ExceptionKind::Syscall { .. }));
    assert_eq!((load.state.x[0], load.state.x[2]), (0x1234_5678_9abc_def0, DATA));
}

/// What happens at a target that begins with `first`, on a guarded page, after `branch` by x3 from another page.
fn at_target(first: u32, branch: u32, cpu: &str) -> (ExceptionKind, u64) {
    let model: CpuModel = cpu.parse().unwrap();
    let mut guest = Guest::with_cpu(&[branch], model);
    let target = CODE + 0x1000;
    guest.put_code(target, &[first, SVC]);
    guest.code.guarded_page.store(target, Ordering::Relaxed);
    (guest.state.x[3], guest.state.x[16], guest.state.x[30]) = (target, target, target);
    let kind = guest.run_to_exception();
    (kind, guest.state.pstate.0 & Pstate::BTYPE)
}

#[test]
fn guarded_pages_accept_only_the_branches_they_expect() {
    let bti = |operand| encode("BTI", &[('o', operand)]);
    let (nop, paciasp, brk) = (encode("HINT", &[]), encode("PACIASP", &[]), encode("BRK", &[]));
    let (call, jump, ret) = (encode("BLR", &[('n', 3)]), encode("BR", &[('n', 3)]), encode("RET", &[('n', 30)]));
    let is_accepted = |first, branch| {
        let (kind, branch_type) = at_target(first, branch, "max");
        match kind {
            ExceptionKind::BranchTarget { branch_type: seen } => {
                assert_eq!(branch_type, u64::from(seen) << Pstate::BTYPE_SHIFT);
                false
            }
            ExceptionKind::Syscall { .. } | ExceptionKind::Breakpoint { .. } => true,
            other => panic!("{other:?}"),
        }
    };
    // A jump from a page that is not guarded has the type of a trampoline.
    let expected = [
        (nop, [false, false, true]),
        (bti(0), [false, false, true]),
        (bti(1), [true, true, true]),
        (bti(2), [false, true, true]),
        (bti(3), [true, true, true]),
        (paciasp, [true, true, true]),
        (brk, [true, true, true]),
    ];
    for (first, outcomes) in expected {
        assert_eq!([call, jump, ret].map(|branch| is_accepted(first, branch)), outcomes, "{first:08x}");
    }
    assert!(matches!(at_target(nop, call, "max,bti=off").0, ExceptionKind::Syscall { .. }));
}

#[test]
fn a_jump_within_guarded_pages_is_a_jump() {
    let mut guest = Guest::new(&[]);
    guest.code.guarded_page.store(CODE, Ordering::Relaxed);
    let words = |first| [encode("BR", &[('n', 3)]), encode("BR", &[('n', 16)]), first, SVC];
    for (start, operand, is_accepted) in [(0, 1, false), (4, 1, true), (0, 2, true), (4, 2, true)] {
        guest.put_code(CODE, &words(encode("BTI", &[('o', operand)])));
        guest.interpreter.code.invalidate(crate::abi::GuestRange::new(crate::abi::GuestAddr(CODE), 16).unwrap());
        (guest.state.pc, guest.state.x[3], guest.state.x[16]) = (CODE + start, CODE + 8, CODE + 8);
        guest.state.pstate = Pstate(0);
        let kind = guest.run_to_exception();
        assert_eq!(matches!(kind, ExceptionKind::Syscall { .. }), is_accepted, "from {start}, bti {operand}: {kind:?}");
    }
}

/// A signal handler is entered as by a call.
#[test]
fn the_branch_type_of_a_state_counts() {
    let mut guest = Guest::new(&[]);
    guest.code.guarded_page.store(CODE, Ordering::Relaxed);
    guest.state.pstate = Pstate(Pstate::BTYPE_CALL);
    assert_eq!(guest.run_to_exception(), ExceptionKind::BranchTarget { branch_type: 2 });
    guest.state.pstate = Pstate(0);
    assert!(matches!(guest.run_to_exception(), ExceptionKind::Syscall { .. }));
}
