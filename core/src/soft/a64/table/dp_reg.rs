//! Data processing, register (Arm ARM C4.1.95).

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::{Crc32, Cssc, FlagM, PAuth};
use crate::soft::interp::{cssc, dp_misc as misc, dp_reg as op, pauth};

fn rd_is_31(inst: Inst) -> bool {
    inst.reg('d') == 31
}

fn rn_is_31(inst: Inst) -> bool {
    inst.reg('n') == 31
}

fn ra_is_31(inst: Inst) -> bool {
    inst.reg('a') == 31
}

fn is_mov(inst: Inst) -> bool {
    rn_is_31(inst) && inst.field('h') == 0 && inst.field('i') == 0
}

/// The shift amount is below the width.
fn amount_fits(inst: Inst) -> bool {
    inst.is_64bit() || inst.field('i') < 32
}

/// As `amount_fits`, and the shift is not ROR.
fn no_rotation(inst: Inst) -> bool {
    inst.field('h') != 3 && amount_fits(inst)
}

fn extend_shift_fits(inst: Inst) -> bool {
    inst.field('i') <= 4
}

fn same_sources(inst: Inst) -> bool {
    inst.reg('n') == inst.reg('m') && inst.field('c') & 0b1110 != 0b1110
}

fn is_set(inst: Inst) -> bool {
    same_sources(inst) && rn_is_31(inst)
}

fn is_changed(inst: Inst) -> bool {
    same_sources(inst) && !rn_is_31(inst)
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Logical, shifted register.
    Row::new("AND_reg", "and {Rd}, {Rn}, {Rm}{shift}", "z0001010hh0mmmmmiiiiiinnnnnddddd", op::and_reg).when(amount_fits),
    Row::new("BIC_reg", "bic {Rd}, {Rn}, {Rm}{shift}", "z0001010hh1mmmmmiiiiiinnnnnddddd", op::bic_reg).when(amount_fits),
    Row::new("ORR_reg", "orr {Rd}, {Rn}, {Rm}{shift}", "z0101010hh0mmmmmiiiiiinnnnnddddd", op::orr_reg).when(amount_fits)
        .aliases(&[(is_mov, "mov {Rd}, {Rm}")]),
    Row::new("ORN_reg", "orn {Rd}, {Rn}, {Rm}{shift}", "z0101010hh1mmmmmiiiiiinnnnnddddd", op::orn_reg).when(amount_fits)
        .aliases(&[(rn_is_31, "mvn {Rd}, {Rm}{shift}")]),
    Row::new("EOR_reg", "eor {Rd}, {Rn}, {Rm}{shift}", "z1001010hh0mmmmmiiiiiinnnnnddddd", op::eor_reg).when(amount_fits),
    Row::new("EON_reg", "eon {Rd}, {Rn}, {Rm}{shift}", "z1001010hh1mmmmmiiiiiinnnnnddddd", op::eon_reg).when(amount_fits),
    Row::new("ANDS_reg", "ands {Rd}, {Rn}, {Rm}{shift}", "z1101010hh0mmmmmiiiiiinnnnnddddd", op::ands_reg).when(amount_fits)
        .aliases(&[(rd_is_31, "tst {Rn}, {Rm}{shift}")]),
    Row::new("BICS_reg", "bics {Rd}, {Rn}, {Rm}{shift}", "z1101010hh1mmmmmiiiiiinnnnnddddd", op::bics_reg).when(amount_fits),

    // Add/subtract, shifted register.
    Row::new("ADD_reg", "add {Rd}, {Rn}, {Rm}{shift}", "z0001011hh0mmmmmiiiiiinnnnnddddd", op::add_reg).when(no_rotation),
    Row::new("ADDS_reg", "adds {Rd}, {Rn}, {Rm}{shift}", "z0101011hh0mmmmmiiiiiinnnnnddddd", op::adds_reg).when(no_rotation)
        .aliases(&[(rd_is_31, "cmn {Rn}, {Rm}{shift}")]),
    Row::new("SUB_reg", "sub {Rd}, {Rn}, {Rm}{shift}", "z1001011hh0mmmmmiiiiiinnnnnddddd", op::sub_reg).when(no_rotation)
        .aliases(&[(rn_is_31, "neg {Rd}, {Rm}{shift}")]),
    Row::new("SUBS_reg", "subs {Rd}, {Rn}, {Rm}{shift}", "z1101011hh0mmmmmiiiiiinnnnnddddd", op::subs_reg).when(no_rotation)
        .aliases(&[(rd_is_31, "cmp {Rn}, {Rm}{shift}"), (rn_is_31, "negs {Rd}, {Rm}{shift}")]),

    // Add/subtract, extended register.
    Row::new("ADD_ext", "add {Rd|SP}, {Rn|SP}, {ext}", "z0001011001mmmmmoooiiinnnnnddddd", op::add_ext).when(extend_shift_fits),
    Row::new("ADDS_ext", "adds {Rd}, {Rn|SP}, {ext}", "z0101011001mmmmmoooiiinnnnnddddd", op::adds_ext).when(extend_shift_fits)
        .aliases(&[(rd_is_31, "cmn {Rn|SP}, {ext}")]),
    Row::new("SUB_ext", "sub {Rd|SP}, {Rn|SP}, {ext}", "z1001011001mmmmmoooiiinnnnnddddd", op::sub_ext).when(extend_shift_fits),
    Row::new("SUBS_ext", "subs {Rd}, {Rn|SP}, {ext}", "z1101011001mmmmmoooiiinnnnnddddd", op::subs_ext).when(extend_shift_fits)
        .aliases(&[(rd_is_31, "cmp {Rn|SP}, {ext}")]),

    // Add/subtract with carry; flag manipulation.
    Row::new("ADC", "adc {Rd}, {Rn}, {Rm}", "z0011010000mmmmm000000nnnnnddddd", op::adc),
    Row::new("ADCS", "adcs {Rd}, {Rn}, {Rm}", "z0111010000mmmmm000000nnnnnddddd", op::adcs),
    Row::new("SBC", "sbc {Rd}, {Rn}, {Rm}", "z1011010000mmmmm000000nnnnnddddd", op::sbc)
        .aliases(&[(rn_is_31, "ngc {Rd}, {Rm}")]),
    Row::new("SBCS", "sbcs {Rd}, {Rn}, {Rm}", "z1111010000mmmmm000000nnnnnddddd", op::sbcs)
        .aliases(&[(rn_is_31, "ngcs {Rd}, {Rm}")]),
    Row::new("RMIF", "rmif {Xn}, #{i}, #{k}", "10111010000iiiiii00001nnnnn0kkkk", misc::rmif).of(FlagM),
    Row::new("SETF8", "setf8 {Wn}", "0011101000000000000010nnnnn01101", misc::setf8).of(FlagM),
    Row::new("SETF16", "setf16 {Wn}", "0011101000000000010010nnnnn01101", misc::setf16).of(FlagM),

    // Conditional compare and select.
    Row::new("CCMN_reg", "ccmn {Rn}, {Rm}, {k:x}, {cond}", "z0111010010mmmmmcccc00nnnnn0kkkk", misc::ccmn_reg),
    Row::new("CCMP_reg", "ccmp {Rn}, {Rm}, {k:x}, {cond}", "z1111010010mmmmmcccc00nnnnn0kkkk", misc::ccmp_reg),
    Row::new("CCMN_imm", "ccmn {Rn}, {m:x}, {k:x}, {cond}", "z0111010010mmmmmcccc10nnnnn0kkkk", misc::ccmn_imm),
    Row::new("CCMP_imm", "ccmp {Rn}, {m:x}, {k:x}, {cond}", "z1111010010mmmmmcccc10nnnnn0kkkk", misc::ccmp_imm),
    Row::new("CSEL", "csel {Rd}, {Rn}, {Rm}, {cond}", "z0011010100mmmmmcccc00nnnnnddddd", misc::csel),
    Row::new("CSINC", "csinc {Rd}, {Rn}, {Rm}, {cond}", "z0011010100mmmmmcccc01nnnnnddddd", misc::csinc)
        .aliases(&[(is_set, "cset {Rd}, {!cond}"), (is_changed, "cinc {Rd}, {Rn}, {!cond}")]),
    Row::new("CSINV", "csinv {Rd}, {Rn}, {Rm}, {cond}", "z1011010100mmmmmcccc00nnnnnddddd", misc::csinv)
        .aliases(&[(is_set, "csetm {Rd}, {!cond}"), (is_changed, "cinv {Rd}, {Rn}, {!cond}")]),
    Row::new("CSNEG", "csneg {Rd}, {Rn}, {Rm}, {cond}", "z1011010100mmmmmcccc01nnnnnddddd", misc::csneg)
        .aliases(&[(same_sources, "cneg {Rd}, {Rn}, {!cond}")]),

    // Three sources.
    Row::new("MADD", "madd {Rd}, {Rn}, {Rm}, {Ra}", "z0011011000mmmmm0aaaaannnnnddddd", misc::madd)
        .aliases(&[(ra_is_31, "mul {Rd}, {Rn}, {Rm}")]),
    Row::new("MSUB", "msub {Rd}, {Rn}, {Rm}, {Ra}", "z0011011000mmmmm1aaaaannnnnddddd", misc::msub)
        .aliases(&[(ra_is_31, "mneg {Rd}, {Rn}, {Rm}")]),
    Row::new("SMADDL", "smaddl {Xd}, {Wn}, {Wm}, {Xa}", "10011011001mmmmm0aaaaannnnnddddd", misc::smaddl)
        .aliases(&[(ra_is_31, "smull {Xd}, {Wn}, {Wm}")]),
    Row::new("SMSUBL", "smsubl {Xd}, {Wn}, {Wm}, {Xa}", "10011011001mmmmm1aaaaannnnnddddd", misc::smsubl)
        .aliases(&[(ra_is_31, "smnegl {Xd}, {Wn}, {Wm}")]),
    Row::new("SMULH", "smulh {Xd}, {Xn}, {Xm}", "10011011010mmmmm0-----nnnnnddddd", misc::smulh),
    Row::new("UMADDL", "umaddl {Xd}, {Wn}, {Wm}, {Xa}", "10011011101mmmmm0aaaaannnnnddddd", misc::umaddl)
        .aliases(&[(ra_is_31, "umull {Xd}, {Wn}, {Wm}")]),
    Row::new("UMSUBL", "umsubl {Xd}, {Wn}, {Wm}, {Xa}", "10011011101mmmmm1aaaaannnnnddddd", misc::umsubl)
        .aliases(&[(ra_is_31, "umnegl {Xd}, {Wn}, {Wm}")]),
    Row::new("UMULH", "umulh {Xd}, {Xn}, {Xm}", "10011011110mmmmm0-----nnnnnddddd", misc::umulh),

    // Two sources.
    Row::new("UDIV", "udiv {Rd}, {Rn}, {Rm}", "z0011010110mmmmm000010nnnnnddddd", misc::udiv),
    Row::new("SDIV", "sdiv {Rd}, {Rn}, {Rm}", "z0011010110mmmmm000011nnnnnddddd", misc::sdiv),
    Row::new("LSLV", "lsl {Rd}, {Rn}, {Rm}", "z0011010110mmmmm001000nnnnnddddd", misc::lslv),
    Row::new("LSRV", "lsr {Rd}, {Rn}, {Rm}", "z0011010110mmmmm001001nnnnnddddd", misc::lsrv),
    Row::new("ASRV", "asr {Rd}, {Rn}, {Rm}", "z0011010110mmmmm001010nnnnnddddd", misc::asrv),
    Row::new("RORV", "ror {Rd}, {Rn}, {Rm}", "z0011010110mmmmm001011nnnnnddddd", misc::rorv),
    Row::new("CRC32B", "crc32b {Wd}, {Wn}, {Wm}", "00011010110mmmmm010000nnnnnddddd", misc::crc32b).of(Crc32),
    Row::new("CRC32H", "crc32h {Wd}, {Wn}, {Wm}", "00011010110mmmmm010001nnnnnddddd", misc::crc32h).of(Crc32),
    Row::new("CRC32W", "crc32w {Wd}, {Wn}, {Wm}", "00011010110mmmmm010010nnnnnddddd", misc::crc32w).of(Crc32),
    Row::new("CRC32X", "crc32x {Wd}, {Wn}, {Xm}", "10011010110mmmmm010011nnnnnddddd", misc::crc32x).of(Crc32),
    Row::new("CRC32CB", "crc32cb {Wd}, {Wn}, {Wm}", "00011010110mmmmm010100nnnnnddddd", misc::crc32cb).of(Crc32),
    Row::new("CRC32CH", "crc32ch {Wd}, {Wn}, {Wm}", "00011010110mmmmm010101nnnnnddddd", misc::crc32ch).of(Crc32),
    Row::new("CRC32CW", "crc32cw {Wd}, {Wn}, {Wm}", "00011010110mmmmm010110nnnnnddddd", misc::crc32cw).of(Crc32),
    Row::new("CRC32CX", "crc32cx {Wd}, {Wn}, {Xm}", "10011010110mmmmm010111nnnnnddddd", misc::crc32cx).of(Crc32),

    // One source.
    Row::new("RBIT", "rbit {Rd}, {Rn}", "z101101011000000000000nnnnnddddd", misc::rbit),
    Row::new("REV16", "rev16 {Rd}, {Rn}", "z101101011000000000001nnnnnddddd", misc::rev16),
    Row::new("REV_w", "rev {Wd}, {Wn}", "0101101011000000000010nnnnnddddd", misc::rev_w),
    Row::new("REV32", "rev32 {Xd}, {Xn}", "1101101011000000000010nnnnnddddd", misc::rev32),
    Row::new("REV_x", "rev {Xd}, {Xn}", "1101101011000000000011nnnnnddddd", misc::rev_x),
    Row::new("CLZ", "clz {Rd}, {Rn}", "z101101011000000000100nnnnnddddd", misc::clz),
    Row::new("CLS", "cls {Rd}, {Rn}", "z101101011000000000101nnnnnddddd", misc::cls),
    // Pointer authentication (FEAT_PAuth).
    Row::new("PACIA", "pacia {Xd}, {Xn|SP}", "1101101011000001000000nnnnnddddd", pauth::pac).of(PAuth),
    Row::new("PACIB", "pacib {Xd}, {Xn|SP}", "1101101011000001000001nnnnnddddd", pauth::pac).of(PAuth),
    Row::new("PACDA", "pacda {Xd}, {Xn|SP}", "1101101011000001000010nnnnnddddd", pauth::pac).of(PAuth),
    Row::new("PACDB", "pacdb {Xd}, {Xn|SP}", "1101101011000001000011nnnnnddddd", pauth::pac).of(PAuth),
    Row::new("AUTIA", "autia {Xd}, {Xn|SP}", "1101101011000001000100nnnnnddddd", pauth::aut).of(PAuth),
    Row::new("AUTIB", "autib {Xd}, {Xn|SP}", "1101101011000001000101nnnnnddddd", pauth::aut).of(PAuth),
    Row::new("AUTDA", "autda {Xd}, {Xn|SP}", "1101101011000001000110nnnnnddddd", pauth::aut).of(PAuth),
    Row::new("AUTDB", "autdb {Xd}, {Xn|SP}", "1101101011000001000111nnnnnddddd", pauth::aut).of(PAuth),
    Row::new("PACIZA", "paciza {Xd}", "110110101100000100100011111ddddd", pauth::pac_zero).of(PAuth),
    Row::new("PACIZB", "pacizb {Xd}", "110110101100000100100111111ddddd", pauth::pac_zero).of(PAuth),
    Row::new("PACDZA", "pacdza {Xd}", "110110101100000100101011111ddddd", pauth::pac_zero).of(PAuth),
    Row::new("PACDZB", "pacdzb {Xd}", "110110101100000100101111111ddddd", pauth::pac_zero).of(PAuth),
    Row::new("AUTIZA", "autiza {Xd}", "110110101100000100110011111ddddd", pauth::aut_zero).of(PAuth),
    Row::new("AUTIZB", "autizb {Xd}", "110110101100000100110111111ddddd", pauth::aut_zero).of(PAuth),
    Row::new("AUTDZA", "autdza {Xd}", "110110101100000100111011111ddddd", pauth::aut_zero).of(PAuth),
    Row::new("AUTDZB", "autdzb {Xd}", "110110101100000100111111111ddddd", pauth::aut_zero).of(PAuth),
    Row::new("XPACI", "xpaci {Xd}", "110110101100000101000011111ddddd", pauth::xpac).of(PAuth),
    Row::new("XPACD", "xpacd {Xd}", "110110101100000101000111111ddddd", pauth::xpac).of(PAuth),
    Row::new("PACGA", "pacga {Xd}, {Xn}, {Xm|SP}", "10011010110mmmmm001100nnnnnddddd", pauth::pacga).of(PAuth),
    // Common short sequences (FEAT_CSSC).
    Row::new("CTZ", "ctz {Rd}, {Rn}", "z101101011000000000110nnnnnddddd", cssc::ctz).of(Cssc),
    Row::new("CNT_r", "cnt {Rd}, {Rn}", "z101101011000000000111nnnnnddddd", cssc::cnt).of(Cssc),
    Row::new("ABS_r", "abs {Rd}, {Rn}", "z101101011000000001000nnnnnddddd", cssc::abs).of(Cssc),
    Row::new("SMAX_r", "smax {Rd}, {Rn}, {Rm}", "z0011010110mmmmm011000nnnnnddddd", cssc::smax).of(Cssc),
    Row::new("UMAX_r", "umax {Rd}, {Rn}, {Rm}", "z0011010110mmmmm011001nnnnnddddd", cssc::umax).of(Cssc),
    Row::new("SMIN_r", "smin {Rd}, {Rn}, {Rm}", "z0011010110mmmmm011010nnnnnddddd", cssc::smin).of(Cssc),
    Row::new("UMIN_r", "umin {Rd}, {Rn}, {Rm}", "z0011010110mmmmm011011nnnnnddddd", cssc::umin).of(Cssc),
];
