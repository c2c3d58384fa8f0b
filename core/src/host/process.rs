//! Who a process is beyond doubt: [`ProcessIdentity`], since process ids are reused.
//!
//! Sources: proc_pid_stat(5) field 22, pid_namespaces(7).

use crate::abi::{Pid, Tid};

/// A process id with what tells its bearer from earlier and other ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ProcessIdentity {
    /// The process id, in the namespace of whoever made this value.
    pub pid: Pid,
    /// When it started, in clock ticks since boot; 0 where the host does not tell.
    pub start_time_ticks: u64,
    /// The inode number of its pid namespace; 0 where the host does not tell.
    pub pid_namespace: u64,
}

/// The id of the calling process.
#[must_use]
pub fn own_pid() -> Pid {
    Pid(std::process::id().cast_signed())
}

/// The identity of the calling process.
#[must_use]
pub fn own_identity() -> ProcessIdentity {
    let pid = own_pid();
    identity_of(pid).unwrap_or(ProcessIdentity { pid, start_time_ticks: 0, pid_namespace: 0 })
}

/// The identity of a process, or `None` where there is none (or where it may not be looked at).
#[must_use]
pub fn identity_of(pid: Pid) -> Option<ProcessIdentity> {
    imp::identity_of(pid)
}

/// The process that a thread belongs to, or `None` where there is no such thread.
#[must_use]
pub fn process_of(tid: Tid) -> Option<Pid> {
    imp::process_of(tid)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::os::unix::fs::MetadataExt;

    use super::ProcessIdentity;
    use crate::abi::{Pid, Tid};

    pub(super) fn process_of(tid: Tid) -> Option<Pid> {
        let status = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
        let digits = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
        digits.trim().parse().ok().map(Pid)
    }

    pub(super) fn identity_of(pid: Pid) -> Option<ProcessIdentity> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        let pid_namespace = std::fs::metadata(format!("/proc/{pid}/ns/pid")).map_or(0, |metadata| metadata.ino());
        Some(ProcessIdentity { pid, start_time_ticks: start_time(&stat)?, pid_namespace })
    }

    /// Field 22 of `/proc/PID/stat`. The second field may hold any byte, so the fields are counted from its end.
    pub(super) fn start_time(stat: &[u8]) -> Option<u64> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
        rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn a_name_with_parentheses_does_not_shift_the_fields() {
            let stat = b"77 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
            assert_eq!(super::start_time(stat), Some(4242));
            assert_eq!(super::start_time(b"77 (a"), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::ProcessIdentity;
    use crate::abi::{Pid, Tid};

    /// Threads of other processes cannot be named here.
    pub(super) fn process_of(_tid: Tid) -> Option<Pid> {
        None
    }

    pub(super) fn identity_of(pid: Pid) -> Option<ProcessIdentity> {
        let alive = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.0), None).is_ok();
        alive.then_some(ProcessIdentity { pid, start_time_ticks: 0, pid_namespace: 0 })
    }
}
