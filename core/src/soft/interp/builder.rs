//! [`Builder`]: where a row's lowering function puts the pre-decoded form of its instruction.
//!
//! A lowering function is called once per decoded instruction; it chooses the handler that fits the instruction's
//! fields and gives it the operands. Neighbours: the instruction table names the lowering functions, the cache calls them.

use super::cpu::Cpu;
use super::op::{At, BlockRef, Exec, Flow, Op, Operands};
use super::pairs::pair_up;
use crate::soft::a64::features::Feature;
use crate::soft::a64::{CpuModel, Inst};
use crate::vcpu::ExceptionKind;

/// Instructions of a block, at most.
const MAX_INSTRUCTIONS: u16 = 48;

/// A block in the making.
pub(crate) struct Builder {
    cpu: CpuModel,
    start: u64,
    count: u16,
    ops: Vec<Op>,
    conditional_branches: u8,
    has_ended: bool,
    is_guarded: bool,
    /// Branch types (values of PSTATE.BTYPE, one bit each) by which the block may be reached.
    accepts: u8,
    comparison: Option<Comparison>,
}

/// The shape of the last op, where a conditional branch after it can be fused with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Comparison {
    /// 64-bit operands.
    pub is_64bit: bool,
    /// What sets the flags.
    pub kind: ComparisonKind,
}

/// Comparisons that can be fused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ComparisonKind {
    /// SUBS with an immediate that fits in [`Operands::aux`].
    SubImm,
    /// SUBS of two registers.
    SubReg,
}

/// Conditional branches of a block, at most: what follows one that is not taken is in the same block.
const MAX_CONDITIONAL_BRANCHES: u8 = 3;

/// Closes every block: goes to the address after it.
fn close(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.close(at)
}

fn undefined(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise(at, ExceptionKind::Undefined { instruction: at.imm() as u32 })
}

impl Builder {
    pub(super) fn new(start: u64, cpu: CpuModel, is_guarded: bool) -> Self {
        let mut ops = Vec::with_capacity(8);
        ops.push(BlockRef::header(start, 0, 0));
        let is_guarded = is_guarded && cpu.features.contains(Feature::Bti);
        let accepts = if is_guarded { 1 } else { 0b1111 };
        Self {
            cpu,
            start,
            count: 0,
            ops,
            conditional_branches: 0,
            has_ended: false,
            is_guarded,
            accepts,
            comparison: None,
        }
    }

    /// The CPU that the instructions are for.
    pub(crate) fn cpu(&self) -> CpuModel {
        self.cpu
    }

    /// True where the page of the code is guarded (FEAT_BTI).
    pub(crate) fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    /// The instruction in decoding may be reached by branches of these types, if it is the first of its block.
    pub(crate) fn accept(&mut self, branch_types: u8) {
        if self.count == 0 {
            self.accepts |= branch_types;
        }
    }

    /// Address of the instruction in decoding.
    pub(crate) fn pc(&self) -> u64 {
        self.start.wrapping_add(u64::from(self.count) * 4)
    }

    /// Appends an op for the instruction in decoding.
    pub(crate) fn emit(&mut self, exec: Exec, operands: Operands) {
        self.comparison = None;
        self.ops.push(Op::new(exec, operands, self.count));
    }

    /// Appends an op that may be fused with a conditional branch.
    pub(crate) fn emit_comparison(&mut self, exec: Exec, operands: Operands, comparison: Comparison) {
        self.emit(exec, operands);
        self.comparison = Some(comparison);
    }

    /// Appends a conditional branch; where its handler goes on, execution goes to the next address.
    pub(crate) fn emit_conditional(&mut self, exec: Exec, operands: Operands) {
        self.emit(exec, operands);
        self.conditional_branches += 1;
        self.has_ended = self.conditional_branches == MAX_CONDITIONAL_BRANCHES;
    }

    /// Appends an op after which the block ends: every other branch, and what may change the code that follows. Where its
    /// handler goes on, execution goes to the next address.
    pub(crate) fn emit_last(&mut self, exec: Exec, operands: Operands) {
        self.emit(exec, operands);
        self.has_ended = true;
    }

    /// The instruction in decoding does nothing.
    pub(crate) fn emit_nothing(&mut self) {
        self.comparison = None;
    }

    /// The comparison that stands right before the instruction in decoding.
    pub(crate) fn comparison(&self) -> Option<Comparison> {
        self.comparison
    }

    /// Replaces the comparison by one op that compares and branches. `target` is where it goes.
    pub(crate) fn fuse_comparison(&mut self, exec: Exec, target: u64) {
        if let Some(comparison) = self.ops.pop() {
            let Operands { imm, .. } = Operands::to(target);
            self.emit_conditional(exec, Operands { imm, ..comparison.operands() });
        }
    }

    /// The instruction in decoding is undefined.
    pub(crate) fn undefined(&mut self, word: u32) {
        self.emit_last(undefined, Operands { imm: u64::from(word), ..Operands::default() });
    }

    /// Decodes one instruction.
    pub(super) fn push(&mut self, word: u32) {
        match Inst::decode_for(word, self.cpu.features) {
            Some(inst) => (inst.row().lower)(self, inst),
            None => self.undefined(word),
        }
        self.count += 1;
    }

    /// True when no instruction can be appended.
    pub(super) fn is_full(&self) -> bool {
        self.has_ended || self.count >= MAX_INSTRUCTIONS
    }

    /// The finished block.
    pub(super) fn finish(mut self) -> Box<[Op]> {
        self.ops.push(Op::new(close, Operands::to(self.pc()), self.count));
        self.ops[0] = BlockRef::header(self.start, self.count, self.accepts);
        pair_up(self.ops.get(1..).unwrap_or_default());
        self.ops.into_boxed_slice()
    }
}
