//! Immediates that instructions encode in a compressed way. Source: Arm ARM J1.1, `DecodeBitMasks`.

/// The masks of a bitfield or logical immediate instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BitMasks {
    /// `wmask`: the logical immediate.
    pub wmask: u64,
    /// `tmask`.
    pub tmask: u64,
}

fn ones(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

fn replicate(element: u64, size: u32) -> u64 {
    let mut value = element;
    let mut width = size;
    while width < 64 {
        value |= value << width;
        width *= 2;
    }
    value
}

/// `DecodeBitMasks(immN, imms, immr, immediate)` for 64 bits; `None` for reserved values.
#[must_use]
pub fn decode_bit_masks(n: u32, imms: u32, immr: u32, is_immediate: bool) -> Option<BitMasks> {
    let combined = (n & 1) << 6 | (!imms & 0x3f);
    let len = combined.checked_ilog2()?;
    if len < 1 {
        return None;
    }
    let size = 1 << len;
    let levels = size - 1;
    if is_immediate && imms & levels == levels {
        return None;
    }
    let (s, r) = (imms & levels, immr & levels);
    let diff = s.wrapping_sub(r) & levels;
    let (welem, telem) = (ones(s + 1), ones(diff + 1));
    let rotated = if r == 0 { welem } else { (welem >> r | welem << (size - r)) & ones(size) };
    Some(BitMasks { wmask: replicate(rotated, size), tmask: replicate(telem, size) })
}

/// The logical immediate of fields N, imms, immr, for a 32-bit or 64-bit operation; `None` where it is reserved.
#[must_use]
pub fn logical_immediate(n: u32, imms: u32, immr: u32, is_64bit: bool) -> Option<u64> {
    if !is_64bit && n != 0 {
        return None;
    }
    let wmask = decode_bit_masks(n, imms, immr, true)?.wmask;
    Some(if is_64bit { wmask } else { wmask & 0xffff_ffff })
}

/// `AdvSIMDExpandImm`: the doubleword of a modified immediate instruction of Advanced SIMD (fields op, cmode, a to h). The
/// inversion of MVNI and BIC is not part of it.
#[must_use]
pub fn simd_immediate(word: u32) -> u64 {
    let (is_op, cmode) = (word >> 29 & 1 == 1, word >> 12 & 0xf);
    let imm8 = u64::from(word >> 11 & 0xe0 | word >> 5 & 0x1f);
    let words = |value: u64| value | value << 32;
    let halfwords = |value: u64| words(value | value << 16);
    match cmode {
        0..=7 => words(imm8 << (8 * (cmode >> 1))),
        8..=11 => halfwords(imm8 << (8 * (cmode >> 1 & 1))),
        12 => words(imm8 << 8 | 0xff),
        13 => words(imm8 << 16 | 0xffff),
        14 if is_op => (0..8).fold(0, |mask, bit| mask | ((imm8 >> bit & 1) * (0xff << (8 * bit)))),
        14 => halfwords(imm8 << 8 | imm8),
        15.. if is_op => float_immediate(imm8, 11, 52),
        15.. => words(float_immediate(imm8, 8, 23)),
    }
}

/// `VFPExpandImm`: the number of an eight-bit immediate in a format with these widths of exponent and fraction.
#[must_use]
pub fn float_immediate(imm8: u64, exponent_bits: u32, fraction_bits: u32) -> u64 {
    let (sign, high, low) = (imm8 >> 7 & 1, imm8 >> 6 & 1, imm8 >> 4 & 3);
    // NOT(b):Replicate(b):cd, one bit and the two lowest around the replicated ones.
    let replicated = if high == 1 { ones(exponent_bits - 3) } else { 0 };
    let exponent = (high ^ 1) << (exponent_bits - 1) | replicated << 2 | low;
    (sign << exponent_bits | exponent) << fraction_bits | (imm8 & 0xf) << (fraction_bits - 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_immediates_of_advanced_simd() {
        // As GNU as assembles: movi v0.4s, #1, lsl #8; movi v0.4s, #1, msl #8; orr v0.8h, #4, lsl #8; movi v0.16b, #4;
        // movi v0.2d, #0xff; fmov v0.2d, #1.0; fmov v0.4s, #-2.5.
        assert_eq!(simd_immediate(0x4f00_2420), 0x0000_0100_0000_0100);
        assert_eq!(simd_immediate(0x4f00_c420), 0x0000_01ff_0000_01ff);
        assert_eq!(simd_immediate(0x4f00_b480), 0x0400_0400_0400_0400);
        assert_eq!(simd_immediate(0x4f00_e480), 0x0404_0404_0404_0404);
        assert_eq!(simd_immediate(0x6f00_e420), 0xff);
        assert_eq!(simd_immediate(0x6f03_f600), 1.0f64.to_bits());
        assert_eq!(simd_immediate(0x4f04_f480) >> 32, u64::from((-2.5f32).to_bits()));
    }

    #[test]
    fn logical_immediates_as_binutils_assembles_them() {
        // and x0, x0, #0xff00ff00ff00ff00 is N=0 immr=8 imms=0x27.
        assert_eq!(logical_immediate(0, 0x27, 8, true), Some(0xff00_ff00_ff00_ff00));
        // orr x0, xzr, #0x5555555555555555
        assert_eq!(logical_immediate(0, 0x3c, 0, true), Some(0x5555_5555_5555_5555));
        // and w0, w0, #0x80000001
        assert_eq!(logical_immediate(0, 1, 1, false), Some(0x8000_0001));
        assert_eq!(logical_immediate(1, 62, 0, true), Some(u64::MAX >> 1));
        assert_eq!(logical_immediate(1, 63, 0, true), None);
        assert_eq!(logical_immediate(1, 0, 0, false), None);
        assert_eq!(logical_immediate(0, 0x3f, 0, true), None);
    }

    #[test]
    fn there_are_5334_logical_immediates() {
        let mut values: Vec<u64> = (0..1 << 13)
            .filter_map(|word: u32| logical_immediate(word >> 12, word & 0x3f, word >> 6 & 0x3f, true))
            .collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 5334);
    }
}
