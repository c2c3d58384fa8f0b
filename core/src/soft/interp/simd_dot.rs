//! Advanced SIMD, products of bytes summed up into words: dot products, matrix products. Source: Arm ARM C4.1.97, C7.2.

use super::builder::Builder;
use super::cpu::Cpu;
use super::lanes::Lane;
use super::op::{At, Flow};
use super::simd::{self, instructions};
use crate::soft::a64::Inst;

#[inline(always)]
fn signed(byte: u8) -> i32 {
    i32::from(byte as i8)
}

#[inline(always)]
fn unsigned(byte: u8) -> i32 {
    i32::from(byte)
}

/// `sum` plus the products of four bytes.
#[inline(always)]
fn dot(sum: u32, n: u32, m: u32, of_n: impl Fn(u8) -> i32, of_m: impl Fn(u8) -> i32) -> u32 {
    let products = n.to_le_bytes().into_iter().zip(m.to_le_bytes()).map(|(n, m)| of_n(n) * of_m(m));
    products.fold(sum, |sum, product| sum.wrapping_add_signed(product))
}

instructions! {
    sdot = accumulate[u32] |d, n, m| dot(d, n, m, signed, signed);
    udot = accumulate[u32] |d, n, m| dot(d, n, m, unsigned, unsigned);
    usdot = accumulate[u32] |d, n, m| dot(d, n, m, unsigned, signed);
    sudot = accumulate[u32] |d, n, m| dot(d, n, m, signed, unsigned);
}

/// A matrix product: rows of eight bytes of `rn` by rows of eight bytes of `rm`, added to two rows of two words.
#[inline(always)]
fn multiply_matrices(cpu: &mut Cpu, at: At<'_>, of_n: impl Fn(u8) -> i32, of_m: impl Fn(u8) -> i32) -> Flow {
    let (n, m) = (u32::split(&cpu.v[at.rn()]), u32::split(&cpu.v[at.rm()]));
    let mut sums = u32::split(&cpu.v[at.rd()]);
    for (place, sum) in sums.iter_mut().enumerate() {
        let (row, column) = (place / 2 * 2, place % 2 * 2);
        *sum = dot(*sum, n[row], m[column], &of_n, &of_m);
        *sum = dot(*sum, n[row + 1], m[column + 1], &of_n, &of_m);
    }
    cpu.v[at.rd()] = u32::join(sums);
    at.next(cpu)
}

pub(crate) fn smmla(b: &mut Builder, inst: Inst) {
    b.emit(|cpu, at| multiply_matrices(cpu, at, signed, signed), simd::operands(inst));
}

pub(crate) fn ummla(b: &mut Builder, inst: Inst) {
    b.emit(|cpu, at| multiply_matrices(cpu, at, unsigned, unsigned), simd::operands(inst));
}

pub(crate) fn usmmla(b: &mut Builder, inst: Inst) {
    b.emit(|cpu, at| multiply_matrices(cpu, at, unsigned, signed), simd::operands(inst));
}
