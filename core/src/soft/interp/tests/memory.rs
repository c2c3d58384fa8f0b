//! Loads and stores: addresses, faults, alignment. Results of every form are in the recorded vectors.

use super::{CODE, DATA, Guest, MEMORY_BYTES, encode};
use crate::abi::GuestAddr;
use crate::vcpu::{AbortCause, Access, ExceptionKind};

const OUTSIDE: u64 = MEMORY_BYTES as u64;

fn abort(far: u64, access: Access, cause: AbortCause) -> ExceptionKind {
    ExceptionKind::DataAbort { far: GuestAddr(far), access, cause }
}

/// Runs `word` with x1 = `base`; expects the abort and that nothing has changed.
fn check_abort(word: u32, base: u64, expected: ExceptionKind) {
    let mut guest = Guest::new(&[encode("HINT", &[]), word]);
    guest.state.x = std::array::from_fn(|index| 0x1111 * index as u64);
    guest.state.x[1] = base;
    guest.state.x[3] = 0;
    let before = guest.snapshot();
    assert_eq!(guest.run_to_exception(), expected, "{word:08x}");
    assert_eq!(guest.state.pc, CODE + 4);
    guest.state.pc = before.pc;
    assert_eq!(guest.state, before, "{word:08x}");
}

#[test]
fn faults_change_nothing_whatever_the_address_mode() {
    let (read, write) = (Access::Read, Access::Write);
    let cases = [
        (encode("LDR_uimm_x", &[('n', 1), ('t', 2), ('i', 1)]), 8, read),
        (encode("STRB_uimm", &[('n', 1), ('t', 2), ('i', 1)]), 1, write),
        (encode("LDR_pre_x", &[('n', 1), ('t', 2), ('i', 8)]), 8, read),
        (encode("STR_pre_w", &[('n', 1), ('t', 2), ('i', 0x10)]), 16, write),
        (encode("LDRSH_post_x", &[('n', 1), ('t', 2), ('i', 8)]), 0, read),
        (encode("STRH_post", &[('n', 1), ('t', 2), ('i', 8)]), 0, write),
        (encode("LDUR_x", &[('n', 1), ('t', 2), ('i', 3)]), 3, read),
        (encode("LDTRB", &[('n', 1), ('t', 2), ('i', 3)]), 3, read),
        (encode("LDR_reg_x", &[('n', 1), ('t', 2), ('m', 3), ('o', 3), ('S', 1)]), 0, read),
        (encode("LDP_pre_x", &[('n', 1), ('t', 2), ('u', 4), ('i', 2)]), 16, read),
        (encode("LDP_post_w", &[('n', 1), ('t', 2), ('u', 4), ('i', 2)]), 0, read),
        (encode("STP_pre_x", &[('n', 1), ('t', 2), ('u', 4), ('i', 2)]), 16, write),
        (encode("LDPSW_off", &[('n', 1), ('t', 2), ('u', 4), ('i', 2)]), 8, read),
        (encode("LDXR_x", &[('n', 1), ('t', 2)]), 0, read),
        (encode("LDXP", &[('z', 1), ('n', 1), ('t', 2), ('u', 4)]), 0, read),
        (encode("LDAR_w", &[('n', 1), ('t', 2)]), 0, read),
        (encode("STLRB", &[('n', 1), ('t', 2)]), 0, write),
        (encode("CASP", &[('z', 1), ('n', 1), ('t', 4), ('s', 2)]), 0, write),
        (encode("CAS_x", &[('n', 1), ('t', 4), ('s', 2)]), 0, write),
        (encode("LDADD_x", &[('n', 1), ('t', 4), ('s', 2)]), 0, write),
        (encode("SWPH", &[('n', 1), ('t', 4), ('s', 2)]), 0, write),
    ];
    for (word, offset, access) in cases {
        check_abort(word, OUTSIDE, abort(OUTSIDE + offset, access, AbortCause::Translation));
        let tagged = 0xa5 << 56 | OUTSIDE;
        check_abort(word, tagged, abort(tagged + offset, access, AbortCause::Translation));
    }
    // A base register that is loaded, with writeback: the base stays as well.
    let word = encode("LDR_post_x", &[('n', 1), ('t', 1), ('i', 8)]);
    check_abort(word, OUTSIDE, abort(OUTSIDE, Access::Read, AbortCause::Translation));
}

#[test]
fn addresses_wrap_and_tags_are_ignored() {
    let load = encode("LDR_uimm_x", &[('n', 1), ('t', 2), ('i', 2)]);
    let mut guest = Guest::new(&[load]);
    guest.window.store(GuestAddr(DATA), 0x1234_u64).unwrap();
    guest.state.x[1] = 0xff << 56 | (DATA - 16);
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
    assert_eq!(guest.state.x[2], 0x1234);
    guest.window.store(GuestAddr(8), 0x77_u64).unwrap();
    guest.state.pc = CODE;
    guest.state.x[1] = 8_u64.wrapping_sub(16);
    guest.run_to_exception();
    assert_eq!(guest.state.x[2], 0x77);
}

#[test]
fn literals_are_relative_to_the_instruction() {
    let words = [
        encode("LDR_lit_x", &[('i', 64), ('t', 2)]),
        encode("LDR_lit_w", &[('i', 64), ('t', 3)]),
        encode("LDRSW_lit", &[('i', 63), ('t', 4)]),
        encode("LDR_lit_x", &[('i', 0x7_fffd), ('t', 5)]),
    ];
    let mut guest = Guest::new(&words);
    guest.window.store(GuestAddr(CODE + 256), 0x8765_4321_ffff_ff80_u64).unwrap();
    guest.run_to_exception();
    let first = u64::from(words[1]) << 32 | u64::from(words[0]);
    let x = guest.state.x;
    assert_eq!((x[2], x[3], x[4], x[5]), (0x8765_4321_ffff_ff80, 0x8765_4321, 0xffff_ffff_8765_4321, first));
}

#[test]
fn writeback_of_a_loaded_base_keeps_the_loaded_value() {
    let mut guest = Guest::new(&[encode("LDR_pre_x", &[('n', 1), ('t', 1), ('i', 8)])]);
    guest.state.x[1] = DATA;
    guest.window.store(GuestAddr(DATA + 8), 99_u64).unwrap();
    guest.run_to_exception();
    assert_eq!(guest.state.x[1], 99);
    let mut guest = Guest::new(&[encode("STR_post_x", &[('n', 1), ('t', 1), ('i', 8)])]);
    guest.state.x[1] = DATA;
    guest.run_to_exception();
    assert_eq!((guest.state.x[1], guest.window.load(GuestAddr(DATA))), (DATA + 8, Ok(DATA)));
}

/// The choices of `docs/cpu.md`: x1 is the base (with 8 and 9 in memory there), and what x1 and x2 end as.
#[test]
fn constrained_unpredictable_choices() {
    let data = DATA + 0x100;
    let run = |words: &[u32]| {
        let mut guest = Guest::new(words);
        (guest.state.x[1], guest.state.x[2], guest.state.x[3]) = (data, 2, 3);
        guest.window.store(GuestAddr(data), 8u64).unwrap();
        guest.window.store(GuestAddr(data + 8), 9u64).unwrap();
        assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 }, "{words:x?}");
        let at = |offset: u64| guest.window.load::<u64>(GuestAddr(data.wrapping_add(offset))).unwrap();
        ([guest.state.x[1], guest.state.x[2]], [at(0), at(8)])
    };
    let word = |symbol, fields: &[(char, u32)]| encode(symbol, &[&[('n', 1), ('z', 1)][..], fields].concat());
    // Loads with writeback whose target is the base.
    assert_eq!(run(&[word("LDR_post_x", &[('t', 1), ('i', 8)])]).0, [8, 2]);
    assert_eq!(run(&[word("LDR_pre_x", &[('t', 1), ('i', 8)])]).0, [9, 2]);
    assert_eq!(run(&[word("LDP_post_x", &[('t', 1), ('u', 2), ('i', 1)])]).0, [8, 9]);
    assert_eq!(run(&[word("LDP_post_x", &[('t', 2), ('u', 1), ('i', 1)])]).0, [9, 8]);
    // Stores with writeback whose source is the base.
    assert_eq!(run(&[word("STR_post_x", &[('t', 1), ('i', 8)])]), ([data + 8, 2], [data, 9]));
    assert_eq!(run(&[word("STR_pre_x", &[('t', 1), ('i', 8)])]), ([data + 8, 2], [8, data]));
    assert_eq!(run(&[word("STP_post_x", &[('t', 2), ('u', 1), ('i', 2)])]), ([data + 16, 2], [2, data]));
    // Pairs of one register.
    assert_eq!(run(&[word("LDP_off_x", &[('t', 2), ('u', 2)])]).0, [data, 9]);
    assert_eq!(run(&[word("LDXP", &[('t', 2), ('u', 2)])]).0, [data, 9]);
    // Store-exclusives whose status is the source or the base.
    let load = word("LDXR_x", &[('t', 4)]);
    assert_eq!(run(&[load, word("STXR_x", &[('s', 2), ('t', 2)])]), ([data, 0], [2, 9]));
    assert_eq!(run(&[load, word("STXR_x", &[('s', 1), ('t', 2)])]), ([0, 2], [2, 9]));
}

#[test]
fn sp_must_be_aligned_where_it_is_the_base() {
    let with_sp = [
        encode("LDR_uimm_x", &[('n', 31), ('t', 2)]),
        encode("STRB_uimm", &[('n', 31), ('t', 2)]),
        encode("LDR_reg_x", &[('n', 31), ('t', 2), ('m', 3), ('o', 3)]),
        encode("STP_pre_x", &[('n', 31), ('t', 2), ('u', 3), ('i', 0x7e)]),
        encode("LDP_post_w", &[('n', 31), ('t', 2), ('u', 3), ('i', 2)]),
        encode("LDXR_x", &[('n', 31), ('t', 2)]),
        encode("LDADD_x", &[('n', 31), ('t', 2), ('s', 3)]),
        encode("LDAR_x", &[('n', 31), ('t', 2)]),
    ];
    for word in with_sp {
        let mut guest = Guest::new(&[word]);
        guest.state.sp = DATA + 8;
        let before = guest.snapshot();
        assert_eq!(guest.run_to_exception(), ExceptionKind::SpAlignment, "{word:08x}");
        assert_eq!(guest.state, before);
        guest.state.sp = DATA + 16;
        assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 }, "{word:08x}");
    }
    // Arithmetic on SP does not check it.
    let mut guest = Guest::new(&[encode("ADD_imm", &[('z', 1), ('n', 31), ('d', 31), ('i', 1)])]);
    guest.state.sp = DATA + 8;
    guest.run_to_exception();
    assert_eq!(guest.state.sp, DATA + 9);
}

#[test]
fn ordered_and_atomic_accesses_must_be_aligned_and_others_need_not() {
    let (read, write) = (Access::Read, Access::Write);
    let cases = [
        (encode("LDXR_w", &[('n', 1), ('t', 2)]), 2, read),
        (encode("LDXP", &[('z', 1), ('n', 1), ('t', 2), ('u', 4)]), 8, read),
        (encode("LDXP", &[('z', 0), ('n', 1), ('t', 2), ('u', 4)]), 4, read),
        (encode("STXRH", &[('n', 1), ('t', 2), ('s', 5)]), 1, write),
        (encode("LDAR_x", &[('n', 1), ('t', 2)]), 4, read),
        (encode("LDAPRH", &[('n', 1), ('t', 2)]), 1, read),
        (encode("STLR_w", &[('n', 1), ('t', 2)]), 1, write),
        (encode("CAS_x", &[('n', 1), ('t', 2), ('s', 5)]), 4, write),
        (encode("CASP", &[('z', 1), ('n', 1), ('t', 2), ('s', 4)]), 8, write),
        (encode("LDSET_w", &[('n', 1), ('t', 2), ('s', 5)]), 2, write),
    ];
    for (word, offset, access) in cases {
        check_abort(word, DATA + offset, abort(DATA + offset, access, AbortCause::Alignment));
    }
    // ldapur x2, [x1, #4]: the sum is what counts.
    let word = encode("LDAPUR_x", &[('n', 1), ('t', 2), ('i', 4)]);
    check_abort(word, DATA, abort(DATA + 4, read, AbortCause::Alignment));
    let mut guest = Guest::new(&[word, encode("LDR_uimm_x", &[('n', 1), ('t', 3)])]);
    guest.state.x[1] = DATA + 4;
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
}

#[test]
fn prefetches_never_fault() {
    let mut guest = Guest::new(&[encode("PRFM_uimm", &[('n', 1)]), encode("PRFUM", &[('n', 31), ('i', 3)])]);
    guest.state.x[1] = OUTSIDE;
    guest.state.sp = 1;
    assert_eq!(guest.run_to_exception(), ExceptionKind::Syscall { imm: 0 });
}
