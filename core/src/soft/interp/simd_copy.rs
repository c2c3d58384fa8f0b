//! Advanced SIMD, copy: DUP, INS, SMOV, UMOV. Source: Arm ARM C4.1.97, C7.2.
//!
//! The lowest set bit of imm5 tells the element size, the bits above it an index.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Exec, Flow, Operands};
use super::simd::{finish, operands};
use super::slots::{dest, source};
use crate::soft::a64::Inst;

/// The instance of a handler for the element size of imm5.
macro_rules! by_imm5 {
    ($inst:expr, $handler:ident) => {
        match $inst.field('i').trailing_zeros() {
            0 => $handler::<u8> as Exec,
            1 => $handler::<u16>,
            2 => $handler::<u32>,
            3.. => $handler::<u64>,
        }
    };
}

/// log2 of the bytes of an element, and an index.
fn decode(inst: Inst) -> (u32, u64) {
    let imm5 = inst.field('i');
    let size = imm5.trailing_zeros().min(3);
    (size, u64::from(imm5 >> (size + 1)))
}

/// Element `index` of a register.
#[inline(always)]
fn element<T: Lane>(register: u128, index: u64) -> T {
    T::split(&register).as_ref()[index as usize % T::COUNT]
}

/// Element `index` of a register becomes `value`.
#[inline(always)]
fn insert<T: Lane>(register: &mut u128, index: u64, value: T) {
    let mut lanes = T::split(register);
    lanes.as_mut()[index as usize % T::COUNT] = value;
    *register = T::join(lanes);
}

fn dup_lane<T: Lane>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = element::<T>(cpu.v[at.rn()], at.imm());
    finish(cpu, at, T::join(T::splat(value)))
}

fn dup_general<T: Lane + FromRegister>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = T::from_register(cpu.r[at.rn()]);
    finish(cpu, at, T::join(T::splat(value)))
}

fn ins_general<T: Lane + FromRegister>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = T::from_register(cpu.r[at.rn()]);
    insert(&mut cpu.v[at.rd()], at.imm(), value);
    at.next(cpu)
}

/// From element `imm` of `rn` to element `aux` of `rd`.
fn ins_lane<T: Lane>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value = element::<T>(cpu.v[at.rn()], at.imm());
    insert(&mut cpu.v[at.rd()], u64::from(at.aux()), value);
    at.next(cpu)
}

fn umov_lane<T: Lane + Into<u64>>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = element::<T>(cpu.v[at.rn()], at.imm()).into();
    at.next(cpu)
}

fn smov_lane<T: Lane + Into<i64>, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let value: i64 = element::<T>(cpu.v[at.rn()], at.imm()).into();
    cpu.r[at.rd()] = if X { value as u64 } else { u64::from(value as u32) };
    at.next(cpu)
}

/// An element that is the low part of a general register.
trait FromRegister {
    /// The low part.
    fn from_register(register: u64) -> Self;
}

macro_rules! from_register {
    ($($type:ty)*) => {$(
        impl FromRegister for $type {
            #[inline(always)]
            fn from_register(register: u64) -> Self {
                register as $type
            }
        }
    )*};
}

from_register!(u8 u16 u32 u64);

/// DUP of an element, vector and scalar.
pub(crate) fn dup_element(b: &mut Builder, inst: Inst) {
    let (size, index) = decode(inst);
    let is_scalar = inst.word() >> 28 & 1 == 1;
    let operands = operands(inst);
    let aux = if is_scalar { size as u16 } else { operands.aux };
    b.emit(by_imm5!(inst, dup_lane), Operands { imm: index, aux, ..operands });
}

pub(crate) fn dup(b: &mut Builder, inst: Inst) {
    b.emit(by_imm5!(inst, dup_general), Operands { rn: source(inst.reg('n')), ..operands(inst) });
}

pub(crate) fn ins(b: &mut Builder, inst: Inst) {
    let (_, imm) = decode(inst);
    b.emit(by_imm5!(inst, ins_general), Operands { rn: source(inst.reg('n')), imm, ..operands(inst) });
}

pub(crate) fn ins_element(b: &mut Builder, inst: Inst) {
    let (size, index) = decode(inst);
    let imm = u64::from(inst.field('j') >> size);
    b.emit(by_imm5!(inst, ins_lane), Operands { imm, aux: index as u16, ..operands(inst) });
}

pub(crate) fn umov(b: &mut Builder, inst: Inst) {
    let (_, imm) = decode(inst);
    b.emit(by_imm5!(inst, umov_lane), Operands { rd: dest(inst.reg('d')), imm, ..operands(inst) });
}

pub(crate) fn smov(b: &mut Builder, inst: Inst) {
    let (size, imm) = decode(inst);
    let exec: Exec = match (size, inst.field('q')) {
        (0, 0) => smov_lane::<i8, false>,
        (0, 1..) => smov_lane::<i8, true>,
        (1, 0) => smov_lane::<i16, false>,
        (1, 1..) => smov_lane::<i16, true>,
        (2.., _) => smov_lane::<i32, true>,
    };
    b.emit(exec, Operands { rd: dest(inst.reg('d')), imm, ..operands(inst) });
}
