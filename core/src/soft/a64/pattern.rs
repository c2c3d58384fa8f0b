//! [`Pattern`]: 32 characters that say which words an instruction has: fixed bits and named fields, highest bit first.
//!
//! `0` and `1` are fixed, `-` is a bit that does not matter, a letter names a field. Letters mean the same in every row
//! as far as possible: `d n m a` are Rd Rn Rm Ra, `t u` Rt Rt2, `s` Rs, `z` the width (sf), `i` an immediate, `c` a
//! condition. A field is contiguous; split immediates use two letters.

/// The fixed bits and the fields of an encoding.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    mask: u32,
    value: u32,
    /// Shift and width of each letter's field, `a`-`z` then `A`-`Z`; width 0 where the letter is not used.
    fields: [(u8, u8); 52],
}

/// Index of a field's letter, or 52 and above for another character.
const fn letter_index(letter: u8) -> usize {
    match letter {
        b'a'..=b'z' => (letter - b'a') as usize,
        b'A'..=b'Z' => (letter - b'A') as usize + 26,
        _ => usize::MAX,
    }
}

impl Pattern {
    /// Parses a pattern; meant for constants, where a mistake in the text ends the build.
    ///
    /// # Panics
    /// When the text is not 32 characters of the alphabet above, or a field is not contiguous.
    #[must_use]
    pub const fn parse(text: &str) -> Self {
        let text = text.as_bytes();
        assert!(text.len() == 32, "a pattern has 32 characters");
        let mut pattern = Self { mask: 0, value: 0, fields: [(0, 0); 52] };
        let mut at = 0;
        while at < 32 {
            let bit = 31 - at as u32;
            match text[at] {
                b'0' => pattern.mask |= 1 << bit,
                b'1' => {
                    pattern.mask |= 1 << bit;
                    pattern.value |= 1 << bit;
                }
                b'-' => {}
                letter => {
                    let index = letter_index(letter);
                    assert!(index < 52, "a field is named by a letter");
                    let (shift, width) = pattern.fields[index];
                    assert!(width == 0 || shift as u32 == bit + 1, "a field is contiguous");
                    pattern.fields[index] = (bit as u8, width + 1);
                }
            }
            at += 1;
        }
        pattern
    }

    /// The bits that are fixed.
    #[must_use]
    pub const fn mask(&self) -> u32 {
        self.mask
    }

    /// The fixed bits' values.
    #[must_use]
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// True when `word` has the fixed bits.
    #[must_use]
    pub const fn matches(&self, word: u32) -> bool {
        word & self.mask == self.value
    }

    /// The field named `letter` in `word`; zero where the pattern has no such field.
    #[must_use]
    pub const fn field(&self, letter: u8, word: u32) -> u32 {
        let index = letter_index(letter);
        if index >= 52 {
            return 0;
        }
        let (shift, width) = self.fields[index];
        ((word as u64 >> shift) & ((1u64 << width) - 1)) as u32
    }

    /// Width in bits of the field named `letter`, zero where the pattern has no such field.
    #[must_use]
    pub const fn width(&self, letter: u8) -> u32 {
        let index = letter_index(letter);
        if index >= 52 { 0 } else { self.fields[index].1 as u32 }
    }

    /// The word with these field values; values are cut to the width of their field.
    #[must_use]
    pub fn encode(&self, values: &[(u8, u32)]) -> u32 {
        values.iter().fold(self.value, |word, &(letter, value)| {
            let index = letter_index(letter);
            let Some(&(shift, width)) = self.fields.get(index) else { return word };
            let mask = ((1u64 << width) - 1) as u32;
            word & !(((mask as u64) << shift) as u32) | (((value & mask) as u64) << shift) as u32
        })
    }

    /// True when some word matches both patterns.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        (self.value ^ other.value) & self.mask & other.mask == 0
    }

    /// True when every word of this pattern is one of `other`, and not the other way round.
    #[must_use]
    pub const fn is_special_case_of(&self, other: &Self) -> bool {
        self.overlaps(other) && self.mask & other.mask == other.mask && self.mask != other.mask
    }
}

/// The text that [`Pattern::parse`] takes.
impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [b'-'; 32];
        for (place, bit) in text.iter_mut().zip((0..32).rev()) {
            if self.mask >> bit & 1 == 1 {
                *place = b'0' + (self.value >> bit & 1) as u8;
            }
        }
        for (&(shift, width), letter) in self.fields.iter().zip((b'a'..=b'z').chain(b'A'..=b'Z')) {
            for bit in shift..shift + width {
                if let Some(place) = text.get_mut(31 - usize::from(bit)) {
                    *place = letter;
                }
            }
        }
        text.iter().try_for_each(|&character| write!(f, "{}", char::from(character)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_that_which_was_parsed() {
        for text in
            ["z00100010siiiiiiiiiiiinnnnnddddd", "11010101000000110011iiii0101-111", "0z0010000A1sssssR11111nnnnnttttt"]
        {
            assert_eq!(Pattern::parse(text).to_string(), text);
        }
    }

    #[test]
    fn fields_are_cut_and_put_back() {
        let add = Pattern::parse("z00100010siiiiiiiiiiiinnnnnddddd");
        assert_eq!((add.mask(), add.value()), (0x7f80_0000, 0x1100_0000));
        // add x1, x2, #0xabc, lsl #12
        let word = 0x916a_f041;
        assert!(add.matches(word));
        let field = |letter| add.field(letter, word);
        assert_eq!((field(b'z'), field(b's'), field(b'i'), field(b'n'), field(b'd')), (1, 1, 0xabc, 2, 1));
        assert_eq!(add.encode(&[(b'z', 1), (b's', 1), (b'i', 0xabc), (b'n', 2), (b'd', 1)]), word);
        assert_eq!((field(b'm'), add.width(b'i'), add.width(b'm')), (0, 12, 0));
    }

    #[test]
    fn special_cases_are_strict_subsets() {
        let hint = Pattern::parse("11010101000000110010iiiiiii11111");
        let nop = Pattern::parse("11010101000000110010000000011111");
        assert!(nop.is_special_case_of(&hint) && !hint.is_special_case_of(&nop) && !nop.is_special_case_of(&nop));
    }
}
