//! Operands of the disassembler for Advanced SIMD beyond single registers: elements, lists, shifts, modified immediates.
//!
//! | operand | text |
//! |---|---|
//! | `Vd.T*2` | vector of elements twice as long as those of `e`, as many as fit into the length by field `q` |
//! | `Vd.I`, `Id` | vector or scalar register; elements by the highest set bit of the upper half of field `i` (immh) |
//! | `Vd.I+`, `In+`, `Fd+` | the same with elements twice as long, a full vector; a scalar twice as long as field `e` says |
//! | `lshift`, `rshift` | the amount of a shift by immediate |
//! | `Vd.5`, `5d` | vector or scalar register; elements by the lowest set bit of imm5 (field `i`) |
//! | `Vn.5e`, `Vn.4e` | such an element; its index is in imm5, or in imm4 (field `j`) |
//! | `n5`, `q5d` | general register Rn for such an element, Rd by field `q` |
//! | `imm8`, `imm64`, `imm_lsl`, `imm_msl` | modified immediate, with its shift by field `c` |
//! | `listN.A` | N registers from Rt on; A is `T` or an element size `b h s d` |
//! | `tbl` | the table registers: field `l` + 1 from Rn on |
//! | `lane`, `post` | the index of the element of a single structure, what is added to the base register after it |
//! | `width` | bits of an element of field `e` |
//! | `2` | `2` for the instruction that uses upper halves, by field `q` |
//!
//! Single registers are in [`simd_text`](super::simd_text). Sources: Arm ARM C1.2.2 (register names), C4.1.97.

use super::bits::simd_immediate;
use super::decode::Inst;
use super::simd_text::register_letter;
use super::structure::{Structure, StructureLanes};

/// The letter of an element's width, by log2 of its bytes.
fn width_letter(log2_bytes: u32) -> char {
    ['b', 'h', 's', 'd', 'q'].get(log2_bytes as usize).copied().unwrap_or('?')
}

/// log2 of the bytes of an element of a shift by immediate: the highest set bit of immh.
fn immh_size(inst: Inst) -> u32 {
    (inst.field('i') >> 3).checked_ilog2().unwrap_or(0)
}

/// log2 of the bytes of an element that is copied: the lowest set bit of imm5.
fn imm5_size(inst: Inst) -> u32 {
    inst.field('i').trailing_zeros().min(3)
}

/// The text of an operand of the table above.
pub(super) fn operand(inst: Inst, operand: &str) -> Option<String> {
    if let Some((count, rest)) = operand.strip_prefix("list").and_then(|rest| rest.split_once('.')) {
        return Some(list(inst.field('t'), count.parse().ok()?, &list_arrangement(inst, rest)));
    }
    if let Some((name, suffix)) = operand.strip_prefix('V').and_then(|rest| rest.split_once('.')) {
        return vector(inst, inst.reg(register_letter(name)?), suffix);
    }
    let shift = inst.field('c');
    let text = match operand {
        "2" if inst.field('q') == 1 => "2".to_owned(),
        "2" => String::new(),
        "tbl" => list(inst.field('n'), inst.field('l') + 1, "16b"),
        "lshift" => format!("#{}", inst.field('i') - (8 << immh_size(inst))),
        "rshift" => format!("#{}", (16 << immh_size(inst)) - inst.field('i')),
        "n5" => general(inst.reg('n'), imm5_size(inst) == 3),
        "q5d" => general(inst.reg('d'), inst.field('q') == 1),
        "width" => (8 << inst.field('e')).to_string(),
        "imm8" => format!("#0x{:x}", inst.field('i') << 5 | inst.field('j')),
        "imm64" => format!("#0x{:x}", simd_immediate(inst.word())),
        "imm_lsl" if shift == 0 => String::new(),
        "imm_lsl" => format!(", lsl #{}", 8 * shift),
        "imm_msl" => format!(", msl #{}", 8 * (shift + 1)),
        "lane" => lane(inst),
        "post" if inst.reg('m') == 31 => format!("#{}", Structure::of(inst).bytes()),
        "post" => format!("x{}", inst.reg('m')),
        _ => return scalar(inst, operand),
    };
    Some(text)
}

/// `In+`, `5d` and the like.
fn scalar(inst: Inst, operand: &str) -> Option<String> {
    let (operand, is_long) = operand.strip_suffix('+').map_or((operand, false), |rest| (rest, true));
    let mut letters = operand.chars();
    let size = match (letters.next()?, is_long) {
        ('I', false) => immh_size(inst),
        ('I', true) => immh_size(inst) + 1,
        ('F', true) => inst.field('e') + 1,
        ('5', false) => imm5_size(inst),
        _ => return None,
    };
    Some(format!("{}{}", width_letter(size), inst.reg(register_letter(letters.as_str())?)))
}

/// A general register, 31 being the zero register.
fn general(number: u8, is_64bit: bool) -> String {
    match (number, is_64bit) {
        (31, true) => "xzr".to_owned(),
        (31, false) => "wzr".to_owned(),
        (0.., true) => format!("x{number}"),
        (0.., false) => format!("w{number}"),
    }
}

/// A vector register with a suffix of the table above.
fn vector(inst: Inst, number: u8, suffix: &str) -> Option<String> {
    let vector_bytes = if inst.field('q') == 1 { 16 } else { 8 };
    let element = |index: u32| Some(format!("v{number}.{}[{index}]", width_letter(imm5_size(inst))));
    let (size, bytes) = match suffix {
        "5e" => return element(inst.field('i') >> (imm5_size(inst) + 1)),
        "4e" => return element(inst.field('j') >> imm5_size(inst)),
        "5" => (imm5_size(inst), vector_bytes),
        "I" => (immh_size(inst), vector_bytes),
        "I+" => (immh_size(inst) + 1, 16),
        "T*2" => (inst.field('e') + 1, vector_bytes),
        _ => return None,
    };
    Some(format!("v{number}.{}{}", bytes >> size, width_letter(size)))
}

/// The arrangement of the registers of a list.
fn list_arrangement(inst: Inst, written: &str) -> String {
    if written != "T" {
        return written.to_owned();
    }
    let (size, vector_bytes) = (inst.field('e'), if inst.field('q') == 1 { 16 } else { 8 });
    format!("{}{}", vector_bytes >> size, width_letter(size))
}

/// The lane of a load or store of one structure.
fn lane(inst: Inst) -> String {
    match Structure::of(inst).lanes {
        StructureLanes::One(lane) => lane.to_string(),
        StructureLanes::All | StructureLanes::Replicated => String::new(),
    }
}

/// A list of registers; objdump writes three and four as a range where their numbers do not wrap.
fn list(first: u32, count: u32, arrangement: &str) -> String {
    let name = |index: u32| format!("v{}.{arrangement}", (first + index) & 31);
    match count {
        1 => format!("{{{}}}", name(0)),
        2 => format!("{{{}, {}}}", name(0), name(1)),
        _ if first + count <= 32 => format!("{{{}-{}}}", name(0), name(count - 1)),
        _ => format!("{{{}}}", (0..count).map(name).collect::<Vec<_>>().join(", ")),
    }
}
