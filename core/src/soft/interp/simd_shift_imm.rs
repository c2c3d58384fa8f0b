//! Advanced SIMD, shift by immediate, vector and scalar. Source: Arm ARM C4.1.97, C7.2.
//!
//! The amount is decoded when the instruction is: 1 to the element's width for right shifts, 0 to one less for left ones.

use super::lanes::{Integer, Narrowing, Widening};
use super::simd::instructions;

/// A right shift of a lane by 1 to its width.
macro_rules! right {
    ($lane:expr, $amount:expr) => {
        $lane >> ($amount - 1) >> 1
    };
}

/// A right shift of a lane by 1 to its width that rounds half up.
macro_rules! right_rounded {
    ($lane:expr, $amount:expr) => {
        ($lane >> ($amount - 1) >> 1).wrapping_add($lane >> ($amount - 1) & 1)
    };
}

instructions! {
    sshr = unary_imm[i8, i16, i32, i64] |n, amount| right!(n, amount);
    ushr = unary_imm[u8, u16, u32, u64] |n, amount| right!(n, amount);
    srshr = unary_imm[i8, i16, i32, i64] |n, amount| right_rounded!(n, amount);
    urshr = unary_imm[u8, u16, u32, u64] |n, amount| right_rounded!(n, amount);
    ssra = accumulate_imm[i8, i16, i32, i64] |d, n, amount| d.wrapping_add(right!(n, amount));
    usra = accumulate_imm[u8, u16, u32, u64] |d, n, amount| d.wrapping_add(right!(n, amount));
    srsra = accumulate_imm[i8, i16, i32, i64] |d, n, amount| d.wrapping_add(right_rounded!(n, amount));
    ursra = accumulate_imm[u8, u16, u32, u64] |d, n, amount| d.wrapping_add(right_rounded!(n, amount));
    sri = accumulate_imm[u8, u16, u32, u64] |d, n, amount| d & !right!(T::MAX, amount) | right!(n, amount);

    shl = unary_imm[u8, u16, u32, u64] |n, amount| n << amount;
    sli = accumulate_imm[u8, u16, u32, u64] |d, n, amount| d & !(T::MAX << amount) | n << amount;
    sshll = long_imm[i8, i16, i32] |n, amount| n.double() << amount;
    ushll = long_imm[u8, u16, u32] |n, amount| n.double() << amount;

    shrn = narrow_imm/2[u16, u32, u64] |n, amount| (n >> amount) as _;
    rshrn = narrow_imm/2[u16, u32, u64] |n, amount| right_rounded!(n, amount) as _;
    sqshrn = narrow_imm_saturating/2[i16, i32, i64] |n, amount| (n >> amount).narrowed();
    uqshrn = narrow_imm_saturating/2[u16, u32, u64] |n, amount| (n >> amount).narrowed();
    sqrshrn = narrow_imm_saturating/2[i16, i32, i64] |n, amount| right_rounded!(n, amount).narrowed();
    uqrshrn = narrow_imm_saturating/2[u16, u32, u64] |n, amount| right_rounded!(n, amount).narrowed();
    sqshrun = narrow_imm_saturating/2[i16, i32, i64] |n, amount| (n >> amount).narrowed_unsigned();
    sqrshrun = narrow_imm_saturating/2[i16, i32, i64] |n, amount| right_rounded!(n, amount).narrowed_unsigned();

    sqshl = unary_imm_saturating[i8, i16, i32, i64] |n, amount| T::saturate(n.wide() << amount);
    uqshl = unary_imm_saturating[u8, u16, u32, u64] |n, amount| T::saturate(n.wide() << amount);
    sqshlu = unary_imm_saturating[u8, u16, u32, u64] |n, amount| T::saturate(n.signed() << amount);
}
