//! One run of one guest, from its start to the end of the last process of its tree: [`run`].
//!
//! The order matters: the storm ends before the top process is reaped (so that its id stays its own), left processes are
//! counted before they are ended, and the statistics are read when nobody counts any more.

use super::kill::{AFTERMATH, Kill};
use super::spawn::{Command, Started, read_all, steers_elfuse};
use super::{Stop, Woken, tree};
use crate::check::{Evidence, Terms, judge, parse_crashes};
use crate::event::{Ending, Failure, Outcome, RunResult};
use crate::plan::PlannedRun;
use crate::stats::{StatsFile, tally};
use crate::storm::{Mode, Storm, StormReport, Target};
use crate::tally::Tally;
use elfuse::abi::Pid;
use elfuse::host::pidfd::PidFd;
use elfuse::preempt::transport::{DIRECTORY_VARIABLE, Directory};
use guest_tests::Use;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Most bytes of output that are looked at.
const OUTPUT_LIMIT: u64 = 1 << 20;

/// How much older a file may look than it is: file systems keep the time of the last tick.
const CLOCK_GRAIN: Duration = Duration::from_millis(100);

/// The files of the runs of one job thread, one run after another.
#[derive(Debug)]
pub(super) struct Files {
    stats: PathBuf,
    crash: PathBuf,
    signals: PathBuf,
}

impl Files {
    pub(super) fn create(dir: &Path) -> io::Result<Self> {
        let signals = dir.join("signals");
        fs::create_dir_all(&signals)?;
        Ok(Self { stats: dir.join("stats"), crash: dir.join("crash.json"), signals })
    }

    /// The variable by which a process can be told to be of these runs.
    fn mark(&self) -> Vec<u8> {
        [DIRECTORY_VARIABLE.as_bytes(), b"=", self.signals.as_os_str().as_encoded_bytes()].concat()
    }

    /// Makes room for the next run.
    fn clear(&self) -> io::Result<()> {
        for path in [&self.stats, &self.crash] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Transport files that are still there, which are then removed: of the run's own directory, and in the host's of its
    /// processes. There, an older file was left by somebody else who had the process id before.
    fn take_left(&self, pids: impl Iterator<Item = i32>, since: SystemTime) -> io::Result<Vec<PathBuf>> {
        let is_new = |path: &PathBuf| {
            path.symlink_metadata().and_then(|it| it.modified()).is_ok_and(|modified| modified + CLOCK_GRAIN >= since)
        };
        let mut left = Vec::new();
        for entry in fs::read_dir(&self.signals)? {
            left.push(entry?.path());
        }
        let default = Directory::of_host();
        left.extend(pids.map(|pid| default.file_of(Pid(pid))).filter(is_new));
        for path in &left {
            // Whoever else removes it is welcome.
            let _ = fs::remove_file(path);
        }
        Ok(left)
    }
}

/// Runs `planned` to its end.
///
/// # Errors
/// What keeps the harness itself from working. Whatever the guest or elfuse does is part of the result.
pub(super) fn run(
    elfuse: &Path,
    planned: &PlannedRun,
    files: &Files,
    storm: &Storm,
    stop: &Stop,
    kill: Option<Kill>,
) -> io::Result<RunResult> {
    files.clear()?;
    let (started_at, since) = (Instant::now(), SystemTime::now());
    let started = match command(elfuse, planned, files).and_then(Command::start) {
        Ok(started) => started,
        Err(error) => return Ok(not_started(planned, elfuse, &error)),
    };
    let directory = Directory::at(&files.signals);
    let stats = StatsFile::new(&files.stats);
    let target = Target::new(planned.mode, planned.guest.storm(), stats, started.stdout.try_clone()?, directory);
    let ticket = storm.add(target);
    // A guest that must crash would be missed.
    let kill = kill.filter(|_| planned.guest.crash().is_none());
    let waited = PidFd::open(started.pid).and_then(|process| {
        let limits = Limits { started_at, wall_limit: planned.wall_limit };
        wait_for_end(process.as_fd(), limits, kill, files, stop)
    });
    let woken = waited.as_ref().map_or(Woken::Stopped, |(woken, _)| *woken);
    let storm = ticket.finish();
    let wall_us = u64::try_from(started_at.elapsed().as_micros()).unwrap_or(u64::MAX);
    let is_hunted = woken != Woken::Ready || waited.as_ref().is_ok_and(|(_, has_killed)| *has_killed);
    let ended = end(&started, files, woken != Woken::Ready, is_hunted)?;
    let (_, has_killed) = waited?;
    let mut counts = storm.counts;
    counts.kills = u64::from(has_killed);
    // After a kill an end of its own, or none, says nothing of the guest.
    let woken = if has_killed { Woken::Stopped } else { woken };
    let evidence = evidence(planned, (&started, since), files, storm, ended, woken)?;
    let terms = Terms { storm_hz: storm_hz(planned.mode), leaves: planned.leaves };
    Ok(result(planned, terms, evidence, counts, wall_us, stop.is_raised() && !has_killed))
}

/// Until when a run may last.
struct Limits {
    started_at: Instant,
    wall_limit: Duration,
}

/// Waits for the end of the top process, killing a member of its tree at the moment of `kill`; whether that was done is
/// the second answer.
fn wait_for_end(
    top: BorrowedFd<'_>,
    limits: Limits,
    kill: Option<Kill>,
    files: &Files,
    stop: &Stop,
) -> io::Result<(Woken, bool)> {
    let deadline = limits.started_at + limits.wall_limit;
    if let Some(kill) = kill {
        let woken = stop.wait(top, deadline.min(limits.started_at + kill.after))?;
        if woken != Woken::TimedOut {
            return Ok((woken, false));
        }
        if kill.strike(&StatsFile::new(&files.stats)) {
            return Ok((stop.wait(top, deadline.min(Instant::now() + AFTERMATH))?, true));
        }
    }
    Ok((stop.wait(top, deadline)?, false))
}

const fn storm_hz(mode: Mode) -> u32 {
    match mode {
        Mode::Storm { hz, .. } => hz,
        Mode::Stamp { .. } | Mode::Quiet => 0,
    }
}

fn command(elfuse: &Path, planned: &PlannedRun, files: &Files) -> io::Result<Command> {
    let guest = &planned.guest;
    let program = guest.path().map_err(io::Error::other)?;
    let mut command = Command::new(elfuse, steers_elfuse)
        .args(guest.options())
        .arg("--stats")
        .arg(&files.stats)
        .arg("--crash-json")
        .arg(&files.crash)
        .arg("--")
        .arg(program)
        .args(guest.args())
        .env(DIRECTORY_VARIABLE, &files.signals);
    for (name, value) in guest.env() {
        command = command.env(name, value);
    }
    if let Some(breakage) = &planned.breakage {
        command = command.env(elfuse::host::controls::VARIABLE, breakage);
    }
    Ok(command)
}

fn not_started(planned: &PlannedRun, elfuse: &Path, error: &io::Error) -> RunResult {
    RunResult {
        id: planned.id.clone(),
        outcome: Outcome::NotStarted,
        failures: vec![Failure::Start { problem: format!("cannot start {}: {error}", elfuse.display()) }],
        tally: Tally::default(),
        storm: crate::event::StormCounts::default(),
        wall_us: 0,
        latencies_ns: Vec::new(),
    }
}

/// How a tree ended.
struct Ended {
    ending: Ending,
    left: std::collections::BTreeSet<i32>,
    snapshot: Result<elfuse::preempt::stats::StatsSnapshot, String>,
}

/// Reaps the top process, killing it before if `kill`; counts who is left, and ends them. `is_hunted` where somebody was killed:
/// who was being made then may be known to nobody.
fn end(started: &Started, files: &Files, kill: bool, is_hunted: bool) -> io::Result<Ended> {
    let stats = StatsFile::new(&files.stats);
    let known = || -> Vec<(i32, u64)> {
        let processes = stats.read().map(|snapshot| snapshot.processes).unwrap_or_default();
        processes.iter().map(|process| (process.pid.0, process.start_time_ticks)).collect()
    };
    if kill {
        tree::kill_all(started.pid, &known());
    }
    let ending = super::reap(started.pid)?;
    tree::reap_orphans(started.pid, &known());
    let left = tree::left(started.pid, &known())?;
    tree::end_left(started.pid, &left)?;
    if is_hunted {
        end_unknown(started.pid, files)?;
    }
    let snapshot = stats.read().map_err(|error| error.to_string());
    Ok(Ended { ending, left, snapshot })
}

/// Ends the processes of a run that are in neither its group nor its statistics, and whom they made meanwhile.
///
/// # Errors
/// As [`tree::end_left`].
fn end_unknown(top: Pid, files: &Files) -> io::Result<()> {
    loop {
        let unknown = tree::adopted(top, &files.mark())?;
        if unknown.is_empty() {
            return Ok(());
        }
        tree::reap_orphans(top, &unknown);
        let left = tree::left(top, &unknown)?;
        tree::end_left(top, &left)?;
    }
}

fn evidence(
    planned: &PlannedRun,
    (started, since): (&Started, SystemTime),
    files: &Files,
    storm: StormReport,
    ended: Ended,
    woken: Woken,
) -> io::Result<Evidence> {
    let ending = (woken == Woken::Ready).then_some(ended.ending);
    let pids: Vec<i32> =
        ended.snapshot.iter().flat_map(|snapshot| snapshot.processes.iter().map(|process| process.pid.0)).collect();
    if ending.is_none() {
        // Who gets SIGKILL leaves what the next start of elfuse takes away.
        Directory::at(&files.signals).sweep();
    }
    let mut left_files = files.take_left(pids.into_iter().chain([started.pid.0]), since)?;
    // Nobody can remove its own file after SIGKILL: its reaper does, which is the harness.
    if ending == Some(Ending::Signal(libc::SIGKILL)) {
        let own = Directory::at(&files.signals).file_of(started.pid);
        left_files.retain(|path| *path != own);
    }
    Ok(Evidence {
        ending,
        wall_limit_ms: (woken == Woken::TimedOut)
            .then(|| u64::try_from(planned.wall_limit.as_millis()).unwrap_or(u64::MAX)),
        stdout: read_all(&started.stdout, OUTPUT_LIMIT)?,
        stderr: read_all(&started.stderr, OUTPUT_LIMIT)?,
        snapshot: ended.snapshot,
        crashes: fs::read(&files.crash).map(|bytes| parse_crashes(&bytes)).unwrap_or_default(),
        left: ended.left,
        left_files: left_files.into_iter().map(|path| path.display().to_string()).collect(),
        storm,
    })
}

fn result(
    planned: &PlannedRun,
    terms: Terms,
    seen: Evidence,
    storm: crate::event::StormCounts,
    wall_us: u64,
    stopped: bool,
) -> RunResult {
    let interrupted = stopped && seen.ending.is_none() && seen.wall_limit_ms.is_none();
    let failures = if interrupted { Vec::new() } else { judge(&planned.guest, terms, &seen) };
    let outcome = if interrupted {
        Outcome::Interrupted
    } else if seen.wall_limit_ms.is_some() {
        Outcome::WallLimit
    } else if failures.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Failed
    };
    let latencies_ns = match planned.guest.used_by() {
        Use::Latency => latencies(&seen.stdout),
        Use::Test | Use::Alone | Use::Bench | Use::Control => Vec::new(),
    };
    let tally = seen.snapshot.as_ref().map(tally).unwrap_or_default();
    RunResult { id: planned.id.clone(), outcome, failures, tally, storm, wall_us, latencies_ns }
}

/// The times that a latency guest prints, a line each, after its line `ready`.
fn latencies(stdout: &[u8]) -> Vec<u64> {
    String::from_utf8_lossy(stdout).lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_in_the_hosts_directory_is_somebody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::create(dir.path()).unwrap();
        // No process has such an id.
        let pid = i32::MAX - 7;
        let path = Directory::of_host().file_of(Pid(pid));
        fs::write(&path, "").unwrap();
        let later = SystemTime::now() + Duration::from_secs(1);
        assert!(files.take_left([pid].into_iter(), later).unwrap().is_empty());
        let earlier = SystemTime::now() - Duration::from_secs(1);
        assert_eq!(files.take_left([pid].into_iter(), earlier).unwrap(), [path.as_path()]);
        assert!(!path.exists());
    }
}
