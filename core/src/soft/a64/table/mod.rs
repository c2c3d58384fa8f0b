//! The instruction table, one file per encoding group of the Arm ARM (C4.1); [`rows`] goes through all of it.
//!
//! To add an instruction: a row in its group's file, a lowering function of the same name in `soft::interp`. Nothing else
//! knows instructions.

mod branch;
mod crypto;
mod dp_imm;
mod dp_reg;
mod fp;
mod fp_convert;
mod ldst;
mod ldst_mops;
mod ldst_pair;
mod ldst_simd;
mod ldst_struct;
mod ldst_sync;
mod simd_across;
mod simd_copy;
mod simd_fp;
mod simd_fp_misc;
mod simd_fp_product;
mod simd_imm;
mod simd_indexed;
mod simd_perm;
mod simd_shapes;
mod simd_shift_imm;
mod simd_three_diff;
mod simd_three_ext;
mod simd_three_same;
mod simd_two_misc;
mod system;

use super::Pattern;
use super::decode::Inst;
use super::features::Feature;
use crate::soft::interp::Builder;

/// A function that decides about an instruction's fields.
pub type Condition = fn(Inst) -> bool;

/// One instruction of the table.
pub struct Row {
    /// Name of the instruction and its form, unique in the table.
    pub symbol: &'static str,
    /// Assembly form; what stands in braces is described in `disasm`.
    pub syntax: &'static str,
    /// Preferred forms, first match wins (Arm ARM, "Alias conditions").
    pub aliases: &'static [(Condition, &'static str)],
    /// Encoding.
    pub pattern: Pattern,
    /// Puts the instruction into a block for the interpreter.
    pub(crate) lower: fn(&mut Builder, Inst),
    /// Feature that brings the instruction.
    pub feature: Feature,
    /// Words that match the pattern and are unallocated all the same are told by this.
    pub is_allocated: Option<Condition>,
    /// True for a row that is meant to take words away from a more general one.
    pub is_special_case: bool,
}

impl Row {
    /// A row of the base architecture.
    pub(super) const fn new(
        symbol: &'static str,
        syntax: &'static str,
        pattern: &'static str,
        lower: fn(&mut Builder, Inst),
    ) -> Self {
        let pattern = Pattern::parse(pattern);
        let feature = Feature::Base;
        Self { symbol, syntax, aliases: &[], pattern, lower, feature, is_allocated: None, is_special_case: false }
    }

    /// A row of Advanced SIMD.
    pub(super) const fn simd(
        symbol: &'static str,
        syntax: &'static str,
        pattern: &'static str,
        lower: fn(&mut Builder, Inst),
    ) -> Self {
        Self::new(symbol, syntax, pattern, lower).of(Feature::AdvSimd)
    }

    /// Belongs to `feature`.
    pub(super) const fn of(mut self, feature: Feature) -> Self {
        self.feature = feature;
        self
    }

    /// Words for which `is_allocated` is false are not this instruction.
    pub(super) const fn when(mut self, is_allocated: Condition) -> Self {
        self.is_allocated = Some(is_allocated);
        self
    }

    /// Takes precedence over rows whose pattern includes this one.
    pub(super) const fn special(mut self) -> Self {
        self.is_special_case = true;
        self
    }

    /// Has preferred forms.
    pub(super) const fn aliases(mut self, aliases: &'static [(Condition, &'static str)]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// The groups with their names, in the order of Arm ARM C4.1.
pub static GROUPS: &[(&str, &[Row])] = &[
    ("dp_imm", dp_imm::ROWS),
    ("branch", branch::ROWS),
    ("system", system::ROWS),
    ("ldst", ldst::ROWS),
    ("ldst_pair", ldst_pair::ROWS),
    ("ldst_mops", ldst_mops::ROWS),
    ("ldst_sync", ldst_sync::ROWS),
    ("ldst_simd", ldst_simd::ROWS),
    ("ldst_struct", ldst_struct::ROWS),
    ("dp_reg", dp_reg::ROWS),
    ("fp", fp::ROWS),
    ("fp_convert", fp_convert::ROWS),
    ("simd_copy", simd_copy::ROWS),
    ("simd_perm", simd_perm::ROWS),
    ("simd_three_same", simd_three_same::ROWS),
    ("simd_three_ext", simd_three_ext::ROWS),
    ("simd_two_misc", simd_two_misc::ROWS),
    ("simd_across", simd_across::ROWS),
    ("simd_three_diff", simd_three_diff::ROWS),
    ("simd_imm", simd_imm::ROWS),
    ("simd_shift_imm", simd_shift_imm::ROWS),
    ("simd_indexed", simd_indexed::ROWS),
    ("crypto", crypto::ROWS),
    ("simd_fp", simd_fp::ROWS),
    ("simd_fp_misc", simd_fp_misc::ROWS),
    ("simd_fp_product", simd_fp_product::ROWS),
];

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|(_, rows)| rows.iter())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Some word that is an instruction of both rows: all words of both patterns are tried.
    fn common_word(a: &'static Row, b: &'static Row) -> Option<u32> {
        let free = !(a.pattern.mask() | b.pattern.mask());
        assert!(free.count_ones() <= 24, "{} and {} have too many words in common", a.symbol, b.symbol);
        let fixed = a.pattern.value() | b.pattern.value();
        let mut subset = 0u32;
        loop {
            let word = fixed | subset;
            if Inst::of_row(a, word).is_some() && Inst::of_row(b, word).is_some() {
                return Some(word);
            }
            subset = subset.wrapping_sub(free) & free;
            if subset == 0 {
                return None;
            }
        }
    }

    #[test]
    fn no_word_has_two_rows_unless_one_is_declared_special() {
        let rows: Vec<&Row> = rows().collect();
        for (index, a) in rows.iter().enumerate() {
            for b in &rows[index + 1..] {
                if !a.pattern.overlaps(&b.pattern) {
                    continue;
                }
                let is_declared = a.is_special_case && a.pattern.is_special_case_of(&b.pattern)
                    || b.is_special_case && b.pattern.is_special_case_of(&a.pattern);
                let common = if is_declared { None } else { common_word(a, b) };
                assert_eq!(common, None, "{} and {} overlap", a.symbol, b.symbol);
            }
        }
    }

    /// The two spaces of Arm ARM C4.1 (op0) belong to no row.
    #[test]
    fn scalable_vectors_are_undefined() {
        let spaces = ["---0010-------------------------", "1--0000-------------------------"].map(Pattern::parse);
        for row in rows() {
            assert!(!spaces.iter().any(|space| row.pattern.overlaps(space)), "{}", row.symbol);
        }
    }

    #[test]
    fn special_rows_are_special_cases_of_something() {
        for row in rows().filter(|row| row.is_special_case) {
            assert!(rows().any(|other| row.pattern.is_special_case_of(&other.pattern)), "{}", row.symbol);
        }
    }

    #[test]
    fn symbols_are_unique() {
        let mut seen = HashSet::new();
        for row in rows() {
            assert!(seen.insert(row.symbol), "{} stands twice", row.symbol);
        }
    }
}
