//! Advanced SIMD, two registers, miscellaneous: vector and scalar (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::{is_bh, is_bhs, is_d, is_not_1d};
use crate::soft::interp::simd_two_misc as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("REV64", "rev64 {Vd.T}, {Vn.T}", "0q001110ee100000000010nnnnnddddd", op::rev64).when(is_bhs),
    Row::simd("REV32_vec", "rev32 {Vd.T}, {Vn.T}", "0q101110ee100000000010nnnnnddddd", op::rev32).when(is_bh),
    Row::simd("REV16_vec", "rev16 {Vd.b}, {Vn.b}", "0q00111000100000000110nnnnnddddd", op::rev16),
    Row::simd("SADDLP", "saddlp {Vd.T*2}, {Vn.T}", "0q001110ee100000001010nnnnnddddd", op::saddlp).when(is_bhs),
    Row::simd("UADDLP", "uaddlp {Vd.T*2}, {Vn.T}", "0q101110ee100000001010nnnnnddddd", op::uaddlp).when(is_bhs),
    Row::simd("SUQADD", "suqadd {Vd.T}, {Vn.T}", "0q001110ee100000001110nnnnnddddd", op::suqadd).when(is_not_1d),
    Row::simd("USQADD", "usqadd {Vd.T}, {Vn.T}", "0q101110ee100000001110nnnnnddddd", op::usqadd).when(is_not_1d),
    Row::simd("CLS_vec", "cls {Vd.T}, {Vn.T}", "0q001110ee100000010010nnnnnddddd", op::cls).when(is_bhs),
    Row::simd("CLZ_vec", "clz {Vd.T}, {Vn.T}", "0q101110ee100000010010nnnnnddddd", op::clz).when(is_bhs),
    Row::simd("CNT_vec", "cnt {Vd.b}, {Vn.b}", "0q00111000100000010110nnnnnddddd", op::cnt),
    Row::simd("NOT", "mvn {Vd.b}, {Vn.b}", "0q10111000100000010110nnnnnddddd", op::not),
    Row::simd("RBIT_vec", "rbit {Vd.b}, {Vn.b}", "0q10111001100000010110nnnnnddddd", op::rbit),
    Row::simd("SADALP", "sadalp {Vd.T*2}, {Vn.T}", "0q001110ee100000011010nnnnnddddd", op::sadalp).when(is_bhs),
    Row::simd("UADALP", "uadalp {Vd.T*2}, {Vn.T}", "0q101110ee100000011010nnnnnddddd", op::uadalp).when(is_bhs),
    Row::simd("SQABS", "sqabs {Vd.T}, {Vn.T}", "0q001110ee100000011110nnnnnddddd", op::sqabs).when(is_not_1d),
    Row::simd("SQNEG", "sqneg {Vd.T}, {Vn.T}", "0q101110ee100000011110nnnnnddddd", op::sqneg).when(is_not_1d),
    Row::simd("CMGT_zero", "cmgt {Vd.T}, {Vn.T}, #0", "0q001110ee100000100010nnnnnddddd", op::cmgt_zero).when(is_not_1d),
    Row::simd("CMGE_zero", "cmge {Vd.T}, {Vn.T}, #0", "0q101110ee100000100010nnnnnddddd", op::cmge_zero).when(is_not_1d),
    Row::simd("CMEQ_zero", "cmeq {Vd.T}, {Vn.T}, #0", "0q001110ee100000100110nnnnnddddd", op::cmeq_zero).when(is_not_1d),
    Row::simd("CMLE_zero", "cmle {Vd.T}, {Vn.T}, #0", "0q101110ee100000100110nnnnnddddd", op::cmle_zero).when(is_not_1d),
    Row::simd("CMLT_zero", "cmlt {Vd.T}, {Vn.T}, #0", "0q001110ee100000101010nnnnnddddd", op::cmlt_zero).when(is_not_1d),
    Row::simd("ABS_vec", "abs {Vd.T}, {Vn.T}", "0q001110ee100000101110nnnnnddddd", op::abs).when(is_not_1d),
    Row::simd("NEG", "neg {Vd.T}, {Vn.T}", "0q101110ee100000101110nnnnnddddd", op::neg).when(is_not_1d),
    Row::simd("XTN", "xtn{2} {Vd.T}, {Vn.W}", "0q001110ee100001001010nnnnnddddd", op::xtn).when(is_bhs),
    Row::simd("SQXTUN", "sqxtun{2} {Vd.T}, {Vn.W}", "0q101110ee100001001010nnnnnddddd", op::sqxtun).when(is_bhs),
    Row::simd("SQXTN", "sqxtn{2} {Vd.T}, {Vn.W}", "0q001110ee100001010010nnnnnddddd", op::sqxtn).when(is_bhs),
    Row::simd("UQXTN", "uqxtn{2} {Vd.T}, {Vn.W}", "0q101110ee100001010010nnnnnddddd", op::uqxtn).when(is_bhs),
    Row::simd("SHLL", "shll{2} {Vd.W}, {Vn.T}, #{width}", "0q101110ee100001001110nnnnnddddd", op::shll).when(is_bhs),
    // Scalar.
    Row::simd("SUQADD_scalar", "suqadd {Fd}, {Fn}", "01011110ee100000001110nnnnnddddd", op::suqadd),
    Row::simd("USQADD_scalar", "usqadd {Fd}, {Fn}", "01111110ee100000001110nnnnnddddd", op::usqadd),
    Row::simd("SQABS_scalar", "sqabs {Fd}, {Fn}", "01011110ee100000011110nnnnnddddd", op::sqabs),
    Row::simd("SQNEG_scalar", "sqneg {Fd}, {Fn}", "01111110ee100000011110nnnnnddddd", op::sqneg),
    Row::simd("CMGT_zero_scalar", "cmgt {Dd}, {Dn}, #0", "01011110ee100000100010nnnnnddddd", op::cmgt_zero).when(is_d),
    Row::simd("CMGE_zero_scalar", "cmge {Dd}, {Dn}, #0", "01111110ee100000100010nnnnnddddd", op::cmge_zero).when(is_d),
    Row::simd("CMEQ_zero_scalar", "cmeq {Dd}, {Dn}, #0", "01011110ee100000100110nnnnnddddd", op::cmeq_zero).when(is_d),
    Row::simd("CMLE_zero_scalar", "cmle {Dd}, {Dn}, #0", "01111110ee100000100110nnnnnddddd", op::cmle_zero).when(is_d),
    Row::simd("CMLT_zero_scalar", "cmlt {Dd}, {Dn}, #0", "01011110ee100000101010nnnnnddddd", op::cmlt_zero).when(is_d),
    Row::simd("ABS_scalar", "abs {Dd}, {Dn}", "01011110ee100000101110nnnnnddddd", op::abs).when(is_d),
    Row::simd("NEG_scalar", "neg {Dd}, {Dn}", "01111110ee100000101110nnnnnddddd", op::neg).when(is_d),
    Row::simd("SQXTUN_scalar", "sqxtun {Fd}, {Fn+}", "01111110ee100001001010nnnnnddddd", op::sqxtun).when(is_bhs),
    Row::simd("SQXTN_scalar", "sqxtn {Fd}, {Fn+}", "01011110ee100001010010nnnnnddddd", op::sqxtn).when(is_bhs),
    Row::simd("UQXTN_scalar", "uqxtn {Fd}, {Fn+}", "01111110ee100001010010nnnnnddddd", op::uqxtn).when(is_bhs),
];
