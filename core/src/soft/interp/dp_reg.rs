//! Data processing, register: logical and arithmetic instructions. Source: Arm ARM C4.1.95, C6.2.
//!
//! Shifted forms whose shift amount is zero, nearly all of them, have handlers of their own.

use super::alu::{self, AND, AddKind, EOR, ORR};
use super::builder::{Builder, Comparison, ComparisonKind};
use super::cpu::{Cpu, Flags};
use super::dp_imm::{by_width, copy};
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::soft::a64::Inst;

/// Picks the instance of a handler for the shift kind in field `h` and the width.
macro_rules! by_shift {
    ($inst:expr, $handler:ident $(, $arg:tt)*) => {
        match ($inst.field('h'), $inst.is_64bit()) {
            (0, false) => $handler::<$($arg,)* 0, false> as Exec,
            (1, false) => $handler::<$($arg,)* 1, false> as Exec,
            (2, false) => $handler::<$($arg,)* 2, false> as Exec,
            (3.., false) => $handler::<$($arg,)* 3, false> as Exec,
            (0, true) => $handler::<$($arg,)* 0, true> as Exec,
            (1, true) => $handler::<$($arg,)* 1, true> as Exec,
            (2, true) => $handler::<$($arg,)* 2, true> as Exec,
            (3.., true) => $handler::<$($arg,)* 3, true> as Exec,
        }
    };
}

/// Operands of a three-register instruction in which 31 is XZR; `aux` is the field `i`.
pub(super) fn three_registers(inst: Inst) -> Operands {
    let (rd, rn, rm) = (dest(inst.reg('d')), source(inst.reg('n')), source(inst.reg('m')));
    Operands { rd, rn, rm, aux: inst.field('i') as u16, ..Operands::default() }
}

fn invert_if<const INVERT: bool>(value: u64) -> u64 {
    if INVERT { !value } else { value }
}

fn logic_register<const OP: u8, const INVERT: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = invert_if::<INVERT>(cpu.r[at.rm()]);
    cpu.r[at.rd()] = alu::cut::<X>(alu::logic::<OP>(cpu.r[at.rn()], b));
    at.next(cpu)
}

fn logic_shifted<const OP: u8, const INVERT: bool, const KIND: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = invert_if::<INVERT>(alu::shift::<KIND, X>(cpu.r[at.rm()], u32::from(at.aux())));
    cpu.r[at.rd()] = alu::cut::<X>(alu::logic::<OP>(cpu.r[at.rn()], b));
    at.next(cpu)
}

fn ands_shifted<const INVERT: bool, const KIND: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = invert_if::<INVERT>(alu::shift::<KIND, X>(cpu.r[at.rm()], u32::from(at.aux())));
    let result = alu::cut::<X>(cpu.r[at.rn()] & b);
    cpu.r[at.rd()] = result;
    cpu.flags = Flags::of(alu::extend::<X>(result), false, false);
    at.next(cpu)
}

/// Lowers a logical instruction without flags.
macro_rules! lower_logic {
    ($b:expr, $inst:expr, $op:ident, $invert:literal) => {
        if $inst.field('i') == 0 {
            $b.emit(by_width!($inst, logic_register, $op, $invert), three_registers($inst));
        } else {
            $b.emit(by_shift!($inst, logic_shifted, $op, $invert), three_registers($inst));
        }
    };
}

pub(crate) fn and_reg(b: &mut Builder, inst: Inst) {
    lower_logic!(b, inst, AND, false);
}

pub(crate) fn bic_reg(b: &mut Builder, inst: Inst) {
    lower_logic!(b, inst, AND, true);
}

pub(crate) fn orr_reg(b: &mut Builder, inst: Inst) {
    if inst.reg('n') == 31 && inst.field('i') == 0 {
        let operands = Operands { rd: dest(inst.reg('d')), rn: source(inst.reg('m')), ..Operands::default() };
        return b.emit(by_width!(inst, copy, ALONE), operands);
    }
    lower_logic!(b, inst, ORR, false);
}

pub(crate) fn orn_reg(b: &mut Builder, inst: Inst) {
    lower_logic!(b, inst, ORR, true);
}

pub(crate) fn eor_reg(b: &mut Builder, inst: Inst) {
    lower_logic!(b, inst, EOR, false);
}

pub(crate) fn eon_reg(b: &mut Builder, inst: Inst) {
    lower_logic!(b, inst, EOR, true);
}

pub(crate) fn ands_reg(b: &mut Builder, inst: Inst) {
    b.emit(by_shift!(inst, ands_shifted, false), three_registers(inst));
}

pub(crate) fn bics_reg(b: &mut Builder, inst: Inst) {
    b.emit(by_shift!(inst, ands_shifted, true), three_registers(inst));
}

pub(super) fn add_register<const THEN: usize, const SUB: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, b) = (cpu.r[at.rn()], cpu.r[at.rm()]);
    cpu.r[at.rd()] = alu::cut::<X>(if SUB { a.wrapping_sub(b) } else { a.wrapping_add(b) });
    at.then::<THEN>(cpu)
}

fn add_shifted<const SUB: bool, const KIND: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, b) = (cpu.r[at.rn()], alu::shift::<KIND, X>(cpu.r[at.rm()], u32::from(at.aux())));
    cpu.r[at.rd()] = alu::cut::<X>(if SUB { a.wrapping_sub(b) } else { a.wrapping_add(b) });
    at.next(cpu)
}

fn adds_register<const SUB: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (result, flags) = alu::add_setting_flags::<SUB, X>(cpu.r[at.rn()], cpu.r[at.rm()]);
    cpu.r[at.rd()] = result;
    cpu.flags = flags;
    at.next(cpu)
}

fn adds_shifted<const SUB: bool, const KIND: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = alu::shift::<KIND, X>(cpu.r[at.rm()], u32::from(at.aux()));
    let (result, flags) = alu::add_setting_flags::<SUB, X>(cpu.r[at.rn()], b);
    cpu.r[at.rd()] = result;
    cpu.flags = flags;
    at.next(cpu)
}

fn lower_add(b: &mut Builder, inst: Inst, kind: AddKind) {
    let operands = three_registers(inst);
    let is_plain = inst.field('i') == 0;
    let exec = match kind {
        AddKind::Add if is_plain => by_width!(inst, add_register, ALONE, false),
        AddKind::Add => by_shift!(inst, add_shifted, false),
        AddKind::Sub if is_plain => by_width!(inst, add_register, ALONE, true),
        AddKind::Sub => by_shift!(inst, add_shifted, true),
        AddKind::Adds if is_plain => by_width!(inst, adds_register, false),
        AddKind::Adds => by_shift!(inst, adds_shifted, false),
        AddKind::Subs if is_plain => {
            let comparison = Comparison { is_64bit: inst.is_64bit(), kind: ComparisonKind::SubReg };
            return b.emit_comparison(by_width!(inst, adds_register, true), operands, comparison);
        }
        AddKind::Subs => by_shift!(inst, adds_shifted, true),
    };
    b.emit(exec, operands);
}

pub(crate) fn add_reg(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Add);
}

pub(crate) fn adds_reg(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Adds);
}

pub(crate) fn sub_reg(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Sub);
}

pub(crate) fn subs_reg(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Subs);
}

fn add_extended<const SUB: bool, const OPTION: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let a = cpu.r[at.rn()];
    let b = alu::extend_reg::<OPTION>(cpu.r[at.rm()]).wrapping_shl(u32::from(at.aux()));
    cpu.r[at.rd()] = alu::cut::<X>(if SUB { a.wrapping_sub(b) } else { a.wrapping_add(b) });
    at.next(cpu)
}

fn adds_extended<const SUB: bool, const OPTION: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = alu::extend_reg::<OPTION>(cpu.r[at.rm()]).wrapping_shl(u32::from(at.aux()));
    let (result, flags) = alu::add_setting_flags::<SUB, X>(cpu.r[at.rn()], b);
    cpu.r[at.rd()] = result;
    cpu.flags = flags;
    at.next(cpu)
}

/// The instances of a handler for the eight extensions and both widths.
macro_rules! by_extension {
    ($handler:ident, $sub:literal) => {
        [
            [$handler::<$sub, 0, false>, $handler::<$sub, 0, true>],
            [$handler::<$sub, 1, false>, $handler::<$sub, 1, true>],
            [$handler::<$sub, 2, false>, $handler::<$sub, 2, true>],
            [$handler::<$sub, 3, false>, $handler::<$sub, 3, true>],
            [$handler::<$sub, 4, false>, $handler::<$sub, 4, true>],
            [$handler::<$sub, 5, false>, $handler::<$sub, 5, true>],
            [$handler::<$sub, 6, false>, $handler::<$sub, 6, true>],
            [$handler::<$sub, 7, false>, $handler::<$sub, 7, true>],
        ]
    };
}

static ADD_EXTENDED: [[Exec; 2]; 8] = by_extension!(add_extended, false);
static SUB_EXTENDED: [[Exec; 2]; 8] = by_extension!(add_extended, true);
static ADDS_EXTENDED: [[Exec; 2]; 8] = by_extension!(adds_extended, false);
static SUBS_EXTENDED: [[Exec; 2]; 8] = by_extension!(adds_extended, true);

fn lower_extended(b: &mut Builder, inst: Inst, instances: &[[Exec; 2]; 8], rd: u8) {
    let exec = instances[inst.field('o') as usize & 7][usize::from(inst.is_64bit())];
    b.emit(exec, Operands { rd, rn: inst.reg('n'), ..three_registers(inst) });
}

pub(crate) fn add_ext(b: &mut Builder, inst: Inst) {
    lower_extended(b, inst, &ADD_EXTENDED, inst.reg('d'));
}

pub(crate) fn adds_ext(b: &mut Builder, inst: Inst) {
    lower_extended(b, inst, &ADDS_EXTENDED, dest(inst.reg('d')));
}

pub(crate) fn sub_ext(b: &mut Builder, inst: Inst) {
    lower_extended(b, inst, &SUB_EXTENDED, inst.reg('d'));
}

pub(crate) fn subs_ext(b: &mut Builder, inst: Inst) {
    lower_extended(b, inst, &SUBS_EXTENDED, dest(inst.reg('d')));
}

fn add_carry<const SUB: bool, const SETS_FLAGS: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = invert_if::<SUB>(cpu.r[at.rm()]);
    let (result, flags) = alu::add_with_carry::<X>(cpu.r[at.rn()], b, cpu.flags.c);
    cpu.r[at.rd()] = result;
    if SETS_FLAGS {
        cpu.flags = flags;
    }
    at.next(cpu)
}

pub(crate) fn adc(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, add_carry, false, false), three_registers(inst));
}

pub(crate) fn adcs(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, add_carry, false, true), three_registers(inst));
}

pub(crate) fn sbc(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, add_carry, true, false), three_registers(inst));
}

pub(crate) fn sbcs(b: &mut Builder, inst: Inst) {
    b.emit(by_width!(inst, add_carry, true, true), three_registers(inst));
}
