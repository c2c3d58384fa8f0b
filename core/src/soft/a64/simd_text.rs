//! Operands of the disassembler that name SIMD&FP registers; part of `disasm`. More are in `simd_forms`.
//!
//! | operand | text |
//! |---|---|
//! | `Bd` `Hn` `Sm` `Da` `Qt` ... | scalar register of the field, `Qt2` of field `u` |
//! | `Fd` `Fn` ... | scalar, S or D by field `p` (ftype) or else `z` (sz) |
//! | `Vd.F` | vector of elements S or D by field `z`, of 64 or 128 bits by field `q` (Q) |
//! | `Vd.F-` | vector of elements half as wide as those, length by `q` |
//! | `Vd.F=` | vector of those elements, 128 bits |
//! | `Vd.2F` | a pair of those elements |
//! | `Vd.H` `.S` | vector of such elements, length by `q` |
//! | `Vd.H/2` | the lower half of that vector |
//! | `Vd.4s`, `Vd.2h`, ... | as written |
//! | `Vm.F[]` `Vm.H[]` | element of `Vm`, index in fields `H` `L` `M` as far as the element's width uses them |
//! | `Vm.2h[]` | pair of elements |
//! | `Vm.C[]` | complex element of FCMLA, width by `e` |
//! | `Vd.C` | vector of elements of field `e` (size) |
//! | `fpimm` | floating-point immediate of field `i`, or of `i` and `j` |
//! | `fbits` | bits after the point: `64 - s`, or by field `i` (immh:immb) |
//! | `rot` | rotation of field `r` in quarter turns, `rot2` that of FCADD |
//! | `2` | `2` for the instruction that uses upper halves, by field `q` |

use super::decode::Inst;

/// The text of a SIMD&FP operand.
pub(super) fn operand(inst: Inst, operand: &str) -> Option<String> {
    match operand {
        "fpimm" => return Some(format!("#{}", scientific(expand_immediate(immediate(inst))))),
        "fbits" => return Some(format!("#{}", fraction_bits(inst))),
        "rot" => return Some(format!("#{}", 90 * inst.field('r'))),
        "rot2" => return Some(format!("#{}", 90 + 180 * inst.field('r'))),
        "2" => return Some(if inst.field('q') == 1 { "2" } else { "" }.to_owned()),
        _ => {}
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

/// The immediate of FMOV; that of vectors is in two parts.
pub(crate) fn immediate(inst: Inst) -> u8 {
    let pattern = &inst.row().pattern;
    (inst.field('i') << pattern.width(b'j') | inst.field('j')) as u8
}

/// Bits after the point of a conversion.
pub(crate) fn fraction_bits(inst: Inst) -> u32 {
    let pattern = &inst.row().pattern;
    if pattern.width(b's') > 0 { 64 - inst.field('s') } else { (1 << pattern.width(b'i')) - inst.field('i') }
}

/// The letter of the element's width by field `p` or `z`.
fn element(inst: Inst) -> char {
    let letter = if inst.row().pattern.width(b'p') > 0 { 'p' } else { 'z' };
    if inst.field(letter) == 0 { 's' } else { 'd' }
}

/// The letter of the element's width by field `e`.
fn sized_element(inst: Inst) -> char {
    ['b', 'h', 's', 'd'][inst.field('e') as usize & 3]
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
    let vector_bytes = if inst.field('q') == 1 { 16 } else { 8 };
    let counted = |element: char, vector_bytes: u32| format!("v{number}.{}{element}", vector_bytes / bytes(element));
    match arrangement {
        "F" => counted(element(inst), vector_bytes),
        "F-" => counted(if element(inst) == 's' { 'h' } else { 's' }, vector_bytes),
        "F=" => counted(element(inst), 16),
        "2F" => format!("v{number}.2{}", element(inst)),
        "H" => counted('h', vector_bytes),
        "H/2" => counted('h', vector_bytes / 2),
        "S" => counted('s', vector_bytes),
        "C" => counted(sized_element(inst), vector_bytes),
        "F[]" => format!("v{number}.{}[{}]", element(inst), element_index(inst)),
        "H[]" => format!("v{number}.h[{}]", element_index(inst)),
        "2h[]" => format!("v{number}.2h[{}]", element_index(inst)),
        "C[]" => format!("v{number}.{}[{}]", sized_element(inst), element_index(inst)),
        written => format!("v{number}.{written}"),
    }
}

/// The index of an element: the fields `H`, `L` and `M` as far as the pattern has them; L is zero for double precision.
pub(crate) fn element_index(inst: Inst) -> u32 {
    let pattern = &inst.row().pattern;
    let index = inst.field('H') << pattern.width(b'L') | inst.field('L');
    let is_wide = inst.field('z') == 1 || inst.field('e') == 2;
    if is_wide { index >> 1 } else { index << pattern.width(b'M') | inst.field('M') }
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
