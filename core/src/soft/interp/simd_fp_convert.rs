//! Advanced SIMD conversions between floating-point formats, longer and narrower: lowering and handlers. Source: Arm ARM
//! C4.1.97 ("Advanced SIMD two-register miscellaneous"), C7.2.
//!
//! The instructions whose names end in 2 have their narrow lanes in the upper half of a register.

use std::marker::PhantomData;

use super::builder::Builder;
use super::cpu::Cpu;
use super::op::{At, Exec, Flow, Operands};
use super::simd_fp::{lane, lanes, registers};
use crate::soft::a64::Inst;
use crate::soft::fp::{self, Brain, Double, Env, Format, Half, Single, fast};

/// A conversion between two formats.
pub(crate) trait Conversion {
    /// The format of the source.
    type From: Format;
    /// The format of the result.
    type To: Format;

    /// The result.
    fn apply(env: &mut Env, a: u64) -> u64;
}

/// Rounded as FPCR says.
pub(crate) struct Plain<From, To>(PhantomData<(From, To)>);
/// FCVTXN: rounded to odd.
pub(crate) struct ToOdd;

impl<From: Format, To: Format> Conversion for Plain<From, To> {
    type From = From;
    type To = To;

    #[inline(always)]
    fn apply(env: &mut Env, a: u64) -> u64 {
        fast::convert::<From, To>(env, a)
    }
}

impl Conversion for ToOdd {
    type From = Double;
    type To = Single;

    fn apply(env: &mut Env, a: u64) -> u64 {
        fp::convert_odd::<Double, Single>(env, a)
    }
}

/// The result is the lower half of the register, or its upper half with the lower one kept.
fn execute_narrow<C: Conversion, const UPPER: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.vector(at.rn());
    let half = lanes::<C::To, false>(|index| C::apply(&mut cpu.fp, lane::<C::From>(a, index)));
    let result = if UPPER { half << 64 | u128::from(cpu.scalar(at.rd())) } else { half };
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

fn lower_narrow<C: Conversion>(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.field('q') == 0 { execute_narrow::<C, false> } else { execute_narrow::<C, true> };
    b.emit(exec, registers(inst));
}

pub(crate) fn fcvtn(b: &mut Builder, inst: Inst) {
    if inst.field('z') == 0 {
        lower_narrow::<Plain<Single, Half>>(b, inst);
    } else {
        lower_narrow::<Plain<Double, Single>>(b, inst);
    }
}

pub(crate) fn bfcvtn(b: &mut Builder, inst: Inst) {
    lower_narrow::<Plain<Single, Brain>>(b, inst);
}

pub(crate) fn fcvtxn(b: &mut Builder, inst: Inst) {
    lower_narrow::<ToOdd>(b, inst);
}

fn execute_scalar<C: Conversion>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn());
    let result = C::apply(&mut cpu.fp, a);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn fcvtxn_scalar(b: &mut Builder, inst: Inst) {
    b.emit(execute_scalar::<ToOdd>, registers(inst));
}

/// The source is the lower or the upper half of the register.
fn execute_long<C: Conversion, const UPPER: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.vector(at.rn());
    let half = if UPPER { a >> 64 } else { a };
    let result = lanes::<C::To, true>(|index| C::apply(&mut cpu.fp, lane::<C::From>(half, index)));
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn fcvtl(b: &mut Builder, inst: Inst) {
    let exec: Exec = match (inst.field('z'), inst.field('q')) {
        (0, 0) => execute_long::<Plain<Half, Single>, false>,
        (0, 1..) => execute_long::<Plain<Half, Single>, true>,
        (1.., 0) => execute_long::<Plain<Single, Double>, false>,
        (1.., 1..) => execute_long::<Plain<Single, Double>, true>,
    };
    b.emit(exec, registers(inst));
}

/// URECPE and URSQRTE: integers of 32 bits.
fn execute_estimate<const SQRT: bool, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.vector(at.rn());
    let result = lanes::<Single, FULL>(|index| {
        let value = lane::<Single>(a, index) as u32;
        u64::from(if SQRT { fp::unsigned_recip_sqrt_estimate(value) } else { fp::unsigned_recip_estimate(value) })
    });
    cpu.set_vector(at.rd(), result);
    at.next(cpu)
}

fn lower_estimate<const SQRT: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec =
        if inst.field('q') == 0 { execute_estimate::<SQRT, false> } else { execute_estimate::<SQRT, true> };
    let operands: Operands = registers(inst);
    b.emit(exec, operands);
}

pub(crate) fn urecpe(b: &mut Builder, inst: Inst) {
    lower_estimate::<false>(b, inst);
}

pub(crate) fn ursqrte(b: &mut Builder, inst: Inst) {
    lower_estimate::<true>(b, inst);
}
