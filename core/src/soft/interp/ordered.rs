//! Load-acquire and store-release: LDAR, STLR, their limited-ordering, RCpc and unscaled forms. Lowering; the handlers
//! are those of [`ldst`](super::ldst) with moves of this file. Source: Arm ARM C4.1.94, B2.3, B2.7.2 (alignment).
//!
//! LDAPR may be weaker than LDAR and is not, here.

use std::marker::PhantomData;

use super::builder::Builder;
use super::cpu::SP_SLOT;
use super::ldst::{Move, Offset, move_one, moves};
use super::op::{Exec, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::abi::GuestAddr;
use crate::mem::{Faulted, WindowRef};
use crate::soft::a64::Inst;
use crate::vcpu::Access;

/// A load-acquire; `EXTENSION` as for [`Load`](super::ldst::Load).
struct LoadAcquire<T, const EXTENSION: u8>(PhantomData<T>);
/// A store-release.
struct StoreRelease<T>(PhantomData<T>);

moves! {
    LoadAcquire by load_acquire, StoreRelease by store_release, aligned true:
    u8, i8;
    u16, i16;
    u32, i32;
    u64, i64;
}

fn load_handler<const SP: bool>(size: u32) -> Exec {
    match size {
        0 => move_one::<Offset, LoadAcquire<u8, 0>, ALONE, SP>,
        1 => move_one::<Offset, LoadAcquire<u16, 0>, ALONE, SP>,
        2 => move_one::<Offset, LoadAcquire<u32, 0>, ALONE, SP>,
        3.. => move_one::<Offset, LoadAcquire<u64, 0>, ALONE, SP>,
    }
}

/// Loads that extend the sign, to 64 bits or (bit 22 set) to 32.
fn signed_handler<const SP: bool>(size: u32, is_to_32bit: bool) -> Exec {
    match (size, is_to_32bit) {
        (0, false) => move_one::<Offset, LoadAcquire<u8, 64>, ALONE, SP>,
        (0, true) => move_one::<Offset, LoadAcquire<u8, 32>, ALONE, SP>,
        (1, false) => move_one::<Offset, LoadAcquire<u16, 64>, ALONE, SP>,
        (1, true) => move_one::<Offset, LoadAcquire<u16, 32>, ALONE, SP>,
        (2.., _) => move_one::<Offset, LoadAcquire<u32, 64>, ALONE, SP>,
    }
}

fn store_handler<const SP: bool>(size: u32) -> Exec {
    match size {
        0 => move_one::<Offset, StoreRelease<u8>, ALONE, SP>,
        1 => move_one::<Offset, StoreRelease<u16>, ALONE, SP>,
        2 => move_one::<Offset, StoreRelease<u32>, ALONE, SP>,
        3.. => move_one::<Offset, StoreRelease<u64>, ALONE, SP>,
    }
}

fn operands(inst: Inst, rd: u8) -> Operands {
    Operands { rd, rn: inst.reg('n'), imm: inst.signed('i') as u64, ..Operands::default() }
}

/// LDAR, LDLAR, LDAPR, LDAPUR.
pub(crate) fn load_acquire(b: &mut Builder, inst: Inst) {
    let size = inst.word() >> 30;
    let exec = if inst.reg('n') == SP_SLOT { load_handler::<true>(size) } else { load_handler::<false>(size) };
    b.emit(exec, operands(inst, dest(inst.reg('t'))));
}

/// LDAPURSB, LDAPURSH, LDAPURSW.
pub(crate) fn load_acquire_signed(b: &mut Builder, inst: Inst) {
    let (size, is_to_32bit) = (inst.word() >> 30, inst.word() >> 22 & 1 == 1);
    let exec = if inst.reg('n') == SP_SLOT {
        signed_handler::<true>(size, is_to_32bit)
    } else {
        signed_handler::<false>(size, is_to_32bit)
    };
    b.emit(exec, operands(inst, dest(inst.reg('t'))));
}

/// STLR, STLLR, STLUR.
pub(crate) fn store_release(b: &mut Builder, inst: Inst) {
    let size = inst.word() >> 30;
    let exec = if inst.reg('n') == SP_SLOT { store_handler::<true>(size) } else { store_handler::<false>(size) };
    b.emit(exec, operands(inst, source(inst.reg('t'))));
}
