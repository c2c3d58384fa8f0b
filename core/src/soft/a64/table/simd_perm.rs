//! Advanced SIMD, moving whole elements: extract, table lookup, permute (Arm ARM C4.1.97).

use super::Row;
use super::simd_shapes::is_not_1d;
use crate::soft::a64::decode::Inst;
use crate::soft::interp::simd_perm as op;

/// Positions within the vector.
fn is_extract(inst: Inst) -> bool {
    inst.field('i') < 8 || inst.field('q') == 1
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::simd("EXT", "ext {Vd.b}, {Vn.b}, {Vm.b}, #{i}", "0q101110000mmmmm0iiii0nnnnnddddd", op::ext).when(is_extract),
    Row::simd("TBL", "tbl {Vd.b}, {tbl}, {Vm.b}", "0q001110000mmmmm0ll000nnnnnddddd", op::tbl),
    Row::simd("TBX", "tbx {Vd.b}, {tbl}, {Vm.b}", "0q001110000mmmmm0ll100nnnnnddddd", op::tbx),
    Row::simd("UZP1", "uzp1 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm000110nnnnnddddd", op::uzp1).when(is_not_1d),
    Row::simd("TRN1", "trn1 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm001010nnnnnddddd", op::trn1).when(is_not_1d),
    Row::simd("ZIP1", "zip1 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm001110nnnnnddddd", op::zip1).when(is_not_1d),
    Row::simd("UZP2", "uzp2 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm010110nnnnnddddd", op::uzp2).when(is_not_1d),
    Row::simd("TRN2", "trn2 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm011010nnnnnddddd", op::trn2).when(is_not_1d),
    Row::simd("ZIP2", "zip2 {Vd.T}, {Vn.T}, {Vm.T}", "0q001110ee0mmmmm011110nnnnnddddd", op::zip2).when(is_not_1d),
];
