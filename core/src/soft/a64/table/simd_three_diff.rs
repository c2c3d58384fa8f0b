//! Advanced SIMD, three registers of different types, vector and scalar (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::{is_bhs, is_hs};
use crate::soft::a64::features::Feature::Pmull;
use crate::soft::interp::simd_three_diff as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("SADDL", "saddl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm000000nnnnnddddd", op::saddl).when(is_bhs),
    Row::simd("UADDL", "uaddl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm000000nnnnnddddd", op::uaddl).when(is_bhs),
    Row::simd("SADDW", "saddw{2} {Vd.T+}, {Vn.T+}, {Vm.T}", "0q001110ee1mmmmm000100nnnnnddddd", op::saddw).when(is_bhs),
    Row::simd("UADDW", "uaddw{2} {Vd.T+}, {Vn.T+}, {Vm.T}", "0q101110ee1mmmmm000100nnnnnddddd", op::uaddw).when(is_bhs),
    Row::simd("SSUBL", "ssubl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm001000nnnnnddddd", op::ssubl).when(is_bhs),
    Row::simd("USUBL", "usubl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm001000nnnnnddddd", op::usubl).when(is_bhs),
    Row::simd("SSUBW", "ssubw{2} {Vd.T+}, {Vn.T+}, {Vm.T}", "0q001110ee1mmmmm001100nnnnnddddd", op::ssubw).when(is_bhs),
    Row::simd("USUBW", "usubw{2} {Vd.T+}, {Vn.T+}, {Vm.T}", "0q101110ee1mmmmm001100nnnnnddddd", op::usubw).when(is_bhs),
    Row::simd("ADDHN", "addhn{2} {Vd.T}, {Vn.T+}, {Vm.T+}", "0q001110ee1mmmmm010000nnnnnddddd", op::addhn).when(is_bhs),
    Row::simd("RADDHN", "raddhn{2} {Vd.T}, {Vn.T+}, {Vm.T+}", "0q101110ee1mmmmm010000nnnnnddddd", op::raddhn).when(is_bhs),
    Row::simd("SABAL", "sabal{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm010100nnnnnddddd", op::sabal).when(is_bhs),
    Row::simd("UABAL", "uabal{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm010100nnnnnddddd", op::uabal).when(is_bhs),
    Row::simd("SUBHN", "subhn{2} {Vd.T}, {Vn.T+}, {Vm.T+}", "0q001110ee1mmmmm011000nnnnnddddd", op::subhn).when(is_bhs),
    Row::simd("RSUBHN", "rsubhn{2} {Vd.T}, {Vn.T+}, {Vm.T+}", "0q101110ee1mmmmm011000nnnnnddddd", op::rsubhn).when(is_bhs),
    Row::simd("SABDL", "sabdl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm011100nnnnnddddd", op::sabdl).when(is_bhs),
    Row::simd("UABDL", "uabdl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm011100nnnnnddddd", op::uabdl).when(is_bhs),
    Row::simd("SMLAL", "smlal{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm100000nnnnnddddd", op::smlal).when(is_bhs),
    Row::simd("UMLAL", "umlal{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm100000nnnnnddddd", op::umlal).when(is_bhs),
    Row::simd("SQDMLAL", "sqdmlal{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm100100nnnnnddddd", op::sqdmlal).when(is_hs),
    Row::simd("SMLSL", "smlsl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm101000nnnnnddddd", op::smlsl).when(is_bhs),
    Row::simd("UMLSL", "umlsl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm101000nnnnnddddd", op::umlsl).when(is_bhs),
    Row::simd("SQDMLSL", "sqdmlsl{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm101100nnnnnddddd", op::sqdmlsl).when(is_hs),
    Row::simd("SMULL_vec", "smull{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm110000nnnnnddddd", op::smull).when(is_bhs),
    Row::simd("UMULL_vec", "umull{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q101110ee1mmmmm110000nnnnnddddd", op::umull).when(is_bhs),
    Row::simd("SQDMULL", "sqdmull{2} {Vd.T+}, {Vn.T}, {Vm.T}", "0q001110ee1mmmmm110100nnnnnddddd", op::sqdmull).when(is_hs),
    Row::simd("PMULL", "pmull{2} {Vd.8h}, {Vn.B}, {Vm.B}", "0q001110001mmmmm111000nnnnnddddd", op::pmull),
    Row::simd("PMULL_d", "pmull{2} {Vd.1q}, {Vn.D}, {Vm.D}", "0q001110111mmmmm111000nnnnnddddd", op::pmull_d).of(Pmull),
    // Scalar.
    Row::simd("SQDMLAL_scalar", "sqdmlal {Ed+}, {En}, {Em}", "01011110ee1mmmmm100100nnnnnddddd", op::sqdmlal).when(is_hs),
    Row::simd("SQDMLSL_scalar", "sqdmlsl {Ed+}, {En}, {Em}", "01011110ee1mmmmm101100nnnnnddddd", op::sqdmlsl).when(is_hs),
    Row::simd("SQDMULL_scalar", "sqdmull {Ed+}, {En}, {Em}", "01011110ee1mmmmm110100nnnnnddddd", op::sqdmull).when(is_hs),
];
