//! How Advanced SIMD instructions are made: [`instructions!`], the handlers that it fills in, and what is common to their
//! lowering.
//!
//! An instruction is one line: the handler's name, the element types, and what happens to one lane. The handler for the
//! element size is chosen when the instruction is decoded. [`Operands::aux`] is log2 of the bytes of the result that are
//! kept (see [`cut`]): so scalar instructions and those on 64 bits have the same handlers as those on 128 bits.
//!
//! Instructions on "upper halves" (names that end in 2) have the same handlers as well: a source or the result is the
//! lower or the upper half, by the same length.

use super::builder::Builder;
use super::cpu::{Cpu, SCRATCH_VECTOR};
use super::lanes::{Lane, Narrowing, Widening, fold, map, map_pairs, map2, map3};
use super::op::{At, Exec, Flow, Operands};
use crate::soft::a64::Inst;
use crate::soft::fp::flag;

/// Length of a 128-bit result, as [`Operands::aux`].
pub(super) const FULL: u16 = 4;

/// Defines the lowering functions of instructions: `name = handler[element types] |lanes| result`. In the result, `T` is
/// the element type. `handler/2` stands where the element type is twice as wide as the instruction's element size.
macro_rules! instructions {
    ($($name:ident = $handler:ident $(/ $divisor:literal)? [$($type:ty),+] $lane:expr;)+) => {$(
        pub(crate) fn $name(b: &mut $crate::soft::interp::builder::Builder, inst: $crate::soft::a64::Inst) {
            use $crate::soft::interp::{op, simd};
            const DIVISOR: usize = 1 $(* $divisor)?;
            const HANDLERS: &[(usize, op::Exec)] = &[$((size_of::<$type>() / DIVISOR, {
                type T = $type;
                |cpu, at| simd::$handler::<T>(cpu, at, $lane)
            })),+];
            simd::emit(b, inst, HANDLERS);
        }
    )+};
}

pub(super) use instructions;

/// log2 of the bytes of an element: field `e`, or the highest set bit of immh in field `i`.
pub(super) fn element_size(inst: Inst) -> u32 {
    let pattern = &inst.row().pattern;
    match (pattern.width(b'e'), pattern.width(b'i')) {
        (0, 7) => (inst.field('i') >> 3).checked_ilog2().unwrap_or(0),
        (0.., _) => inst.field('e'),
    }
}

/// The length of the result: that of the vector by field `q`, or of an element for scalar instructions.
fn length(inst: Inst) -> u16 {
    let is_scalar = inst.word() >> 28 & 1 == 1;
    if is_scalar { element_size(inst) as u16 } else { 3 + inst.field('q') as u16 }
}

/// The immediate: the amount of a shift (immh:immb, 7 bits), or field `i` as it is.
fn immediate(inst: Inst) -> u32 {
    const SHL_SLI: u32 = 0b01010;
    const SQSHLU: u32 = 0b01100;
    const SQSHL: u32 = 0b01110;
    const SHLL: u32 = 0b10100;
    let (value, width) = (inst.field('i'), 8 << element_size(inst));
    if inst.row().pattern.width(b'i') != 7 {
        return value;
    }
    match inst.word() >> 11 & 0x1f {
        SHL_SLI | SQSHLU | SQSHL | SHLL => value.wrapping_sub(width),
        0.. => (2 * width).wrapping_sub(value),
    }
}

/// The registers, the length and the immediate.
pub(super) fn operands(inst: Inst) -> Operands {
    let (rd, rn, rm) = (inst.reg('d'), inst.reg('n'), inst.reg('m'));
    Operands { rd, rn, rm, ra: inst.reg('a'), aux: length(inst), imm: u64::from(immediate(inst)) }
}

/// Emits the handler for the size of the elements, or the only one.
pub(super) fn emit(b: &mut Builder, inst: Inst, handlers: &[(usize, Exec)]) {
    emit_with(b, inst, handlers, operands(inst));
}

/// The same with other operands.
pub(super) fn emit_with(b: &mut Builder, inst: Inst, handlers: &[(usize, Exec)], operands: Operands) {
    let bytes = 1 << element_size(inst);
    match handlers {
        &[(_, exec)] => b.emit(exec, operands),
        handlers => match handlers.iter().find(|(size, _)| *size == bytes) {
            Some(&(_, exec)) => b.emit(exec, operands),
            None => b.undefined(inst.word()),
        },
    }
}

/// What of a result is kept, by log2 of its bytes; the last entries fill the table up to a power of two.
static KEPT: [u128; 8] =
    [u8::MAX as u128, u16::MAX as u128, u32::MAX as u128, u64::MAX as u128, u128::MAX, u128::MAX, u128::MAX, u128::MAX];

/// `register` cut to the length of the op.
#[inline(always)]
pub(super) fn cut(at: At<'_>, register: u128) -> u128 {
    register & KEPT[usize::from(at.aux()) & 7]
}

/// A source of lanes twice as wide as the result's: cut to one lane for scalar instructions.
#[inline(always)]
fn cut_wide(at: At<'_>, register: u128) -> u128 {
    register & KEPT[usize::from(at.aux() + 1) & 7]
}

/// Writes the result of an op, cut to length, and goes on.
#[inline(always)]
pub(super) fn finish(cpu: &mut Cpu, at: At<'_>, result: u128) -> Flow {
    cpu.v[at.rd()] = cut(at, result);
    at.next(cpu)
}

/// The half of a source that a long instruction takes: the upper one for the full length.
#[inline(always)]
fn half(at: At<'_>, register: u128) -> u128 {
    if at.aux() == FULL { register >> 64 } else { register }
}

/// Writes a narrow result of 64 bits to the half that the length says. The upper half keeps the lower one.
#[inline(always)]
fn finish_narrow(cpu: &mut Cpu, at: At<'_>, result: u128) -> Flow {
    cpu.v[at.rd()] =
        if at.aux() == FULL { cpu.v[at.rd()] & u128::from(u64::MAX) | result << 64 } else { cut(at, result) };
    at.next(cpu)
}

/// `rd` = `f` of the lanes of `rn`.
#[inline(always)]
pub(super) fn unary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> T) -> Flow {
    let result = map(cpu.v[at.rn()], f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and the immediate.
#[inline(always)]
pub(super) fn unary_imm<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> T) -> Flow {
    let amount = at.imm() as u32;
    let result = map(cpu.v[at.rn()], |n| f(n, amount));
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd`, `rn` and the immediate.
#[inline(always)]
pub(super) fn accumulate_imm<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, u32) -> T) -> Flow {
    let amount = at.imm() as u32;
    let result = map2(cpu.v[at.rd()], cpu.v[at.rn()], |d, n| f(d, n, amount));
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and `rm`.
#[inline(always)]
pub(super) fn binary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let result = map2(cpu.v[at.rn()], cpu.v[at.rm()], f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd`, `rn` and `rm`.
#[inline(always)]
pub(super) fn accumulate<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, T) -> T) -> Flow {
    let result = map3(cpu.v[at.rd()], cpu.v[at.rn()], cpu.v[at.rm()], f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd` and `rn`.
#[inline(always)]
pub(super) fn accumulate_unary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let result = map2(cpu.v[at.rd()], cpu.v[at.rn()], f);
    finish(cpu, at, result)
}

/// `rd` = `f` of neighbouring lanes of `rn` and then `rm`.
#[inline(always)]
pub(super) fn pairwise<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let (n, m) = (cpu.v[at.rn()], cpu.v[at.rm()]);
    let result =
        if at.aux() == FULL { map_pairs(n, m, f) } else { map_pairs(n & u128::from(u64::MAX) | m << 64, 0, f) };
    finish(cpu, at, result)
}

/// Lane 0 of `rd` = all lanes of `rn` folded by `f`.
#[inline(always)]
pub(super) fn across<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let value = fold(cpu.v[at.rn()], at.aux() == FULL, |lane| lane, f);
    set_scalar(cpu, at, value)
}

/// Lane 0 of `rd`, twice as wide as the lanes of `rn` = all of those folded by `f`.
#[inline(always)]
pub(super) fn across_long<T: Widening>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(T::Double, T::Double) -> T::Double,
) -> Flow {
    let value = fold(cpu.v[at.rn()], at.aux() == FULL, T::double, f);
    set_scalar(cpu, at, value)
}

/// Lane 0 of `rd` becomes `value`, the others zero.
#[inline(always)]
pub(super) fn set_scalar<T: Lane>(cpu: &mut Cpu, at: At<'_>, value: T) -> Flow {
    let mut lanes = T::splat(T::ZERO);
    lanes.as_mut()[0] = value;
    cpu.v[at.rd()] = T::join(lanes);
    at.next(cpu)
}

/// Half of `rd` = `f` of the lanes of `rn`, which are twice as wide.
#[inline(always)]
pub(super) fn narrow<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W) -> W::Narrow) -> Flow {
    let result = map(cpu.v[at.rn()], f);
    finish_narrow(cpu, at, result)
}

/// Half of `rd` = `f` of the lanes of `rn`, which are twice as wide; `f` also tells of saturation.
#[inline(always)]
pub(super) fn narrow_saturating<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W) -> (W::Narrow, bool)) -> Flow {
    let mut is_saturated = false;
    let result = map(cut_wide(at, cpu.v[at.rn()]), |n| flagged(&mut is_saturated, f(n)));
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

/// `rd` = `f` of the lanes of `rn` and the immediate, which also tells of saturation.
#[inline(always)]
pub(super) fn unary_imm_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> (T, bool)) -> Flow {
    let amount = at.imm() as u32;
    unary_saturating(cpu, at, |n| f(n, amount))
}

/// Half of `rd` = `f` of the lanes of `rn`, which are twice as wide, and the immediate.
#[inline(always)]
pub(super) fn narrow_imm<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W, u32) -> W::Narrow) -> Flow {
    let amount = at.imm() as u32;
    let result = map(cpu.v[at.rn()], |n| f(n, amount));
    finish_narrow(cpu, at, result)
}

/// `rd` = `f` of the lanes of half of `rn`, which are half as wide.
#[inline(always)]
pub(super) fn long<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> T::Double) -> Flow {
    cpu.v[at.rd()] = map(half(at, cpu.v[at.rn()]), f);
    at.next(cpu)
}

/// `rd` = `f` of the lanes of half of `rn`, which are half as wide, and the immediate.
#[inline(always)]
pub(super) fn long_imm<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> T::Double) -> Flow {
    let amount = at.imm() as u32;
    cpu.v[at.rd()] = map(half(at, cpu.v[at.rn()]), |n| f(n, amount));
    at.next(cpu)
}

/// Notes that a lane was saturated.
#[inline(always)]
pub(super) fn note_saturation(cpu: &mut Cpu, is_saturated: bool) {
    cpu.fp.fpsr |= if is_saturated { flag::QC } else { 0 };
}

/// `rd` = `f` of the lanes of `rn`, which also tells of saturation.
#[inline(always)]
pub(super) fn unary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> (T, bool)) -> Flow {
    let mut is_saturated = false;
    let result = map(cut(at, cpu.v[at.rn()]), |n| flagged(&mut is_saturated, f(n)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and `rm`, which also tells of saturation.
#[inline(always)]
pub(super) fn binary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> (T, bool)) -> Flow {
    let (n, m) = (cut(at, cpu.v[at.rn()]), cut(at, cpu.v[at.rm()]));
    let mut is_saturated = false;
    let result = map2(n, m, |n, m| flagged(&mut is_saturated, f(n, m)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd` and `rn`, which also tells of saturation.
#[inline(always)]
pub(super) fn accumulate_unary_saturating<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> (T, bool)) -> Flow {
    let (d, n) = (cut(at, cpu.v[at.rd()]), cut(at, cpu.v[at.rn()]));
    let mut is_saturated = false;
    let result = map2(d, n, |d, n| flagged(&mut is_saturated, f(d, n)));
    note_saturation(cpu, is_saturated);
    finish(cpu, at, result)
}

/// A lane's result; collects whether it was saturated.
#[inline(always)]
fn flagged<T>(any: &mut bool, (value, is_saturated): (T, bool)) -> T {
    *any |= is_saturated;
    value
}

/// Writes the element `index` of `rm`, as often as there is room, to [`SCRATCH_VECTOR`].
#[expect(dead_code, reason = "for instructions by element")]
fn splat_element<T: Lane>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let element = T::split(cpu.v[at.rm()]).as_ref()[usize::from(at.aux()) % T::COUNT];
    cpu.v[usize::from(SCRATCH_VECTOR)] = T::join(T::splat(element));
    at.next(cpu)
}
