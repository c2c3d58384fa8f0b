//! Branches: lowering and handlers. Source: Arm ARM C4.1.93, C6.2.
//!
//! A conditional branch that is taken leaves the block; otherwise the next op follows.
//! A comparison right before a conditional branch is fused with it.

use super::alu;
use super::builder::{Builder, Comparison, ComparisonKind};
use super::cpu::Cpu;
use super::dp_imm::by_width;
use super::op::{At, Exec, Flow, Operands};
use super::slots::source;
use crate::soft::a64::Inst;

fn target(b: &Builder, inst: Inst) -> u64 {
    b.pc().wrapping_add_signed(inst.signed('i') << 2)
}

pub(super) fn goto(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.branch(at)
}

pub(crate) fn b(b: &mut Builder, inst: Inst) {
    b.emit_last(goto, Operands::to(target(b, inst)));
}

/// The return address follows the instruction.
pub(super) fn call(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.r[30] = at.return_address();
    cpu.branch(at)
}

pub(crate) fn bl(b: &mut Builder, inst: Inst) {
    b.emit_last(call, Operands::to(target(b, inst)));
}

pub(super) fn branch_if<const COND: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    if cpu.flags.holds(COND) { cpu.branch(at) } else { at.next(cpu) }
}

pub(super) fn subtract_branch<const IMM: bool, const X: bool, const COND: u8>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let b = if IMM { u64::from(at.aux()) } else { cpu.r[at.rm()] };
    let (result, flags) = alu::add_setting_flags::<true, X>(cpu.r[at.rn()], b);
    cpu.r[at.rd()] = result;
    cpu.flags = flags;
    if flags.holds(COND) { cpu.branch(at) } else { at.next(cpu) }
}

/// The instances of a handler for the 16 conditions.
macro_rules! by_condition {
    ($handler:ident $(, $arg:tt)*) => {
        [
            $handler::<$($arg,)* 0>, $handler::<$($arg,)* 1>, $handler::<$($arg,)* 2>, $handler::<$($arg,)* 3>,
            $handler::<$($arg,)* 4>, $handler::<$($arg,)* 5>, $handler::<$($arg,)* 6>, $handler::<$($arg,)* 7>,
            $handler::<$($arg,)* 8>, $handler::<$($arg,)* 9>, $handler::<$($arg,)* 10>, $handler::<$($arg,)* 11>,
            $handler::<$($arg,)* 12>, $handler::<$($arg,)* 13>, $handler::<$($arg,)* 14>, $handler::<$($arg,)* 15>,
        ]
    };
}

pub(super) use by_condition;

static BRANCH: [Exec; 16] = by_condition!(branch_if);
static SUB_IMM_W: [Exec; 16] = by_condition!(subtract_branch, true, false);
static SUB_IMM_X: [Exec; 16] = by_condition!(subtract_branch, true, true);
static SUB_REG_W: [Exec; 16] = by_condition!(subtract_branch, false, false);
static SUB_REG_X: [Exec; 16] = by_condition!(subtract_branch, false, true);

pub(crate) fn b_cond(b: &mut Builder, inst: Inst) {
    let condition = usize::from(inst.field('c') as u8 & 15);
    let target = target(b, inst);
    let Some(Comparison { is_64bit, kind }) = b.comparison() else {
        return b.emit_conditional(BRANCH[condition], Operands::to(target));
    };
    let fused = match (kind, is_64bit) {
        (ComparisonKind::SubImm, false) => &SUB_IMM_W,
        (ComparisonKind::SubImm, true) => &SUB_IMM_X,
        (ComparisonKind::SubReg, false) => &SUB_REG_W,
        (ComparisonKind::SubReg, true) => &SUB_REG_X,
    };
    b.fuse_comparison(fused[condition], target);
}

pub(super) fn compare_branch<const NONZERO: bool, const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let is_nonzero = alu::cut::<X>(cpu.r[at.rn()]) != 0;
    if is_nonzero == NONZERO { cpu.branch(at) } else { at.next(cpu) }
}

fn test_operands(b: &Builder, inst: Inst) -> Operands {
    Operands { rn: source(inst.reg('t')), ..Operands::to(target(b, inst)) }
}

pub(crate) fn cbz(b: &mut Builder, inst: Inst) {
    b.emit_conditional(by_width!(inst, compare_branch, false), test_operands(b, inst));
}

pub(crate) fn cbnz(b: &mut Builder, inst: Inst) {
    b.emit_conditional(by_width!(inst, compare_branch, true), test_operands(b, inst));
}

pub(super) fn test_bit_branch<const NONZERO: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let is_set = cpu.r[at.rn()].wrapping_shr(u32::from(at.aux())) & 1 == 1;
    if is_set == NONZERO { cpu.branch(at) } else { at.next(cpu) }
}

fn lower_test_bit(b: &mut Builder, inst: Inst, exec: Exec) {
    let aux = (inst.field('z') << 5 | inst.field('b')) as u16;
    b.emit_conditional(exec, Operands { aux, ..test_operands(b, inst) });
}

pub(crate) fn tbz(b: &mut Builder, inst: Inst) {
    lower_test_bit(b, inst, test_bit_branch::<false>);
}

pub(crate) fn tbnz(b: &mut Builder, inst: Inst) {
    lower_test_bit(b, inst, test_bit_branch::<true>);
}

/// PSTATE.BTYPE after RET and every other instruction that is not below.
pub(super) const RETURN: usize = 0;
/// After BR by X16 or X17, or from a page that is not guarded.
pub(super) const TRAMPOLINE: usize = 1;
/// After BLR.
pub(super) const CALL: usize = 2;
/// After BR by another register, from a guarded page.
pub(super) const JUMP: usize = 3;

/// The instance of a handler for the branch type of BR by register `$rn` (Arm ARM, `BranchToAddr` of BR).
macro_rules! by_jump_type {
    ($b:expr, $rn:expr, $handler:ident) => {
        if $b.is_guarded() && !matches!($rn, 16 | 17) {
            $handler::<{ $crate::soft::interp::branch::JUMP }>
        } else {
            $handler::<{ $crate::soft::interp::branch::TRAMPOLINE }>
        }
    };
}

pub(super) use by_jump_type;

pub(super) fn jump<const TYPE: usize>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.branch_indirect::<TYPE>(at, cpu.r[at.rn()])
}

pub(super) fn call_register(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let target = cpu.r[at.rn()];
    cpu.r[30] = at.return_address();
    cpu.branch_indirect::<CALL>(at, target)
}

fn lower_jump(b: &mut Builder, inst: Inst, exec: Exec) {
    b.emit_last(exec, Operands { rn: source(inst.reg('n')), ..Operands::default() });
}

pub(crate) fn br(b: &mut Builder, inst: Inst) {
    let exec = by_jump_type!(b, inst.reg('n'), jump);
    lower_jump(b, inst, exec);
}

pub(crate) fn blr(b: &mut Builder, inst: Inst) {
    lower_jump(b, inst, call_register);
}

pub(crate) fn ret(b: &mut Builder, inst: Inst) {
    lower_jump(b, inst, jump::<RETURN>);
}
