//! Advanced SIMD, across lanes, and scalar pairwise. Source: Arm ARM C4.1.97, C7.2.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::At;
use super::simd::{self, instructions};
use crate::soft::a64::Inst;

instructions! {
    addv = across[u8, u16, u32] |n, m| n.wrapping_add(m);
    smaxv = across[i8, i16, i32] |n, m| n.max(m);
    sminv = across[i8, i16, i32] |n, m| n.min(m);
    umaxv = across[u8, u16, u32] |n, m| n.max(m);
    uminv = across[u8, u16, u32] |n, m| n.min(m);
    saddlv = across_long[i8, i16, i32] |n, m| n + m;
    uaddlv = across_long[u8, u16, u32] |n, m| n + m;
}

/// ADDP of the two doublewords of a vector.
pub(crate) fn addp_scalar(b: &mut Builder, inst: Inst) {
    let handler = |cpu: &mut Cpu, at: At<'_>| {
        let [low, high] = u64::split(&cpu.v[at.rn()]);
        cpu.v[at.rd()] = u128::from(low.wrapping_add(high));
        at.next(cpu)
    };
    b.emit(handler, simd::operands(inst));
}
