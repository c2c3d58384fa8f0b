//! FEAT_MOPS: memory copy and memory set. Source: Arm ARM C6.2 (CPYP, CPYFP, SETP), J1.1 (`MemCpyDirectionChoice`).
//!
//! Of the two formats of what stands between prologue and epilogue this is option B: addresses move, the size counts down,
//! and C is set; N says that a copy goes backwards. The prologue copies nothing, the main part everything, and the epilogue
//! what a main part that was left out would have copied. A step is at most [`STEP_BYTES`], after which the instruction starts
//! again, so that it can be interrupted; a fault leaves the registers at what has been copied. Options (non-temporal,
//! unprivileged) mean nothing to EL0. A main part or an epilogue in the other format (C clear) is undefined, where hardware
//! has an exception of its own that Linux mends: no prologue here leads there.

use super::builder::Builder;
use super::cpu::{Cpu, Flags};
use super::op::{At, Exec, Flow, Operands};
use super::slots::source;
use crate::abi::GuestAddr;
use crate::mem::access::Loadable;
use crate::mem::{Faulted, WindowRef};
use crate::soft::a64::Inst;
use crate::vcpu::{Access, ExceptionKind};

/// Bytes between two looks at the interrupt word.
const STEP_BYTES: u64 = 1 << 16;
/// NZCV after a prologue.
const FORWARD: u64 = 0b0010;
const BACKWARD: u64 = 0b1010;
/// Above the address, the tag.
const ADDRESS_BITS: u64 = (1 << 56) - 1;

/// An access that failed.
struct Failed(u64, Access, Faulted);

/// Operands: `rd` the destination, `rm` the source, `rn` the size.
fn emit(b: &mut Builder, inst: Inst, exec: Exec) {
    let (rd, rn, rm) = (inst.reg('d'), inst.reg('n'), source(inst.reg('s')));
    b.emit(exec, Operands { rd, rn, rm, imm: u64::from(inst.word()), ..Operands::default() });
}

/// CPYFP.
pub(crate) fn start_forward_copy(b: &mut Builder, inst: Inst) {
    emit(b, inst, start::<{ i64::MAX as u64 }>);
}

/// CPYP.
pub(crate) fn start_copy(b: &mut Builder, inst: Inst) {
    emit(b, inst, start_either_way);
}

/// CPYFM, CPYM, and their epilogues.
pub(crate) fn copy(b: &mut Builder, inst: Inst) {
    emit(b, inst, copy_step);
}

/// SETP.
pub(crate) fn start_set(b: &mut Builder, inst: Inst) {
    emit(b, inst, start::<{ i64::MAX as u64 }>);
}

/// SETM and its epilogue.
pub(crate) fn set(b: &mut Builder, inst: Inst) {
    emit(b, inst, set_step);
}

/// A prologue that goes forward. The size saturates.
fn start<const MOST: u64>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rn()] = cpu.r[at.rn()].min(MOST);
    cpu.flags = Flags::from_nzcv(FORWARD);
    at.next(cpu)
}

/// A prologue that goes backwards where the destination begins within the source.
fn start_either_way(cpu: &mut Cpu, at: At<'_>) -> Flow {
    const MOST: u64 = (1 << 55) - 1;
    let (to, from) = (cpu.r[at.rd()] & ADDRESS_BITS, cpu.r[at.rm()] & ADDRESS_BITS);
    let size = cpu.r[at.rn()].min(MOST);
    if from < to && to < from + size {
        cpu.r[at.rn()] = size;
        cpu.r[at.rd()] = cpu.r[at.rd()].wrapping_add(size);
        cpu.r[at.rm()] = cpu.r[at.rm()].wrapping_add(size);
        cpu.flags = Flags::from_nzcv(BACKWARD);
        return at.next(cpu);
    }
    start::<MOST>(cpu, at)
}

/// How a step ended: on to the next instruction, once more, or with an abort.
fn finish_step(cpu: &mut Cpu, at: At<'_>, done: Result<(), Failed>) -> Flow {
    match done {
        Err(Failed(address, access, faulted)) => cpu.data_abort(at, address, access, faulted),
        Ok(()) if cpu.r[at.rn()] == 0 => at.next(cpu),
        Ok(()) => cpu.restart(at),
    }
}

fn copy_step(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let nzcv = cpu.flags.nzcv();
    let is_backward = nzcv == BACKWARD;
    if nzcv & FORWARD == 0 {
        return cpu.raise(at, ExceptionKind::Undefined { instruction: at.imm() as u32 });
    }
    let mut left = cpu.r[at.rn()].min(STEP_BYTES);
    let mut done = Ok(());
    while left > 0 && done.is_ok() {
        let wide = size_of::<u128>() as u64;
        let mut moved = 0;
        if left >= wide {
            done = move_one::<u128>(cpu, at, is_backward);
            moved = if done.is_ok() { wide } else { 0 };
        }
        // What is left, and where 16 bytes are not all there, those that are.
        if moved == 0 {
            done = move_one::<u8>(cpu, at, is_backward);
            moved = u64::from(done.is_ok());
        }
        left -= moved;
    }
    finish_step(cpu, at, done)
}

/// Copies one `T` and moves the registers by it.
#[inline(always)]
fn move_one<T: Loadable>(cpu: &mut Cpu, at: At<'_>, is_backward: bool) -> Result<(), Failed> {
    let bytes = size_of::<T>() as u64;
    let (to, from) = (cpu.r[at.rd()], cpu.r[at.rm()]);
    let before = if is_backward { bytes } else { 0 };
    copy_one::<T>(cpu.mem, to.wrapping_sub(before), from.wrapping_sub(before))?;
    let step = if is_backward { bytes.wrapping_neg() } else { bytes };
    cpu.r[at.rd()] = to.wrapping_add(step);
    cpu.r[at.rm()] = from.wrapping_add(step);
    cpu.r[at.rn()] -= bytes;
    Ok(())
}

#[inline(always)]
fn copy_one<T: Loadable>(mem: WindowRef, to: u64, from: u64) -> Result<(), Failed> {
    let value = mem.load::<T>(GuestAddr(from)).map_err(|faulted| Failed(from, Access::Read, faulted))?;
    mem.store(GuestAddr(to), value).map_err(|faulted| Failed(to, Access::Write, faulted))
}

fn set_step(cpu: &mut Cpu, at: At<'_>) -> Flow {
    if cpu.flags.nzcv() != FORWARD {
        return cpu.raise(at, ExceptionKind::Undefined { instruction: at.imm() as u32 });
    }
    let byte = cpu.r[at.rm()] as u8;
    let wide = u128::from_ne_bytes([byte; 16]);
    let mut left = cpu.r[at.rn()].min(STEP_BYTES);
    let mut done = Ok(());
    while left > 0 && done.is_ok() {
        let address = cpu.r[at.rd()];
        let stores_wide = left >= 16 && cpu.mem.store(GuestAddr(address), wide).is_ok();
        if !stores_wide {
            let stored = cpu.mem.store(GuestAddr(address), byte);
            done = stored.map_err(|faulted| Failed(address, Access::Write, faulted));
        }
        let moved = if stores_wide { 16 } else { u64::from(done.is_ok()) };
        cpu.r[at.rd()] = address.wrapping_add(moved);
        cpu.r[at.rn()] -= moved;
        left -= moved;
    }
    finish_step(cpu, at, done)
}
