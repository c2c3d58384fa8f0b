//! Properties: arithmetic against wide integers, flags against their definition, encoding against decoding.

use proptest::prelude::*;

use super::{Guest, encode};
use crate::soft::a64::{Inst, table};
use crate::vcpu::{CpuState, Pstate};

/// Values with the borders in them.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        any::<u32>().prop_map(u64::from),
        (0..64u32).prop_map(|bit| 1 << bit),
        (0..64u32).prop_map(|bit| (1u64 << bit).wrapping_sub(1)),
        (0..64u32).prop_map(|bit| !(1u64 << bit)),
    ]
}

/// Runs one instruction on x1 = `n`, x2 = `m`, x3 = `a` and returns the state; the result goes to x0.
fn execute(word: u32, n: u64, m: u64, a: u64, nzcv: u64) -> CpuState {
    let mut guest = Guest::new(&[word]);
    (guest.state.x[1], guest.state.x[2], guest.state.x[3]) = (n, m, a);
    guest.state.pstate = Pstate(nzcv << 28);
    guest.run_to_exception();
    guest.state
}

fn registers(symbol: &str, z: u32) -> u32 {
    encode(symbol, &[('z', z), ('n', 1), ('m', 2), ('a', 3)])
}

/// The operand as the operation sees it.
fn cut(value: u64, bits: u32) -> u64 {
    value & (u64::MAX >> (64 - bits))
}

fn signed(value: u64, bits: u32) -> i128 {
    i128::from((value << (64 - bits)) as i64 >> (64 - bits))
}

/// NZCV of `n + m + carry` by its definition: C and V say that the unsigned or signed result does not fit.
fn sum(n: u64, m: u64, carry: u64, bits: u32) -> (u64, u64) {
    let unsigned = u128::from(cut(n, bits)) + u128::from(cut(m, bits)) + u128::from(carry);
    let exact = signed(n, bits) + signed(m, bits) + i128::from(carry);
    let result = cut(unsigned as u64, bits);
    let flags = [result >> (bits - 1) == 1, result == 0, u128::from(result) != unsigned, signed(result, bits) != exact];
    (result, flags.iter().fold(0, |nzcv, &flag| nzcv << 1 | u64::from(flag)))
}

proptest! {
    #[test]
    fn common_short_sequences(n in value(), m in value(), imm in 0..256u32, z in 0..2u32) {
        let bits = 32 << z;
        let result = |word| i128::from(execute(word, n, m, 0, 0).x[0]);
        let unsigned = |value| i128::from(cut(value, bits));
        let (byte, signed_byte) = (i128::from(imm), i128::from(imm as u8 as i8));
        let narrow = |value: i128| i128::from(cut(value as u64, bits));
        let immediate = |symbol| encode(symbol, &[('z', z), ('n', 1), ('i', imm)]);
        for (word, expected) in [
            (registers("SMAX_r", z), signed(n, bits).max(signed(m, bits))),
            (registers("SMIN_r", z), signed(n, bits).min(signed(m, bits))),
            (registers("UMAX_r", z), unsigned(n).max(unsigned(m))),
            (registers("UMIN_r", z), unsigned(n).min(unsigned(m))),
            (immediate("SMAX_imm"), signed(n, bits).max(signed_byte)),
            (immediate("SMIN_imm"), signed(n, bits).min(signed_byte)),
            (immediate("UMAX_imm"), unsigned(n).max(byte)),
            (immediate("UMIN_imm"), unsigned(n).min(byte)),
            (registers("ABS_r", z), signed(n, bits).abs()),
            (registers("CNT_r", z), (0..bits).map(|bit| i128::from(n >> bit & 1)).sum()),
            (registers("CTZ", z), i128::from((0..bits).find(|bit| n >> bit & 1 == 1).unwrap_or(bits))),
        ] {
            prop_assert_eq!(result(word), narrow(expected), "{:?}", Inst::decode(word));
        }
    }

    #[test]
    fn additions(n in value(), m in value(), nzcv in 0..16u64, z in 0..2u32) {
        let bits = 32 << z;
        let carry = nzcv >> 1 & 1;
        for (symbol, operand, carry) in [
            ("ADDS_reg", m, 0), ("SUBS_reg", !m, 1), ("ADCS", m, carry), ("SBCS", !m, carry),
            ("ADD_reg", m, 0), ("SUB_reg", !m, 1), ("ADC", m, carry), ("SBC", !m, carry),
        ] {
            let state = execute(registers(symbol, z), n, m, 0, nzcv);
            let (result, flags) = sum(n, operand, carry, bits);
            prop_assert_eq!(state.x[0], result, "{}", symbol);
            let expected = if ["ADDS_reg", "SUBS_reg", "ADCS", "SBCS"].contains(&symbol) { flags } else { nzcv };
            prop_assert_eq!(state.pstate.0 >> 28, expected, "{}", symbol);
        }
    }

    #[test]
    fn conditional_comparisons(n in value(), m in value(), nzcv in 0..16u64, cond in 0..16u32, k in 0..16u32) {
        for (symbol, operand, carry) in [("CCMP_reg", !m, 1), ("CCMN_reg", m, 0)] {
            let word = encode(symbol, &[('z', 1), ('n', 1), ('m', 2), ('c', cond), ('k', k)]);
            let state = execute(word, n, m, 0, nzcv);
            // CSEL tells whether the condition holds.
            let select = encode("CSEL", &[('z', 1), ('n', 1), ('m', 2), ('c', cond)]);
            let holds = execute(select, 1, 0, 0, nzcv).x[0] == 1;
            let expected = if holds { sum(n, operand, carry, 64).1 } else { u64::from(k) };
            prop_assert_eq!(state.pstate.0 >> 28, expected);
        }
    }

    #[test]
    fn products(n in value(), m in value(), a in value()) {
        let run = |symbol, z| execute(registers(symbol, z), n, m, a, 0).x[0];
        let (wide_n, wide_m, wide_a) = (u128::from(n), u128::from(m), u128::from(a));
        let low = (n as u32, m as u32);
        prop_assert_eq!(run("MADD", 1), (wide_a.wrapping_add(wide_n.wrapping_mul(wide_m))) as u64);
        prop_assert_eq!(run("MSUB", 1), (wide_a.wrapping_sub(wide_n.wrapping_mul(wide_m))) as u64);
        prop_assert_eq!(run("MADD", 0), (wide_a.wrapping_add(wide_n.wrapping_mul(wide_m))) as u64 & 0xffff_ffff);
        prop_assert_eq!(run("UMULH", 1), ((wide_n * wide_m) >> 64) as u64);
        prop_assert_eq!(run("SMULH", 1), ((signed(n, 64) * signed(m, 64)) >> 64) as u64);
        let signed_product = i128::from(low.0 as i32) * i128::from(low.1 as i32);
        let product = u128::from(low.0) * u128::from(low.1);
        prop_assert_eq!(run("SMADDL", 1), i128::from(a).wrapping_add(signed_product) as u64);
        prop_assert_eq!(run("SMSUBL", 1), i128::from(a).wrapping_sub(signed_product) as u64);
        prop_assert_eq!(run("UMADDL", 1), wide_a.wrapping_add(product) as u64);
        prop_assert_eq!(run("UMSUBL", 1), wide_a.wrapping_sub(product) as u64);
    }

    #[test]
    fn quotients(n in value(), m in value(), z in 0..2u32) {
        let bits = 32 << z;
        let unsigned = cut(n, bits).checked_div(cut(m, bits)).unwrap_or(0);
        prop_assert_eq!(execute(registers("UDIV", z), n, m, 0, 0).x[0], unsigned);
        let divisor = signed(m, bits);
        let quotient = if divisor == 0 { 0 } else { signed(n, bits) / divisor };
        prop_assert_eq!(execute(registers("SDIV", z), n, m, 0, 0).x[0], cut(quotient as u64, bits));
    }

    #[test]
    fn shifts(n in value(), m in value(), z in 0..2u32) {
        let bits = 32u32 << z;
        let amount = (m % u64::from(bits)) as u32;
        let run = |symbol| execute(registers(symbol, z), n, m, 0, 0).x[0];
        let wide = u128::from(cut(n, bits));
        prop_assert_eq!(run("LSLV"), cut((wide << amount) as u64, bits));
        prop_assert_eq!(run("LSRV"), (wide >> amount) as u64);
        prop_assert_eq!(run("ASRV"), cut((signed(n, bits) >> amount) as u64, bits));
        prop_assert_eq!(run("RORV"), cut((wide << bits | wide).wrapping_shr(amount) as u64, bits));
    }

    #[test]
    fn bitfields(n in value(), old in value(), z in 0..2u32, r in 0..64u32, s in 0..64u32) {
        let bits = 32u32 << z;
        let (r, s) = (r % bits, s % bits);
        let run = |symbol| {
            let word = encode(symbol, &[('z', z), ('N', z), ('r', r), ('s', s), ('n', 1), ('d', 3)]);
            execute(word, n, 0, old, 0).x[3]
        };
        // A field of `width` bits goes from bit `from` to bit `to`.
        let (from, to, width) = if s >= r { (r, 0, s - r + 1) } else { (0, bits - r, s + 1) };
        let mask = (1u128 << width) - 1;
        let field = u128::from(cut(n, bits)) >> from & mask;
        let placed = cut((field << to) as u64, bits);
        let sign = if field >> (width - 1) & 1 == 1 { cut((!mask << to) as u64, bits) } else { 0 };
        prop_assert_eq!(run("UBFM"), placed);
        prop_assert_eq!(run("SBFM"), placed | sign);
        let kept = cut(old, bits) & !(cut((mask << to) as u64, bits));
        prop_assert_eq!(run("BFM"), kept | placed);
    }

    #[test]
    fn encodings_round_trip(index in any::<prop::sample::Index>(), bits in any::<u32>()) {
        let rows: Vec<_> = table::rows().collect();
        let row = rows[index.index(rows.len())];
        let word = bits & !row.pattern.mask() | row.pattern.value();
        prop_assert!(row.pattern.matches(word));
        if let Some(inst) = Inst::decode(word) {
            // A special case may take the word, and another row a word that is none of this one's; otherwise the row is the row.
            let is_given_up = inst.row().is_special_case || Inst::of_row(row, word).is_none();
            prop_assert!(inst.row().symbol == row.symbol || is_given_up);
            let row = inst.row();
            let letters = (b'a'..=b'z').chain(b'A'..=b'Z').filter(|&letter| row.pattern.width(letter) > 0);
            let fields: Vec<(u8, u32)> = letters.map(|letter| (letter, row.pattern.field(letter, word))).collect();
            // Bits that do not matter are zero in what is encoded.
            let encoded = row.pattern.encode(&fields);
            prop_assert_eq!(encoded & word, encoded);
            prop_assert!(fields.iter().all(|&(letter, value)| row.pattern.field(letter, encoded) == value));
        }
    }

    #[test]
    fn decoding_and_disassembling_never_panic(word in any::<u32>(), pc in any::<u64>()) {
        let text = crate::soft::a64::disassemble(word, pc);
        prop_assert!(!text.is_empty() && !text.contains("{?"), "{}", text);
        prop_assert_eq!(Inst::decode(word).is_none(), text.starts_with(".inst"));
    }
}
