//! Comparisons, minima and maxima. Source: Arm ARM J1.1 (`FPCompare`, `FPCompareEQ`, `FPCompareGE`, `FPMax`,
//! `FPMaxNum` and the like).

use super::env::{Env, flag};
use super::format::Format;
use super::unpack::{Class, Unpacked, infinity, process_nans, unpack, zero};

/// The outcome of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ordering {
    Less,
    Equal,
    Greater,
    Unordered,
}

/// A number as an integer in the same order; the two zeros are equal.
fn rank<F: Format>(value: &Unpacked) -> i64 {
    let magnitude = if value.is_zero() { 0 } else { (value.bits & !F::SIGN) as i64 };
    if value.sign { -magnitude } else { magnitude }
}

fn order<F: Format>(env: &mut Env, a: u64, b: u64, is_signaling: bool) -> Ordering {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    if a.is_nan() || b.is_nan() {
        if is_signaling || a.class == Class::SignalingNan || b.class == Class::SignalingNan {
            env.raise(flag::IOC);
        }
        return Ordering::Unordered;
    }
    match rank::<F>(&a).cmp(&rank::<F>(&b)) {
        std::cmp::Ordering::Less => Ordering::Less,
        std::cmp::Ordering::Equal => Ordering::Equal,
        std::cmp::Ordering::Greater => Ordering::Greater,
    }
}

/// Compares; any NaN is an invalid operation.
pub(crate) fn compare<F: Format>(env: &mut Env, a: u64, b: u64) -> Ordering {
    order::<F>(env, a, b, true)
}

/// Compares; only a signaling NaN is an invalid operation.
pub(crate) fn compare_quiet<F: Format>(env: &mut Env, a: u64, b: u64) -> Ordering {
    order::<F>(env, a, b, false)
}

/// The larger or the smaller of two operands that are unpacked.
fn select<F: Format>(env: &mut Env, a: &Unpacked, b: &Unpacked, is_max: bool) -> u64 {
    if let Some(nan) = process_nans::<F>(env, &[a, b]) {
        return nan;
    }
    let (rank_a, rank_b) = (rank::<F>(a), rank::<F>(b));
    let takes_a = match rank_a.cmp(&rank_b) {
        // Equal operands differ only where they are zeros: the larger one is positive.
        std::cmp::Ordering::Equal => a.sign != is_max,
        std::cmp::Ordering::Less => !is_max,
        std::cmp::Ordering::Greater => is_max,
    };
    let taken = if takes_a { a } else { b };
    if taken.is_zero() { zero::<F>(taken.sign) } else { taken.bits }
}

/// FPMax.
pub(crate) fn max<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    select::<F>(env, &a, &b, true)
}

/// FPMin.
pub(crate) fn min<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    select::<F>(env, &a, &b, false)
}

/// FPMaxNum and FPMinNum: a number wins over a quiet NaN.
fn select_number<F: Format>(env: &mut Env, a: u64, b: u64, is_max: bool) -> u64 {
    let (mut a, mut b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    let loser = Unpacked { class: Class::Infinity, sign: is_max, bits: infinity::<F>(is_max), exp: 0, sig: 0 };
    if a.class == Class::QuietNan && !b.is_nan() {
        a = loser;
    } else if b.class == Class::QuietNan && !a.is_nan() {
        b = loser;
    }
    select::<F>(env, &a, &b, is_max)
}

/// FPMaxNum.
pub(crate) fn max_num<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    select_number::<F>(env, a, b, true)
}

/// FPMinNum.
pub(crate) fn min_num<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    select_number::<F>(env, a, b, false)
}
