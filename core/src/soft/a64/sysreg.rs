//! System registers and system operations (DC, IC) that EL0 can use, one row each.
//!
//! Sources: Arm ARM C5.3 to C5.5, D24.2; Linux `arch/arm64/kernel/cpufeature.c` (`emulate_sys_reg`) for the ID registers.

use super::cpu_model::FeatureSet;
use super::features::{Feature, IdRegister};

/// A system register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SysReg {
    /// NZCV.
    Nzcv,
    /// FPCR.
    Fpcr,
    /// FPSR.
    Fpsr,
    /// DIT.
    Dit,
    /// SSBS.
    Ssbs,
    /// RNDR and RNDRRS.
    Rndr,
    /// TPIDR_EL0.
    TpidrEl0,
    /// TPIDRRO_EL0.
    TpidrroEl0,
    /// CTR_EL0.
    CtrEl0,
    /// DCZID_EL0.
    DczidEl0,
    /// CNTFRQ_EL0.
    CntfrqEl0,
    /// CNTVCT_EL0.
    CntvctEl0,
    /// CNTVCTSS_EL0.
    CntvctssEl0,
    /// MIDR_EL1, read through the kernel.
    MidrEl1,
    /// MPIDR_EL1, read through the kernel.
    MpidrEl1,
    /// REVIDR_EL1, read through the kernel.
    RevidrEl1,
    /// An ID register, read through the kernel.
    Id(IdRegister),
    /// A register of the ID space that reads as zero.
    IdZero,
}

/// A register with its encoding.
#[derive(Clone, Copy, Debug)]
pub struct SysRegRow {
    /// Arm name.
    pub name: &'static str,
    /// The encoding as in bits 19:5 of MRS: op0 bit 0, op1, CRn, CRm, op2.
    pub encoding: u32,
    /// The register.
    pub register: SysReg,
    /// True where EL0 can write it.
    pub is_writable: bool,
    /// The feature that brings it.
    pub feature: Feature,
}

/// A system operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SysOp {
    /// DC ZVA: clears a block.
    ZeroBlock,
    /// A data cache operation by address: checks that the address can be read.
    DataCache,
    /// IC IVAU.
    InvalidateInstructions,
}

/// An operation with its encoding.
#[derive(Clone, Copy, Debug)]
pub struct SysOpRow {
    /// Assembly form without the register.
    pub name: &'static str,
    /// The encoding as in bits 18:5 of SYS: op1, CRn, CRm, op2.
    pub encoding: u32,
    /// The operation.
    pub operation: SysOp,
    /// The feature that brings it.
    pub feature: Feature,
}

/// The 15-bit encoding of a register with op0 = 3 or 2.
const fn register(op0: u32, op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    (op0 & 1) << 14 | operation(op1, crn, crm, op2)
}

/// The 14-bit encoding of an operation.
const fn operation(op1: u32, crn: u32, crm: u32, op2: u32) -> u32 {
    op1 << 11 | crn << 7 | crm << 3 | op2
}

const fn read_only(name: &'static str, encoding: u32, register: SysReg) -> SysRegRow {
    SysRegRow { name, encoding, register, is_writable: false, feature: Feature::Base }
}

const fn id(name: &'static str, encoding: u32, register: SysReg) -> SysRegRow {
    SysRegRow { name, encoding, register, is_writable: false, feature: Feature::Cpuid }
}

const fn read_write(name: &'static str, encoding: u32, register: SysReg) -> SysRegRow {
    SysRegRow { name, encoding, register, is_writable: true, feature: Feature::Base }
}

impl SysRegRow {
    const fn of(mut self, feature: Feature) -> Self {
        self.feature = feature;
        self
    }
}

/// The registers by name.
#[rustfmt::skip]
pub static REGISTERS: &[SysRegRow] = &[
    read_write("nzcv",        register(3, 3, 4, 2, 0),  SysReg::Nzcv),
    read_write("dit",         register(3, 3, 4, 2, 5),  SysReg::Dit).of(Feature::Dit),
    read_write("ssbs",        register(3, 3, 4, 2, 6),  SysReg::Ssbs).of(Feature::Ssbs),
    read_only("rndr",         register(3, 3, 2, 4, 0),  SysReg::Rndr).of(Feature::Rng),
    read_only("rndrrs",       register(3, 3, 2, 4, 1),  SysReg::Rndr).of(Feature::Rng),
    read_write("fpcr",        register(3, 3, 4, 4, 0),  SysReg::Fpcr).of(Feature::Fp),
    read_write("fpsr",        register(3, 3, 4, 4, 1),  SysReg::Fpsr).of(Feature::Fp),
    read_write("tpidr_el0",   register(3, 3, 13, 0, 2), SysReg::TpidrEl0),
    read_only("tpidrro_el0",  register(3, 3, 13, 0, 3), SysReg::TpidrroEl0),
    read_only("ctr_el0",      register(3, 3, 0, 0, 1),  SysReg::CtrEl0),
    read_only("dczid_el0",    register(3, 3, 0, 0, 7),  SysReg::DczidEl0),
    read_only("cntfrq_el0",   register(3, 3, 14, 0, 0), SysReg::CntfrqEl0),
    read_only("cntvct_el0",   register(3, 3, 14, 0, 2), SysReg::CntvctEl0),
    read_only("cntvctss_el0", register(3, 3, 14, 0, 6), SysReg::CntvctssEl0).of(Feature::Ecv),
    id("midr_el1",            register(3, 0, 0, 0, 0),  SysReg::MidrEl1),
    id("mpidr_el1",           register(3, 0, 0, 0, 5),  SysReg::MpidrEl1),
    id("revidr_el1",          register(3, 0, 0, 0, 6),  SysReg::RevidrEl1),
    id("id_aa64pfr0_el1",     register(3, 0, 0, 4, 0),  SysReg::Id(IdRegister::Aa64Pfr0)),
    id("id_aa64pfr1_el1",     register(3, 0, 0, 4, 1),  SysReg::Id(IdRegister::Aa64Pfr1)),
    id("id_aa64zfr0_el1",     register(3, 0, 0, 4, 4),  SysReg::IdZero),
    id("id_aa64smfr0_el1",    register(3, 0, 0, 4, 5),  SysReg::IdZero),
    id("id_aa64dfr0_el1",     register(3, 0, 0, 5, 0),  SysReg::IdZero),
    id("id_aa64dfr1_el1",     register(3, 0, 0, 5, 1),  SysReg::IdZero),
    id("id_aa64isar0_el1",    register(3, 0, 0, 6, 0),  SysReg::Id(IdRegister::Aa64Isar0)),
    id("id_aa64isar1_el1",    register(3, 0, 0, 6, 1),  SysReg::Id(IdRegister::Aa64Isar1)),
    id("id_aa64isar2_el1",    register(3, 0, 0, 6, 2),  SysReg::Id(IdRegister::Aa64Isar2)),
    id("id_aa64mmfr0_el1",    register(3, 0, 0, 7, 0),  SysReg::Id(IdRegister::Aa64Mmfr0)),
    id("id_aa64mmfr1_el1",    register(3, 0, 0, 7, 1),  SysReg::Id(IdRegister::Aa64Mmfr1)),
    id("id_aa64mmfr2_el1",    register(3, 0, 0, 7, 2),  SysReg::Id(IdRegister::Aa64Mmfr2)),
];

/// The operations by name.
#[rustfmt::skip]
pub static OPERATIONS: &[SysOpRow] = &[
    SysOpRow { name: "dc\tzva",   encoding: operation(3, 7, 4, 1),  operation: SysOp::ZeroBlock, feature: Feature::Base },
    SysOpRow { name: "dc\tcvac",  encoding: operation(3, 7, 10, 1), operation: SysOp::DataCache, feature: Feature::Base },
    SysOpRow { name: "dc\tcvau",  encoding: operation(3, 7, 11, 1), operation: SysOp::DataCache, feature: Feature::Base },
    SysOpRow { name: "dc\tcvap",  encoding: operation(3, 7, 12, 1), operation: SysOp::DataCache, feature: Feature::Dpb },
    SysOpRow { name: "dc\tcvadp", encoding: operation(3, 7, 13, 1), operation: SysOp::DataCache, feature: Feature::Dpb2 },
    SysOpRow { name: "dc\tcivac", encoding: operation(3, 7, 14, 1), operation: SysOp::DataCache, feature: Feature::Base },
    SysOpRow { name: "ic\tivau",  encoding: operation(3, 7, 5, 1),  operation: SysOp::InvalidateInstructions, feature: Feature::Base },
];

/// The register of an encoding, as EL0 can read it: by name, or from the part of the ID space that reads as zero.
#[must_use]
pub fn readable(encoding: u32, features: FeatureSet) -> Option<SysReg> {
    if let Some(row) = REGISTERS.iter().find(|row| row.encoding == encoding) {
        return features.contains(row.feature).then_some(row.register);
    }
    // Linux emulates S3_0_C0_C2_0 to S3_0_C0_C7_7.
    let is_id_space =
        encoding >> 7 == register(3, 0, 0, 0, 0) >> 7 && encoding >> 3 & 0xf >= 2 && encoding >> 3 & 0xf <= 7;
    is_id_space.then_some(SysReg::IdZero)
}

/// The register of an encoding that EL0 can write.
#[must_use]
pub fn writable(encoding: u32, features: FeatureSet) -> Option<SysReg> {
    let mut rows = REGISTERS.iter().filter(|row| row.is_writable && features.contains(row.feature));
    rows.find(|row| row.encoding == encoding).map(|row| row.register)
}

/// The operation of an encoding.
#[must_use]
pub fn system_operation(encoding: u32, features: FeatureSet) -> Option<&'static SysOpRow> {
    OPERATIONS.iter().find(|row| row.encoding == encoding && features.contains(row.feature))
}
