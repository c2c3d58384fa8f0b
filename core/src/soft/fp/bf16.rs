//! The dot product of BFloat16, which has rules of its own: round to odd, no denormal numbers, default NaNs, no
//! exceptions, whatever FPCR says. Source: Arm ARM J1.1 (`BFDotAdd`, `BFMulH`, `FPAdd_BF16`, `BFRound`).
//!
//! [`bf_dot_add`] is exact by construction. [`bf_dot_adds`] computes lanes side by side in the host's single precision, where
//! no operand is so large or so small that a result could overflow or be denormal ([`moderate`]): products of BFloat16 numbers
//! are exact there, and the error of a sum is a number itself, which tells what rounding to odd makes of it.

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

/// The lanes of a register: numbers of single precision, or pairs of BFloat16 numbers.
pub(crate) type Words = [u32; 4];

/// BFDotAdd in four lanes, N times: `arrange` makes of two registers the factors of each time.
#[inline(always)]
pub(crate) fn bf_dot_adds<const N: usize>(
    addend: Words,
    a: Words,
    b: Words,
    arrange: impl Fn(Words, Words) -> [[Words; 2]; N],
) -> Words {
    if moderate::are_all(addend, a, b) {
        dots_by_host(addend, arrange(a, b))
    } else {
        exact_dots(addend, a, b, arrange)
    }
}

/// Takes values: handlers that lend out what they have on the stack do not end in a jump.
#[cold]
#[inline(never)]
fn exact_dots<const N: usize>(
    addend: Words,
    a: Words,
    b: Words,
    arrange: impl Fn(Words, Words) -> [[Words; 2]; N],
) -> Words {
    arrange(a, b).iter().fold(addend, |sums, [a, b]| {
        std::array::from_fn(|index| {
            let [addend, a, b] = [sums[index], a[index], b[index]].map(u64::from);
            bf_dot_add(addend, a, b) as u32
        })
    })
}

/// Operands that no product and no sum of a few products can make overflow or denormal: zeros and numbers between bounds.
pub(super) mod moderate {
    use super::Words;

    /// Of BFloat16: from `2^-56`, so that products are multiples of `2^-126`, to below `2^62`.
    const BRAINS: [i16; 2] = [(127 - 56) << 7, (127 + 62) << 7];
    /// Of single precision: from `2^-103`, so that they are multiples of `2^-126`, to below `2^125`.
    const SINGLES: [i32; 2] = [(127 - 103) << 23, (127 + 125) << 23];

    /// True where all operands are.
    #[inline(always)]
    pub(in crate::soft::fp) fn are_all(addend: Words, a: Words, b: Words) -> bool {
        let [a, b]: [[u16; 8]; 2] = zerocopy::transmute!([a, b]);
        let is_other = |brain: u16| is_outside(brain as i16 & i16::MAX, BRAINS);
        let has_other_brain = a.iter().chain(&b).fold(false, |any, &brain| any | is_other(brain));
        let is_other = |single: u32| is_outside(single as i32 & i32::MAX, SINGLES);
        let has_other_single = addend.iter().fold(false, |any, &single| any | is_other(single));
        !(has_other_brain | has_other_single)
    }

    /// True for a magnitude that is neither zero nor within the bounds.
    #[inline(always)]
    fn is_outside<T: PartialOrd + Default>(magnitude: T, [least, limit]: [T; 2]) -> bool {
        (magnitude >= limit) | (magnitude < least) & (magnitude != T::default())
    }
}

/// The same of operands that are all [`moderate`]. By arrays and without branches, so that lanes are computed side by side.
#[inline(always)]
pub(super) fn dots_by_host<const N: usize>(addend: Words, factors: [[Words; 2]; N]) -> Words {
    const HIGH: u32 = 0xffff_0000;
    let mut sums = addend;
    for [a, b] in &factors {
        let low = products(a.map(|pair| pair << 16), b.map(|pair| pair << 16));
        let high = products(a.map(|pair| pair & HIGH), b.map(|pair| pair & HIGH));
        sums = sums_to_odd(sums, sums_to_odd(low, high));
    }
    sums
}

#[inline(always)]
fn products(a: Words, b: Words) -> Words {
    std::array::from_fn(|index| (f32::from_bits(a[index]) * f32::from_bits(b[index])).to_bits())
}

/// Sums rounded to odd: towards zero, and with the last bit set where that is not exact. The error of a sum that was rounded
/// to nearest is a number itself (Knuth, TAOCP 4.2.2, theorem B).
#[inline(always)]
fn sums_to_odd(a: Words, b: Words) -> Words {
    std::array::from_fn(|index| {
        let (a, b) = (f32::from_bits(a[index]), f32::from_bits(b[index]));
        let sum = a + b;
        let b_part = sum - a;
        let error = (a - (sum - b_part)) + (b - b_part);
        let inexact = if error == 0.0 { 0 } else { u32::MAX };
        let (sum, error) = (sum.to_bits(), error.to_bits());
        // Minus one where the sum is further from zero than it should be.
        let step = ((sum ^ error) as i32 >> 31) as u32 & inexact;
        sum.wrapping_add(step) | inexact & 1
    })
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
