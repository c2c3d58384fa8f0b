//! Eight numbers of half precision at once, by the host's vectors: results that are right in an environment where
//! [`fast::is_host_like_half`](super::fast::is_host_like_half) holds, or `None`. The reasons are those of
//! [`fast`](super::fast), lane by lane.

use super::env::Rounding;
use super::format::{Format, Half};
use crate::host::vector;

type Lanes = [u16; 8];

const SIGNS: u128 = u128::MAX / 0xffff * (Half::SIGN as u128);

/// True when `is_right` of every lane of the result and of what says that it is an exact zero.
#[inline(always)]
fn all(result: u128, has_zero: impl Fn(usize) -> bool) -> bool {
    const INFINITY: u16 = Half::INFINITY as u16;
    const MIN_NORMAL: u16 = Half::MIN_NORMAL as u16;
    let lanes: Lanes = zerocopy::transmute!(result);
    let mut is_right = true;
    for (index, lane) in lanes.into_iter().enumerate() {
        let magnitude = lane & !(Half::SIGN as u16);
        let is_settled = magnitude.wrapping_sub(MIN_NORMAL + 1) < INFINITY - MIN_NORMAL - 1;
        is_right &= is_settled | (has_zero(index) & (magnitude == 0));
    }
    is_right
}

/// Which lanes are zeros.
#[inline(always)]
fn zeros(vector: u128) -> [bool; 8] {
    let lanes: Lanes = zerocopy::transmute!(vector & !SIGNS);
    lanes.map(|lane| lane == 0)
}

/// True where no lane is an infinity or a NaN.
#[inline(always)]
fn is_finite(vector: u128) -> bool {
    let lanes: Lanes = zerocopy::transmute!(vector & !SIGNS);
    lanes.into_iter().fold(true, |all, lane| all & (lane < Half::INFINITY as u16))
}

/// A sum; one that is finite is right.
#[inline(always)]
pub(crate) fn add(a: u128, b: u128) -> Option<u128> {
    vector::half_add(a, b).filter(|&result| is_finite(result))
}

/// A difference.
#[inline(always)]
pub(crate) fn sub(a: u128, b: u128) -> Option<u128> {
    add(a, b ^ SIGNS)
}

/// A product.
#[inline(always)]
pub(crate) fn mul(a: u128, b: u128) -> Option<u128> {
    let (a_zeros, b_zeros) = (zeros(a), zeros(b));
    vector::half_mul(a, b).filter(|&result| all(result, |index| a_zeros[index] | b_zeros[index]))
}

/// A quotient.
#[inline(always)]
pub(crate) fn div(a: u128, b: u128) -> Option<u128> {
    let a_zeros = zeros(a);
    vector::half_div(a, b).filter(|&result| all(result, |index| a_zeros[index]))
}

/// A fused product.
#[inline(always)]
pub(crate) fn mul_add(addend: u128, a: u128, b: u128) -> Option<u128> {
    let (a_zeros, b_zeros) = (zeros(a), zeros(b));
    vector::half_mul_add(addend, a, b).filter(|&result| all(result, |index| a_zeros[index] | b_zeros[index]))
}

/// `2 - a * b`.
#[inline(always)]
pub(crate) fn recip_step(a: u128, b: u128) -> Option<u128> {
    const TWO: u64 = 0x4000;
    vector::half_mul_add(splat(TWO), neg(a), b).filter(|&result| all(result, |_| false))
}

/// `(3 - a * b) / 2`; halving a number is exact where both are normal.
#[inline(always)]
pub(crate) fn recip_sqrt_step(a: u128, b: u128) -> Option<u128> {
    const THREE: u64 = 0x4200;
    let twice = vector::half_mul_add(splat(THREE), neg(a), b).filter(|&result| all(result, |_| false))?;
    // No lane borrows from its neighbour.
    Some(twice - splat(Half::MIN_NORMAL)).filter(|&result| all(result, |_| false))
}

/// A square root: that of a positive number is normal.
#[inline(always)]
pub(crate) fn sqrt(a: u128) -> Option<u128> {
    #[inline(always)]
    fn run(a: u128) -> Option<u128> {
        vector::half_from_singles(vector::half_to_singles(a)?.map(f32::sqrt))
    }
    // Rounded twice without harm, as `host::vector` says of sums.
    vector::wide(a, run).filter(|&result| is_finite(result))
}

/// Finite numbers, rounded to integers: exact, and no more than Inexact is raised.
#[inline(always)]
fn integers(a: u128, mode: Rounding) -> Option<[f32; 8]> {
    if !is_finite(a) {
        return None;
    }
    let singles = vector::half_to_singles(a)?;
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
pub(crate) fn round_int(a: u128, mode: Rounding) -> Option<u128> {
    #[inline(always)]
    fn run((a, mode): (u128, Rounding)) -> Option<u128> {
        vector::half_from_singles(integers(a, mode)?)
    }
    vector::wide((a, mode), run)
}

/// FCVT*: integers of 16 bits, where they fit.
#[inline(always)]
pub(crate) fn to_integers(a: u128, is_signed: bool, mode: Rounding) -> Option<u128> {
    vector::wide((a, is_signed, mode), fitting_integers)
}

#[inline(always)]
fn fitting_integers((a, is_signed, mode): (u128, bool, Rounding)) -> Option<u128> {
    let (least, most) = if is_signed { (f32::from(i16::MIN), f32::from(i16::MAX)) } else { (0.0, f32::from(u16::MAX)) };
    let integers = integers(a, mode)?;
    let do_fit = integers.iter().fold(true, |all, &integer| all & (integer >= least) & (integer <= most));
    let lanes: Lanes = integers.map(|integer| integer as i32 as u16);
    do_fit.then(|| zerocopy::transmute!(lanes))
}

/// SCVTF and UCVTF of integers of 16 bits; one that is finite is right.
#[inline(always)]
pub(crate) fn from_integers(a: u128, is_signed: bool) -> Option<u128> {
    #[inline(always)]
    fn run((a, is_signed): (u128, bool)) -> Option<u128> {
        let lanes: Lanes = zerocopy::transmute!(a);
        vector::half_from_singles(lanes.map(|lane| if is_signed { f32::from(lane as i16) } else { f32::from(lane) }))
    }
    vector::wide((a, is_signed), run).filter(|&result| is_finite(result))
}

/// The magnitude of a difference.
#[inline(always)]
pub(crate) fn abs_diff(a: u128, b: u128) -> Option<u128> {
    sub(a, b).map(|difference| difference & !SIGNS)
}

/// The larger of two numbers; of zeros, the positive one.
#[inline(always)]
pub(crate) fn max(a: u128, b: u128) -> Option<u128> {
    select(a, b, |a, b| a > b)
}

/// The smaller of two numbers; of zeros, the negative one.
#[inline(always)]
pub(crate) fn min(a: u128, b: u128) -> Option<u128> {
    select(a, b, |a, b| a < b)
}

/// `a` in the lanes where `takes_first` of integers that are ordered as the numbers are, a negative zero below a positive
/// one; otherwise `b`.
#[inline(always)]
fn select(a: u128, b: u128, takes_first: impl Fn(i16, i16) -> bool) -> Option<u128> {
    ordinals(a)?;
    ordinals(b)?;
    let [a, b]: [[i16; 8]; 2] = [zerocopy::transmute!(a), zerocopy::transmute!(b)];
    let ordinal = |lane: i16| lane ^ (lane >> 15 & i16::MAX);
    let chosen: [i16; 8] =
        std::array::from_fn(
            |index| {
                if takes_first(ordinal(a[index]), ordinal(b[index])) { a[index] } else { b[index] }
            },
        );
    Some(zerocopy::transmute!(chosen))
}

/// Integers that are ordered as the numbers are, both zeros 0; a NaN has none.
#[inline(always)]
fn ordinals(vector: u128) -> Option<[i16; 8]> {
    let lanes: [i16; 8] = zerocopy::transmute!(vector);
    let has_nan = lanes.iter().fold(false, |any, lane| any | (lane & i16::MAX > Half::INFINITY as i16));
    let ordinals = lanes.map(|lane| {
        let sign = lane >> 15;
        ((lane & i16::MAX) ^ sign) - sign
    });
    (!has_nan).then_some(ordinals)
}

/// All bits set in the lanes where `holds`.
#[inline(always)]
fn compare(a: u128, b: u128, holds: impl Fn(i16, i16) -> bool) -> Option<u128> {
    let (a, b) = (ordinals(a)?, ordinals(b)?);
    let masks: Lanes = std::array::from_fn(|index| if holds(a[index], b[index]) { u16::MAX } else { 0 });
    Some(zerocopy::transmute!(masks))
}

/// Where `a` equals `b`.
#[inline(always)]
pub(crate) fn is_equal(a: u128, b: u128) -> Option<u128> {
    compare(a, b, |a, b| a == b)
}

/// Where `a` is at least `b`.
#[inline(always)]
pub(crate) fn is_at_least(a: u128, b: u128) -> Option<u128> {
    compare(a, b, |a, b| a >= b)
}

/// Where `a` is above `b`.
#[inline(always)]
pub(crate) fn is_above(a: u128, b: u128) -> Option<u128> {
    compare(a, b, |a, b| a > b)
}

/// The same of magnitudes.
#[inline(always)]
pub(crate) fn is_abs_at_least(a: u128, b: u128) -> Option<u128> {
    is_at_least(a & !SIGNS, b & !SIGNS)
}

/// The same of magnitudes.
#[inline(always)]
pub(crate) fn is_abs_above(a: u128, b: u128) -> Option<u128> {
    is_above(a & !SIGNS, b & !SIGNS)
}

/// Every lane with its sign changed.
#[inline(always)]
pub(crate) fn neg(a: u128) -> u128 {
    a ^ SIGNS
}

/// The same number in every lane.
#[inline(always)]
pub(crate) fn splat(value: u64) -> u128 {
    u128::MAX / 0xffff * u128::from(value as u16)
}
