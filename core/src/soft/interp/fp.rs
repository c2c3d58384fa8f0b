//! Scalar floating-point arithmetic, comparison and selection: lowering and handlers. Source: Arm ARM C4.1.96 ("Data
//! Processing -- Scalar Floating-Point"), C7.2.
//!
//! Lowering functions take the operation as a type of [`fp_ops`](super::fp_ops). The functions without suffix are for
//! single and double precision (by bit 22 of the word), those in `_h` for half precision.

use super::branch::by_condition;
use super::builder::Builder;
use super::cpu::{Cpu, Flags};
use super::fp_ops::{Binary, Ternary, Unary};
use super::op::{At, Exec, Flow, Operands};
use crate::soft::a64::{Inst, expand_immediate, fp_immediate};
use crate::soft::fp::{Double, Format, Half, Ordering, Single, fast};

/// Picks the instance of a handler for single or double precision; the format is its last generic argument.
macro_rules! by_format {
    ($inst:expr, $handler:ident $(, $arg:ty)*) => {
        if $inst.word() >> 22 & 1 == 0 { $handler::<$($arg,)* Single> as Exec } else { $handler::<$($arg,)* Double> }
    };
}

fn registers(inst: Inst) -> Operands {
    let (rd, rn, rm, ra) = (inst.reg('d'), inst.reg('n'), inst.reg('m'), inst.reg('a'));
    Operands { rd, rn, rm, ra, ..Operands::default() }
}

fn execute_unary<O: Unary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn()) & F::MASK;
    let result = O::apply::<F>(&mut cpu.fp, a);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn unary<O: Unary>(b: &mut Builder, inst: Inst) {
    b.emit(by_format!(inst, execute_unary, O), registers(inst));
}

pub(crate) fn unary_h<O: Unary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_unary::<O, Half>, registers(inst));
}

fn execute_binary<O: Binary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, b) = (cpu.scalar(at.rn()) & F::MASK, cpu.scalar(at.rm()) & F::MASK);
    let result = O::apply::<F>(&mut cpu.fp, a, b);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn binary<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(by_format!(inst, execute_binary, O), registers(inst));
}

pub(crate) fn binary_h<O: Binary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_binary::<O, Half>, registers(inst));
}

fn execute_ternary<O: Ternary, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (addend, a, b) = (cpu.scalar(at.ra()) & F::MASK, cpu.scalar(at.rn()) & F::MASK, cpu.scalar(at.rm()) & F::MASK);
    let result = O::apply::<F>(&mut cpu.fp, addend, a, b);
    cpu.set_scalar(at.rd(), result);
    at.next(cpu)
}

pub(crate) fn ternary<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(by_format!(inst, execute_ternary, O), registers(inst));
}

pub(crate) fn ternary_h<O: Ternary>(b: &mut Builder, inst: Inst) {
    b.emit(execute_ternary::<O, Half>, registers(inst));
}

/// FCMP and FCMPE (`SIGNALING`); `ZERO` compares with zero.
fn execute_compare<const SIGNALING: bool, const ZERO: bool, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.scalar(at.rn()) & F::MASK;
    let b = if ZERO { 0 } else { cpu.scalar(at.rm()) & F::MASK };
    cpu.flags = compare_flags::<SIGNALING, F>(cpu, a, b);
    at.next(cpu)
}

#[inline(always)]
fn compare_flags<const SIGNALING: bool, F: Format>(cpu: &mut Cpu, a: u64, b: u64) -> Flags {
    let order =
        if SIGNALING { fast::compare::<F>(&mut cpu.fp, a, b) } else { fast::compare_quiet::<F>(&mut cpu.fp, a, b) };
    match order {
        Ordering::Less => Flags { n: 1 << 63, z: 1, c: false, v: false },
        Ordering::Equal => Flags { n: 0, z: 0, c: true, v: false },
        Ordering::Greater => Flags { n: 0, z: 1, c: true, v: false },
        Ordering::Unordered => Flags { n: 0, z: 1, c: true, v: true },
    }
}

pub(crate) fn compare<const SIGNALING: bool, const ZERO: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.word() >> 22 & 1 == 0 {
        execute_compare::<SIGNALING, ZERO, Single>
    } else {
        execute_compare::<SIGNALING, ZERO, Double>
    };
    b.emit(exec, registers(inst));
}

pub(crate) fn compare_h<const SIGNALING: bool, const ZERO: bool>(b: &mut Builder, inst: Inst) {
    b.emit(execute_compare::<SIGNALING, ZERO, Half>, registers(inst));
}

/// FCCMP and FCCMPE: `ra` is the condition, `aux` the flags where it does not hold.
fn execute_compare_if<const SIGNALING: bool, F: Format>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.flags = if cpu.flags.holds(at.ra() as u8) {
        let (a, b) = (cpu.scalar(at.rn()) & F::MASK, cpu.scalar(at.rm()) & F::MASK);
        compare_flags::<SIGNALING, F>(cpu, a, b)
    } else {
        Flags::from_nzcv(u64::from(at.aux()))
    };
    at.next(cpu)
}

fn compare_if_operands(inst: Inst) -> Operands {
    Operands { ra: inst.reg('c'), aux: inst.field('k') as u16, ..registers(inst) }
}

pub(crate) fn compare_if<const SIGNALING: bool>(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.word() >> 22 & 1 == 0 {
        execute_compare_if::<SIGNALING, Single>
    } else {
        execute_compare_if::<SIGNALING, Double>
    };
    b.emit(exec, compare_if_operands(inst));
}

pub(crate) fn compare_if_h<const SIGNALING: bool>(b: &mut Builder, inst: Inst) {
    b.emit(execute_compare_if::<SIGNALING, Half>, compare_if_operands(inst));
}

fn execute_select<F: Format, const COND: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (yes, no) = (cpu.scalar(at.rn()), cpu.scalar(at.rm()));
    cpu.set_scalar(at.rd(), if cpu.flags.holds(COND) { yes } else { no } & F::MASK);
    at.next(cpu)
}

static SELECT_S: [Exec; 16] = by_condition!(execute_select, Single);
static SELECT_D: [Exec; 16] = by_condition!(execute_select, Double);
static SELECT_H: [Exec; 16] = by_condition!(execute_select, Half);

fn lower_select(b: &mut Builder, inst: Inst, instances: &[Exec; 16]) {
    b.emit(instances[inst.field('c') as usize & 15], registers(inst));
}

pub(crate) fn fcsel(b: &mut Builder, inst: Inst) {
    lower_select(b, inst, if inst.word() >> 22 & 1 == 0 { &SELECT_S } else { &SELECT_D });
}

pub(crate) fn fcsel_h(b: &mut Builder, inst: Inst) {
    lower_select(b, inst, &SELECT_H);
}

fn execute_constant(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.set_scalar(at.rd(), at.imm());
    at.next(cpu)
}

fn lower_constant<F: Format>(b: &mut Builder, inst: Inst) {
    let imm = immediate::<F>(fp_immediate(inst));
    b.emit(execute_constant, Operands { rd: inst.reg('d'), imm, ..Operands::default() });
}

/// VFPExpandImm.
pub(super) fn immediate<F: Format>(imm8: u8) -> u64 {
    let bits = expand_immediate(imm8).to_bits();
    // A sign, an exponent that is small, and a fraction of four bits.
    let sign = bits >> 63 << (F::BITS - 1);
    let exponent = (bits >> 52 & 0x7ff) as i32 - Double::BIAS + F::BIAS;
    sign | (exponent as u64) << F::FRAC | (bits >> 48 & 15) << (F::FRAC - 4)
}

pub(crate) fn fmov_imm(b: &mut Builder, inst: Inst) {
    if inst.word() >> 22 & 1 == 0 { lower_constant::<Single>(b, inst) } else { lower_constant::<Double>(b, inst) }
}

pub(crate) fn fmov_imm_h(b: &mut Builder, inst: Inst) {
    lower_constant::<Half>(b, inst);
}
