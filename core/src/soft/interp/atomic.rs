//! Atomic memory operations (FEAT_LSE): CAS, CASP, SWP, LD<op>. Source: Arm ARM C4.1.94, C6.2.
//!
//! Every one is a sequentially consistent access of the host, whatever its acquire and release bits say. All are writes to
//! the architecture, a CAS that does not store included. Misaligned ones fault, since FEAT_LSE2 is not there.

use super::builder::Builder;
use super::cpu::Cpu;
use super::ldst::{Base, Demands, access};
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::abi::GuestAddr;
use crate::mem::Faulted;
use crate::mem::atomic::Atomic;
use crate::soft::a64::Inst;
use crate::vcpu::Access;

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

/// An atomic access to a `T` at the base: `rd` gets what was there.
#[inline(always)]
fn replace<T: Word>(cpu: &mut Cpu, at: At<'_>, one: impl FnOnce(&mut Cpu, GuestAddr) -> Result<T, Faulted>) -> Flow {
    access::<Base, _>(cpu, at, Demands::aligned(Access::Write, at, size_of::<T>()), one, |cpu, old| {
        cpu.r[at.rd()] = old.to_register();
        at.next(cpu)
    })
}

/// LD<op>: `rm` is the operand.
fn fetch<T: Word, const OP: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    replace::<T>(cpu, at, |cpu, addr| {
        let operand = T::from_register(cpu.r[at.rm()]);
        cpu.mem.fetch_update(addr, |old: T| old.apply::<OP>(operand))
    })
}

/// SWP.
fn exchange<T: Word>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    replace::<T>(cpu, at, |cpu, addr| cpu.mem.swap(addr, T::from_register(cpu.r[at.rm()])))
}

/// CAS: `ra` is the expected value, `rm` the new one.
fn compare_and_swap<T: Word>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    replace::<T>(cpu, at, |cpu, addr| {
        let (expected, new) = (T::from_register(cpu.r[at.ra()]), T::from_register(cpu.r[at.rm()]));
        cpu.mem.compare_exchange(addr, expected, new)
    })
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
    let [expected_high, old_high] = at.aux().to_le_bytes().map(usize::from);
    let exchange = |cpu: &mut Cpu, addr| {
        let (expected, new) = ([cpu.r[at.rd()], cpu.r[expected_high]], [cpu.r[at.rm()], cpu.r[at.ra()]]);
        if X {
            let pair = |[low, high]: [u64; 2]| u128::from(high) << 64 | u128::from(low);
            cpu.mem.compare_exchange(addr, pair(expected), pair(new)).map(|old| (old as u64, (old >> 64) as u64))
        } else {
            let pair = |[low, high]: [u64; 2]| high << 32 | u64::from(low as u32);
            cpu.mem.compare_exchange(addr, pair(expected), pair(new)).map(|old| (u64::from(old as u32), old >> 32))
        }
    };
    let demands = Demands::aligned(Access::Write, at, if X { 16 } else { 8 });
    access::<Base, _>(cpu, at, demands, exchange, |cpu, (low, high)| {
        cpu.r[at.rd()] = low;
        cpu.r[old_high] = high;
        at.next(cpu)
    })
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
