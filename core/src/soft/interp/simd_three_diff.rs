//! Advanced SIMD, three registers of different types, vector and scalar: results twice or half as wide as their sources.
//!
//! Source: Arm ARM C4.1.97, C7.2.

use super::cpu::Cpu;
use super::lanes::{Double, Integer, Widening};
use super::op::{At, Flow};
use super::simd::{self, FULL, instructions};
use crate::host::vector;
use crate::soft::a64::Inst;
use crate::soft::interp::Builder;

/// The upper half of a lane.
macro_rules! high_half {
    ($lane:expr) => {
        ($lane >> (T::BITS / 2)) as _
    };
}

/// Half of the weight of the lowest bit of a lane's upper half.
macro_rules! half_unit {
    () => {
        1 << (T::BITS / 2 - 1)
    };
}

/// Twice a product, saturated.
macro_rules! doubled_product {
    ($n:expr, $m:expr) => {
        Double::<T>::saturate($n.double().wide() * $m.double().wide() * 2)
    };
}

instructions! {
    saddl = long_binary[i8, i16, i32] |n, m| n.double() + m.double();
    uaddl = long_binary[u8, u16, u32] |n, m| n.double() + m.double();
    ssubl = long_binary[i8, i16, i32] |n, m| n.double() - m.double();
    usubl = long_binary[u8, u16, u32] |n, m| n.double().wrapping_sub(m.double());
    saddw = wide_binary[i8, i16, i32] |n, m| n.wrapping_add(m.double());
    uaddw = wide_binary[u8, u16, u32] |n, m| n.wrapping_add(m.double());
    ssubw = wide_binary[i8, i16, i32] |n, m| n.wrapping_sub(m.double());
    usubw = wide_binary[u8, u16, u32] |n, m| n.wrapping_sub(m.double());
    sabdl = long_binary[i8, i16, i32] |n, m| (n.double() - m.double()).abs();
    uabdl = long_binary[u8, u16, u32] |n, m| n.abs_diff(m).double();
    sabal = long_accumulate[i8, i16, i32] |d, n, m| d.wrapping_add((n.double() - m.double()).abs());
    uabal = long_accumulate[u8, u16, u32] |d, n, m| d.wrapping_add(n.abs_diff(m).double());

    addhn = narrow_binary/2[u16, u32, u64] |n, m| high_half!(n.wrapping_add(m));
    raddhn = narrow_binary/2[u16, u32, u64] |n, m| high_half!(n.wrapping_add(m).wrapping_add(half_unit!()));
    subhn = narrow_binary/2[u16, u32, u64] |n, m| high_half!(n.wrapping_sub(m));
    rsubhn = narrow_binary/2[u16, u32, u64] |n, m| high_half!(n.wrapping_sub(m).wrapping_add(half_unit!()));

    smull = long_binary[i8, i16, i32] |n, m| n.double() * m.double();
    umull = long_binary[u8, u16, u32] |n, m| n.double() * m.double();
    smlal = long_accumulate[i8, i16, i32] |d, n, m| d.wrapping_add(n.double() * m.double());
    umlal = long_accumulate[u8, u16, u32] |d, n, m| d.wrapping_add(n.double() * m.double());
    smlsl = long_accumulate[i8, i16, i32] |d, n, m| d.wrapping_sub(n.double() * m.double());
    umlsl = long_accumulate[u8, u16, u32] |d, n, m| d.wrapping_sub(n.double() * m.double());

    sqdmull = long_binary_saturating[i16, i32] |n, m| doubled_product!(n, m);
    sqdmlal = long_accumulate_saturating[i16, i32] |d, n, m| {
        let (product, is_saturated) = doubled_product!(n, m);
        let (sum, is_sum_saturated) = Double::<T>::saturate(d.wide() + product.wide());
        (sum, is_saturated | is_sum_saturated)
    };
    sqdmlsl = long_accumulate_saturating[i16, i32] |d, n, m| {
        let (product, is_saturated) = doubled_product!(n, m);
        let (sum, is_sum_saturated) = Double::<T>::saturate(d.wide() - product.wide());
        (sum, is_saturated | is_sum_saturated)
    };
    pmull = long_binary[u8] |n, m| (0..8).fold(0, |product, bit| product ^ (n.double() << bit) & u16::from(m >> bit & 1).wrapping_neg());
}

/// The product of two polynomials over {0, 1} of degree 63.
fn carryless(n: u64, m: u64) -> u128 {
    // Four products by four bits each time, from a table of the multiples of n.
    let mut multiples = [0u128; 16];
    for (index, multiple) in multiples.iter_mut().enumerate() {
        *multiple = (0..4).fold(0, |sum, bit| sum ^ ((u128::from(n) << bit) * (index as u128 >> bit & 1)));
    }
    (0..16).rev().fold(0, |product, digit| product << 4 ^ multiples[(m >> (4 * digit) & 15) as usize])
}

fn multiply_doublewords(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let shift = if at.aux() == FULL { 64 } else { 0 };
    let (n, m) = ((cpu.v[at.rn()] >> shift) as u64, (cpu.v[at.rm()] >> shift) as u64);
    cpu.v[at.rd()] = vector::carryless_product(n, m).unwrap_or_else(|| carryless(n, m));
    at.next(cpu)
}

/// PMULL of 64 bits.
pub(crate) fn pmull_d(b: &mut Builder, inst: Inst) {
    b.emit(multiply_doublewords, simd::operands(inst));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carryless_products_are_those_of_school() {
        let school =
            |n: u64, m: u64| (0..64).fold(0, |sum, bit| sum ^ ((u128::from(n) << bit) * u128::from(m >> bit & 1)));
        for (n, m) in [(0, 0), (1, u64::MAX), (u64::MAX, u64::MAX), (0x8000_0000_0000_0001, 0x1234_5678_9abc_def0)] {
            assert_eq!(carryless(n, m), school(n, m));
            assert_eq!(vector::carryless_product(n, m).unwrap_or_else(|| school(n, m)), school(n, m));
        }
    }
}
