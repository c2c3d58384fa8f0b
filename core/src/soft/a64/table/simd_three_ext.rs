//! Advanced SIMD, three registers, extension: rounding multiplication and addition, products of bytes (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_hs;
use crate::soft::a64::features::Feature::{DotProd, I8mm, Rdm};
use crate::soft::interp::{simd_dot as dot, simd_three_same as same};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("SQRDMLAH", "sqrdmlah {Vd.T}, {Vn.T}, {Vm.T}", "0q101110ee0mmmmm100001nnnnnddddd", same::sqrdmlah).when(is_hs).of(Rdm),
    Row::simd("SQRDMLSH", "sqrdmlsh {Vd.T}, {Vn.T}, {Vm.T}", "0q101110ee0mmmmm100011nnnnnddddd", same::sqrdmlsh).when(is_hs).of(Rdm),
    Row::simd("SQRDMLAH_scalar", "sqrdmlah {Ed}, {En}, {Em}", "01111110ee0mmmmm100001nnnnnddddd", same::sqrdmlah).when(is_hs).of(Rdm),
    Row::simd("SQRDMLSH_scalar", "sqrdmlsh {Ed}, {En}, {Em}", "01111110ee0mmmmm100011nnnnnddddd", same::sqrdmlsh).when(is_hs).of(Rdm),
    Row::simd("SDOT", "sdot {Vd.S}, {Vn.B}, {Vm.B}", "0q001110100mmmmm100101nnnnnddddd", dot::sdot).of(DotProd),
    Row::simd("UDOT", "udot {Vd.S}, {Vn.B}, {Vm.B}", "0q101110100mmmmm100101nnnnnddddd", dot::udot).of(DotProd),
    Row::simd("USDOT", "usdot {Vd.S}, {Vn.B}, {Vm.B}", "0q001110100mmmmm100111nnnnnddddd", dot::usdot).of(I8mm),
    Row::simd("SMMLA", "smmla {Vd.4s}, {Vn.16b}, {Vm.16b}", "01001110100mmmmm101001nnnnnddddd", dot::smmla).of(I8mm),
    Row::simd("UMMLA", "ummla {Vd.4s}, {Vn.16b}, {Vm.16b}", "01101110100mmmmm101001nnnnnddddd", dot::ummla).of(I8mm),
    Row::simd("USMMLA", "usmmla {Vd.4s}, {Vn.16b}, {Vm.16b}", "01001110100mmmmm101011nnnnnddddd", dot::usmmla).of(I8mm),
];
