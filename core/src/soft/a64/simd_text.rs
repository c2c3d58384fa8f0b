//! Operands of the disassembler that name SIMD&FP registers; part of `disasm`. More are in `simd_forms`.
//!
//! | operand | text |
//! |---|---|
//! | `Bd` `Hn` `Sm` `Da` `Qt` ... | scalar register of the field, `Qt2` of field `u` |
//! | `Fd` `Fn` ... | scalar whose width is the field `p` (ftype: one bit, S or D) or else `e` (size: two bits B to D, one bit S or D) |
//! | `Vd.T` | vector; elements by field `e` as above, number of them by field `q` (Q), full without such a field |
//! | `Vd.W` | full vector of elements twice as long as those of `e` |
//! | `Vd.b` `.h` `.s` `.d` | vector of such elements, number by `q` |
//! | `Vd.4s`, `Vd.2h`, ... | as written |
//! | `Vm.T[]` | element of `Vm`, index in fields `H` `L` `M` as far as the element's width uses them |
//! | `Vm.h[]`, ... | the same with the element's width given |
//! | `fpimm` | floating-point immediate of field `i` |
//! | `fbits` | bits after the point, `64 - s` |

use super::decode::Inst;

/// The text of a SIMD&FP operand.
pub(super) fn operand(inst: Inst, operand: &str) -> Option<String> {
    if operand == "fpimm" {
        return Some(format!("#{}", scientific(expand_immediate(inst.field('i') as u8))));
    }
    if operand == "fbits" {
        return Some(format!("#{}", 64 - inst.field('s')));
    }
    let (name, arrangement) = match operand.split_once('.') {
        Some((name, arrangement)) => (name, Some(arrangement)),
        None => (operand, None),
    };
    let mut letters = name.chars();
    let kind = letters.next()?;
    let number = inst.reg(register_letter(letters.as_str())?);
    match (kind, arrangement) {
        ('V', Some(arrangement)) => Some(vector(inst, number, arrangement)),
        ('B' | 'H' | 'S' | 'D' | 'Q', None) => Some(format!("{}{number}", kind.to_ascii_lowercase())),
        ('F', None) => Some(format!("{}{number}", element(inst))),
        _ => None,
    }
}

/// The field letter of a register name without its first letter.
pub(super) fn register_letter(name: &str) -> Option<char> {
    Some(match name {
        "d" => 'd',
        "n" => 'n',
        "m" => 'm',
        "a" => 'a',
        "t" => 't',
        "t2" => 'u',
        _ => return None,
    })
}

/// The letter of the element's width that the fields say.
fn element(inst: Inst) -> char {
    let pattern = &inst.row().pattern;
    let letter = if pattern.width(b'p') > 0 { 'p' } else { 'e' };
    let value = inst.field(letter) as usize;
    let letters = if pattern.width(letter as u8) > 1 { ['b', 'h', 's', 'd'] } else { ['s', 'd', 's', 'd'] };
    letters[value & 3]
}

/// Bytes of an element.
fn bytes(element: char) -> u32 {
    match element {
        'b' => 1,
        'h' => 2,
        's' => 4,
        _ => 8,
    }
}

fn vector(inst: Inst, number: u8, arrangement: &str) -> String {
    if let Some(element_name) = arrangement.strip_suffix("[]") {
        let element = if element_name == "T" { element(inst) } else { element_name.chars().next().unwrap_or('b') };
        return format!("{}.{element}[{}]", element_register(inst, number, element), element_index(inst, element));
    }
    let is_full = inst.row().pattern.width(b'q') == 0 || inst.field('q') == 1;
    let vector_bytes = if is_full { 16 } else { 8 };
    let counted = |element: char, vector_bytes: u32| format!("v{number}.{}{element}", vector_bytes / bytes(element));
    match arrangement {
        "T" => counted(element(inst), vector_bytes),
        "W" => counted(longer(element(inst)), 16),
        "b" | "h" | "s" | "d" => counted(arrangement.chars().next().unwrap_or('b'), vector_bytes),
        written => format!("v{number}.{written}"),
    }
}

fn longer(element: char) -> char {
    match element {
        'b' => 'h',
        'h' => 's',
        _ => 'd',
    }
}

/// Half word elements leave the top bit of the register's number to the index.
fn element_register(inst: Inst, number: u8, element: char) -> String {
    let number = if element == 'h' && inst.row().pattern.width(b'M') > 0 { number & 15 } else { number };
    format!("v{number}")
}

/// The index of an element: H:L:M, H:L, or H.
fn element_index(inst: Inst, element: char) -> u32 {
    let (h, l, m) = (inst.field('H'), inst.field('L'), inst.field('M'));
    match element {
        'h' => h << 2 | l << 1 | m,
        's' => h << 1 | l,
        _ => h,
    }
}

/// VFPExpandImm, as a number (Arm ARM J1.1).
pub(crate) fn expand_immediate(imm8: u8) -> f64 {
    let exponent = i32::from(imm8 >> 4 & 7 ^ 4) - 3;
    let magnitude = f64::from(16 + (imm8 & 15)) / 16.0 * f64::powi(2.0, exponent);
    if imm8 >> 7 == 1 { -magnitude } else { magnitude }
}

/// As `%.18e` prints it.
fn scientific(value: f64) -> String {
    let text = format!("{value:.18e}");
    match text.split_once('e') {
        Some((digits, exponent)) if exponent.starts_with('-') => format!("{digits}e-{:0>2}", &exponent[1..]),
        Some((digits, exponent)) => format!("{digits}e+{exponent:0>2}"),
        None => text,
    }
}
