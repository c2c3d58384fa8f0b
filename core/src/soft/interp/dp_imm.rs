//! Data processing, immediate: lowering and handlers. Source: Arm ARM C4.1.92, C6.2.

use super::alu::{self, AddKind};
use super::builder::{Builder, Comparison, ComparisonKind};
use super::cpu::{Cpu, Flags};
use super::op::{At, Exec, Flow, Operands};
use super::pairs::ALONE;
use super::slots::{dest, source};
use crate::soft::a64::Inst;
use crate::soft::a64::bits::{decode_bit_masks, logical_immediate};

/// Picks the 32-bit or the 64-bit instance of a handler that takes the width as its last generic argument.
macro_rules! by_width {
    ($inst:expr, $handler:ident $(, $arg:tt)*) => {
        if $inst.is_64bit() { $handler::<$($arg,)* true> as Exec } else { $handler::<$($arg,)* false> as Exec }
    };
}

pub(super) use by_width;

/// Sets a register to a constant.
pub(super) fn constant<const THEN: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = at.imm();
    at.then::<THEN>(cpu)
}

/// Copies a register.
pub(super) fn copy<const THEN: usize, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = alu::cut::<X>(cpu.r[at.rn()]);
    at.then::<THEN>(cpu)
}

fn emit_constant(b: &mut Builder, rd: u8, imm: u64) {
    b.emit(constant::<ALONE>, Operands { rd, imm, ..Operands::default() });
}

pub(crate) fn adr(b: &mut Builder, inst: Inst) {
    let offset = inst.signed('i') << 2 | i64::from(inst.field('l'));
    let imm = b.pc().wrapping_add_signed(offset);
    emit_constant(b, dest(inst.reg('d')), imm);
}

pub(crate) fn adrp(b: &mut Builder, inst: Inst) {
    let offset = (inst.signed('i') << 2 | i64::from(inst.field('l'))) << 12;
    let imm = (b.pc() & !0xfff).wrapping_add_signed(offset);
    emit_constant(b, dest(inst.reg('d')), imm);
}

pub(super) fn add_immediate<const THEN: usize, const SUB: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (a, b) = (cpu.r[at.rn()], at.imm());
    cpu.r[at.rd()] = alu::cut::<X>(if SUB { a.wrapping_sub(b) } else { a.wrapping_add(b) });
    at.then::<THEN>(cpu)
}

fn adds_immediate<const SUB: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (result, flags) = alu::add_setting_flags::<SUB, X>(cpu.r[at.rn()], at.imm());
    cpu.r[at.rd()] = result;
    cpu.flags = flags;
    at.next(cpu)
}

fn imm12(inst: Inst) -> u64 {
    u64::from(inst.field('i')) << (12 * inst.field('s'))
}

fn lower_add(b: &mut Builder, inst: Inst, kind: AddKind) {
    let (rd, rn, imm) = (inst.reg('d'), inst.reg('n'), imm12(inst));
    let aux = imm as u16;
    let rd = if kind.sets_flags() { dest(rd) } else { rd };
    let operands = Operands { rd, rn, imm, aux, ..Operands::default() };
    match kind {
        AddKind::Add if imm == 0 => b.emit(by_width!(inst, copy, ALONE), operands),
        AddKind::Add => b.emit(by_width!(inst, add_immediate, ALONE, false), operands),
        AddKind::Sub => b.emit(by_width!(inst, add_immediate, ALONE, true), operands),
        AddKind::Adds => b.emit(by_width!(inst, adds_immediate, false), operands),
        AddKind::Subs if imm <= u64::from(u16::MAX) => {
            let comparison = Comparison { is_64bit: inst.is_64bit(), kind: ComparisonKind::SubImm };
            b.emit_comparison(by_width!(inst, adds_immediate, true), operands, comparison);
        }
        AddKind::Subs => b.emit(by_width!(inst, adds_immediate, true), operands),
    }
}

pub(crate) fn add_imm(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Add);
}

pub(crate) fn adds_imm(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Adds);
}

pub(crate) fn sub_imm(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Sub);
}

pub(crate) fn subs_imm(b: &mut Builder, inst: Inst) {
    lower_add(b, inst, AddKind::Subs);
}

/// AND, ORR and EOR of a register and an immediate that has been cut to the width.
pub(super) fn logic_immediate<const THEN: usize, const OP: u8, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = alu::cut::<X>(alu::logic::<OP>(cpu.r[at.rn()], at.imm()));
    at.then::<THEN>(cpu)
}

fn ands_immediate<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let result = alu::cut::<X>(cpu.r[at.rn()] & at.imm());
    cpu.r[at.rd()] = result;
    cpu.flags = Flags::of(alu::extend::<X>(result), false, false);
    at.next(cpu)
}

fn lower_logic(b: &mut Builder, inst: Inst, exec: Exec, rd: u8) {
    match logical_immediate(inst.field('N'), inst.field('s'), inst.field('r'), inst.is_64bit()) {
        Some(imm) => {
            b.emit(exec, Operands { rd, rn: source(inst.reg('n')), imm, ..Operands::default() });
        }
        None => b.undefined(inst.word()),
    }
}

pub(crate) fn and_imm(b: &mut Builder, inst: Inst) {
    lower_logic(b, inst, by_width!(inst, logic_immediate, ALONE, { alu::AND }), inst.reg('d'));
}

pub(crate) fn orr_imm(b: &mut Builder, inst: Inst) {
    lower_logic(b, inst, by_width!(inst, logic_immediate, ALONE, { alu::ORR }), inst.reg('d'));
}

pub(crate) fn eor_imm(b: &mut Builder, inst: Inst) {
    lower_logic(b, inst, by_width!(inst, logic_immediate, ALONE, { alu::EOR }), inst.reg('d'));
}

pub(crate) fn ands_imm(b: &mut Builder, inst: Inst) {
    lower_logic(b, inst, by_width!(inst, ands_immediate), dest(inst.reg('d')));
}

/// MoveWidePreferred (Arm ARM J1.1): the constant of an ORR with a zero register could be had by MOVZ or MOVN.
pub(crate) fn is_wide_move(inst: Inst) -> bool {
    let is_64bit = inst.is_64bit();
    let Some(value) = logical_immediate(inst.field('N'), inst.field('s'), inst.field('r'), is_64bit) else {
        return false;
    };
    let mask = if is_64bit { u64::MAX } else { 0xffff_ffff };
    let fits = |value: u64| (0..4).any(|half| value & !(0xffff << (16 * half)) == 0);
    fits(value) || fits(!value & mask)
}

pub(crate) fn movn(b: &mut Builder, inst: Inst) {
    let value = !(u64::from(inst.field('i')) << (16 * inst.field('h')));
    let value = if inst.is_64bit() { value } else { value & 0xffff_ffff };
    emit_constant(b, dest(inst.reg('d')), value);
}

pub(crate) fn movz(b: &mut Builder, inst: Inst) {
    emit_constant(b, dest(inst.reg('d')), u64::from(inst.field('i')) << (16 * inst.field('h')));
}

fn insert_half<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let shift = u32::from(at.aux());
    let kept = cpu.r[at.rn()] & !0xffffu64.wrapping_shl(shift);
    cpu.r[at.rd()] = alu::cut::<X>(kept | at.imm());
    at.next(cpu)
}

pub(crate) fn movk(b: &mut Builder, inst: Inst) {
    let shift = 16 * inst.field('h');
    let imm = u64::from(inst.field('i')) << shift;
    let (rd, rn) = (dest(inst.reg('d')), source(inst.reg('d')));
    b.emit(by_width!(inst, insert_half), Operands { rd, rn, imm, aux: shift as u16, ..Operands::default() });
}

fn shift_left<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = alu::cut::<X>(cpu.r[at.rn()].wrapping_shl(u32::from(at.aux())));
    at.next(cpu)
}

/// Takes the bits of `imm` out of the source shifted right: LSR, UBFX, UXTB, UXTH.
pub(super) fn extract_unsigned<const THEN: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[at.rd()] = cpu.r[at.rn()].wrapping_shr(u32::from(at.aux())) & at.imm();
    at.then::<THEN>(cpu)
}

/// Shifts left by `imm`, then right by `aux`, with copies of the sign: ASR, SBFX, SXTB, SXTH, SXTW.
fn extract_signed<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let field = cpu.r[at.rn()].wrapping_shl(at.imm() as u32) as i64;
    cpu.r[at.rd()] = alu::cut::<X>(field.wrapping_shr(u32::from(at.aux())) as u64);
    at.next(cpu)
}

/// The bitfield moves in full generality. `imm` is the word; `rm` is the old destination.
fn bitfield_move<const SIGNED: bool, const KEEP: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (s, r, n) = (at.imm() as u32 >> 10 & 0x3f, at.imm() as u32 >> 16 & 0x3f, at.imm() as u32 >> 22 & 1);
    let Some(masks) = decode_bit_masks(n, s, r, false) else { return at.next(cpu) };
    let src = cpu.r[at.rn()];
    let old = if KEEP { cpu.r[at.rm()] } else { 0 };
    let rotated = if X { src.rotate_right(r) } else { u64::from((src as u32).rotate_right(r)) };
    let bottom = (old & !masks.wmask) | (rotated & masks.wmask);
    let sign = if SIGNED && src.wrapping_shr(s) & 1 == 1 { u64::MAX } else { 0 };
    let top = if KEEP { old } else { sign };
    cpu.r[at.rd()] = alu::cut::<X>((top & !masks.tmask) | (bottom & masks.tmask));
    at.next(cpu)
}

/// Inserts bits: `imm` is the mask of the destination, `aux` the rotation.
fn insert_bits<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let src = cpu.r[at.rn()];
    let rotation = u32::from(at.aux());
    let rotated = if X { src.rotate_right(rotation) } else { u64::from((src as u32).rotate_right(rotation)) };
    cpu.r[at.rd()] = alu::cut::<X>((cpu.r[at.rm()] & !at.imm()) | (rotated & at.imm()));
    at.next(cpu)
}

fn bitfield_operands(inst: Inst) -> Operands {
    let (rd, rn) = (dest(inst.reg('d')), source(inst.reg('n')));
    Operands { rd, rn, rm: source(inst.reg('d')), imm: u64::from(inst.word()), ..Operands::default() }
}

pub(crate) fn sbfm(b: &mut Builder, inst: Inst) {
    let operands = bitfield_operands(inst);
    let (r, s) = (inst.field('r'), inst.field('s'));
    if s >= r {
        // Bring bit s to bit 63, then take the field down.
        let imm = u64::from(63 - s);
        b.emit(by_width!(inst, extract_signed), Operands { imm, aux: (63 - s + r) as u16, ..operands });
    } else {
        b.emit(by_width!(inst, bitfield_move, true, false), operands);
    }
}

pub(crate) fn bfm(b: &mut Builder, inst: Inst) {
    let operands = bitfield_operands(inst);
    let (r, s) = (inst.field('r'), inst.field('s'));
    match decode_bit_masks(inst.field('N'), s, r, false) {
        Some(masks) => {
            let imm = masks.wmask & masks.tmask;
            b.emit(by_width!(inst, insert_bits), Operands { imm, aux: r as u16, ..operands });
        }
        None => b.undefined(inst.word()),
    }
}

pub(crate) fn ubfm(b: &mut Builder, inst: Inst) {
    let operands = bitfield_operands(inst);
    let (r, s) = (inst.field('r'), inst.field('s'));
    let size = if inst.is_64bit() { 64 } else { 32 };
    if s >= r {
        let imm = u64::MAX >> (63 - (s - r));
        b.emit(extract_unsigned::<ALONE>, Operands { imm, aux: r as u16, ..operands });
    } else if s + 1 == r {
        b.emit(by_width!(inst, shift_left), Operands { aux: (size - r) as u16, ..operands });
    } else {
        b.emit(by_width!(inst, bitfield_move, false, false), operands);
    }
}

fn extract_pair<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let (high, low, shift) = (cpu.r[at.rn()], cpu.r[at.rm()], at.imm() as u32);
    cpu.r[at.rd()] = if X {
        (((u128::from(high) << 64) | u128::from(low)) >> (shift & 63)) as u64
    } else {
        u64::from((((high << 32) | (low & 0xffff_ffff)) >> (shift & 31)) as u32)
    };
    at.next(cpu)
}

pub(crate) fn extr(b: &mut Builder, inst: Inst) {
    let (rd, rn, rm) = (dest(inst.reg('d')), source(inst.reg('n')), source(inst.reg('m')));
    let imm = u64::from(inst.field('s'));
    b.emit(by_width!(inst, extract_pair), Operands { rd, rn, rm, imm, ..Operands::default() });
}
