//! The features of the software CPU: one row each. HWCAP, HWCAP2 and the ID registers that EL0 can see come from here.
//!
//! An instruction names its feature in its row of the table. A feature stands here when its instructions do, so that
//! nothing is advertised that is not there. Sources: Arm ARM D24.2 (ID registers), Linux
//! `arch/arm64/include/uapi/asm/hwcap.h` and `Documentation/arch/arm64/elf_hwcaps.rst`.

/// An extension of the architecture, by its Arm name without `FEAT_`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Feature {
    /// The base architecture, Armv8.0 without optional parts.
    Base,
    /// The kernel emulates reads of ID registers (Linux, not the architecture).
    Cpuid,
    /// AES rounds.
    Aes,
    /// Polynomial products of 64 bits.
    Pmull,
    /// SHA1 rounds.
    Sha1,
    /// SHA256 rounds.
    Sha256,
    /// SHA512 rounds.
    Sha512,
    /// Exclusive-ors for SHA3.
    Sha3,
    /// SM3 rounds.
    Sm3,
    /// SM4 rounds.
    Sm4,
    /// Rounding doubling multiply and add.
    Rdm,
    /// Dot products of bytes.
    DotProd,
    /// Matrix products of bytes.
    I8mm,
    /// CRC32 instructions.
    Crc32,
    /// Large System Extensions: atomics.
    Lse,
    /// Floating point.
    Fp,
    /// Advanced SIMD.
    AdvSimd,
    /// Half precision arithmetic.
    Fp16,
    /// Conversion to an integer as JavaScript has it.
    JsCvt,
    /// Rounding to integers of 32 and 64 bits in floating-point format.
    FrintTs,
    /// BFloat16.
    Bf16,
    /// Products of half precision into single precision.
    Fhm,
    /// Complex numbers.
    Fcma,
    /// Limited ordering regions.
    Lor,
    /// Load-acquire RCpc instructions.
    Lrcpc,
    /// Load-acquire RCpc, unscaled.
    Lrcpc2,
    /// Flag manipulation.
    FlagM,
    /// Flag manipulation, AXFLAG and XAFLAG.
    FlagM2,
    /// Data independent timing.
    Dit,
    /// DC CVAP.
    Dpb,
    /// DC CVADP.
    Dpb2,
    /// Speculation barrier.
    Sb,
    /// Enhanced counter virtualisation: self-synchronised counter reads.
    Ecv,
}

/// An ID register of EL1 that the kernel shows to EL0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum IdRegister {
    /// ID_AA64PFR0_EL1.
    Aa64Pfr0,
    /// ID_AA64PFR1_EL1.
    Aa64Pfr1,
    /// ID_AA64ISAR0_EL1.
    Aa64Isar0,
    /// ID_AA64ISAR1_EL1.
    Aa64Isar1,
    /// ID_AA64ISAR2_EL1.
    Aa64Isar2,
    /// ID_AA64MMFR0_EL1.
    Aa64Mmfr0,
    /// ID_AA64MMFR2_EL1.
    Aa64Mmfr2,
}

/// A bit of the auxiliary vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hwcap {
    /// The feature has none.
    None,
    /// A bit of AT_HWCAP.
    One(u8),
    /// A bit of AT_HWCAP2.
    Two(u8),
}

/// A value of a four-bit field of an ID register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IdField {
    /// The register.
    pub register: IdRegister,
    /// Lowest bit of the field.
    pub shift: u8,
    /// What the field holds with this feature; of several features the largest counts.
    pub value: u8,
}

/// One feature.
#[derive(Clone, Copy, Debug)]
pub struct FeatureRow {
    /// The feature.
    pub feature: Feature,
    /// Its name in `/proc/cpuinfo`, empty where Linux shows none.
    pub name: &'static str,
    /// Its bit in the auxiliary vector.
    pub hwcap: Hwcap,
    /// Its ID register field.
    pub id: Option<IdField>,
}

const fn row(feature: Feature, name: &'static str, hwcap: Hwcap) -> FeatureRow {
    FeatureRow { feature, name, hwcap, id: None }
}

impl FeatureRow {
    const fn id(mut self, register: IdRegister, shift: u8, value: u8) -> Self {
        self.id = Some(IdField { register, shift, value });
        self
    }
}

/// All features that are there.
#[rustfmt::skip]
pub static FEATURES: &[FeatureRow] = &[
    row(Feature::Base,   "",        Hwcap::None),
    row(Feature::Cpuid,  "cpuid",   Hwcap::One(11)),
    row(Feature::Aes,    "aes",     Hwcap::One(3)).id(IdRegister::Aa64Isar0, 4, 1),
    row(Feature::Pmull,  "pmull",   Hwcap::One(4)).id(IdRegister::Aa64Isar0, 4, 2),
    row(Feature::Sha1,   "sha1",    Hwcap::One(5)).id(IdRegister::Aa64Isar0, 8, 1),
    row(Feature::Sha256, "sha2",    Hwcap::One(6)).id(IdRegister::Aa64Isar0, 12, 1),
    row(Feature::Rdm,    "asimdrdm", Hwcap::One(12)).id(IdRegister::Aa64Isar0, 28, 1),
    row(Feature::Sha3,   "sha3",    Hwcap::One(17)).id(IdRegister::Aa64Isar0, 32, 1),
    row(Feature::Sm3,    "sm3",     Hwcap::One(18)).id(IdRegister::Aa64Isar0, 36, 1),
    row(Feature::Sm4,    "sm4",     Hwcap::One(19)).id(IdRegister::Aa64Isar0, 40, 1),
    row(Feature::DotProd, "asimddp", Hwcap::One(20)).id(IdRegister::Aa64Isar0, 44, 1),
    row(Feature::Sha512, "sha512",  Hwcap::One(21)).id(IdRegister::Aa64Isar0, 12, 2),
    row(Feature::I8mm,   "i8mm",    Hwcap::Two(13)).id(IdRegister::Aa64Isar1, 52, 1),
    row(Feature::Crc32,  "crc32",   Hwcap::One(7)).id(IdRegister::Aa64Isar0, 16, 1),
    row(Feature::Lse,    "atomics", Hwcap::One(8)).id(IdRegister::Aa64Isar0, 20, 2),
    row(Feature::Fp,     "fp",      Hwcap::One(0)).id(IdRegister::Aa64Pfr0, 16, 0),
    row(Feature::Fp16,   "fphp",    Hwcap::One(9)).id(IdRegister::Aa64Pfr0, 16, 1),
    row(Feature::AdvSimd, "asimd",  Hwcap::One(1)).id(IdRegister::Aa64Pfr0, 20, 0),
    row(Feature::Fp16,   "asimdhp", Hwcap::One(10)).id(IdRegister::Aa64Pfr0, 20, 1),
    row(Feature::Fhm,    "asimdfhm", Hwcap::One(23)).id(IdRegister::Aa64Isar0, 48, 1),
    row(Feature::Fcma,   "fcma",    Hwcap::One(14)).id(IdRegister::Aa64Isar1, 16, 1),
    row(Feature::JsCvt,  "jscvt",   Hwcap::One(13)).id(IdRegister::Aa64Isar1, 12, 1),
    row(Feature::FrintTs, "frint",  Hwcap::Two(8)).id(IdRegister::Aa64Isar1, 32, 1),
    row(Feature::Bf16,   "bf16",    Hwcap::Two(14)).id(IdRegister::Aa64Isar1, 44, 1),
    row(Feature::Lor,    "",        Hwcap::None),
    row(Feature::Lrcpc,  "lrcpc",   Hwcap::One(15)).id(IdRegister::Aa64Isar1, 20, 1),
    row(Feature::Lrcpc2, "ilrcpc",  Hwcap::One(26)).id(IdRegister::Aa64Isar1, 20, 2),
    row(Feature::FlagM,  "flagm",   Hwcap::One(27)).id(IdRegister::Aa64Isar0, 52, 1),
    row(Feature::FlagM2, "flagm2",  Hwcap::Two(7)).id(IdRegister::Aa64Isar0, 52, 2),
    row(Feature::Dit,    "dit",     Hwcap::One(24)).id(IdRegister::Aa64Pfr0, 48, 1),
    row(Feature::Dpb,    "dcpop",   Hwcap::One(16)).id(IdRegister::Aa64Isar1, 0, 1),
    row(Feature::Dpb2,   "dcpodp",  Hwcap::Two(0)).id(IdRegister::Aa64Isar1, 0, 2),
    row(Feature::Sb,     "sb",      Hwcap::One(29)).id(IdRegister::Aa64Isar1, 36, 1),
    row(Feature::Ecv,    "ecv",     Hwcap::Two(19)).id(IdRegister::Aa64Mmfr0, 60, 1),
];

/// CTR_EL0: 64-byte lines; data cache cleaning is not needed for instruction coherence (IDC), IC IVAU is (DIC clear).
pub const CTR_EL0: u64 = 1 << 31 | 1 << 28 | 4 << 24 | 4 << 20 | 4 << 16 | 3 << 14 | 4;
/// DCZID_EL0: DC ZVA is allowed and clears `4 << 4` bytes.
pub const DCZID_EL0: u64 = 4;
/// Bytes that DC ZVA clears.
pub const ZVA_BYTES: u64 = 4 << DCZID_EL0;
/// Bytes of a cache line.
pub const CACHE_LINE_BYTES: u64 = 64;
/// CNTFRQ_EL0: the counter counts nanoseconds, as from Armv8.6 on.
pub const CNTFRQ_EL0: u64 = 1_000_000_000;
/// MIDR_EL1: implementer 0 (reserved for software use), architecture by ID registers.
pub const MIDR_EL1: u64 = 0x000f_0000;
/// MPIDR_EL1 as Linux shows it to EL0.
pub const MPIDR_EL1: u64 = 1 << 31;

/// AT_HWCAP.
#[must_use]
pub fn hwcap() -> u64 {
    FEATURES.iter().fold(0, |bits, row| match row.hwcap {
        Hwcap::One(bit) => bits | 1 << bit,
        Hwcap::Two(_) | Hwcap::None => bits,
    })
}

/// AT_HWCAP2.
#[must_use]
pub fn hwcap2() -> u64 {
    FEATURES.iter().fold(0, |bits, row| match row.hwcap {
        Hwcap::Two(bit) => bits | 1 << bit,
        Hwcap::One(_) | Hwcap::None => bits,
    })
}

/// The names that `/proc/cpuinfo` lists, in the order of HWCAP and HWCAP2 bits.
#[must_use]
pub fn cpuinfo_names() -> Vec<&'static str> {
    let mut named: Vec<(u8, &str)> = FEATURES
        .iter()
        .filter_map(|row| match row.hwcap {
            Hwcap::One(bit) => Some((bit, row.name)),
            Hwcap::Two(bit) => Some((bit + 64, row.name)),
            Hwcap::None => None,
        })
        .collect();
    named.sort_unstable();
    named.into_iter().map(|(_, name)| name).collect()
}

/// What the base architecture puts into an ID register: EL0 and EL1 are AArch64 only; without floating point its
/// fields say so.
fn base_id_register(register: IdRegister) -> u64 {
    match register {
        IdRegister::Aa64Pfr0 => 0x00ff_0011,
        IdRegister::Aa64Pfr1
        | IdRegister::Aa64Isar0
        | IdRegister::Aa64Isar1
        | IdRegister::Aa64Isar2
        | IdRegister::Aa64Mmfr0
        | IdRegister::Aa64Mmfr2 => 0,
    }
}

/// An ID register as EL0 sees it.
#[must_use]
pub fn id_register(register: IdRegister) -> u64 {
    let fields = FEATURES.iter().filter_map(|row| row.id).filter(|id| id.register == register);
    fields.fold(base_id_register(register), |value, id| {
        let old = value >> id.shift & 0xf;
        // 0xf means "not there" in the fields that are signed (FP, AdvSIMD).
        let new = if old == 0xf { u64::from(id.value) } else { old.max(u64::from(id.value)) };
        value & !(0xf << id.shift) | new << id.shift
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::soft::a64::{sysreg, table};

    #[test]
    fn what_is_advertised_is_there() {
        let mut there: HashSet<Feature> = table::rows().map(|row| row.feature).collect();
        there.extend(sysreg::REGISTERS.iter().map(|row| row.feature));
        there.extend(sysreg::OPERATIONS.iter().map(|row| row.feature));
        let listed: HashSet<Feature> = FEATURES.iter().map(|row| row.feature).collect();
        assert_eq!(there, listed);
    }

    #[test]
    fn registers_hold_the_largest_value() {
        // Atomic 2, CRC32 1, TS 2.
        assert_eq!(id_register(IdRegister::Aa64Isar0) & 0x00f0_0000_00ff_0000, 0x0020_0000_0021_0000);
        assert_eq!(id_register(IdRegister::Aa64Isar1) & 0xf0_000f, 0x20_0002);
        assert_eq!(id_register(IdRegister::Aa64Isar2), 0);
    }

    #[test]
    fn hwcap_bits_are_those_of_linux() {
        assert_eq!(hwcap() & (1 << 7 | 1 << 8 | 1 << 11), 1 << 7 | 1 << 8 | 1 << 11);
        assert_eq!(hwcap2() & (1 << 7 | 1), 1 << 7 | 1);
        assert_eq!(cpuinfo_names().first(), Some(&"fp"));
    }
}
