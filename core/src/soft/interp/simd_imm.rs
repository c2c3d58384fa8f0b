//! Advanced SIMD, modified immediate: the value is made when the instruction is decoded.
//!
//! Source: Arm ARM C4.1.97, J1.1 (`AdvSIMDExpandImm`).

use super::builder::Builder;
use super::cpu::Cpu;
use super::op::{At, Flow, Operands};
use super::simd::{finish, operands};
use crate::soft::a64::Inst;
use crate::soft::a64::bits::simd_immediate;

/// The immediate in both halves of a register.
fn immediate(at: At<'_>) -> u128 {
    u128::from(at.imm()) << 64 | u128::from(at.imm())
}

fn set(cpu: &mut Cpu, at: At<'_>) -> Flow {
    finish(cpu, at, immediate(at))
}

fn set_bits(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let result = cpu.v[at.rd()] | immediate(at);
    finish(cpu, at, result)
}

fn clear_bits(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let result = cpu.v[at.rd()] & !immediate(at);
    finish(cpu, at, result)
}

fn with_immediate(inst: Inst) -> Operands {
    Operands { imm: simd_immediate(inst.word()), ..operands(inst) }
}

pub(crate) fn movi(b: &mut Builder, inst: Inst) {
    b.emit(set, with_immediate(inst));
}

pub(crate) fn mvni(b: &mut Builder, inst: Inst) {
    let operands = with_immediate(inst);
    b.emit(set, Operands { imm: !operands.imm, ..operands });
}

pub(crate) fn orr(b: &mut Builder, inst: Inst) {
    b.emit(set_bits, with_immediate(inst));
}

pub(crate) fn bic(b: &mut Builder, inst: Inst) {
    b.emit(clear_bits, with_immediate(inst));
}
