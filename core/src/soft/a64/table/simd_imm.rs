//! Advanced SIMD, modified immediate (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_full;
use crate::soft::interp::simd_imm as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("MOVI_s", "movi {Vd.s}, {imm8}{imm_lsl}", "0q00111100000iii0cc001jjjjjddddd", op::movi),
    Row::simd("ORR_imm_s", "orr {Vd.s}, {imm8}{imm_lsl}", "0q00111100000iii0cc101jjjjjddddd", op::orr),
    Row::simd("MOVI_h", "movi {Vd.h}, {imm8}{imm_lsl}", "0q00111100000iii10c001jjjjjddddd", op::movi),
    Row::simd("ORR_imm_h", "orr {Vd.h}, {imm8}{imm_lsl}", "0q00111100000iii10c101jjjjjddddd", op::orr),
    Row::simd("MOVI_msl", "movi {Vd.s}, {imm8}{imm_msl}", "0q00111100000iii110c01jjjjjddddd", op::movi),
    Row::simd("MOVI_b", "movi {Vd.b}, {imm8}", "0q00111100000iii111001jjjjjddddd", op::movi),
    Row::simd("MVNI_s", "mvni {Vd.s}, {imm8}{imm_lsl}", "0q10111100000iii0cc001jjjjjddddd", op::mvni),
    Row::simd("BIC_imm_s", "bic {Vd.s}, {imm8}{imm_lsl}", "0q10111100000iii0cc101jjjjjddddd", op::bic),
    Row::simd("MVNI_h", "mvni {Vd.h}, {imm8}{imm_lsl}", "0q10111100000iii10c001jjjjjddddd", op::mvni),
    Row::simd("BIC_imm_h", "bic {Vd.h}, {imm8}{imm_lsl}", "0q10111100000iii10c101jjjjjddddd", op::bic),
    Row::simd("MVNI_msl", "mvni {Vd.s}, {imm8}{imm_msl}", "0q10111100000iii110c01jjjjjddddd", op::mvni),
    Row::simd("MOVI_d", "movi {Dd}, {imm64}", "0q10111100000iii111001jjjjjddddd", op::movi).aliases(&[(is_full, "movi {Vd.2d}, {imm64}")]),
];
