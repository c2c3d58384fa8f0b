//! Loads and stores of pairs of general registers (Arm ARM C4.1.94), non-temporal ones included.

use super::Row;
use crate::soft::interp::ldst_pair as op;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("STNP_w", "stnp {Wt}, {Wt2}, [{Xn|SP}{simm7}]", "0010100000iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("LDNP_w", "ldnp {Wt}, {Wt2}, [{Xn|SP}{simm7}]", "0010100001iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("STNP_x", "stnp {Xt}, {Xt2}, [{Xn|SP}{simm7}]", "1010100000iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("LDNP_x", "ldnp {Xt}, {Xt2}, [{Xn|SP}{simm7}]", "1010100001iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("STP_post_w", "stp {Wt}, {Wt2}, [{Xn|SP}], #{imm7}", "0010100010iiiiiiiuuuuunnnnnttttt", op::post_index),
    Row::new("LDP_post_w", "ldp {Wt}, {Wt2}, [{Xn|SP}], #{imm7}", "0010100011iiiiiiiuuuuunnnnnttttt", op::post_index),
    Row::new("LDPSW_post", "ldpsw {Xt}, {Xt2}, [{Xn|SP}], #{imm7}", "0110100011iiiiiiiuuuuunnnnnttttt", op::post_index),
    Row::new("STP_post_x", "stp {Xt}, {Xt2}, [{Xn|SP}], #{imm7}", "1010100010iiiiiiiuuuuunnnnnttttt", op::post_index),
    Row::new("LDP_post_x", "ldp {Xt}, {Xt2}, [{Xn|SP}], #{imm7}", "1010100011iiiiiiiuuuuunnnnnttttt", op::post_index),
    Row::new("STP_off_w", "stp {Wt}, {Wt2}, [{Xn|SP}{simm7}]", "0010100100iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("LDP_off_w", "ldp {Wt}, {Wt2}, [{Xn|SP}{simm7}]", "0010100101iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("LDPSW_off", "ldpsw {Xt}, {Xt2}, [{Xn|SP}{simm7}]", "0110100101iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("STP_off_x", "stp {Xt}, {Xt2}, [{Xn|SP}{simm7}]", "1010100100iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("LDP_off_x", "ldp {Xt}, {Xt2}, [{Xn|SP}{simm7}]", "1010100101iiiiiiiuuuuunnnnnttttt", op::offset),
    Row::new("STP_pre_w", "stp {Wt}, {Wt2}, [{Xn|SP}, #{imm7}]!", "0010100110iiiiiiiuuuuunnnnnttttt", op::pre_index),
    Row::new("LDP_pre_w", "ldp {Wt}, {Wt2}, [{Xn|SP}, #{imm7}]!", "0010100111iiiiiiiuuuuunnnnnttttt", op::pre_index),
    Row::new("LDPSW_pre", "ldpsw {Xt}, {Xt2}, [{Xn|SP}, #{imm7}]!", "0110100111iiiiiiiuuuuunnnnnttttt", op::pre_index),
    Row::new("STP_pre_x", "stp {Xt}, {Xt2}, [{Xn|SP}, #{imm7}]!", "1010100110iiiiiiiuuuuunnnnnttttt", op::pre_index),
    Row::new("LDP_pre_x", "ldp {Xt}, {Xt2}, [{Xn|SP}, #{imm7}]!", "1010100111iiiiiiiuuuuunnnnnttttt", op::pre_index),
];
