//! Advanced SIMD, three registers of the same type, vector and scalar. Source: Arm ARM C4.1.97, C7.2.

use super::lanes::Integer;
use super::simd::instructions;

/// All ones for true.
macro_rules! mask {
    ($condition:expr) => {
        T::from($condition).wrapping_neg()
    };
}

/// The upper half of twice a product, rounded half up and saturated. Twice it would not fit.
macro_rules! rounded {
    ($product:expr) => {
        T::saturate(($product + (1 << (T::BITS - 2))) >> (T::BITS - 1))
    };
}

instructions! {
    add = binary[u8, u16, u32, u64] |n, m| n.wrapping_add(m);
    sub = binary[u8, u16, u32, u64] |n, m| n.wrapping_sub(m);
    mul = binary[u8, u16, u32] |n, m| n.wrapping_mul(m);
    mla = accumulate[u8, u16, u32] |d, n, m| d.wrapping_add(n.wrapping_mul(m));
    mls = accumulate[u8, u16, u32] |d, n, m| d.wrapping_sub(n.wrapping_mul(m));
    pmul = binary[u8] carryless;

    and = binary[u128] |n, m| n & m;
    bic = binary[u128] |n, m| n & !m;
    orr = binary[u128] |n, m| n | m;
    orn = binary[u128] |n, m| n | !m;
    eor = binary[u128] |n, m| n ^ m;
    bsl = accumulate[u128] |d, n, m| d & n | !d & m;
    bit = accumulate[u128] |d, n, m| m & n | !m & d;
    bif = accumulate[u128] |d, n, m| m & d | !m & n;

    cmgt = binary[i8, i16, i32, i64] |n, m| mask!(n > m);
    cmge = binary[i8, i16, i32, i64] |n, m| mask!(n >= m);
    cmhi = binary[u8, u16, u32, u64] |n, m| mask!(n > m);
    cmhs = binary[u8, u16, u32, u64] |n, m| mask!(n >= m);
    cmeq = binary[u8, u16, u32, u64] |n, m| mask!(n == m);
    cmtst = binary[u8, u16, u32, u64] |n, m| mask!(n & m != 0);

    smax = binary[i8, i16, i32] |n, m| n.max(m);
    smin = binary[i8, i16, i32] |n, m| n.min(m);
    umax = binary[u8, u16, u32] |n, m| n.max(m);
    umin = binary[u8, u16, u32] |n, m| n.min(m);
    sabd = binary[i8, i16, i32] |n, m| n.abs_diff(m) as T;
    uabd = binary[u8, u16, u32] |n, m| n.abs_diff(m);
    saba = accumulate[i8, i16, i32] |d, n, m| d.wrapping_add(n.abs_diff(m) as T);
    uaba = accumulate[u8, u16, u32] |d, n, m| d.wrapping_add(n.abs_diff(m));

    addp = pairwise[u8, u16, u32, u64] |n, m| n.wrapping_add(m);
    smaxp = pairwise[i8, i16, i32] |n, m| n.max(m);
    sminp = pairwise[i8, i16, i32] |n, m| n.min(m);
    umaxp = pairwise[u8, u16, u32] |n, m| n.max(m);
    uminp = pairwise[u8, u16, u32] |n, m| n.min(m);

    // The mean of two numbers from their common and their different bits (Knuth, TAOCP 7.1.3).
    shadd = binary[i8, i16, i32] |n, m| (n & m).wrapping_add((n ^ m) >> 1);
    uhadd = binary[u8, u16, u32] |n, m| (n & m).wrapping_add((n ^ m) >> 1);
    srhadd = binary[i8, i16, i32] |n, m| (n | m).wrapping_sub((n ^ m) >> 1);
    urhadd = binary[u8, u16, u32] |n, m| (n | m).wrapping_sub((n ^ m) >> 1);
    shsub = binary[i8, i16, i32] |n, m| ((n ^ m) >> 1).wrapping_sub(!n & m);
    uhsub = binary[u8, u16, u32] |n, m| ((n ^ m) >> 1).wrapping_sub(!n & m);

    sqadd = binary_saturating[i8, i16, i32, i64] |n, m| T::saturate(n.wide() + m.wide());
    uqadd = binary_saturating[u8, u16, u32, u64] |n, m| T::saturate(n.wide() + m.wide());
    sqsub = binary_saturating[i8, i16, i32, i64] |n, m| T::saturate(n.wide() - m.wide());
    uqsub = binary_saturating[u8, u16, u32, u64] |n, m| T::saturate(n.wide() - m.wide());
    sqdmulh = binary_saturating[i16, i32] |n, m| T::saturate((n.wide() * m.wide()) >> (T::BITS - 1));
    sqrdmulh = binary_saturating[i16, i32] |n, m| rounded!(n.wide() * m.wide());

    sqrdmlah = accumulate_saturating[i16, i32] |d, n, m| rounded!((d.wide() << (T::BITS - 1)) + n.wide() * m.wide());
    sqrdmlsh = accumulate_saturating[i16, i32] |d, n, m| rounded!((d.wide() << (T::BITS - 1)) - n.wide() * m.wide());

    sshl = binary[i8, i16, i32, i64] |n, m| T::wrap(n.shifted(m.shift_amount(), false));
    ushl = binary[u8, u16, u32, u64] |n, m| T::wrap(n.shifted(m.shift_amount(), false));
    srshl = binary[i8, i16, i32, i64] |n, m| T::wrap(n.shifted(m.shift_amount(), true));
    urshl = binary[u8, u16, u32, u64] |n, m| T::wrap(n.shifted(m.shift_amount(), true));
    sqshl = shift_saturating[i8, i16, i32, i64] |n, m| T::saturate(n.shifted(m.shift_amount(), false));
    uqshl = shift_saturating[u8, u16, u32, u64] |n, m| T::saturate(n.shifted(m.shift_amount(), false));
    sqrshl = shift_saturating[i8, i16, i32, i64] |n, m| T::saturate(n.shifted(m.shift_amount(), true));
    uqrshl = shift_saturating[u8, u16, u32, u64] |n, m| T::saturate(n.shifted(m.shift_amount(), true));
}

/// The low half of a product of polynomials over {0, 1}.
#[inline(always)]
fn carryless(n: u8, m: u8) -> u8 {
    (0..8).fold(0, |product, bit| product ^ (n << bit) & (m >> bit & 1).wrapping_neg())
}
