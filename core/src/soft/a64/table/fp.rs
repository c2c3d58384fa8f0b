//! Scalar floating point: arithmetic, comparison, selection, immediates (Arm ARM C4.1.96).

use super::Row;
use crate::soft::a64::features::Feature::{Fp, Fp16, FrintTs};
use crate::soft::interp::fp as op;
use crate::soft::interp::fp_ops::{
    Abs, Add, ByFpcr, Div, Max, MaxNum, Min, MinNum, Move, Mul, MulAdd, Neg, NegMul, RoundInt, RoundIntN, Sqrt, Sub,
    ToAway, ToMinus, ToNearest, ToPlus, ToZero,
};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // One source.
    Row::new("FMOV", "fmov {Fd}, {Fn}", "000111100p100000010000nnnnnddddd", op::unary::<Move>).of(Fp),
    Row::new("FMOV_h", "fmov {Hd}, {Hn}", "0001111011100000010000nnnnnddddd", op::unary_h::<Move>).of(Fp16),
    Row::new("FABS", "fabs {Fd}, {Fn}", "000111100p100000110000nnnnnddddd", op::unary::<Abs>).of(Fp),
    Row::new("FABS_h", "fabs {Hd}, {Hn}", "0001111011100000110000nnnnnddddd", op::unary_h::<Abs>).of(Fp16),
    Row::new("FNEG", "fneg {Fd}, {Fn}", "000111100p100001010000nnnnnddddd", op::unary::<Neg>).of(Fp),
    Row::new("FNEG_h", "fneg {Hd}, {Hn}", "0001111011100001010000nnnnnddddd", op::unary_h::<Neg>).of(Fp16),
    Row::new("FSQRT", "fsqrt {Fd}, {Fn}", "000111100p100001110000nnnnnddddd", op::unary::<Sqrt>).of(Fp),
    Row::new("FSQRT_h", "fsqrt {Hd}, {Hn}", "0001111011100001110000nnnnnddddd", op::unary_h::<Sqrt>).of(Fp16),
    Row::new("FRINTN", "frintn {Fd}, {Fn}", "000111100p100100010000nnnnnddddd", op::unary::<RoundInt<ToNearest, false>>).of(Fp),
    Row::new("FRINTN_h", "frintn {Hd}, {Hn}", "0001111011100100010000nnnnnddddd", op::unary_h::<RoundInt<ToNearest, false>>).of(Fp16),
    Row::new("FRINTP", "frintp {Fd}, {Fn}", "000111100p100100110000nnnnnddddd", op::unary::<RoundInt<ToPlus, false>>).of(Fp),
    Row::new("FRINTP_h", "frintp {Hd}, {Hn}", "0001111011100100110000nnnnnddddd", op::unary_h::<RoundInt<ToPlus, false>>).of(Fp16),
    Row::new("FRINTM", "frintm {Fd}, {Fn}", "000111100p100101010000nnnnnddddd", op::unary::<RoundInt<ToMinus, false>>).of(Fp),
    Row::new("FRINTM_h", "frintm {Hd}, {Hn}", "0001111011100101010000nnnnnddddd", op::unary_h::<RoundInt<ToMinus, false>>).of(Fp16),
    Row::new("FRINTZ", "frintz {Fd}, {Fn}", "000111100p100101110000nnnnnddddd", op::unary::<RoundInt<ToZero, false>>).of(Fp),
    Row::new("FRINTZ_h", "frintz {Hd}, {Hn}", "0001111011100101110000nnnnnddddd", op::unary_h::<RoundInt<ToZero, false>>).of(Fp16),
    Row::new("FRINTA", "frinta {Fd}, {Fn}", "000111100p100110010000nnnnnddddd", op::unary::<RoundInt<ToAway, false>>).of(Fp),
    Row::new("FRINTA_h", "frinta {Hd}, {Hn}", "0001111011100110010000nnnnnddddd", op::unary_h::<RoundInt<ToAway, false>>).of(Fp16),
    Row::new("FRINTX", "frintx {Fd}, {Fn}", "000111100p100111010000nnnnnddddd", op::unary::<RoundInt<ByFpcr, true>>).of(Fp),
    Row::new("FRINTX_h", "frintx {Hd}, {Hn}", "0001111011100111010000nnnnnddddd", op::unary_h::<RoundInt<ByFpcr, true>>).of(Fp16),
    Row::new("FRINTI", "frinti {Fd}, {Fn}", "000111100p100111110000nnnnnddddd", op::unary::<RoundInt<ByFpcr, false>>).of(Fp),
    Row::new("FRINTI_h", "frinti {Hd}, {Hn}", "0001111011100111110000nnnnnddddd", op::unary_h::<RoundInt<ByFpcr, false>>).of(Fp16),
    Row::new("FRINT32Z", "frint32z {Fd}, {Fn}", "000111100p101000010000nnnnnddddd", op::unary::<RoundIntN<ToZero, 32>>).of(FrintTs),
    Row::new("FRINT32X", "frint32x {Fd}, {Fn}", "000111100p101000110000nnnnnddddd", op::unary::<RoundIntN<ByFpcr, 32>>).of(FrintTs),
    Row::new("FRINT64Z", "frint64z {Fd}, {Fn}", "000111100p101001010000nnnnnddddd", op::unary::<RoundIntN<ToZero, 64>>).of(FrintTs),
    Row::new("FRINT64X", "frint64x {Fd}, {Fn}", "000111100p101001110000nnnnnddddd", op::unary::<RoundIntN<ByFpcr, 64>>).of(FrintTs),

    // Two sources.
    Row::new("FMUL", "fmul {Fd}, {Fn}, {Fm}", "000111100p1mmmmm000010nnnnnddddd", op::binary::<Mul>).of(Fp),
    Row::new("FMUL_h", "fmul {Hd}, {Hn}, {Hm}", "00011110111mmmmm000010nnnnnddddd", op::binary_h::<Mul>).of(Fp16),
    Row::new("FDIV", "fdiv {Fd}, {Fn}, {Fm}", "000111100p1mmmmm000110nnnnnddddd", op::binary::<Div>).of(Fp),
    Row::new("FDIV_h", "fdiv {Hd}, {Hn}, {Hm}", "00011110111mmmmm000110nnnnnddddd", op::binary_h::<Div>).of(Fp16),
    Row::new("FADD", "fadd {Fd}, {Fn}, {Fm}", "000111100p1mmmmm001010nnnnnddddd", op::binary::<Add>).of(Fp),
    Row::new("FADD_h", "fadd {Hd}, {Hn}, {Hm}", "00011110111mmmmm001010nnnnnddddd", op::binary_h::<Add>).of(Fp16),
    Row::new("FSUB", "fsub {Fd}, {Fn}, {Fm}", "000111100p1mmmmm001110nnnnnddddd", op::binary::<Sub>).of(Fp),
    Row::new("FSUB_h", "fsub {Hd}, {Hn}, {Hm}", "00011110111mmmmm001110nnnnnddddd", op::binary_h::<Sub>).of(Fp16),
    Row::new("FMAX", "fmax {Fd}, {Fn}, {Fm}", "000111100p1mmmmm010010nnnnnddddd", op::binary::<Max>).of(Fp),
    Row::new("FMAX_h", "fmax {Hd}, {Hn}, {Hm}", "00011110111mmmmm010010nnnnnddddd", op::binary_h::<Max>).of(Fp16),
    Row::new("FMIN", "fmin {Fd}, {Fn}, {Fm}", "000111100p1mmmmm010110nnnnnddddd", op::binary::<Min>).of(Fp),
    Row::new("FMIN_h", "fmin {Hd}, {Hn}, {Hm}", "00011110111mmmmm010110nnnnnddddd", op::binary_h::<Min>).of(Fp16),
    Row::new("FMAXNM", "fmaxnm {Fd}, {Fn}, {Fm}", "000111100p1mmmmm011010nnnnnddddd", op::binary::<MaxNum>).of(Fp),
    Row::new("FMAXNM_h", "fmaxnm {Hd}, {Hn}, {Hm}", "00011110111mmmmm011010nnnnnddddd", op::binary_h::<MaxNum>).of(Fp16),
    Row::new("FMINNM", "fminnm {Fd}, {Fn}, {Fm}", "000111100p1mmmmm011110nnnnnddddd", op::binary::<MinNum>).of(Fp),
    Row::new("FMINNM_h", "fminnm {Hd}, {Hn}, {Hm}", "00011110111mmmmm011110nnnnnddddd", op::binary_h::<MinNum>).of(Fp16),
    Row::new("FNMUL", "fnmul {Fd}, {Fn}, {Fm}", "000111100p1mmmmm100010nnnnnddddd", op::binary::<NegMul>).of(Fp),
    Row::new("FNMUL_h", "fnmul {Hd}, {Hn}, {Hm}", "00011110111mmmmm100010nnnnnddddd", op::binary_h::<NegMul>).of(Fp16),

    // Three sources.
    Row::new("FMADD", "fmadd {Fd}, {Fn}, {Fm}, {Fa}", "000111110p0mmmmm0aaaaannnnnddddd", op::ternary::<MulAdd<false, false>>).of(Fp),
    Row::new("FMADD_h", "fmadd {Hd}, {Hn}, {Hm}, {Ha}", "00011111110mmmmm0aaaaannnnnddddd", op::ternary_h::<MulAdd<false, false>>).of(Fp16),
    Row::new("FMSUB", "fmsub {Fd}, {Fn}, {Fm}, {Fa}", "000111110p0mmmmm1aaaaannnnnddddd", op::ternary::<MulAdd<false, true>>).of(Fp),
    Row::new("FMSUB_h", "fmsub {Hd}, {Hn}, {Hm}, {Ha}", "00011111110mmmmm1aaaaannnnnddddd", op::ternary_h::<MulAdd<false, true>>).of(Fp16),
    Row::new("FNMADD", "fnmadd {Fd}, {Fn}, {Fm}, {Fa}", "000111110p1mmmmm0aaaaannnnnddddd", op::ternary::<MulAdd<true, true>>).of(Fp),
    Row::new("FNMADD_h", "fnmadd {Hd}, {Hn}, {Hm}, {Ha}", "00011111111mmmmm0aaaaannnnnddddd", op::ternary_h::<MulAdd<true, true>>).of(Fp16),
    Row::new("FNMSUB", "fnmsub {Fd}, {Fn}, {Fm}, {Fa}", "000111110p1mmmmm1aaaaannnnnddddd", op::ternary::<MulAdd<true, false>>).of(Fp),
    Row::new("FNMSUB_h", "fnmsub {Hd}, {Hn}, {Hm}, {Ha}", "00011111111mmmmm1aaaaannnnnddddd", op::ternary_h::<MulAdd<true, false>>).of(Fp16),

    // Comparison and selection.
    Row::new("FCMP", "fcmp {Fn}, {Fm}", "000111100p1mmmmm001000nnnnn00000", op::compare::<false, false>).of(Fp),
    Row::new("FCMP_h", "fcmp {Hn}, {Hm}", "00011110111mmmmm001000nnnnn00000", op::compare_h::<false, false>).of(Fp16),
    Row::new("FCMPE", "fcmpe {Fn}, {Fm}", "000111100p1mmmmm001000nnnnn10000", op::compare::<true, false>).of(Fp),
    Row::new("FCMPE_h", "fcmpe {Hn}, {Hm}", "00011110111mmmmm001000nnnnn10000", op::compare_h::<true, false>).of(Fp16),
    Row::new("FCMP_zero", "fcmp {Fn}, #0.0", "000111100p1-----001000nnnnn01000", op::compare::<false, true>).of(Fp),
    Row::new("FCMP_zero_h", "fcmp {Hn}, #0.0", "00011110111-----001000nnnnn01000", op::compare_h::<false, true>).of(Fp16),
    Row::new("FCMPE_zero", "fcmpe {Fn}, #0.0", "000111100p1-----001000nnnnn11000", op::compare::<true, true>).of(Fp),
    Row::new("FCMPE_zero_h", "fcmpe {Hn}, #0.0", "00011110111-----001000nnnnn11000", op::compare_h::<true, true>).of(Fp16),
    Row::new("FCCMP", "fccmp {Fn}, {Fm}, {k:x}, {cond}", "000111100p1mmmmmcccc01nnnnn0kkkk", op::compare_if::<false>).of(Fp),
    Row::new("FCCMP_h", "fccmp {Hn}, {Hm}, {k:x}, {cond}", "00011110111mmmmmcccc01nnnnn0kkkk", op::compare_if_h::<false>).of(Fp16),
    Row::new("FCCMPE", "fccmpe {Fn}, {Fm}, {k:x}, {cond}", "000111100p1mmmmmcccc01nnnnn1kkkk", op::compare_if::<true>).of(Fp),
    Row::new("FCCMPE_h", "fccmpe {Hn}, {Hm}, {k:x}, {cond}", "00011110111mmmmmcccc01nnnnn1kkkk", op::compare_if_h::<true>).of(Fp16),
    Row::new("FCSEL", "fcsel {Fd}, {Fn}, {Fm}, {cond}", "000111100p1mmmmmcccc11nnnnnddddd", op::fcsel).of(Fp),
    Row::new("FCSEL_h", "fcsel {Hd}, {Hn}, {Hm}, {cond}", "00011110111mmmmmcccc11nnnnnddddd", op::fcsel_h).of(Fp16),

    // Immediate.
    Row::new("FMOV_imm", "fmov {Fd}, {fpimm}", "000111100p1iiiiiiii10000000ddddd", op::fmov_imm).of(Fp),
    Row::new("FMOV_imm_h", "fmov {Hd}, {fpimm}", "00011110111iiiiiiii10000000ddddd", op::fmov_imm_h).of(Fp16),
];
