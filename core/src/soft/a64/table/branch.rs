//! Branches (Arm ARM C4.1.93); exception generation and system instructions are in `system`.

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::PAuth;
use crate::soft::interp::{branch as op, pauth};

fn is_by_link_register(inst: Inst) -> bool {
    inst.reg('n') == 30
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("B_cond", "b.{cond} {label19}", "01010100iiiiiiiiiiiiiiiiiii0cccc", op::b_cond),
    Row::new("B", "b {label26}",   "000101iiiiiiiiiiiiiiiiiiiiiiiiii", op::b),
    Row::new("BL", "bl {label26}", "100101iiiiiiiiiiiiiiiiiiiiiiiiii", op::bl),
    Row::new("CBZ", "cbz {Rt}, {label19}",   "z0110100iiiiiiiiiiiiiiiiiiittttt", op::cbz),
    Row::new("CBNZ", "cbnz {Rt}, {label19}", "z0110101iiiiiiiiiiiiiiiiiiittttt", op::cbnz),
    Row::new("TBZ", "tbz {Rt}, {bit}, {label14}",   "z0110110bbbbbiiiiiiiiiiiiiittttt", op::tbz),
    Row::new("TBNZ", "tbnz {Rt}, {bit}, {label14}", "z0110111bbbbbiiiiiiiiiiiiiittttt", op::tbnz),
    Row::new("BR", "br {Xn}",   "1101011000011111000000nnnnn00000", op::br),
    Row::new("BLR", "blr {Xn}", "1101011000111111000000nnnnn00000", op::blr),
    Row::new("RET", "ret {Xn}", "1101011001011111000000nnnnn00000", op::ret).aliases(&[(is_by_link_register, "ret")]),
    // Pointer authentication (FEAT_PAuth).
    Row::new("BRAAZ", "braaz {Xn}",   "1101011000011111000010nnnnn11111", pauth::bra_zero).of(PAuth),
    Row::new("BRABZ", "brabz {Xn}",   "1101011000011111000011nnnnn11111", pauth::bra_zero).of(PAuth),
    Row::new("BLRAAZ", "blraaz {Xn}", "1101011000111111000010nnnnn11111", pauth::blra_zero).of(PAuth),
    Row::new("BLRABZ", "blrabz {Xn}", "1101011000111111000011nnnnn11111", pauth::blra_zero).of(PAuth),
    Row::new("BRAA", "braa {Xn}, {Xm|SP}",   "1101011100011111000010nnnnnmmmmm", pauth::bra).of(PAuth),
    Row::new("BRAB", "brab {Xn}, {Xm|SP}",   "1101011100011111000011nnnnnmmmmm", pauth::bra).of(PAuth),
    Row::new("BLRAA", "blraa {Xn}, {Xm|SP}", "1101011100111111000010nnnnnmmmmm", pauth::blra).of(PAuth),
    Row::new("BLRAB", "blrab {Xn}, {Xm|SP}", "1101011100111111000011nnnnnmmmmm", pauth::blra).of(PAuth),
    Row::new("RETAA", "retaa", "11010110010111110000101111111111", pauth::reta).of(PAuth),
    Row::new("RETAB", "retab", "11010110010111110000111111111111", pauth::reta).of(PAuth),
];
