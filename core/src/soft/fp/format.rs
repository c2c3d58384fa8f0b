//! [`Format`]: the four floating-point formats, and what the host's arithmetic can do with them.

use super::env::{FZ, FZ16};
use super::halves;
use crate::host::vector::Wide;

/// A binary interchange format: a sign, an exponent, a fraction.
pub(crate) trait Format: Copy + 'static {
    /// Width in bits.
    const BITS: u32;
    /// Width of the fraction.
    const FRAC: u32;
    /// The bit of FPCR that flushes denormal numbers of this format to zero.
    const FLUSH: u32 = FZ;
    /// IEEE half precision, which has rules of its own: flushing an operand raises nothing.
    const IS_HALF: bool = false;

    /// The exponent field of infinities and NaNs.
    const EXP_MAX: i32 = (1 << (Self::BITS - 1 - Self::FRAC)) - 1;
    /// The exponent field of 1.0.
    const BIAS: i32 = Self::EXP_MAX >> 1;
    /// The sign.
    const SIGN: u64 = 1 << (Self::BITS - 1);
    /// All bits.
    const MASK: u64 = u64::MAX >> (64 - Self::BITS);
    /// The fraction.
    const FRACTION: u64 = (1 << Self::FRAC) - 1;
    /// Plus infinity.
    const INFINITY: u64 = (Self::EXP_MAX as u64) << Self::FRAC;
    /// The largest finite number.
    const MAX: u64 = Self::INFINITY - 1;
    /// The smallest normal number.
    const MIN_NORMAL: u64 = 1 << Self::FRAC;
    /// The bit that makes a NaN quiet.
    const QUIET: u64 = 1 << (Self::FRAC - 1);
    /// The default NaN.
    const DEFAULT_NAN: u64 = Self::INFINITY | Self::QUIET;

    /// The lanes of a vector register.
    type Lanes: Copy;

    /// Fused products in all lanes, in [`Wide::run`]: right where [`is_host_like`](super::fast::is_host_like) holds, or for
    /// half precision [`is_host_like_half`](super::fast::is_host_like_half); `None` where the host cannot.
    fn host_mul_adds(wide: Wide, addend: Self::Lanes, a: Self::Lanes, b: Self::Lanes) -> Option<Self::Lanes>;

    /// All lanes with their signs changed.
    fn negated(lanes: Self::Lanes) -> Self::Lanes;

    /// The sum by the host's arithmetic; `None` where the host has no such format. The same holds for those below.
    #[inline(always)]
    fn host_add(_a: u64, _b: u64) -> Option<u64> {
        None
    }

    /// The product.
    #[inline(always)]
    fn host_mul(_a: u64, _b: u64) -> Option<u64> {
        None
    }

    /// The quotient.
    #[inline(always)]
    fn host_div(_a: u64, _b: u64) -> Option<u64> {
        None
    }

    /// The square root.
    #[inline(always)]
    fn host_sqrt(_a: u64) -> Option<u64> {
        None
    }

    /// `a * b + c`, rounded once.
    #[inline(always)]
    fn host_mul_add(_a: u64, _b: u64, _c: u64) -> Option<u64> {
        None
    }

    /// The number in the host's double precision, exact.
    #[inline(always)]
    fn host_value(_a: u64) -> Option<f64> {
        None
    }

    /// The number rounded to this format.
    #[inline(always)]
    fn host_from(_value: f64) -> Option<u64> {
        None
    }

    /// The integer rounded to this format.
    #[inline(always)]
    fn host_from_signed(_value: i64) -> Option<u64> {
        None
    }

    /// The integer rounded to this format.
    #[inline(always)]
    fn host_from_unsigned(_value: u64) -> Option<u64> {
        None
    }
}

/// IEEE half precision; in conversions FPCR.AHP can make it the alternative format without infinities and NaNs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Half;
/// BFloat16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brain;
/// Single precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single;
/// Double precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Double;

impl Format for Half {
    const BITS: u32 = 16;
    const FRAC: u32 = 10;
    const FLUSH: u32 = FZ16;
    const IS_HALF: bool = true;

    type Lanes = halves::Halves;

    #[inline(always)]
    fn host_mul_adds(wide: Wide, addend: Self::Lanes, a: Self::Lanes, b: Self::Lanes) -> Option<Self::Lanes> {
        halves::mul_add(wide, addend, a, b)
    }

    #[inline(always)]
    fn negated(lanes: Self::Lanes) -> Self::Lanes {
        halves::neg(lanes)
    }

    /// `None` also for infinities and NaNs, which the alternative format does not have.
    #[inline(always)]
    fn host_value(a: u64) -> Option<f64> {
        Self::widened(a).map(|single| f64::from(f32::from_bits(single as u32)))
    }

    #[inline(always)]
    fn host_from(value: f64) -> Option<u64> {
        shortened::<Self>(value)
    }

    /// `None` also for denormal numbers, which FPCR.FZ16 makes zeros.
    #[inline(always)]
    fn host_sqrt(a: u64) -> Option<u64> {
        let is_denormal = a & Self::INFINITY == 0 && a & Self::FRACTION != 0;
        if is_denormal {
            return None;
        }
        let [root, ..] = Wide::detect()?.run([a as u16; 8], halves::sqrt)?;
        Some(root.into())
    }
}

impl Half {
    /// A finite number in single precision, which has all of them.
    #[inline(always)]
    pub(super) fn widened(a: u64) -> Option<u64> {
        // 2 to the difference of the exponents' biases.
        const SCALE: f32 = f32::from_bits((127 + 112) << 23);
        let (magnitude, sign) = (a & !Self::SIGN & Self::MASK, a & Self::SIGN);
        let scaled = f32::from_bits((magnitude << 13) as u32) * SCALE;
        (magnitude < Self::INFINITY).then(|| u64::from(scaled.to_bits()) | sign << 16)
    }
}

impl Format for Brain {
    const BITS: u32 = 16;
    const FRAC: u32 = 7;

    type Lanes = [u16; 8];

    fn host_mul_adds(_: Wide, _addend: Self::Lanes, _a: Self::Lanes, _b: Self::Lanes) -> Option<Self::Lanes> {
        None
    }

    fn negated(lanes: Self::Lanes) -> Self::Lanes {
        lanes.map(|lane| lane ^ Self::SIGN as u16)
    }

    #[inline(always)]
    fn host_from(value: f64) -> Option<u64> {
        shortened::<Self>(value)
    }
}

/// A number of double precision rounded to nearest in a shorter format; `None` where the result is not normal.
#[inline(always)]
fn shortened<F: Format>(value: f64) -> Option<u64> {
    let (bits, dropped) = (value.to_bits(), Double::FRAC - F::FRAC);
    let magnitude = bits & !Double::SIGN;
    let is_odd = magnitude >> dropped & 1;
    let nearest = (magnitude + (1 << (dropped - 1)) - 1 + is_odd) >> dropped;
    let result = nearest.wrapping_sub(((Double::BIAS - F::BIAS) as u64) << F::FRAC);
    (F::MIN_NORMAL..F::INFINITY).contains(&result).then_some(bits >> (Double::BITS - F::BITS) & F::SIGN | result)
}

/// The host's arithmetic for a format that is one of its own.
macro_rules! host_arithmetic {
    ($float:ty, $bits:ty) => {
        type Lanes = [$bits; 16 / size_of::<$bits>()];

        /// As [`fast::host::mul_add`](super::fast::host::mul_add), lane by lane.
        #[inline(always)]
        fn host_mul_adds(_: Wide, addend: Self::Lanes, a: Self::Lanes, b: Self::Lanes) -> Option<Self::Lanes> {
            const INFINITY: $bits = <$float>::INFINITY.to_bits();
            const MIN_NORMAL: $bits = <$float>::MIN_POSITIVE.to_bits();
            let magnitude = |number: $bits| number & <$bits>::MAX >> 1;
            let sums: Self::Lanes = std::array::from_fn(|index| {
                let [addend, a, b] = [addend, a, b].map(|lanes| <$float>::from_bits(lanes[index]));
                a.mul_add(b, addend).to_bits()
            });
            let mut is_right = true;
            for (index, sum) in sums.into_iter().enumerate() {
                let has_zero = (magnitude(a[index]) == 0) | (magnitude(b[index]) == 0);
                let is_settled = magnitude(sum).wrapping_sub(MIN_NORMAL + 1) < INFINITY - MIN_NORMAL - 1;
                is_right &= is_settled | (has_zero & (magnitude(sum) == 0));
            }
            is_right.then_some(sums)
        }

        #[inline(always)]
        fn negated(lanes: Self::Lanes) -> Self::Lanes {
            lanes.map(|lane| lane ^ Self::SIGN as $bits)
        }

        #[inline(always)]
        fn host_add(a: u64, b: u64) -> Option<u64> {
            Some(u64::from((<$float>::from_bits(a as $bits) + <$float>::from_bits(b as $bits)).to_bits()))
        }

        #[inline(always)]
        fn host_mul(a: u64, b: u64) -> Option<u64> {
            Some(u64::from((<$float>::from_bits(a as $bits) * <$float>::from_bits(b as $bits)).to_bits()))
        }

        #[inline(always)]
        fn host_div(a: u64, b: u64) -> Option<u64> {
            Some(u64::from((<$float>::from_bits(a as $bits) / <$float>::from_bits(b as $bits)).to_bits()))
        }

        #[inline(always)]
        fn host_sqrt(a: u64) -> Option<u64> {
            Some(u64::from(<$float>::from_bits(a as $bits).sqrt().to_bits()))
        }

        #[inline(always)]
        fn host_mul_add(a: u64, b: u64, c: u64) -> Option<u64> {
            let (a, b, c) =
                (<$float>::from_bits(a as $bits), <$float>::from_bits(b as $bits), <$float>::from_bits(c as $bits));
            Some(u64::from(a.mul_add(b, c).to_bits()))
        }

        #[inline(always)]
        fn host_value(a: u64) -> Option<f64> {
            Some(f64::from(<$float>::from_bits(a as $bits)))
        }

        #[inline(always)]
        fn host_from(value: f64) -> Option<u64> {
            Some(u64::from((value as $float).to_bits()))
        }

        #[inline(always)]
        fn host_from_signed(value: i64) -> Option<u64> {
            Some(u64::from((value as $float).to_bits()))
        }

        #[inline(always)]
        fn host_from_unsigned(value: u64) -> Option<u64> {
            Some(u64::from((value as $float).to_bits()))
        }
    };
}

impl Format for Single {
    const BITS: u32 = 32;
    const FRAC: u32 = 23;
    host_arithmetic!(f32, u32);
}

impl Format for Double {
    const BITS: u32 = 64;
    const FRAC: u32 = 52;
    host_arithmetic!(f64, u64);
}
