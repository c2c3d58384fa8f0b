//! Advanced SIMD, across lanes (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_across;
use crate::soft::interp::simd_across as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("SADDLV", "saddlv {Fd+}, {Vn.T}", "0q001110ee110000001110nnnnnddddd", op::saddlv).when(is_across),
    Row::simd("UADDLV", "uaddlv {Fd+}, {Vn.T}", "0q101110ee110000001110nnnnnddddd", op::uaddlv).when(is_across),
    Row::simd("SMAXV", "smaxv {Fd}, {Vn.T}", "0q001110ee110000101010nnnnnddddd", op::smaxv).when(is_across),
    Row::simd("UMAXV", "umaxv {Fd}, {Vn.T}", "0q101110ee110000101010nnnnnddddd", op::umaxv).when(is_across),
    Row::simd("SMINV", "sminv {Fd}, {Vn.T}", "0q001110ee110001101010nnnnnddddd", op::sminv).when(is_across),
    Row::simd("UMINV", "uminv {Fd}, {Vn.T}", "0q101110ee110001101010nnnnnddddd", op::uminv).when(is_across),
    Row::simd("ADDV", "addv {Fd}, {Vn.T}", "0q001110ee110001101110nnnnnddddd", op::addv).when(is_across),
];
