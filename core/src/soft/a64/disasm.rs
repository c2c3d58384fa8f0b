//! The disassembler: the assembly form of a row (or of its first alias that applies) with its operands filled in.
//!
//! What stands in braces in a form:
//!
//! | operand | text |
//! |---|---|
//! | `Rd` `Rn` `Rm` `Ra` `Rt` `Rs` `Rt2` | register of field `d n m a t s u`, W or X by field `z` |
//! | `Wd`, `Xd`, ... | the same, of a fixed width |
//! | `...\|SP` | number 31 is SP, not ZR |
//! | `...+1` | the register after it |
//! | `Fd` `Sn` `Vm.T` ... | SIMD&FP registers: see `simd_text` |
//! | one letter | the field of that name, decimal; with `:x` after it `#` and hexadecimal |
//! | others | see the operand functions below, and `simd_forms` |
//!
//! The text is that of GNU objdump, comments and symbols left out; branch targets are absolute. Source of the alias
//! conditions: Arm ARM C6.2.

use std::borrow::Cow;

use super::bits::logical_immediate;
use super::cpu_model::FeatureSet;
use super::decode::Inst;
use super::{simd_forms, simd_text, sysreg};

/// The text of an instruction at address `pc`; `.inst` for an unallocated word.
#[must_use]
pub fn disassemble(word: u32, pc: u64) -> String {
    let Some(inst) = Inst::decode(word) else { return format!(".inst 0x{word:08x}") };
    let row = inst.row();
    let form = row.aliases.iter().find(|(applies, _)| applies(inst)).map_or(row.syntax, |&(_, form)| form);
    let mut text = String::with_capacity(form.len() + 16);
    let mut rest = form;
    while let Some((before, operand, after)) = split_operand(rest) {
        text.push_str(before);
        text.push_str(&operand_text(inst, operand, pc));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Splits at the first operand in braces.
fn split_operand(form: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = form.split_once('{')?;
    let (operand, after) = rest.split_once('}')?;
    Some((before, operand, after))
}

/// Names of the conditions.
const CONDITIONS: [&str; 16] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv"];

/// Options of memory copies: how the sides are written and read, unprivileged (`t`), non-temporal (`n`).
const COPY_OPTIONS: [&str; 16] =
    ["", "wt", "rt", "t", "wn", "wtwn", "rtwn", "twn", "rn", "wtrn", "rtrn", "trn", "n", "wtn", "rtn", "tn"];
const SET_OPTIONS: [&str; 4] = ["", "t", "n", "tn"];

fn condition(number: u32) -> &'static str {
    CONDITIONS[number as usize & 15]
}

/// The text of one operand; an operand that is not known stands for itself, with a question mark.
fn operand_text(inst: Inst, operand: &str, pc: u64) -> Cow<'static, str> {
    if let Some(text) = register_operand(inst, operand) {
        return text.into();
    }
    if let Some(text) = simd_forms::operand(inst, operand).or_else(|| simd_text::operand(inst, operand)) {
        return text.into();
    }
    if let Some(text) = field_operand(inst, operand) {
        return text.into();
    }
    let text = match operand {
        "cond" => return condition(inst.field('c')).into(),
        "!cond" => return condition(inst.field('c') ^ 1).into(),
        "adr" | "adrp" => address(inst, operand == "adrp", pc),
        "label14" | "label19" | "label26" => format!("0x{:x}", pc.wrapping_add_signed(inst.signed('i') << 2)),
        "imm12" => shifted(u64::from(inst.field('i')), 12 * inst.field('s')),
        "imm16" => shifted(u64::from(inst.field('i')), 16 * inst.field('h')),
        "bitmask" => bitmask(inst),
        "movz" => format!("#0x{:x}", u64::from(inst.field('i')) << (16 * inst.field('h'))),
        "movn" => format!("#0x{:x}", !(u64::from(inst.field('i')) << (16 * inst.field('h'))) & width_mask(inst)),
        "lsb" | "lsl_shift" => format!("#{}", width(inst).wrapping_sub(inst.field('r')) % width(inst)),
        "bfi_width" => format!("#{}", inst.field('s') + 1),
        "bfx_width" => format!("#{}", (inst.field('s') + 1).wrapping_sub(inst.field('r'))),
        "shift" => shift(inst),
        "ext" => extension(inst),
        "index" => index(inst),
        "uimm" => offset(i64::from(inst.field('i')) << inst.access_scale()),
        "simm" => offset(inst.signed('i')),
        "simm8" => format!("#{}", inst.signed('i')),
        "simm10" => offset(inst.signed('j') << 12 | i64::from(inst.field('i')) << 3),
        "simm10!" => format!(", #{}]!", inst.signed('j') << 12 | i64::from(inst.field('i')) << 3),
        "simm9" => inst.signed('i').to_string(),
        "simm7" => offset(scaled7(inst)),
        "imm7" => scaled7(inst).to_string(),
        "bit" => format!("#{}", inst.field('z') << 5 | inst.field('b')),
        "AL" => acquire_release(inst),
        "prfop" => prefetch(inst.field('t')),
        "hint" => hint(inst.word() >> 5 & 0x7f),
        "barrier" => barrier(inst.field('i')),
        "option" if inst.field('i') == 15 => String::new(),
        "option" => format!(" #0x{:x}", inst.field('i')),
        "isb" => format!("#0x{:x}", inst.field('i')),
        "operation" => {
            let row = sysreg::system_operation(inst.field('i'), FeatureSet::all());
            row.map_or(String::new(), |row| row.name.to_owned())
        }
        "copy_options" => return COPY_OPTIONS[inst.field('o') as usize & 15].into(),
        "set_options" => return SET_OPTIONS[inst.field('o') as usize & 3].into(),
        "sysreg" => system_register(inst.field('r')),
        unknown => format!("{{?{unknown}}}"),
    };
    text.into()
}

fn register(number: u8, is_64bit: bool, is_sp: bool) -> String {
    match (number, is_64bit, is_sp) {
        (31, true, true) => "sp".to_owned(),
        (31, false, true) => "wsp".to_owned(),
        (31, true, false) => "xzr".to_owned(),
        (31, false, false) => "wzr".to_owned(),
        (0.., true, _) => format!("x{number}"),
        (0.., false, _) => format!("w{number}"),
    }
}

/// `Rd`, `Xn|SP`, `Rs+1`, `Wt2` and the like.
fn register_operand(inst: Inst, operand: &str) -> Option<String> {
    let (operand, is_sp) = operand.strip_suffix("|SP").map_or((operand, false), |rest| (rest, true));
    let (operand, is_next) = operand.strip_suffix("+1").map_or((operand, false), |rest| (rest, true));
    let mut letters = operand.chars();
    let is_64bit = match letters.next()? {
        'R' => inst.is_64bit(),
        'X' => true,
        'W' => false,
        _ => return None,
    };
    let letter = match letters.as_str() {
        "t2" => 'u',
        "d" => 'd',
        "n" => 'n',
        "m" => 'm',
        "a" => 'a',
        "t" => 't',
        "s" => 's',
        _ => return None,
    };
    let number = if is_next { inst.reg(letter) | 1 } else { inst.reg(letter) };
    Some(register(number, is_64bit, is_sp))
}

/// A field by its letter.
fn field_operand(inst: Inst, operand: &str) -> Option<String> {
    let (name, is_hex) = operand.strip_suffix(":x").map_or((operand, false), |rest| (rest, true));
    let mut letters = name.chars();
    let letter = letters.next()?;
    if !letters.as_str().is_empty() {
        return None;
    }
    let value = inst.field(letter);
    Some(if is_hex { format!("#0x{value:x}") } else { value.to_string() })
}

fn width(inst: Inst) -> u32 {
    if inst.is_64bit() { 64 } else { 32 }
}

fn width_mask(inst: Inst) -> u64 {
    u64::MAX >> (64 - width(inst))
}

/// The target of ADR and ADRP.
fn address(inst: Inst, is_page: bool, pc: u64) -> String {
    let offset = inst.signed('i') << 2 | i64::from(inst.field('l'));
    let target = if is_page { (pc & !0xfff).wrapping_add_signed(offset << 12) } else { pc.wrapping_add_signed(offset) };
    format!("0x{target:x}")
}

fn shifted(value: u64, amount: u32) -> String {
    if amount == 0 { format!("#0x{value:x}") } else { format!("#0x{value:x}, lsl #{amount}") }
}

fn bitmask(inst: Inst) -> String {
    let value = logical_immediate(inst.field('N'), inst.field('s'), inst.field('r'), inst.is_64bit());
    value.map_or(String::new(), |value| format!("#0x{value:x}"))
}

/// The shift of a shifted register, nothing for LSL #0.
fn shift(inst: Inst) -> String {
    let name = ["lsl", "lsr", "asr", "ror"][inst.field('h') as usize & 3];
    let amount = inst.field('i');
    if amount == 0 && name == "lsl" { String::new() } else { format!(", {name} #{amount}") }
}

const EXTENSIONS: [&str; 8] = ["uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"];

/// The extended register of an addition. Where SP is involved, the extension that does nothing is written LSL.
fn extension(inst: Inst) -> String {
    let (option, amount) = (inst.field('o'), inst.field('i'));
    let register = register(inst.reg('m'), inst.is_64bit() && option & 3 == 3, false);
    // ADDS and SUBS cannot write SP.
    let sets_flags = inst.word() >> 29 & 1 == 1;
    let has_sp = inst.reg('n') == 31 || (inst.reg('d') == 31 && !sets_flags);
    let plain = if inst.is_64bit() { 3 } else { 2 };
    let name = if has_sp && option == plain { "lsl" } else { EXTENSIONS[option as usize & 7] };
    match (name, amount) {
        ("lsl", 0) => register,
        (name, 0) => format!("{register}, {name}"),
        (name, amount) => format!("{register}, {name} #{amount}"),
    }
}

/// The index register of a load or store.
fn index(inst: Inst) -> String {
    let option = inst.field('o');
    let register = register(inst.reg('m'), option & 1 == 1, false);
    let name = if option == 3 { "lsl" } else { EXTENSIONS[option as usize & 7] };
    match (name, inst.field('S')) {
        ("lsl", 0) => register,
        (name, 0) => format!("{register}, {name}"),
        (name, _) => format!("{register}, {name} #{}", inst.access_scale()),
    }
}

/// An offset inside the brackets, nothing for zero.
fn offset(value: i64) -> String {
    if value == 0 { String::new() } else { format!(", #{value}") }
}

fn scaled7(inst: Inst) -> i64 {
    inst.signed('i') << inst.pair_scale()
}

fn acquire_release(inst: Inst) -> String {
    let mut text = String::new();
    if inst.field('A') == 1 {
        text.push('a');
    }
    if inst.field('R') == 1 {
        text.push('l');
    }
    text
}

fn prefetch(operation: u32) -> String {
    let (kind, target, policy) = (operation >> 3, operation >> 1 & 3, operation & 1);
    match (["pld", "pli", "pst"].get(kind as usize), target) {
        (Some(kind), 0..=2) => format!("{kind}l{}{}", target + 1, if policy == 1 { "strm" } else { "keep" }),
        _ => format!("#0x{operation:02x}"),
    }
}

/// Hints by number; the others are `hint #n`.
fn hint(number: u32) -> String {
    let name = match number {
        0 => "nop",
        1 => "yield",
        2 => "wfe",
        3 => "wfi",
        4 => "sev",
        5 => "sevl",
        6 => "dgh",
        7 => "xpaclri",
        8 => "pacia1716",
        10 => "pacib1716",
        12 => "autia1716",
        14 => "autib1716",
        16 => "esb",
        17 => "psb csync",
        18 => "tsb csync",
        20 => "csdb",
        24 => "paciaz",
        25 => "paciasp",
        26 => "pacibz",
        27 => "pacibsp",
        28 => "autiaz",
        29 => "autiasp",
        30 => "autibz",
        31 => "autibsp",
        32 => "bti",
        34 => "bti c",
        36 => "bti j",
        38 => "bti jc",
        _ => return format!("hint #0x{number:x}"),
    };
    name.to_owned()
}

fn barrier(option: u32) -> String {
    const NAMES: [&str; 16] =
        ["", "oshld", "oshst", "osh", "", "nshld", "nshst", "nsh", "", "ishld", "ishst", "ish", "", "ld", "st", "sy"];
    match NAMES[option as usize & 15] {
        "" => format!("#0x{option:02x}"),
        name => name.to_owned(),
    }
}

/// A system register by name or encoding.
fn system_register(encoding: u32) -> String {
    if let Some(row) = sysreg::REGISTERS.iter().find(|row| row.encoding == encoding) {
        return row.name.to_owned();
    }
    let (op0, op1) = (2 + (encoding >> 14 & 1), encoding >> 11 & 7);
    let (crn, crm, op2) = (encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7);
    format!("s{op0}_{op1}_c{crn}_c{crm}_{op2}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soft::a64::table;

    #[test]
    fn a_return_by_the_link_register_has_no_operand() {
        assert_eq!(disassemble(0xd65f_03c0, 0), "ret");
        assert_eq!(disassemble(0xd65f_0020, 0), "ret x1");
        assert_eq!(disassemble(0xd65f_03e0, 0), "ret xzr");
    }

    /// Also where an operand is nothing.
    #[test]
    fn blanks_stand_between_words_alone() {
        for row in table::rows() {
            let fields = [0, 1, 15, 30, 31].map(|value| [b'n', b'i', b'o'].map(|letter| (letter, value)));
            let some = fields.iter().map(|fields| row.pattern.encode(fields));
            let others =
                (0..1000u32).map(|index| index.wrapping_mul(0x9e37_79b1) & !row.pattern.mask() | row.pattern.value());
            for word in some.chain(others) {
                let text = disassemble(word, 0);
                assert!(text.split(' ').all(|part| !part.is_empty()), "{word:08x} {text:?}");
            }
        }
    }
}
