//! Fused operations, rounded once. Source: Arm ARM J1.1 (`FPMulAdd`, `FPMulAddH`, `FPRecipStepFused`,
//! `FPRSqrtStepFused`).

use super::arith::{Term, cancelled, neg};
use super::convert::convert_nan;
use super::env::Env;
use super::format::{Format, Half, Single};
use super::round::{Exact, round};
use super::unpack::{Class, Unpacked, infinity, invalid, process_nans, unpack, zero};

/// FPMulAdd: `addend + a * b`.
pub(crate) fn mul_add<F: Format>(env: &mut Env, addend: u64, a: u64, b: u64) -> u64 {
    let addend = unpack::<F>(env, addend);
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    let nan = process_nans::<F>(env, &[&addend, &a, &b]);
    if addend.class == Class::QuietNan && Unpacked::is_infinity_times_zero(&a, &b) {
        return invalid::<F>(env);
    }
    nan.unwrap_or_else(|| accumulate::<F>(env, &addend, &a, &b))
}

/// FPMulAddH: `addend + a * b`, the factors in half precision.
pub(crate) fn mul_add_long(env: &mut Env, addend: u64, a: u64, b: u64) -> u64 {
    let addend = unpack::<Single>(env, addend);
    let (a, b) = (unpack_factor(env, a), unpack_factor(env, b));
    let nan = process_nans::<Single>(env, &[&addend, &a, &b]);
    if addend.class == Class::QuietNan && Unpacked::is_infinity_times_zero(&a, &b) {
        return invalid::<Single>(env);
    }
    nan.unwrap_or_else(|| accumulate::<Single>(env, &addend, &a, &b))
}

/// A half precision operand; a NaN has the bits that it has in single precision.
fn unpack_factor(env: &mut Env, bits: u64) -> Unpacked {
    let value = unpack::<Half>(env, bits);
    if value.is_nan() { Unpacked { bits: convert_nan::<Half, Single>(value.bits), ..value } } else { value }
}

/// The sum of what is no NaN.
fn accumulate<F: Format>(env: &mut Env, addend: &Unpacked, a: &Unpacked, b: &Unpacked) -> u64 {
    let sign = a.sign != b.sign;
    let is_infinite = a.is_infinite() || b.is_infinite();
    let is_zero = a.is_zero() || b.is_zero();
    if is_infinite && is_zero || addend.is_infinite() && is_infinite && addend.sign != sign {
        return invalid::<F>(env);
    }
    if addend.is_infinite() {
        return infinity::<F>(addend.sign);
    }
    if is_infinite {
        return infinity::<F>(sign);
    }
    let sum = match (addend.is_zero(), is_zero) {
        (true, true) if addend.sign == sign => return zero::<F>(sign),
        (true, true) => None,
        (false, true) => Some(Term::of(addend).exact()),
        (true, false) => Some(Term::product(a, b).exact()),
        (false, false) => Term::of(addend).plus(Term::product(a, b)),
    };
    match sum {
        Some(value) => round::<F>(env, value),
        None => cancelled::<F>(env),
    }
}

/// FPRecipStepFused: `2 - a * b`.
pub(crate) fn recip_step<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let two = Term { sign: false, exp: 1, sig: 1 << 126 };
    step::<F>(env, a, b, two, 0)
}

/// FPRSqrtStepFused: `(3 - a * b) / 2`.
pub(crate) fn recip_sqrt_step<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let three = Term { sign: false, exp: 1, sig: 3 << 125 };
    step::<F>(env, a, b, three, 1)
}

/// `(minuend - a * b) / 2^halvings`; infinity times zero counts as zero.
fn step<F: Format>(env: &mut Env, a: u64, b: u64, minuend: Term, halvings: i32) -> u64 {
    let (a, b) = (unpack::<F>(env, neg::<F>(a)), unpack::<F>(env, b));
    if let Some(nan) = process_nans::<F>(env, &[&a, &b]) {
        return nan;
    }
    let halved = |value: Exact| Exact { exp: value.exp - halvings, ..value };
    if Unpacked::is_infinity_times_zero(&a, &b) {
        return round::<F>(env, halved(minuend.exact()));
    }
    if a.is_infinite() || b.is_infinite() {
        return infinity::<F>(a.sign != b.sign);
    }
    let sum = if a.is_zero() || b.is_zero() { Some(minuend.exact()) } else { minuend.plus(Term::product(&a, &b)) };
    match sum {
        Some(value) => round::<F>(env, halved(value)),
        None => cancelled::<F>(env),
    }
}
