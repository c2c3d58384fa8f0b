//! [`Limits`]: resource limits that are the guest's alone. On the host they would bound elfuse itself, whose window takes
//! terabytes of address space and which has descriptors and stacks of its own.
//!
//! Of the limits that are kept here `RLIMIT_NOFILE` is enforced by the descriptor table, `RLIMIT_SIGPENDING` by the thread
//! group, and `RLIMIT_AS` by the address space; `RLIMIT_DATA` and `RLIMIT_STACK` are remembered and inherited. Sources:
//! getrlimit(2), `do_prlimit` in `kernel/sys.c` of Linux.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::other_limits;
use crate::abi::Errno;

/// `RLIMIT_NOFILE`.
pub const RLIMIT_NOFILE: u32 = 7;
/// `RLIMIT_SIGPENDING`.
pub const RLIMIT_SIGPENDING: u32 = 11;
const RLIMIT_DATA: u32 = 2;
const RLIMIT_STACK: u32 = 3;
/// `RLIMIT_AS`.
pub const RLIMIT_AS: u32 = 9;
/// `RLIMIT_MEMLOCK`, which the host keeps.
const RLIMIT_MEMLOCK: u32 = 8;

/// No process may have more descriptors (`fs.nr_open` of Linux).
const NR_OPEN: u64 = 1 << 20;

/// A soft and a hard limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What is enforced.
    pub soft: u64,
    /// Up to where the process may raise that.
    pub hard: u64,
}

/// The limits of a process that the host does not keep.
#[derive(Debug)]
pub struct Limits {
    set: Mutex<BTreeMap<u32, Limit>>,
    /// `PR_SET_DUMPABLE`.
    is_dumpable: AtomicBool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { set: Mutex::default(), is_dumpable: AtomicBool::new(true) }
    }
}

/// True for a limit that the host does not keep.
#[must_use]
pub const fn is_kept(resource: u32) -> bool {
    matches!(resource, RLIMIT_NOFILE | RLIMIT_SIGPENDING | RLIMIT_DATA | RLIMIT_STACK | RLIMIT_AS)
}

/// The host's limit.
///
/// # Errors
/// `EINVAL`.
pub fn of_host(resource: u32) -> Result<Limit, Errno> {
    crate::host::process::limit_of(resource).map(|[soft, hard]| Limit { soft, hard })
}

/// How many bytes this process may lock: all of them with privileges.
///
/// # Errors
/// The host's.
pub fn lockable_bytes() -> Result<u64, Errno> {
    if nix::unistd::geteuid().is_root() { Ok(u64::MAX) } else { Ok(of_host(RLIMIT_MEMLOCK)?.soft) }
}

/// Whether a process may go from one limit to another.
///
/// # Errors
/// `EINVAL` for a soft limit above the hard one, `EPERM` for a hard limit that only a privileged process may raise.
pub fn check(resource: u32, old: Limit, new: Limit) -> Result<(), Errno> {
    if new.soft > new.hard {
        return Err(Errno::EINVAL);
    }
    let is_privileged = nix::unistd::geteuid().is_root();
    if new.hard > old.hard && !is_privileged || resource == RLIMIT_NOFILE && new.hard > NR_OPEN.max(old.hard) {
        return Err(Errno::EPERM);
    }
    Ok(())
}

impl Limits {
    fn set_limits(&self) -> MutexGuard<'_, BTreeMap<u32, Limit>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A limit that was set.
    #[must_use]
    pub fn get(&self, resource: u32) -> Option<Limit> {
        self.set_limits().get(&resource).copied()
    }

    /// Sets a limit.
    pub fn set(&self, resource: u32, limit: Limit) {
        self.set_limits().insert(resource, limit);
        other_limits::show(resource, limit);
    }

    /// Keeps everybody else out until the answer is dropped: for a host fork.
    pub fn hold(&self) -> MutexGuard<'_, BTreeMap<u32, Limit>> {
        self.set_limits()
    }

    /// Everything that was set: for fork children, and programs that the host executes.
    #[must_use]
    pub fn all(&self) -> Vec<(u32, Limit)> {
        self.set_limits().iter().map(|(resource, limit)| (*resource, *limit)).collect()
    }

    /// Whether the process leaves a core file.
    #[must_use]
    pub fn is_dumpable(&self) -> bool {
        self.is_dumpable.load(Ordering::Relaxed)
    }

    /// Sets that; execve(2) sets it to true.
    pub fn set_dumpable(&self, is_dumpable: bool) {
        self.is_dumpable.store(is_dumpable, Ordering::Relaxed);
    }

    /// Takes over those of a parent.
    pub fn inherit(&self, limits: impl IntoIterator<Item = (u32, Limit)>, is_dumpable: bool) {
        let mut set = self.set_limits();
        for (resource, limit) in limits {
            set.insert(resource, limit);
            other_limits::show(resource, limit);
        }
        drop(set);
        self.set_dumpable(is_dumpable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hard_limit_is_not_raised_by_everybody_and_never_beyond_what_there_is() {
        let (low, high) = (Limit { soft: 5, hard: 10 }, Limit { soft: 5, hard: NR_OPEN + 1 });
        assert_eq!(check(RLIMIT_NOFILE, low, Limit { soft: 11, hard: 10 }), Err(Errno::EINVAL));
        assert_eq!(check(RLIMIT_NOFILE, low, high), Err(Errno::EPERM));
        assert_eq!(check(RLIMIT_NOFILE, low, low), Ok(()));
    }
}
