//! [`Signal`] numbers 1 to 64 and sets of them, [`SigSet`]. Source: `include/uapi/asm-generic/signal.h`, signal(7).

use std::fmt;

/// A signal number, 1 to 64. The guest's numbers; on a Linux host the host's are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

macro_rules! signals {
    ($($name:ident = $number:literal;)*) => {
        impl Signal {
            $(#[doc = concat!(stringify!($name), ", see signal(7).")] pub const $name: Self = Self($number);)*

            const fn standard_name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _real_time => None,
                }
            }
        }
    };
}

signals! {
    SIGHUP = 1; SIGINT = 2; SIGQUIT = 3; SIGILL = 4; SIGTRAP = 5; SIGABRT = 6; SIGBUS = 7; SIGFPE = 8;
    SIGKILL = 9; SIGUSR1 = 10; SIGSEGV = 11; SIGUSR2 = 12; SIGPIPE = 13; SIGALRM = 14; SIGTERM = 15;
    SIGSTKFLT = 16; SIGCHLD = 17; SIGCONT = 18; SIGSTOP = 19; SIGTSTP = 20; SIGTTIN = 21; SIGTTOU = 22;
    SIGURG = 23; SIGXCPU = 24; SIGXFSZ = 25; SIGVTALRM = 26; SIGPROF = 27; SIGWINCH = 28; SIGIO = 29;
    SIGPWR = 30; SIGSYS = 31;
}

impl Signal {
    /// The first real-time signal as the kernel counts them (glibc keeps 32 and 33 for itself).
    pub const SIGRTMIN: Self = Self(32);
    /// The second real-time signal, glibc's own like the first.
    pub const SIGRTMIN_PLUS_1: Self = Self(33);
    /// The last real-time signal.
    pub const SIGRTMAX: Self = Self(64);

    /// The signal with this number, or `None` outside 1 to 64.
    #[must_use]
    pub const fn new(number: i32) -> Option<Self> {
        if number >= 1 && number <= 64 { Some(Self(number as u8)) } else { None }
    }

    /// The number, 1 to 64.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0 as i32
    }

    /// True for signals 32 to 64, which queue instead of coalescing.
    #[must_use]
    pub const fn is_real_time(self) -> bool {
        self.0 >= 32
    }

    /// All signals in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=64).map(Self)
    }

    /// The signal of this name (`SIGTERM`, `SIGRTMIN+3`), or `None`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|signal| signal.to_string() == name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.standard_name() {
            Some(name) => f.write_str(name),
            None if self.0 == 32 => f.write_str("SIGRTMIN"),
            None => write!(f, "SIGRTMIN+{}", self.0 - 32),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of signals, bit `n - 1` for signal `n`: the 64-bit `sigset_t` of arm64 Linux.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
#[repr(transparent)]
pub struct SigSet(pub u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// All 64 signals.
    pub const ALL: Self = Self(u64::MAX);
    /// SIGKILL and SIGSTOP, which can be neither blocked nor caught.
    pub const UNBLOCKABLE: Self = Self::of(&[Signal::SIGKILL, Signal::SIGSTOP]);
    /// The signals that stop a process by default.
    pub const STOPS: Self = Self::of(&[Signal::SIGSTOP, Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU]);
    /// The signals of synchronous faults.
    pub const SYNCHRONOUS: Self =
        Self::of(&[Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGTRAP, Signal::SIGSYS]);

    /// The set of these signals.
    #[must_use]
    pub const fn of(signals: &[Signal]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < signals.len() {
            bits |= 1 << (signals[index].0 - 1);
            index += 1;
        }
        Self(bits)
    }

    /// True when the set holds `signal`.
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << (signal.0 - 1)) != 0
    }

    /// The set with `signal` added.
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << (signal.0 - 1))
    }

    /// The set with `signal` removed.
    #[must_use]
    pub const fn without(self, signal: Signal) -> Self {
        Self(self.0 & !(1 << (signal.0 - 1)))
    }

    /// Signals in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Signals in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Signals of this set that are not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// True when no signal is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The signals of the set in ascending order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::all().filter(move |signal| self.contains(*signal))
    }
}

impl fmt::Debug for SigSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for signal in Signal::all() {
            assert_eq!(Signal::from_name(&signal.to_string()), Some(signal));
        }
        assert_eq!(Signal::new(65), None);
        assert_eq!(Signal::new(0), None);
    }

    #[test]
    fn sets_use_bit_n_minus_1() {
        assert_eq!(SigSet::of(&[Signal::SIGHUP, Signal::SIGRTMAX]).0, 1 | 1 << 63);
        assert_eq!(SigSet::ALL.iter().count(), 64);
    }
}
