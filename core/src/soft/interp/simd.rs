//! How Advanced SIMD instructions are made: [`instructions!`], the handlers that it fills in, and what is common to their
//! lowering.
//!
//! An instruction is one line: the handler's name, the element types, and what happens to one lane. The handler for the
//! element size is chosen when the instruction is decoded. [`Operands::aux`] is log2 of the bytes of the result that are
//! kept (see [`cut`]): so scalar instructions and those on 64 bits have the same handlers as those on 128 bits.
//!
//! Instructions on "upper halves" (names that end in 2) have the same handlers as well: a source or the result is the
//! lower or the upper half, by the same length. Handlers of lanes that saturate are in [`simd_saturate`](super::simd_saturate).

use super::builder::Builder;
use super::cpu::{Cpu, SCRATCH_VECTOR};
use super::lanes::{Lane, Narrowing, Widening, fold, map, map_pairs, map2, map3};
use super::op::{At, Exec, Flow, Operands};
pub(super) use super::simd_saturate::*;
use crate::soft::a64::Inst;

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

/// The length of the result: that of the vector by field `q` if there is one, or of an element for scalar instructions.
fn length(inst: Inst) -> u16 {
    let is_scalar = inst.word() >> 28 & 1 == 1;
    match (is_scalar, inst.row().pattern.width(b'q')) {
        (true, _) => element_size(inst) as u16,
        (false, 0) => FULL,
        (false, 1..) => 3 + inst.field('q') as u16,
    }
}

/// True for an instruction by element: one with the field `H`.
fn is_by_element(inst: Inst) -> bool {
    inst.row().pattern.width(b'H') == 1
}

/// Appends an op that repeats the element of an instruction by element in [`SCRATCH_VECTOR`], where the instruction's own
/// op finds it as `rm`. Its index is H:L:M for halfwords, H:L for words; M is otherwise the top bit of the register's number.
fn emit_element(b: &mut Builder, inst: Inst) {
    let (high, low, middle) = (inst.field('H'), inst.field('L'), inst.field('M'));
    let (exec, rm, index): (Exec, u32, u32) = match element_size(inst) {
        1 => (splat_element::<u16>, inst.field('m'), high << 2 | low << 1 | middle),
        0 | 2.. => (splat_element::<u32>, middle << 4 | inst.field('m'), high << 1 | low),
    };
    b.emit(exec, Operands { rm: rm as u8, aux: index as u16, ..Operands::default() });
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
    let rm = if is_by_element(inst) { SCRATCH_VECTOR } else { inst.reg('m') };
    let (rd, rn) = (inst.reg('d'), inst.reg('n'));
    Operands { rd, rn, rm, ra: inst.reg('a'), aux: length(inst), imm: u64::from(immediate(inst)) }
}

/// Emits the handler for the size of the elements, or the only one.
pub(super) fn emit(b: &mut Builder, inst: Inst, handlers: &[(usize, Exec)]) {
    let bytes = 1 << element_size(inst);
    let handler = match handlers {
        [handler] => Some(handler),
        handlers => handlers.iter().find(|(size, _)| *size == bytes),
    };
    let Some(&(_, exec)) = handler else { return b.undefined(inst.word()) };
    if is_by_element(inst) {
        emit_element(b, inst);
    }
    b.emit(exec, operands(inst));
}

/// What of a result is kept, by log2 of its bytes; the last entries fill the table up to a power of two.
static KEPT: [u128; 8] =
    [u8::MAX as u128, u16::MAX as u128, u32::MAX as u128, u64::MAX as u128, u128::MAX, u128::MAX, u128::MAX, u128::MAX];

/// What is kept of a result of length `log2_bytes`.
#[inline(always)]
pub(super) fn kept(log2_bytes: u16) -> u128 {
    KEPT[usize::from(log2_bytes) & 7]
}

/// The lanes of the register in a slot.
#[inline(always)]
pub(super) fn lanes<T: Lane>(cpu: &Cpu, slot: usize) -> T::Lanes {
    T::split(&cpu.v[slot])
}

/// The lanes of the half that a long instruction takes: the upper one for the full length.
#[inline(always)]
pub(super) fn half<T: Widening>(cpu: &Cpu, at: At<'_>, slot: usize) -> T::Half {
    T::split_half(&cpu.v[slot], at.aux() == FULL)
}

/// Writes the result of an op, cut to length, and goes on.
#[inline(always)]
pub(super) fn finish(cpu: &mut Cpu, at: At<'_>, result: u128) -> Flow {
    cpu.v[at.rd()] = result;
    if at.aux() != FULL {
        cpu.v[at.rd()] &= kept(at.aux());
    }
    at.next(cpu)
}

/// Writes a narrow result of 64 bits to the half that the length says. The upper half keeps the lower one.
#[inline(always)]
pub(super) fn finish_narrow(cpu: &mut Cpu, at: At<'_>, result: u128) -> Flow {
    let [low, _] = u64::split(&result);
    let halves: &mut [u64; 2] = zerocopy::transmute_mut!(&mut cpu.v[at.rd()]);
    if at.aux() == FULL {
        halves[1] = low;
    } else {
        *halves = [low & kept(at.aux()) as u64, 0];
    }
    at.next(cpu)
}

/// `rd` = `f` of the lanes of `rn`.
#[inline(always)]
pub(super) fn unary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> T) -> Flow {
    let result = map(lanes::<T>(cpu, at.rn()), f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and the immediate.
#[inline(always)]
pub(super) fn unary_imm<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> T) -> Flow {
    let amount = at.imm() as u32;
    let result = map(lanes::<T>(cpu, at.rn()), |n| f(n, amount));
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd`, `rn` and the immediate.
#[inline(always)]
pub(super) fn accumulate_imm<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, u32) -> T) -> Flow {
    let amount = at.imm() as u32;
    let result = map2(lanes::<T>(cpu, at.rd()), lanes::<T>(cpu, at.rn()), |d, n| f(d, n, amount));
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn` and `rm`.
#[inline(always)]
pub(super) fn binary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let result = map2(lanes::<T>(cpu, at.rn()), lanes::<T>(cpu, at.rm()), f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd`, `rn` and `rm`.
#[inline(always)]
pub(super) fn accumulate<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, T) -> T) -> Flow {
    let result = map3(lanes::<T>(cpu, at.rd()), lanes::<T>(cpu, at.rn()), lanes::<T>(cpu, at.rm()), f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn`, `rm` and `ra`.
#[inline(always)]
pub(super) fn ternary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, T) -> T) -> Flow {
    let result = map3(lanes::<T>(cpu, at.rn()), lanes::<T>(cpu, at.rm()), lanes::<T>(cpu, at.ra()), f);
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rn`, `rm` and the immediate.
#[inline(always)]
pub(super) fn binary_imm<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T, u32) -> T) -> Flow {
    let amount = at.imm() as u32;
    let result = map2(lanes::<T>(cpu, at.rn()), lanes::<T>(cpu, at.rm()), |n, m| f(n, m, amount));
    finish(cpu, at, result)
}

/// `rd` = `f` of the lanes of `rd` and `rn`.
#[inline(always)]
pub(super) fn accumulate_unary<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let result = map2(lanes::<T>(cpu, at.rd()), lanes::<T>(cpu, at.rn()), f);
    finish(cpu, at, result)
}

/// `rd` = `f` of neighbouring lanes of `rn` and then `rm`.
#[inline(always)]
pub(super) fn pairwise<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let (n, m) = (at.rn(), at.rm());
    let result = if at.aux() == FULL {
        map_pairs(lanes::<T>(cpu, n), lanes::<T>(cpu, m), f)
    } else {
        let joined = cpu.v[n] & u128::from(u64::MAX) | cpu.v[m] << 64;
        map_pairs(T::split(&joined), [], f)
    };
    finish(cpu, at, result)
}

/// Lane 0 of `rd` = all lanes of `rn` folded by `f`.
#[inline(always)]
pub(super) fn across<T: Lane>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T) -> Flow {
    let value = fold(lanes::<T>(cpu, at.rn()), at.aux() == FULL, |lane| lane, f);
    set_scalar(cpu, at, value)
}

/// Lane 0 of `rd`, twice as wide as the lanes of `rn` = all of those folded by `f`.
#[inline(always)]
pub(super) fn across_long<T: Widening>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(T::Double, T::Double) -> T::Double,
) -> Flow {
    let value = fold(lanes::<T>(cpu, at.rn()), at.aux() == FULL, T::double, f);
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
    let result = map(lanes::<W>(cpu, at.rn()), f);
    finish_narrow(cpu, at, result)
}

/// Half of `rd` = `f` of the lanes of `rn`, which are twice as wide, and the immediate.
#[inline(always)]
pub(super) fn narrow_imm<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W, u32) -> W::Narrow) -> Flow {
    let amount = at.imm() as u32;
    let result = map(lanes::<W>(cpu, at.rn()), |n| f(n, amount));
    finish_narrow(cpu, at, result)
}

/// `rd` = `f` of the lanes of half of `rn`, which are half as wide.
#[inline(always)]
pub(super) fn long<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T) -> T::Double) -> Flow {
    cpu.v[at.rd()] = map(half::<T>(cpu, at, at.rn()), f);
    at.next(cpu)
}

/// `rd` = `f` of the lanes of half of `rn`, which are half as wide, and the immediate.
#[inline(always)]
pub(super) fn long_imm<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, u32) -> T::Double) -> Flow {
    let amount = at.imm() as u32;
    cpu.v[at.rd()] = map(half::<T>(cpu, at, at.rn()), |n| f(n, amount));
    at.next(cpu)
}

/// `rd` = `f` of the lanes of half of `rn` and half of `rm`, which are half as wide.
#[inline(always)]
pub(super) fn long_binary<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T, T) -> T::Double) -> Flow {
    cpu.v[at.rd()] = map2(half::<T>(cpu, at, at.rn()), half::<T>(cpu, at, at.rm()), f);
    at.next(cpu)
}

/// `rd` = `f` of the lanes of `rd`, and of half of `rn` and half of `rm`, which are half as wide.
#[inline(always)]
pub(super) fn long_accumulate<T: Widening>(
    cpu: &mut Cpu,
    at: At<'_>,
    f: impl Fn(T::Double, T, T) -> T::Double,
) -> Flow {
    cpu.v[at.rd()] =
        map3(lanes::<T::Double>(cpu, at.rd()), half::<T>(cpu, at, at.rn()), half::<T>(cpu, at, at.rm()), f);
    at.next(cpu)
}

/// `rd` = `f` of the lanes of `rn`, and of half of `rm`, which are half as wide.
#[inline(always)]
pub(super) fn wide_binary<T: Widening>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(T::Double, T) -> T::Double) -> Flow {
    cpu.v[at.rd()] = map2(lanes::<T::Double>(cpu, at.rn()), half::<T>(cpu, at, at.rm()), f);
    at.next(cpu)
}

/// Half of `rd` = `f` of the lanes of `rn` and `rm`, which are twice as wide.
#[inline(always)]
pub(super) fn narrow_binary<W: Narrowing>(cpu: &mut Cpu, at: At<'_>, f: impl Fn(W, W) -> W::Narrow) -> Flow {
    let result = map2(lanes::<W>(cpu, at.rn()), lanes::<W>(cpu, at.rm()), f);
    finish_narrow(cpu, at, result)
}

/// Writes the element `index` of `rm`, as often as there is room, to [`SCRATCH_VECTOR`].
fn splat_element<T: Lane>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let element = T::split(&cpu.v[at.rm()]).as_ref()[usize::from(at.aux()) % T::COUNT];
    cpu.v[usize::from(SCRATCH_VECTOR)] = T::join(T::splat(element));
    at.next(cpu)
}
