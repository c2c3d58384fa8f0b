//! [`Env`]: FPCR and FPSR. Source: Arm ARM C5.2.8 (FPCR), C5.2.10 (FPSR).

use super::format::Format;

/// Bits of FPCR that can be set: AHP, DN, FZ, RMode, FZ16.
pub(crate) const FPCR_BITS: u32 = 0x07c8_0000;
/// Bits of FPSR that can be set: QC and the cumulative exceptions.
pub(crate) const FPSR_BITS: u32 = 0x0800_009f;

const AHP: u32 = 1 << 26;
const DN: u32 = 1 << 25;
/// FPCR.FZ.
pub(super) const FZ: u32 = 1 << 24;
const RMODE: u32 = 3 << 22;
/// FPCR.FZ16.
pub(super) const FZ16: u32 = 1 << 19;

/// The cumulative exception bits of FPSR.
pub(crate) mod flag {
    /// Invalid operation.
    pub(crate) const IOC: u32 = 1 << 0;
    /// Division by zero.
    pub(crate) const DZC: u32 = 1 << 1;
    /// Overflow.
    pub(crate) const OFC: u32 = 1 << 2;
    /// Underflow.
    pub(crate) const UFC: u32 = 1 << 3;
    /// Inexact.
    pub(crate) const IXC: u32 = 1 << 4;
    /// Input denormal (flushed to zero).
    pub(crate) const IDC: u32 = 1 << 7;
    /// Saturation of an integer instruction.
    pub(crate) const QC: u32 = 1 << 27;
}

/// How a result that does not fit is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rounding {
    /// To nearest, ties to even.
    Nearest,
    /// Towards plus infinity.
    Plus,
    /// Towards minus infinity.
    Minus,
    /// Towards zero.
    Zero,
    /// To nearest, ties away from zero.
    Away,
    /// To odd: an inexact result gets an odd significand.
    Odd,
}

/// The floating-point registers of control and status.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Env {
    /// FPCR.
    pub fpcr: u32,
    /// FPSR.
    pub fpsr: u32,
}

impl Env {
    /// Registers with these values; bits that cannot be set are zero.
    pub(crate) fn new(fpcr: u32, fpsr: u32) -> Self {
        Self { fpcr: fpcr & FPCR_BITS, fpsr: fpsr & FPSR_BITS }
    }

    /// Raises exceptions: bits of [`flag`].
    #[inline(always)]
    pub(super) fn raise(&mut self, flags: u32) {
        self.fpsr |= flags;
    }

    /// FPCR.RMode.
    #[inline(always)]
    pub(crate) fn rounding(&self) -> Rounding {
        match self.fpcr >> 22 & 3 {
            0 => Rounding::Nearest,
            1 => Rounding::Plus,
            2 => Rounding::Minus,
            3.. => Rounding::Zero,
        }
    }

    /// True when denormal numbers of the format are flushed to zero.
    #[inline(always)]
    pub(super) fn flushes<F: Format>(&self) -> bool {
        self.fpcr & F::FLUSH != 0
    }

    /// FPCR.DN: every NaN result is the default NaN.
    #[inline(always)]
    pub(super) fn has_default_nan(&self) -> bool {
        self.fpcr & DN != 0
    }

    /// FPCR.AHP: conversions see half precision in the alternative format.
    #[inline(always)]
    pub(super) fn has_alternative_half(&self) -> bool {
        self.fpcr & AHP != 0
    }

    /// True when rounding and denormal numbers are those of the host: to nearest, no flush to zero.
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.fpcr & (RMODE | FZ) == 0
    }

    /// True when raising Inexact changes nothing.
    #[inline(always)]
    pub(super) fn is_inexact(&self) -> bool {
        self.fpsr & flag::IXC != 0
    }

    /// True when raising Invalid changes nothing.
    #[inline(always)]
    pub(super) fn is_invalid(&self) -> bool {
        self.fpsr & flag::IOC != 0
    }
}
