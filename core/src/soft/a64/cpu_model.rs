//! [`CpuModel`]: which CPU the guest has, by name and by features; [`FeatureSet`].
//!
//! A model lists its features as Linux does in `/proc/cpuinfo` on that CPU. What of them is not there yet is left out, so
//! that nothing is advertised that is not there. Sources: the technical reference manuals of the cores (MIDR_EL1, feature
//! lists).

use super::features::{FEATURES, Feature, FeatureRow};

/// A set of features.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureSet(u128);

const fn bit(feature: Feature) -> u128 {
    1 << feature as u8
}

/// Features that every CPU has.
const ALWAYS: [Feature; 2] = [Feature::Base, Feature::Cpuid];

impl FeatureSet {
    /// The base architecture and what the kernel adds.
    #[must_use]
    pub fn base() -> Self {
        ALWAYS.iter().fold(Self(0), |set, &feature| Self(set.0 | bit(feature)))
    }

    /// Every feature.
    #[must_use]
    pub fn all() -> Self {
        FEATURES.iter().fold(Self(0), |set, row| Self(set.0 | bit(row.feature)))
    }

    /// True when the feature is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & bit(feature) != 0
    }

    /// With the feature and all that it needs.
    #[must_use]
    pub fn with(self, feature: Feature) -> Self {
        let needed = row_of(feature).and_then(|row| row.needs);
        let set = Self(self.0 | bit(feature));
        match needed {
            Some(needed) if !set.contains(needed) => set.with(needed),
            Some(_) | None => set,
        }
    }

    /// Without the feature and all that needs it.
    #[must_use]
    pub fn without(self, feature: Feature) -> Self {
        let set = Self(self.0 & !bit(feature));
        let dependents = FEATURES.iter().filter(|row| row.needs == Some(feature) && set.contains(row.feature));
        dependents.fold(set, |set, row| set.without(row.feature))
    }
}

fn row_of(feature: Feature) -> Option<&'static FeatureRow> {
    FEATURES.iter().find(|row| row.feature == feature)
}

/// A CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuModel {
    /// MIDR_EL1.
    pub midr: u64,
    /// What it can do.
    pub features: FeatureSet,
}

/// A CPU that can be named.
struct ModelRow {
    name: &'static str,
    midr: u64,
    /// Names of features, or nothing for all of them.
    features: Option<&'static str>,
}

const fn model(name: &'static str, midr: u64, features: Option<&'static str>) -> ModelRow {
    ModelRow { name, midr, features }
}

/// The CPUs that can be named.
static MODELS: &[ModelRow] = &[
    model("a53", 0x410f_d034, Some("fp asimd evtstrm aes pmull sha1 sha2 crc32")),
    model("a72", 0x410f_d083, Some("fp asimd evtstrm aes pmull sha1 sha2 crc32")),
    model(
        "n1",
        0x413f_d0c1,
        Some("fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics lor fphp asimdrdm lrcpc dcpop asimddp ssbs"),
    ),
    model(
        "v1",
        0x411f_d401,
        Some(
            "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics lor fphp asimdrdm jscvt fcma lrcpc dcpop sha3 sm3 sm4 \
             asimddp sha512 asimdfhm dit uscat ilrcpc flagm ssbs paca pacg dcpodp i8mm bf16 rng",
        ),
    ),
    // Implementer 0 is reserved for software use.
    model("max", 0x000f_0000, None),
];

/// Why a text names no CPU.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
pub enum CpuModelError {
    /// There is no such CPU.
    #[error("no CPU is called {0:?}; there are {names}", names = model_names())]
    Name(String),
    /// There is no such feature.
    #[error("no feature is called {0:?}; there are {names}", names = feature_names())]
    Feature(String),
    /// Not `FEATURE=on` or `FEATURE=off`.
    #[error("{0:?} switches no feature; write for example lse=off")]
    Switch(String),
}

fn model_names() -> String {
    let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
    names.join(", ")
}

/// The features that can be switched.
fn switchable() -> impl Iterator<Item = &'static FeatureRow> {
    FEATURES.iter().filter(|row| !ALWAYS.contains(&row.feature))
}

fn feature_names() -> String {
    let names: Vec<_> = switchable().map(|row| arm_name(row.feature)).collect();
    names.join(", ")
}

/// The Arm name without `FEAT_`, in lower case.
fn arm_name(feature: Feature) -> String {
    format!("{feature:?}").to_lowercase()
}

/// A feature by its Arm name or by Linux's name.
fn feature_named(name: &str) -> Option<Feature> {
    let is_named = |row: &&FeatureRow| arm_name(row.feature) == name || row.names().any(|(other, _)| other == name);
    switchable().find(is_named).map(|row| row.feature)
}

impl Default for CpuModel {
    /// Everything that is there.
    fn default() -> Self {
        let max = MODELS.iter().find(|model| model.features.is_none());
        Self { midr: max.map_or(0, |model| model.midr), features: FeatureSet::all().without(Feature::PacQarma5) }
    }
}

impl CpuModel {
    fn of_row(row: &ModelRow) -> Self {
        let features = match row.features {
            None => return Self::default(),
            Some(names) => names.split(' ').filter_map(feature_named),
        };
        let features = features.fold(FeatureSet::base(), FeatureSet::with);
        Self { midr: row.midr, features }.settled()
    }

    /// Pointer authentication has one algorithm: the architected one where it is asked for.
    fn settled(mut self) -> Self {
        self.features = if self.features.contains(Feature::PacQarma5) {
            self.features.without(Feature::PacImp)
        } else if self.features.contains(Feature::PAuth) {
            self.features.with(Feature::PacImp)
        } else {
            self.features
        };
        self
    }
}

impl std::str::FromStr for CpuModel {
    type Err = CpuModelError;

    /// `NAME[,FEATURE=on|off]...`, the switches from left to right.
    fn from_str(text: &str) -> Result<Self, CpuModelError> {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        let row = MODELS.iter().find(|model| model.name == name);
        let mut cpu = Self::of_row(row.ok_or_else(|| CpuModelError::Name(name.to_owned()))?);
        for part in parts {
            let is_not_a_switch = || CpuModelError::Switch(part.to_owned());
            let (name, state) = part.split_once('=').ok_or_else(is_not_a_switch)?;
            let feature = feature_named(name).ok_or_else(|| CpuModelError::Feature(name.to_owned()))?;
            cpu.features = match state {
                "on" => cpu.features.with(feature),
                "off" => cpu.features.without(feature),
                _ => return Err(is_not_a_switch()),
            };
        }
        Ok(cpu.settled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soft::a64::features::cpuinfo_names;

    fn cpu(text: &str) -> Result<FeatureSet, CpuModelError> {
        text.parse().map(|cpu: CpuModel| cpu.features)
    }

    #[test]
    fn features_bring_what_they_need_and_take_what_needs_them() {
        let max = cpu("max").unwrap();
        assert!(max.contains(Feature::Lse) && max.contains(Feature::Lrcpc2));
        let old = cpu("max,lrcpc=off").unwrap();
        assert!(!old.contains(Feature::Lrcpc) && !old.contains(Feature::Lrcpc2) && old.contains(Feature::Lse));
        let a53 = cpu("a53").unwrap();
        assert!(a53.contains(Feature::Crc32) && !a53.contains(Feature::Lse));
        let grown = cpu("a53,atomics=on,ilrcpc=on").unwrap();
        assert!(grown.contains(Feature::Lse) && grown.contains(Feature::Lrcpc) && grown.contains(Feature::Lrcpc2));
        assert_eq!(cpu("a53,lse=on,lse=off").unwrap(), a53);
    }

    /// A name that is written wrongly would drop a feature in silence.
    #[test]
    fn models_name_features_that_are_there() {
        // FEAT_LSE2 is not there, see docs/design.md, section 5.
        const NOT_THERE: [&str; 1] = ["uscat"];
        let names = MODELS.iter().filter_map(|model| model.features).flat_map(|names| names.split(' '));
        for name in names {
            assert_eq!(feature_named(name).is_none(), NOT_THERE.contains(&name), "{name}");
        }
    }

    #[test]
    fn pointer_authentication_has_one_algorithm() {
        let algorithms = |text| {
            let cpu: CpuModel = str::parse(text).unwrap();
            (cpu.features.contains(Feature::PacImp), cpu.features.contains(Feature::PacQarma5))
        };
        assert_eq!(algorithms("max"), (true, false));
        assert_eq!(algorithms("max,pacqarma5=on"), (false, true));
        assert_eq!(algorithms("max,pacqarma5=on,pacqarma5=off"), (true, false));
        assert_eq!(algorithms("max,pauth=off"), (false, false));
        assert_eq!(algorithms("v1"), (true, false));
        assert_eq!(algorithms("n1,pacqarma5=on"), (false, true));
    }

    /// Nothing but what a model lists.
    #[test]
    fn models_have_what_linux_lists_on_them() {
        for model in MODELS {
            let listed = model.features.map(|names| names.split(' ').filter(|name| !["uscat", "lor"].contains(name)));
            let Some(listed) = listed else { continue };
            let mut listed: Vec<&str> = listed.chain(["cpuid"]).collect();
            // The two names of one feature.
            listed.extend(listed.contains(&"fphp").then_some("asimdhp"));
            let mut told = cpuinfo_names(CpuModel::of_row(model).features);
            listed.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, listed, "{}", model.name);
        }
    }

    #[test]
    fn mistakes_name_what_there_is() {
        let text = |text: &str| cpu(text).unwrap_err().to_string();
        assert_eq!(text("m1"), "no CPU is called \"m1\"; there are a53, a72, n1, v1, max");
        assert!(text("max,sve=on").starts_with("no feature is called \"sve\"; there are"), "{}", text("max,sve=on"));
        assert!(text("max,sve=on").contains("crc32, lse, lor"));
        for bad in ["max,lse", "max,lse=1", "max,"] {
            assert!(text(bad).contains("write for example lse=off"), "{bad}");
        }
        assert!(text("max,base=off").contains("no feature is called \"base\""));
    }
}
