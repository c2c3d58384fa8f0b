//! From a run's statistics file to a [`Tally`]: [`StatsFile`], and the pure conversion [`tally`].
//!
//! elfuse maps the file and counts in it; this module only reads (`elfuse::preempt::stats` defines the layout and bounds
//! every number in it). While a run lives, [`StatsFile::poll`] tells cheaply, by one read of the header, whether new
//! processes have appeared.

use crate::tally::{Cell, Tally, Who};
use elfuse::preempt::stats::layout::Header;
use elfuse::preempt::stats::{
    ProcessCounter, ProcessKind, StatsError, StatsSnapshot, TaskCounter, TaskCounters, TaskRole,
};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The statistics file of a run in progress.
#[derive(Debug)]
pub struct StatsFile {
    path: PathBuf,
    file: Option<File>,
    claimed: u32,
}

impl StatsFile {
    /// The file at `path`, which elfuse may not have made yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, claimed: 0 }
    }

    /// What the file says, if slots were claimed since the last call; `None` if not, or if it is not there or not laid out
    /// yet.
    pub fn poll(&mut self) -> Option<StatsSnapshot> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let file = self.file.as_ref()?;
        let mut word = [0; 4];
        file.read_exact_at(&mut word, std::mem::offset_of!(Header, claimed) as u64).ok()?;
        let claimed = u32::from_ne_bytes(word);
        if claimed == self.claimed {
            return None;
        }
        let snapshot = StatsSnapshot::read(file).ok()?;
        // A slot that was being claimed at this moment is looked at again.
        if snapshot.unfinished_slots == 0 {
            self.claimed = claimed;
        }
        Some(snapshot)
    }

    /// What the file says now.
    ///
    /// # Errors
    /// [`StatsError`] if it is not there or is something else.
    pub fn read(&self) -> Result<StatsSnapshot, StatsError> {
        StatsSnapshot::open(&self.path)
    }
}

/// Adds up a snapshot.
#[must_use]
pub fn tally(snapshot: &StatsSnapshot) -> Tally {
    let mut tally = Tally::default();
    for task in &snapshot.tasks {
        tally.cells.entry(who(task)).or_default().add(&cell(task));
    }
    for counter in ProcessCounter::ALL {
        let count = snapshot.sum_processes(*counter);
        match cause(*counter) {
            Some(cause) if count > 0 => drop(tally.kicks.insert(cause.to_owned(), count)),
            Some(_) | None => {}
        }
    }
    tally.records_taken = snapshot.sum_processes(ProcessCounter::RecordsReceived);
    tally.records_undelivered = snapshot.sum_processes(ProcessCounter::RecordsUndelivered);
    tally.records_malformed = snapshot.sum_processes(ProcessCounter::RecordsMalformed);
    tally.process_stray_handlers = snapshot.sum_processes(ProcessCounter::StrayHandlers);
    tally.process_self_kicks = snapshot.sum_processes(ProcessCounter::SelfKicks);
    tally.processes = snapshot.processes.len() as u64;
    tally
}

/// The name of the cause, for a counter that counts kicks by cause.
const fn cause(counter: ProcessCounter) -> Option<&'static str> {
    Some(match counter {
        ProcessCounter::KicksDoorbell => "doorbell",
        ProcessCounter::KicksGuestSignal => "guest-signal",
        ProcessCounter::KicksHostSignal => "host-signal",
        ProcessCounter::KicksTimer => "timer",
        ProcessCounter::KicksWatchdog => "watchdog",
        ProcessCounter::KicksExitGroup => "exit-group",
        ProcessCounter::KicksExec => "exec",
        ProcessCounter::KicksFork => "fork",
        _ => return None,
    })
}

/// Which cell a task counts in.
#[must_use]
pub const fn who(task: &TaskCounters) -> Who {
    match (task.process, task.role) {
        (ProcessKind::Initial, TaskRole::Bootstrap) => Who::InitialBootstrap,
        (ProcessKind::Initial, TaskRole::Worker) => Who::InitialWorker,
        (ProcessKind::ForkChild, TaskRole::Bootstrap) => Who::ChildBootstrap,
        (ProcessKind::ForkChild, TaskRole::Worker) => Who::ChildWorker,
    }
}

/// The counts of one task. A negative number of runs in flight stays 0, so that the cell does not balance.
#[must_use]
pub fn cell(task: &TaskCounters) -> Cell {
    Cell {
        runs_entered: task.get(TaskCounter::RunsEntered),
        canceled_in_code: task.get(TaskCounter::ExitsCanceledInCode),
        canceled_latched: task.get(TaskCounter::ExitsCanceledLatched),
        exception: task.get(TaskCounter::ExitsException),
        vtimer: task.get(TaskCounter::ExitsVtimer),
        unknown: task.get(TaskCounter::ExitsUnknown),
        failed: task.get(TaskCounter::ExitsError),
        // At most one run of a thread is in flight: a larger difference is a run lost from the books.
        in_flight: u64::from(task.in_flight() == 1),
        stray_handler: task.get(TaskCounter::HandlersOutsideRun),
        inside_handler: task.get(TaskCounter::HandlersInsideRun),
        self_kick: task.get(TaskCounter::SelfKicks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elfuse::preempt::stats::Stats;
    use elfuse::vcpu::VcpuExit;

    #[test]
    fn a_written_file_reads_back_as_a_tally() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stats");
        let mut watched = StatsFile::new(&path);
        assert!(watched.poll().is_none());
        let stats = Stats::open(&path, ProcessKind::ForkChild).unwrap();
        let process = stats.claim_process();
        let task = stats.claim_task(TaskRole::Worker);
        task.run_entered();
        task.run_exited(&VcpuExit::Canceled { in_code: true });
        task.run_entered();
        process.bump(ProcessCounter::KicksDoorbell);
        process.bump(ProcessCounter::RecordsUndelivered);
        let tally = tally(&watched.poll().unwrap());
        assert!(watched.poll().is_none(), "nothing new");
        let cell = tally.cells[&Who::ChildWorker];
        assert_eq!((cell.runs_entered, cell.canceled_in_code, cell.in_flight), (2, 1, 1));
        assert!(cell.balances());
        assert_eq!((tally.kicks["doorbell"], tally.records_undelivered, tally.processes), (1, 1, 1));
        task.run_entered();
        let snapshot = watched.read().unwrap();
        assert!(!super::tally(&snapshot).cells[&Who::ChildWorker].balances(), "two runs in flight on one thread");
    }

    #[test]
    fn a_file_that_is_no_statistics_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stats");
        assert!(StatsFile::new(&path).read().is_err());
        std::fs::write(&path, vec![0x41; 10_000]).unwrap();
        let mut file = StatsFile::new(&path);
        assert!(file.poll().is_none());
        assert!(file.read().is_err());
    }

    proptest::proptest! {
        #[test]
        fn hostile_files_are_values(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..9000)) {
            // A right magic number, version and slot size in front of anything.
            let header = [b"ELFSTAT1".as_slice(), &1_u32.to_ne_bytes(), &512_u32.to_ne_bytes()].concat();
            let len = header.len().min(bytes.len());
            bytes[..len].copy_from_slice(&header[..len]);
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("stats");
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(snapshot) = StatsFile::new(&path).read() {
                let _ = tally(&snapshot).total().balances();
            }
        }
    }
}
