//! Addition, multiplication, division, square root. Source: Arm ARM J1.1 (`FPAdd`, `FPSub`, `FPMul`, `FPMulX`, `FPDiv`,
//! `FPSqrt`, `FPAbs`, `FPNeg`).

use super::env::{Env, Rounding, flag};
use super::format::Format;
use super::round::{Exact, round, shift_right_sticky};
use super::unpack::{Class, Unpacked, infinity, invalid, process_nans, unpack, zero};

/// FPNeg.
#[inline(always)]
pub(crate) fn neg<F: Format>(a: u64) -> u64 {
    a ^ F::SIGN
}

/// FPAbs.
#[inline(always)]
pub(crate) fn abs<F: Format>(a: u64) -> u64 {
    a & !F::SIGN
}

/// A summand: `sig / 2^126 * 2^exp`; bit 126 or 125 is the highest that is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub sign: bool,
    pub exp: i32,
    pub sig: u128,
}

impl Term {
    /// A finite number.
    pub(super) fn of(value: &Unpacked) -> Self {
        Self { sign: value.sign, exp: value.exp, sig: u128::from(value.sig) << 63 }
    }

    /// The exact product of two finite numbers; no format has so long a significand that its lowest bit were set.
    pub(super) fn product(a: &Unpacked, b: &Unpacked) -> Self {
        let sig = (u128::from(a.sig) * u128::from(b.sig)) >> 1;
        Self { sign: a.sign != b.sign, exp: a.exp + b.exp + 1, sig }
    }

    /// The number by itself.
    pub(super) fn exact(self) -> Exact {
        Exact::normalised(self.sign, self.exp + 1, self.sig)
    }

    /// The sum; `None` where it is zero. Bits are lost only where one term is so small that they are but sticky.
    pub(super) fn plus(self, other: Self) -> Option<Exact> {
        let (large, small) = if self.exp >= other.exp { (self, other) } else { (other, self) };
        let aligned = shift_right_sticky(small.sig, (large.exp - small.exp).unsigned_abs());
        let (sign, sig) = if large.sign == small.sign {
            (large.sign, large.sig + aligned)
        } else if large.sig >= aligned {
            (large.sign, large.sig - aligned)
        } else {
            (small.sign, aligned - large.sig)
        };
        (sig != 0).then(|| Exact::normalised(sign, large.exp + 1, sig))
    }
}

/// The zero that a sum of opposite numbers is.
pub(super) fn cancelled<F: Format>(env: &Env) -> u64 {
    zero::<F>(env.rounding() == Rounding::Minus)
}

/// FPAdd.
pub(crate) fn add<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (x, y) = (unpack::<F>(env, a), unpack::<F>(env, b));
    sum::<F>(env, &x, &y, &y)
}

/// FPSub. A NaN keeps its sign.
pub(crate) fn sub<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (x, y) = (unpack::<F>(env, a), unpack::<F>(env, b));
    let negated = Unpacked { sign: !y.sign, ..y };
    sum::<F>(env, &x, &y, &negated)
}

/// `a + b`; `operand` is what `b` comes from.
fn sum<F: Format>(env: &mut Env, a: &Unpacked, operand: &Unpacked, b: &Unpacked) -> u64 {
    if let Some(nan) = process_nans::<F>(env, &[a, operand]) {
        return nan;
    }
    match (a.class, b.class) {
        (Class::Infinity, Class::Infinity) if a.sign != b.sign => invalid::<F>(env),
        (Class::Infinity, _) => infinity::<F>(a.sign),
        (_, Class::Infinity) => infinity::<F>(b.sign),
        (Class::Zero, Class::Zero) if a.sign == b.sign => zero::<F>(a.sign),
        (Class::Zero, Class::Zero) => cancelled::<F>(env),
        (Class::Zero, _) => round::<F>(env, Term::of(b).exact()),
        (_, Class::Zero) => round::<F>(env, Term::of(a).exact()),
        (_, _) => match Term::of(a).plus(Term::of(b)) {
            Some(value) => round::<F>(env, value),
            None => cancelled::<F>(env),
        },
    }
}

/// FPMul.
pub(crate) fn mul<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    if Unpacked::is_infinity_times_zero(&a, &b) {
        return invalid::<F>(env);
    }
    product::<F>(env, &a, &b)
}

/// FPMulX: infinity times zero is two.
pub(crate) fn mulx<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    if Unpacked::is_infinity_times_zero(&a, &b) {
        return zero::<F>(a.sign != b.sign) | ((F::BIAS + 1) as u64) << F::FRAC;
    }
    product::<F>(env, &a, &b)
}

fn product<F: Format>(env: &mut Env, a: &Unpacked, b: &Unpacked) -> u64 {
    if let Some(nan) = process_nans::<F>(env, &[a, b]) {
        return nan;
    }
    let sign = a.sign != b.sign;
    match (a.class, b.class) {
        (Class::Infinity, _) | (_, Class::Infinity) => infinity::<F>(sign),
        (Class::Zero, _) | (_, Class::Zero) => zero::<F>(sign),
        (_, _) => round::<F>(env, Term::product(a, b).exact()),
    }
}

/// FPDiv.
pub(crate) fn div<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
    let (a, b) = (unpack::<F>(env, a), unpack::<F>(env, b));
    if let Some(nan) = process_nans::<F>(env, &[&a, &b]) {
        return nan;
    }
    let sign = a.sign != b.sign;
    match (a.class, b.class) {
        (Class::Infinity, Class::Infinity) | (Class::Zero, Class::Zero) => invalid::<F>(env),
        (Class::Infinity, _) => infinity::<F>(sign),
        (_, Class::Zero) => {
            env.raise(flag::DZC);
            infinity::<F>(sign)
        }
        (Class::Zero, _) | (_, Class::Infinity) => zero::<F>(sign),
        (_, _) => {
            let (dividend, divisor) = (u128::from(a.sig) << 63, u128::from(b.sig));
            let quotient = dividend / divisor;
            let sig = quotient | u128::from(quotient * divisor != dividend);
            round::<F>(env, Exact::normalised(sign, a.exp - b.exp + 64, sig))
        }
    }
}

/// FPSqrt.
pub(crate) fn sqrt<F: Format>(env: &mut Env, a: u64) -> u64 {
    let a = unpack::<F>(env, a);
    if let Some(nan) = process_nans::<F>(env, &[&a]) {
        return nan;
    }
    match (a.class, a.sign) {
        (Class::Zero, sign) => zero::<F>(sign),
        (_, true) => invalid::<F>(env),
        (Class::Infinity, false) => infinity::<F>(false),
        (_, false) => {
            // The root of `square / 2^126 * 2^(2 * half)` is `root / 2^63 * 2^half`.
            let square = u128::from(a.sig) << (63 + (a.exp & 1));
            let root = square.isqrt();
            let sig = root | u128::from(root * root != square);
            round::<F>(env, Exact::normalised(false, (a.exp >> 1) + 64, sig))
        }
    }
}
