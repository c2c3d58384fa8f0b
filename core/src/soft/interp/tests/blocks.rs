//! Whole blocks of arbitrary words: nothing panics, decoder, disassembler and interpreter agree on what is an instruction, and
//! a block does what its instructions do one by one.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{CODE, CodeSource, DATA, Guest, SVC, StopReason, encode};
use crate::abi::{GuestAddr, GuestRange};
use crate::soft::a64::{Inst, disassemble, table};
use crate::vcpu::{CpuState, ExceptionKind, Pstate};

/// Rows that are undefined on purpose.
const ALWAYS_UNDEFINED: [&str; 4] = ["UDF", "HVC", "SMC", "HLT"];

/// True for a row of the group `name` of the table.
fn is_of(group: &str, symbol: &str) -> bool {
    table::GROUPS.iter().any(|(name, rows)| *name == group && rows.iter().any(|row| row.symbol == symbol))
}

/// True for a word whose effect is the same alone and in a block: no branch (which may lead anywhere), no exclusive store
/// (the monitor is open at every entry), no read of a register that goes its own way, none of the code, nor a copy or set of
/// memory, which may take in the code.
fn is_repeatable(word: u32) -> bool {
    let Some(inst) = Inst::decode(word) else { return true };
    let symbol = inst.row().symbol;
    !is_of("branch", symbol)
        && !is_of("ldst_mops", symbol)
        && symbol != "MRS"
        && !symbol.starts_with("STX")
        && !symbol.starts_with("STLX")
        && !symbol.ends_with("_lit")
}

/// The main parts and epilogues of memory copy and memory set.
const LATER_PARTS: [&str; 6] = ["CPYM", "CPYE", "CPYFM", "CPYFE", "SETM", "SETE"];

/// Rows that form pairs.
const PAIRED: [&str; 24] = [
    "MOVZ",
    "MOVN",
    "ORR_reg",
    "ADD_imm",
    "SUB_imm",
    "SUBS_imm",
    "ADD_reg",
    "SUBS_reg",
    "ANDS_imm",
    "AND_imm",
    "UBFM",
    "LDRB_uimm",
    "LDR_uimm_w",
    "LDR_uimm_x",
    "LDUR_x",
    "LDR_reg_x",
    "STR_uimm_w",
    "STR_uimm_x",
    "STUR_x",
    "LDP_off_x",
    "LDP_post_x",
    "STP_off_x",
    "STP_pre_x",
    "ADDS_imm",
];

/// A word of some row, any word, a row that forms pairs with its base often SP, or a branch some instructions forward.
fn word() -> impl Strategy<Value = u32> {
    let of_a_row = (any::<prop::sample::Index>(), any::<u32>()).prop_map(|(index, bits)| {
        let rows: Vec<_> = table::rows().collect();
        let pattern = &rows[index.index(rows.len())].pattern;
        bits & !pattern.mask() | pattern.value()
    });
    let paired =
        (prop::sample::select(PAIRED.to_vec()), any::<u32>(), any::<bool>()).prop_map(|(symbol, bits, is_sp)| {
            let row = table::rows().find(|row| row.symbol == symbol).unwrap();
            // Small offsets and no shifts, mostly.
            let plain = bits & if bits >> 23 & 3 == 0 { u32::MAX } else { 0xff00_03ff | 31 << 16 };
            let fields = if is_sp { plain | 31 << 5 } else { plain };
            fields & !row.pattern.mask() | row.pattern.value()
        });
    let repeatable = prop_oneof![8 => of_a_row, 1 => any::<u32>(), 10 => paired]
        .prop_filter("repeatable", |&word| is_repeatable(word));
    let forward = (prop::sample::select(vec!["B_cond", "B", "CBZ", "CBNZ", "TBZ", "TBNZ"]), 1..4u32, any::<u32>());
    let forward = forward.prop_map(|(symbol, distance, bits)| {
        encode(
            symbol,
            &[('i', distance), ('c', bits & 15), ('t', bits >> 4 & 31), ('b', bits >> 9 & 31), ('z', bits >> 14 & 1)],
        )
    });
    prop_oneof![8 => repeatable, 2 => forward]
}

/// A register: mostly an address of data, whose multiples and halves are not addresses of the code.
fn register() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0..64u64).prop_map(|index| DATA + 0x5000 + 16 * index),
        1 => 0..64u64,
        1 => any::<u64>(),
    ]
}

fn state() -> impl Strategy<Value = CpuState> {
    let modes = any::<[bool; 6]>();
    let general = (prop::collection::vec(register(), 31), prop::collection::vec(any::<u128>(), 32));
    (general, any::<u8>(), modes).prop_map(|((x, v), nzcv, [rmode_high, rmode_low, fz, dn, ahp, fz16])| {
        let bits = [(26, ahp), (25, dn), (24, fz), (23, rmode_high), (22, rmode_low), (19, fz16)];
        CpuState {
            x: std::array::from_fn(|index| x[index]),
            v: std::array::from_fn(|index| v[index]),
            sp: DATA + 0x5000,
            pc: CODE,
            pstate: Pstate(u64::from(nzcv & 15) << 28),
            fpcr: bits.iter().map(|&(bit, is_set)| u32::from(is_set) << bit).sum(),
            ..CpuState::default()
        }
    })
}

/// Runs the words one at a time, each with an `svc` wherever it may lead. The answer is how that ended, and how many were
/// executed to their end.
fn run_one_by_one(guest: &mut Guest, words: &[u32]) -> (ExceptionKind, u64) {
    let traps = vec![SVC; words.len() + 1];
    let end = CODE + 4 * words.len() as u64;
    let mut retired = 0;
    loop {
        let Some(&word) = words.get(((guest.state.pc - CODE) / 4) as usize) else {
            return (ExceptionKind::Undefined { instruction: 0 }, retired);
        };
        guest.put_code(CODE, &traps);
        guest.put_code(guest.state.pc, &[word]);
        guest.code.invalidate(GuestRange { start: GuestAddr(CODE), end: GuestAddr(end + 4) });
        let stop = guest.run();
        let StopReason::Exception(exception) = stop.reason else { panic!("interrupted") };
        retired += stop.instructions_retired;
        let is_trap = matches!(exception.kind, ExceptionKind::Syscall { .. }) && stop.instructions_retired == 2;
        if !is_trap || guest.state.pc == end + 4 {
            return (exception.kind, retired);
        }
        retired -= 1;
        guest.state.pc -= 4;
    }
}

proptest! {
    #[test]
    fn a_block_is_its_instructions(words in prop::collection::vec(word(), 1..12), state in state()) {
        let mut whole = Guest::new(&words);
        let mut single = Guest::new(&[]);
        whole.state = state.clone();
        single.state = state;
        let stop = whole.run();
        let StopReason::Exception(exception) = stop.reason else { panic!("interrupted") };
        let (kind, retired) = run_one_by_one(&mut single, &words);
        let text: Vec<_> = words.iter().map(|&word| format!("{word:08x} {}", disassemble(word, 0))).collect();
        prop_assert_eq!((exception.kind, stop.instructions_retired), (kind, retired), "{:#?}", text);
        prop_assert!(whole.state == single.state, "{:#?}\n{:#x?}\n{:#x?}", text, whole.state, single.state);
        single.put_code(CODE, &words);
        prop_assert!(whole.memory == single.memory, "{:#?}", text);
    }
}

/// Words of a row that are executed.
const WORDS_OF_A_ROW: usize = 20;

/// The word at `index` of a sequence (splitmix64).
fn random_word(seed: u64, index: u64) -> u32 {
    let mixed = (seed ^ index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 27) as u32
}

/// Every row of the table is executed with words, registers and flags of all kinds, and so are words of no row: undefined is
/// what the decoder says it is.
#[test]
fn who_decodes_agrees_with_who_executes() {
    let mut runner = TestRunner::deterministic();
    let mut guest = Guest::new(&[]);
    let patterns = table::rows().map(|row| (row.symbol, row.pattern.mask(), row.pattern.value()));
    for (symbol, mask, value) in patterns.chain([("any word", 0, 0); 10]) {
        let mut executed = 0;
        for round in 0..WORDS_OF_A_ROW {
            let (seed, mut state) = (any::<u64>(), state()).new_tree(&mut runner).unwrap().current();
            // Every second word is sought among those that the row's condition lets pass.
            let mut words = (0..20_000).map(|index| random_word(seed, index) & !mask | value);
            let is_sought = |word: &u32| {
                round % 2 == 0 || mask == 0 || Inst::decode(*word).is_some_and(|inst| inst.row().symbol == symbol)
            };
            let word = words.find(is_sought).unwrap_or(value);
            if LATER_PARTS.contains(&symbol) {
                // After the prologue that belongs to it, nothing is left to do: otherwise it is undefined, or takes in the code.
                state.pstate = Pstate(0b0010 << 28);
                state.x = [0; 31];
            }
            let is_undefined = Inst::decode(word).is_none_or(|inst| ALWAYS_UNDEFINED.contains(&inst.row().symbol));
            let text = disassemble(word, CODE);
            if is_of("branch", symbol) && text.ends_with("0x100000") {
                continue; // to itself, for ever
            }
            guest.state = state;
            guest.put_code(CODE, &[word, SVC]);
            guest.code.invalidate(GuestRange { start: GuestAddr(CODE), end: GuestAddr(CODE + 8) });
            let kind = guest.run_to_exception();
            assert_eq!(
                kind == ExceptionKind::Undefined { instruction: word },
                is_undefined,
                "{symbol}: {word:08x} {text}"
            );
            executed += u32::from(!is_undefined);
        }
        assert!(executed > 0 || mask == 0 || ALWAYS_UNDEFINED.contains(&symbol), "no word of {symbol} was executed");
    }
}

/// Words from all over the 32-bit space.
#[test]
fn who_decodes_agrees_with_who_disassembles() {
    for word in (0..=u32::MAX).step_by(3001) {
        let text = disassemble(word, 0);
        assert_eq!(Inst::decode(word).is_none(), text.starts_with(".inst"), "{word:08x} {text}");
    }
}
