//! Advanced SIMD floating point on lanes: the handlers that apply an operation of [`fp_ops`](super::fp_ops) to vectors,
//! and their lowering. Source: Arm ARM C4.1.97, C7.2.
//!
//! The host computes all lanes at once where that is provably the same ([`host_vector`], [`host_binary`]). Otherwise they are
//! computed in order, only those that the instruction has: each can raise exceptions. The scalar forms have the lowering
//! functions of [`fp`](super::fp). The functions without suffix are for single and double precision (by field `z`), those in
//! `_h` for half precision.

use super::builder::Builder;
use super::cpu::Cpu;
use super::fp_ops::{Binary, Fixed, Ternary, Unary};
use super::lanes::Lane;
use super::op::{At, Exec, Flow, Operands};
use crate::host::vector::Wide;
use crate::soft::a64::{Inst, fp_immediate, fraction_bits};
use crate::soft::fp::halves::Halves;
use crate::soft::fp::{Double, Env, Format, Half, Single, fast};

/// Picks the instance of a handler by fields `z` and `q`; the last generic arguments are the format and "128 bits".
macro_rules! by_vector {
    ($inst:expr, $handler:ident $(, $arg:ty)*) => {
        match ($inst.field('z'), $inst.field('q')) {
            (0, 0) => $handler::<$($arg,)* $crate::soft::fp::Single, false> as $crate::soft::interp::op::Exec,
            (0, 1..) => $handler::<$($arg,)* $crate::soft::fp::Single, true>,
            (1.., _) => $handler::<$($arg,)* $crate::soft::fp::Double, true>,
        }
    };
}

/// The same for half precision.
macro_rules! by_vector_h {
    ($inst:expr, $handler:ident $(, $arg:ty)*) => {
        if $inst.field('q') == 0 {
            $handler::<$($arg,)* $crate::soft::fp::Half, false> as $crate::soft::interp::op::Exec
        } else {
            $handler::<$($arg,)* $crate::soft::fp::Half, true>
        }
    };
}

pub(super) use {by_vector, by_vector_h};

/// Lane `index` of a vector.
#[inline(always)]
pub(super) fn lane<F: Format>(vector: u128, index: u32) -> u64 {
    (vector >> (index * F::BITS)) as u64 & F::MASK
}

/// The vector of 128 or 64 bits whose lanes are `f` of their number; the rest is zero.
#[inline(always)]
pub(super) fn lanes<F: Format, const FULL: bool>(mut f: impl FnMut(u32) -> u64) -> u128 {
    let count = if FULL { 128 / F::BITS } else { 64 / F::BITS };
    (0..count).fold(0, |vector, index| vector | u128::from(f(index)) << (index * F::BITS))
}

/// A format whose vectors the host computes as arrays of lanes.
pub(super) trait Vector: Format {
    /// The lanes of a register.
    fn split(register: &u128) -> Self::Lanes;
    /// The same to write to.
    fn split_mut(register: &mut u128) -> &mut Self::Lanes;
    /// The lanes of the lower half twice.
    fn twice(lanes: Self::Lanes) -> Self::Lanes;
    /// The lanes of the lower half, and zeros.
    fn lower(lanes: Self::Lanes) -> Self::Lanes;
    /// Every lane the same.
    fn splat(value: u64) -> Self::Lanes;
    /// Lane `index` of a register; there are so many.
    fn element(register: &u128, index: u16) -> u64;
    /// `f` of the lanes of both, if it answers for all.
    fn try_map2(a: Self::Lanes, b: Self::Lanes, f: impl Fn(u64, u64) -> Option<u64>) -> Option<Self::Lanes>;
    /// The complex number of this index in every pair.
    fn pairs(lanes: Self::Lanes, index: usize) -> Self::Lanes;
    /// The factors of FCMLA for a rotation by so many quarter turns: of `a` the real or the imaginary parts, `b` turned.
    fn complex_factors(a: Self::Lanes, b: Self::Lanes, rotation: u16) -> (Self::Lanes, Self::Lanes);
}

macro_rules! vector {
    ($($format:ty: $lane:ty;)*) => {$(
        impl Vector for $format {
            #[inline(always)]
            fn split(register: &u128) -> Self::Lanes {
                <$lane as Lane>::split(register)
            }

            #[inline(always)]
            fn split_mut(register: &mut u128) -> &mut Self::Lanes {
                <$lane as Lane>::split_mut(register)
            }

            #[inline(always)]
            fn twice(lanes: Self::Lanes) -> Self::Lanes {
                std::array::from_fn(|index| lanes[index % (lanes.len() / 2)])
            }

            #[inline(always)]
            fn lower(lanes: Self::Lanes) -> Self::Lanes {
                std::array::from_fn(|index| if index < lanes.len() / 2 { lanes[index] } else { 0 })
            }

            #[inline(always)]
            fn splat(value: u64) -> Self::Lanes {
                <$lane as Lane>::splat(value as $lane)
            }

            #[inline(always)]
            fn element(register: &u128, index: u16) -> u64 {
                let lanes = <$lane as Lane>::split(register);
                lanes[usize::from(index) % lanes.len()].into()
            }

            #[inline(always)]
            fn try_map2(a: Self::Lanes, b: Self::Lanes, f: impl Fn(u64, u64) -> Option<u64>) -> Option<Self::Lanes> {
                let mut has_all = true;
                let results = std::array::from_fn(|index| {
                    let result = f(a[index].into(), b[index].into());
                    has_all &= result.is_some();
                    result.unwrap_or_default() as $lane
                });
                has_all.then_some(results)
            }

            #[inline(always)]
            fn pairs(lanes: Self::Lanes, index: usize) -> Self::Lanes {
                let first = 2 * index % lanes.len();
                std::array::from_fn(|index| lanes[first + index % 2])
            }

            #[inline(always)]
            fn complex_factors(a: Self::Lanes, b: Self::Lanes, rotation: u16) -> (Self::Lanes, Self::Lanes) {
                let sign = |is_negated| if is_negated { Self::SIGN as $lane } else { 0 };
                let signs = [sign(rotation == 1 || rotation == 2), sign(rotation >= 2)];
                let (a, b): (Self::Lanes, Self::Lanes) = if rotation & 1 == 1 {
                    (std::array::from_fn(|index| a[index | 1]), std::array::from_fn(|index| b[index ^ 1]))
                } else {
                    (std::array::from_fn(|index| a[index & !1]), b)
                };
                (a, std::array::from_fn(|index| b[index] ^ signs[index % 2]))
            }
        }
    )*};
}

vector! {
    Half: u16;
    Single: u32;
    Double: u64;
}

/// All lanes at once by the host's arithmetic, if it can: `f` of `args` and of the registers `sources`. Of 64 bits the lanes
/// are there twice, so that those that do not count can do no harm.
#[inline(always)]
pub(super) fn host_vector<A: Copy, const N: usize, F: Vector, const FULL: bool>(
    cpu: &Cpu,
    sources: [usize; N],
    args: A,
    f: impl Fn(Wide, A, [F::Lanes; N]) -> Option<F::Lanes>,
) -> Option<F::Lanes> {
    let is_host_like = if F::IS_HALF { fast::is_host_like_half(&cpu.fp) } else { fast::is_host_like(&cpu.fp) };
    if !is_host_like {
        return None;
    }
    let wide = Wide::detect()?;
    let sources = sources.map(|slot| &cpu.v[slot & 0xff]);
    wide.run((args, sources), move |wide, (args, sources)| {
        let sources = sources.map(|source| if FULL { F::split(source) } else { F::twice(F::split(source)) });
        let result = f(wide, args, sources)?;
        Some(if FULL { result } else { F::lower(result) })
    })
}

/// The same where the format is half precision, and nothing elsewhere.
#[inline(always)]
pub(super) fn host_halves<A: Copy, const N: usize, F: Format, const FULL: bool>(
    cpu: &Cpu,
    sources: [usize; N],
    args: A,
    f: impl Fn(Wide, A, [Halves; N]) -> Option<Halves>,
) -> Option<Halves> {
    if F::IS_HALF { host_vector::<A, N, Half, FULL>(cpu, sources, args, f) } else { None }
}

/// A binary operation on lanes of single and double precision, if the host can do all.
#[inline(always)]
pub(super) fn host_binary<O: Binary, F: Vector, const FULL: bool>(
    cpu: &Cpu,
    a: F::Lanes,
    b: F::Lanes,
) -> Option<F::Lanes> {
    if F::IS_HALF || !fast::is_host_like(&cpu.fp) {
        return None;
    }
    let (a, b) = if FULL { (a, b) } else { (F::twice(a), F::twice(b)) };
    let result = F::try_map2(a, b, O::by_host::<F>)?;
    Some(if FULL { result } else { F::lower(result) })
}

/// Writes what [`host_vector`] answered, if it did.
#[inline(always)]
pub(super) fn set_lanes<F: Vector>(cpu: &mut Cpu, rd: usize, result: Option<F::Lanes>) -> bool {
    if let Some(result) = result {
        *F::split_mut(&mut cpu.v[rd]) = result;
    }
    result.is_some()
}

/// An operation on all lanes, one after the other.
#[inline(always)]
fn apply_unary<O: Unary, F: Format, const FULL: bool>(env: &mut Env, a: u128) -> u128 {
    lanes::<F, FULL>(|index| O::apply::<F>(env, lane::<F>(a, index)))
}

/// The same of two operands.
#[inline(always)]
pub(super) fn apply_binary<O: Binary, F: Format, const FULL: bool>(env: &mut Env, a: u128, b: u128) -> u128 {
    lanes::<F, FULL>(|index| O::apply::<F>(env, lane::<F>(a, index), lane::<F>(b, index)))
}

/// The same of three operands.
#[inline(always)]
pub(super) fn apply_ternary<O: Ternary, F: Format, const FULL: bool>(env: &mut Env, d: u128, a: u128, b: u128) -> u128 {
    lanes::<F, FULL>(|index| O::apply::<F>(env, lane::<F>(d, index), lane::<F>(a, index), lane::<F>(b, index)))
}

/// The same number in every lane.
#[inline(always)]
pub(super) fn splat<F: Format>(value: u64) -> u128 {
    lanes::<F, true>(|_| value)
}

/// Lanes of half precision of even or of odd number of the first source and then of the second.
#[inline(always)]
fn unzip<const FULL: bool>(a: Halves, b: Halves, odd: usize) -> Halves {
    let half = if FULL { 4 } else { 2 };
    std::array::from_fn(|index| {
        let source = if index & half == 0 { &a } else { &b };
        source[2 * (index % half) + odd]
    })
}

pub(super) fn registers(inst: Inst) -> Operands {
    Operands { rd: inst.reg('d'), rn: inst.reg('n'), rm: inst.reg('m'), ..Operands::default() }
}

fn execute_unary<O: Unary, F: Format, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host =
        host_halves::<_, 1, F, FULL>(cpu, [at.rn()], cpu.fp, |wide, env, [a]| O::halves_by_host(wide, &env, a));
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let a = cpu.vector(at.rn());
    let result = apply_unary::<O, F, FULL>(&mut cpu.fp, a);
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn unary<O: Unary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_unary, O), registers(inst));
}

pub(crate) fn unary_h<O: Unary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_unary, O), registers(inst));
}

fn execute_binary<O: Binary, F: Vector, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host =
        host_halves::<_, 2, F, FULL>(cpu, [at.rn(), at.rm()], (), |wide, (), [a, b]| O::halves_by_host(wide, a, b));
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let by_host = host_binary::<O, F, FULL>(cpu, F::split(&cpu.v[at.rn()]), F::split(&cpu.v[at.rm()]));
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (a, b) = (cpu.vector(at.rn()), cpu.vector(at.rm()));
    let result = apply_binary::<O, F, FULL>(&mut cpu.fp, a, b);
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn binary<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_binary, O), registers(inst));
}

pub(crate) fn binary_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_binary, O), registers(inst));
}

/// The addend is the destination.
fn execute_accumulate<O: Ternary, F: Vector, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host = host_vector::<_, 3, F, FULL>(cpu, [at.rd(), at.rn(), at.rm()], (), |wide, (), [d, a, b]| {
        O::by_host::<F>(wide, d, a, b)
    });
    if set_lanes::<F>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (d, a, b) = (cpu.vector(at.rd()), cpu.vector(at.rn()), cpu.vector(at.rm()));
    let result = apply_ternary::<O, F, FULL>(&mut cpu.fp, d, a, b);
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn accumulate<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_accumulate, O), registers(inst));
}

pub(crate) fn accumulate_h<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_accumulate, O), registers(inst));
}

/// Neighbouring lanes of the first source, then of the second.
fn execute_pairwise<O: Binary, F: Format, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host = host_halves::<_, 2, F, FULL>(cpu, [at.rn(), at.rm()], (), |wide, (), [a, b]| {
        O::halves_by_host(wide, unzip::<FULL>(a, b, 0), unzip::<FULL>(a, b, 1))
    });
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let (a, b) = (cpu.vector(at.rn()), cpu.vector(at.rm()));
    let half = if FULL { 64 / F::BITS } else { 32 / F::BITS };
    let result = lanes::<F, FULL>(|index| {
        let (source, pair) = if index < half { (a, index) } else { (b, index - half) };
        O::apply::<F>(&mut cpu.fp, lane::<F>(source, 2 * pair), lane::<F>(source, 2 * pair + 1))
    });
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn pairwise<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_pairwise, O), registers(inst));
}

pub(crate) fn pairwise_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_pairwise, O), registers(inst));
}

/// The lanes `from` to `from + count` folded, halves first (`Reduce`).
fn reduce<O: Binary, F: Format>(cpu: &mut Cpu, vector: u128, from: u32, count: u32) -> u64 {
    if count == 1 {
        return lane::<F>(vector, from);
    }
    let half = count / 2;
    let low = reduce::<O, F>(cpu, vector, from, half);
    let high = reduce::<O, F>(cpu, vector, from + half, half);
    O::apply::<F>(&mut cpu.fp, low, high)
}

/// `aux` is the number of lanes.
fn execute_reduce<O: Binary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let result = reduce::<O, F>(cpu, cpu.vector(at.rn()), 0, u32::from(at.aux()));
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

/// FADDP and the like of the two lanes of a register.
pub(crate) fn reduce_pair<O: Binary>(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.field('z') == 0 { execute_reduce::<O, Single> } else { execute_reduce::<O, Double> };
    b.emit(exec, Operands { aux: 2, ..registers(inst) });
}

pub(crate) fn reduce_pair_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_reduce::<O, Half>, Operands { aux: 2, ..registers(inst) });
}

/// FMAXV and the like: four lanes of single precision.
pub(crate) fn across<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_reduce::<O, Single>, Operands { aux: 4, ..registers(inst) });
}

/// The same of half precision. Numbers have one maximum and one minimum, however they are paired.
fn execute_across_h<O: Binary, F: Format, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let by_host = host_halves::<_, 1, F, FULL>(cpu, [at.rn()], (), |wide, (), [a]| {
        let turned = |a: Halves, by: usize| std::array::from_fn(|index| a[(index + by) % 8]);
        let a = O::halves_by_host(wide, a, turned(a, 4))?;
        let a = O::halves_by_host(wide, a, turned(a, 2))?;
        O::halves_by_host(wide, a, turned(a, 1))
    });
    let result = match by_host {
        Some([result, ..]) => result.into(),
        None => reduce::<O, F>(cpu, cpu.vector(at.rn()), 0, if FULL { 8 } else { 4 }),
    };
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn across_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_across_h, O), registers(inst));
}

/// A conversion with `aux` bits after the point.
fn execute_fixed<O: Fixed, F: Format, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let bits = u32::from(at.aux());
    let by_host = host_halves::<_, 1, F, FULL>(cpu, [at.rn()], (cpu.fp, bits), |wide, (env, bits), [a]| {
        O::halves_by_host(wide, &env, a, bits)
    });
    if set_lanes::<Half>(cpu, at.rd(), by_host) {
        return at.next(cpu);
    }
    let a = cpu.vector(at.rn());
    let result = lanes::<F, FULL>(|index| O::apply::<F>(&mut cpu.fp, lane::<F>(a, index), bits));
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

fn fixed_operands(inst: Inst) -> Operands {
    Operands { aux: fraction_bits(inst) as u16, ..registers(inst) }
}

pub(crate) fn fixed_s<O: Fixed>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector!(inst, execute_fixed, O), fixed_operands(inst));
}

pub(crate) fn fixed_d<O: Fixed>(b: &mut Builder, inst: Inst) {
    b.emit(execute_fixed::<O, Double, true>, fixed_operands(inst));
}

pub(crate) fn fixed_h<O: Fixed>(b: &mut Builder, inst: Inst) {
    b.emit(by_vector_h!(inst, execute_fixed, O), fixed_operands(inst));
}

fn execute_scalar_fixed<O: Fixed, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, bits) = (cpu.scalar(at.rn()) & F::MASK, u32::from(at.aux()));
    let result = O::apply::<F>(&mut cpu.fp, a, bits);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn scalar_fixed<O: Fixed, F: Format>(b: &mut Builder, inst: Inst) {
    b.emit(execute_scalar_fixed::<O, F>, fixed_operands(inst));
}

/// The constant is in `imm`, for both halves.
fn execute_constant<const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let half = u128::from(at.imm());
    cpu.set_vector(at.rd(), if FULL { half << 64 | half } else { half });
    at.next(cpu)
}

/// FMOV: an immediate in every lane.
pub(crate) fn fmov_imm<F: Format>(b: &mut Builder, inst: Inst) {
    let value = super::fp::immediate::<F>(fp_immediate(inst));
    let imm = lanes::<F, false>(|_| value) as u64;
    let is_full = inst.word() >> 30 & 1 == 1;
    let exec: Exec = if is_full { execute_constant::<true> } else { execute_constant::<false> };
    b.emit(exec, Operands { rd: inst.reg('d'), imm, ..Operands::default() });
}
