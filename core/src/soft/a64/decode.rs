//! [`Inst`]: a word with its row of the table, found through an index over bits 31:21.

use std::sync::OnceLock;

use super::cpu_model::FeatureSet;
use super::table::{self, Row};

/// A decoded instruction.
#[derive(Clone, Copy)]
pub struct Inst {
    word: u32,
    row: &'static Row,
}

/// log2 of the number of buckets: bits 31:21 of the word.
const INDEX_BITS: u32 = 11;

/// For every value of the top bits, the rows that can match, special cases first.
struct Index {
    buckets: Vec<Vec<&'static Row>>,
}

impl Index {
    fn get() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(|| Self::of(table::rows()))
    }

    fn of(rows: impl Iterator<Item = &'static Row>) -> Self {
        let mut buckets: Vec<Vec<&'static Row>> = vec![Vec::new(); 1 << INDEX_BITS];
        for row in rows {
            let shift = 32 - INDEX_BITS;
            let (mask, value) = (row.pattern.mask() >> shift, row.pattern.value() >> shift);
            let free = !mask & ((1 << INDEX_BITS) - 1);
            // All subsets of the free bits (Knuth, TAOCP 7.1.3).
            let mut subset = 0u32;
            loop {
                if let Some(bucket) = buckets.get_mut((value | subset) as usize) {
                    bucket.push(row);
                }
                subset = subset.wrapping_sub(free) & free;
                if subset == 0 {
                    break;
                }
            }
        }
        for bucket in &mut buckets {
            // More fixed bits first: a special case is a strict subset of the general one.
            bucket.sort_by_key(|row| std::cmp::Reverse((row.is_special_case, row.pattern.mask().count_ones())));
        }
        Self { buckets }
    }
}

impl Inst {
    /// The instruction that `word` encodes, or `None` for an unallocated one.
    #[must_use]
    pub fn decode(word: u32) -> Option<Self> {
        Self::decode_for(word, FeatureSet::all())
    }

    /// The same on a CPU with these features: others give their words back to more general rows.
    #[must_use]
    pub fn decode_for(word: u32, features: FeatureSet) -> Option<Self> {
        let bucket = Index::get().buckets.get((word >> (32 - INDEX_BITS)) as usize)?;
        bucket.iter().filter(|row| features.contains(row.feature)).find_map(|row| Self::of_row(row, word))
    }

    /// `word` as an instruction of `row`, or `None` where it is not.
    pub(in crate::soft) fn of_row(row: &'static Row, word: u32) -> Option<Self> {
        let inst = Self { word, row };
        let is_allocated = row.pattern.matches(word) && row.is_allocated.is_none_or(|condition| condition(inst));
        is_allocated.then_some(inst)
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> u32 {
        self.word
    }

    /// The row of the table.
    #[must_use]
    pub fn row(self) -> &'static Row {
        self.row
    }

    /// The field that the row's pattern names with `letter`; zero where it has none.
    #[must_use]
    pub fn field(self, letter: char) -> u32 {
        self.row.pattern.field(letter as u8, self.word)
    }

    /// The same, sign-extended from the width of the field.
    #[must_use]
    pub fn signed(self, letter: char) -> i64 {
        let unused = 64 - self.row.pattern.width(letter as u8);
        if unused == 64 { 0 } else { ((u64::from(self.field(letter)) << unused) as i64) >> unused }
    }

    /// The same as a register number.
    #[must_use]
    pub fn reg(self, letter: char) -> u8 {
        (self.field(letter) & 31) as u8
    }

    /// log2 of the bytes that a load or store of one register moves: fields size and, for SIMD and floating point, opc.
    #[must_use]
    pub fn access_scale(self) -> u32 {
        let (size, is_simd, opc) = (self.word >> 30, self.word >> 26 & 1, self.word >> 22 & 3);
        if is_simd == 1 && opc & 2 != 0 { 4 } else { size }
    }

    /// log2 of the bytes of one register of a load or store of pairs: field opc.
    #[must_use]
    pub fn pair_scale(self) -> u32 {
        let (opc, is_simd) = (self.word >> 30, self.word >> 26 & 1);
        2 + if is_simd == 1 { opc } else { opc >> 1 }
    }

    /// True for the 64-bit form of an instruction that has a `z` field (sf).
    #[must_use]
    pub fn is_64bit(self) -> bool {
        self.field('z') == 1
    }
}

impl std::fmt::Debug for Inst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:08x})", self.row.symbol, self.word)
    }
}
