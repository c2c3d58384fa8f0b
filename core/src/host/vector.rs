//! Instructions that many host CPUs have beyond their base level: a product of polynomials, and arithmetic on eight numbers
//! of half precision at once. Each function answers `None` where the host lacks them. [`wide`] is for what the compiler
//! makes of such instructions by itself.
//!
//! Half precision is widened, computed in single precision and rounded back, to nearest. For sums, products and quotients
//! that is the correctly rounded result, since 24 bits are at least twice 11 and two more (Figueroa, "When is double
//! rounding innocuous?", 1995). A fused product is right unless its rounding to single precision ends halfway between two
//! halves, which is answered by `None` as well. NaNs and flags are not those of the Arm architecture. Sources: Intel SDM
//! vol. 2 (PCLMULQDQ, VCVTPH2PS, VCVTPS2PH, VFMADD213PS).

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "functions that need a feature of the CPU are called after asking for it")
)]

/// The product of two polynomials over {0, 1} of degree 63.
#[inline(always)]
#[must_use]
pub fn carryless_product(a: u64, b: u64) -> Option<u128> {
    imp::carryless_product(a, b)
}

/// Computes `f(args)`, compiled for vectors of 256 bits and fused products where the host has them. `f` is a function that is
/// `#[inline(always)]`, as all that it calls: what is not compiled into this one is compiled for every host.
#[inline(always)]
pub fn wide<A: Copy, R, F: Fn(A) -> R>(args: A, f: F) -> R {
    const { assert!(size_of::<F>() == 0, "a function, which captures nothing") };
    imp::wide(args, f)
}

/// Eight numbers in single precision, which has all of them.
#[inline(always)]
#[must_use]
pub fn half_to_singles(halves: u128) -> Option<[f32; 8]> {
    imp::half_to_singles(halves)
}

/// Eight numbers of single precision, rounded.
#[inline(always)]
#[must_use]
pub fn half_from_singles(singles: [f32; 8]) -> Option<u128> {
    imp::half_from_singles(singles)
}

/// `a + b` in eight lanes.
#[inline(always)]
#[must_use]
pub fn half_add(a: u128, b: u128) -> Option<u128> {
    imp::half_add(a, b)
}

/// `a * b` in eight lanes.
#[inline(always)]
#[must_use]
pub fn half_mul(a: u128, b: u128) -> Option<u128> {
    imp::half_mul(a, b)
}

/// `a / b` in eight lanes.
#[inline(always)]
#[must_use]
pub fn half_div(a: u128, b: u128) -> Option<u128> {
    imp::half_div(a, b)
}

/// `a * b + addend` in eight lanes, rounded once.
#[inline(always)]
#[must_use]
pub fn half_mul_add(addend: u128, a: u128, b: u128) -> Option<u128> {
    imp::half_mul_add(addend, a, b)
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::{
        __m128i, __m256, _MM_FROUND_TO_NEAREST_INT, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64,
        _mm_set_epi64x, _mm_unpackhi_epi64, _mm256_add_ps, _mm256_castps_si256, _mm256_castsi256_si128,
        _mm256_cvtph_ps, _mm256_cvtps_ph, _mm256_div_ps, _mm256_extractf128_si256, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_mul_ps, _mm256_storeu_ps,
    };
    use std::arch::x86_64::{_mm_and_si128, _mm_cmpeq_epi32, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi32};

    #[target_feature(enable = "sse2")]
    fn vector(value: u128) -> __m128i {
        _mm_set_epi64x((value >> 64) as i64, value as i64)
    }

    #[target_feature(enable = "sse2")]
    fn number(vector: __m128i) -> u128 {
        let (low, high) = (_mm_cvtsi128_si64(vector), _mm_cvtsi128_si64(_mm_unpackhi_epi64(vector, vector)));
        u128::from(high as u64) << 64 | u128::from(low as u64)
    }

    #[target_feature(enable = "pclmulqdq")]
    fn multiply(a: u64, b: u64) -> u128 {
        number(_mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(a as i64), _mm_cvtsi64_si128(b as i64)))
    }

    #[inline(always)]
    pub(super) fn carryless_product(a: u64, b: u64) -> Option<u128> {
        // SAFETY: the CPU has the feature.
        is_x86_feature_detected!("pclmulqdq").then(|| unsafe { multiply(a, b) })
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn with_all<A, R>(args: A, f: impl Fn(A) -> R) -> R {
        f(args)
    }

    #[inline(always)]
    pub(super) fn wide<A, R>(args: A, f: impl Fn(A) -> R) -> R {
        if has_halves() && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the CPU has the features.
            unsafe { with_all(args, f) }
        } else {
            f(args)
        }
    }

    #[target_feature(enable = "avx,f16c")]
    fn to_singles(halves: u128) -> [f32; 8] {
        let mut singles = [0.0; 8];
        // SAFETY: there is room for eight numbers.
        unsafe { _mm256_storeu_ps(singles.as_mut_ptr(), widened(halves)) };
        singles
    }

    #[inline(always)]
    pub(super) fn half_to_singles(halves: u128) -> Option<[f32; 8]> {
        // SAFETY: the CPU has the features.
        has_halves().then(|| unsafe { to_singles(halves) })
    }

    #[target_feature(enable = "avx,f16c")]
    fn from_singles(singles: [f32; 8]) -> u128 {
        // SAFETY: there are eight numbers.
        narrow(unsafe { _mm256_loadu_ps(singles.as_ptr()) })
    }

    #[inline(always)]
    pub(super) fn half_from_singles(singles: [f32; 8]) -> Option<u128> {
        // SAFETY: the CPU has the features.
        has_halves().then(|| unsafe { from_singles(singles) })
    }

    #[target_feature(enable = "avx,f16c")]
    fn widened(halves: u128) -> __m256 {
        _mm256_cvtph_ps(vector(halves))
    }

    #[target_feature(enable = "avx,f16c")]
    fn narrow(singles: __m256) -> u128 {
        number(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(singles))
    }

    #[target_feature(enable = "avx,f16c")]
    fn add(a: u128, b: u128) -> u128 {
        narrow(_mm256_add_ps(widened(a), widened(b)))
    }

    #[target_feature(enable = "avx,f16c")]
    fn mul(a: u128, b: u128) -> u128 {
        narrow(_mm256_mul_ps(widened(a), widened(b)))
    }

    #[target_feature(enable = "avx,f16c")]
    fn div(a: u128, b: u128) -> u128 {
        narrow(_mm256_div_ps(widened(a), widened(b)))
    }

    /// True where a lane ends in the 13 bits that are halfway between two halves.
    #[target_feature(enable = "avx")]
    fn has_halfway(singles: __m256) -> bool {
        let bits = _mm256_castps_si256(singles);
        let (dropped, halfway) = (_mm_set1_epi32(0x1fff), _mm_set1_epi32(0x1000));
        let low = _mm_cmpeq_epi32(_mm_and_si128(_mm256_castsi256_si128(bits), dropped), halfway);
        let high = _mm_cmpeq_epi32(_mm_and_si128(_mm256_extractf128_si256::<1>(bits), dropped), halfway);
        _mm_movemask_epi8(_mm_or_si128(low, high)) != 0
    }

    #[target_feature(enable = "avx,f16c,fma")]
    fn mul_add(addend: u128, a: u128, b: u128) -> Option<u128> {
        let sums = _mm256_fmadd_ps(widened(a), widened(b), widened(addend));
        (!has_halfway(sums)).then(|| narrow(sums))
    }

    #[inline(always)]
    fn has_halves() -> bool {
        is_x86_feature_detected!("f16c") && is_x86_feature_detected!("avx")
    }

    #[inline(always)]
    pub(super) fn half_add(a: u128, b: u128) -> Option<u128> {
        // SAFETY: the CPU has the features.
        has_halves().then(|| unsafe { add(a, b) })
    }

    #[inline(always)]
    pub(super) fn half_mul(a: u128, b: u128) -> Option<u128> {
        // SAFETY: the CPU has the features.
        has_halves().then(|| unsafe { mul(a, b) })
    }

    #[inline(always)]
    pub(super) fn half_div(a: u128, b: u128) -> Option<u128> {
        // SAFETY: the CPU has the features.
        has_halves().then(|| unsafe { div(a, b) })
    }

    #[inline(always)]
    pub(super) fn half_mul_add(addend: u128, a: u128, b: u128) -> Option<u128> {
        if !(has_halves() && is_x86_feature_detected!("fma")) {
            return None;
        }
        // SAFETY: the CPU has the features.
        unsafe { mul_add(addend, a, b) }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    pub(super) fn carryless_product(_a: u64, _b: u64) -> Option<u128> {
        None
    }

    #[inline(always)]
    pub(super) fn wide<A, R>(args: A, f: impl Fn(A) -> R) -> R {
        f(args)
    }

    pub(super) fn half_to_singles(_halves: u128) -> Option<[f32; 8]> {
        None
    }

    pub(super) fn half_from_singles(_singles: [f32; 8]) -> Option<u128> {
        None
    }

    pub(super) fn half_add(_a: u128, _b: u128) -> Option<u128> {
        None
    }

    pub(super) fn half_mul(_a: u128, _b: u128) -> Option<u128> {
        None
    }

    pub(super) fn half_div(_a: u128, _b: u128) -> Option<u128> {
        None
    }

    pub(super) fn half_mul_add(_addend: u128, _a: u128, _b: u128) -> Option<u128> {
        None
    }
}
