//! Eight numbers of half precision at once, by the host's vectors: results that are right in an environment where
//! [`fast::is_host_like_half`](super::fast::is_host_like_half) holds, or `None`. The reasons are those of
//! [`fast`](super::fast), lane by lane.

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

/// A sum; one that is finite is right.
#[inline(always)]
pub(crate) fn add(a: u128, b: u128) -> Option<u128> {
    vector::half_add(a, b).filter(|&result| {
        let lanes: Lanes = zerocopy::transmute!(result & !SIGNS);
        lanes.into_iter().fold(true, |all, lane| all & (lane < Half::INFINITY as u16))
    })
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
