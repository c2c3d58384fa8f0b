//! How to unwind through the vDSO's functions: `.eh_frame_hdr` and `.eh_frame`, which [`build`] makes for code that keeps its
//! return address in x30 and does not touch the stack.
//!
//! The return from signal handlers is left out, as on Linux: unwinders know its two instructions, and take every register
//! from the signal frame then, which no rule could say. Sources: Linux Standard Base, "Exception Frames" (10.6);
//! DWARF 5, 6.4; `arch/arm64/kernel/vdso/sigreturn.S`.

/// Code of the image, by offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CodeRange {
    pub(super) at: usize,
    pub(super) len: usize,
}

/// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`.
const PC_RELATIVE: u8 = 0x1b;
/// `DW_EH_PE_udata4`.
const COUNT: u8 = 0x03;
/// `DW_EH_PE_datarel | DW_EH_PE_sdata4`.
const TABLE: u8 = 0x3b;

/// The common entry without its length: version 1, pointers relative to their place, code in words, data in negative words
/// of eight bytes, return address in x30; the frame's address is sp.
const COMMON: [u8; 20] = [0, 0, 0, 0, 1, b'z', b'R', 0, 4, 0x78, 30, 1, PC_RELATIVE, DW_CFA_DEF_CFA, 31, 0, 0, 0, 0, 0];
const DW_CFA_DEF_CFA: u8 = 0x0c;

const COMMON_LEN: usize = 4 + COMMON.len();
/// Length, place of the common entry, first address, length of the code, no augmentation, padding.
const ENTRY_LEN: usize = 20;

/// The length of `.eh_frame_hdr`, the header with its table, for `count` functions.
pub(super) const fn header_len(count: usize) -> usize {
    12 + 8 * count
}

fn distance(to: usize, from: usize) -> [u8; 4] {
    // Both lie in one page.
    (to as i32 - from as i32).to_le_bytes()
}

/// Header and frames of `functions`, which are in order, to stand at offset `at` of the image.
pub(super) fn build(functions: &[CodeRange], at: usize) -> Vec<u8> {
    let frames_at = at + header_len(functions.len());
    let entry_at = |index: usize| frames_at + COMMON_LEN + index * ENTRY_LEN;
    let mut bytes = vec![1, PC_RELATIVE, COUNT, TABLE];
    bytes.extend(distance(frames_at, at + 4));
    bytes.extend((functions.len() as u32).to_le_bytes());
    for (index, function) in functions.iter().enumerate() {
        bytes.extend(distance(function.at, at));
        bytes.extend(distance(entry_at(index), at));
    }
    bytes.extend((COMMON.len() as u32).to_le_bytes());
    bytes.extend(COMMON);
    for (index, function) in functions.iter().enumerate() {
        let entry = entry_at(index);
        bytes.extend((ENTRY_LEN as u32 - 4).to_le_bytes());
        bytes.extend(distance(entry + 4, frames_at));
        bytes.extend(distance(function.at, entry + 8));
        bytes.extend((function.len as u32).to_le_bytes());
        bytes.extend([0; 4]);
    }
    // The end of the entries.
    bytes.extend([0; 4]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn i32_at(bytes: &[u8], at: usize) -> i32 {
        i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    fn moved(from: usize, by: i32) -> usize {
        from.checked_add_signed(by as isize).unwrap()
    }

    /// Reads header and frames as an unwinder does, with the image's offsets as addresses.
    fn covered(image: &[u8], header: usize) -> Vec<CodeRange> {
        assert_eq!(image[header..header + 4], [1, 0x1b, 0x03, 0x3b]);
        let frames = moved(header + 4, i32_at(image, header + 4));
        let mut found = Vec::new();
        for row in 0..i32_at(image, header + 8) as usize {
            let pair = header + 12 + 8 * row;
            let (at, entry) = (moved(header, i32_at(image, pair)), moved(header, i32_at(image, pair + 4)));
            let common = entry + 4 - i32_at(image, entry + 4) as usize;
            assert_eq!(common, frames);
            assert_eq!(i32_at(image, common + 4), 0);
            assert_eq!(moved(entry + 8, i32_at(image, entry + 8)), at);
            found.push(CodeRange { at, len: i32_at(image, entry + 12) as usize });
        }
        // The entries one after another, up to the terminator.
        let mut entries = 0;
        let mut at = frames;
        while i32_at(image, at) != 0 {
            at += 4 + i32_at(image, at) as usize;
            entries += 1;
        }
        assert_eq!(entries, found.len() + 1);
        assert_eq!(at + 4, image.len());
        found
    }

    #[test]
    fn an_unwinder_finds_each_function() {
        let functions = [CodeRange { at: 16, len: 164 }, CodeRange { at: 192, len: 8 }];
        let mut image = vec![0; 208];
        image.extend(build(&functions, 208));
        assert_eq!(covered(&image, 208), functions);
    }
}
