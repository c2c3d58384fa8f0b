//! Floating point as the Arm architecture defines it, exact to the bit: results, NaNs, and cumulative flags.
//!
//! Values are raw bits in a `u64`, whatever their [`Format`]. Every operation takes an [`Env`] (FPCR and FPSR), the bits
//! of its operands, and returns the bits of its result; what it raises is collected in the FPSR. An operation unpacks
//! ([`unpack`]), computes on integers that hold the exact value or a sticky bit for what does not fit, and rounds once
//! ([`round`]). [`fast`] takes the host's arithmetic instead where that gives provably the same; so do [`halves`] and [`bf16`].
//!
//! FEAT_AFP (FPCR.AH, FIZ, NEP) and FEAT_EBF16 are not there, traps are neither. Source: Arm ARM DDI 0487 J1.1
//! (`shared/functions/float`), A1.5; the functions are named as there, in our spelling.

mod arith;
mod bf16;
mod compare;
mod convert;
mod env;
mod estimate;
pub(crate) mod fast;
mod format;
mod fused;
pub(crate) mod halves;
mod integral;
mod round;
#[cfg(test)]
mod tests;
mod unpack;

pub(crate) use arith::{abs, neg};
pub(crate) use bf16::bf_dot_adds;
pub(crate) use compare::Ordering;
pub(crate) use convert::{convert_odd, fixed_to_fp, to_fixed, to_fixed_js};
pub(crate) use env::{Env, FPCR_BITS, FPSR_BITS, Rounding, flag};
pub(crate) use estimate::{
    recip_estimate, recip_exponent, recip_sqrt_estimate, unsigned_recip_estimate, unsigned_recip_sqrt_estimate,
};
pub(crate) use format::{Brain, Double, Format, Half, Single};
pub(crate) use integral::{round_int, round_int_n};
