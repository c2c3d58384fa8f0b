//! Tests of the floating-point operations: [`half`] against the definition of rounding, [`host`] against the host's
//! arithmetic, [`rules`] for what the architecture adds (NaNs, flushing, estimates, saturation).
//!
//! Inputs are pseudo-random from fixed seeds. `ci/differential` compares the instructions with another implementation.

mod half;
mod host;
mod rules;

use super::env::{Env, FZ, FZ16};
use super::format::Format;

/// FPCR.DN.
const DN: u32 = 1 << 25;
/// FPCR.AHP.
const AHP: u32 = 1 << 26;
/// The four values of FPCR.RMode: to nearest, plus infinity, minus infinity, zero.
const MODES: [u32; 4] = [0, 1 << 22, 2 << 22, 3 << 22];

/// A generator of pseudo-random numbers (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// A fraction: often with few bits set, or few clear.
    fn fraction(&mut self, bits: u32) -> u64 {
        let mask = (1 << bits) - 1;
        let few = (0..self.below(3)).fold(0, |fraction, _| fraction | 1u64 << self.below(bits.into()));
        match self.below(4) {
            0 => few,
            1 => few ^ mask,
            2 => self.next() & mask & !((1 << self.below(bits.into())) - 1),
            _ => self.next() & mask,
        }
    }

    /// A number of any kind, NaNs and denormal ones included; often near one.
    fn number<F: Format>(&mut self) -> u64 {
        let top = F::EXP_MAX as u64;
        let bias = F::BIAS as u64;
        let field = match self.below(16) {
            0 => 0,
            1 => top,
            2 => 1,
            3 => top - 1,
            4..=9 => bias - 3 + self.below(7),
            _ => self.below(top),
        };
        let fraction = if self.below(8) == 0 { 0 } else { self.fraction(F::FRAC) };
        (if self.below(2) == 0 { F::SIGN } else { 0 }) | field << F::FRAC | fraction
    }

    /// A number whose exponent is near that of `other`, so that sums cancel and overlap in part.
    fn near<F: Format>(&mut self, other: u64) -> u64 {
        let field = (other >> F::FRAC & F::EXP_MAX as u64) as i64 + self.below(2 * u64::from(F::FRAC) + 8) as i64
            - i64::from(F::FRAC)
            - 4;
        let field = field.clamp(0, i64::from(F::EXP_MAX) - 1) as u64;
        (if self.below(2) == 0 { F::SIGN } else { 0 }) | field << F::FRAC | self.fraction(F::FRAC)
    }
}

/// An environment with nothing raised.
fn env(fpcr: u32) -> Env {
    Env { fpcr, fpsr: 0 }
}
