//! Arithmetic that several encoding groups share. Values of 32-bit operations are kept zero-extended.
//!
//! Source: Arm ARM J1.1 (`AddWithCarry`, `ShiftReg`, `ExtendReg`).

use super::cpu::Flags;

/// AND, for [`logic`].
pub(super) const AND: u8 = 0;
/// ORR, for [`logic`].
pub(super) const ORR: u8 = 1;
/// EOR, for [`logic`].
pub(super) const EOR: u8 = 2;

/// The four instructions of the add/subtract group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AddKind {
    Add,
    Adds,
    Sub,
    Subs,
}

impl AddKind {
    pub(super) fn sets_flags(self) -> bool {
        match self {
            Self::Adds | Self::Subs => true,
            Self::Add | Self::Sub => false,
        }
    }
}

/// The value of a register of the operation's width: its low 32 or all 64 bits.
#[inline(always)]
pub(super) fn cut<const X: bool>(value: u64) -> u64 {
    if X { value } else { u64::from(value as u32) }
}

/// Sign-extends from the operation's width.
#[inline(always)]
pub(super) fn extend<const X: bool>(value: u64) -> u64 {
    if X { value } else { value as u32 as i32 as i64 as u64 }
}

/// AND, ORR or EOR.
#[inline(always)]
pub(super) fn logic<const OP: u8>(a: u64, b: u64) -> u64 {
    match OP {
        AND => a & b,
        ORR => a | b,
        EOR.. => a ^ b,
    }
}

/// `a + b` or `a - b` with the flags that ADDS and SUBS set.
#[inline(always)]
pub(super) fn add_setting_flags<const SUB: bool, const X: bool>(a: u64, b: u64) -> (u64, Flags) {
    if X {
        let (result, carry, overflow) = if SUB {
            (a.wrapping_sub(b), a >= b, (a as i64).overflowing_sub(b as i64).1)
        } else {
            let (result, carry) = a.overflowing_add(b);
            (result, carry, (a as i64).overflowing_add(b as i64).1)
        };
        (result, Flags::of(result, carry, overflow))
    } else {
        let (a, b) = (a as u32, b as u32);
        let (result, carry, overflow) = if SUB {
            (a.wrapping_sub(b), a >= b, (a as i32).overflowing_sub(b as i32).1)
        } else {
            let (result, carry) = a.overflowing_add(b);
            (result, carry, (a as i32).overflowing_add(b as i32).1)
        };
        (u64::from(result), Flags::of(result as i32 as i64 as u64, carry, overflow))
    }
}

/// AddWithCarry with the flags.
#[inline(always)]
pub(super) fn add_with_carry<const X: bool>(a: u64, b: u64, carry: bool) -> (u64, Flags) {
    if X {
        let (partial, first_carry) = a.overflowing_add(b);
        let (result, second_carry) = partial.overflowing_add(u64::from(carry));
        let overflow = (!(a ^ b) & (a ^ result)) >> 63 == 1;
        (result, Flags::of(result, first_carry | second_carry, overflow))
    } else {
        let wide = (a & 0xffff_ffff) + (b & 0xffff_ffff) + u64::from(carry);
        let result = wide as u32;
        let overflow = (!(a as u32 ^ b as u32) & (a as u32 ^ result)) >> 31 == 1;
        (u64::from(result), Flags::of(result as i32 as i64 as u64, wide >> 32 == 1, overflow))
    }
}

/// ShiftReg: 0 LSL, 1 LSR, 2 ASR, 3 ROR; the amount is taken modulo the width.
#[inline(always)]
pub(super) fn shift<const KIND: u8, const X: bool>(value: u64, amount: u32) -> u64 {
    if X {
        match KIND {
            0 => value.wrapping_shl(amount),
            1 => value.wrapping_shr(amount),
            2 => (value as i64).wrapping_shr(amount) as u64,
            3.. => value.rotate_right(amount & 63),
        }
    } else {
        let value = value as u32;
        u64::from(match KIND {
            0 => value.wrapping_shl(amount),
            1 => value.wrapping_shr(amount),
            2 => (value as i32).wrapping_shr(amount) as u32,
            3.. => value.rotate_right(amount & 31),
        })
    }
}

/// ExtendReg without its shift: option 0 UXTB to 7 SXTX.
#[inline(always)]
pub(super) fn extend_reg<const OPTION: u8>(value: u64) -> u64 {
    match OPTION {
        0 => u64::from(value as u8),
        1 => u64::from(value as u16),
        2 => u64::from(value as u32),
        4 => value as i8 as i64 as u64,
        5 => value as i16 as i64 as u64,
        6 => value as i32 as i64 as u64,
        3 | 7.. => value,
    }
}
