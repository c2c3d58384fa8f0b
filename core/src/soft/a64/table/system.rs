//! Exception generation, barriers, hints and system instructions (Arm ARM C4.1.93).

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::{Bti, Dit, FlagM, FlagM2, PAuth, Sb, Ssbs, WfxT};
use crate::soft::a64::{FeatureSet, sysreg};
use crate::soft::interp::{exclusive, pauth, system as op};

fn is_readable(inst: Inst) -> bool {
    sysreg::readable(inst.field('r'), FeatureSet::all()).is_some()
}

fn is_writable(inst: Inst) -> bool {
    sysreg::writable(inst.field('r'), FeatureSet::all()).is_some()
}

fn is_operation(inst: Inst) -> bool {
    sysreg::system_operation(inst.field('i'), FeatureSet::all()).is_some()
}

fn is_full_system(inst: Inst) -> bool {
    inst.field('i') == 0b1111
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    Row::new("UDF", "udf #{i}", "0000000000000000iiiiiiiiiiiiiiii", op::undefined),
    Row::new("SVC", "svc {i:x}", "11010100000iiiiiiiiiiiiiiii00001", op::svc),
    Row::new("HVC", "hvc {i:x}", "11010100000iiiiiiiiiiiiiiii00010", op::undefined),
    Row::new("SMC", "smc {i:x}", "11010100000iiiiiiiiiiiiiiii00011", op::undefined),
    Row::new("BRK", "brk {i:x}", "11010100001iiiiiiiiiiiiiiii00000", op::brk),
    Row::new("HLT", "hlt {i:x}", "11010100010iiiiiiiiiiiiiiii00000", op::undefined),

    Row::new("HINT", "{hint}", "11010101000000110010iiiiiii11111", op::hint),
    Row::new("XPACLRI", "xpaclri", "11010101000000110010000011111111", pauth::xpaclri).of(PAuth).special(),
    Row::new("PACIA1716", "pacia1716", "11010101000000110010000100011111", pauth::hint_1716).of(PAuth).special(),
    Row::new("PACIB1716", "pacib1716", "11010101000000110010000101011111", pauth::hint_1716).of(PAuth).special(),
    Row::new("AUTIA1716", "autia1716", "11010101000000110010000110011111", pauth::hint_1716).of(PAuth).special(),
    Row::new("AUTIB1716", "autib1716", "11010101000000110010000111011111", pauth::hint_1716).of(PAuth).special(),
    Row::new("PACIAZ", "paciaz", "11010101000000110010001100011111", pauth::hint_zero).of(PAuth).special(),
    Row::new("PACIBZ", "pacibz", "11010101000000110010001101011111", pauth::hint_zero).of(PAuth).special(),
    Row::new("AUTIAZ", "autiaz", "11010101000000110010001110011111", pauth::hint_zero).of(PAuth).special(),
    Row::new("AUTIBZ", "autibz", "11010101000000110010001111011111", pauth::hint_zero).of(PAuth).special(),
    Row::new("PACIASP", "paciasp", "11010101000000110010001100111111", pauth::pac_sp).of(PAuth).special(),
    Row::new("PACIBSP", "pacibsp", "11010101000000110010001101111111", pauth::pac_sp).of(PAuth).special(),
    Row::new("AUTIASP", "autiasp", "11010101000000110010001110111111", pauth::hint_sp).of(PAuth).special(),
    Row::new("AUTIBSP", "autibsp", "11010101000000110010001111111111", pauth::hint_sp).of(PAuth).special(),
    Row::new("BTI", "{hint}", "110101010000001100100100oo011111", op::bti).of(Bti).special(),
    Row::new("WFET", "wfet {Xt}", "110101010000001100010000000ttttt", op::wait_until).of(WfxT),
    Row::new("WFIT", "wfit {Xt}", "110101010000001100010000001ttttt", op::wait_until).of(WfxT),
    Row::new("CLREX", "clrex{option}", "11010101000000110011iiii01011111", exclusive::clrex),
    Row::new("DSB", "dsb {barrier}", "11010101000000110011iiii10011111", op::dsb),
    Row::new("SSBB", "ssbb",   "11010101000000110011000010011111", op::dsb).special(),
    Row::new("PSSBB", "pssbb", "11010101000000110011010010011111", op::dsb).special(),
    Row::new("DMB", "dmb {barrier}", "11010101000000110011iiii10111111", op::dmb),
    Row::new("ISB", "isb {isb}", "11010101000000110011iiii11011111", op::isb).aliases(&[(is_full_system, "isb")]),
    Row::new("SB", "sb", "11010101000000110011000011111111", op::sb).of(Sb),

    Row::new("CFINV", "cfinv", "11010101000000000100000000011111", op::cfinv).of(FlagM),
    Row::new("XAFLAG", "xaflag", "11010101000000000100000000111111", op::xaflag).of(FlagM2),
    Row::new("AXFLAG", "axflag", "11010101000000000100000001011111", op::axflag).of(FlagM2),
    Row::new("MSR_dit", "msr dit, {i:x}", "11010101000000110100iiii01011111", op::msr_dit).of(Dit),
    Row::new("MSR_ssbs", "msr ssbs, {i:x}", "11010101000000110100iiii00111111", op::msr_ssbs).of(Ssbs),
    Row::new("SYS", "{operation}, {Xt}", "1101010100001iiiiiiiiiiiiiittttt", op::sys).when(is_operation),
    Row::new("MSR", "msr {sysreg}, {Xt}", "110101010001rrrrrrrrrrrrrrrttttt", op::msr).when(is_writable),
    Row::new("MRS", "mrs {Xt}, {sysreg}", "110101010011rrrrrrrrrrrrrrrttttt", op::mrs).when(is_readable),
];
