//! Operands of SIMD and floating-point instructions, for [`disasm`](super::disasm).
//!
//! | operand | text |
//! |---|---|
//! | `Bd` `Hd` `Sd` `Dd` `Qd` and other register letters | scalar register of that width |
//! | `Ed` | scalar register of the width in field `e` (log2 of bytes) |
//! | `Id` | scalar register of the width in the highest set bit of the upper half of field `i` (immh) |
//! | `..+`, as in `Ed+`, `Id+` | twice the width |
//! | `Vd.4s`, `Vd.b` | vector register, arrangement as written |
//! | `Vd.T`, `Vd.B`, `Vd.H`, `Vd.S`, `Vd.D` | arrangement of elements of field `e`, of bytes, halfwords, ...; field `q` says how many |
//! | `Vd.F` | arrangement of elements of 32 or 64 bits by field `z`, and field `q` |
//! | `Vd.I` | arrangement of elements of immh, and field `q` |
//! | `Vd.T+`, `Vd.I+` | elements of twice the width, as many as they fit into 128 bits |
//! | `Vd.T*2` | elements of twice the width, 64 or 128 bits by field `q` |
//! | `Vn.5e`, `Vn.4e` | element by imm5 (field `i`): its index is there, or in imm4 (field `j`) |
//! | `Vd.5`, `5d` | vector or scalar register of such elements |
//! | `n5`, `q5d` | general register Rn for such an element, Rd by field `q` |
//! | `imm8`, `imm64`, `imm_lsl`, `imm_msl` | modified immediate, with its shift by field `c` |
//! | `width` | bits of an element of field `e` |
//! | `Vm.x` | element by field `e`, its number in fields `M`, `m`, its index in `H`, `L`; `M` goes to the index of halfwords |
//! | `listN.A` | N registers from Rt on, with arrangement A as above, or with element size `b h s d` |
//! | `tbl` | the table registers: field `l` + 1 from Rn on |
//! | `lshift`, `rshift` | the amount of a shift by immediate |
//! | `lane`, `post` | the index of the element of a single structure, what is added to the base register after it |
//! | `2` | `2` for the instruction that uses upper halves, by field `q` |
//!
//! Sources: Arm ARM C1.2.2 (register names), C4.1.97 to C4.1.98.

use super::bits::simd_immediate;
use super::decode::Inst;
use super::structure::{Structure, StructureLanes};

/// Letters of element widths, by log2 of bytes.
const WIDTHS: [char; 5] = ['b', 'h', 's', 'd', 'q'];

fn width_letter(log2_bytes: u32) -> char {
    WIDTHS.get(log2_bytes as usize).copied().unwrap_or('?')
}

/// log2 of the bytes of an element of a shift by immediate: the highest set bit of immh.
fn immh_size(inst: Inst) -> u32 {
    (inst.field('i') >> 3).checked_ilog2().unwrap_or(0)
}

/// log2 of the bytes of an element that is copied: the lowest set bit of imm5.
fn imm5_size(inst: Inst) -> u32 {
    inst.field('i').trailing_zeros().min(3)
}

/// The field letter of a register name without its first letter.
fn register_letter(name: &str) -> Option<char> {
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

/// The text of an operand of the table above.
pub(super) fn operand(inst: Inst, operand: &str) -> Option<String> {
    match operand {
        "2" => return Some(if inst.field('q') == 1 { "2".to_owned() } else { String::new() }),
        "tbl" => return Some(list(inst.field('n'), inst.field('l') + 1, "16b")),
        "lshift" => return Some(format!("#{}", inst.field('i') - (8 << immh_size(inst)))),
        "rshift" => return Some(format!("#{}", (16 << immh_size(inst)) - inst.field('i'))),
        "n5" => return Some(general(inst.reg('n'), imm5_size(inst) == 3)),
        "q5d" => return Some(general(inst.reg('d'), inst.field('q') == 1)),
        "width" => return Some((8 << inst.field('e')).to_string()),
        "imm8" => return Some(format!("#0x{:x}", inst.field('i') << 5 | inst.field('j'))),
        "imm64" => return Some(format!("#0x{:x}", simd_immediate(inst.word()))),
        "imm_lsl" if inst.field('c') == 0 => return Some(String::new()),
        "imm_lsl" => return Some(format!(", lsl #{}", 8 * inst.field('c'))),
        "imm_msl" => return Some(format!(", msl #{}", 8 * (inst.field('c') + 1))),
        "lane" => return Some(lane(inst)),
        "post" if inst.reg('m') == 31 => return Some(format!("#{}", Structure::of(inst).bytes())),
        "post" => return Some(format!("x{}", inst.reg('m'))),
        _ => {}
    }
    if let Some((count, rest)) = operand.strip_prefix("list").and_then(|rest| rest.split_once('.')) {
        return Some(list(inst.field('t'), count.parse().ok()?, &arrangement(inst, rest)?));
    }
    match operand.strip_prefix('V') {
        Some(name) => vector(inst, name),
        None => scalar(inst, operand),
    }
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

/// `Sd`, `Em`, `In+` and the like.
fn scalar(inst: Inst, operand: &str) -> Option<String> {
    let (operand, step) = operand.strip_suffix('+').map_or((operand, 0), |rest| (rest, 1));
    let mut letters = operand.chars();
    let size = match letters.next()? {
        'B' => 0,
        'H' => 1,
        'S' => 2,
        'D' => 3,
        'Q' => 4,
        'E' => inst.field('e'),
        'I' => immh_size(inst),
        '5' => imm5_size(inst),
        _ => return None,
    };
    let number = inst.reg(register_letter(letters.as_str())?);
    Some(format!("{}{number}", width_letter(size + step)))
}

/// `d.16b`, `n.T`, `m.x` and the like.
fn vector(inst: Inst, name: &str) -> Option<String> {
    let (name, suffix) = name.split_once('.')?;
    let number = inst.reg(register_letter(name)?);
    match suffix {
        "5e" => {
            Some(format!("v{number}.{}[{}]", width_letter(imm5_size(inst)), inst.field('i') >> (imm5_size(inst) + 1)))
        }
        "4e" => Some(format!("v{number}.{}[{}]", width_letter(imm5_size(inst)), inst.field('j') >> imm5_size(inst))),
        "x" => {
            let (number, index) = by_element(inst);
            Some(format!("v{number}.{}[{index}]", width_letter(inst.field('e'))))
        }
        suffix => Some(format!("v{number}.{}", arrangement(inst, suffix)?)),
    }
}

/// The register and the index of the second source of an instruction by element.
fn by_element(inst: Inst) -> (u32, u32) {
    let (high, low, middle, number) = (inst.field('H'), inst.field('L'), inst.field('M'), inst.field('m'));
    match inst.field('e') {
        1 => (number, high << 2 | low << 1 | middle),
        2 => (middle << 4 | number, high << 1 | low),
        0 | 3.. => (middle << 4 | number, high),
    }
}

/// The arrangement that a suffix stands for.
fn arrangement(inst: Inst, suffix: &str) -> Option<String> {
    if suffix != "5" && suffix.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_lowercase()) {
        return Some(suffix.to_owned());
    }
    let vector_bytes = if inst.field('q') == 1 { 16 } else { 8 };
    let (size, bytes) = match suffix {
        "B" => (0, vector_bytes),
        "H" => (1, vector_bytes),
        "S" => (2, vector_bytes),
        "D" => (3, vector_bytes),
        "T" => (inst.field('e'), vector_bytes),
        "F" => (2 + inst.field('z'), vector_bytes),
        "5" => (imm5_size(inst), vector_bytes),
        "I" => (immh_size(inst), vector_bytes),
        "T+" => (inst.field('e') + 1, 16),
        "I+" => (immh_size(inst) + 1, 16),
        "T*2" => (inst.field('e') + 1, vector_bytes),
        _ => return None,
    };
    Some(format!("{}{}", bytes >> size, width_letter(size)))
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
