//! Scalar floating-point conversions, and moves to and from general registers: lowering and handlers. Source: Arm ARM
//! C4.1.96 ("Conversion between floating-point and integer", "... and fixed-point"), C7.2.

use super::builder::Builder;
use super::cpu::{Cpu, Flags};
use super::fp_ops::Mode;
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::soft::a64::Inst;
use crate::soft::fp::{self, Brain, Double, Format, Half, Single, fast};

/// A conversion between formats.
fn execute_convert<From: Format, To: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn()) & From::MASK;
    let result = fast::convert::<From, To>(&mut cpu.fp, a);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

fn one_source(inst: Inst) -> Operands {
    Operands { rd: inst.reg('d'), rn: inst.reg('n'), ..Operands::default() }
}

/// FCVT: from the format in bits 23:22 to that in bits 16:15 (0 S, 1 D, 3 H).
pub(crate) fn fcvt(b: &mut Builder, inst: Inst) {
    let exec: Exec = match (inst.word() >> 22 & 3, inst.word() >> 15 & 3) {
        (0, 1) => execute_convert::<Single, Double>,
        (0, 0 | 2..) => execute_convert::<Single, Half>,
        (1, 0) => execute_convert::<Double, Single>,
        (1, 1..) => execute_convert::<Double, Half>,
        (2.., 0) => execute_convert::<Half, Single>,
        (2.., 1..) => execute_convert::<Half, Double>,
    };
    b.emit(exec, one_source(inst));
}

pub(crate) fn bfcvt(b: &mut Builder, inst: Inst) {
    b.emit(execute_convert::<Single, Brain>, one_source(inst));
}

/// Width and signedness of an integer.
pub(crate) trait Integer {
    /// Width in bits.
    const WIDTH: u32;
    /// True for two's complement.
    const IS_SIGNED: bool;
}

/// A signed or unsigned integer of 16 to 64 bits.
pub(crate) struct Int<const WIDTH: u32, const SIGNED: bool>;

impl<const WIDTH: u32, const SIGNED: bool> Integer for Int<WIDTH, SIGNED> {
    const WIDTH: u32 = WIDTH;
    const IS_SIGNED: bool = SIGNED;
}

fn execute_to_integer<I: Integer, M: Mode, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn()) & F::MASK;
    let mode = M::of(&cpu.fp);
    cpu.r[at.rd()] = fast::to_integer::<F>(&mut cpu.fp, a, I::WIDTH, I::IS_SIGNED, mode);
    at.next(cpu)
}

/// FCVTNS and so on: to an integer in a general register.
pub(crate) fn to_integer<M: Mode, const SIGNED: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec = match (inst.is_64bit(), inst.word() >> 22 & 3) {
        (false, 0) => execute_to_integer::<Int<32, SIGNED>, M, Single>,
        (false, 1) => execute_to_integer::<Int<32, SIGNED>, M, Double>,
        (false, 2..) => execute_to_integer::<Int<32, SIGNED>, M, Half>,
        (true, 0) => execute_to_integer::<Int<64, SIGNED>, M, Single>,
        (true, 1) => execute_to_integer::<Int<64, SIGNED>, M, Double>,
        (true, 2..) => execute_to_integer::<Int<64, SIGNED>, M, Half>,
    };
    b.emit(exec, Operands { rd: dest(inst.reg('d')), rn: inst.reg('n'), ..Operands::default() });
}

/// A direction of conversion, for [`by_integer`].
trait Conversion {
    /// The handler for an integer and a format.
    fn handler<I: Integer, F: Format>() -> Exec;
}

struct FromInteger;
struct ToFixed;
struct FromFixed;

impl Conversion for FromInteger {
    fn handler<I: Integer, F: Format>() -> Exec {
        execute_from_integer::<I, F>
    }
}

impl Conversion for ToFixed {
    fn handler<I: Integer, F: Format>() -> Exec {
        execute_to_fixed::<I, F>
    }
}

impl Conversion for FromFixed {
    fn handler<I: Integer, F: Format>() -> Exec {
        execute_from_fixed::<I, F>
    }
}

/// The handler for the width and the format that the word says.
fn by_integer<C: Conversion, const SIGNED: bool>(inst: Inst) -> Exec {
    match (inst.is_64bit(), inst.word() >> 22 & 3) {
        (false, 0) => C::handler::<Int<32, SIGNED>, Single>(),
        (false, 1) => C::handler::<Int<32, SIGNED>, Double>(),
        (false, 2..) => C::handler::<Int<32, SIGNED>, Half>(),
        (true, 0) => C::handler::<Int<64, SIGNED>, Single>(),
        (true, 1) => C::handler::<Int<64, SIGNED>, Double>(),
        (true, 2..) => C::handler::<Int<64, SIGNED>, Half>(),
    }
}

fn execute_from_integer<I: Integer, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = cpu.r[at.rn()];
    let result = fast::from_integer::<F>(&mut cpu.fp, value, I::WIDTH, I::IS_SIGNED);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

/// SCVTF and UCVTF from a general register.
pub(crate) fn from_integer<const SIGNED: bool>(b: &mut Builder, inst: Inst) {
    let operands = Operands { rd: inst.reg('d'), rn: source(inst.reg('n')), ..Operands::default() };
    b.emit(by_integer::<FromInteger, SIGNED>(inst), operands);
}

/// `aux` is the number of bits after the point.
fn execute_to_fixed<I: Integer, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn()) & F::MASK;
    let bits = u32::from(at.aux());
    let result = fp::to_fixed::<F>(&mut cpu.fp, a, bits, I::WIDTH, I::IS_SIGNED, fp::Rounding::Zero);
    cpu.r[at.rd()] = result;
    at.next(cpu)
}

/// The number of bits after the point.
fn fraction_bits(inst: Inst) -> u16 {
    64 - inst.field('s') as u16
}

/// FCVTZS and FCVTZU to a fixed-point number in a general register.
pub(crate) fn to_fixed<const SIGNED: bool>(b: &mut Builder, inst: Inst) {
    let aux = fraction_bits(inst);
    let operands = Operands { rd: dest(inst.reg('d')), rn: inst.reg('n'), aux, ..Operands::default() };
    b.emit(by_integer::<ToFixed, SIGNED>(inst), operands);
}

fn execute_from_fixed<I: Integer, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (value, bits) = (cpu.r[at.rn()], u32::from(at.aux()));
    let result = fp::fixed_to_fp::<F>(&mut cpu.fp, value, bits, I::WIDTH, I::IS_SIGNED);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

/// SCVTF and UCVTF of a fixed-point number in a general register.
pub(crate) fn from_fixed<const SIGNED: bool>(b: &mut Builder, inst: Inst) {
    let aux = fraction_bits(inst);
    let operands = Operands { rd: inst.reg('d'), rn: source(inst.reg('n')), aux, ..Operands::default() };
    b.emit(by_integer::<FromFixed, SIGNED>(inst), operands);
}

fn execute_fjcvtzs(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn());
    let (result, is_exact) = fp::to_fixed_js::<Double>(&mut cpu.fp, a);
    cpu.r[at.rd()] = result;
    cpu.flags = Flags { n: 0, z: u64::from(!is_exact), c: false, v: false };
    at.next(cpu)
}

pub(crate) fn fjcvtzs(b: &mut Builder, inst: Inst) {
    b.emit(execute_fjcvtzs, Operands { rd: dest(inst.reg('d')), rn: inst.reg('n'), ..Operands::default() });
}

/// The low bits of a SIMD&FP register.
fn execute_move_to_general<F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = cpu.scalar(at.rn()) & F::MASK;
    at.next(cpu)
}

pub(crate) fn fmov_to_general(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 22 & 3 {
        0 => execute_move_to_general::<Single>,
        1 => execute_move_to_general::<Double>,
        2.. => execute_move_to_general::<Half>,
    };
    b.emit(exec, Operands { rd: dest(inst.reg('d')), rn: inst.reg('n'), ..Operands::default() });
}

fn execute_move_from_general<F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.set_scalar(at.rd(), cpu.r[at.rn()] & F::MASK);
    at.next(cpu)
}

pub(crate) fn fmov_from_general(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 22 & 3 {
        0 => execute_move_from_general::<Single>,
        1 => execute_move_from_general::<Double>,
        2.. => execute_move_from_general::<Half>,
    };
    b.emit(exec, Operands { rd: inst.reg('d'), rn: source(inst.reg('n')), ..Operands::default() });
}

fn execute_move_top_to_general(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = (cpu.v[at.rn()] >> 64) as u64;
    at.next(cpu)
}

pub(crate) fn fmov_top_to_general(b: &mut Builder, inst: Inst) {
    let operands = Operands { rd: dest(inst.reg('d')), rn: inst.reg('n'), ..Operands::default() };
    b.emit(execute_move_top_to_general, operands);
}

/// The other half of the register stays.
fn execute_move_top_from_general(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let low = cpu.scalar(at.rd());
    cpu.v[at.rd()] = u128::from(cpu.r[at.rn()]) << 64 | u128::from(low);
    at.next(cpu)
}

pub(crate) fn fmov_top_from_general(b: &mut Builder, inst: Inst) {
    let operands = Operands { rd: inst.reg('d'), rn: source(inst.reg('n')), ..Operands::default() };
    b.emit(execute_move_top_from_general, operands);
}
