//! One run under the storm: [`Target`], which finds the run's processes, rings them, and reads their masks.
//!
//! Processes are found in the run's statistics file, where each elfuse process claims a slot once its signals are blocked,
//! and addressed by `SenderHandle`, which holds a pidfd and refuses a process of another start time. A process is stormed
//! from the moment its transport file is open until it takes no records any more.

use super::pace::Pace;
use crate::event::{Failure, StormCounts};
use crate::stats::StatsFile;
use elfuse::abi::{Pid, SigInfo, SigSet, Signal, Tid};
use elfuse::host::clock::monotonic_ns;
use elfuse::host::signal::FAULT_SIGNALS;
use elfuse::host::thread::{TaskMask, TaskWatch};
use elfuse::preempt::transport::{Directory, SendError, SenderHandle};
use guest_tests::StormRecord;
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The kick thread's name: its mask may read open, since sigtimedwait opens it.
const KICK_THREAD: &str = "elfuse-kick";
/// Time between two readings of a process's masks, in nanoseconds; the first three follow each other faster.
const AUDIT_PERIOD_NS: u64 = 20_000_000;
/// How many times as long as a reading takes there is none.
const AUDIT_PAUSE: u64 = 20;
/// Time between the first three of them, and until a suspect is looked at again.
const FIRST_AUDITS_NS: u64 = 2_000_000;
/// How long fault signals must be seen blocked, or a single signal open, in nanoseconds: C libraries block all signals while
/// they make a thread, a process that stops or dies by a signal opens that one, and on a busy machine the thread may lose its
/// processor just there.
const SUSPECT_NS: u64 = 1_000_000_000;
/// How often the thread must have been given a processor meanwhile. One that waits for it cannot close its mask.
const SUSPECT_SWITCHES: u64 = 3;
/// After this long, in nanoseconds, it counts all the same.
const SUSPECT_ASLEEP_NS: u64 = 20_000_000_000;
/// Ticks between two thread-directed doorbells. Each waits on its thread until that drains, so more would only queue.
const TICKS_PER_TASK: usize = 8;
/// Ids from the process's own on among which its threads are looked for where `/proc` is not read: most are made just after
/// it.
const NEIGHBOURS: i32 = 32;
/// Mask failures kept of one run.
const KEPT_FAILURES: usize = 8;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All that the row allows, and thread-directed doorbells, at this rate for each process.
    Storm {
        /// Doorbells a second.
        hz: u32,
        /// The masks of all tasks are read, too.
        reads_masks: bool,
    },
    /// Guest signals alone, each with the time of its sending in `si_value`, for the latency phase.
    Stamp {
        /// Signals a second.
        hz: u32,
    },
    /// Nothing: for controls that a storm would heal.
    Quiet,
}

impl Mode {
    const fn hz(self) -> u64 {
        match self {
            Self::Storm { hz, .. } | Self::Stamp { hz } => hz as u64,
            Self::Quiet => 0,
        }
    }
}

/// What the storm knows of a run when it is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StormReport {
    /// What was sent.
    pub counts: StormCounts,
    /// Masks that were open.
    pub failures: Vec<Failure>,
    /// The slowest process's doorbells a second, of those that were stormed long enough to tell.
    pub slowest_hz: Option<u64>,
}

/// A run's processes.
#[derive(Debug)]
pub struct Target {
    mode: Mode,
    records: Vec<StormRecord>,
    stats: StatsFile,
    stdout: File,
    directory: Directory,
    ready: bool,
    closed: bool,
    processes: BTreeMap<(i32, u64), Process>,
    report: StormReport,
}

#[derive(Debug)]
struct Process {
    sender: Option<SenderHandle>,
    /// Stays open until the run is over: closed while the process is being taken away, the files would have Linux search
    /// its entries over and over.
    watch: Option<TaskWatch>,
    gone: bool,
    pace: Pace,
    next_record: usize,
    next_value: u64,
    /// Those to ring: all that were seen, or, where nobody looks, the ids that threads are likely to have.
    tasks: Vec<Tid>,
    last_task: usize,
    ticks: usize,
    audits: u64,
    next_audit_ns: u64,
    /// Tasks whose masks look wrong.
    suspects: BTreeMap<i32, Suspect>,
}

impl Target {
    /// A run whose processes count in `stats`, write to `stdout` and keep their transport files in `directory`.
    #[must_use]
    pub fn new(mode: Mode, records: &[StormRecord], stats: StatsFile, stdout: File, directory: Directory) -> Self {
        Self {
            mode,
            records: records.to_vec(),
            stats,
            stdout,
            directory,
            ready: false,
            closed: false,
            processes: BTreeMap::new(),
            report: StormReport::default(),
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Sends what is due at `now_ns`.
    pub(super) fn tick(&mut self, now_ns: u64) {
        if self.closed || self.mode == Mode::Quiet {
            return;
        }
        for process in self.stats.poll().map(|snapshot| snapshot.processes).unwrap_or_default() {
            self.processes.entry((process.pid.0, process.start_time_ticks)).or_insert_with(Process::new);
        }
        if !self.ready {
            self.ready = says_ready(&self.stdout);
        }
        let signals: Vec<Signal> = self.records.iter().filter_map(|record| guest_signal(*record)).collect();
        let job = Job { mode: self.mode, signals: if self.ready { &signals } else { &[] }, directory: &self.directory };
        for ((pid, start_time_ticks), process) in &mut self.processes {
            process.tick(Pid(*pid), *start_time_ticks, now_ns, &job, &mut self.report);
        }
    }

    pub(super) fn take_report(&mut self) -> StormReport {
        for process in self.processes.values_mut() {
            process.retire(&mut self.report, self.mode);
        }
        std::mem::take(&mut self.report)
    }
}

/// A task as it was when its mask first looked wrong.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    wrong: SigSet,
    since_ns: u64,
    switches: u64,
}

impl Suspect {
    const fn is_proven(self, now_ns: u64, switches: u64) -> bool {
        let lasted_ns = now_ns.saturating_sub(self.since_ns);
        let has_run = switches >= self.switches + SUSPECT_SWITCHES;
        lasted_ns >= SUSPECT_NS && has_run || lasted_ns >= SUSPECT_ASLEEP_NS
    }
}

/// What became of a record.
enum Taken {
    /// The doorbell was rung.
    Yes,
    /// The file is locked: the next tick tries again.
    NotNow,
    /// The process takes no more.
    NoMore,
}

/// What one tick needs to know.
struct Job<'a> {
    mode: Mode,
    /// Guest signals that may be sent now.
    signals: &'a [Signal],
    directory: &'a Directory,
}

impl Process {
    fn new() -> Self {
        Self {
            sender: None,
            watch: None,
            gone: false,
            pace: Pace::new(0, 0),
            next_record: 0,
            next_value: 1,
            tasks: Vec::new(),
            last_task: 0,
            ticks: 0,
            audits: 0,
            next_audit_ns: 0,
            suspects: BTreeMap::new(),
        }
    }

    fn tick(&mut self, pid: Pid, start_time_ticks: u64, now_ns: u64, job: &Job<'_>, report: &mut StormReport) {
        if self.gone {
            return;
        }
        if self.sender.is_none() {
            match SenderHandle::open(job.directory, pid) {
                Ok(sender) if sender.target().start_time_ticks == start_time_ticks => {
                    self.sender = Some(sender.impatient());
                    self.pace = Pace::new(job.mode.hz(), now_ns);
                }
                Ok(_) | Err(SendError::Gone(_)) => self.gone = true,
                // It has not opened its transport yet.
                Err(SendError::NotElfuse(_) | SendError::Busy(_) | SendError::Full(_) | SendError::Io { .. }) => {}
            }
        }
        if self.sender.is_none() {
            return;
        }
        if let Mode::Storm { reads_masks, .. } = job.mode {
            if reads_masks {
                self.audit(pid, now_ns, report);
            } else if self.tasks.is_empty() {
                self.tasks = (0..NEIGHBOURS).map(|offset| Tid(pid.0.saturating_add(offset))).collect();
            }
            self.ring_task(report);
        }
        for _ in 0..self.pace.due(now_ns) {
            match self.send(job, report) {
                Taken::Yes => {}
                Taken::NotNow => {
                    self.pace.refused(now_ns);
                    return;
                }
                Taken::NoMore => {
                    self.retire(report, job.mode);
                    return;
                }
            }
        }
        self.pace.ticked(now_ns);
    }

    /// Sends one record with its doorbell.
    fn send(&mut self, job: &Job<'_>, report: &mut StormReport) -> Taken {
        let Some(sender) = &self.sender else { return Taken::NoMore };
        // Every guest signal in turn, then a null record; stamped signals alone.
        let signal = match job.mode {
            Mode::Quiet => return Taken::Yes,
            Mode::Storm { .. } => job.signals.get(self.next_record % (job.signals.len() + 1)),
            Mode::Stamp { .. } => match job.signals.get(self.next_record % job.signals.len().max(1)) {
                None => return Taken::Yes,
                some => some,
            },
        };
        let sent = match signal {
            None => sender.send_null(),
            Some(signal) => {
                let value = match job.mode {
                    Mode::Storm { .. } | Mode::Quiet => self.next_value,
                    Mode::Stamp { .. } => monotonic_ns(),
                };
                let own = Pid(std::process::id().cast_signed());
                sender.send_signal(None, &SigInfo::queued(*signal, own, nix::unistd::getuid().as_raw(), value))
            }
        };
        match sent {
            Ok(_) => {
                self.next_record += 1;
                self.pace.sent();
                report.counts.doorbells += 1;
                if signal.is_some() {
                    self.next_value += 1;
                    report.counts.records += 1;
                }
                Taken::Yes
            }
            // The doorbell was rung; the record is tried again.
            Err(SendError::Full(_)) => {
                self.pace.sent();
                report.counts.doorbells += 1;
                Taken::Yes
            }
            Err(SendError::Busy(_)) => Taken::NotNow,
            Err(SendError::Gone(_) | SendError::NotElfuse(_) | SendError::Io { .. }) => Taken::NoMore,
        }
    }

    /// Rings one task, each in its turn, at every eighth tick.
    fn ring_task(&mut self, report: &mut StormReport) {
        let tick = self.ticks;
        self.ticks += 1;
        if !tick.is_multiple_of(TICKS_PER_TASK) {
            return;
        }
        let Some(sender) = &self.sender else { return };
        if !sender.takes_records() {
            return;
        }
        for _ in 0..self.tasks.len() {
            self.last_task = (self.last_task + 1) % self.tasks.len();
            // An id may be no thread's (ESRCH), or no longer.
            if self.tasks.get(self.last_task).is_some_and(|tid| sender.ring_thread(*tid).is_ok()) {
                report.counts.thread_doorbells += 1;
                return;
            }
        }
    }

    /// Reads the masks of all tasks, where it is time.
    fn audit(&mut self, pid: Pid, now_ns: u64, report: &mut StormReport) {
        if now_ns < self.next_audit_ns {
            return;
        }
        self.audits += 1;
        self.next_audit_ns = now_ns + if self.audits > 3 { AUDIT_PERIOD_NS } else { FIRST_AUDITS_NS };
        if self.watch.is_none() {
            self.watch = TaskWatch::open(pid).ok();
        }
        let Some(Ok(tasks)) = self.watch.as_mut().map(TaskWatch::read) else { return };
        // A process of hundreds of tasks must not keep the storm from all others.
        let took_ns = monotonic_ns().saturating_sub(now_ns);
        self.next_audit_ns = self.next_audit_ns.max(now_ns + took_ns * AUDIT_PAUSE);
        self.tasks = tasks.iter().map(|task| task.tid).collect();
        report.counts.masks_read += tasks.len() as u64;
        for task in &tasks {
            let wrong = self.wrong_signals(task, now_ns);
            if !wrong.is_empty() {
                self.note_mask(pid, task, wrong, report);
            }
        }
    }

    /// What is wrong with a task's mask at `now_ns`: signals of the kick set that are open, or fault signals that stay
    /// blocked.
    fn wrong_signals(&mut self, task: &TaskMask, now_ns: u64) -> SigSet {
        let open = task.wrongly_open();
        // Time stands still for a process that is stopped, wherever it was.
        let blocked_faults = if task.is_stopped { SigSet::EMPTY } else { task.blocked.intersection(FAULT_SIGNALS) };
        let wrong = if open.is_empty() { blocked_faults } else { open };
        if task.name == KICK_THREAD || wrong.is_empty() {
            self.suspects.remove(&task.tid.0);
            return SigSet::EMPTY;
        }
        let anew = Suspect { wrong, since_ns: now_ns, switches: task.switches };
        let first = *self.suspects.entry(task.tid.0).or_insert(anew);
        if open.iter().count() > 1 || first.wrong == wrong && first.is_proven(now_ns, task.switches) {
            return wrong;
        }
        self.next_audit_ns = self.next_audit_ns.min(now_ns + FIRST_AUDITS_NS);
        SigSet::EMPTY
    }

    fn note_mask(&self, pid: Pid, task: &TaskMask, wrong: SigSet, report: &mut StormReport) {
        // A process that has ended shows zombies' masks, and a host program that has taken its place its own.
        let ended = self.sender.as_ref().is_none_or(|sender| !sender.takes_records());
        let known = report.failures.iter().any(|f| matches!(f, Failure::Mask { tid, .. } if *tid == task.tid.0));
        if ended || known || report.failures.len() >= KEPT_FAILURES {
            return;
        }
        report.failures.push(Failure::Mask {
            pid: pid.0,
            tid: task.tid.0,
            comm: task.name.clone(),
            sig_blk: task.blocked.0,
            wrong: wrong.0,
        });
    }

    /// The process takes no more, or the run is over.
    fn retire(&mut self, report: &mut StormReport, mode: Mode) {
        if self.sender.take().is_some() {
            report.counts.process_us += self.pace.us();
            report.counts.late_us += self.pace.late_us();
            if matches!(mode, Mode::Storm { .. })
                && let Some(hz) = self.pace.rate()
            {
                report.slowest_hz = Some(report.slowest_hz.map_or(hz, |slowest| slowest.min(hz)));
            }
        }
        self.gone = true;
    }
}

fn says_ready(stdout: &File) -> bool {
    let mut line = [0; 6];
    stdout.read_exact_at(&mut line, 0).is_ok() && line == *b"ready\n"
}

fn guest_signal(record: StormRecord) -> Option<Signal> {
    match record {
        StormRecord::Null => None,
        StormRecord::Signal(signal) => Signal::new(i32::from(signal.number())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elfuse::host::signal::kick_set;

    fn task(name: &str, blocked: SigSet) -> TaskMask {
        TaskMask { tid: Tid(7), name: name.into(), blocked, pending: SigSet::EMPTY, is_stopped: false, switches: 0 }
    }

    /// The task after it has been given a processor for some time.
    fn ran(task: TaskMask) -> TaskMask {
        TaskMask { switches: SUSPECT_SWITCHES, ..task }
    }

    #[test]
    fn an_open_mask_is_seen_except_on_the_kick_thread() {
        let mut process = Process::new();
        let doorbell_and_alarm = SigSet::of(&[Signal::SIGUSR2, Signal::SIGALRM]);
        let mask = kick_set().difference(doorbell_and_alarm);
        assert_eq!(process.wrong_signals(&task("elfuse", mask), 1), doorbell_and_alarm);
        assert_eq!(process.wrong_signals(&task(KICK_THREAD, mask), 2), SigSet::EMPTY);
        assert_eq!(process.wrong_signals(&task("elfuse", kick_set()), 3), SigSet::EMPTY);
    }

    #[test]
    fn a_stopped_process_may_have_its_stop_signal_open() {
        let mut process = Process::new();
        let open = |signal| kick_set().difference(SigSet::of(&[signal]));
        let stopped = |signal| TaskMask { is_stopped: true, ..task("elfuse", open(signal)) };
        for now_ns in 1..4 {
            assert_eq!(process.wrong_signals(&stopped(Signal::SIGTSTP), now_ns), SigSet::EMPTY);
        }
        assert_eq!(process.wrong_signals(&stopped(Signal::SIGTERM), 4), SigSet::EMPTY);
        let later = SUSPECT_NS + 4;
        assert_eq!(process.wrong_signals(&ran(stopped(Signal::SIGTERM)), later), SigSet::of(&[Signal::SIGTERM]));
    }

    #[test]
    fn a_single_open_signal_must_be_seen_for_a_while() {
        let mut process = Process::new();
        let term = SigSet::of(&[Signal::SIGTERM]);
        let dying = task("elfuse", kick_set().difference(term));
        assert_eq!(process.wrong_signals(&dying, 1), SigSet::EMPTY);
        assert_eq!(process.wrong_signals(&dying, SUSPECT_NS), SigSet::EMPTY);
        assert_eq!(process.wrong_signals(&dying, SUSPECT_NS + 1), SigSet::EMPTY, "it has not run since");
        assert_eq!(process.wrong_signals(&ran(dying.clone()), SUSPECT_NS + 1), term);
        assert_eq!(process.wrong_signals(&dying, SUSPECT_ASLEEP_NS + 1), term);
        assert_eq!(process.wrong_signals(&task("elfuse", kick_set()), SUSPECT_NS + 2), SigSet::EMPTY);
        assert_eq!(process.wrong_signals(&dying, SUSPECT_NS + 3), SigSet::EMPTY, "anew");
    }

    #[test]
    fn blocked_faults_count_only_when_they_stay() {
        let mut process = Process::new();
        let all = task("elfuse", SigSet::ALL);
        assert!(process.wrong_signals(&all, 1).is_empty());
        assert!(process.wrong_signals(&all, SUSPECT_NS).is_empty());
        assert_eq!(process.wrong_signals(&ran(all.clone()), SUSPECT_NS + 1), FAULT_SIGNALS);
        assert!(process.wrong_signals(&TaskMask { is_stopped: true, ..all.clone() }, SUSPECT_NS + 1).is_empty());
        assert_eq!(process.wrong_signals(&all, SUSPECT_NS + 2), SigSet::EMPTY, "counted anew");
        assert_eq!(process.wrong_signals(&ran(all.clone()), 2 * SUSPECT_NS + 2), FAULT_SIGNALS);
        assert!(process.wrong_signals(&task("elfuse", kick_set()), SUSPECT_NS + 2).is_empty());
        assert!(process.wrong_signals(&all, SUSPECT_NS + 3).is_empty(), "counted anew");
    }

    #[test]
    fn ready_is_the_first_line() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let file = File::open(path.path()).unwrap();
        assert!(!says_ready(&file));
        std::fs::write(path.path(), "read").unwrap();
        assert!(!says_ready(&file));
        std::fs::write(path.path(), "ready\nmore").unwrap();
        assert!(says_ready(&file));
    }
}
