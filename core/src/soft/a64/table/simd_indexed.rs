//! Advanced SIMD, vector or scalar by element: integers (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_hs;
use crate::soft::a64::features::Feature::{DotProd, I8mm, Rdm};
use crate::soft::interp::{simd_dot as dot, simd_three_diff as diff, simd_three_same as same};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("MUL_element", "mul {Vd.T}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm1000H0nnnnnddddd", same::mul).when(is_hs),
    Row::simd("MLA_element", "mla {Vd.T}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm0000H0nnnnnddddd", same::mla).when(is_hs),
    Row::simd("MLS_element", "mls {Vd.T}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm0100H0nnnnnddddd", same::mls).when(is_hs),
    Row::simd("SQDMULH_element", "sqdmulh {Vd.T}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm1100H0nnnnnddddd", same::sqdmulh).when(is_hs),
    Row::simd("SQRDMULH_element", "sqrdmulh {Vd.T}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm1101H0nnnnnddddd", same::sqrdmulh).when(is_hs),
    Row::simd("SQRDMLAH_element", "sqrdmlah {Vd.T}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm1101H0nnnnnddddd", same::sqrdmlah).when(is_hs).of(Rdm),
    Row::simd("SQRDMLSH_element", "sqrdmlsh {Vd.T}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm1111H0nnnnnddddd", same::sqrdmlsh).when(is_hs).of(Rdm),
    Row::simd("SMLAL_element", "smlal{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm0010H0nnnnnddddd", diff::smlal).when(is_hs),
    Row::simd("UMLAL_element", "umlal{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm0010H0nnnnnddddd", diff::umlal).when(is_hs),
    Row::simd("SMLSL_element", "smlsl{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm0110H0nnnnnddddd", diff::smlsl).when(is_hs),
    Row::simd("UMLSL_element", "umlsl{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm0110H0nnnnnddddd", diff::umlsl).when(is_hs),
    Row::simd("SMULL_element", "smull{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm1010H0nnnnnddddd", diff::smull).when(is_hs),
    Row::simd("UMULL_element", "umull{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q101111eeLMmmmm1010H0nnnnnddddd", diff::umull).when(is_hs),
    Row::simd("SQDMLAL_element", "sqdmlal{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm0011H0nnnnnddddd", diff::sqdmlal).when(is_hs),
    Row::simd("SQDMLSL_element", "sqdmlsl{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm0111H0nnnnnddddd", diff::sqdmlsl).when(is_hs),
    Row::simd("SQDMULL_element", "sqdmull{2} {Vd.T+}, {Vn.T}, {Vm.x}", "0q001111eeLMmmmm1011H0nnnnnddddd", diff::sqdmull).when(is_hs),
    Row::simd("SDOT_element", "sdot {Vd.S}, {Vn.B}, {Vm.4bx}", "0q00111110LMmmmm1110H0nnnnnddddd", dot::sdot).of(DotProd),
    Row::simd("UDOT_element", "udot {Vd.S}, {Vn.B}, {Vm.4bx}", "0q10111110LMmmmm1110H0nnnnnddddd", dot::udot).of(DotProd),
    Row::simd("SUDOT_element", "sudot {Vd.S}, {Vn.B}, {Vm.4bx}", "0q00111100LMmmmm1111H0nnnnnddddd", dot::sudot).of(I8mm),
    Row::simd("USDOT_element", "usdot {Vd.S}, {Vn.B}, {Vm.4bx}", "0q00111110LMmmmm1111H0nnnnnddddd", dot::usdot).of(I8mm),
    // Scalar.
    Row::simd("SQDMULH_scalar_element", "sqdmulh {Ed}, {En}, {Vm.x}", "01011111eeLMmmmm1100H0nnnnnddddd", same::sqdmulh).when(is_hs),
    Row::simd("SQRDMULH_scalar_element", "sqrdmulh {Ed}, {En}, {Vm.x}", "01011111eeLMmmmm1101H0nnnnnddddd", same::sqrdmulh).when(is_hs),
    Row::simd("SQRDMLAH_scalar_element", "sqrdmlah {Ed}, {En}, {Vm.x}", "01111111eeLMmmmm1101H0nnnnnddddd", same::sqrdmlah).when(is_hs).of(Rdm),
    Row::simd("SQRDMLSH_scalar_element", "sqrdmlsh {Ed}, {En}, {Vm.x}", "01111111eeLMmmmm1111H0nnnnnddddd", same::sqrdmlsh).when(is_hs).of(Rdm),
    Row::simd("SQDMLAL_scalar_element", "sqdmlal {Ed+}, {En}, {Vm.x}", "01011111eeLMmmmm0011H0nnnnnddddd", diff::sqdmlal).when(is_hs),
    Row::simd("SQDMLSL_scalar_element", "sqdmlsl {Ed+}, {En}, {Vm.x}", "01011111eeLMmmmm0111H0nnnnnddddd", diff::sqdmlsl).when(is_hs),
    Row::simd("SQDMULL_scalar_element", "sqdmull {Ed+}, {En}, {Vm.x}", "01011111eeLMmmmm1011H0nnnnnddddd", diff::sqdmull).when(is_hs),
];
