//! [`PauthKeys`]: the keys of pointer authentication. Linux gives a program new ones at exec; threads and fork children
//! begin with those of who made them.
//!
//! Sources: Arm ARM D8.10 (pointer authentication), Linux `arch/arm64/kernel/pointer_auth.c`, `PR_PAC_RESET_KEYS` in
//! prctl(2).

use crate::host::random::random_u128;

/// Five keys, and which of the first four are enabled.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PauthKeys {
    /// The keys in the order of their numbers, the high halves in the upper 64 bits.
    pub keys: [u128; Self::COUNT],
    /// Bit N says that instructions with key N do something.
    pub enabled: u8,
}

impl PauthKeys {
    /// Number of keys: APIA, APIB, APDA, APDB, APGA.
    pub const COUNT: usize = 5;
    /// APIAKey.
    pub const IA: usize = 0;
    /// APIBKey.
    pub const IB: usize = 1;
    /// APDAKey.
    pub const DA: usize = 2;
    /// APDBKey.
    pub const DB: usize = 3;
    /// APGAKey.
    pub const GA: usize = 4;
    /// All keys, as `PR_PAC_*` has them.
    pub const ALL: u8 = 0x1f;
    /// The keys that can be disabled.
    pub const ADDRESS_KEYS: u8 = 0x0f;

    /// New keys, all enabled.
    #[must_use]
    pub fn random() -> Self {
        let mut keys = Self { enabled: Self::ALL, ..Self::default() };
        keys.reset(Self::ALL);
        keys
    }

    /// Gives the keys of `mask` new values.
    pub fn reset(&mut self, mask: u8) {
        for (number, key) in self.keys.iter_mut().enumerate() {
            if mask >> number & 1 == 1 {
                *key = random_u128();
            }
        }
    }
}

/// Keys are secrets: they are not shown.
impl std::fmt::Debug for PauthKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PauthKeys(enabled {:#x})", self.enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_keys_change() {
        let old = PauthKeys::random();
        let mut new = old;
        new.reset(1 << PauthKeys::IB | 1 << PauthKeys::GA);
        let changed: Vec<_> = old.keys.iter().zip(&new.keys).map(|(old, new)| old != new).collect();
        assert_eq!(changed, [false, true, false, false, true]);
    }
}
