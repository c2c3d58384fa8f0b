//! Loads and stores of register pairs: lowering and handlers. Source: Arm ARM C4.1.94, C6.2.
//!
//! Constrained unpredictable cases (Arm ARM K1.2.11): a pair load whose two targets are one register leaves the second
//! value in it; one with writeback whose target is its base register ends with the loaded value.

use super::builder::Builder;
use super::cpu::{Cpu, SP_SLOT};
use super::ldst::{Address, Demands, Offset, PostIndex, PreIndex, access, is_simd};
use super::ldst_simd;
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::mem::access::Loadable;
use crate::soft::a64::Inst;
use crate::vcpu::Access;

/// A half of a pair in memory and in a register.
pub(super) trait Half: Loadable {
    /// The register for a loaded half.
    fn widen(self, is_signed: bool) -> u64;
    /// The half to store from a register.
    fn narrow(register: u64) -> Self;
}

impl Half for u32 {
    #[inline(always)]
    fn widen(self, is_signed: bool) -> u64 {
        if is_signed { self as i32 as i64 as u64 } else { u64::from(self) }
    }

    #[inline(always)]
    fn narrow(register: u64) -> Self {
        register as u32
    }
}

impl Half for u64 {
    #[inline(always)]
    fn widen(self, _is_signed: bool) -> u64 {
        self
    }

    #[inline(always)]
    fn narrow(register: u64) -> Self {
        register
    }
}

/// Loads into `rd` and `ra`.
pub(super) fn load_pair<T: Half, A: Address, const THEN: usize, const SIGNED: bool, const SP: bool>(
    cpu: &mut Cpu,
    at: At<'_>,
) -> Flow {
    access::<A, _>(
        cpu,
        at,
        Demands::new(Access::Read, SP),
        |cpu, addr| cpu.mem.load_pair::<T>(addr),
        |cpu, (first, second)| {
            cpu.r[at.rd()] = first.widen(SIGNED);
            cpu.r[at.ra()] = second.widen(SIGNED);
            at.then::<THEN>(cpu)
        },
    )
}

/// Stores `rd` and `ra`.
pub(super) fn store_pair<T: Half, A: Address, const THEN: usize, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let pair = |cpu: &mut Cpu, addr| cpu.mem.store_pair(addr, T::narrow(cpu.r[at.rd()]), T::narrow(cpu.r[at.ra()]));
    access::<A, _>(cpu, at, Demands::new(Access::Write, SP), pair, |cpu, ()| at.then::<THEN>(cpu))
}

fn handler<A: Address, const SP: bool>(inst: Inst) -> Exec {
    let is_load = inst.word() >> 22 & 1 == 1;
    if is_simd(inst) {
        return ldst_simd::pair_handler::<A, SP>(inst, is_load);
    }
    match (inst.word() >> 30, is_load) {
        (0, true) => load_pair::<u32, A, ALONE, false, SP>,
        (0 | 1, false) => store_pair::<u32, A, ALONE, SP>,
        (1, true) => load_pair::<u32, A, ALONE, true, SP>,
        (2.., true) => load_pair::<u64, A, ALONE, false, SP>,
        (2.., false) => store_pair::<u64, A, ALONE, SP>,
    }
}

fn lower<A: Address>(b: &mut Builder, inst: Inst) {
    let is_load = inst.word() >> 22 & 1 == 1;
    let slot = match (is_simd(inst), is_load) {
        (true, _) => std::convert::identity,
        (false, true) => dest,
        (false, false) => source,
    };
    let (rd, ra, rn) = (slot(inst.reg('t')), slot(inst.reg('u')), inst.reg('n'));
    let imm = (inst.signed('i') << inst.pair_scale()) as u64;
    let exec = if rn == SP_SLOT { handler::<A, true>(inst) } else { handler::<A, false>(inst) };
    b.emit(exec, Operands { rd, ra, rn, imm, ..Operands::default() });
}

pub(crate) fn offset(b: &mut Builder, inst: Inst) {
    lower::<Offset>(b, inst);
}

pub(crate) fn post_index(b: &mut Builder, inst: Inst) {
    lower::<PostIndex>(b, inst);
}

pub(crate) fn pre_index(b: &mut Builder, inst: Inst) {
    lower::<PreIndex>(b, inst);
}
