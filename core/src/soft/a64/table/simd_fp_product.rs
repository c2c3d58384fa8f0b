//! Advanced SIMD floating point: products by element, of complex numbers, of shorter numbers (Arm ARM C4.1.97).

use super::Row;
use super::simd_fp_misc::is_not_1d;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::{AdvSimd, Bf16, Fcma, Fhm, Fp16};
use crate::soft::interp::fp_ops::{Mul, MulAdd, MulX};
use crate::soft::interp::simd_fp_product as op;

/// Double precision has no L.
fn is_element(inst: Inst) -> bool {
    inst.field('z') == 0 || inst.field('L') == 0
}

fn is_vector_element(inst: Inst) -> bool {
    is_element(inst) && is_not_1d(inst)
}

fn is_complex(inst: Inst) -> bool {
    matches!((inst.field('e'), inst.field('q')), (1 | 2, _) | (3, 1))
}

/// The index is H:L for half precision, H for single precision, and within the register.
fn is_complex_element(inst: Inst) -> bool {
    match inst.field('e') {
        1 => inst.field('H') == 0 || inst.field('q') == 1,
        2 => inst.field('L') == 0 && inst.field('q') == 1,
        _ => false,
    }
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // By element.
    Row::new("FMLA_elem", "fmla {Vd.F}, {Vn.F}, {Vm.F[]}", "0q0011111zLmmmmm0001H0nnnnnddddd", op::accumulate::<MulAdd<false, false>>).of(AdvSimd).when(is_vector_element),
    Row::new("FMLA_elem_h", "fmla {Vd.H}, {Vn.H}, {Vm.H[]}", "0q00111100LMmmmm0001H0nnnnnddddd", op::accumulate_h::<MulAdd<false, false>>).of(Fp16),
    Row::new("FMLA_elem_scalar", "fmla {Fd}, {Fn}, {Vm.F[]}", "010111111zLmmmmm0001H0nnnnnddddd", op::scalar_accumulate::<MulAdd<false, false>>).of(AdvSimd).when(is_element),
    Row::new("FMLA_elem_scalar_h", "fmla {Hd}, {Hn}, {Vm.H[]}", "0101111100LMmmmm0001H0nnnnnddddd", op::scalar_accumulate_h::<MulAdd<false, false>>).of(Fp16),
    Row::new("FMLS_elem", "fmls {Vd.F}, {Vn.F}, {Vm.F[]}", "0q0011111zLmmmmm0101H0nnnnnddddd", op::accumulate::<MulAdd<false, true>>).of(AdvSimd).when(is_vector_element),
    Row::new("FMLS_elem_h", "fmls {Vd.H}, {Vn.H}, {Vm.H[]}", "0q00111100LMmmmm0101H0nnnnnddddd", op::accumulate_h::<MulAdd<false, true>>).of(Fp16),
    Row::new("FMLS_elem_scalar", "fmls {Fd}, {Fn}, {Vm.F[]}", "010111111zLmmmmm0101H0nnnnnddddd", op::scalar_accumulate::<MulAdd<false, true>>).of(AdvSimd).when(is_element),
    Row::new("FMLS_elem_scalar_h", "fmls {Hd}, {Hn}, {Vm.H[]}", "0101111100LMmmmm0101H0nnnnnddddd", op::scalar_accumulate_h::<MulAdd<false, true>>).of(Fp16),
    Row::new("FMUL_elem", "fmul {Vd.F}, {Vn.F}, {Vm.F[]}", "0q0011111zLmmmmm1001H0nnnnnddddd", op::binary::<Mul>).of(AdvSimd).when(is_vector_element),
    Row::new("FMUL_elem_h", "fmul {Vd.H}, {Vn.H}, {Vm.H[]}", "0q00111100LMmmmm1001H0nnnnnddddd", op::binary_h::<Mul>).of(Fp16),
    Row::new("FMUL_elem_scalar", "fmul {Fd}, {Fn}, {Vm.F[]}", "010111111zLmmmmm1001H0nnnnnddddd", op::scalar_binary::<Mul>).of(AdvSimd).when(is_element),
    Row::new("FMUL_elem_scalar_h", "fmul {Hd}, {Hn}, {Vm.H[]}", "0101111100LMmmmm1001H0nnnnnddddd", op::scalar_binary_h::<Mul>).of(Fp16),
    Row::new("FMULX_elem", "fmulx {Vd.F}, {Vn.F}, {Vm.F[]}", "0q1011111zLmmmmm1001H0nnnnnddddd", op::binary::<MulX>).of(AdvSimd).when(is_vector_element),
    Row::new("FMULX_elem_h", "fmulx {Vd.H}, {Vn.H}, {Vm.H[]}", "0q10111100LMmmmm1001H0nnnnnddddd", op::binary_h::<MulX>).of(Fp16),
    Row::new("FMULX_elem_scalar", "fmulx {Fd}, {Fn}, {Vm.F[]}", "011111111zLmmmmm1001H0nnnnnddddd", op::scalar_binary::<MulX>).of(AdvSimd).when(is_element),
    Row::new("FMULX_elem_scalar_h", "fmulx {Hd}, {Hn}, {Vm.H[]}", "0111111100LMmmmm1001H0nnnnnddddd", op::scalar_binary_h::<MulX>).of(Fp16),

    // Half precision into single precision.
    Row::new("FMLAL", "fmlal {Vd.S}, {Vn.H/2}, {Vm.H/2}", "0q001110001mmmmm111011nnnnnddddd", op::long::<false, false>).of(Fhm),
    Row::new("FMLAL_elem", "fmlal {Vd.S}, {Vn.H/2}, {Vm.H[]}", "0q00111110LMmmmm0000H0nnnnnddddd", op::long_element::<false, false>).of(Fhm),
    Row::new("FMLSL", "fmlsl {Vd.S}, {Vn.H/2}, {Vm.H/2}", "0q001110101mmmmm111011nnnnnddddd", op::long::<false, true>).of(Fhm),
    Row::new("FMLSL_elem", "fmlsl {Vd.S}, {Vn.H/2}, {Vm.H[]}", "0q00111110LMmmmm0100H0nnnnnddddd", op::long_element::<false, true>).of(Fhm),
    Row::new("FMLAL2", "fmlal2 {Vd.S}, {Vn.H/2}, {Vm.H/2}", "0q101110001mmmmm110011nnnnnddddd", op::long::<true, false>).of(Fhm),
    Row::new("FMLAL2_elem", "fmlal2 {Vd.S}, {Vn.H/2}, {Vm.H[]}", "0q10111110LMmmmm1000H0nnnnnddddd", op::long_element::<true, false>).of(Fhm),
    Row::new("FMLSL2", "fmlsl2 {Vd.S}, {Vn.H/2}, {Vm.H/2}", "0q101110101mmmmm110011nnnnnddddd", op::long::<true, true>).of(Fhm),
    Row::new("FMLSL2_elem", "fmlsl2 {Vd.S}, {Vn.H/2}, {Vm.H[]}", "0q10111110LMmmmm1100H0nnnnnddddd", op::long_element::<true, true>).of(Fhm),

    // Complex numbers.
    Row::new("FCADD", "fcadd {Vd.C}, {Vn.C}, {Vm.C}, {rot2}", "0q101110ee0mmmmm111r01nnnnnddddd", op::fcadd).of(Fcma).when(is_complex),
    Row::new("FCMLA", "fcmla {Vd.C}, {Vn.C}, {Vm.C}, {rot}", "0q101110ee0mmmmm110rr1nnnnnddddd", op::fcmla).of(Fcma).when(is_complex),
    Row::new("FCMLA_elem", "fcmla {Vd.C}, {Vn.C}, {Vm.C[]}, {rot}", "0q101111eeLmmmmm0rr1H0nnnnnddddd", op::fcmla_element).of(Fcma).when(is_complex_element),

    // BFloat16.
    Row::new("BFDOT", "bfdot {Vd.S}, {Vn.H}, {Vm.H}", "0q101110010mmmmm111111nnnnnddddd", op::bfdot).of(Bf16),
    Row::new("BFDOT_elem", "bfdot {Vd.S}, {Vn.H}, {Vm.2h[]}", "0q00111101Lmmmmm1111H0nnnnnddddd", op::bfdot_element).of(Bf16),
    Row::new("BFMMLA", "bfmmla {Vd.4s}, {Vn.8h}, {Vm.8h}", "01101110010mmmmm111011nnnnnddddd", op::bfmmla).of(Bf16),
    Row::new("BFMLALB", "bfmlalb {Vd.4s}, {Vn.8h}, {Vm.8h}", "00101110110mmmmm111111nnnnnddddd", op::bfmlal::<false>).of(Bf16),
    Row::new("BFMLALB_elem", "bfmlalb {Vd.4s}, {Vn.8h}, {Vm.H[]}", "0000111111LMmmmm1111H0nnnnnddddd", op::bfmlal_element::<false>).of(Bf16),
    Row::new("BFMLALT", "bfmlalt {Vd.4s}, {Vn.8h}, {Vm.8h}", "01101110110mmmmm111111nnnnnddddd", op::bfmlal::<true>).of(Bf16),
    Row::new("BFMLALT_elem", "bfmlalt {Vd.4s}, {Vn.8h}, {Vm.H[]}", "0100111111LMmmmm1111H0nnnnnddddd", op::bfmlal_element::<true>).of(Bf16),
];
