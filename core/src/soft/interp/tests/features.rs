//! Every feature, on and off: what is off is undefined and nothing tells of it; what is on is told and executes.

use super::{CODE, DATA, Guest, SVC, encode};
use crate::soft::a64::features::{FEATURES, Feature, FeatureRow, cpuinfo_names, hwcaps, id_register};
use crate::soft::a64::sysreg::{OPERATIONS, REGISTERS};
use crate::soft::a64::table::{self, Row};
use crate::soft::a64::{CpuModel, FeatureSet, Inst};
use crate::vcpu::ExceptionKind;

/// The features that can be switched, with their CPUs that have everything else.
fn switched() -> impl Iterator<Item = (&'static FeatureRow, CpuModel)> {
    let rows = FEATURES.iter().filter(|row| ![Feature::Base, Feature::Cpuid].contains(&row.feature));
    rows.map(|row| {
        let name = format!("{:?}", row.feature).to_lowercase();
        (row, format!("max,{name}=off").parse().unwrap())
    })
}

/// A word that is an instruction of the row.
fn sample(row: &'static Row) -> u32 {
    let words =
        (0..100_000u32).map(|index| index.wrapping_mul(0x9e37_79b1) & !row.pattern.mask() | row.pattern.value());
    let is_of_row = |word: &u32| Inst::decode(*word).is_some_and(|inst| std::ptr::eq(inst.row(), row));
    words.into_iter().find(is_of_row).unwrap_or_else(|| panic!("no word of {}", row.symbol))
}

/// A word for each instruction, system register and system operation of a feature.
fn words_of(feature: Feature) -> Vec<u32> {
    let registers = REGISTERS.iter().filter(|row| row.feature == feature);
    let operations = OPERATIONS.iter().filter(|row| row.feature == feature);
    let rows = table::rows().filter(|row| row.feature == feature).map(sample);
    rows.chain(registers.map(|row| encode("MRS", &[('r', row.encoding), ('t', 2)])))
        .chain(operations.map(|row| encode("SYS", &[('i', row.encoding), ('t', 2)])))
        .collect()
}

/// What comes of one word, with all general registers the address of data.
fn outcome(word: u32, cpu: CpuModel) -> ExceptionKind {
    let mut guest = Guest::with_cpu(&[word], cpu);
    guest.state.x = [DATA; 31];
    guest.put_code(DATA, &[SVC]);
    guest.run_to_exception()
}

/// True for a word of the hint space, which does nothing where nothing has it.
fn is_hint(word: u32) -> bool {
    word & 0xffff_f01f == 0xd503_201f
}

#[test]
fn what_is_off_is_undefined_and_what_is_on_is_not() {
    for (row, without) in switched() {
        let words = words_of(row.feature);
        assert_eq!(words.is_empty(), row.is_behaviour, "{:?}", row.feature);
        for word in words {
            let undefined = ExceptionKind::Undefined { instruction: word };
            let expected = if is_hint(word) { ExceptionKind::Syscall { imm: 0 } } else { undefined };
            assert_eq!(outcome(word, without), expected, "{word:08x} without {:?}", row.feature);
            // The later parts of a copy are refused without the first one: `mops` has them together.
            let is_part = row.feature == Feature::Mops;
            assert!(is_part || outcome(word, CpuModel::default()) != undefined, "{word:08x} with {:?}", row.feature);
        }
    }
}

#[test]
fn what_is_off_is_not_told_and_what_is_on_is() {
    for (row, without) in switched().filter(|(row, _)| row.feature != Feature::PacImp) {
        let told = |features: FeatureSet| {
            let bits = hwcaps(features);
            let bits =
                bits.iter().enumerate().flat_map(|(word, bits)| (0..64).map(move |bit| (word, bit, bits >> bit & 1)));
            bits.filter(|(_, _, bit)| *bit == 1).map(|(word, bit, _)| (word, bit)).collect::<Vec<_>>()
        };
        let with = FeatureSet::base().with(row.feature);
        assert!(with.contains(row.feature) && !without.features.contains(row.feature));
        for (name, _) in row.names() {
            assert!(cpuinfo_names(with).contains(&name) && !cpuinfo_names(without.features).contains(&name), "{name}");
        }
        let lost = told(FeatureSet::all()).into_iter().filter(|place| !told(without.features).contains(place)).count();
        assert!(lost >= row.names().count(), "{:?} is told by AT_HWCAP", row.feature);
        for id in row.ids.iter().flatten() {
            let field = |features| (id_register(id.register, features) >> id.shift & 0xf) as u8;
            assert!(field(with) >= id.value && field(with) != 0xf, "{id:?}");
            assert!(field(without.features) < id.value || field(without.features) == 0xf, "{id:?}");
        }
    }
}

/// The names of the kernel in the order of their bits (Linux `arch/arm64/kernel/cpuinfo.c`): AT_HWCAP, then AT_HWCAP2.
const LINUX_NAMES: [&str; 2] = [
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 \
     asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs sb paca pacg",
    "dcpodp sve2 sveaes svepmull svebitperm svesha3 svesm4 flagm2 frint svei8mm svef32mm svef64mm svebf16 i8mm bf16 dgh rng \
     bti mte ecv afp rpres mte3 sme smei16i64 smef64f64 smei8i32 smef16f32 smeb16f32 smef32f32 smefa64 wfxt ebf16 sveebf16 \
     cssc rprfm sve2p1 sme2 sme2p1 smei16i32 smebi32i32 smeb16b16 smef16f16 mops",
];

#[test]
fn bits_and_names_are_those_of_linux() {
    for (row, _) in switched() {
        for (name, _) in row.names() {
            let place =
                |(word, names): (usize, &str)| names.split(' ').position(|other| other == name).map(|bit| (word, bit));
            let (word, bit) = LINUX_NAMES.into_iter().enumerate().find_map(place).unwrap();
            let told = |features: FeatureSet| hwcaps(features)[word] >> bit & 1;
            let with = FeatureSet::base().with(row.feature);
            assert_eq!((told(with), told(FeatureSet::all().without(row.feature))), (1, 0), "{name}");
        }
    }
}

#[test]
fn addresses_of_code_are_relative_to_the_instruction() {
    let words =
        [encode("ADR", &[('d', 2), ('i', 0x7_ffff), ('l', 3)]), encode("ADRP", &[('d', 3), ('i', 2), ('l', 1)])];
    let mut guest = Guest::new(&words);
    guest.run_to_exception();
    assert_eq!((guest.state.x[2], guest.state.x[3]), (CODE - 1, CODE + 9 * 4096));
}
