//! Advanced SIMD, two registers, miscellaneous: vector and scalar. Source: Arm ARM C4.1.97, C7.2.

use super::builder::Builder;
use super::lanes::{Integer, Narrowing, Widening};
use super::op::Exec;
use super::simd::{self, instructions};
use crate::soft::a64::Inst;

/// All ones for true.
macro_rules! mask {
    ($condition:expr) => {
        T::from($condition).wrapping_neg()
    };
}

/// The lower half of a lane, as a number of the lane's type.
macro_rules! low_half {
    ($lane:expr) => {
        $lane << (T::BITS / 2) >> (T::BITS / 2)
    };
}

/// The upper half of a lane, as a number of the lane's type.
macro_rules! high_half {
    ($lane:expr) => {
        $lane >> (T::BITS / 2)
    };
}

instructions! {
    rev16 = unary[u16] |n| n.swap_bytes();
    not = unary[u128] |n| !n;
    rbit = unary[u64] |n| n.reverse_bits().swap_bytes();
    cnt = unary[u8] count_ones;
    cls = unary[i8, i16, i32] |n| (n ^ n >> 1).leading_zeros() as T - 1;
    clz = unary[u8, u16, u32] |n| n.leading_zeros() as T;
    abs = unary[i8, i16, i32, i64] |n| n.wrapping_abs();
    neg = unary[i8, i16, i32, i64] |n| n.wrapping_neg();
    cmgt_zero = unary[i8, i16, i32, i64] |n| mask!(n > 0);
    cmge_zero = unary[i8, i16, i32, i64] |n| mask!(n >= 0);
    cmeq_zero = unary[i8, i16, i32, i64] |n| mask!(n == 0);
    cmle_zero = unary[i8, i16, i32, i64] |n| mask!(n <= 0);
    cmlt_zero = unary[i8, i16, i32, i64] |n| mask!(n < 0);
    sqabs = unary_saturating[i8, i16, i32, i64] |n| T::saturate(n.wide().abs());
    sqneg = unary_saturating[i8, i16, i32, i64] |n| T::saturate(-n.wide());

    suqadd = accumulate_unary_saturating[i8, i16, i32, i64] |d, n| T::saturate(d.wide() + n.unsigned());
    usqadd = accumulate_unary_saturating[u8, u16, u32, u64] |d, n| T::saturate(d.wide() + n.signed());

    saddlp = unary/2[i16, i32, i64] |n| low_half!(n) + high_half!(n);
    uaddlp = unary/2[u16, u32, u64] |n| low_half!(n) + high_half!(n);
    sadalp = accumulate_unary/2[i16, i32, i64] |d, n| d.wrapping_add(low_half!(n) + high_half!(n));
    uadalp = accumulate_unary/2[u16, u32, u64] |d, n| d.wrapping_add(low_half!(n) + high_half!(n));

    xtn = narrow/2[u16, u32, u64] |n| n as _;
    sqxtn = narrow_saturating/2[i16, i32, i64] |n| n.narrowed();
    uqxtn = narrow_saturating/2[u16, u32, u64] |n| n.narrowed();
    sqxtun = narrow_saturating/2[i16, i32, i64] |n| n.narrowed_unsigned();
    shll = long[u8, u16, u32] |n| n.double() << T::BITS;
}

/// The elements of every doubleword in reverse order.
pub(crate) fn rev64(b: &mut Builder, inst: Inst) {
    const HANDLERS: &[(usize, Exec)] = &[
        (1, |cpu, at| simd::unary(cpu, at, u64::swap_bytes)),
        (2, |cpu, at| simd::unary(cpu, at, |n: u64| swap_in_halves(n.swap_bytes()))),
        (4, |cpu, at| simd::unary(cpu, at, |n: u64| n.rotate_left(32))),
    ];
    simd::emit(b, inst, HANDLERS);
}

/// The elements of every word in reverse order.
pub(crate) fn rev32(b: &mut Builder, inst: Inst) {
    const HANDLERS: &[(usize, Exec)] = &[
        (1, |cpu, at| simd::unary(cpu, at, u32::swap_bytes)),
        (2, |cpu, at| simd::unary(cpu, at, |n: u32| n.rotate_left(16))),
    ];
    simd::emit(b, inst, HANDLERS);
}

/// The bytes of every halfword swapped.
#[inline(always)]
fn swap_in_halves(n: u64) -> u64 {
    const LOW: u64 = 0x00ff_00ff_00ff_00ff;
    n >> 8 & LOW | (n & LOW) << 8
}

/// The set bits of a byte, in steps that a vector of the host can do (Knuth, TAOCP 7.1.3).
#[inline(always)]
fn count_ones(n: u8) -> u8 {
    let pairs = n - (n >> 1 & 0x55);
    let nibbles = (pairs & 0x33) + (pairs >> 2 & 0x33);
    (nibbles + (nibbles >> 4)) & 0xf
}
