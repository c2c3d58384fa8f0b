//! Estimates of reciprocals, to eight bits. Source: Arm ARM J1.1 (`FPRecipEstimate`, `FPRSqrtEstimate`, `FPRecpX`,
//! `RecipEstimate`, `RecipSqrtEstimate`, `UnsignedRecipEstimate`, `UnsignedRSqrtEstimate`).

use super::env::{Env, flag};
use super::format::Format;
use super::round::overflowed;
use super::unpack::{Class, infinity, invalid, process_nans, unpack, zero};

/// A table of what a function gives for the numbers from one of 9 bits on.
macro_rules! table_of {
    ($function:ident from $first:literal) => {{
        let mut table = [0; 512];
        let mut a = $first;
        while a < 512 {
            table[a] = $function(a as u64) as u16;
            a += 1;
        }
        table
    }};
}

/// [`recip`] and [`recip_sqrt`] of every number that has one.
static RECIPS: [u16; 512] = table_of!(recip from 256);
static RECIP_SQRTS: [u16; 512] = table_of!(recip_sqrt from 128);

/// RecipEstimate: of `a / 512` in `[0.5, 1)`, as `result / 256` in `[1, 2)`.
const fn recip(a: u64) -> u64 {
    let b: u64 = (1 << 19) / (2 * a + 1);
    b.div_ceil(2)
}

/// RecipSqrtEstimate: of `a / 512` in `[0.25, 1)`, as `result / 256` in `[1, 2)`.
const fn recip_sqrt(a: u64) -> u64 {
    let a = if a < 256 { 2 * a + 1 } else { ((a >> 1 << 1) + 1) * 2 };
    // The largest number whose square times `a` is less than 2^28.
    let b = (((1 << 28) - 1) / a).isqrt();
    b.div_ceil(2)
}

/// FPRecipEstimate.
pub(crate) fn recip_estimate<F: Format>(env: &mut Env, a: u64) -> u64 {
    let a = unpack::<F>(env, a);
    if let Some(nan) = process_nans::<F>(env, &[&a]) {
        return nan;
    }
    match a.class {
        Class::Infinity => return zero::<F>(a.sign),
        Class::Zero => {
            env.raise(flag::DZC);
            return infinity::<F>(a.sign);
        }
        Class::Finite | Class::QuietNan | Class::SignalingNan => {}
    }
    if a.exp < -F::BIAS - 1 {
        env.raise(flag::OFC | flag::IXC);
        return overflowed::<F>(env.rounding(), a.sign);
    }
    if env.flushes::<F>() && a.exp >= F::BIAS - 1 {
        env.raise(flag::UFC);
        return zero::<F>(a.sign);
    }
    // Nine bits of the significand, in [256, 512).
    let estimate = u64::from(RECIPS[(a.sig >> 55) as usize & 511]);
    let biased = F::BIAS - 1 - a.exp;
    // One bit before and `FRAC` bits after the point; a result with no exponent left is denormal.
    let significand = estimate << (F::FRAC - 8);
    zero::<F>(a.sign)
        | match biased {
            1.. => (biased as u64) << F::FRAC | significand & F::FRACTION,
            _ => significand >> (1 - biased),
        }
}

/// FPRSqrtEstimate.
pub(crate) fn recip_sqrt_estimate<F: Format>(env: &mut Env, a: u64) -> u64 {
    let a = unpack::<F>(env, a);
    if let Some(nan) = process_nans::<F>(env, &[&a]) {
        return nan;
    }
    match (a.class, a.sign) {
        (Class::Zero, sign) => {
            env.raise(flag::DZC);
            return infinity::<F>(sign);
        }
        (_, true) => return invalid::<F>(env),
        (Class::Infinity, false) => return 0,
        (_, false) => {}
    }
    // An even exponent leaves a significand in [0.25, 0.5), an odd one in [0.5, 1).
    let is_even = a.exp & 1 == 0;
    let estimate = u64::from(RECIP_SQRTS[(a.sig >> if is_even { 56 } else { 55 }) as usize & 511]);
    let biased = F::BIAS - 1 - (a.exp >> 1);
    (biased as u64) << F::FRAC | estimate << (F::FRAC - 8) & F::FRACTION
}

/// FPRecpX: a power of two whose exponent is about that of the reciprocal.
pub(crate) fn recip_exponent<F: Format>(env: &mut Env, a: u64) -> u64 {
    let operand = unpack::<F>(env, a);
    if let Some(nan) = process_nans::<F>(env, &[&operand]) {
        return nan;
    }
    let field = a & F::INFINITY;
    let result = if field == 0 { F::INFINITY - (1 << F::FRAC) } else { !field & F::INFINITY };
    zero::<F>(operand.sign) | result
}

/// UnsignedRecipEstimate, of a number with 32 bits after the point.
pub(crate) fn unsigned_recip_estimate(a: u32) -> u32 {
    if a >> 31 == 0 { u32::MAX } else { u32::from(RECIPS[(a >> 23) as usize]) << 23 }
}

/// UnsignedRSqrtEstimate, of a number with 32 bits after the point.
pub(crate) fn unsigned_recip_sqrt_estimate(a: u32) -> u32 {
    if a >> 30 == 0 { u32::MAX } else { u32::from(RECIP_SQRTS[(a >> 23) as usize]) << 23 }
}
