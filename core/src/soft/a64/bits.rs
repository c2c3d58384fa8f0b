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

#[cfg(test)]
mod tests {
    use super::*;

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
