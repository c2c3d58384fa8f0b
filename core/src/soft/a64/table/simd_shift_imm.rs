//! Advanced SIMD, shift by immediate: vector and scalar (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::{is_immh, is_immh_bhs, is_immh_d, is_immh_not_1d};
use crate::soft::a64::decode::Inst;
use crate::soft::interp::simd_shift_imm as op;

/// A long shift by nothing.
fn is_extension(inst: Inst) -> bool {
    inst.field('i').is_power_of_two()
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("SSHR", "sshr {Vd.I}, {Vn.I}, {rshift}", "0q0011110iiiiiii000001nnnnnddddd", op::sshr).when(is_immh_not_1d),
    Row::simd("USHR", "ushr {Vd.I}, {Vn.I}, {rshift}", "0q1011110iiiiiii000001nnnnnddddd", op::ushr).when(is_immh_not_1d),
    Row::simd("SSRA", "ssra {Vd.I}, {Vn.I}, {rshift}", "0q0011110iiiiiii000101nnnnnddddd", op::ssra).when(is_immh_not_1d),
    Row::simd("USRA", "usra {Vd.I}, {Vn.I}, {rshift}", "0q1011110iiiiiii000101nnnnnddddd", op::usra).when(is_immh_not_1d),
    Row::simd("SRSHR", "srshr {Vd.I}, {Vn.I}, {rshift}", "0q0011110iiiiiii001001nnnnnddddd", op::srshr).when(is_immh_not_1d),
    Row::simd("URSHR", "urshr {Vd.I}, {Vn.I}, {rshift}", "0q1011110iiiiiii001001nnnnnddddd", op::urshr).when(is_immh_not_1d),
    Row::simd("SRSRA", "srsra {Vd.I}, {Vn.I}, {rshift}", "0q0011110iiiiiii001101nnnnnddddd", op::srsra).when(is_immh_not_1d),
    Row::simd("URSRA", "ursra {Vd.I}, {Vn.I}, {rshift}", "0q1011110iiiiiii001101nnnnnddddd", op::ursra).when(is_immh_not_1d),
    Row::simd("SRI", "sri {Vd.I}, {Vn.I}, {rshift}", "0q1011110iiiiiii010001nnnnnddddd", op::sri).when(is_immh_not_1d),
    Row::simd("SHL", "shl {Vd.I}, {Vn.I}, {lshift}", "0q0011110iiiiiii010101nnnnnddddd", op::shl).when(is_immh_not_1d),
    Row::simd("SLI", "sli {Vd.I}, {Vn.I}, {lshift}", "0q1011110iiiiiii010101nnnnnddddd", op::sli).when(is_immh_not_1d),
    Row::simd("SQSHLU", "sqshlu {Vd.I}, {Vn.I}, {lshift}", "0q1011110iiiiiii011001nnnnnddddd", op::sqshlu).when(is_immh_not_1d),
    Row::simd("SQSHL_imm", "sqshl {Vd.I}, {Vn.I}, {lshift}", "0q0011110iiiiiii011101nnnnnddddd", op::sqshl).when(is_immh_not_1d),
    Row::simd("UQSHL_imm", "uqshl {Vd.I}, {Vn.I}, {lshift}", "0q1011110iiiiiii011101nnnnnddddd", op::uqshl).when(is_immh_not_1d),
    Row::simd("SHRN", "shrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q0011110iiiiiii100001nnnnnddddd", op::shrn).when(is_immh_bhs),
    Row::simd("SQSHRUN", "sqshrun{2} {Vd.I}, {Vn.I+}, {rshift}", "0q1011110iiiiiii100001nnnnnddddd", op::sqshrun).when(is_immh_bhs),
    Row::simd("RSHRN", "rshrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q0011110iiiiiii100011nnnnnddddd", op::rshrn).when(is_immh_bhs),
    Row::simd("SQRSHRUN", "sqrshrun{2} {Vd.I}, {Vn.I+}, {rshift}", "0q1011110iiiiiii100011nnnnnddddd", op::sqrshrun).when(is_immh_bhs),
    Row::simd("SQSHRN", "sqshrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q0011110iiiiiii100101nnnnnddddd", op::sqshrn).when(is_immh_bhs),
    Row::simd("UQSHRN", "uqshrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q1011110iiiiiii100101nnnnnddddd", op::uqshrn).when(is_immh_bhs),
    Row::simd("SQRSHRN", "sqrshrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q0011110iiiiiii100111nnnnnddddd", op::sqrshrn).when(is_immh_bhs),
    Row::simd("UQRSHRN", "uqrshrn{2} {Vd.I}, {Vn.I+}, {rshift}", "0q1011110iiiiiii100111nnnnnddddd", op::uqrshrn).when(is_immh_bhs),
    Row::simd("SSHLL", "sshll{2} {Vd.I+}, {Vn.I}, {lshift}", "0q0011110iiiiiii101001nnnnnddddd", op::sshll).when(is_immh_bhs)
        .aliases(&[(is_extension, "sxtl{2} {Vd.I+}, {Vn.I}")]),
    Row::simd("USHLL", "ushll{2} {Vd.I+}, {Vn.I}, {lshift}", "0q1011110iiiiiii101001nnnnnddddd", op::ushll).when(is_immh_bhs)
        .aliases(&[(is_extension, "uxtl{2} {Vd.I+}, {Vn.I}")]),
    // Scalar.
    Row::simd("SSHR_scalar", "sshr {Dd}, {Dn}, {rshift}", "010111110iiiiiii000001nnnnnddddd", op::sshr).when(is_immh_d),
    Row::simd("USHR_scalar", "ushr {Dd}, {Dn}, {rshift}", "011111110iiiiiii000001nnnnnddddd", op::ushr).when(is_immh_d),
    Row::simd("SSRA_scalar", "ssra {Dd}, {Dn}, {rshift}", "010111110iiiiiii000101nnnnnddddd", op::ssra).when(is_immh_d),
    Row::simd("USRA_scalar", "usra {Dd}, {Dn}, {rshift}", "011111110iiiiiii000101nnnnnddddd", op::usra).when(is_immh_d),
    Row::simd("SRSHR_scalar", "srshr {Dd}, {Dn}, {rshift}", "010111110iiiiiii001001nnnnnddddd", op::srshr).when(is_immh_d),
    Row::simd("URSHR_scalar", "urshr {Dd}, {Dn}, {rshift}", "011111110iiiiiii001001nnnnnddddd", op::urshr).when(is_immh_d),
    Row::simd("SRSRA_scalar", "srsra {Dd}, {Dn}, {rshift}", "010111110iiiiiii001101nnnnnddddd", op::srsra).when(is_immh_d),
    Row::simd("URSRA_scalar", "ursra {Dd}, {Dn}, {rshift}", "011111110iiiiiii001101nnnnnddddd", op::ursra).when(is_immh_d),
    Row::simd("SRI_scalar", "sri {Dd}, {Dn}, {rshift}", "011111110iiiiiii010001nnnnnddddd", op::sri).when(is_immh_d),
    Row::simd("SHL_scalar", "shl {Dd}, {Dn}, {lshift}", "010111110iiiiiii010101nnnnnddddd", op::shl).when(is_immh_d),
    Row::simd("SLI_scalar", "sli {Dd}, {Dn}, {lshift}", "011111110iiiiiii010101nnnnnddddd", op::sli).when(is_immh_d),
    Row::simd("SQSHLU_scalar", "sqshlu {Id}, {In}, {lshift}", "011111110iiiiiii011001nnnnnddddd", op::sqshlu).when(is_immh),
    Row::simd("SQSHL_scalar_imm", "sqshl {Id}, {In}, {lshift}", "010111110iiiiiii011101nnnnnddddd", op::sqshl).when(is_immh),
    Row::simd("UQSHL_scalar_imm", "uqshl {Id}, {In}, {lshift}", "011111110iiiiiii011101nnnnnddddd", op::uqshl).when(is_immh),
    Row::simd("SQSHRUN_scalar", "sqshrun {Id}, {In+}, {rshift}", "011111110iiiiiii100001nnnnnddddd", op::sqshrun).when(is_immh_bhs),
    Row::simd("SQRSHRUN_scalar", "sqrshrun {Id}, {In+}, {rshift}", "011111110iiiiiii100011nnnnnddddd", op::sqrshrun).when(is_immh_bhs),
    Row::simd("SQSHRN_scalar", "sqshrn {Id}, {In+}, {rshift}", "010111110iiiiiii100101nnnnnddddd", op::sqshrn).when(is_immh_bhs),
    Row::simd("UQSHRN_scalar", "uqshrn {Id}, {In+}, {rshift}", "011111110iiiiiii100101nnnnnddddd", op::uqshrn).when(is_immh_bhs),
    Row::simd("SQRSHRN_scalar", "sqrshrn {Id}, {In+}, {rshift}", "010111110iiiiiii100111nnnnnddddd", op::sqrshrn).when(is_immh_bhs),
    Row::simd("UQRSHRN_scalar", "uqrshrn {Id}, {In+}, {rshift}", "011111110iiiiiii100111nnnnnddddd", op::uqrshrn).when(is_immh_bhs),
];
