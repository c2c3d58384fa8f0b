//! Memory copy and memory set (Arm ARM C4.1.94): a prologue, a main part and an epilogue each.

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::Mops;
use crate::soft::interp::mops as op;

/// Three registers, none of them XZR, no two the same: anything else is constrained unpredictable, and undefined here.
fn is_copy(inst: Inst) -> bool {
    let (d, s, n) = (inst.reg('d'), inst.reg('s'), inst.reg('n'));
    d != s && d != n && s != n && d != 31 && s != 31 && n != 31
}

/// The same, but what is written may be XZR.
fn is_set(inst: Inst) -> bool {
    let (d, s, n) = (inst.reg('d'), inst.reg('s'), inst.reg('n'));
    d != s && d != n && s != n && d != 31 && n != 31
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("CPYFP", "cpyfp{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011001000sssssoooo01nnnnnddddd", op::start_forward_copy).of(Mops).when(is_copy),
    Row::new("CPYFM", "cpyfm{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011001010sssssoooo01nnnnnddddd", op::copy).of(Mops).when(is_copy),
    Row::new("CPYFE", "cpyfe{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011001100sssssoooo01nnnnnddddd", op::copy).of(Mops).when(is_copy),
    Row::new("CPYP", "cpyp{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011101000sssssoooo01nnnnnddddd", op::start_copy).of(Mops).when(is_copy),
    Row::new("CPYM", "cpym{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011101010sssssoooo01nnnnnddddd", op::copy).of(Mops).when(is_copy),
    Row::new("CPYE", "cpye{copy_options} [{Xd}]!, [{Xs}]!, {Xn}!", "00011101100sssssoooo01nnnnnddddd", op::copy).of(Mops).when(is_copy),
    Row::new("SETP", "setp{set_options} [{Xd}]!, {Xn}!, {Xs}", "00011001110sssss00oo01nnnnnddddd", op::start_set).of(Mops).when(is_set),
    Row::new("SETM", "setm{set_options} [{Xd}]!, {Xn}!, {Xs}", "00011001110sssss01oo01nnnnnddddd", op::set).of(Mops).when(is_set),
    Row::new("SETE", "sete{set_options} [{Xd}]!, {Xn}!, {Xs}", "00011001110sssss10oo01nnnnnddddd", op::set).of(Mops).when(is_set),
];
