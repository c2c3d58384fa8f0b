//! Which element sizes and vector lengths an Advanced SIMD instruction has: conditions that many rows share.
//!
//! Field `e` is log2 of an element's bytes, `q` says 128 bits, the upper half of a seven-bit field `i` is immh.

use crate::soft::a64::decode::Inst;

/// 128 bits.
pub(super) fn is_full(inst: Inst) -> bool {
    inst.field('q') == 1
}

/// All arrangements but `1d`.
pub(super) fn is_not_1d(inst: Inst) -> bool {
    inst.field('e') != 3 || is_full(inst)
}

/// Bytes, halfwords, words.
pub(super) fn is_bhs(inst: Inst) -> bool {
    inst.field('e') != 3
}

/// Bytes, halfwords.
pub(super) fn is_bh(inst: Inst) -> bool {
    inst.field('e') < 2
}

/// Halfwords, words.
pub(super) fn is_hs(inst: Inst) -> bool {
    matches!(inst.field('e'), 1 | 2)
}

/// Doublewords.
pub(super) fn is_d(inst: Inst) -> bool {
    inst.field('e') == 3
}

/// Bytes and halfwords, and four words: what can be reduced to one element.
pub(super) fn is_across(inst: Inst) -> bool {
    is_bh(inst) || inst.field('e') == 2 && is_full(inst)
}

/// A shift by immediate rather than a modified immediate.
pub(super) fn is_immh(inst: Inst) -> bool {
    inst.field('i') >= 8
}

/// A shift of any arrangement but `1d`.
pub(super) fn is_immh_not_1d(inst: Inst) -> bool {
    is_immh(inst) && (inst.field('i') < 64 || is_full(inst))
}

/// A shift between bytes, halfwords, words, and elements of twice their width.
pub(super) fn is_immh_bhs(inst: Inst) -> bool {
    (8..64).contains(&inst.field('i'))
}

/// A shift of doublewords.
pub(super) fn is_immh_d(inst: Inst) -> bool {
    inst.field('i') >= 64
}
