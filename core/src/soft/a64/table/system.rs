//! Exception generation and system instructions (Arm ARM C4.1.93).

use super::Row;
use crate::soft::interp::system as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("SVC", "svc #{imm:x}",   "11010100000iiiiiiiiiiiiiiii00001", op::svc),
    Row::new("BRK", "brk #{imm:x}",   "11010100001iiiiiiiiiiiiiiii00000", op::brk),
    Row::new("HINT", "hint #{imm:x}", "11010101000000110010iiiiiii11111", op::hint),
    Row::new("CLREX", "clrex",        "11010101000000110011iiii01011111", op::clrex),
    Row::new("DSB", "dsb #{imm:x}",   "11010101000000110011iiii10011111", op::barrier),
    Row::new("DMB", "dmb #{imm:x}",   "11010101000000110011iiii10111111", op::barrier),
    Row::new("ISB", "isb",            "11010101000000110011iiii11011111", op::isb),
    Row::new("MRS", "mrs {Xt}, #{imm:x}", "110101010011iiiiiiiiiiiiiiittttt", op::mrs),
    Row::new("MSR", "msr #{imm:x}, {Xt}", "110101010001iiiiiiiiiiiiiiittttt", op::msr),
];
