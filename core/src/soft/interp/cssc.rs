//! FEAT_CSSC: minimum, maximum, absolute value and bit counts of general registers. Source: Arm ARM C4.1.92, C4.1.95, C6.2.

use super::alu;
use super::builder::Builder;
use super::cpu::Cpu;
use super::dp_imm::by_width;
use super::dp_reg::three_registers;
use super::op::{At, Exec, Flow, Operands};
use super::slots::{dest, source};
use crate::soft::a64::Inst;

/// Defines an instruction of two sources with its immediate form: lowering functions, handlers, and the result in terms
/// of the operands, which are cut to the width or, with `signed`, extended from it.
macro_rules! of_two {
    ($($name:ident, $immediate:ident, $handler:ident, $immediate_handler:ident, $extend:ident, $result:expr;)*) => {
        $(fn $handler<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let (n, m) = ($extend::<X>(cpu.r[at.rn()]), $extend::<X>(cpu.r[at.rm()]));
            cpu.r[at.rd()] = alu::cut::<X>($result(n, m) as u64);
            at.next(cpu)
        }

        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            b.emit(by_width!(inst, $handler), three_registers(inst));
        }

        fn $immediate_handler<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let (n, m) = ($extend::<X>(cpu.r[at.rn()]), $extend::<X>(at.imm()));
            cpu.r[at.rd()] = alu::cut::<X>($result(n, m) as u64);
            at.next(cpu)
        }

        pub(crate) fn $immediate(b: &mut Builder, inst: Inst) {
            // The immediate of SMIN and SMAX is signed.
            let is_signed = inst.word() >> 18 & 1 == 0;
            let imm = if is_signed { inst.signed('i') as u64 } else { u64::from(inst.field('i')) };
            let operands = Operands { rd: dest(inst.reg('d')), rn: source(inst.reg('n')), imm, ..Operands::default() };
            b.emit(by_width!(inst, $immediate_handler), operands);
        })*
    };
}

fn signed<const X: bool>(value: u64) -> i64 {
    alu::extend::<X>(value) as i64
}

fn unsigned<const X: bool>(value: u64) -> u64 {
    alu::cut::<X>(value)
}

of_two! {
    smax, smax_imm, execute_smax, execute_smax_imm, signed, std::cmp::max::<i64>;
    smin, smin_imm, execute_smin, execute_smin_imm, signed, std::cmp::min::<i64>;
    umax, umax_imm, execute_umax, execute_umax_imm, unsigned, std::cmp::max::<u64>;
    umin, umin_imm, execute_umin, execute_umin_imm, unsigned, std::cmp::min::<u64>;
}

/// Defines an instruction of one source.
macro_rules! of_one {
    ($($name:ident, $handler:ident, |$n:ident| $result:expr;)*) => {
        $(fn $handler<const X: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
            let $n = cpu.r[at.rn()];
            cpu.r[at.rd()] = alu::cut::<X>($result);
            at.next(cpu)
        }

        pub(crate) fn $name(b: &mut Builder, inst: Inst) {
            b.emit(by_width!(inst, $handler), three_registers(inst));
        })*
    };
}

of_one! {
    ctz, execute_ctz, |n| u64::from(n.trailing_zeros().min(if X { 64 } else { 32 }));
    cnt, execute_cnt, |n| u64::from(alu::cut::<X>(n).count_ones());
    abs, execute_abs, |n| signed::<X>(n).unsigned_abs();
}
