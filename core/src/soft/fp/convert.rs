//! Conversions between formats, and to and from integers and fixed-point numbers. Source: Arm ARM J1.1 (`FPConvert`,
//! `FPToFixed`, `FPToFixedJS`, `FixedToFP`).

use super::env::{Env, Rounding, flag};
use super::format::Format;
use super::round::{Cut, Exact, round, round_with};
use super::unpack::{Class, Unpacked, infinity, unpack, unpack_with, zero};

/// True where FPCR.AHP makes half precision the alternative format.
fn is_alternative<F: Format>(env: &Env) -> bool {
    F::IS_HALF && env.has_alternative_half()
}

/// Conversions ignore FPCR.FZ16.
fn flushes<F: Format>(env: &Env) -> bool {
    !F::IS_HALF && env.flushes::<F>()
}

/// FPConvertNaN: a quiet NaN with as much of the payload as fits.
pub(super) fn convert_nan<From: Format, To: Format>(nan: u64) -> u64 {
    let payload = nan << (64 - From::FRAC) >> (64 - To::FRAC);
    zero::<To>(nan & From::SIGN != 0) | To::DEFAULT_NAN | payload
}

/// FPConvert by FPCR.RMode.
pub(crate) fn convert<From: Format, To: Format>(env: &mut Env, a: u64) -> u64 {
    let mode = env.rounding();
    convert_with::<From, To>(env, a, mode)
}

/// FPConvert, rounding to odd (FCVTXN).
pub(crate) fn convert_odd<From: Format, To: Format>(env: &mut Env, a: u64) -> u64 {
    convert_with::<From, To>(env, a, Rounding::Odd)
}

fn convert_with<From: Format, To: Format>(env: &mut Env, a: u64, mode: Rounding) -> u64 {
    let (flushes_operand, from_alternative) = (flushes::<From>(env), is_alternative::<From>(env));
    let a = unpack_with::<From>(env, a, flushes_operand, from_alternative);
    let to_alternative = is_alternative::<To>(env);
    match a.class {
        Class::QuietNan | Class::SignalingNan => {
            if a.class == Class::SignalingNan || to_alternative {
                env.raise(flag::IOC);
            }
            if to_alternative {
                zero::<To>(a.sign)
            } else if env.has_default_nan() {
                To::DEFAULT_NAN
            } else {
                convert_nan::<From, To>(a.bits)
            }
        }
        Class::Infinity if to_alternative => {
            env.raise(flag::IOC);
            zero::<To>(a.sign) | (To::SIGN - 1)
        }
        Class::Infinity => infinity::<To>(a.sign),
        Class::Zero => zero::<To>(a.sign),
        Class::Finite => {
            let flushes_result = flushes::<To>(env);
            round_with::<To>(env, exact(&a), mode, flushes_result, to_alternative)
        }
    }
}

pub(super) fn exact(a: &Unpacked) -> Exact {
    Exact { sign: a.sign, exp: a.exp, sig: a.sig }
}

/// A finite number times `2^fraction_bits` as an integer, if it is below `2^64`, and whether it is exact.
fn scaled(a: &Unpacked, fraction_bits: u32, mode: Rounding) -> Option<(u64, bool)> {
    let exp = a.exp + fraction_bits as i32;
    if exp > 63 {
        return None;
    }
    let cut = Cut::new(a.sig, (63 - exp).unsigned_abs());
    Some((cut.rounded(mode, a.sign), cut.is_exact()))
}

/// FPToFixed: `a * 2^fraction_bits` as an integer of `width` bits, saturated.
pub(crate) fn to_fixed<F: Format>(
    env: &mut Env,
    a: u64,
    fraction_bits: u32,
    width: u32,
    is_signed: bool,
    mode: Rounding,
) -> u64 {
    let a = unpack::<F>(env, a);
    let mask = u64::MAX >> (64 - width);
    // The largest magnitudes of positive and of negative results.
    let limit = match (is_signed, a.sign) {
        (true, false) => mask >> 1,
        (true, true) => (mask >> 1) + 1,
        (false, false) => mask,
        (false, true) => 0,
    };
    let magnitude = match a.class {
        Class::Zero => 0,
        Class::QuietNan | Class::SignalingNan => {
            env.raise(flag::IOC);
            return 0;
        }
        Class::Finite | Class::Infinity => {
            let integer = if a.is_infinite() { None } else { scaled(&a, fraction_bits, mode) };
            match integer {
                Some((integer, nothing_lost)) if integer <= limit => {
                    if !nothing_lost {
                        env.raise(flag::IXC);
                    }
                    integer
                }
                Some(_) | None => {
                    env.raise(flag::IOC);
                    limit
                }
            }
        }
    };
    if a.sign { magnitude.wrapping_neg() & mask } else { magnitude }
}

/// FPToFixedJS: the low 32 bits of the integer, and whether the number was that integer and not minus zero.
pub(crate) fn to_fixed_js<F: Format>(env: &mut Env, bits: u64) -> (u64, bool) {
    let a = unpack::<F>(env, bits);
    let low = |magnitude: u64| u64::from(if a.sign { (magnitude as u32).wrapping_neg() } else { magnitude as u32 });
    match a.class {
        Class::Zero => (0, bits & F::MASK == 0),
        Class::Infinity | Class::QuietNan | Class::SignalingNan => {
            env.raise(flag::IOC);
            (0, false)
        }
        Class::Finite if a.exp > 63 => {
            env.raise(flag::IOC);
            let shift = (a.exp - 63).unsigned_abs();
            (low(if shift < 64 { a.sig << shift } else { 0 }), false)
        }
        Class::Finite => {
            let cut = Cut::new(a.sig, (63 - a.exp).unsigned_abs());
            let fits = cut.integer <= if a.sign { 1 << 31 } else { (1 << 31) - 1 };
            if !fits {
                env.raise(flag::IOC);
            } else if !cut.is_exact() {
                env.raise(flag::IXC);
            }
            (low(cut.integer), fits && cut.is_exact())
        }
    }
}

/// FixedToFP: an integer of `width` bits divided by `2^fraction_bits`.
pub(crate) fn fixed_to_fp<F: Format>(
    env: &mut Env,
    value: u64,
    fraction_bits: u32,
    width: u32,
    is_signed: bool,
) -> u64 {
    let unused = 64 - width;
    let sign = is_signed && value << unused >> 63 == 1;
    let magnitude =
        if is_signed { ((value << unused) as i64 >> unused).unsigned_abs() } else { value << unused >> unused };
    if magnitude == 0 {
        return 0;
    }
    let zeros = magnitude.leading_zeros();
    let exp = 63 - zeros as i32 - fraction_bits as i32;
    round::<F>(env, Exact { sign, exp, sig: magnitude << zeros })
}
