//! placeholder
/// Feature
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feature {
    /// Base
    Base,
    /// crc
    Crc32,
    /// flagm
    FlagM,
}
