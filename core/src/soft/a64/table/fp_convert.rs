//! Scalar floating point: conversions, and moves to and from general registers (Arm ARM C4.1.96).

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::{Bf16, Fp, Fp16, JsCvt};
use crate::soft::interp::fp_convert as op;
use crate::soft::interp::fp_ops::{ToAway, ToMinus, ToNearest, ToPlus, ToZero};

/// A 32-bit number has at most 32 bits after the point.
fn fraction_fits(inst: Inst) -> bool {
    inst.is_64bit() || inst.field('s') >= 32
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Between formats.
    Row::new("FCVT_sd", "fcvt {Dd}, {Sn}", "0001111000100010110000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("FCVT_sh", "fcvt {Hd}, {Sn}", "0001111000100011110000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("FCVT_ds", "fcvt {Sd}, {Dn}", "0001111001100010010000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("FCVT_dh", "fcvt {Hd}, {Dn}", "0001111001100011110000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("FCVT_hs", "fcvt {Sd}, {Hn}", "0001111011100010010000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("FCVT_hd", "fcvt {Dd}, {Hn}", "0001111011100010110000nnnnnddddd", op::fcvt).of(Fp),
    Row::new("BFCVT", "bfcvt {Hd}, {Sn}", "0001111001100011010000nnnnnddddd", op::bfcvt).of(Bf16),

    // To integers.
    Row::new("FCVTNS", "fcvtns {Rd}, {Fn}", "z00111100p100000000000nnnnnddddd", op::to_integer::<ToNearest, true>).of(Fp),
    Row::new("FCVTNS_h", "fcvtns {Rd}, {Hn}", "z001111011100000000000nnnnnddddd", op::to_integer::<ToNearest, true>).of(Fp16),
    Row::new("FCVTNU", "fcvtnu {Rd}, {Fn}", "z00111100p100001000000nnnnnddddd", op::to_integer::<ToNearest, false>).of(Fp),
    Row::new("FCVTNU_h", "fcvtnu {Rd}, {Hn}", "z001111011100001000000nnnnnddddd", op::to_integer::<ToNearest, false>).of(Fp16),
    Row::new("FCVTAS", "fcvtas {Rd}, {Fn}", "z00111100p100100000000nnnnnddddd", op::to_integer::<ToAway, true>).of(Fp),
    Row::new("FCVTAS_h", "fcvtas {Rd}, {Hn}", "z001111011100100000000nnnnnddddd", op::to_integer::<ToAway, true>).of(Fp16),
    Row::new("FCVTAU", "fcvtau {Rd}, {Fn}", "z00111100p100101000000nnnnnddddd", op::to_integer::<ToAway, false>).of(Fp),
    Row::new("FCVTAU_h", "fcvtau {Rd}, {Hn}", "z001111011100101000000nnnnnddddd", op::to_integer::<ToAway, false>).of(Fp16),
    Row::new("FCVTPS", "fcvtps {Rd}, {Fn}", "z00111100p101000000000nnnnnddddd", op::to_integer::<ToPlus, true>).of(Fp),
    Row::new("FCVTPS_h", "fcvtps {Rd}, {Hn}", "z001111011101000000000nnnnnddddd", op::to_integer::<ToPlus, true>).of(Fp16),
    Row::new("FCVTPU", "fcvtpu {Rd}, {Fn}", "z00111100p101001000000nnnnnddddd", op::to_integer::<ToPlus, false>).of(Fp),
    Row::new("FCVTPU_h", "fcvtpu {Rd}, {Hn}", "z001111011101001000000nnnnnddddd", op::to_integer::<ToPlus, false>).of(Fp16),
    Row::new("FCVTMS", "fcvtms {Rd}, {Fn}", "z00111100p110000000000nnnnnddddd", op::to_integer::<ToMinus, true>).of(Fp),
    Row::new("FCVTMS_h", "fcvtms {Rd}, {Hn}", "z001111011110000000000nnnnnddddd", op::to_integer::<ToMinus, true>).of(Fp16),
    Row::new("FCVTMU", "fcvtmu {Rd}, {Fn}", "z00111100p110001000000nnnnnddddd", op::to_integer::<ToMinus, false>).of(Fp),
    Row::new("FCVTMU_h", "fcvtmu {Rd}, {Hn}", "z001111011110001000000nnnnnddddd", op::to_integer::<ToMinus, false>).of(Fp16),
    Row::new("FCVTZS", "fcvtzs {Rd}, {Fn}", "z00111100p111000000000nnnnnddddd", op::to_integer::<ToZero, true>).of(Fp),
    Row::new("FCVTZS_h", "fcvtzs {Rd}, {Hn}", "z001111011111000000000nnnnnddddd", op::to_integer::<ToZero, true>).of(Fp16),
    Row::new("FCVTZU", "fcvtzu {Rd}, {Fn}", "z00111100p111001000000nnnnnddddd", op::to_integer::<ToZero, false>).of(Fp),
    Row::new("FCVTZU_h", "fcvtzu {Rd}, {Hn}", "z001111011111001000000nnnnnddddd", op::to_integer::<ToZero, false>).of(Fp16),
    Row::new("FJCVTZS", "fjcvtzs {Wd}, {Dn}", "0001111001111110000000nnnnnddddd", op::fjcvtzs).of(JsCvt),

    // From integers.
    Row::new("SCVTF", "scvtf {Fd}, {Rn}", "z00111100p100010000000nnnnnddddd", op::from_integer::<true>).of(Fp),
    Row::new("SCVTF_h", "scvtf {Hd}, {Rn}", "z001111011100010000000nnnnnddddd", op::from_integer::<true>).of(Fp16),
    Row::new("UCVTF", "ucvtf {Fd}, {Rn}", "z00111100p100011000000nnnnnddddd", op::from_integer::<false>).of(Fp),
    Row::new("UCVTF_h", "ucvtf {Hd}, {Rn}", "z001111011100011000000nnnnnddddd", op::from_integer::<false>).of(Fp16),

    // To and from fixed-point numbers.
    Row::new("FCVTZS_fixed", "fcvtzs {Rd}, {Fn}, {fbits}", "z00111100p011000ssssssnnnnnddddd", op::to_fixed::<true>).of(Fp).when(fraction_fits),
    Row::new("FCVTZS_fixed_h", "fcvtzs {Rd}, {Hn}, {fbits}", "z001111011011000ssssssnnnnnddddd", op::to_fixed::<true>).of(Fp16).when(fraction_fits),
    Row::new("FCVTZU_fixed", "fcvtzu {Rd}, {Fn}, {fbits}", "z00111100p011001ssssssnnnnnddddd", op::to_fixed::<false>).of(Fp).when(fraction_fits),
    Row::new("FCVTZU_fixed_h", "fcvtzu {Rd}, {Hn}, {fbits}", "z001111011011001ssssssnnnnnddddd", op::to_fixed::<false>).of(Fp16).when(fraction_fits),
    Row::new("SCVTF_fixed", "scvtf {Fd}, {Rn}, {fbits}", "z00111100p000010ssssssnnnnnddddd", op::from_fixed::<true>).of(Fp).when(fraction_fits),
    Row::new("SCVTF_fixed_h", "scvtf {Hd}, {Rn}, {fbits}", "z001111011000010ssssssnnnnnddddd", op::from_fixed::<true>).of(Fp16).when(fraction_fits),
    Row::new("UCVTF_fixed", "ucvtf {Fd}, {Rn}, {fbits}", "z00111100p000011ssssssnnnnnddddd", op::from_fixed::<false>).of(Fp).when(fraction_fits),
    Row::new("UCVTF_fixed_h", "ucvtf {Hd}, {Rn}, {fbits}", "z001111011000011ssssssnnnnnddddd", op::from_fixed::<false>).of(Fp16).when(fraction_fits),

    // Moves between register files.
    Row::new("FMOV_sw", "fmov {Wd}, {Sn}", "0001111000100110000000nnnnnddddd", op::fmov_to_general).of(Fp),
    Row::new("FMOV_dx", "fmov {Xd}, {Dn}", "1001111001100110000000nnnnnddddd", op::fmov_to_general).of(Fp),
    Row::new("FMOV_hr", "fmov {Rd}, {Hn}", "z001111011100110000000nnnnnddddd", op::fmov_to_general).of(Fp16),
    Row::new("FMOV_ws", "fmov {Sd}, {Wn}", "0001111000100111000000nnnnnddddd", op::fmov_from_general).of(Fp),
    Row::new("FMOV_xd", "fmov {Dd}, {Xn}", "1001111001100111000000nnnnnddddd", op::fmov_from_general).of(Fp),
    Row::new("FMOV_rh", "fmov {Hd}, {Rn}", "z001111011100111000000nnnnnddddd", op::fmov_from_general).of(Fp16),
    Row::new("FMOV_vx", "fmov {Xd}, {Vn.d[1]}", "1001111010101110000000nnnnnddddd", op::fmov_top_to_general).of(Fp),
    Row::new("FMOV_xv", "fmov {Vd.d[1]}, {Xn}", "1001111010101111000000nnnnnddddd", op::fmov_top_from_general).of(Fp),
];
