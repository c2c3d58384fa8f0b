//! Exception generation and system instructions: lowering and handlers. Source: Arm ARM C4.1.93, C5, C6.2.

use super::builder::Builder;
use super::cpu::Cpu;
use super::op::{At, Flow, Operands};
use crate::soft::a64::Inst;
use crate::vcpu::ExceptionKind;

fn supervisor_call(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.raise_after(at, ExceptionKind::Syscall { imm: at.aux() })
}

pub(crate) fn svc(b: &mut Builder, inst: Inst) {
    b.emit_last(supervisor_call, Operands { aux: inst.field('i') as u16, ..Operands::default() });
}
