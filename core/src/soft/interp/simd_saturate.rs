//! Advanced SIMD handlers whose lanes can saturate, which FPSR.QC notes: they take an `f` that also tells of it. Part of
//! [`simd`](super::simd), where instructions find them. Source: Arm ARM C7.2, J1.1 (`SatQ`).
//!
//! Lanes that do not count, since the instruction has fewer, are cleared before: they must not saturate.

use super::cpu::{Cpu, SCRATCH_VECTOR};
use super::lanes::{Lane, Narrowing, Widening, map, map2, map3};
use super::op::{At, Flow};
use super::simd::{FULL, finish, finish_narrow, half, kept, lanes};
use crate::host::vector;
use crate::soft::fp::flag;

/// Notes that a lane was saturated.
#[inline(always)]
pub(super) fn note_saturation(cpu: &mut Cpu, is_saturated: bool) {
    cpu.fp.fpsr |= if is_saturated { flag::QC } else { 0 };
}

/// A lane's result; collects whether it was saturated.
#[inline(always)]
fn flagged<T>(any: &mut bool, (value, is_saturated): (T, bool)) -> T {
    *any |= is_saturated;
    value
}

/// The slot of a source of `log2_bytes`: a copy in `scratch` without what lies above them, which must not saturate.
#[inline(always)]
fn cut_source(cpu: &mut Cpu, log2_bytes: u16, slot: usize, scratch: u8) -> usize {
    if log2_bytes >= FULL {
        return slot;
    }
    let scratch = usize::from(scratch);
    cpu.v[scratch] = cpu.v[slot] & kept(log2_bytes);
    scratch
}

/// The slots of `rd`, `rn`, `rm` without what lies above the length of the op.
#[inline(always)]
fn cut_sources(cpu: &mut Cpu, at: At<'_>) -> [usize; 3] {
    [
        cut_source(cpu, at.aux(), at.rd(), SCRATCH_VECTOR + 1),
        cut_source(cpu, at.aux(), at.rn(), SCRATCH_VECTOR + 2),
        cut_source(cpu, at.aux(), at.rm(), SCRATCH_VECTOR + 3),
    ]
}

/// The slots of `rn` and `rm` of a long op: without what lies above the one lane of a scalar, which must not saturate. A
/// vector's are taken by half, with nothing above.
#[inline(always)]
fn cut_narrow_sources(cpu: &mut Cpu, at: At<'_>) -> [usize; 2] {
    if at.aux() >= 3 {
        return [at.rn(), at.rm()];
    }
    let [_, n, m] = cut_sources(cpu, at);
    [n, m]
}

/// `rd` = `f` of the lanes of `rn`, which also tells of saturation.
#[inline(always)]
pub(super) fn unary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> (T, bool)) -> Flow {
    let [_, n, _] = cut_sources(cpu, at);
    let mut is_saturated = false;
    let result = map(lanes::<T>(cpu, n), |n| flagged(&mut is_saturated, f(n)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and the immediate, which also tells of saturation.
#[inline(always)]
pub(super) fn unary_imm_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> (T, bool)) -> Flow {
    let amount = at.imm() as u32;
    unary_saturating(cpu, at, |n| f(n, amount))
}

/// `rd` = `f` of the lanes of two slots that are cut to length, which also tells of saturation.
#[inline(always)]
fn of_two_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, slots: [usize; 2], f: impl Fn(T, T) -> (T, bool)) -> Flow {
    let [a, b] = slots.map(|slot| lanes::<T>(cpu, slot));
    let mut is_saturated = false;
    let result = map2(a, b, |a, b| flagged(&mut is_saturated, f(a, b)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and `rm`, which also tells of saturation.
#[inline(always)]
pub(super) fn binary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> (T, bool)) -> Flow {
    let [_, n, m] = cut_sources(cpu, at);
    of_two_saturating(cpu, at, [n, m], f)
}

/// [`binary_saturating`] with an `f` that shifts each lane by an amount of its own, for which vectors of 256 bits have
/// instructions: they pay where there are many lanes.
#[inline(always)]
pub(super) fn shift_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> (T, bool)) -> Flow {
    if T::COUNT < 16 {
        return binary_saturating(cpu, at, f);
    }
    let counted = (1 << at.aux()) / size_of::<T>();
    let args = (lanes::<T>(cpu, at.rn()), lanes::<T>(cpu, at.rm()), counted);
    let (result, is_saturated) = vector::wide(args, move |(n, m, counted)| {
        let mut result = T::splat(T::ZERO);
        let mut is_saturated = false;
        let lanes = n.as_ref().iter().zip(m.as_ref()).enumerate();
        for (result, (index, (&n, &m))) in result.as_mut().iter_mut().zip(lanes) {
            let (value, is_lane_saturated) = f(n, m);
            is_saturated |= is_lane_saturated & (index < counted);
            *result = value;
        }
        (result, is_saturated)
    });
    note_saturation(cpu, is_saturated);
    *T::split_mut(&mut cpu.v[at.rd()]) = result;
    if at.aux() != FULL {
        cpu.v[at.rd()] &= kept(at.aux());
    }
    at.next(cpu)
}

/// `rd` = `f` of the lanes of `rd` and `rn`, which also tells of saturation.
#[inline(always)]
pub(super) fn accumulate_unary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> (T, bool)) -> Flow {
    let [d, n, _] = cut_sources(cpu, at);
    of_two_saturating(cpu, at, [d, n], f)
}

/// `rd` = `f` of the lanes of `rd`, `rn` and `rm`, which also tells of saturation.
#[inline(always)]
pub(super) fn accumulate_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, T) -> (T, bool)) -> Flow {
    let [d, n, m] = cut_sources(cpu, at);
    let mut is_saturated = false;
    let (d, n, m) = (lanes::<T>(cpu, d), lanes::<T>(cpu, n), lanes::<T>(cpu, m));
    let result = map3(d, n, m, |d, n, m| flagged(&mut is_saturated, f(d, n, m)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// Half of `rd` = `f` of the lanes of `rn`, which are twice as wide; `f` also tells of saturation.
#[inline(always)]
pub(super) fn narrow_saturating<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W) -> (W::Narrow, bool)) -> Flow {
    let source = cut_source(cpu, at.aux() + 1, at.rn(), SCRATCH_VECTOR + 2);
    let mut is_saturated = false;
    let result = map(lanes::<W>(cpu, source), |n| flagged(&mut is_saturated, f(n)));
    note_saturation(cpu, is_saturated);
    finish_narrow(cpu, at, result)
}

/// The same with an immediate.
#[inline(always)]
pub(super) fn narrow_imm_saturating<W: Narrowing>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(W, u32) -> (W::Narrow, bool),
) -> Flow {
    let amount = at.imm() as u32;
    narrow_saturating(cpu, at, |n| f(n, amount))
}

/// [`long_binary`] with an `f` that also tells of saturation; also for scalars.
#[inline(always)]
pub(super) fn long_binary_saturating<T: Widening>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(T, T) -> (T::Double, bool),
) -> Flow {
    let mut is_saturated = false;
    let [n, m] = cut_narrow_sources(cpu, at);
    let (n, m) = (half::<T>(cpu, at, n), half::<T>(cpu, at, m));
    cpu.v[at.rd()] = map2(n, m, |n, m| flagged(&mut is_saturated, f(n, m)));
    note_saturation(cpu, is_saturated);
    at.next(cpu)
}

/// [`long_accumulate`] with an `f` that also tells of saturation; also for scalars.
#[inline(always)]
pub(super) fn long_accumulate_saturating<T: Widening>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(T::Double, T, T) -> (T::Double, bool),
) -> Flow {
    let mut is_saturated = false;
    let [n, m] = cut_narrow_sources(cpu, at);
    let d = cut_source(cpu, at.aux() + 1, at.rd(), SCRATCH_VECTOR + 1);
    let (d, n, m) = (lanes::<T::Double>(cpu, d), half::<T>(cpu, at, n), half::<T>(cpu, at, m));
    cpu.v[at.rd()] = map3(d, n, m, |d, n, m| flagged(&mut is_saturated, f(d, n, m)));
    note_saturation(cpu, is_saturated);
    at.next(cpu)
}
