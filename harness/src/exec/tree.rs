//! The process tree of a run after its top process has ended: who is left, and the end of them.
//!
//! The harness is a subreaper (prctl(2)), so an orphan of a run becomes its child and keeps the run's process group, which
//! is the top process's id. One waitid(2) on the group therefore says whether anybody is left at all; only then `/proc` is
//! searched. Processes that left the group are still known by their slots in the statistics file.

use elfuse::abi::Pid;
use elfuse::host::pidfd::PidFd;
use elfuse::host::process::identity_of;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

/// How long killed processes may take to be gone.
const REAP_PATIENCE: Duration = Duration::from_secs(10);

/// Makes the harness the parent of all orphans below it.
///
/// # Errors
/// The host's.
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// The processes that are left of a run whose top process was `top` and is reaped: those in its process group, and those of
/// `known` (process ids with start times) that still live.
///
/// # Errors
/// The host's.
pub fn left(top: Pid, known: &[(i32, u64)]) -> io::Result<BTreeSet<i32>> {
    let mut left: BTreeSet<i32> = known
        .iter()
        .filter(|(pid, start)| *pid != top.0 && identity_of(Pid(*pid)).is_some_and(|it| it.start_time_ticks == *start))
        .map(|(pid, _)| *pid)
        .filter(|pid| process(*pid).is_some_and(|process| !process.is_dead))
        .collect();
    if group_has_children(top)? {
        left.extend(group_members(top)?);
    }
    Ok(left)
}

/// Whether the harness has a child in the process group, dead or alive.
fn group_has_children(group: Pid) -> io::Result<bool> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::PGid(nix::unistd::Pid::from_raw(group.0)), flags) {
        Ok(_) => Ok(true),
        Err(Errno::ECHILD) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// All processes of the group, zombies included.
fn group_members(group: Pid) -> io::Result<BTreeSet<i32>> {
    Ok(processes()?
        .into_iter()
        .filter(|process| process.group == group.0 && !process.is_dead)
        .map(|process| process.pid)
        .collect())
}

/// Children of the harness that belong to nobody: what a phase left behind.
///
/// # Errors
/// The host's.
pub fn stray_children() -> io::Result<Vec<i32>> {
    let own = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    Ok(processes()?.into_iter().filter(|process| process.parent == own).map(|process| process.pid).collect())
}

struct ProcessStat {
    pid: i32,
    parent: i32,
    group: i32,
    /// Nobody's to wait for any more: Linux takes it away, which may last where `/proc` has been looked at.
    is_dead: bool,
}

/// What `/proc` says of a process; `None` where it has ended.
fn process(pid: i32) -> Option<ProcessStat> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let (state, parent, group) = parse_stat(&stat)?;
    Some(ProcessStat { pid, parent, group, is_dead: state == b'X' })
}

fn processes() -> io::Result<Vec<ProcessStat>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // Processes that end meanwhile are not left.
        found.extend(process(pid));
    }
    Ok(found)
}

/// State, parent and process group, fields 3 to 5 of proc_pid_stat(5). The second field may hold any byte.
fn parse_stat(stat: &[u8]) -> Option<(u8, i32, i32)> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    Some((state, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Kills the process group of a run whose top process is not reaped yet, and everybody of `known` outside of it.
pub fn kill_all(top: Pid, known: &[(i32, u64)]) {
    // ESRCH: they have ended by themselves.
    let _ = killpg(nix::unistd::Pid::from_raw(top.0), Signal::SIGKILL);
    kill_known(known);
}

/// True for a process that still is who it was, and has not ended.
pub(super) fn lives((pid, start): (i32, u64)) -> bool {
    let Ok(process) = PidFd::open(Pid(pid)) else { return false };
    // The descriptor was opened before the identity is read, so the id is still its process's while that has not ended.
    identity_of(Pid(pid)).is_some_and(|identity| identity.start_time_ticks == start) && !process.has_ended()
}

/// Kills the processes of `known`, if they still are who they were; the answer is how many.
pub(super) fn kill_known(known: &[(i32, u64)]) -> usize {
    let killed = known
        .iter()
        .filter(|process| lives(**process) && kill(nix::unistd::Pid::from_raw(process.0), Signal::SIGKILL).is_ok());
    killed.count()
}

/// Ends what is left of a run, and reaps what became the harness's child.
///
/// # Errors
/// `TimedOut` if somebody survives SIGKILL for ten seconds.
pub fn end_left(top: Pid, left: &BTreeSet<i32>) -> io::Result<()> {
    let deadline = Instant::now() + REAP_PATIENCE;
    let mut left: BTreeSet<i32> = left.clone();
    while !left.is_empty() {
        let known: Vec<(i32, u64)> =
            left.iter().filter_map(|pid| Some((*pid, identity_of(Pid(*pid))?.start_time_ticks))).collect();
        kill_known(&known);
        for pid in &left {
            // ECHILD: it is somebody else's child, whose parent reaps it or dies, too.
            let _ = waitpid(nix::unistd::Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
        }
        left = self::left(top, &known)?;
        if left.is_empty() {
            break;
        }
        if Instant::now() >= deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("processes {left:?} survive SIGKILL")));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_with_odd_names_are_read() {
        assert_eq!(parse_stat(b"7 (a) b) S 3 5 1 0"), Some((b'S', 3, 5)));
        assert_eq!(parse_stat(b"7 (a"), None);
        assert_eq!(parse_stat(b"7 (a) S x 5"), None);
    }

    #[test]
    fn the_harness_itself_is_a_process() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(processes().unwrap().iter().any(|process| process.pid == own));
    }
}
