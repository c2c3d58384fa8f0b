//! Exception generation, barriers, hints and system instructions: lowering and handlers. Source: Arm ARM C4.1.93, C5,
//! C6.2.

use std::sync::atomic::{Ordering, fence};

use super::branch;
use super::builder::Builder;
use super::cpu::{Cpu, Flags};
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::abi::{GuestAddr, GuestRange};
use crate::host::clock::monotonic_ns;
use crate::host::random::random_u128;
use crate::soft::a64::Inst;
use crate::soft::a64::features::{self, CACHE_LINE_BYTES, ZVA_BYTES};
use crate::soft::a64::sysreg::{self, SysOp, SysReg};
use crate::soft::fp::{FPCR_BITS, FPSR_BITS};
use crate::vcpu::{Access, ExceptionKind, Pstate};

fn supervisor_call(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise_after(at, ExceptionKind::Syscall { imm: at.aux() })
}

pub(crate) fn svc(b: &mut Builder, inst: Inst) {
    b.emit_last(supervisor_call, Operands { aux: inst.field('i') as u16, ..Operands::default() });
}

fn breakpoint(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise(at, ExceptionKind::Breakpoint { comment: at.aux() })
}

/// Wherever a branch leads, BRK is a breakpoint.
pub(crate) fn brk(b: &mut Builder, inst: Inst) {
    b.accept(0b1111);
    b.emit_last(breakpoint, Operands { aux: inst.field('i') as u16, ..Operands::default() });
}

/// Instructions that have a name and are undefined at EL0.
pub(crate) fn undefined(b: &mut Builder, inst: Inst) {
    b.undefined(inst.word());
}

fn pause(cpu: &mut Cpu, at: At<'_>) -> Flow {
    std::hint::spin_loop();
    at.next(cpu)
}

/// YIELD, WFE and WFI tell the host CPU that this is a spin loop. All other hints (PAC and BTI among them, as on a CPU
/// without these features) do nothing.
pub(crate) fn hint(b: &mut Builder, inst: Inst) {
    match inst.field('i') {
        1..=3 => b.emit(pause, Operands::default()),
        0 | 4.. => b.emit_nothing(),
    }
}

/// BTI: nothing to execute. Its operand says which branches may lead here: none, calls, jumps, both.
pub(crate) fn bti(b: &mut Builder, inst: Inst) {
    let trampoline = 1 << branch::TRAMPOLINE;
    b.accept(match inst.field('o') {
        0 => 0,
        1 => trampoline | 1 << branch::CALL,
        2 => trampoline | 1 << branch::JUMP,
        3.. => trampoline | 1 << branch::CALL | 1 << branch::JUMP,
    });
    b.emit_nothing();
}

/// WFET and WFIT may end before their time.
pub(crate) fn wait_until(b: &mut Builder, _inst: Inst) {
    b.emit(pause, Operands::default());
}

fn barrier_full(cpu: &mut Cpu, at: At<'_>) -> Flow {
    fence(Ordering::SeqCst);
    at.next(cpu)
}

fn barrier_loads(cpu: &mut Cpu, at: At<'_>) -> Flow {
    fence(Ordering::Acquire);
    at.next(cpu)
}

fn barrier_stores(cpu: &mut Cpu, at: At<'_>) -> Flow {
    fence(Ordering::Release);
    at.next(cpu)
}

/// The low two bits of CRm say which accesses are ordered: 1 loads before all, 2 stores before stores, else all.
pub(crate) fn dmb(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.field('i') & 3 {
        1 => barrier_loads,
        2 => barrier_stores,
        0 | 3.. => barrier_full,
    };
    b.emit(exec, Operands::default());
}

pub(crate) fn dsb(b: &mut Builder, _inst: Inst) {
    b.emit(barrier_full, Operands::default());
}

pub(crate) fn sb(b: &mut Builder, _inst: Inst) {
    b.emit(barrier_full, Operands::default());
}

fn synchronize(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.code.synchronize();
    at.next(cpu)
}

/// ISB ends the block: code that has changed is looked at again before the next one.
pub(crate) fn isb(b: &mut Builder, _inst: Inst) {
    b.emit_last(synchronize, Operands::default());
}

fn invert_carry(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.flags.c = !cpu.flags.c;
    at.next(cpu)
}

pub(crate) fn cfinv(b: &mut Builder, _inst: Inst) {
    b.emit(invert_carry, Operands::default());
}

fn flags_from_external(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (z, c) = (cpu.flags.z == 0, cpu.flags.c);
    let (n, z, c, v) = (!c && !z, z && c, c || z, !c && z);
    let nzcv = u64::from(n) << 3 | u64::from(z) << 2 | u64::from(c) << 1 | u64::from(v);
    cpu.flags = Flags::from_nzcv(nzcv);
    at.next(cpu)
}

pub(crate) fn xaflag(b: &mut Builder, _inst: Inst) {
    b.emit(flags_from_external, Operands::default());
}

fn flags_to_external(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let Flags { c, v, .. } = cpu.flags;
    let z = cpu.flags.z == 0 || v;
    cpu.flags = Flags::from_nzcv(u64::from(z) << 2 | u64::from(c && !v) << 1);
    at.next(cpu)
}

pub(crate) fn axflag(b: &mut Builder, _inst: Inst) {
    b.emit(flags_to_external, Operands::default());
}

fn set_dit(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.pstate_rest = cpu.pstate_rest & !Pstate::DIT | at.imm();
    at.next(cpu)
}

pub(crate) fn msr_dit(b: &mut Builder, inst: Inst) {
    let imm = if inst.field('i') & 1 == 1 { Pstate::DIT } else { 0 };
    b.emit(set_dit, Operands { imm, ..Operands::default() });
}

fn set_ssbs(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.pstate_rest = cpu.pstate_rest & !Pstate::SSBS | at.imm();
    at.next(cpu)
}

pub(crate) fn msr_ssbs(b: &mut Builder, inst: Inst) {
    let imm = if inst.field('i') & 1 == 1 { Pstate::SSBS } else { 0 };
    b.emit(set_ssbs, Operands { imm, ..Operands::default() });
}

/// RNDR always has a number: NZCV is 0000, as after success.
fn read_random(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = random_u128() as u64;
    cpu.flags = Flags::from_nzcv(0);
    at.next(cpu)
}

/// Defines a read of a system register.
macro_rules! reads {
    ($($name:ident: |$cpu:ident| $value:expr;)*) => {
        $(fn $name(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let $cpu = &*cpu;
            let value = $value;
            cpu.r[at.rd()] = value;
            at.next(cpu)
        })*
    };
}

reads! {
    read_nzcv: |cpu| cpu.flags.nzcv() << 28;
    read_fpcr: |cpu| u64::from(cpu.fp.fpcr);
    read_fpsr: |cpu| u64::from(cpu.fp.fpsr);
    read_dit: |cpu| cpu.pstate_rest & Pstate::DIT;
    read_ssbs: |cpu| cpu.pstate_rest & Pstate::SSBS;
    read_tpidr: |cpu| cpu.tpidr_el0;
    read_tpidrro: |cpu| cpu.tpidrro_el0;
    read_counter: |_cpu| monotonic_ns();
}

fn read_constant(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = at.imm();
    at.next(cpu)
}

pub(crate) fn mrs(b: &mut Builder, inst: Inst) {
    let Some(register) = sysreg::readable(inst.field('r'), b.cpu().features) else { return b.undefined(inst.word()) };
    let constant = |value: u64| (read_constant as Exec, value);
    let (exec, imm) = match register {
        SysReg::Nzcv => (read_nzcv as Exec, 0),
        SysReg::Fpcr => (read_fpcr as Exec, 0),
        SysReg::Fpsr => (read_fpsr as Exec, 0),
        SysReg::Dit => (read_dit as Exec, 0),
        SysReg::Ssbs => (read_ssbs as Exec, 0),
        SysReg::Rndr => (read_random as Exec, 0),
        SysReg::TpidrEl0 => (read_tpidr as Exec, 0),
        SysReg::TpidrroEl0 => (read_tpidrro as Exec, 0),
        SysReg::CntvctEl0 | SysReg::CntvctssEl0 => (read_counter as Exec, 0),
        SysReg::CtrEl0 => constant(features::CTR_EL0),
        SysReg::DczidEl0 => constant(features::DCZID_EL0),
        SysReg::CntfrqEl0 => constant(features::CNTFRQ_EL0),
        SysReg::MidrEl1 => constant(b.cpu().midr),
        SysReg::MpidrEl1 => constant(features::MPIDR_EL1),
        SysReg::RevidrEl1 | SysReg::IdZero => constant(0),
        SysReg::Id(id) => constant(features::id_register(id, b.cpu().features)),
    };
    b.emit(exec, Operands { rd: dest(inst.reg('t')), imm, ..Operands::default() });
}

/// Defines a write of a system register.
macro_rules! writes {
    ($($name:ident: |$cpu:ident, $value:ident| $write:expr;)*) => {
        $(fn $name($cpu: &mut Cpu, at: At<'_>) -> Flow {
            let $value = $cpu.r[at.rn()];
            $write;
            at.next($cpu)
        })*
    };
}

writes! {
    write_nzcv: |cpu, value| cpu.flags = Flags::from_nzcv(value >> 28 & 0xf);
    write_fpcr: |cpu, value| cpu.fp.fpcr = value as u32 & FPCR_BITS;
    write_fpsr: |cpu, value| cpu.fp.fpsr = value as u32 & FPSR_BITS;
    write_dit: |cpu, value| cpu.pstate_rest = cpu.pstate_rest & !Pstate::DIT | value & Pstate::DIT;
    write_ssbs: |cpu, value| cpu.pstate_rest = cpu.pstate_rest & !Pstate::SSBS | value & Pstate::SSBS;
    write_tpidr: |cpu, value| cpu.tpidr_el0 = value;
}

pub(crate) fn msr(b: &mut Builder, inst: Inst) {
    let exec: Exec = match sysreg::writable(inst.field('r'), b.cpu().features) {
        Some(SysReg::Nzcv) => write_nzcv,
        Some(SysReg::Fpcr) => write_fpcr,
        Some(SysReg::Fpsr) => write_fpsr,
        Some(SysReg::Dit) => write_dit,
        Some(SysReg::Ssbs) => write_ssbs,
        Some(SysReg::TpidrEl0) => write_tpidr,
        Some(_) | None => return b.undefined(inst.word()),
    };
    b.emit(exec, Operands { rn: source(inst.reg('t')), ..Operands::default() });
}

/// DC ZVA: clears the block that holds the address.
fn zero_block(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let address = cpu.r[at.rn()];
    let block = address & !(ZVA_BYTES - 1);
    for offset in (0..ZVA_BYTES).step_by(16) {
        if let Err(faulted) = cpu.mem.store(GuestAddr(block + offset), 0u128) {
            return cpu.data_abort(at, block + offset, Access::Write, faulted);
        }
    }
    at.next(cpu)
}

/// Cache maintenance by address needs read permission and does nothing else: caches are coherent.
fn touch(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let address = cpu.r[at.rn()];
    match cpu.mem.load::<u8>(GuestAddr(address)) {
        Ok(_) => at.next(cpu),
        Err(faulted) => cpu.data_abort(at, address, Access::Read, faulted),
    }
}

/// IC IVAU: the line's instructions are read again, by every vCPU before its next block.
fn invalidate_instructions(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let line = GuestAddr(cpu.r[at.rn()] & !(CACHE_LINE_BYTES - 1)).untagged();
    if let Ok(range) = GuestRange::new(line, CACHE_LINE_BYTES) {
        cpu.code.invalidate(range);
    }
    at.next(cpu)
}

pub(crate) fn sys(b: &mut Builder, inst: Inst) {
    let Some(row) = sysreg::system_operation(inst.field('i'), b.cpu().features) else {
        return b.undefined(inst.word());
    };
    let exec: Exec = match row.operation {
        SysOp::ZeroBlock => zero_block,
        SysOp::DataCache => touch,
        SysOp::InvalidateInstructions => invalidate_instructions,
    };
    b.emit(exec, Operands { rn: source(inst.reg('t')), ..Operands::default() });
}
