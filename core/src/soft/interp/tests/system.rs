//! Exceptions on purpose, system registers, cache maintenance.

use super::{CODE, DATA, Guest, encode};
use crate::abi::GuestAddr;
use crate::soft::a64::{CpuModel, FeatureSet, features};
use crate::vcpu::{AbortCause, Access, ExceptionKind, Pstate};

#[test]
fn exceptions_on_purpose() {
    let mut guest = Guest::new(&[encode("SVC", &[('i', 0x123)]), encode("BRK", &[('i', 0xffff)])]);
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0x123 });
    assert_eq!(guest.state.pc, CODE + 4);
    for _ in 0..2 {
        assert_eq!(guest.run_to_exception(), ExceptionKind::Breakpoint { comment: 0xffff });
        assert_eq!(guest.state.pc, CODE + 4);
    }
    for symbol in ["UDF", "HLT", "HVC", "SMC"] {
        let word = encode(symbol, &[('i', 5)]);
        assert_eq!(Guest::new(&[word]).run_to_exception(), ExceptionKind::Undefined { instruction: word }, "{symbol}");
    }
}

/// A signal frame can bring any value.
#[test]
fn bits_of_floating_point_registers_that_do_not_exist_are_zero() {
    let mut guest = Guest::new(&[]);
    (guest.state.fpcr, guest.state.fpsr) = (u32::MAX, u32::MAX);
    guest.run_to_exception();
    assert_eq!((guest.state.fpcr, guest.state.fpsr), (0x07c8_0000, 0x0800_009f));
}

/// `mrs x2, <reg>` by the fields op0 to op2.
fn mrs(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    encode("MRS", &[('r', (op0 & 1) << 14 | op1 << 11 | crn << 7 | crm << 3 | op2), ('t', 2)])
}

/// The value of a register, `None` where reading it is undefined.
fn read(word: u32) -> Option<u64> {
    let mut guest = Guest::new(&[word]);
    (guest.state.tpidr_el0, guest.state.tpidrro_el0) = (0x1234, 0x5678);
    match guest.run_to_exception() {
        ExceptionKind::Syscall { .. } => Some(guest.state.x[2]),
        ExceptionKind::Undefined { .. } => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn registers_that_can_be_read() {
    assert_eq!(read(mrs(3, 3, 13, 0, 2)), Some(0x1234));
    assert_eq!(read(mrs(3, 3, 13, 0, 3)), Some(0x5678));
    assert_eq!(read(mrs(3, 3, 0, 0, 1)), Some(features::CTR_EL0));
    assert_eq!(read(mrs(3, 3, 0, 0, 7)), Some(4));
    assert_eq!(read(mrs(3, 3, 14, 0, 0)), Some(1_000_000_000));
    assert_eq!(read(mrs(3, 0, 0, 0, 0)), Some(CpuModel::default().midr));
    assert_eq!(read(mrs(3, 0, 0, 0, 5)), Some(1 << 31));
    assert_eq!(
        read(mrs(3, 0, 0, 6, 0)),
        Some(features::id_register(features::IdRegister::Aa64Isar0, FeatureSet::all()))
    );
    assert_eq!(read(mrs(3, 0, 0, 7, 7)), Some(0), "the ID space reads as zero");
    assert_eq!(read(mrs(3, 0, 0, 0, 1)), None);
    assert_eq!(read(mrs(3, 0, 0, 1, 0)), None);
    assert_eq!(read(mrs(3, 0, 1, 0, 0)), None, "SCTLR_EL1");
    assert_eq!(read(mrs(3, 3, 4, 2, 1)), None, "DAIF");
}

#[test]
fn a_feature_that_is_off_is_undefined() {
    let cpu: CpuModel = "max,lse=off,dit=off,dpb=off,fp=off".parse().unwrap();
    let outcome = |word| {
        let mut guest = Guest::with_cpu(&[word], cpu);
        guest.state.x[0] = DATA;
        guest.run_to_exception()
    };
    let ldadd = encode("LDADD_x", &[('n', 0), ('s', 1), ('t', 2)]);
    let (read_dit, read_fpcr, write_fpsr) = (mrs(3, 3, 4, 2, 5), mrs(3, 3, 4, 4, 0), 0xd51b_4422);
    let dc_cvap = encode("SYS", &[('i', 3 << 11 | 7 << 7 | 12 << 3 | 1)]);
    for word in [ldadd, read_dit, read_fpcr, write_fpsr, dc_cvap] {
        assert_eq!(outcome(word), ExceptionKind::Undefined { instruction: word });
        assert_ne!(Guest::new(&[word]).run_to_exception(), outcome(word), "{word:08x}");
    }
    let mut guest = Guest::with_cpu(&[mrs(3, 0, 0, 6, 0)], cpu);
    guest.run_to_exception();
    assert_eq!(guest.state.x[2] >> 20 & 0xf, 0, "ID_AA64ISAR0_EL1.Atomic");
}

#[test]
fn the_counter_counts_up() {
    let word = mrs(3, 3, 14, 0, 2);
    let mut guest = Guest::new(&[word, encode("ORR_reg", &[('z', 1), ('n', 31), ('m', 2), ('d', 3)]), word]);
    guest.run_to_exception();
    assert!(guest.state.x[3] > 0 && guest.state.x[2] >= guest.state.x[3]);
}

#[test]
fn registers_that_can_be_written_keep_their_own_bits() {
    type Value = fn(&Guest) -> u64;
    let cases: [(u32, Value, u64); 5] = [
        (0xd51b_4202, |guest| guest.state.pstate.0, Pstate::NZCV),
        (0xd51b_4402, |guest| u64::from(guest.state.fpcr), 0x07c8_0000),
        (0xd51b_4422, |guest| u64::from(guest.state.fpsr), 0x0800_009f),
        (0xd51b_42a2, |guest| guest.state.pstate.0, Pstate::DIT),
        (0xd51b_d042, |guest| guest.state.tpidr_el0, u64::MAX),
    ];
    for (word, value, expected) in cases {
        let mut guest = Guest::new(&[word]);
        guest.state.x[2] = u64::MAX;
        guest.run_to_exception();
        assert_eq!(value(&guest), expected, "{word:08x}");
    }
    // msr tpidrro_el0, x2
    let word = 0xd51b_d062;
    assert_eq!(Guest::new(&[word]).run_to_exception(), ExceptionKind::Undefined { instruction: word });
    // msr dit, #1; mrs x2, dit
    let mut guest = Guest::new(&[encode("MSR_dit", &[('i', 1)]), 0xd53b_42a2]);
    guest.run_to_exception();
    assert_eq!(guest.state.x[2], Pstate::DIT);
}

#[test]
fn every_flag_value_survives_a_round_trip() {
    for nzcv in 0..16u64 {
        let mut guest = Guest::new(&[0xd53b_4202]);
        guest.state.pstate = Pstate(nzcv << 28 | Pstate::DIT);
        guest.run_to_exception();
        assert_eq!((guest.state.x[2], guest.state.pstate.0), (nzcv << 28, nzcv << 28 | Pstate::DIT));
    }
}

/// `dc zva, x1` and friends, by CRm.
fn cache_operation(crm: u32) -> u32 {
    encode("SYS", &[('i', 3 << 11 | 7 << 7 | crm << 3 | 1), ('t', 1)])
}

#[test]
fn a_block_is_cleared_as_a_whole() {
    let mut guest = Guest::new(&[cache_operation(4)]);
    for offset in 0..192 {
        guest.window.store(GuestAddr(DATA + offset), 0xff_u8).unwrap();
    }
    guest.state.x[1] = DATA + 64 + 17;
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
    for offset in 0..192 {
        let expected = if (64..128).contains(&offset) { 0 } else { 0xff };
        assert_eq!(guest.window.load::<u8>(GuestAddr(DATA + offset)), Ok(expected), "{offset}");
    }
}

#[test]
fn cache_maintenance_needs_readable_memory() {
    for crm in [10, 11, 12, 13, 14] {
        let mut guest = Guest::new(&[cache_operation(crm)]);
        guest.state.x[1] = DATA;
        assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
        guest.state.pc = CODE;
        guest.state.x[1] = 1 << 40;
        let far = GuestAddr(1 << 40);
        let expected = ExceptionKind::DataAbort { far, access: Access::Read, cause: AbortCause::Translation };
        assert_eq!(guest.run_to_exception(), expected);
    }
    // dc ivac is for EL1.
    let word = encode("SYS", &[('i', 7 << 7 | 6 << 3 | 1), ('t', 1)]);
    assert_eq!(Guest::new(&[word]).run_to_exception(), ExceptionKind::Undefined { instruction: word });
}

#[test]
fn barriers_and_hints_do_nothing_visible() {
    let words: Vec<u32> = (0..128)
        .map(|hint| encode("HINT", &[('i', hint)]))
        .chain((0..16).flat_map(|option| ["DMB", "DSB", "ISB", "CLREX"].map(|symbol| encode(symbol, &[('i', option)]))))
        .chain([encode("SB", &[])])
        .collect();
    let mut guest = Guest::new(&words);
    let before = guest.snapshot();
    let stop = guest.run();
    assert_eq!(stop.instructions_retired, words.len() as u64 + 1);
    assert_eq!(guest.state.x, before.x);
}
