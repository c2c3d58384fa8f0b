//! [`Unpacked`]: an operand taken apart, and what becomes of NaNs. Source: Arm ARM J1.1 (`FPUnpackBase`,
//! `FPProcessNaN`, `FPProcessNaNs`, `FPProcessNaNs3`).

use super::env::{Env, flag};
use super::format::Format;

/// What an operand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Zero,
    /// Not zero, not infinite.
    Finite,
    Infinity,
    QuietNan,
    SignalingNan,
}

/// An operand. A finite one is `sig / 2^63 * 2^exp`, with bit 63 of `sig` set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unpacked {
    pub bits: u64,
    pub class: Class,
    pub sign: bool,
    pub exp: i32,
    pub sig: u64,
}

impl Unpacked {
    pub(super) fn is_nan(&self) -> bool {
        matches!(self.class, Class::QuietNan | Class::SignalingNan)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.class == Class::Zero
    }

    pub(super) fn is_infinite(&self) -> bool {
        self.class == Class::Infinity
    }

    /// True for an infinity and a zero, in either order.
    pub(super) fn is_infinity_times_zero(a: &Self, b: &Self) -> bool {
        a.is_infinite() && b.is_zero() || a.is_zero() && b.is_infinite()
    }
}

/// FPUnpack: denormal operands are flushed to zero as FPCR says.
pub(super) fn unpack<F: Format>(env: &mut Env, bits: u64) -> Unpacked {
    let flushes = env.flushes::<F>();
    unpack_with::<F>(env, bits, flushes, false)
}

/// FPUnpackBase: `flushes` for flush to zero, `alternative` for a half precision number without infinities and NaNs.
pub(super) fn unpack_with<F: Format>(env: &mut Env, bits: u64, flushes: bool, alternative: bool) -> Unpacked {
    let bits = bits & F::MASK;
    let sign = bits & F::SIGN != 0;
    let (field, fraction) = ((bits >> F::FRAC) as i32 & F::EXP_MAX, bits & F::FRACTION);
    let of = |class, exp, sig| Unpacked { bits, class, sign, exp, sig };
    if field == 0 {
        if fraction == 0 {
            return of(Class::Zero, 0, 0);
        }
        if flushes {
            if !F::IS_HALF {
                env.raise(flag::IDC);
            }
            return of(Class::Zero, 0, 0);
        }
        let zeros = fraction.leading_zeros();
        return of(Class::Finite, 64 - F::BIAS - F::FRAC as i32 - zeros as i32, fraction << zeros);
    }
    if field == F::EXP_MAX && !alternative {
        return match fraction {
            0 => of(Class::Infinity, 0, 0),
            _ if fraction & F::QUIET != 0 => of(Class::QuietNan, 0, 0),
            1.. => of(Class::SignalingNan, 0, 0),
        };
    }
    of(Class::Finite, field - F::BIAS, 1 << 63 | fraction << (63 - F::FRAC))
}

/// FPProcessNaN: the NaN that an operand NaN becomes.
fn process_nan<F: Format>(env: &mut Env, nan: &Unpacked) -> u64 {
    if nan.class == Class::SignalingNan {
        env.raise(flag::IOC);
    }
    if env.has_default_nan() { F::DEFAULT_NAN } else { nan.bits | F::QUIET }
}

/// FPProcessNaNs and FPProcessNaNs3: the result if an operand is a NaN. The first signaling one counts, else the first
/// quiet one.
pub(super) fn process_nans<F: Format>(env: &mut Env, operands: &[&Unpacked]) -> Option<u64> {
    let first = |class| operands.iter().copied().find(|operand| operand.class == class);
    let nan = first(Class::SignalingNan).or_else(|| first(Class::QuietNan))?;
    Some(process_nan::<F>(env, nan))
}

/// The default NaN, for an invalid operation.
pub(super) fn invalid<F: Format>(env: &mut Env) -> u64 {
    env.raise(flag::IOC);
    F::DEFAULT_NAN
}

/// A zero.
pub(super) fn zero<F: Format>(sign: bool) -> u64 {
    if sign { F::SIGN } else { 0 }
}

/// An infinity.
pub(super) fn infinity<F: Format>(sign: bool) -> u64 {
    zero::<F>(sign) | F::INFINITY
}
