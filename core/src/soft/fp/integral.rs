//! Rounding to an integer in floating-point format. Source: Arm ARM J1.1 (`FPRoundInt`, `FPRoundIntN`).

use super::env::{Env, Rounding, flag};
use super::format::Format;
use super::round::Cut;
use super::unpack::{Class, Unpacked, infinity, process_nans, unpack, zero};

/// The integer of a finite number below `2^64`, and whether it is exact.
fn integer(value: &Unpacked, mode: Rounding) -> (u64, bool) {
    let cut = Cut::new(value.sig, (63 - value.exp).unsigned_abs());
    (cut.rounded(mode, value.sign), cut.is_exact())
}

/// An integer that the format holds exactly.
fn exact<F: Format>(sign: bool, integer: u64) -> u64 {
    let Some(log2) = integer.checked_ilog2() else { return zero::<F>(sign) };
    let fraction = integer << (63 - log2) << 1 >> (64 - F::FRAC);
    zero::<F>(sign) | ((log2 as i32 + F::BIAS) as u64) << F::FRAC | fraction
}

/// FPRoundInt: FRINTN, FRINTX and so on; `is_exact` raises Inexact.
pub(crate) fn round_int<F: Format>(env: &mut Env, a: u64, mode: Rounding, is_exact: bool) -> u64 {
    let a = unpack::<F>(env, a);
    if let Some(nan) = process_nans::<F>(env, &[&a]) {
        return nan;
    }
    match a.class {
        Class::Zero => zero::<F>(a.sign),
        Class::Infinity => infinity::<F>(a.sign),
        // Every number this large is an integer.
        Class::Finite if a.exp >= F::FRAC as i32 => a.bits,
        Class::Finite | Class::QuietNan | Class::SignalingNan => {
            let (integer, nothing_lost) = integer(&a, mode);
            if is_exact && !nothing_lost {
                env.raise(flag::IXC);
            }
            exact::<F>(a.sign, integer)
        }
    }
}

/// FPRoundIntN: FRINT32Z and so on; what does not fit in `width` bits becomes the most negative integer.
pub(crate) fn round_int_n<F: Format>(env: &mut Env, a: u64, mode: Rounding, width: u32) -> u64 {
    let a = unpack::<F>(env, a);
    let smallest = 1u64 << (width - 1);
    match a.class {
        Class::Zero => return zero::<F>(a.sign),
        Class::Finite if a.exp < width as i32 => {
            let (integer, nothing_lost) = integer(&a, mode);
            if integer < smallest || a.sign && integer == smallest {
                if !nothing_lost {
                    env.raise(flag::IXC);
                }
                return exact::<F>(a.sign, integer);
            }
        }
        Class::Finite | Class::Infinity | Class::QuietNan | Class::SignalingNan => {}
    }
    env.raise(flag::IOC);
    exact::<F>(true, smallest)
}
