//! Signal names of the manifest, with the numbers of Linux arm64 (signal(7)), and the records a storm may send.

use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// Names of the standard signals that the manifest may use, with their Linux arm64 numbers.
const STANDARD: &[(&str, u8)] = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGURG", 23),
    ("SIGWINCH", 28),
];

/// The first real-time signal as C libraries count them: they keep the kernel's 32 and 33 for themselves.
const SIGRTMIN: u8 = 34;
/// The last real-time signal.
const SIGRTMAX: u8 = 64;

/// A guest signal: `SIGUSR1`, or `SIGRTMIN+1` with SIGRTMIN = 34.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Signal(u8);

impl Signal {
    /// The Linux arm64 signal number, 1 to 64.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether it is a real-time signal: queued, never merged with one that is pending.
    pub fn is_real_time(self) -> bool {
        self.0 >= SIGRTMIN
    }
}

impl FromStr for Signal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, number)) = STANDARD.iter().find(|(name, _)| *name == text) {
            return Ok(Self(*number));
        }
        let offset = match text.strip_prefix("SIGRTMIN") {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('+').and_then(|digits| digits.parse::<u8>().ok()),
            None => None,
        };
        match offset {
            Some(offset) if offset <= SIGRTMAX - SIGRTMIN => Ok(Self(SIGRTMIN + offset)),
            Some(_) | None => {
                Err(format!("`{text}` is not a signal name (SIGUSR1, ..., or SIGRTMIN+0 to SIGRTMIN+30)"))
            }
        }
    }
}

impl TryFrom<String> for Signal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match STANDARD.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "SIGRTMIN+{}", self.0 - SIGRTMIN),
        }
    }
}

/// One kind of record that the harness may send to a guest while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum StormRecord {
    /// A doorbell with nothing to deliver: the vCPU is interrupted, the guest must not notice.
    Null,
    /// A guest signal that the guest has a handler for, once it has written its `ready` line.
    Signal(Signal),
}

impl TryFrom<String> for StormRecord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "null" { Ok(Self::Null) } else { text.parse().map(Self::Signal) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for (name, number) in STANDARD {
            let signal: Signal = name.parse().unwrap();
            assert_eq!((signal.number(), signal.to_string()), (*number, (*name).to_owned()));
            assert!(!signal.is_real_time());
        }
        for offset in 0..=30_u8 {
            let name = format!("SIGRTMIN+{offset}");
            let signal: Signal = name.parse().unwrap();
            assert_eq!((signal.number(), signal.to_string()), (34 + offset, name));
            assert!(signal.is_real_time());
        }
        assert_eq!("SIGRTMIN".parse(), Ok(Signal(34)));
    }

    #[test]
    fn numbers_are_the_hosts() {
        // The standard numbers are the same on every Linux that runs the harness.
        assert_eq!("SIGUSR1".parse::<Signal>().unwrap().number(), 10);
        assert_eq!("SIGSEGV".parse::<Signal>().unwrap().number(), 11);
    }

    #[test]
    fn other_names_are_errors() {
        for name in ["", "USR1", "SIGRTMIN+31", "SIGRTMIN-1", "SIGRTMIN+", "SIGRTMIN+x", "null"] {
            assert!(name.parse::<Signal>().is_err(), "{name}");
        }
        assert_eq!(StormRecord::try_from("null".to_owned()), Ok(StormRecord::Null));
    }
}
