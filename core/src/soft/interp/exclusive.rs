//! Load-exclusive and store-exclusive. Source: Arm ARM C4.1.94, B2.12.
//!
//! A load-exclusive remembers address, size and value ([`Monitor`]); the store-exclusive succeeds when address and size
//! are the same and memory still holds that value, tested and stored by one compare-and-swap. So a pair always makes
//! progress unless another thread really changed the value; what it does not see is a value that changed and changed back
//! (`docs/design.md` §5). The monitor is open at the start of every run, as after an exception return.

use super::builder::Builder;
use super::cpu::{Cpu, Monitor};
use super::ldst::{Base, Demands, access};
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::abi::GuestAddr;
use crate::mem::atomic::Atomic;
use crate::soft::a64::Inst;
use crate::vcpu::Access;

/// A quantity that exclusives access: one register, or two (`PAIR` in the handlers).
trait Exclusive: Atomic {
    /// The register pair (low register first) that makes this quantity; the second is ignored for a single register.
    fn from_registers(first: u64, second: u64, is_pair: bool) -> Self;
    /// The inverse.
    fn to_registers(self, is_pair: bool) -> (u64, u64);
    fn wide(self) -> u128;
}

/// Implements [`Exclusive`]; a pair splits into halves of `$half` bits.
macro_rules! exclusive {
    ($type:ty, $half:literal) => {
        impl Exclusive for $type {
            fn from_registers(first: u64, second: u64, is_pair: bool) -> Self {
                let mask = u128::MAX >> (128 - $half);
                let pair = (u128::from(first) & mask) | (u128::from(second) & mask) << $half;
                if is_pair { pair as $type } else { first as $type }
            }

            fn to_registers(self, is_pair: bool) -> (u64, u64) {
                let mask = u128::MAX >> (128 - $half);
                let value = self.wide();
                if is_pair { ((value & mask) as u64, (value >> $half) as u64) } else { (value as u64, 0) }
            }

            fn wide(self) -> u128 {
                u128::from(self)
            }
        }
    };
}

exclusive!(u8, 4);
exclusive!(u16, 8);
exclusive!(u32, 16);
exclusive!(u64, 32);
exclusive!(u128, 64);

/// Loads into `rd` and, for a pair, `ra`.
fn load<T: Exclusive, const PAIR: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let demands = Demands::aligned(Access::Read, at, size_of::<T>());
    access::<Base, T>(
        cpu,
        at,
        demands,
        |cpu, addr| cpu.mem.load_acquire(addr),
        |cpu, value| {
            cpu.monitor = Monitor { addr: Some(cpu.r[at.rn()]), size: size_of::<T>() as u8, value: value.wide() };
            let (first, second) = value.to_registers(PAIR);
            cpu.r[at.rd()] = first;
            if PAIR {
                cpu.r[at.ra()] = second;
            }
            at.next(cpu)
        },
    )
}

/// Stores `rm` and, for a pair, `ra`; `rd` gets the status.
fn store<T: Exclusive, const PAIR: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let exchange = |cpu: &mut Cpu, addr: GuestAddr| {
        let monitor = std::mem::take(&mut cpu.monitor);
        if monitor.addr != Some(addr.0) || usize::from(monitor.size) != size_of::<T>() {
            return Ok(false);
        }
        let (low, high) = (monitor.value as u64, (monitor.value >> 64) as u64);
        let expected = T::from_registers(low, high, size_of::<T>() == 16);
        let new = T::from_registers(cpu.r[at.rm()], cpu.r[at.ra()], PAIR);
        Ok(cpu.mem.compare_exchange(addr, expected, new)? == expected)
    };
    let demands = Demands::aligned(Access::Write, at, size_of::<T>());
    access::<Base, _>(cpu, at, demands, exchange, |cpu, is_stored| {
        cpu.r[at.rd()] = u64::from(!is_stored);
        at.next(cpu)
    })
}

/// LDXR, LDAXR and their forms for bytes and half words.
pub(crate) fn load_exclusive(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 30 {
        0 => load::<u8, false>,
        1 => load::<u16, false>,
        2 => load::<u32, false>,
        3.. => load::<u64, false>,
    };
    b.emit(exec, Operands { rd: dest(inst.reg('t')), rn: inst.reg('n'), ..Operands::default() });
}

/// LDXP, LDAXP.
pub(crate) fn load_exclusive_pair(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.is_64bit() { load::<u128, true> } else { load::<u64, true> };
    let (rd, ra) = (dest(inst.reg('t')), dest(inst.reg('u')));
    b.emit(exec, Operands { rd, ra, rn: inst.reg('n'), ..Operands::default() });
}

/// STXR, STLXR and their forms for bytes and half words.
pub(crate) fn store_exclusive(b: &mut Builder, inst: Inst) {
    let exec: Exec = match inst.word() >> 30 {
        0 => store::<u8, false>,
        1 => store::<u16, false>,
        2 => store::<u32, false>,
        3.. => store::<u64, false>,
    };
    let (rd, rm) = (dest(inst.reg('s')), source(inst.reg('t')));
    b.emit(exec, Operands { rd, rm, rn: inst.reg('n'), ..Operands::default() });
}

/// STXP, STLXP.
pub(crate) fn store_exclusive_pair(b: &mut Builder, inst: Inst) {
    let exec: Exec = if inst.is_64bit() { store::<u128, true> } else { store::<u64, true> };
    let (rd, rm, ra) = (dest(inst.reg('s')), source(inst.reg('t')), source(inst.reg('u')));
    b.emit(exec, Operands { rd, rm, ra, rn: inst.reg('n'), ..Operands::default() });
}

fn clear_monitor(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.monitor = Monitor::default();
    at.next(cpu)
}

pub(crate) fn clrex(b: &mut Builder, _inst: Inst) {
    b.emit(clear_monitor, Operands::default());
}
