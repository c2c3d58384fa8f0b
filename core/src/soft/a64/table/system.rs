//! Exception generation and system instructions (Arm ARM C4.1.93).

use super::Row;
use crate::soft::interp::system as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("SVC", "svc #{imm:x}", "11010100000iiiiiiiiiiiiiiii00001", op::svc),
];
