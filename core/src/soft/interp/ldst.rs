//! Loads and stores of one register: lowering and handlers. Source: Arm ARM C4.1.94, C6.2, J1.1 (`CheckSPAlignment`).
//!
//! Handlers are made from two parts: an [`Address`] (how the address comes about, what is written back) and a [`Move`]
//! (what is moved, and how a loaded value is extended). Both are chosen when the instruction is decoded.
//!
//! Constrained unpredictable cases (Arm ARM K1.2.11): a load with writeback whose target is its base register ends with
//! the loaded value; such a store writes the old value of the register.

use std::marker::PhantomData;

use super::alu;
use super::builder::Builder;
use super::cpu::{Cpu, SP_SLOT};
use super::ldst_simd;
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::abi::GuestAddr;
use crate::mem::{Faulted, WindowRef};
use crate::soft::a64::Inst;
use crate::vcpu::{Access, ExceptionKind};

/// How an address comes about.
pub(super) trait Address {
    /// The address of the access.
    fn address(cpu: &Cpu, at: At<'_>) -> u64;

    /// Updates the base register, after the access.
    #[inline(always)]
    fn write_back(_cpu: &mut Cpu, _at: At<'_>, _address: u64) {}
}

/// The base alone.
pub(super) struct Base;
/// Base plus immediate; without base register (literals) the base is the zero slot.
pub(super) struct Offset;
/// Base plus immediate, written back.
pub(super) struct PreIndex;
/// Base; base plus immediate is written back.
pub(super) struct PostIndex;
/// Base plus extended register shifted by `aux`.
pub(super) struct Register<const OPTION: u8>;

impl Address for Base {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        cpu.r[at.rn()]
    }
}

impl Address for Offset {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        cpu.r[at.rn()].wrapping_add(at.imm())
    }
}

impl Address for PreIndex {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        Offset::address(cpu, at)
    }

    #[inline(always)]
    fn write_back(cpu: &mut Cpu, at: At<'_>, address: u64) {
        cpu.r[at.rn()] = address;
    }
}

impl Address for PostIndex {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        Base::address(cpu, at)
    }

    #[inline(always)]
    fn write_back(cpu: &mut Cpu, at: At<'_>, address: u64) {
        cpu.r[at.rn()] = address.wrapping_add(at.imm());
    }
}

impl<const OPTION: u8> Address for Register<OPTION> {
    #[inline(always)]
    fn address(cpu: &Cpu, at: At<'_>) -> u64 {
        let index = alu::extend_reg::<OPTION>(cpu.r[at.rm()]);
        cpu.r[at.rn()].wrapping_add(index.wrapping_shl(u32::from(at.aux())))
    }
}

/// What an instruction moves between the register `rd` and memory.
pub(super) trait Move {
    /// Loads, or stores.
    const ACCESS: Access;
    /// Alignment in bytes that the access demands, a power of two.
    const ALIGNMENT: u64;

    /// Takes the register to be stored, or accesses memory and returns the value for the register.
    ///
    /// # Errors
    /// [`Faulted`], with nothing changed.
    fn access(mem: WindowRef, addr: GuestAddr, register: u64) -> Result<u64, Faulted>;
}

/// A load; `EXTENSION` is 0 for zero extension, 32 or 64 for sign extension to that width.
pub(super) struct Load<T, const EXTENSION: u8>(PhantomData<T>);
/// A store.
pub(super) struct Store<T>(PhantomData<T>);

/// Implements moves by two accessors of memory, which demand that addresses are aligned or not, for types of memory.
macro_rules! moves {
    ($load:ident by $load_one:ident, $store:ident by $store_one:ident, aligned $is_aligned:literal:
     $($unsigned:ty, $signed:ty;)*) => {$(
        impl<const EXTENSION: u8> Move for $load<$unsigned, EXTENSION> {
            const ACCESS: Access = Access::Read;
            const ALIGNMENT: u64 = if $is_aligned { size_of::<$unsigned>() as u64 } else { 1 };

            #[inline(always)]
            fn access(mem: WindowRef, addr: GuestAddr, _register: u64) -> Result<u64, Faulted> {
                let value = mem.$load_one::<$unsigned>(addr)?;
                Ok(match EXTENSION {
                    32 => u64::from(value as $signed as i32 as u32),
                    64 => value as $signed as i64 as u64,
                    0.. => value as u64,
                })
            }
        }

        impl Move for $store<$unsigned> {
            const ACCESS: Access = Access::Write;
            const ALIGNMENT: u64 = if $is_aligned { size_of::<$unsigned>() as u64 } else { 1 };

            #[inline(always)]
            fn access(mem: WindowRef, addr: GuestAddr, register: u64) -> Result<u64, Faulted> {
                mem.$store_one::<$unsigned>(addr, register as $unsigned)?;
                Ok(register)
            }
        }
    )*};
}

pub(super) use moves;

moves! {
    Load by load, Store by store, aligned false:
    u8, i8;
    u16, i16;
    u32, i32;
    u64, i64;
}

/// What is demanded of an access before it is made, and what kind it is.
#[derive(Clone, Copy)]
pub(super) struct Demands {
    kind: Access,
    alignment: u64,
    has_sp_base: bool,
}

impl Demands {
    /// An access of any alignment.
    #[inline(always)]
    pub(super) fn new(kind: Access, has_sp_base: bool) -> Self {
        Self { kind, alignment: 1, has_sp_base }
    }

    /// An access to so many bytes, a power of two, that demands their alignment.
    #[inline(always)]
    pub(super) fn aligned(kind: Access, at: At<'_>, bytes: usize) -> Self {
        Self { kind, alignment: bytes as u64, has_sp_base: at.rn() == usize::from(SP_SLOT) }
    }
}

/// An access as demanded: what memory does, then the writeback and `finish`; or the exception, with nothing changed.
#[inline(always)]
pub(super) fn access<A: Address, T>(
    cpu: &mut Cpu,
    at: At<'_>,
    demands: Demands,
    access: impl FnOnce(&mut Cpu, GuestAddr) -> Result<T, Faulted>,
    finish: impl FnOnce(&mut Cpu, T) -> Flow,
) -> Flow {
    if demands.has_sp_base && is_sp_misaligned(cpu) {
        return cpu.raise(at, ExceptionKind::SpAlignment);
    }
    let address = A::address(cpu, at);
    if !address.is_multiple_of(demands.alignment) {
        return cpu.misaligned(at, address, demands.kind);
    }
    match access(cpu, GuestAddr(address)) {
        Ok(value) => {
            A::write_back(cpu, at, address);
            finish(cpu, value)
        }
        Err(faulted) => cpu.data_abort(at, address, demands.kind, faulted),
    }
}

pub(super) fn move_one<A: Address, M: Move, const THEN: usize, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let is_store = matches!(M::ACCESS, Access::Write);
    let demands = Demands { kind: M::ACCESS, alignment: M::ALIGNMENT, has_sp_base: SP };
    let one = |cpu: &mut Cpu, addr| M::access(cpu.mem, addr, if is_store { cpu.r[at.rd()] } else { 0 });
    access::<A, _>(cpu, at, demands, one, |cpu, value| {
        if !is_store {
            cpu.r[at.rd()] = value;
        }
        at.then::<THEN>(cpu)
    })
}

/// CheckSPAlignment: true when an access by SP must fault.
#[inline(always)]
pub(super) fn is_sp_misaligned(cpu: &Cpu) -> bool {
    !cpu.r[usize::from(SP_SLOT)].is_multiple_of(16)
}

/// The handler for the `size`, `V` and `opc` fields of the word, with address mode `A`.
fn handler<A: Address>(inst: Inst, has_sp_base: bool) -> Exec {
    if has_sp_base { handler_checked::<A, true>(inst) } else { handler_checked::<A, false>(inst) }
}

fn handler_checked<A: Address, const SP: bool>(inst: Inst) -> Exec {
    if is_simd(inst) {
        return ldst_simd::handler::<A, SP>(inst.access_scale(), inst.word() >> 22 & 1 == 1);
    }
    match (inst.word() >> 30, inst.word() >> 22 & 3) {
        (0, 0) => move_one::<A, Store<u8>, ALONE, SP>,
        (0, 1) => move_one::<A, Load<u8, 0>, ALONE, SP>,
        (0, 2) => move_one::<A, Load<u8, 64>, ALONE, SP>,
        (0, 3..) => move_one::<A, Load<u8, 32>, ALONE, SP>,
        (1, 0) => move_one::<A, Store<u16>, ALONE, SP>,
        (1, 1) => move_one::<A, Load<u16, 0>, ALONE, SP>,
        (1, 2) => move_one::<A, Load<u16, 64>, ALONE, SP>,
        (1, 3..) => move_one::<A, Load<u16, 32>, ALONE, SP>,
        (2, 0) => move_one::<A, Store<u32>, ALONE, SP>,
        (2, 1) => move_one::<A, Load<u32, 0>, ALONE, SP>,
        (2, 2..) => move_one::<A, Load<u32, 64>, ALONE, SP>,
        (3.., 0) => move_one::<A, Store<u64>, ALONE, SP>,
        (3.., 1..) => move_one::<A, Load<u64, 0>, ALONE, SP>,
    }
}

/// True for a SIMD and floating-point register, by the `V` field of the word.
pub(super) fn is_simd(inst: Inst) -> bool {
    inst.word() >> 26 & 1 == 1
}

/// True for a store of a general register, by the `opc` field of the word.
fn is_store(inst: Inst) -> bool {
    inst.word() >> 22 & 3 == 0
}

fn lower<A: Address>(b: &mut Builder, inst: Inst, operands: Operands) {
    let rt = inst.reg('t');
    let rd = match (is_simd(inst), is_store(inst)) {
        (true, _) => rt,
        (false, true) => source(rt),
        (false, false) => dest(rt),
    };
    let rn = inst.reg('n');
    b.emit(handler::<A>(inst, rn == SP_SLOT), Operands { rd, rn, ..operands });
}

fn offset(imm: i64) -> Operands {
    Operands { imm: imm as u64, ..Operands::default() }
}

pub(crate) fn unsigned_imm(b: &mut Builder, inst: Inst) {
    lower::<Offset>(b, inst, offset(i64::from(inst.field('i')) << inst.access_scale()));
}

pub(crate) fn unscaled(b: &mut Builder, inst: Inst) {
    lower::<Offset>(b, inst, offset(inst.signed('i')));
}

pub(crate) fn post_index(b: &mut Builder, inst: Inst) {
    lower::<PostIndex>(b, inst, offset(inst.signed('i')));
}

pub(crate) fn pre_index(b: &mut Builder, inst: Inst) {
    lower::<PreIndex>(b, inst, offset(inst.signed('i')));
}

pub(crate) fn register_offset(b: &mut Builder, inst: Inst) {
    let aux = if inst.field('S') == 1 { inst.access_scale() as u16 } else { 0 };
    let operands = Operands { rm: source(inst.reg('m')), aux, ..Operands::default() };
    match inst.field('o') {
        2 => lower::<Register<2>>(b, inst, operands),
        6 => lower::<Register<6>>(b, inst, operands),
        0.. => lower::<Register<3>>(b, inst, operands),
    }
}

pub(crate) fn literal(b: &mut Builder, inst: Inst) {
    let imm = b.pc().wrapping_add_signed(inst.signed('i') << 2);
    if is_simd(inst) {
        let operands = Operands { rd: inst.reg('t'), rn: source(31), imm, ..Operands::default() };
        return b.emit(ldst_simd::handler::<Offset, false>(inst.pair_scale(), true), operands);
    }
    let operands = Operands { rd: dest(inst.reg('t')), rn: source(31), imm, ..Operands::default() };
    let exec: Exec = match inst.word() >> 30 {
        0 => move_one::<Offset, Load<u32, 0>, ALONE, false>,
        1 => move_one::<Offset, Load<u64, 0>, ALONE, false>,
        2.. => move_one::<Offset, Load<u32, 64>, ALONE, false>,
    };
    b.emit(exec, operands);
}

/// PRFM and PRFUM: hints, which never fault.
pub(crate) fn prefetch(b: &mut Builder, _inst: Inst) {
    b.emit_nothing();
}
