//! The dot product of BFloat16, which has rules of its own: round to odd, no denormal numbers, default NaNs, no
//! exceptions. Source: Arm ARM J1.1 (`BFDotAdd`, `BFMulH`, `FPAdd_BF16`, `BFRound`).

use super::arith::Term;
use super::env::{Env, Rounding};
use super::format::{Brain, Format, Single};
use super::round::{Exact, round_with};
use super::unpack::{Class, Unpacked, infinity, unpack_with, zero};

/// BFDotAdd: `addend + (a0 * b0 + a1 * b1)`; `a` and `b` hold a pair of BFloat16 numbers each.
pub(crate) fn bf_dot_add(addend: u64, a: u64, b: u64) -> u64 {
    let products = add(product(a, b), product(a >> 16, b >> 16));
    add(addend, products)
}

/// Denormal numbers are zeros.
fn operand<F: Format>(bits: u64) -> Unpacked {
    unpack_with::<F>(&mut Env::default(), bits, true, false)
}

/// BFRound.
fn round(value: Exact) -> u64 {
    let is_large = value.exp >= Single::EXP_MAX - Single::BIAS;
    if is_large {
        return infinity::<Single>(value.sign);
    }
    round_with::<Single>(&mut Env::default(), value, Rounding::Odd, true, false)
}

/// BFMulH.
fn product(a: u64, b: u64) -> u64 {
    let (a, b) = (operand::<Brain>(a), operand::<Brain>(b));
    if a.is_nan() || b.is_nan() || Unpacked::is_infinity_times_zero(&a, &b) {
        return Single::DEFAULT_NAN;
    }
    let sign = a.sign != b.sign;
    match (a.class, b.class) {
        (Class::Infinity, _) | (_, Class::Infinity) => infinity::<Single>(sign),
        (Class::Zero, _) | (_, Class::Zero) => zero::<Single>(sign),
        (_, _) => round(Term::product(&a, &b).exact()),
    }
}

/// FPAdd_BF16.
fn add(a: u64, b: u64) -> u64 {
    let (a, b) = (operand::<Single>(a), operand::<Single>(b));
    if a.is_nan() || b.is_nan() || a.is_infinite() && b.is_infinite() && a.sign != b.sign {
        return Single::DEFAULT_NAN;
    }
    match (a.class, b.class) {
        (Class::Infinity, _) => infinity::<Single>(a.sign),
        (_, Class::Infinity) => infinity::<Single>(b.sign),
        (Class::Zero, Class::Zero) => zero::<Single>(a.sign && b.sign),
        (Class::Zero, _) => round(Term::of(&b).exact()),
        (_, Class::Zero) => round(Term::of(&a).exact()),
        (_, _) => Term::of(&a).plus(Term::of(&b)).map_or(0, round),
    }
}
