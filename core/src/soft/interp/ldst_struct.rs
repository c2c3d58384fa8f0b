//! Loads and stores of structures, multiple and single: lowering and handlers. Source: Arm ARM C4.1.94, C7.2 (LD1 to LD4).
//!
//! All memory is read before a register changes, so that a fault changes none. Stores go upwards in memory; where one
//! faults the elements before it may have been written. Alignment is checked for SP only.

use super::builder::Builder;
use super::cpu::{Cpu, SINK_SLOT, SP_SLOT, ZERO_SLOT};
use super::lanes::Lane;
use super::ldst::is_sp_misaligned;
use super::op::{At, Exec, Flow, Operands};
use crate::abi::GuestAddr;
use crate::mem::access::Loadable;
use crate::mem::{Faulted, WindowRef};
use crate::soft::a64::Inst;
use crate::soft::a64::structure::{Structure, StructureLanes};
use crate::vcpu::{Access, ExceptionKind};

/// Operands: `rd` the first register of the list, `rn` the base, `ra` the slot that takes base + `rm` + `imm`, `aux` a lane.
fn operands(inst: Inst, structure: Structure) -> Operands {
    let (rd, rn, aux) = (inst.reg('t'), inst.reg('n'), 0);
    let is_post_indexed = inst.word() >> 23 & 1 == 1;
    let is_by_register = is_post_indexed && inst.reg('m') != 31;
    Operands {
        imm: if is_post_indexed && !is_by_register { u64::from(structure.bytes()) } else { 0 },
        rd,
        rn,
        rm: if is_by_register { inst.reg('m') } else { ZERO_SLOT },
        ra: if is_post_indexed { rn } else { SINK_SLOT },
        aux,
    }
}

/// Where an access faulted.
struct FaultAt(u64, Faulted);

/// `N` registers' worth of memory, 8 or 16 bytes each.
#[inline(always)]
fn load_image<const N: usize, const FULL: bool>(mem: WindowRef, address: u64) -> Result<[u128; N], FaultAt> {
    let mut image = [0; N];
    let mut at = address;
    for part in &mut image {
        let loaded = if FULL { mem.load(GuestAddr(at)) } else { mem.load::<u64>(GuestAddr(at)).map(u128::from) };
        *part = loaded.map_err(|faulted| FaultAt(at, faulted))?;
        at = at.wrapping_add(if FULL { 16 } else { 8 });
    }
    Ok(image)
}

/// Writes what [`load_image`] reads.
#[inline(always)]
fn store_image<const N: usize, const FULL: bool>(
    mem: WindowRef,
    address: u64,
    image: [u128; N],
) -> Result<(), FaultAt> {
    let mut at = address;
    for part in image {
        let stored = if FULL { mem.store(GuestAddr(at), part) } else { mem.store(GuestAddr(at), part as u64) };
        stored.map_err(|faulted| FaultAt(at, faulted))?;
        at = at.wrapping_add(if FULL { 16 } else { 8 });
    }
    Ok(())
}

/// Splits the structures of an image into registers. As in [`interleave`], the places of the result are gone through in order:
/// so the optimiser makes vectors of it.
#[inline(always)]
fn deinterleave<T: Lane, const N: usize, const FULL: bool>(image: [u128; N]) -> [u128; N] {
    let image = image.map(|register| T::split(&register));
    let count = if FULL { T::COUNT } else { T::COUNT / 2 };
    let mut registers = [T::splat(T::ZERO); N];
    for (index, register) in registers.iter_mut().enumerate() {
        for (lane, element) in register.as_mut()[..count].iter_mut().enumerate() {
            let place = lane * N + index;
            *element = image[place / count].as_ref()[place % count];
        }
    }
    registers.map(T::join)
}

/// Makes structures of registers.
#[inline(always)]
fn interleave<T: Lane, const N: usize, const FULL: bool>(registers: [u128; N]) -> [u128; N] {
    let registers = registers.map(|register| T::split(&register));
    let count = if FULL { T::COUNT } else { T::COUNT / 2 };
    let mut image = [T::splat(T::ZERO); N];
    for (part, image) in image.iter_mut().enumerate() {
        for (element, place) in image.as_mut()[..count].iter_mut().enumerate() {
            let index = part * count + element;
            *place = registers[index % N].as_ref()[index / N];
        }
    }
    image.map(T::join)
}

/// The registers of the list.
#[inline(always)]
fn list<const N: usize>(cpu: &Cpu, at: At<'_>) -> [u128; N] {
    std::array::from_fn(|index| cpu.v[(at.rd() + index) & 31])
}

/// Writes the registers of the list.
#[inline(always)]
fn set_list<const N: usize>(cpu: &mut Cpu, at: At<'_>, registers: [u128; N]) {
    for (index, register) in registers.into_iter().enumerate() {
        cpu.v[(at.rd() + index) & 31] = register;
    }
}

/// One access of a structure instruction: `access` does it at an address. Checks SP, writes the base register back.
#[inline(always)]
fn with_address(
    cpu: &mut Cpu,
    at: At<'_>,
    kind: Access,
    access: impl FnOnce(&mut Cpu, u64) -> Result<(), FaultAt>,
) -> Flow {
    if at.rn() == usize::from(SP_SLOT) && is_sp_misaligned(cpu) {
        return cpu.raise(at, ExceptionKind::SpAlignment);
    }
    let address = cpu.r[at.rn()];
    match access(cpu, address) {
        Ok(()) => {
            cpu.r[at.ra()] = address.wrapping_add(cpu.r[at.rm()]).wrapping_add(at.imm());
            at.next(cpu)
        }
        Err(FaultAt(address, faulted)) => cpu.data_abort(at, address, kind, faulted),
    }
}

fn load_registers<const N: usize, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Read, |cpu, address| {
        let image = load_image::<N, FULL>(cpu.mem, address)?;
        set_list(cpu, at, image);
        Ok(())
    })
}

fn store_registers<const N: usize, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Write, |cpu, address| store_image::<N, FULL>(cpu.mem, address, list(cpu, at)))
}

fn load_structures<T: Lane, const N: usize, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Read, |cpu, address| {
        let image = load_image::<N, FULL>(cpu.mem, address)?;
        set_list(cpu, at, deinterleave::<T, N, FULL>(image));
        Ok(())
    })
}

fn store_structures<T: Lane, const N: usize, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Write, |cpu, address| {
        store_image::<N, FULL>(cpu.mem, address, interleave::<T, N, FULL>(list(cpu, at)))
    })
}

/// `N` consecutive elements.
#[inline(always)]
fn load_elements<T: Lane + Loadable, const N: usize>(mem: WindowRef, address: u64) -> Result<[T; N], FaultAt> {
    let mut elements = [T::ZERO; N];
    let mut at = address;
    for element in &mut elements {
        *element = mem.load(GuestAddr(at)).map_err(|faulted| FaultAt(at, faulted))?;
        at = at.wrapping_add(size_of::<T>() as u64);
    }
    Ok(elements)
}

fn load_replicated<T: Lane + Loadable, const N: usize, const FULL: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Read, |cpu, address| {
        let elements = load_elements::<T, N>(cpu.mem, address)?;
        let keep = if FULL { u128::MAX } else { u128::from(u64::MAX) };
        set_list(cpu, at, elements.map(|element| T::join(T::splat(element)) & keep));
        Ok(())
    })
}

/// The lane of a single-structure instruction.
#[inline(always)]
fn lane_of<T: Lane>(at: At<'_>) -> usize {
    usize::from(at.aux()) % T::COUNT
}

fn load_lane<T: Lane + Loadable, const N: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Read, |cpu, address| {
        let elements = load_elements::<T, N>(cpu.mem, address)?;
        for (index, element) in elements.into_iter().enumerate() {
            let lanes = T::split_mut(&mut cpu.v[(at.rd() + index) & 31]);
            lanes.as_mut()[lane_of::<T>(at)] = element;
        }
        Ok(())
    })
}

fn store_lane<T: Lane + Loadable, const N: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    with_address(cpu, at, Access::Write, |cpu, address| {
        let mut place = address;
        for register in list::<N>(cpu, at) {
            let element = T::split(&register).as_ref()[lane_of::<T>(at)];
            cpu.mem.store(GuestAddr(place), element).map_err(|faulted| FaultAt(place, faulted))?;
            place = place.wrapping_add(size_of::<T>() as u64);
        }
        Ok(())
    })
}

/// The instance of a handler for an element size (log2 of bytes) and a count of registers.
macro_rules! by_shape {
    ($structure:expr, $handler:ident $(, $flag:tt)?) => {
        match ($structure.size, $structure.register_count) {
            (0, ..=1) => $handler::<u8, 1 $(, $flag)?> as Exec,
            (0, 2) => $handler::<u8, 2 $(, $flag)?>,
            (0, 3) => $handler::<u8, 3 $(, $flag)?>,
            (0, 4..) => $handler::<u8, 4 $(, $flag)?>,
            (1, ..=1) => $handler::<u16, 1 $(, $flag)?>,
            (1, 2) => $handler::<u16, 2 $(, $flag)?>,
            (1, 3) => $handler::<u16, 3 $(, $flag)?>,
            (1, 4..) => $handler::<u16, 4 $(, $flag)?>,
            (2, ..=1) => $handler::<u32, 1 $(, $flag)?>,
            (2, 2) => $handler::<u32, 2 $(, $flag)?>,
            (2, 3) => $handler::<u32, 3 $(, $flag)?>,
            (2, 4..) => $handler::<u32, 4 $(, $flag)?>,
            (3.., ..=1) => $handler::<u64, 1 $(, $flag)?>,
            (3.., 2) => $handler::<u64, 2 $(, $flag)?>,
            (3.., 3) => $handler::<u64, 3 $(, $flag)?>,
            (3.., 4..) => $handler::<u64, 4 $(, $flag)?>,
        }
    };
}

/// The instance of a handler for a count of registers.
macro_rules! by_count {
    ($structure:expr, $handler:ident) => {
        match ($structure.register_count, $structure.is_full) {
            (..=1, false) => $handler::<1, false> as Exec,
            (..=1, true) => $handler::<1, true>,
            (2, false) => $handler::<2, false>,
            (2, true) => $handler::<2, true>,
            (3, false) => $handler::<3, false>,
            (3, true) => $handler::<3, true>,
            (4.., false) => $handler::<4, false>,
            (4.., true) => $handler::<4, true>,
        }
    };
}

/// LD1 to LD4 and ST1 to ST4 (multiple structures), with and without post-index.
pub(crate) fn multiple(b: &mut Builder, inst: Inst) {
    let structure = Structure::of(inst);
    let is_load = inst.word() >> 22 & 1 == 1;
    let exec = match (structure.element_count, is_load, structure.is_full) {
        (..=1, true, _) => by_count!(structure, load_registers),
        (..=1, false, _) => by_count!(structure, store_registers),
        (2.., true, true) => by_shape!(structure, load_structures, true),
        (2.., true, false) => by_shape!(structure, load_structures, false),
        (2.., false, true) => by_shape!(structure, store_structures, true),
        (2.., false, false) => by_shape!(structure, store_structures, false),
    };
    b.emit(exec, operands(inst, structure));
}

/// LD1 to LD4 and ST1 to ST4 (single structure), LD1R to LD4R, with and without post-index.
pub(crate) fn single(b: &mut Builder, inst: Inst) {
    let structure = Structure::of(inst);
    let is_load = inst.word() >> 22 & 1 == 1;
    let (exec, lane) = match (structure.lanes, is_load, structure.is_full) {
        (StructureLanes::One(lane), true, _) => (by_shape!(structure, load_lane), lane),
        (StructureLanes::One(lane), false, _) => (by_shape!(structure, store_lane), lane),
        (StructureLanes::Replicated | StructureLanes::All, _, true) => (by_shape!(structure, load_replicated, true), 0),
        (StructureLanes::Replicated | StructureLanes::All, _, false) => {
            (by_shape!(structure, load_replicated, false), 0)
        }
    };
    b.emit(exec, Operands { aux: lane as u16, ..operands(inst, structure) });
}
