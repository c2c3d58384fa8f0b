//! Eight numbers of half precision at once, by the host's vectors: results that are right in an environment where
//! [`fast::is_host_like_half`](super::fast::is_host_like_half) holds, or `None`. The reasons are those of
//! [`fast`](super::fast), lane by lane.
//!
//! Numbers are widened, computed in single precision and rounded back, to nearest. For sums, products, quotients and roots
//! that is the correctly rounded result, since 24 bits are at least twice 11 and two more (Figueroa, "When is double
//! rounding innocuous?", 1995). A fused product is right unless its rounding to single precision ends halfway between two
//! halves. All functions take a [`Wide`], and are to be called in [`Wide::run`].

use super::env::{Env, Rounding};
use super::format::{Format, Half};
use crate::host::vector::Wide;

/// Eight numbers, the first one in the lowest bits of a register.
pub(crate) type Halves = [u16; 8];

const SIGN: u16 = Half::SIGN as u16;
const INFINITY: u16 = Half::INFINITY as u16;
const MIN_NORMAL: u16 = Half::MIN_NORMAL as u16;

/// True where every lane is a number whose making has raised Inexact at most, or a zero where there `may_be_zero`.
#[inline(always)]
fn all(result: Halves, may_be_zero: impl Fn(usize) -> bool) -> bool {
    let mut is_right = true;
    for (index, lane) in result.into_iter().enumerate() {
        let magnitude = lane & !SIGN;
        let is_settled = magnitude.wrapping_sub(MIN_NORMAL + 1) < INFINITY - MIN_NORMAL - 1;
        is_right &= is_settled | (may_be_zero(index) & (magnitude == 0));
    }
    is_right
}

#[inline(always)]
fn is_zero(lane: u16) -> bool {
    lane & !SIGN == 0
}

/// True where no lane is an infinity or a NaN.
#[inline(always)]
fn is_finite(lanes: Halves) -> bool {
    lanes.into_iter().fold(true, |all, lane| all & (lane & !SIGN < INFINITY))
}

/// `f` of every lane, in single precision and rounded back.
#[inline(always)]
fn by_singles(wide: Wide, a: Halves, b: Halves, f: impl Fn(f32, f32) -> f32) -> Halves {
    let (a, b) = (wide.to_singles(a), wide.to_singles(b));
    wide.from_singles(std::array::from_fn(|index| f(a[index], b[index])))
}

/// A sum; one that is finite is right.
#[inline(always)]
pub(crate) fn add(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    Some(by_singles(wide, a, b, |a, b| a + b)).filter(|&result| is_finite(result))
}

/// A difference.
#[inline(always)]
pub(crate) fn sub(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    add(wide, a, neg(b))
}

/// A product.
#[inline(always)]
pub(crate) fn mul(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    let result = by_singles(wide, a, b, |a, b| a * b);
    Some(result).filter(|&result| all(result, |index| is_zero(a[index]) | is_zero(b[index])))
}

/// A quotient.
#[inline(always)]
pub(crate) fn div(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    let result = by_singles(wide, a, b, |a, b| a / b);
    Some(result).filter(|&result| all(result, |index| is_zero(a[index])))
}

/// `a * b + addend`, where single precision does not end halfway between two halves.
#[inline(always)]
fn fused(wide: Wide, addend: Halves, a: Halves, b: Halves) -> Option<Halves> {
    const DROPPED: u32 = 0x1fff;
    const HALFWAY: u32 = 0x1000;
    let [addend, a, b] = [addend, a, b].map(|vector| wide.to_singles(vector));
    let sums: [f32; 8] = std::array::from_fn(|index| a[index].mul_add(b[index], addend[index]));
    let has_halfway = sums.iter().fold(false, |any, sum| any | (sum.to_bits() & DROPPED == HALFWAY));
    (!has_halfway).then(|| wide.from_singles(sums))
}

/// A fused product.
#[inline(always)]
pub(crate) fn mul_add(wide: Wide, addend: Halves, a: Halves, b: Halves) -> Option<Halves> {
    fused(wide, addend, a, b).filter(|&result| all(result, |index| is_zero(a[index]) | is_zero(b[index])))
}

/// `2 - a * b`.
#[inline(always)]
pub(crate) fn recip_step(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    const TWO: Halves = [0x4000; 8];
    fused(wide, TWO, neg(a), b).filter(|&result| all(result, |_| false))
}

/// `(3 - a * b) / 2`; halving a number is exact where both are normal.
#[inline(always)]
pub(crate) fn recip_sqrt_step(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    const THREE: Halves = [0x4200; 8];
    let twice = fused(wide, THREE, neg(a), b).filter(|&result| all(result, |_| false))?;
    Some(twice.map(|lane| lane - MIN_NORMAL)).filter(|&result| all(result, |_| false))
}

/// A square root: that of a positive number is normal.
#[inline(always)]
pub(crate) fn sqrt(wide: Wide, a: Halves) -> Option<Halves> {
    Some(wide.from_singles(wide.to_singles(a).map(f32::sqrt))).filter(|&result| is_finite(result))
}

/// Numbers times a power of two, which is exact, rounded to integers; an infinity or a NaN stays one.
#[inline(always)]
fn integers(wide: Wide, a: Halves, fraction_bits: u32, mode: Rounding) -> Option<[f32; 8]> {
    let scale = (1u32 << fraction_bits) as f32;
    let singles = wide.to_singles(a).map(|single| single * scale);
    match mode {
        Rounding::Nearest => Some(singles.map(f32::round_ties_even)),
        Rounding::Plus => Some(singles.map(f32::ceil)),
        Rounding::Minus => Some(singles.map(f32::floor)),
        Rounding::Zero => Some(singles.map(f32::trunc)),
        Rounding::Away => Some(singles.map(f32::round)),
        Rounding::Odd => None,
    }
}

/// FRINT*: integers as numbers.
#[inline(always)]
pub(crate) fn round_int(wide: Wide, a: Halves, mode: Rounding) -> Option<Halves> {
    if !is_finite(a) {
        return None;
    }
    Some(wide.from_singles(integers(wide, a, 0, mode)?))
}

/// FCVT*: numbers of 16 bits, `fraction_bits` of them after the point (16 at most). Where some do not fit only if `env` has
/// Invalid already: they are saturated, a NaN becomes zero, and nothing else is raised by them.
#[inline(always)]
pub(crate) fn to_fixed(
    wide: Wide,
    env: &Env,
    a: Halves,
    fraction_bits: u32,
    is_signed: bool,
    mode: Rounding,
) -> Option<Halves> {
    let (least, most) = if is_signed { (f32::from(i16::MIN), f32::from(i16::MAX)) } else { (0.0, f32::from(u16::MAX)) };
    let integers = integers(wide, a, fraction_bits, mode)?;
    let do_fit = integers.iter().fold(true, |all, &integer| all & (integer >= least) & (integer <= most));
    // The last bits of such a sum are those of the integer.
    const LAST_BIT_IS_ONE: f32 = 1.5 * (1u32 << 23) as f32;
    (do_fit || env.is_invalid()).then(|| {
        integers.map(|integer| {
            let integer = if integer.is_nan() { 0.0 } else { integer };
            let integer = if integer < least { least } else { integer };
            let integer = if integer > most { most } else { integer };
            (integer + LAST_BIT_IS_ONE).to_bits() as u16
        })
    })
}

/// SCVTF and UCVTF of such numbers; one that is finite is right: with so few bits after the point a small one is exact.
#[inline(always)]
pub(crate) fn from_fixed(wide: Wide, a: Halves, fraction_bits: u32, is_signed: bool) -> Option<Halves> {
    let scale = 1.0 / (1u32 << fraction_bits) as f32;
    let singles = a.map(|lane| if is_signed { f32::from(lane as i16) } else { f32::from(lane) } * scale);
    Some(wide.from_singles(singles)).filter(|&result| is_finite(result))
}

/// The magnitude of a difference.
#[inline(always)]
pub(crate) fn abs_diff(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    sub(wide, a, b).map(abs)
}

/// The larger of two numbers; of zeros, the positive one.
#[inline(always)]
pub(crate) fn max(_: Wide, a: Halves, b: Halves) -> Option<Halves> {
    select(a, b, |a, b| a > b)
}

/// The smaller of two numbers; of zeros, the negative one.
#[inline(always)]
pub(crate) fn min(_: Wide, a: Halves, b: Halves) -> Option<Halves> {
    select(a, b, |a, b| a < b)
}

/// `a` in the lanes where `takes_first` of integers that are ordered as the numbers are, a negative zero below a positive
/// one; otherwise `b`.
#[inline(always)]
fn select(a: Halves, b: Halves, takes_first: impl Fn(i16, i16) -> bool) -> Option<Halves> {
    let ordinal = |lane: u16| (lane ^ (lane as i16 >> 15) as u16 & !SIGN) as i16;
    let chosen =
        std::array::from_fn(
            |index| {
                if takes_first(ordinal(a[index]), ordinal(b[index])) { a[index] } else { b[index] }
            },
        );
    (!has_nan(a) & !has_nan(b)).then_some(chosen)
}

/// True where some lane is a NaN.
#[inline(always)]
fn has_nan(lanes: Halves) -> bool {
    lanes.into_iter().fold(false, |any, lane| any | (lane & !SIGN > INFINITY))
}

/// All bits set in the lanes where `holds` of integers that are ordered as the numbers are, both zeros 0.
#[inline(always)]
fn compare(a: Halves, b: Halves, holds: impl Fn(i16, i16) -> bool) -> Option<Halves> {
    let ordinal = |lane: u16| {
        let sign = lane as i16 >> 15;
        ((lane & !SIGN) as i16 ^ sign) - sign
    };
    let masks = std::array::from_fn(|index| if holds(ordinal(a[index]), ordinal(b[index])) { u16::MAX } else { 0 });
    (!has_nan(a) & !has_nan(b)).then_some(masks)
}

/// Where `a` equals `b`.
#[inline(always)]
pub(crate) fn is_equal(_: Wide, a: Halves, b: Halves) -> Option<Halves> {
    compare(a, b, |a, b| a == b)
}

/// Where `a` is at least `b`.
#[inline(always)]
pub(crate) fn is_at_least(_: Wide, a: Halves, b: Halves) -> Option<Halves> {
    compare(a, b, |a, b| a >= b)
}

/// Where `a` is above `b`.
#[inline(always)]
pub(crate) fn is_above(_: Wide, a: Halves, b: Halves) -> Option<Halves> {
    compare(a, b, |a, b| a > b)
}

/// The same of magnitudes.
#[inline(always)]
pub(crate) fn is_abs_at_least(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    is_at_least(wide, abs(a), abs(b))
}

/// The same of magnitudes.
#[inline(always)]
pub(crate) fn is_abs_above(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
    is_above(wide, abs(a), abs(b))
}

/// Every lane with its sign changed.
#[inline(always)]
pub(crate) fn neg(a: Halves) -> Halves {
    a.map(|lane| lane ^ SIGN)
}

/// Every lane without its sign.
#[inline(always)]
fn abs(a: Halves) -> Halves {
    a.map(|lane| lane & !SIGN)
}
