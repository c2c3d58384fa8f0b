//! Who a process is beyond doubt: [`ProcessIdentity`], since process ids are reused.
//!
//! Sources: proc_pid_stat(5) field 22, pid_namespaces(7).

#![expect(unsafe_code, reason = "prlimit64 has no safe wrapper for every resource")]

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::clock;
use crate::abi::{Errno, Pid, Tid};

/// A process id with what tells its bearer from earlier and other ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ProcessIdentity {
    /// The process id, in the namespace of whoever made this value.
    pub pid: Pid,
    /// When it started, in clock ticks since boot or the host's own unit; 0 where it does not tell.
    pub start_time_ticks: u64,
    /// The inode number of its pid namespace; 0 where the host does not tell.
    pub pid_namespace: u64,
}

/// The id of the calling process.
#[must_use]
pub fn own_pid() -> Pid {
    Pid(std::process::id().cast_signed())
}

/// Process id, start time and pid namespace of the process that asked last; 0 is nobody.
static OWN: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// The identity of the calling process. It is looked up once in each process: a forked one finds its parent's here, which
/// has another id since it was alive at the fork.
#[must_use]
pub fn own_identity() -> ProcessIdentity {
    let pid = own_pid();
    let [known, start_time_ticks, pid_namespace] = &OWN;
    if known.load(Acquire) == u64::from(pid.0.cast_unsigned()) {
        let (start_time_ticks, pid_namespace) = (start_time_ticks.load(Relaxed), pid_namespace.load(Relaxed));
        return ProcessIdentity { pid, start_time_ticks, pid_namespace };
    }
    let own = inherited_identity(pid).or_else(|| identity_of(pid));
    let own = own.unwrap_or(ProcessIdentity { pid, start_time_ticks: 0, pid_namespace: 0 });
    start_time_ticks.store(own.start_time_ticks, Relaxed);
    pid_namespace.store(own.pid_namespace, Relaxed);
    known.store(u64::from(pid.0.cast_unsigned()), Release);
    own
}

/// When this process, or the one that it was forked from, last began a fork, in nanoseconds of CLOCK_BOOTTIME; 0 is never.
static FORK_BEGAN_NS: AtomicU64 = AtomicU64::new(0);

/// To be called before each fork.
pub(super) fn note_fork() {
    FORK_BEGAN_NS.store(clock::boottime_ns(), Relaxed);
}

/// The identity of a forked process by what its parent knew: it is in its parent's namespace, and it started between the
/// fork and now. A look at /proc would cost a tenth of a fork, most of it at the end, when its entries are taken away.
///
/// `None` where the two times have not the same tick, and where the parent has ended or is in another namespace (its id is
/// 0 there).
fn inherited_identity(pid: Pid) -> Option<ProcessIdentity> {
    let [known, _start_time_ticks, pid_namespace] = &OWN;
    let parent = known.load(Acquire);
    if parent == 0 || u64::from(std::os::unix::process::parent_id()) != parent {
        return None;
    }
    let start_time_ticks = imp::start_time_between(FORK_BEGAN_NS.load(Relaxed), clock::boottime_ns())?;
    Some(ProcessIdentity { pid, start_time_ticks, pid_namespace: pid_namespace.load(Relaxed) })
}

/// getrlimit(2): the soft and the hard limit.
///
/// # Errors
/// `EINVAL`.
pub fn limit_of(resource: u32) -> Result<[u64; 2], Errno> {
    imp::limit_of(resource)
}

/// True for a process that runs: not for one that has ended, waited for or not.
#[must_use]
pub fn is_running(process: ProcessIdentity) -> bool {
    identity_of(process.pid) == Some(process) && !imp::is_zombie(process.pid)
}

/// setrlimit(2): soft and hard, as far as the host allows it.
pub fn set_limit(resource: u32, limit: [u64; 2]) {
    imp::set_limit(resource, limit);
}

/// setitimer(2) of `ITIMER_REAL`, in nanoseconds: for a host program that is about to take this process over.
pub fn set_real_timer(value_ns: u64, interval_ns: u64) {
    // Rounded up: an alarm may be late, never early, and a short one is one.
    let time = |ns: u64| {
        let microseconds = ns.div_ceil(1000);
        libc::timeval {
            tv_sec: (microseconds / 1_000_000).try_into().unwrap_or(libc::time_t::MAX),
            tv_usec: (microseconds % 1_000_000).try_into().unwrap_or(0),
        }
    };
    let timer = libc::itimerval { it_interval: time(interval_ns), it_value: time(value_ns) };
    // SAFETY: the call reads the timer and stores nothing.
    let _set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
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

/// A process among the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relation {
    /// Its id.
    pub pid: Pid,
    /// Its parent.
    pub parent: Pid,
    /// Its process group.
    pub group: Pid,
    /// Nobody's to wait for any more: the host takes it away, which may last.
    pub is_dead: bool,
}

/// What the host tells of a process; `None` where it has ended.
#[must_use]
pub fn relation_of(pid: Pid) -> Option<Relation> {
    imp::relation_of(pid)
}

/// All processes of the host, zombies included. Those that end meanwhile may be left out.
///
/// # Errors
/// The host's.
pub fn all() -> std::io::Result<Vec<Relation>> {
    Ok(imp::all()?.into_iter().filter_map(relation_of).collect())
}

/// Whether a process was started with the variable `assignment`, as `NAME=value`, or forked from one that was. What it has
/// changed since does not count; nobody's variables are known on macOS.
#[must_use]
pub fn was_started_with(pid: Pid, assignment: &[u8]) -> bool {
    imp::was_started_with(pid, assignment)
}

/// Real, effective and saved user id: of the calling thread on Linux, of the process elsewhere.
///
/// # Errors
/// The host's errno.
pub fn user_ids() -> Result<[u32; 3], Errno> {
    imp::user_ids()
}

/// Real, effective and saved group id, in the same way.
///
/// # Errors
/// The host's errno.
pub fn group_ids() -> Result<[u32; 3], Errno> {
    imp::group_ids()
}

/// setrlimit(2), with the host's answer.
#[cfg(target_os = "macos")]
pub(super) fn change_limit(resource: u32, limit: [u64; 2]) -> nix::Result<()> {
    imp::change_limit(resource, limit)
}

#[cfg(target_os = "macos")]
#[path = "macos/process.rs"]
mod imp;

#[cfg(target_os = "linux")]
mod imp {
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;

    use super::{ProcessIdentity, Relation};
    use crate::abi::{Errno, Pid, Tid};

    pub(super) fn relation_of(pid: Pid) -> Option<Relation> {
        parse_relation(pid, &std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// State, parent and process group, fields 3 to 5 of proc_pid_stat(5). The second field may hold any byte.
    fn parse_relation(pid: Pid, stat: &[u8]) -> Option<Relation> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let is_dead = fields.next()? == "X";
        let mut next = || fields.next()?.parse().ok().map(Pid);
        Some(Relation { pid, parent: next()?, group: next()?, is_dead })
    }

    pub(super) fn all() -> std::io::Result<Vec<Pid>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            found.extend(entry?.file_name().to_str().and_then(|name| name.parse().ok()).map(Pid));
        }
        Ok(found)
    }

    pub(super) fn was_started_with(pid: Pid, assignment: &[u8]) -> bool {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == assignment)
    }

    pub(super) fn user_ids() -> Result<[u32; 3], Errno> {
        let ids = nix::unistd::getresuid()?;
        Ok([ids.real.as_raw(), ids.effective.as_raw(), ids.saved.as_raw()])
    }

    pub(super) fn group_ids() -> Result<[u32; 3], Errno> {
        let ids = nix::unistd::getresgid()?;
        Ok([ids.real.as_raw(), ids.effective.as_raw(), ids.saved.as_raw()])
    }

    pub(super) fn process_of(tid: Tid) -> Option<Pid> {
        let status = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
        let digits = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
        digits.trim().parse().ok().map(Pid)
    }

    /// Longer than any stat up to its field 22: the name has at most 64 bytes, each number at most 20 digits.
    const STAT_MAX: usize = 1024;

    pub(super) fn set_limit(resource: u32, limit: [u64; 2]) {
        let none = std::ptr::null_mut::<libc::rlimit64>();
        // SAFETY: the kernel reads a soft and a hard limit of 64 bits each. What it refuses stays as it is.
        let _kept = unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, limit.as_ptr(), none) };
    }

    pub(super) fn limit_of(resource: u32) -> Result<[u64; 2], Errno> {
        let mut limit = [0; 2];
        let none = std::ptr::null::<libc::rlimit64>();
        // SAFETY: the kernel writes a soft and a hard limit of 64 bits each.
        let result = unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, none, limit.as_mut_ptr()) };
        if result < 0 { Err(std::io::Error::last_os_error().into()) } else { Ok(limit) }
    }

    pub(super) fn identity_of(pid: Pid) -> Option<ProcessIdentity> {
        let mut stat = [0; STAT_MAX];
        let len = std::fs::File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut stat)).ok()?;
        let pid_namespace = std::fs::metadata(format!("/proc/{pid}/ns/pid")).map_or(0, |metadata| metadata.ino());
        Some(ProcessIdentity { pid, start_time_ticks: start_time(&stat[..len])?, pid_namespace })
    }

    pub(super) fn is_zombie(pid: Pid) -> bool {
        let Ok(stat) = std::fs::read(format!("/proc/{pid}/stat")) else { return true };
        let after_name = stat.iter().rposition(|byte| *byte == b')');
        after_name.and_then(|at| stat.get(at + 2)).is_none_or(|state| matches!(state, b'Z' | b'X'))
    }

    /// Length of a clock tick in nanoseconds: USER_HZ is 100 on every architecture that elfuse runs on.
    const TICK_NS: u64 = 10_000_000;
    /// How far two readings of a clock in different places may be apart by their rounding.
    const ROUNDING_NS: u64 = 1000;

    /// The start time, in the unit of field 22, of a process that started between these times of CLOCK_BOOTTIME; `None`
    /// where they leave it open.
    pub(super) fn start_time_between(earliest_ns: u64, latest_ns: u64) -> Option<u64> {
        let tick = earliest_ns.saturating_sub(ROUNDING_NS) / TICK_NS;
        (latest_ns.saturating_add(ROUNDING_NS) / TICK_NS == tick).then_some(tick)
    }

    /// Field 22 of `/proc/PID/stat`. The second field may hold any byte, so the fields are counted from its end.
    pub(super) fn start_time(stat: &[u8]) -> Option<u64> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
        rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_start_time_is_known_within_one_tick_only() {
            assert_eq!(start_time_between(70_001_000, 79_998_999), Some(7));
            assert_eq!(start_time_between(70_000_999, 75_000_000), None);
            assert_eq!(start_time_between(75_000_000, 79_999_000), None);
        }

        /// What a forked process concludes about itself is what everybody else reads in /proc.
        #[test]
        fn a_forked_process_knows_its_identity() {
            use crate::host::children::{exit_now, reap};
            use crate::host::fork::{Forked, fork};
            const CONCLUDED: i32 = 1;
            const WRONG: i32 = 2;
            let _known = super::super::own_identity();
            let mut concluded = 0;
            for _ in 0..200 {
                // SAFETY: the child makes system calls and ends.
                match unsafe { fork() }.unwrap() {
                    Forked::Child => {
                        let pid = super::super::own_pid();
                        let inherited = super::super::inherited_identity(pid);
                        let is_wrong = inherited.is_some() && inherited != identity_of(pid);
                        exit_now(if is_wrong { WRONG } else { i32::from(inherited.is_some()) });
                    }
                    Forked::Parent(pid) => {
                        let status = reap(pid).unwrap() >> 8;
                        assert_ne!(status, WRONG);
                        concluded += i32::from(status == CONCLUDED);
                    }
                }
            }
            assert!(concluded > 0);
        }

        #[test]
        fn relations_of_odd_names_are_read() {
            let relation = Relation { pid: Pid(7), parent: Pid(3), group: Pid(5), is_dead: false };
            assert_eq!(parse_relation(Pid(7), b"7 (a) b) S 3 5 1 0"), Some(relation));
            assert_eq!(parse_relation(Pid(7), b"7 (a) X 3 5"), Some(Relation { is_dead: true, ..relation }));
            assert_eq!(parse_relation(Pid(7), b"7 (a"), None);
            assert_eq!(parse_relation(Pid(7), b"7 (a) S x 5"), None);
        }

        #[test]
        fn this_process_is_one_of_all() {
            let own = super::super::own_pid();
            assert!(super::super::all().unwrap().iter().any(|process| process.pid == own));
        }

        #[test]
        fn a_name_with_parentheses_does_not_shift_the_fields() {
            let stat = b"77 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
            assert_eq!(start_time(stat), Some(4242));
            assert_eq!(start_time(b"77 (a"), None);
        }
    }
}
