//! The same operations, by the host's arithmetic where that gives provably the same result and flags.
//!
//! The host rounds to nearest and keeps denormal numbers, so FPCR must say the same. A result that is finite and larger
//! than the smallest normal number (in magnitude) then comes from operands that are no NaNs, and can have raised Inexact
//! only; where FPSR has that already nothing is left to do. So it is with sums that are smaller, which are always exact,
//! and with zeros that come from zeros. Everything else is computed by the exact functions. Conversions from and to
//! integers know by themselves whether they are exact.
//!
//! Of each arithmetic operation there is the plain function, and in [`host`] what the host can do: a result that is right
//! in an environment where [`is_host_like`] holds, or `None`.

use super::Ordering;
use super::env::{Env, Rounding, flag};
use super::format::{Format, Half, Single};
use super::{arith, compare as exact_compare, convert as exact_convert, fused};

/// True for a number whose making has raised Inexact at most.
#[inline(always)]
fn is_settled<F: Format>(result: u64) -> bool {
    (result & !F::SIGN).wrapping_sub(F::MIN_NORMAL + 1) < F::INFINITY - F::MIN_NORMAL - 1
}

#[inline(always)]
fn is_finite<F: Format>(result: u64) -> bool {
    result & !F::SIGN < F::INFINITY
}

#[inline(always)]
fn is_zero<F: Format>(value: u64) -> bool {
    value & !F::SIGN == 0
}

/// True when the host rounds as FPCR says, and Inexact is no news.
#[inline(always)]
pub(crate) fn is_host_like(env: &Env) -> bool {
    env.is_plain() && env.is_inexact()
}

/// The same where operands or results are of half precision.
#[inline(always)]
pub(crate) fn is_host_like_half(env: &Env) -> bool {
    is_host_like(env) && !env.flushes::<Half>()
}

/// What the host can do.
pub(crate) mod host {
    use super::super::arith::neg;
    use super::super::format::Format;
    use super::{is_finite, is_settled, is_zero};

    /// A sum. A small one is exact, since the operands are multiples of the smallest denormal number.
    #[inline(always)]
    pub(crate) fn add<F: Format>(a: u64, b: u64) -> Option<u64> {
        F::host_add(a, b).filter(|&result| is_finite::<F>(result))
    }

    /// A difference.
    #[inline(always)]
    pub(crate) fn sub<F: Format>(a: u64, b: u64) -> Option<u64> {
        add::<F>(a, neg::<F>(b))
    }

    /// A product.
    #[inline(always)]
    pub(crate) fn mul<F: Format>(a: u64, b: u64) -> Option<u64> {
        let has_zero = is_zero::<F>(a) | is_zero::<F>(b);
        F::host_mul(a, b).filter(|&result| is_settled::<F>(result) || has_zero && is_zero::<F>(result))
    }

    /// A quotient.
    #[inline(always)]
    pub(crate) fn div<F: Format>(a: u64, b: u64) -> Option<u64> {
        F::host_div(a, b).filter(|&result| is_settled::<F>(result) || is_zero::<F>(a) && is_zero::<F>(result))
    }

    /// A square root; that of a positive number is normal.
    #[inline(always)]
    pub(crate) fn sqrt<F: Format>(a: u64) -> Option<u64> {
        F::host_sqrt(a).filter(|&result| is_finite::<F>(result))
    }

    /// A fused product.
    #[inline(always)]
    pub(crate) fn mul_add<F: Format>(addend: u64, a: u64, b: u64) -> Option<u64> {
        let has_zero = is_zero::<F>(a) | is_zero::<F>(b);
        F::host_mul_add(a, b, addend).filter(|&result| is_settled::<F>(result) || has_zero && is_zero::<F>(result))
    }

    /// A product, where infinity times zero is two: nothing for the host.
    #[inline(always)]
    pub(crate) fn mulx<F: Format>(a: u64, b: u64) -> Option<u64> {
        mul::<F>(a, b)
    }

    /// `2 - a * b`.
    #[inline(always)]
    pub(crate) fn recip_step<F: Format>(a: u64, b: u64) -> Option<u64> {
        let two = ((F::BIAS + 1) as u64) << F::FRAC;
        F::host_mul_add(neg::<F>(a), b, two).filter(|&result| is_settled::<F>(result))
    }

    /// `(3 - a * b) / 2`; halving a number is exact where both are normal.
    #[inline(always)]
    pub(crate) fn recip_sqrt_step<F: Format>(a: u64, b: u64) -> Option<u64> {
        let three = ((F::BIAS + 1) as u64) << F::FRAC | F::QUIET;
        let twice = F::host_mul_add(neg::<F>(a), b, three).filter(|&result| is_settled::<F>(result))?;
        Some(twice - F::MIN_NORMAL).filter(|&result| is_settled::<F>(result))
    }
}

/// Defines operations: by the host if it can, or else exactly.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($($operand:ident),+) = $exact:path;)*) => {
        $($(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<F: Format>(env: &mut Env, $($operand: u64),+) -> u64 {
            if is_host_like(env)
                && let Some(result) = host::$name::<F>($($operand),+)
            {
                return result;
            }
            $exact(env, $($operand),+)
        })*
    };
}

operations! {
    /// [`add`](super::arith::add).
    add(a, b) = arith::add::<F>;
    /// [`sub`](super::arith::sub).
    sub(a, b) = arith::sub::<F>;
    /// [`mul`](super::arith::mul).
    mul(a, b) = arith::mul::<F>;
    /// [`div`](super::arith::div).
    div(a, b) = arith::div::<F>;
    /// [`sqrt`](super::arith::sqrt).
    sqrt(a) = arith::sqrt::<F>;
    /// [`mul_add`](super::fused::mul_add).
    mul_add(addend, a, b) = fused::mul_add::<F>;
    /// [`mulx`](super::arith::mulx).
    mulx(a, b) = arith::mulx::<F>;
    /// [`recip_step`](super::fused::recip_step).
    recip_step(a, b) = fused::recip_step::<F>;
    /// [`recip_sqrt_step`](super::fused::recip_sqrt_step).
    recip_sqrt_step(a, b) = fused::recip_sqrt_step::<F>;
}

/// [`mul_add_long`](super::fused::mul_add_long).
#[inline(always)]
pub(crate) fn mul_add_long(env: &mut Env, addend: u64, a: u64, b: u64) -> u64 {
    if is_host_like_half(env)
        && let (Some(a), Some(b)) = (Half::widened(a), Half::widened(b))
        && let Some(result) = host::mul_add::<Single>(addend, a, b)
    {
        return result;
    }
    fused::mul_add_long(env, addend, a, b)
}

/// The operand that is larger, or smaller: `None` where a NaN or zeros are among them.
#[inline(always)]
fn larger<F: Format>(env: &Env, a: u64, b: u64, is_max: bool) -> Option<u64> {
    match numbers_in_order::<F>(env, a, b)? {
        Ordering::Less => Some(if is_max { b } else { a }),
        Ordering::Greater => Some(if is_max { a } else { b }),
        Ordering::Equal | Ordering::Unordered => None,
    }
}

/// Defines maxima and minima.
macro_rules! extrema {
    ($($(#[$doc:meta])* $name:ident = $is_max:literal;)*) => {
        $($(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<F: Format>(env: &mut Env, a: u64, b: u64) -> u64 {
            larger::<F>(env, a, b, $is_max).unwrap_or_else(|| exact_compare::$name::<F>(env, a, b))
        })*
    };
}

extrema! {
    /// [`max`](super::compare::max).
    max = true;
    /// [`min`](super::compare::min).
    min = false;
    /// [`max_num`](super::compare::max_num).
    max_num = true;
    /// [`min_num`](super::compare::min_num).
    min_num = false;
}

/// [`compare`](super::compare::compare).
#[inline(always)]
pub(crate) fn compare<F: Format>(env: &mut Env, a: u64, b: u64) -> Ordering {
    numbers_in_order::<F>(env, a, b).unwrap_or_else(|| exact_compare::compare::<F>(env, a, b))
}

/// [`compare_quiet`](super::compare::compare_quiet).
#[inline(always)]
pub(crate) fn compare_quiet<F: Format>(env: &mut Env, a: u64, b: u64) -> Ordering {
    numbers_in_order::<F>(env, a, b).unwrap_or_else(|| exact_compare::compare_quiet::<F>(env, a, b))
}

/// The order of two numbers, which raises nothing.
#[inline(always)]
fn numbers_in_order<F: Format>(env: &Env, a: u64, b: u64) -> Option<Ordering> {
    if env.flushes::<F>() {
        return None;
    }
    let order = if F::IS_HALF { Some(ordinal::<F>(a)?.cmp(&ordinal::<F>(b)?)) } else { host_order::<F>(a, b) };
    Some(match order? {
        std::cmp::Ordering::Less => Ordering::Less,
        std::cmp::Ordering::Equal => Ordering::Equal,
        std::cmp::Ordering::Greater => Ordering::Greater,
    })
}

#[inline(always)]
fn host_order<F: Format>(a: u64, b: u64) -> Option<std::cmp::Ordering> {
    F::host_value(a)?.partial_cmp(&F::host_value(b)?)
}

/// An integer that is ordered as the number; both zeros are 0, a NaN has none.
#[inline(always)]
fn ordinal<F: Format>(a: u64) -> Option<i64> {
    let magnitude = a & !F::SIGN & F::MASK;
    let value = if a & F::SIGN == 0 { magnitude as i64 } else { -(magnitude as i64) };
    (magnitude <= F::INFINITY).then_some(value)
}

/// [`convert`](super::convert::convert). To a longer format every number is exact.
#[inline(always)]
pub(crate) fn convert<From: Format, To: Format>(env: &mut Env, a: u64) -> u64 {
    if env.is_plain()
        && (From::BITS < To::BITS || env.is_inexact())
        && let Some(value) = From::host_value(a)
        && let Some(result) = To::host_from(value)
        && is_settled::<To>(result)
    {
        return result;
    }
    exact_convert::convert::<From, To>(env, a)
}

/// [`to_fixed`](super::to_fixed) without fraction bits.
#[inline(always)]
pub(crate) fn to_integer<F: Format>(env: &mut Env, a: u64, width: u32, is_signed: bool, mode: Rounding) -> u64 {
    if mode == Rounding::Zero
        && !env.flushes::<F>()
        && let Some(value) = F::host_value(a)
    {
        // A power of two, and so exact.
        let limit = (1u128 << (width - u32::from(is_signed))) as f64;
        if is_signed && value >= -limit && value < limit {
            let integer = value as i64;
            if integer as f64 != value {
                env.raise(flag::IXC);
            }
            return integer as u64 & (u64::MAX >> (64 - width));
        }
        if !is_signed && value >= 0.0 && value < limit {
            let integer = value as u64;
            if integer as f64 != value {
                env.raise(flag::IXC);
            }
            return integer;
        }
    }
    exact_convert::to_fixed::<F>(env, a, 0, width, is_signed, mode)
}

/// [`fixed_to_fp`](super::fixed_to_fp) without fraction bits.
#[inline(always)]
pub(crate) fn from_integer<F: Format>(env: &mut Env, value: u64, width: u32, is_signed: bool) -> u64 {
    let unused = 64 - width;
    let signed = (value << unused) as i64 >> unused;
    let unsigned = value << unused >> unused;
    let result = if is_signed { F::host_from_signed(signed) } else { F::host_from_unsigned(unsigned) };
    match result {
        Some(result) if env.rounding() == Rounding::Nearest => {
            let magnitude = if is_signed { signed.unsigned_abs() } else { unsigned };
            // Significant bits, from the first to the last that is set.
            let bits = 64u32.saturating_sub(magnitude.leading_zeros() + magnitude.trailing_zeros());
            if bits > F::FRAC + 1 {
                env.raise(flag::IXC);
            }
            result
        }
        Some(_) | None => exact_convert::fixed_to_fp::<F>(env, value, 0, width, is_signed),
    }
}
