//! The features of the software CPU: one row each. AT_HWCAP and its followers, the ID registers that EL0 can see and
//! `/proc/cpuinfo` come from here; `cpu_model` says which of the features a CPU has.
//!
//! An instruction names its feature in its row of the table. A feature stands here when its instructions do, so that
//! nothing is advertised that is not there. Sources: Arm ARM D24.2 (ID registers), Linux
//! `arch/arm64/include/uapi/asm/hwcap.h` and `Documentation/arch/arm64/elf_hwcaps.rst`.

use super::cpu_model::FeatureSet;

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
    /// WFE wakes up by itself from time to time (Linux, not the architecture).
    EvtStrm,
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
    /// Pointer authentication, of addresses and generic.
    PAuth,
    /// An implementation-defined algorithm for it.
    PacImp,
    /// The architected algorithm QARMA5 for it.
    PacQarma5,
    /// Branch target identification.
    Bti,
    /// Speculative store bypassing, with its register.
    Ssbs,
    /// Common short sequences: minimum, maximum, absolute value, bit counts of general registers.
    Cssc,
    /// Memory copy and memory set.
    Mops,
    /// WFE and WFI with a time limit.
    WfxT,
    /// Random numbers.
    Rng,
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
    /// ID_AA64MMFR1_EL1.
    Aa64Mmfr1,
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
    /// A bit of AT_HWCAP3.
    Three(u8),
}

impl Hwcap {
    /// The bit's word and number.
    const fn place(self) -> Option<(usize, u8)> {
        match self {
            Self::None => None,
            Self::One(bit) => Some((0, bit)),
            Self::Two(bit) => Some((1, bit)),
            Self::Three(bit) => Some((2, bit)),
        }
    }
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
    /// A second name and bit, where Linux has two for it.
    pub second: Option<(&'static str, Hwcap)>,
    /// Its ID register fields.
    pub ids: [Option<IdField>; 2],
    /// A feature without which this one is not there.
    pub needs: Option<Feature>,
    /// True where no instruction or register belongs to the feature: it is a way to behave.
    pub is_behaviour: bool,
}

const fn row(feature: Feature, name: &'static str, hwcap: Hwcap) -> FeatureRow {
    FeatureRow { feature, name, hwcap, second: None, ids: [None; 2], needs: None, is_behaviour: false }
}

impl FeatureRow {
    /// The names and bits that Linux has for it.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, Hwcap)> + use<> {
        [(self.name, self.hwcap)].into_iter().chain(self.second).filter(|(_, hwcap)| *hwcap != Hwcap::None)
    }

    /// Linux has another name and bit for it.
    const fn also(mut self, name: &'static str, hwcap: Hwcap) -> Self {
        self.second = Some((name, hwcap));
        self
    }

    /// Is there only where `feature` is.
    const fn needs(mut self, feature: Feature) -> Self {
        self.needs = Some(feature);
        self
    }

    /// Has no instruction or register of its own.
    const fn behaviour(mut self) -> Self {
        self.is_behaviour = true;
        self
    }

    const fn id(mut self, register: IdRegister, shift: u8, value: u8) -> Self {
        let place = if self.ids[0].is_none() { 0 } else { 1 };
        self.ids[place] = Some(IdField { register, shift, value });
        self
    }
}

/// All features that are there.
#[rustfmt::skip]
pub static FEATURES: &[FeatureRow] = &[
    row(Feature::Base,   "",        Hwcap::None),
    row(Feature::Cpuid,  "cpuid",   Hwcap::One(11)),
    row(Feature::Aes,    "aes",     Hwcap::One(3)).id(IdRegister::Aa64Isar0, 4, 1).needs(Feature::AdvSimd),
    row(Feature::Pmull,  "pmull",   Hwcap::One(4)).id(IdRegister::Aa64Isar0, 4, 2).needs(Feature::Aes),
    row(Feature::Sha1,   "sha1",    Hwcap::One(5)).id(IdRegister::Aa64Isar0, 8, 1).needs(Feature::AdvSimd),
    row(Feature::Sha256, "sha2",    Hwcap::One(6)).id(IdRegister::Aa64Isar0, 12, 1).needs(Feature::AdvSimd),
    row(Feature::Rdm,    "asimdrdm", Hwcap::One(12)).id(IdRegister::Aa64Isar0, 28, 1).needs(Feature::AdvSimd),
    row(Feature::Sha3,   "sha3",    Hwcap::One(17)).id(IdRegister::Aa64Isar0, 32, 1).needs(Feature::Sha512),
    row(Feature::Sm3,    "sm3",     Hwcap::One(18)).id(IdRegister::Aa64Isar0, 36, 1).needs(Feature::AdvSimd),
    row(Feature::Sm4,    "sm4",     Hwcap::One(19)).id(IdRegister::Aa64Isar0, 40, 1).needs(Feature::AdvSimd),
    row(Feature::DotProd, "asimddp", Hwcap::One(20)).id(IdRegister::Aa64Isar0, 44, 1).needs(Feature::AdvSimd),
    row(Feature::Sha512, "sha512",  Hwcap::One(21)).id(IdRegister::Aa64Isar0, 12, 2).needs(Feature::Sha256),
    row(Feature::I8mm,   "i8mm",    Hwcap::Two(13)).id(IdRegister::Aa64Isar1, 52, 1).needs(Feature::AdvSimd),
    row(Feature::Crc32,  "crc32",   Hwcap::One(7)).id(IdRegister::Aa64Isar0, 16, 1),
    row(Feature::Lse,    "atomics", Hwcap::One(8)).id(IdRegister::Aa64Isar0, 20, 2),
    row(Feature::Lor,    "",        Hwcap::None).id(IdRegister::Aa64Mmfr1, 16, 1),
    row(Feature::EvtStrm, "evtstrm", Hwcap::One(2)).behaviour(),
    row(Feature::Fp,     "fp",      Hwcap::One(0)).id(IdRegister::Aa64Pfr0, 16, 0),
    row(Feature::AdvSimd, "asimd",  Hwcap::One(1)).id(IdRegister::Aa64Pfr0, 20, 0).needs(Feature::Fp),
    row(Feature::Fp16,   "fphp",    Hwcap::One(9)).also("asimdhp", Hwcap::One(10)).id(IdRegister::Aa64Pfr0, 16, 1).id(IdRegister::Aa64Pfr0, 20, 1).needs(Feature::AdvSimd),
    row(Feature::Fhm,    "asimdfhm", Hwcap::One(23)).id(IdRegister::Aa64Isar0, 48, 1).needs(Feature::Fp16),
    row(Feature::Fcma,   "fcma",    Hwcap::One(14)).id(IdRegister::Aa64Isar1, 16, 1).needs(Feature::AdvSimd),
    row(Feature::JsCvt,  "jscvt",   Hwcap::One(13)).id(IdRegister::Aa64Isar1, 12, 1).needs(Feature::Fp),
    row(Feature::FrintTs, "frint",  Hwcap::Two(8)).id(IdRegister::Aa64Isar1, 32, 1).needs(Feature::Fp),
    row(Feature::Bf16,   "bf16",    Hwcap::Two(14)).id(IdRegister::Aa64Isar1, 44, 1).needs(Feature::AdvSimd),
    row(Feature::Lrcpc,  "lrcpc",   Hwcap::One(15)).id(IdRegister::Aa64Isar1, 20, 1),
    row(Feature::Lrcpc2, "ilrcpc",  Hwcap::One(26)).id(IdRegister::Aa64Isar1, 20, 2).needs(Feature::Lrcpc),
    row(Feature::FlagM,  "flagm",   Hwcap::One(27)).id(IdRegister::Aa64Isar0, 52, 1),
    row(Feature::FlagM2, "flagm2",  Hwcap::Two(7)).id(IdRegister::Aa64Isar0, 52, 2).needs(Feature::FlagM),
    row(Feature::Dit,    "dit",     Hwcap::One(24)).id(IdRegister::Aa64Pfr0, 48, 1),
    row(Feature::Dpb,    "dcpop",   Hwcap::One(16)).id(IdRegister::Aa64Isar1, 0, 1),
    row(Feature::Dpb2,   "dcpodp",  Hwcap::Two(0)).id(IdRegister::Aa64Isar1, 0, 2).needs(Feature::Dpb),
    row(Feature::PAuth,  "paca",    Hwcap::One(30)).also("pacg", Hwcap::One(31)),
    row(Feature::PacImp, "",        Hwcap::None).id(IdRegister::Aa64Isar1, 8, 1).id(IdRegister::Aa64Isar1, 28, 1).needs(Feature::PAuth).behaviour(),
    row(Feature::PacQarma5, "",     Hwcap::None).id(IdRegister::Aa64Isar1, 4, 1).id(IdRegister::Aa64Isar1, 24, 1).needs(Feature::PAuth).behaviour(),
    row(Feature::Bti,    "bti",     Hwcap::Two(17)).id(IdRegister::Aa64Pfr1, 0, 1),
    row(Feature::Ssbs,   "ssbs",    Hwcap::One(28)).id(IdRegister::Aa64Pfr1, 4, 2),
    row(Feature::Cssc,   "cssc",    Hwcap::Two(34)).id(IdRegister::Aa64Isar2, 52, 1),
    row(Feature::Mops,   "mops",    Hwcap::Two(43)).id(IdRegister::Aa64Isar2, 16, 1),
    row(Feature::WfxT,   "wfxt",    Hwcap::Two(31)).id(IdRegister::Aa64Isar2, 0, 2),
    row(Feature::Rng,    "rng",     Hwcap::Two(16)).id(IdRegister::Aa64Isar0, 60, 1),
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
/// MPIDR_EL1 as Linux shows it to EL0.
pub const MPIDR_EL1: u64 = 1 << 31;

/// AT_HWCAP, AT_HWCAP2 and AT_HWCAP3.
#[must_use]
pub fn hwcaps(features: FeatureSet) -> [u64; 3] {
    let mut words = [0; 3];
    for (word, bit) in present(features).flat_map(FeatureRow::names).filter_map(|(_, hwcap)| hwcap.place()) {
        if let Some(word) = words.get_mut(word) {
            *word |= 1 << bit;
        }
    }
    words
}

/// The names that `/proc/cpuinfo` lists, in the order of the bits.
#[must_use]
pub fn cpuinfo_names(features: FeatureSet) -> Vec<&'static str> {
    let named = present(features).flat_map(FeatureRow::names);
    let mut named: Vec<_> = named.filter_map(|(name, hwcap)| Some((hwcap.place()?, name))).collect();
    named.sort_unstable();
    named.into_iter().map(|(_, name)| name).collect()
}

fn present(features: FeatureSet) -> impl Iterator<Item = &'static FeatureRow> {
    FEATURES.iter().filter(move |row| features.contains(row.feature))
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
        | IdRegister::Aa64Mmfr1
        | IdRegister::Aa64Mmfr2 => 0,
    }
}

/// An ID register as EL0 sees it.
#[must_use]
pub fn id_register(register: IdRegister, features: FeatureSet) -> u64 {
    let fields = present(features).flat_map(|row| row.ids).flatten().filter(|id| id.register == register);
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
        let listed: HashSet<Feature> = FEATURES.iter().filter(|row| !row.is_behaviour).map(|row| row.feature).collect();
        assert_eq!(there, listed);
        assert!(FEATURES.iter().filter(|row| row.is_behaviour).all(|row| !there.contains(&row.feature)));
    }

    #[test]
    fn registers_hold_the_largest_value() {
        let all = |register| id_register(register, FeatureSet::all());
        // Atomic 2, CRC32 1, TS 2.
        assert_eq!(all(IdRegister::Aa64Isar0) & 0x00f0_0000_00ff_0000, 0x0020_0000_0021_0000);
        assert_eq!(all(IdRegister::Aa64Isar1) & 0xf0_000f, 0x20_0002);
        let less = FeatureSet::all().without(Feature::FlagM2).without(Feature::Lse);
        assert_eq!(id_register(IdRegister::Aa64Isar0, less) & 0x00f0_0000_00ff_0000, 0x0010_0000_0001_0000);
        assert_eq!(id_register(IdRegister::Aa64Isar0, FeatureSet::base()), 0);
    }

    #[test]
    fn hwcap_bits_are_those_of_linux() {
        let [one, two, three] = hwcaps(FeatureSet::all());
        assert_eq!(
            (one & (1 << 7 | 1 << 8 | 1 << 11), two & (1 << 7 | 1), three),
            (1 << 7 | 1 << 8 | 1 << 11, 1 << 7 | 1, 0)
        );
        assert_eq!(hwcaps(FeatureSet::base().with(Feature::Crc32)), [1 << 11 | 1 << 7, 0, 0]);
        let names = cpuinfo_names(FeatureSet::base().with(Feature::FlagM2).with(Feature::Lse));
        assert_eq!(names, ["atomics", "cpuid", "flagm", "flagm2"]);
    }

    /// No two features share a bit, a name, or a value of a field.
    #[test]
    fn rows_are_distinct() {
        let names: Vec<_> = FEATURES.iter().flat_map(FeatureRow::names).collect();
        let mut bits: Vec<_> = names.iter().filter_map(|(_, hwcap)| hwcap.place()).collect();
        let mut texts: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        bits.sort_unstable();
        bits.dedup();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!((bits.len(), texts.len()), (names.len(), names.len()));
    }
}
