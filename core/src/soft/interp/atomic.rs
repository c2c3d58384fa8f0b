//! Atomic memory operations (FEAT_LSE): CAS, CASP, SWP, LD<op>. Source: Arm ARM C4.1.94, C6.2.
//!
//! Every one is a sequentially consistent access of the host, whatever its acquire and release bits say. All are writes to
//! the architecture, a CAS that does not store included. Misaligned ones fault, since FEAT_LSE2 is not there.

use super::builder::Builder;
use super::cpu::{Cpu, SP_SLOT};
use super::ldst::is_sp_misaligned;
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::abi::GuestAddr;
use crate::mem::atomic::Atomic;
use crate::soft::a64::Inst;
use crate::vcpu::{Access, ExceptionKind};

/// An integer of memory.
trait Word: Atomic {
    fn from_register(register: u64) -> Self;
    fn to_register(self) -> u64;
    /// The result of operation `OP` (the `opc` field of the encoding).
    fn apply<const OP: u8>(self, operand: Self) -> Self;
}

/// Implements [`Word`].
macro_rules! word {
    ($type:ty, $signed:ty) => {
        impl Word for $type {
            #[inline(always)]
            fn from_register(register: u64) -> Self {
                register as $type
            }

            #[inline(always)]
            fn to_register(self) -> u64 {
                self as u64
            }

            #[inline(always)]
            fn apply<const OP: u8>(self, operand: Self) -> Self {
                match OP {
                    0 => self.wrapping_add(operand),
                    1 => self & !operand,
                    2 => self ^ operand,
                    3 => self | operand,
                    4 => (self as $signed).max(operand as $signed) as $type,
                    5 => (self as $signed).min(operand as $signed) as $type,
                    6 => self.max(operand),
                    7.. => self.min(operand),
                }
            }
        }
    };
}

word!(u8, i8);
word!(u16, i16);
word!(u32, i32);
word!(u64, i64);

/// The address of an atomic access, or the exception that ends it.
fn address<T>(cpu: &mut Cpu, at: At<'_>) -> Result<GuestAddr, Flow> {
    if at.rn() == usize::from(SP_SLOT) && is_sp_misaligned(cpu) {
        return Err(cpu.raise(at, ExceptionKind::SpAlignment));
    }
    let address = cpu.r[at.rn()];
    if !address.is_multiple_of(size_of::<T>() as u64) {
        return Err(cpu.misaligned(at, address, Access::Write));
    }
    Ok(GuestAddr(address))
}

/// LD<op>: `rm` is the operand, `rd` gets the old value.
fn fetch<T: Word, const OP: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let addr = match address::<T>(cpu, at) {
        Ok(addr) => addr,
        Err(flow) => return flow,
    };
    let operand = T::from_register(cpu.r[at.rm()]);
    match cpu.mem.fetch_update(addr, |old: T| old.apply::<OP>(operand)) {
        Ok(old) => {
            cpu.r[at.rd()] = old.to_register();
            at.next(cpu)
        }
        Err(faulted) => cpu.data_abort(at, addr.0, Access::Write, faulted),
    }
}

/// SWP.
fn exchange<T: Word>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let addr = match address::<T>(cpu, at) {
        Ok(addr) => addr,
        Err(flow) => return flow,
    };
    match cpu.mem.swap(addr, T::from_register(cpu.r[at.rm()])) {
        Ok(old) => {
            cpu.r[at.rd()] = old.to_register();
            at.next(cpu)
        }
        Err(faulted) => cpu.data_abort(at, addr.0, Access::Write, faulted),
    }
}

/// CAS: `rn` the base, `ra` the expected value, `rm` the new one, `rd` gets the old.
fn compare_and_swap<T: Word>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let addr = match address::<T>(cpu, at) {
        Ok(addr) => addr,
        Err(flow) => return flow,
    };
    let (expected, new) = (T::from_register(cpu.r[at.ra()]), T::from_register(cpu.r[at.rm()]));
    match cpu.mem.compare_exchange(addr, expected, new) {
        Ok(old) => {
            cpu.r[at.rd()] = old.to_register();
            at.next(cpu)
        }
        Err(faulted) => cpu.data_abort(at, addr.0, Access::Write, faulted),
    }
}

/// The slots of a register pair: an even register and the next one, which is XZR after X30.
#[derive(Clone, Copy)]
struct PairSlots {
    low: u8,
    high: u8,
}

/// CASP of two words: the expected pair in `rd` and its follower, the new pair in `rm` and `ra`; `aux` is the slot of the
/// follower for reading (low byte) and for writing.
fn compare_and_swap_pair<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let found = if X { address::<u128>(cpu, at) } else { address::<u64>(cpu, at) };
    let addr = match found {
        Ok(addr) => addr,
        Err(flow) => return flow,
    };
    let [expected_high, old_high] = at.aux().to_le_bytes().map(usize::from);
    let (expected, new) = ([cpu.r[at.rd()], cpu.r[expected_high]], [cpu.r[at.rm()], cpu.r[at.ra()]]);
    let old = if X {
        let pair = |[low, high]: [u64; 2]| u128::from(high) << 64 | u128::from(low);
        cpu.mem.compare_exchange(addr, pair(expected), pair(new)).map(|old| (old as u64, (old >> 64) as u64))
    } else {
        let pair = |[low, high]: [u64; 2]| high << 32 | u64::from(low as u32);
        cpu.mem.compare_exchange(addr, pair(expected), pair(new)).map(|old| (u64::from(old as u32), old >> 32))
    };
    match old {
        Ok((low, high)) => {
            cpu.r[at.rd()] = low;
            cpu.r[old_high] = high;
            at.next(cpu)
        }
        Err(faulted) => cpu.data_abort(at, addr.0, Access::Write, faulted),
    }
}

pub(crate) fn casp(b: &mut Builder, inst: Inst) {
    let pair = |number: u8, slot: fn(u8) -> u8| PairSlots { low: slot(number), high: slot(number | 1) };
    let (s, t) = (inst.reg('s'), inst.reg('t'));
    let (expected, old, new) = (pair(s, source), pair(s, dest), pair(t, source));
    let exec: Exec = if inst.is_64bit() { compare_and_swap_pair::<true> } else { compare_and_swap_pair::<false> };
    let aux = u16::from_le_bytes([expected.high, old.high]);
    let (rd, rm, ra) = (expected.low, new.low, new.high);
    b.emit(exec, Operands { rd, rn: inst.reg('n'), rm, ra, aux, ..Operands::default() });
}

pub(crate) fn cas(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 30 {
        0 => compare_and_swap::<u8>,
        1 => compare_and_swap::<u16>,
        2 => compare_and_swap::<u32>,
        3.. => compare_and_swap::<u64>,
    };
    let s = inst.reg('s');
    let (rd, ra, rm) = (dest(s), source(s), source(inst.reg('t')));
    b.emit(exec, Operands { rd, rn: inst.reg('n'), rm, ra, ..Operands::default() });
}

fn fetch_operands(inst: Inst) -> Operands {
    Operands { rd: dest(inst.reg('t')), rn: inst.reg('n'), rm: source(inst.reg('s')), ..Operands::default() }
}

fn lower_fetch<const OP: u8>(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 30 {
        0 => fetch::<u8, OP>,
        1 => fetch::<u16, OP>,
        2 => fetch::<u32, OP>,
        3.. => fetch::<u64, OP>,
    };
    b.emit(exec, fetch_operands(inst));
}

pub(crate) fn ldadd(b: &mut Builder, inst: Inst) {
    lower_fetch::<0>(b, inst);
}

pub(crate) fn ldclr(b: &mut Builder, inst: Inst) {
    lower_fetch::<1>(b, inst);
}

pub(crate) fn ldeor(b: &mut Builder, inst: Inst) {
    lower_fetch::<2>(b, inst);
}

pub(crate) fn ldset(b: &mut Builder, inst: Inst) {
    lower_fetch::<3>(b, inst);
}

pub(crate) fn ldsmax(b: &mut Builder, inst: Inst) {
    lower_fetch::<4>(b, inst);
}

pub(crate) fn ldsmin(b: &mut Builder, inst: Inst) {
    lower_fetch::<5>(b, inst);
}

pub(crate) fn ldumax(b: &mut Builder, inst: Inst) {
    lower_fetch::<6>(b, inst);
}

pub(crate) fn ldumin(b: &mut Builder, inst: Inst) {
    lower_fetch::<7>(b, inst);
}

pub(crate) fn swp(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 30 {
        0 => exchange::<u8>,
        1 => exchange::<u16>,
        2 => exchange::<u32>,
        3.. => exchange::<u64>,
    };
    b.emit(exec, fetch_operands(inst));
}
