//! [`Uts`]: what uname(2) and /proc say of the kernel.

use super::Process;

/// A long-term kernel with everything that current C libraries ask for.
const RELEASE: &str = "6.12.0";

/// The names of uname(2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uts {
    /// `sysname`.
    pub system: &'static str,
    /// `nodename`: the host's.
    pub node: String,
    /// `release`.
    pub release: String,
    /// `version`.
    pub version: &'static str,
    /// `machine`.
    pub machine: &'static str,
    /// `domainname`.
    pub domain: &'static str,
}

impl Process {
    /// What uname(2) says in this process.
    #[must_use]
    pub fn uts(&self) -> Uts {
        let host = nix::sys::utsname::uname();
        Uts {
            system: "Linux",
            node: host.map_or_else(|_| "localhost".to_owned(), |host| host.nodename().to_string_lossy().into_owned()),
            release: self.options().release.clone().unwrap_or_else(|| RELEASE.to_owned()),
            version: "#1 SMP PREEMPT elfuse",
            machine: "aarch64",
            domain: "(none)",
        }
    }
}
