//! Loads and stores of one general register (Arm ARM C4.1.94): immediate, register offset, unscaled, unprivileged,
//! literal.

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::PAuth;
use crate::soft::interp::{ldst as op, pauth};

/// Offsets are extended from 32 or 64 bits only.
pub(super) fn is_index(inst: Inst) -> bool {
    inst.field('o') & 2 != 0
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("STRB_uimm", "strb {Wt}, [{Xn|SP}{uimm}]", "0011100100iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRB_uimm", "ldrb {Wt}, [{Xn|SP}{uimm}]", "0011100101iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRSB_uimm_x", "ldrsb {Xt}, [{Xn|SP}{uimm}]", "0011100110iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRSB_uimm_w", "ldrsb {Wt}, [{Xn|SP}{uimm}]", "0011100111iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("STRH_uimm", "strh {Wt}, [{Xn|SP}{uimm}]", "0111100100iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRH_uimm", "ldrh {Wt}, [{Xn|SP}{uimm}]", "0111100101iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRSH_uimm_x", "ldrsh {Xt}, [{Xn|SP}{uimm}]", "0111100110iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRSH_uimm_w", "ldrsh {Wt}, [{Xn|SP}{uimm}]", "0111100111iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("STR_uimm_w", "str {Wt}, [{Xn|SP}{uimm}]", "1011100100iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDR_uimm_w", "ldr {Wt}, [{Xn|SP}{uimm}]", "1011100101iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDRSW_uimm", "ldrsw {Xt}, [{Xn|SP}{uimm}]", "1011100110iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("STR_uimm_x", "str {Xt}, [{Xn|SP}{uimm}]", "1111100100iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("LDR_uimm_x", "ldr {Xt}, [{Xn|SP}{uimm}]", "1111100101iiiiiiiiiiiinnnnnttttt", op::unsigned_imm),
    Row::new("PRFM_uimm", "prfm {prfop}, [{Xn|SP}{uimm}]", "1111100110iiiiiiiiiiiinnnnnttttt", op::prefetch),
    // Immediate, post-indexed.
    Row::new("STRB_post", "strb {Wt}, [{Xn|SP}], #{simm9}", "00111000000iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRB_post", "ldrb {Wt}, [{Xn|SP}], #{simm9}", "00111000010iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRSB_post_x", "ldrsb {Xt}, [{Xn|SP}], #{simm9}", "00111000100iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRSB_post_w", "ldrsb {Wt}, [{Xn|SP}], #{simm9}", "00111000110iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("STRH_post", "strh {Wt}, [{Xn|SP}], #{simm9}", "01111000000iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRH_post", "ldrh {Wt}, [{Xn|SP}], #{simm9}", "01111000010iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRSH_post_x", "ldrsh {Xt}, [{Xn|SP}], #{simm9}", "01111000100iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRSH_post_w", "ldrsh {Wt}, [{Xn|SP}], #{simm9}", "01111000110iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("STR_post_w", "str {Wt}, [{Xn|SP}], #{simm9}", "10111000000iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDR_post_w", "ldr {Wt}, [{Xn|SP}], #{simm9}", "10111000010iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDRSW_post", "ldrsw {Xt}, [{Xn|SP}], #{simm9}", "10111000100iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("STR_post_x", "str {Xt}, [{Xn|SP}], #{simm9}", "11111000000iiiiiiiii01nnnnnttttt", op::post_index),
    Row::new("LDR_post_x", "ldr {Xt}, [{Xn|SP}], #{simm9}", "11111000010iiiiiiiii01nnnnnttttt", op::post_index),
    // Immediate, pre-indexed.
    Row::new("STRB_pre", "strb {Wt}, [{Xn|SP}, #{simm9}]!", "00111000000iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRB_pre", "ldrb {Wt}, [{Xn|SP}, #{simm9}]!", "00111000010iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRSB_pre_x", "ldrsb {Xt}, [{Xn|SP}, #{simm9}]!", "00111000100iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRSB_pre_w", "ldrsb {Wt}, [{Xn|SP}, #{simm9}]!", "00111000110iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("STRH_pre", "strh {Wt}, [{Xn|SP}, #{simm9}]!", "01111000000iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRH_pre", "ldrh {Wt}, [{Xn|SP}, #{simm9}]!", "01111000010iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRSH_pre_x", "ldrsh {Xt}, [{Xn|SP}, #{simm9}]!", "01111000100iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRSH_pre_w", "ldrsh {Wt}, [{Xn|SP}, #{simm9}]!", "01111000110iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("STR_pre_w", "str {Wt}, [{Xn|SP}, #{simm9}]!", "10111000000iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDR_pre_w", "ldr {Wt}, [{Xn|SP}, #{simm9}]!", "10111000010iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDRSW_pre", "ldrsw {Xt}, [{Xn|SP}, #{simm9}]!", "10111000100iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("STR_pre_x", "str {Xt}, [{Xn|SP}, #{simm9}]!", "11111000000iiiiiiiii11nnnnnttttt", op::pre_index),
    Row::new("LDR_pre_x", "ldr {Xt}, [{Xn|SP}, #{simm9}]!", "11111000010iiiiiiiii11nnnnnttttt", op::pre_index),
    // Register offset.
    Row::new("STRB_reg", "strb {Wt}, [{Xn|SP}, {index}]", "00111000001mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRB_reg", "ldrb {Wt}, [{Xn|SP}, {index}]", "00111000011mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRSB_reg_x", "ldrsb {Xt}, [{Xn|SP}, {index}]", "00111000101mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRSB_reg_w", "ldrsb {Wt}, [{Xn|SP}, {index}]", "00111000111mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("STRH_reg", "strh {Wt}, [{Xn|SP}, {index}]", "01111000001mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRH_reg", "ldrh {Wt}, [{Xn|SP}, {index}]", "01111000011mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRSH_reg_x", "ldrsh {Xt}, [{Xn|SP}, {index}]", "01111000101mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRSH_reg_w", "ldrsh {Wt}, [{Xn|SP}, {index}]", "01111000111mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("STR_reg_w", "str {Wt}, [{Xn|SP}, {index}]", "10111000001mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDR_reg_w", "ldr {Wt}, [{Xn|SP}, {index}]", "10111000011mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDRSW_reg", "ldrsw {Xt}, [{Xn|SP}, {index}]", "10111000101mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("STR_reg_x", "str {Xt}, [{Xn|SP}, {index}]", "11111000001mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("LDR_reg_x", "ldr {Xt}, [{Xn|SP}, {index}]", "11111000011mmmmmoooS10nnnnnttttt", op::register_offset).when(is_index),
    Row::new("PRFM_reg", "prfm {prfop}, [{Xn|SP}, {index}]", "11111000101mmmmmoooS10nnnnnttttt", op::prefetch).when(is_index),
    // Unscaled immediate.
    Row::new("STURB", "sturb {Wt}, [{Xn|SP}{simm}]", "00111000000iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURB", "ldurb {Wt}, [{Xn|SP}{simm}]", "00111000010iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURSB_x", "ldursb {Xt}, [{Xn|SP}{simm}]", "00111000100iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURSB_w", "ldursb {Wt}, [{Xn|SP}{simm}]", "00111000110iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("STURH", "sturh {Wt}, [{Xn|SP}{simm}]", "01111000000iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURH", "ldurh {Wt}, [{Xn|SP}{simm}]", "01111000010iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURSH_x", "ldursh {Xt}, [{Xn|SP}{simm}]", "01111000100iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURSH_w", "ldursh {Wt}, [{Xn|SP}{simm}]", "01111000110iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("STUR_w", "stur {Wt}, [{Xn|SP}{simm}]", "10111000000iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDUR_w", "ldur {Wt}, [{Xn|SP}{simm}]", "10111000010iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDURSW", "ldursw {Xt}, [{Xn|SP}{simm}]", "10111000100iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("STUR_x", "stur {Xt}, [{Xn|SP}{simm}]", "11111000000iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("LDUR_x", "ldur {Xt}, [{Xn|SP}{simm}]", "11111000010iiiiiiiii00nnnnnttttt", op::unscaled),
    Row::new("PRFUM", "prfum {prfop}, [{Xn|SP}{simm}]", "11111000100iiiiiiiii00nnnnnttttt", op::prefetch),
    // Unprivileged: at EL0 the same as unscaled.
    Row::new("STTRB", "sttrb {Wt}, [{Xn|SP}{simm}]", "00111000000iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRB", "ldtrb {Wt}, [{Xn|SP}{simm}]", "00111000010iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRSB_x", "ldtrsb {Xt}, [{Xn|SP}{simm}]", "00111000100iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRSB_w", "ldtrsb {Wt}, [{Xn|SP}{simm}]", "00111000110iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("STTRH", "sttrh {Wt}, [{Xn|SP}{simm}]", "01111000000iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRH", "ldtrh {Wt}, [{Xn|SP}{simm}]", "01111000010iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRSH_x", "ldtrsh {Xt}, [{Xn|SP}{simm}]", "01111000100iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRSH_w", "ldtrsh {Wt}, [{Xn|SP}{simm}]", "01111000110iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("STTR_w", "sttr {Wt}, [{Xn|SP}{simm}]", "10111000000iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTR_w", "ldtr {Wt}, [{Xn|SP}{simm}]", "10111000010iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTRSW", "ldtrsw {Xt}, [{Xn|SP}{simm}]", "10111000100iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("STTR_x", "sttr {Xt}, [{Xn|SP}{simm}]", "11111000000iiiiiiiii10nnnnnttttt", op::unscaled),
    Row::new("LDTR_x", "ldtr {Xt}, [{Xn|SP}{simm}]", "11111000010iiiiiiiii10nnnnnttttt", op::unscaled),
    // Literal.
    Row::new("LDR_lit_w", "ldr {Wt}, {label19}", "00011000iiiiiiiiiiiiiiiiiiittttt", op::literal),
    Row::new("LDR_lit_x", "ldr {Xt}, {label19}", "01011000iiiiiiiiiiiiiiiiiiittttt", op::literal),
    Row::new("LDRSW_lit", "ldrsw {Xt}, {label19}", "10011000iiiiiiiiiiiiiiiiiiittttt", op::literal),
    Row::new("PRFM_lit", "prfm {prfop}, {label19}", "11011000iiiiiiiiiiiiiiiiiiittttt", op::prefetch),
    // Authenticated (FEAT_PAuth).
    Row::new("LDRAA", "ldraa {Xt}, [{Xn|SP}{simm10}]", "111110000j1iiiiiiiii01nnnnnttttt", pauth::ldra).of(PAuth),
    Row::new("LDRAA_pre", "ldraa {Xt}, [{Xn|SP}{simm10!}", "111110000j1iiiiiiiii11nnnnnttttt", pauth::ldra).of(PAuth),
    Row::new("LDRAB", "ldrab {Xt}, [{Xn|SP}{simm10}]", "111110001j1iiiiiiiii01nnnnnttttt", pauth::ldra).of(PAuth),
    Row::new("LDRAB_pre", "ldrab {Xt}, [{Xn|SP}{simm10!}", "111110001j1iiiiiiiii11nnnnnttttt", pauth::ldra).of(PAuth),
];
