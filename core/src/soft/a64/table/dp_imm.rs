//! Data processing, immediate (Arm ARM C4.1.92).

use super::Row;
use crate::soft::a64::bits::logical_immediate;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::Cssc;
use crate::soft::interp::{cssc, dp_imm as op};

fn rd_is_31(inst: Inst) -> bool {
    inst.reg('d') == 31
}

fn rn_is_31(inst: Inst) -> bool {
    inst.reg('n') == 31
}

fn moves_sp(inst: Inst) -> bool {
    inst.field('i') == 0 && inst.field('s') == 0 && (rd_is_31(inst) || rn_is_31(inst))
}

fn has_logical_immediate(inst: Inst) -> bool {
    logical_immediate(inst.field('N'), inst.field('s'), inst.field('r'), inst.is_64bit()).is_some()
}

fn bitfield_fits(inst: Inst) -> bool {
    inst.field('z') == inst.field('N') && (inst.is_64bit() || inst.field('r') < 32 && inst.field('s') < 32)
}

fn shift_fits(inst: Inst) -> bool {
    inst.is_64bit() || inst.field('h') < 2
}

fn moves_bitmask(inst: Inst) -> bool {
    rn_is_31(inst) && !op::is_wide_move(inst)
}

fn is_movz_alias(inst: Inst) -> bool {
    inst.field('i') != 0 || inst.field('h') == 0
}

fn is_movn_alias(inst: Inst) -> bool {
    is_movz_alias(inst) && (inst.is_64bit() || inst.field('i') != 0xffff)
}

fn top_bit(inst: Inst) -> u32 {
    if inst.is_64bit() { 63 } else { 31 }
}

fn is_shift_to_top(inst: Inst) -> bool {
    inst.field('s') == top_bit(inst)
}

fn is_lsl(inst: Inst) -> bool {
    inst.field('s') != top_bit(inst) && inst.field('s') + 1 == inst.field('r')
}

fn is_insert(inst: Inst) -> bool {
    inst.field('s') < inst.field('r')
}

fn extends<const TOP: u32>(inst: Inst) -> bool {
    inst.field('r') == 0 && inst.field('s') == TOP
}

fn extends_w<const TOP: u32>(inst: Inst) -> bool {
    !inst.is_64bit() && extends::<TOP>(inst)
}

fn is_clear(inst: Inst) -> bool {
    is_insert(inst) && rn_is_31(inst)
}

fn is_ror(inst: Inst) -> bool {
    inst.reg('n') == inst.reg('m')
}

fn extract_fits(inst: Inst) -> bool {
    inst.field('z') == inst.field('N') && (inst.is_64bit() || inst.field('s') < 32)
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("ADR", "adr {Xd}, {adr}",   "0ll10000iiiiiiiiiiiiiiiiiiiddddd", op::adr),
    Row::new("ADRP", "adrp {Xd}, {adrp}", "1ll10000iiiiiiiiiiiiiiiiiiiddddd", op::adrp),

    Row::new("ADD_imm", "add {Rd|SP}, {Rn|SP}, {imm12}", "z00100010siiiiiiiiiiiinnnnnddddd", op::add_imm)
        .aliases(&[(moves_sp, "mov {Rd|SP}, {Rn|SP}")]),
    Row::new("ADDS_imm", "adds {Rd}, {Rn|SP}, {imm12}", "z01100010siiiiiiiiiiiinnnnnddddd", op::adds_imm)
        .aliases(&[(rd_is_31, "cmn {Rn|SP}, {imm12}")]),
    Row::new("SUB_imm", "sub {Rd|SP}, {Rn|SP}, {imm12}", "z10100010siiiiiiiiiiiinnnnnddddd", op::sub_imm),
    Row::new("SUBS_imm", "subs {Rd}, {Rn|SP}, {imm12}", "z11100010siiiiiiiiiiiinnnnnddddd", op::subs_imm)
        .aliases(&[(rd_is_31, "cmp {Rn|SP}, {imm12}")]),

    Row::new("AND_imm", "and {Rd|SP}, {Rn}, {bitmask}", "z00100100Nrrrrrrssssssnnnnnddddd", op::and_imm)
        .when(has_logical_immediate),
    Row::new("ORR_imm", "orr {Rd|SP}, {Rn}, {bitmask}", "z01100100Nrrrrrrssssssnnnnnddddd", op::orr_imm)
        .when(has_logical_immediate).aliases(&[(moves_bitmask, "mov {Rd|SP}, {bitmask}")]),
    Row::new("EOR_imm", "eor {Rd|SP}, {Rn}, {bitmask}", "z10100100Nrrrrrrssssssnnnnnddddd", op::eor_imm)
        .when(has_logical_immediate),
    Row::new("ANDS_imm", "ands {Rd}, {Rn}, {bitmask}", "z11100100Nrrrrrrssssssnnnnnddddd", op::ands_imm)
        .when(has_logical_immediate).aliases(&[(rd_is_31, "tst {Rn}, {bitmask}")]),

    Row::new("MOVN", "movn {Rd}, {imm16}", "z00100101hhiiiiiiiiiiiiiiiiddddd", op::movn)
        .when(shift_fits).aliases(&[(is_movn_alias, "mov {Rd}, {movn}")]),
    Row::new("MOVZ", "movz {Rd}, {imm16}", "z10100101hhiiiiiiiiiiiiiiiiddddd", op::movz)
        .when(shift_fits).aliases(&[(is_movz_alias, "mov {Rd}, {movz}")]),
    Row::new("MOVK", "movk {Rd}, {imm16}", "z11100101hhiiiiiiiiiiiiiiiiddddd", op::movk).when(shift_fits),

    Row::new("SBFM", "sbfm {Rd}, {Rn}, #{r}, #{s}", "z00100110Nrrrrrrssssssnnnnnddddd", op::sbfm)
        .when(bitfield_fits)
        .aliases(&[
            (is_shift_to_top, "asr {Rd}, {Rn}, #{r}"),
            (is_insert, "sbfiz {Rd}, {Rn}, {lsb}, {bfi_width}"),
            (extends::<7>, "sxtb {Rd}, {Wn}"),
            (extends::<15>, "sxth {Rd}, {Wn}"),
            (extends::<31>, "sxtw {Rd}, {Wn}"),
            (always, "sbfx {Rd}, {Rn}, #{r}, {bfx_width}"),
        ]),
    Row::new("BFM", "bfm {Rd}, {Rn}, #{r}, #{s}", "z01100110Nrrrrrrssssssnnnnnddddd", op::bfm)
        .when(bitfield_fits)
        .aliases(&[
            (is_clear, "bfc {Rd}, {lsb}, {bfi_width}"),
            (is_insert, "bfi {Rd}, {Rn}, {lsb}, {bfi_width}"),
            (always, "bfxil {Rd}, {Rn}, #{r}, {bfx_width}"),
        ]),
    Row::new("UBFM", "ubfm {Rd}, {Rn}, #{r}, #{s}", "z10100110Nrrrrrrssssssnnnnnddddd", op::ubfm)
        .when(bitfield_fits)
        .aliases(&[
            (is_lsl, "lsl {Rd}, {Rn}, {lsl_shift}"),
            (is_shift_to_top, "lsr {Rd}, {Rn}, #{r}"),
            (is_insert, "ubfiz {Rd}, {Rn}, {lsb}, {bfi_width}"),
            (extends_w::<7>, "uxtb {Rd}, {Wn}"),
            (extends_w::<15>, "uxth {Rd}, {Wn}"),
            (always, "ubfx {Rd}, {Rn}, #{r}, {bfx_width}"),
        ]),

    Row::new("EXTR", "extr {Rd}, {Rn}, {Rm}, #{s}", "z00100111N0mmmmmssssssnnnnnddddd", op::extr)
        .when(extract_fits).aliases(&[(is_ror, "ror {Rd}, {Rn}, #{s}")]),
    // Common short sequences (FEAT_CSSC).
    Row::new("SMAX_imm", "smax {Rd}, {Rn}, {simm8}", "z0010001110000iiiiiiiinnnnnddddd", cssc::smax_imm).of(Cssc),
    Row::new("UMAX_imm", "umax {Rd}, {Rn}, #{i}", "z0010001110001iiiiiiiinnnnnddddd", cssc::umax_imm).of(Cssc),
    Row::new("SMIN_imm", "smin {Rd}, {Rn}, {simm8}", "z0010001110010iiiiiiiinnnnnddddd", cssc::smin_imm).of(Cssc),
    Row::new("UMIN_imm", "umin {Rd}, {Rn}, #{i}", "z0010001110011iiiiiiiinnnnnddddd", cssc::umin_imm).of(Cssc),
];

fn always(_: Inst) -> bool {
    true
}
