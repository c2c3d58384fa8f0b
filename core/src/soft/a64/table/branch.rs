//! Branches (Arm ARM C4.1.93); exception generation and system instructions are in `system`.

use super::Row;
use crate::soft::interp::branch as op;

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
    Row::new("RET", "ret {ret}", "1101011001011111000000nnnnn00000", op::ret),
];
