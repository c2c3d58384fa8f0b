//! Loads and stores of register pairs, general and SIMD and floating-point: lowering and handlers. Source: Arm ARM C4.1.94,
//! C6.2, C7.2.
//!
//! Constrained unpredictable cases (Arm ARM K1.2.11): a pair load whose two targets are one register leaves the second
//! value in it; one with writeback whose target is its base register ends with the loaded value.

use std::marker::PhantomData;

use super::builder::Builder;
use super::cpu::{Cpu, SP_SLOT};
use super::ldst::{Address, Demands, Offset, PostIndex, PreIndex, access, is_simd};
use super::ldst_simd::Part;
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::mem::access::Loadable;
use crate::soft::a64::Inst;
use crate::vcpu::Access;

/// A half of a pair: what memory holds of a register, and which registers those are.
pub(super) trait Half {
    /// The half in memory.
    type Part: Loadable;

    /// The half to store of the register in a slot.
    fn stored(cpu: &Cpu, slot: usize) -> Self::Part;
    /// Writes a loaded half to the register in a slot.
    fn load(cpu: &mut Cpu, slot: usize, part: Self::Part);
}

/// Halves of general registers; a loaded one is extended with its sign or with zeros.
pub(super) struct General<T, const IS_SIGNED: bool = false>(PhantomData<T>);
/// Halves of SIMD and floating-point registers.
pub(super) struct Vector<T>(PhantomData<T>);

impl<const IS_SIGNED: bool> Half for General<u32, IS_SIGNED> {
    type Part = u32;

    #[inline(always)]
    fn stored(cpu: &Cpu, slot: usize) -> u32 {
        cpu.r[slot] as u32
    }

    #[inline(always)]
    fn load(cpu: &mut Cpu, slot: usize, part: u32) {
        cpu.r[slot] = if IS_SIGNED { part as i32 as i64 as u64 } else { u64::from(part) };
    }
}

impl Half for General<u64> {
    type Part = u64;

    #[inline(always)]
    fn stored(cpu: &Cpu, slot: usize) -> u64 {
        cpu.r[slot]
    }

    #[inline(always)]
    fn load(cpu: &mut Cpu, slot: usize, part: u64) {
        cpu.r[slot] = part;
    }
}

impl<T: Part> Half for Vector<T> {
    type Part = T;

    #[inline(always)]
    fn stored(cpu: &Cpu, slot: usize) -> T {
        T::narrow(cpu.v[slot])
    }

    #[inline(always)]
    fn load(cpu: &mut Cpu, slot: usize, part: T) {
        cpu.v[slot] = part.wide();
    }
}

/// Loads into `rd` and `ra`.
pub(super) fn load_pair<H: Half, A: Address, const THEN: usize, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    access::<A, _>(
        cpu,
        at,
        Demands::new(Access::Read, SP),
        |cpu, addr| cpu.mem.load_pair::<H::Part>(addr),
        |cpu, (first, second)| {
            H::load(cpu, at.rd(), first);
            H::load(cpu, at.ra(), second);
            at.then::<THEN>(cpu)
        },
    )
}

/// Stores `rd` and `ra`.
pub(super) fn store_pair<H: Half, A: Address, const THEN: usize, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let pair = |cpu: &mut Cpu, addr| cpu.mem.store_pair(addr, H::stored(cpu, at.rd()), H::stored(cpu, at.ra()));
    access::<A, _>(cpu, at, Demands::new(Access::Write, SP), pair, |cpu, ()| at.then::<THEN>(cpu))
}

fn handler<A: Address, const SP: bool>(inst: Inst) -> Exec {
    let is_load = inst.word() >> 22 & 1 == 1;
    match (is_simd(inst), inst.word() >> 30, is_load) {
        (false, 0, true) => load_pair::<General<u32>, A, ALONE, SP>,
        (false, 0 | 1, false) => store_pair::<General<u32>, A, ALONE, SP>,
        (false, 1, true) => load_pair::<General<u32, true>, A, ALONE, SP>,
        (false, 2.., true) => load_pair::<General<u64>, A, ALONE, SP>,
        (false, 2.., false) => store_pair::<General<u64>, A, ALONE, SP>,
        (true, 0, true) => load_pair::<Vector<u32>, A, ALONE, SP>,
        (true, 0, false) => store_pair::<Vector<u32>, A, ALONE, SP>,
        (true, 1, true) => load_pair::<Vector<u64>, A, ALONE, SP>,
        (true, 1, false) => store_pair::<Vector<u64>, A, ALONE, SP>,
        (true, 2.., true) => load_pair::<Vector<u128>, A, ALONE, SP>,
        (true, 2.., false) => store_pair::<Vector<u128>, A, ALONE, SP>,
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
