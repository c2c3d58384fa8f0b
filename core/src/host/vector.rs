//! Instructions that many host CPUs have beyond their base level: a product of polynomials, and arithmetic on vectors of 256
//! bits with fused products and conversions of half precision ([`Wide`]).
//!
//! What is to use them is a function that is compiled a second time, for such a host: [`Wide::run`]. It takes arrays of lanes:
//! parts of a longer integer would not be joined to vectors by the optimiser. Sources: Intel SDM vol. 2
//! (PCLMULQDQ, VCVTPH2PS, VCVTPS2PH).

#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "functions that need a feature of the CPU are called after asking for it")
)]

pub use imp::Wide;

/// The product of two polynomials over {0, 1} of degree 63.
#[inline(always)]
#[must_use]
pub fn carryless_product(a: u64, b: u64) -> Option<u128> {
    imp::carryless_product(a, b)
}

/// Computes `f(args)`, compiled as [`Wide::run`] says where the host has what that needs.
#[inline(always)]
pub fn wide<A: Copy, R>(args: A, f: impl Fn(A) -> R) -> R {
    match Wide::detect() {
        Some(wide) => wide.run(args, move |_, args| f(args)),
        None => f(args),
    }
}

#[cfg(target_arch = "x86_64")]
mod imp {
    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::{
        _MM_FROUND_TO_NEAREST_INT, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_loadu_si128,
        _mm_storeu_si128, _mm_unpackhi_epi64, _mm256_cvtph_ps, _mm256_cvtps_ph, _mm256_loadu_ps, _mm256_storeu_ps,
    };

    /// Says that the host has vectors of 256 bits, fused products and conversions of half precision (AVX2, FMA, F16C).
    #[derive(Clone, Copy, Debug)]
    pub struct Wide(());

    impl Wide {
        /// A host that has them, or `None`.
        #[inline(always)]
        #[must_use]
        pub fn detect() -> Option<Self> {
            let has_all =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
            has_all.then_some(Self(()))
        }

        /// Computes `f(self, args)`, compiled for them. `f` is a function that is `#[inline(always)]`, as all that it calls: what
        /// is not compiled into this one is compiled for every host.
        #[inline(always)]
        pub fn run<A: Copy, R, F: Fn(Self, A) -> R>(self, args: A, f: F) -> R {
            const { assert!(size_of::<F>() == 0, "a function, which captures nothing") };
            // SAFETY: the CPU has the features, since there is a `Wide`.
            unsafe { with_all(self, args, f) }
        }

        /// Eight numbers of half precision in single precision, which has all of them.
        #[inline(always)]
        #[must_use]
        pub fn to_singles(self, halves: [u16; 8]) -> [f32; 8] {
            // SAFETY: the CPU has the features, since there is a `Wide`.
            unsafe { to_singles(halves) }
        }

        /// Eight numbers of single precision, rounded to nearest.
        #[inline(always)]
        #[must_use]
        pub fn from_singles(self, singles: [f32; 8]) -> [u16; 8] {
            // SAFETY: the CPU has the features, since there is a `Wide`.
            unsafe { from_singles(singles) }
        }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn with_all<A, R>(wide: Wide, args: A, f: impl Fn(Wide, A) -> R) -> R {
        f(wide, args)
    }

    #[target_feature(enable = "avx,f16c")]
    fn to_singles(halves: [u16; 8]) -> [f32; 8] {
        let mut singles = [0.0; 8];
        // SAFETY: there are eight numbers.
        let halves = unsafe { _mm_loadu_si128(halves.as_ptr().cast()) };
        // SAFETY: there is room for eight numbers.
        unsafe { _mm256_storeu_ps(singles.as_mut_ptr(), _mm256_cvtph_ps(halves)) };
        singles
    }

    #[target_feature(enable = "avx,f16c")]
    fn from_singles(singles: [f32; 8]) -> [u16; 8] {
        let mut halves = [0; 8];
        // SAFETY: there are eight numbers.
        let singles = unsafe { _mm256_loadu_ps(singles.as_ptr()) };
        let rounded = _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(singles);
        // SAFETY: there is room for eight numbers.
        unsafe { _mm_storeu_si128(halves.as_mut_ptr().cast(), rounded) };
        halves
    }

    #[target_feature(enable = "pclmulqdq")]
    fn multiply(a: u64, b: u64) -> u128 {
        let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(a as i64), _mm_cvtsi64_si128(b as i64));
        let (low, high) = (_mm_cvtsi128_si64(product), _mm_cvtsi128_si64(_mm_unpackhi_epi64(product, product)));
        u128::from(high as u64) << 64 | u128::from(low as u64)
    }

    #[inline(always)]
    pub(super) fn carryless_product(a: u64, b: u64) -> Option<u128> {
        // SAFETY: the CPU has the feature.
        is_x86_feature_detected!("pclmulqdq").then(|| unsafe { multiply(a, b) })
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod imp {
    /// Says that the host has such vectors: none is known to.
    #[derive(Clone, Copy, Debug)]
    pub enum Wide {}

    impl Wide {
        /// `None`.
        #[must_use]
        pub fn detect() -> Option<Self> {
            None
        }

        /// Would compute `f(self, args)`.
        pub fn run<A: Copy, R, F: Fn(Self, A) -> R>(self, _args: A, _f: F) -> R {
            match self {}
        }

        /// Would widen eight numbers of half precision.
        #[must_use]
        pub fn to_singles(self, _halves: [u16; 8]) -> [f32; 8] {
            match self {}
        }

        /// Would round eight numbers of single precision.
        #[must_use]
        pub fn from_singles(self, _singles: [f32; 8]) -> [u16; 8] {
            match self {}
        }
    }

    pub(super) fn carryless_product(_a: u64, _b: u64) -> Option<u128> {
        None
    }
}
