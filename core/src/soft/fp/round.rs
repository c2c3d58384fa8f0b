//! Rounding: from an exact value, or one with a sticky bit, to a format. Source: Arm ARM J1.1 (`FPRoundBase`).
//!
//! [`Exact`] is what arithmetic leaves: a sign, an exponent and 64 bits whose lowest stands for everything below it.

use super::env::{Env, Rounding, flag};
use super::format::Format;
use super::unpack::{infinity, zero};

/// A number that is not zero: `sig / 2^63 * 2^exp` with bit 63 of `sig` set. Bit 0 is sticky: it is also set where the
/// value is not exact, which no rounding can tell from the truth, since no format has more than 53 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    pub sign: bool,
    pub exp: i32,
    pub sig: u64,
}

/// Shifts right; what falls off goes into bit 0.
pub(super) fn shift_right_sticky(value: u128, amount: u32) -> u128 {
    match amount {
        0 => value,
        1..=127 => value >> amount | u128::from(value & ((1 << amount) - 1) != 0),
        128.. => u128::from(value != 0),
    }
}

impl Exact {
    /// The number `sig / 2^127 * 2^exp`, `sig` being anything but zero.
    pub(super) fn normalised(sign: bool, exp: i32, sig: u128) -> Self {
        let zeros = sig.leading_zeros();
        let sig = sig << zeros;
        Self { sign, exp: exp - zeros as i32, sig: (sig >> 64) as u64 | u64::from(sig as u64 != 0) }
    }
}

/// A significand cut to an integer: what was cut off is described by its highest bit, and whether there is more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub integer: u64,
    half: bool,
    rest: bool,
}

impl Cut {
    /// Cuts off the lowest `amount` bits.
    pub(super) fn new(sig: u64, amount: u32) -> Self {
        match amount {
            0 => Self { integer: sig, half: false, rest: false },
            1..=63 => {
                let half = 1 << (amount - 1);
                Self { integer: sig >> amount, half: sig & half != 0, rest: sig & (half - 1) != 0 }
            }
            64 => Self { integer: 0, half: sig >> 63 != 0, rest: sig << 1 != 0 },
            65.. => Self { integer: 0, half: false, rest: sig != 0 },
        }
    }

    /// True when nothing was lost.
    pub(super) fn is_exact(self) -> bool {
        !self.half && !self.rest
    }

    /// The integer after rounding.
    pub(super) fn rounded(self, mode: Rounding, sign: bool) -> u64 {
        let up = match mode {
            Rounding::Nearest => self.half && (self.rest || self.integer & 1 == 1),
            Rounding::Away => self.half,
            Rounding::Plus => !sign && !self.is_exact(),
            Rounding::Minus => sign && !self.is_exact(),
            Rounding::Zero => false,
            Rounding::Odd => return self.integer | u64::from(!self.is_exact()),
        };
        self.integer + u64::from(up)
    }
}

/// FPRound by FPCR.
pub(super) fn round<F: Format>(env: &mut Env, value: Exact) -> u64 {
    let (mode, flushes) = (env.rounding(), env.flushes::<F>());
    round_with::<F>(env, value, mode, flushes, false)
}

/// FPRoundBase: `flushes` for flush to zero, `alternative` for half precision without infinities and NaNs.
pub(super) fn round_with<F: Format>(
    env: &mut Env,
    value: Exact,
    mode: Rounding,
    flushes: bool,
    alternative: bool,
) -> u64 {
    let Exact { sign, exp, sig } = value;
    let biased = exp.saturating_add(F::BIAS);
    let is_tiny = biased < 1;
    if is_tiny && flushes {
        env.raise(flag::UFC);
        return zero::<F>(sign);
    }
    let missing = if is_tiny { (1 - biased).unsigned_abs() } else { 0 };
    let cut = Cut::new(sig, (63 - F::FRAC).saturating_add(missing));
    // The leading bit of a normal number adds one to the exponent field, and so does a carry out of the fraction.
    let field = if is_tiny { 0 } else { biased.min(F::EXP_MAX + 1) - 1 };
    let magnitude = ((field as u64) << F::FRAC) + cut.rounded(mode, sign);
    if alternative && magnitude >= F::SIGN {
        env.raise(flag::IOC);
        return zero::<F>(sign) | (F::SIGN - 1);
    }
    if !alternative && magnitude >= F::INFINITY {
        env.raise(flag::OFC | flag::IXC);
        return overflowed::<F>(mode, sign);
    }
    if !cut.is_exact() {
        env.raise(if is_tiny { flag::UFC | flag::IXC } else { flag::IXC });
    }
    zero::<F>(sign) | magnitude
}

/// What a number that is too large becomes.
pub(super) fn overflowed<F: Format>(mode: Rounding, sign: bool) -> u64 {
    let to_infinity = match mode {
        Rounding::Nearest | Rounding::Away => true,
        Rounding::Plus => !sign,
        Rounding::Minus => sign,
        Rounding::Zero | Rounding::Odd => false,
    };
    if to_infinity { infinity::<F>(sign) } else { zero::<F>(sign) | F::MAX }
}
