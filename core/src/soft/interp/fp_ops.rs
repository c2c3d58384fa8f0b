//! The floating-point operations as types, so that one handler serves scalars and vectors of every format.
//!
//! The instruction table names them: `fp::binary::<Add>` lowers FADD. Each is a call of [`fp`](crate::soft::fp).

use crate::host::vector::Wide;
use crate::soft::fp::halves::{self, Halves};
use crate::soft::fp::{self, Env, Format, Ordering, Rounding, fast};

/// An operation of one operand.
pub(crate) trait Unary {
    /// The result.
    fn apply<F: Format>(env: &mut Env, a: u64) -> u64;

    /// As [`Binary::halves_by_host`].
    #[inline(always)]
    fn halves_by_host(_wide: Wide, _env: &Env, _a: Halves) -> Option<Halves> {
        None
    }
}

/// An operation of two operands.
pub(crate) trait Binary {
    /// The result.
    fn apply<F: Format>(env: &mut Env, a: u64, b: u64) -> u64;

    /// The result by the host's arithmetic, where [`fast::is_host_like`] holds and the host can.
    #[inline(always)]
    fn by_host<F: Format>(_a: u64, _b: u64) -> Option<u64> {
        None
    }

    /// Eight results of half precision, where [`fast::is_host_like_half`] holds and the host can.
    #[inline(always)]
    fn halves_by_host(_wide: Wide, _a: Halves, _b: Halves) -> Option<Halves> {
        None
    }
}

/// An operation of three operands, the first of which is the addend.
pub(crate) trait Ternary {
    /// The result.
    fn apply<F: Format>(env: &mut Env, addend: u64, a: u64, b: u64) -> u64;

    /// The results in all lanes by the host's arithmetic, as [`Format::host_mul_adds`].
    fn by_host<F: Format>(wide: Wide, addend: F::Lanes, a: F::Lanes, b: F::Lanes) -> Option<F::Lanes>;
}

/// A rounding mode that an instruction names.
pub(crate) trait Mode {
    /// The mode.
    fn of(env: &Env) -> Rounding;
}

/// Defines rounding modes.
macro_rules! modes {
    ($($(#[$doc:meta])* $name:ident: |$env:ident| $mode:expr;)*) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl Mode for $name {
            #[inline(always)]
            fn of($env: &Env) -> Rounding {
                $mode
            }
        })*
    };
}

modes! {
    /// To nearest, ties to even.
    ToNearest: |_env| Rounding::Nearest;
    /// Towards plus infinity.
    ToPlus: |_env| Rounding::Plus;
    /// Towards minus infinity.
    ToMinus: |_env| Rounding::Minus;
    /// Towards zero.
    ToZero: |_env| Rounding::Zero;
    /// To nearest, ties away from zero.
    ToAway: |_env| Rounding::Away;
    /// As FPCR says.
    ByFpcr: |env| env.rounding();
}

/// Defines operations of one operand.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident: |$env:ident, $a:ident| $result:expr $(, halves $halves:path)?;)*) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl Unary for $name {
            #[inline(always)]
            fn apply<F: Format>($env: &mut Env, $a: u64) -> u64 {
                $result
            }

            $(#[inline(always)]
            fn halves_by_host(wide: Wide, _env: &Env, a: Halves) -> Option<Halves> {
                $halves(wide, a)
            })?
        })*
    };
}

unary! {
    /// FMOV between registers.
    Move: |_env, a| a & F::MASK;
    /// FABS.
    Abs: |_env, a| fp::abs::<F>(a & F::MASK);
    /// FNEG.
    Neg: |_env, a| fp::neg::<F>(a & F::MASK);
    /// FSQRT.
    Sqrt: |env, a| fast::sqrt::<F>(env, a), halves halves::sqrt;
    /// FRECPE.
    RecipEstimate: |env, a| fp::recip_estimate::<F>(env, a);
    /// FRSQRTE.
    RecipSqrtEstimate: |env, a| fp::recip_sqrt_estimate::<F>(env, a);
    /// FRECPX.
    RecipExponent: |env, a| fp::recip_exponent::<F>(env, a);
    /// FCMEQ with zero.
    IsZero: |env, a| mask::<F>(fast::compare_quiet::<F>(env, a, 0) == Ordering::Equal);
    /// FCMGE with zero.
    IsAtLeastZero: |env, a| mask::<F>(matches!(fast::compare::<F>(env, a, 0), Ordering::Greater | Ordering::Equal));
    /// FCMGT with zero.
    IsAboveZero: |env, a| mask::<F>(fast::compare::<F>(env, a, 0) == Ordering::Greater);
    /// FCMLE with zero.
    IsAtMostZero: |env, a| mask::<F>(matches!(fast::compare::<F>(env, a, 0), Ordering::Less | Ordering::Equal));
    /// FCMLT with zero.
    IsBelowZero: |env, a| mask::<F>(fast::compare::<F>(env, a, 0) == Ordering::Less);
}

/// All ones for true.
#[inline(always)]
fn mask<F: Format>(is_true: bool) -> u64 {
    if is_true { F::MASK } else { 0 }
}

/// FRINT*: to an integer, in a mode; `EXACT` (FRINTX) raises Inexact.
pub(crate) struct RoundInt<M, const EXACT: bool>(std::marker::PhantomData<M>);

impl<M: Mode, const EXACT: bool> Unary for RoundInt<M, EXACT> {
    #[inline(always)]
    fn apply<F: Format>(env: &mut Env, a: u64) -> u64 {
        let mode = M::of(env);
        fp::round_int::<F>(env, a, mode, EXACT)
    }

    #[inline(always)]
    fn halves_by_host(wide: Wide, env: &Env, a: Halves) -> Option<Halves> {
        halves::round_int(wide, a, M::of(env))
    }
}

/// FRINT32* and FRINT64*: to an integer of so many bits.
pub(crate) struct RoundIntN<M, const WIDTH: u32>(std::marker::PhantomData<M>);

impl<M: Mode, const WIDTH: u32> Unary for RoundIntN<M, WIDTH> {
    #[inline(always)]
    fn apply<F: Format>(env: &mut Env, a: u64) -> u64 {
        let mode = M::of(env);
        fp::round_int_n::<F>(env, a, mode, WIDTH)
    }
}

/// FCVTNS and so on, in place: to an integer as wide as the format.
pub(crate) struct ToInt<M, const SIGNED: bool>(std::marker::PhantomData<M>);

impl<M: Mode, const SIGNED: bool> Unary for ToInt<M, SIGNED> {
    #[inline(always)]
    fn apply<F: Format>(env: &mut Env, a: u64) -> u64 {
        let mode = M::of(env);
        fast::to_integer::<F>(env, a, F::BITS, SIGNED, mode)
    }

    #[inline(always)]
    fn halves_by_host(wide: Wide, env: &Env, a: Halves) -> Option<Halves> {
        halves::to_fixed(wide, env, a, 0, SIGNED, M::of(env))
    }
}

/// SCVTF and UCVTF, in place.
pub(crate) struct FromInt<const SIGNED: bool>;

impl<const SIGNED: bool> Unary for FromInt<SIGNED> {
    #[inline(always)]
    fn apply<F: Format>(env: &mut Env, a: u64) -> u64 {
        fast::from_integer::<F>(env, a, F::BITS, SIGNED)
    }

    #[inline(always)]
    fn halves_by_host(wide: Wide, _env: &Env, a: Halves) -> Option<Halves> {
        halves::from_fixed(wide, a, 0, SIGNED)
    }
}

/// A conversion with bits after the point.
pub(crate) trait Fixed {
    /// The result.
    fn apply<F: Format>(env: &mut Env, a: u64, fraction_bits: u32) -> u64;

    /// As [`Binary::halves_by_host`].
    fn halves_by_host(wide: Wide, env: &Env, a: Halves, fraction_bits: u32) -> Option<Halves>;
}

/// FCVTZS and FCVTZU to a fixed-point number as wide as the format.
pub(crate) struct ToFixed<const SIGNED: bool>;
/// SCVTF and UCVTF of such a number.
pub(crate) struct FromFixed<const SIGNED: bool>;

impl<const SIGNED: bool> Fixed for ToFixed<SIGNED> {
    fn apply<F: Format>(env: &mut Env, a: u64, fraction_bits: u32) -> u64 {
        fp::to_fixed::<F>(env, a, fraction_bits, F::BITS, SIGNED, Rounding::Zero)
    }

    #[inline(always)]
    fn halves_by_host(wide: Wide, env: &Env, a: Halves, fraction_bits: u32) -> Option<Halves> {
        halves::to_fixed(wide, env, a, fraction_bits, SIGNED, Rounding::Zero)
    }
}

impl<const SIGNED: bool> Fixed for FromFixed<SIGNED> {
    fn apply<F: Format>(env: &mut Env, a: u64, fraction_bits: u32) -> u64 {
        fp::fixed_to_fp::<F>(env, a, fraction_bits, F::BITS, SIGNED)
    }

    #[inline(always)]
    fn halves_by_host(wide: Wide, _env: &Env, a: Halves, fraction_bits: u32) -> Option<Halves> {
        halves::from_fixed(wide, a, fraction_bits, SIGNED)
    }
}

/// Defines operations of two operands.
macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident: |$env:ident, $a:ident, $b:ident| $result:expr $(, by host $host:expr)? $(, halves $halves:path)?;)*) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl Binary for $name {
            #[inline(always)]
            fn apply<F: Format>($env: &mut Env, $a: u64, $b: u64) -> u64 {
                $result
            }

            $(#[inline(always)]
            fn by_host<F: Format>($a: u64, $b: u64) -> Option<u64> {
                $host
            })?

            $(#[inline(always)]
            fn halves_by_host(wide: Wide, a: Halves, b: Halves) -> Option<Halves> {
                $halves(wide, a, b)
            })?
        })*
    };
}

binary! {
    /// FADD.
    Add: |env, a, b| fast::add::<F>(env, a, b), by host fast::host::add::<F>(a, b), halves halves::add;
    /// FSUB.
    Sub: |env, a, b| fast::sub::<F>(env, a, b), by host fast::host::sub::<F>(a, b), halves halves::sub;
    /// FMUL.
    Mul: |env, a, b| fast::mul::<F>(env, a, b), by host fast::host::mul::<F>(a, b), halves halves::mul;
    /// FDIV.
    Div: |env, a, b| fast::div::<F>(env, a, b), by host fast::host::div::<F>(a, b), halves halves::div;
    /// FMAX.
    Max: |env, a, b| fast::max::<F>(env, a, b), halves halves::max;
    /// FMIN.
    Min: |env, a, b| fast::min::<F>(env, a, b), halves halves::min;
    /// FMAXNM.
    MaxNum: |env, a, b| fast::max_num::<F>(env, a, b), halves halves::max;
    /// FMINNM.
    MinNum: |env, a, b| fast::min_num::<F>(env, a, b), halves halves::min;
    /// FNMUL.
    NegMul: |env, a, b| fp::neg::<F>(fast::mul::<F>(env, a, b));
    /// FMULX.
    MulX: |env, a, b| fast::mulx::<F>(env, a, b), by host fast::host::mulx::<F>(a, b), halves halves::mul;
    /// FABD.
    AbsDiff: |env, a, b| fp::abs::<F>(fast::sub::<F>(env, a, b)), by host fast::host::sub::<F>(a, b).map(fp::abs::<F>), halves halves::abs_diff;
    /// FRECPS.
    RecipStep: |env, a, b| fast::recip_step::<F>(env, a, b), by host fast::host::recip_step::<F>(a, b), halves halves::recip_step;
    /// FRSQRTS.
    RecipSqrtStep: |env, a, b| fast::recip_sqrt_step::<F>(env, a, b), by host fast::host::recip_sqrt_step::<F>(a, b), halves halves::recip_sqrt_step;
    /// FCMEQ.
    IsEqual: |env, a, b| mask::<F>(fast::compare_quiet::<F>(env, a, b) == Ordering::Equal), halves halves::is_equal;
    /// FCMGE.
    IsAtLeast: |env, a, b| mask::<F>(matches!(fast::compare::<F>(env, a, b), Ordering::Greater | Ordering::Equal)), halves halves::is_at_least;
    /// FCMGT.
    IsAbove: |env, a, b| mask::<F>(fast::compare::<F>(env, a, b) == Ordering::Greater), halves halves::is_above;
    /// FACGE.
    IsAbsAtLeast: |env, a, b| IsAtLeast::apply::<F>(env, fp::abs::<F>(a), fp::abs::<F>(b)), halves halves::is_abs_at_least;
    /// FACGT.
    IsAbsAbove: |env, a, b| IsAbove::apply::<F>(env, fp::abs::<F>(a), fp::abs::<F>(b)), halves halves::is_abs_above;
}

/// FMADD, FMSUB, FNMADD, FNMSUB, FMLA, FMLS: the addend and the first factor negated or not.
pub(crate) struct MulAdd<const NEGATES_ADDEND: bool, const NEGATES_FACTOR: bool>;

impl<const NEGATES_ADDEND: bool, const NEGATES_FACTOR: bool> MulAdd<NEGATES_ADDEND, NEGATES_FACTOR> {
    #[inline(always)]
    fn operands<F: Format>(addend: u64, a: u64) -> (u64, u64) {
        let addend = if NEGATES_ADDEND { fp::neg::<F>(addend) } else { addend };
        (addend, if NEGATES_FACTOR { fp::neg::<F>(a) } else { a })
    }
}

impl<const NEGATES_ADDEND: bool, const NEGATES_FACTOR: bool> Ternary for MulAdd<NEGATES_ADDEND, NEGATES_FACTOR> {
    #[inline(always)]
    fn apply<F: Format>(env: &mut Env, addend: u64, a: u64, b: u64) -> u64 {
        let (addend, a) = Self::operands::<F>(addend, a);
        fast::mul_add::<F>(env, addend, a, b)
    }

    #[inline(always)]
    fn by_host<F: Format>(wide: Wide, addend: F::Lanes, a: F::Lanes, b: F::Lanes) -> Option<F::Lanes> {
        let addend = if NEGATES_ADDEND { F::negated(addend) } else { addend };
        F::host_mul_adds(wide, addend, if NEGATES_FACTOR { F::negated(a) } else { a }, b)
    }
}
