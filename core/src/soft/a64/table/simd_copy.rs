//! Advanced SIMD, copy (Arm ARM C4.1.97).

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::interp::simd_copy as op;

/// imm5 names an element.
fn has_imm5(inst: Inst) -> bool {
    inst.field('i') & 15 != 0
}

/// The same, and the vector has more than one of them.
fn is_imm5(inst: Inst) -> bool {
    has_imm5(inst) && (inst.field('i') & 7 != 0 || inst.field('q') == 1)
}

/// Bytes, halfwords, and words to 64 bits.
fn is_smov(inst: Inst) -> bool {
    inst.field('i') & if inst.field('q') == 1 { 7 } else { 3 } != 0
}

/// Doublewords to 64 bits, the others to 32.
fn is_umov(inst: Inst) -> bool {
    has_imm5(inst) && (inst.field('i') & 15 == 8) == (inst.field('q') == 1)
}

fn is_whole_register(inst: Inst) -> bool {
    inst.field('i') & 3 == 0
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("DUP_element", "dup {Vd.5}, {Vn.5e}", "0q001110000iiiii000001nnnnnddddd", op::dup_element).when(is_imm5),
    Row::simd("DUP_general", "dup {Vd.5}, {n5}", "0q001110000iiiii000011nnnnnddddd", op::dup).when(is_imm5),
    Row::simd("DUP_scalar", "mov {5d}, {Vn.5e}", "01011110000iiiii000001nnnnnddddd", op::dup_element).when(has_imm5),
    Row::simd("SMOV", "smov {q5d}, {Vn.5e}", "0q001110000iiiii001011nnnnnddddd", op::smov).when(is_smov),
    Row::simd("UMOV", "umov {q5d}, {Vn.5e}", "0q001110000iiiii001111nnnnnddddd", op::umov).when(is_umov)
        .aliases(&[(is_whole_register, "mov {q5d}, {Vn.5e}")]),
    Row::simd("INS_general", "mov {Vd.5e}, {n5}", "01001110000iiiii000111nnnnnddddd", op::ins).when(has_imm5),
    Row::simd("INS_element", "mov {Vd.5e}, {Vn.4e}", "01101110000iiiii0jjjj1nnnnnddddd", op::ins_element).when(has_imm5),
];
