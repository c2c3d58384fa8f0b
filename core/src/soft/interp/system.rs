//! Exception generation and system instructions: lowering and handlers. Source: Arm ARM C4.1.93, C5, C6.2.

use std::sync::atomic::{Ordering, fence};

use super::builder::Builder;
use super::cpu::{Cpu, Flags, Monitor};
use super::op::{At, Flow, Operands};
use super::slots::{dest, source};
use crate::host::clock::monotonic_ns;
use crate::soft::a64::Inst;
use crate::vcpu::ExceptionKind;

fn supervisor_call(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise_after(at, ExceptionKind::Syscall { imm: at.aux() })
}

pub(crate) fn svc(b: &mut Builder, inst: Inst) {
    b.emit_last(supervisor_call, Operands { aux: inst.field('i') as u16, ..Operands::default() });
}

fn breakpoint(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise(at, ExceptionKind::Breakpoint { comment: at.aux() })
}

pub(crate) fn brk(b: &mut Builder, inst: Inst) {
    b.emit_last(breakpoint, Operands { aux: inst.field('i') as u16, ..Operands::default() });
}

/// The whole hint space does nothing here: YIELD and WFE may, the rest belongs to features that are not advertised.
pub(crate) fn hint(b: &mut Builder, _inst: Inst) {
    b.emit_nothing();
}

fn clear_monitor(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.monitor = Monitor::default();
    at.next(cpu)
}

pub(crate) fn clrex(b: &mut Builder, _inst: Inst) {
    b.emit(clear_monitor, Operands::default());
}

fn full_fence(cpu: &mut Cpu, at: At<'_>) -> Flow {
    fence(Ordering::SeqCst);
    at.next(cpu)
}

/// Loads and stores of the host are ordered but for store to load, so that every barrier may be the full one.
pub(crate) fn barrier(b: &mut Builder, _inst: Inst) {
    b.emit(full_fence, Operands::default());
}

/// Ends the block, so that code which was changed before it is decoded anew after it.
pub(crate) fn isb(b: &mut Builder, _inst: Inst) {
    b.emit_last(|cpu, at| at.next(cpu), Operands::default());
}

/// `op0:op1:CRn:CRm:op2` as in the instruction, op0 without its high bit.
const fn register(op0: u16, op1: u16, crn: u16, crm: u16, op2: u16) -> u16 {
    (op0 & 1) << 14 | op1 << 11 | crn << 7 | crm << 3 | op2
}

const NZCV: u16 = register(3, 3, 4, 2, 0);
const FPCR: u16 = register(3, 3, 4, 4, 0);
const FPSR: u16 = register(3, 3, 4, 4, 1);
const TPIDR_EL0: u16 = register(3, 3, 13, 0, 2);
const TPIDRRO_EL0: u16 = register(3, 3, 13, 0, 3);
const CTR_EL0: u16 = register(3, 3, 0, 0, 1);
const DCZID_EL0: u16 = register(3, 3, 0, 0, 7);
const CNTFRQ_EL0: u16 = register(3, 3, 14, 0, 0);
const CNTVCT_EL0: u16 = register(3, 3, 14, 0, 2);

/// Lines of 64 bytes, PIPT instruction cache, IDC and DIC clear.
const CTR_VALUE: u64 = 0x8444_c004;
/// DC ZVA is not here.
const DCZID_VALUE: u64 = 0x10;
/// The counter counts nanoseconds.
const COUNTER_HZ: u64 = 1_000_000_000;

fn read(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = match at.aux() {
        NZCV => cpu.flags.nzcv() << 28,
        FPCR => u64::from(cpu.fpcr),
        FPSR => u64::from(cpu.fpsr),
        TPIDR_EL0 => cpu.tpidr_el0,
        TPIDRRO_EL0 => cpu.tpidrro_el0,
        CTR_EL0 => CTR_VALUE,
        DCZID_EL0 => DCZID_VALUE,
        CNTFRQ_EL0 => COUNTER_HZ,
        CNTVCT_EL0 => monotonic_ns(),
        _not_here => return cpu.raise(at, ExceptionKind::Undefined { instruction: at.imm() as u32 }),
    };
    cpu.r[at.rd()] = value;
    at.next(cpu)
}

fn write(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = cpu.r[at.rn()];
    match at.aux() {
        NZCV => cpu.flags = Flags::from_nzcv(value >> 28 & 0xf),
        FPCR => cpu.fpcr = value as u32,
        FPSR => cpu.fpsr = value as u32,
        TPIDR_EL0 => cpu.tpidr_el0 = value,
        _not_here => return cpu.raise(at, ExceptionKind::Undefined { instruction: at.imm() as u32 }),
    }
    at.next(cpu)
}

pub(crate) fn mrs(b: &mut Builder, inst: Inst) {
    let operands = Operands {
        imm: u64::from(inst.word()),
        rd: dest(inst.reg('t')),
        aux: inst.field('i') as u16,
        ..Operands::default()
    };
    b.emit(read, operands);
}

pub(crate) fn msr(b: &mut Builder, inst: Inst) {
    let operands = Operands {
        imm: u64::from(inst.word()),
        rn: source(inst.reg('t')),
        aux: inst.field('i') as u16,
        ..Operands::default()
    };
    b.emit(write, operands);
}
