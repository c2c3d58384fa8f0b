//! Advanced SIMD, across lanes, and scalar pairwise: integers (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_across;
use crate::soft::interp::simd_across as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("SADDLV", "saddlv {Ed+}, {Vn.T}", "0q001110ee110000001110nnnnnddddd", op::saddlv).when(is_across),
    Row::simd("UADDLV", "uaddlv {Ed+}, {Vn.T}", "0q101110ee110000001110nnnnnddddd", op::uaddlv).when(is_across),
    Row::simd("SMAXV", "smaxv {Ed}, {Vn.T}", "0q001110ee110000101010nnnnnddddd", op::smaxv).when(is_across),
    Row::simd("UMAXV", "umaxv {Ed}, {Vn.T}", "0q101110ee110000101010nnnnnddddd", op::umaxv).when(is_across),
    Row::simd("SMINV", "sminv {Ed}, {Vn.T}", "0q001110ee110001101010nnnnnddddd", op::sminv).when(is_across),
    Row::simd("UMINV", "uminv {Ed}, {Vn.T}", "0q101110ee110001101010nnnnnddddd", op::uminv).when(is_across),
    Row::simd("ADDV", "addv {Ed}, {Vn.T}", "0q001110ee110001101110nnnnnddddd", op::addv).when(is_across),
    // Scalar pairwise.
    Row::simd("ADDP_scalar", "addp {Dd}, {Vn.2d}", "0101111011110001101110nnnnnddddd", op::addp_scalar),
];
