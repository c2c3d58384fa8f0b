//! The process tree of a run after its top process has ended: who is left, and the end of them.
//!
//! The harness is a subreaper (prctl(2)), so an orphan of a run becomes its child and keeps the run's process group, which
//! is the top process's id. One waitid(2) on the group therefore says whether anybody is left at all; only then all processes
//! are searched, or where the host has no subreapers. Processes that left the group are still known by their slots in the
//! statistics file, and where somebody was killed, so that not even those need be there, by the variables that they were
//! started with.

use elfuse::abi::{Errno, Pid};
use elfuse::host::children::{ADOPTS_ORPHANS, Whose, adopt_orphans, peek};
use elfuse::host::pidfd::PidFd;
use elfuse::host::process::{all, identity_of, own_pid, relation_of, was_started_with};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
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
    Ok(adopt_orphans().map(drop)?)
}

/// Reaps the orphans of a run that have ended, as an init would: they are not left. `top` is reaped, `known` are the run's
/// processes with their start times.
pub fn reap_orphans(top: Pid, known: &[(i32, u64)]) {
    let others = known
        .iter()
        .filter(|(pid, start)| *pid != top.0 && identity_of(Pid(*pid)).is_some_and(|it| it.start_time_ticks == *start));
    for (pid, _) in others {
        // ECHILD: it is somebody else's child. An error can also be a death by a real-time signal, which nix does not know.
        let _ = waitpid(nix::unistd::Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG));
    }
    let group = nix::unistd::Pid::from_raw(-top.0);
    while !matches!(waitpid(group, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive) | Err(nix::Error::ECHILD)) {}
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
        .filter(|pid| relation_of(Pid(*pid)).is_some_and(|process| !process.is_dead))
        .collect();
    if !ADOPTS_ORPHANS || group_has_children(top)? {
        left.extend(group_members(top)?);
    }
    Ok(left)
}

/// Whether the harness has a child in the process group, dead or alive.
fn group_has_children(group: Pid) -> io::Result<bool> {
    match peek(Whose::Group(group)) {
        Ok(_ended_or_not) => Ok(true),
        Err(Errno::ECHILD) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// All processes of the group, zombies included.
fn group_members(group: Pid) -> io::Result<BTreeSet<i32>> {
    Ok(all()?
        .into_iter()
        .filter(|process| process.group == group && !process.is_dead)
        .map(|process| process.pid.0)
        .collect())
}

/// Orphans that became the harness's children, outside of the group of `top`, and were started with `mark`, a variable that
/// the processes of this run alone have: with their start times. They may have come and gone from the group unseen.
///
/// # Errors
/// The host's.
pub fn adopted(top: Pid, mark: &[u8]) -> io::Result<Vec<(i32, u64)>> {
    let own = own_pid();
    let orphans = all()?.into_iter().filter(|process| process.parent == own && process.group != top);
    let of_run = orphans.filter(|process| was_started_with(process.pid, mark));
    Ok(of_run.filter_map(|process| Some((process.pid.0, identity_of(process.pid)?.start_time_ticks))).collect())
}

/// Children of the harness that belong to nobody: what a phase left behind. Those that have ended are reaped, and are not left.
///
/// # Errors
/// The host's.
pub fn stray_children() -> io::Result<Vec<i32>> {
    let own = own_pid();
    let has_ended = |pid: i32| {
        !matches!(waitpid(nix::unistd::Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive))
    };
    let children = all()?.into_iter().filter(|process| process.parent == own).map(|process| process.pid.0);
    Ok(children.filter(|pid| !has_ended(*pid)).collect())
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
