//! What happens in the harness, as one stream of typed events: [`Event`].
//!
//! The executor and the gate send events; every reader (`report/`) sees the same ones in the same order and keeps nothing
//! back from the others. What a run found wrong is a [`Failure`], whose kind is a [`Check`]: the gate's thresholds, the
//! controls and the reports all speak of checks.

use crate::tally::{Tally, Who};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A part of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// All guests under a storm, on the measuring build.
    Measure,
    /// Each control's guests, on the build with deliberate breakages.
    Controls,
    /// Doorbell to handler, on an idle machine with one job.
    Latency,
    /// The plan of [`Phase::Measure`] again, on the build where UNKNOWN is fatal.
    Fatal,
}

impl Phase {
    /// The phases of the gate, in their order.
    pub const ALL: [Self; 4] = [Self::Measure, Self::Controls, Self::Latency, Self::Fatal];
    /// The name in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measure => "measure",
            Self::Controls => "controls",
            Self::Latency => "latency",
            Self::Fatal => "fatal",
        }
    }
}

/// Which run: the unit that is planned, seen and judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId {
    /// The phase it belongs to.
    pub phase: Phase,
    /// The guest's row in the manifest.
    pub guest: String,
    /// The control that is switched on, in [`Phase::Controls`].
    pub control: Option<String>,
    /// Counts from 0 for each guest and control.
    pub iteration: u32,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.phase.name(), self.guest)?;
        if let Some(control) = &self.control {
            write!(f, " with {control}")?;
        }
        write!(f, " #{}", self.iteration)
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ended and every check passed.
    Passed,
    /// It ended and a check failed.
    Failed,
    /// The harness ended it: it took longer than its wall limit.
    WallLimit,
    /// It could not be started.
    NotStarted,
    /// The harness was told to stop while it ran. Says nothing about the guest.
    Interrupted,
}

/// The checks, each with a kind of [`Failure`]. The order is that of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// No exit is UNKNOWN.
    Unknown,
    /// No handler of the kick set runs outside a run (or inside one without an UNKNOWN).
    StrayHandler,
    /// No vCPU is kicked by its own thread.
    SelfKick,
    /// Every task has the kick set blocked, save the kick thread while it waits.
    Mask,
    /// Runs entered = exits by reason + runs in flight.
    Balance,
    /// A spinning guest is interrupted inside guest code often enough, on the threads that its row names.
    InCode,
    /// No record is lost.
    Undelivered,
    /// Exit status or signal are what the row says.
    Ending,
    /// Standard output is the golden one.
    Output,
    /// Crash records are there where the row wants one, and nowhere else.
    Crash,
    /// It ends within its wall limit.
    WallLimit,
    /// No process is left, other than the row says.
    LeftProcess,
    /// No transport file is left.
    LeftFile,
    /// Every elfuse process counts: the statistics file is there and readable.
    Stats,
    /// Every process of the run's tree gets as many doorbells a second as the storm promises.
    StormRate,
    /// The run could be started.
    Start,
}

impl Check {
    /// All checks, in the order of reports.
    pub const ALL: [Self; 16] = [
        Self::Unknown,
        Self::StrayHandler,
        Self::SelfKick,
        Self::Mask,
        Self::Balance,
        Self::InCode,
        Self::Undelivered,
        Self::Ending,
        Self::Output,
        Self::Crash,
        Self::WallLimit,
        Self::LeftProcess,
        Self::LeftFile,
        Self::Stats,
        Self::StormRate,
        Self::Start,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::StrayHandler => "stray-handler",
            Self::SelfKick => "self-kick",
            Self::Mask => "mask",
            Self::Balance => "balance",
            Self::InCode => "in-code",
            Self::Undelivered => "undelivered",
            Self::Ending => "ending",
            Self::Output => "output",
            Self::Crash => "crash",
            Self::WallLimit => "wall-limit",
            Self::LeftProcess => "left-process",
            Self::LeftFile => "left-file",
            Self::Stats => "stats",
            Self::StormRate => "storm-rate",
            Self::Start => "start",
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By exit, with this status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "death by signal {signal}"),
        }
    }
}

/// What a run did wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
pub enum Failure {
    /// UNKNOWN exits were counted.
    Unknown {
        /// How many.
        count: u64,
    },
    /// Handlers of the kick set ran where none may.
    StrayHandler {
        /// How many, inside and outside of runs.
        count: u64,
    },
    /// A vCPU was kicked by its own thread.
    SelfKick {
        /// How often.
        count: u64,
    },
    /// A task was seen with a signal of the kick set open, or with fault signals blocked for long.
    Mask {
        /// The process.
        pid: i32,
        /// The task.
        tid: i32,
        /// Its name, from `/proc/PID/task/TID/comm`.
        comm: String,
        /// Its SigBlk.
        sig_blk: u64,
        /// The signals that are wrong in it.
        wrong: u64,
    },
    /// Runs entered are not exits plus runs in flight.
    Balance {
        /// Whose runs.
        who: Who,
        /// Runs entered.
        entered: u64,
        /// Exits by reason, summed, and runs in flight.
        accounted: u64,
    },
    /// Too few cancellations inside guest code.
    InCode {
        /// On which threads: `any`, `workers` or `children`.
        place: String,
        /// How many there were.
        count: u64,
        /// How many there must be.
        wanted: u64,
    },
    /// Records were lost.
    Undelivered {
        /// How many.
        count: u64,
    },
    /// It ended otherwise than the row says.
    Ending {
        /// What the row says.
        wanted: Ending,
        /// What happened.
        seen: Ending,
        /// The end of its standard error.
        stderr: String,
    },
    /// Its standard output is not the golden one.
    Output {
        /// The end of what it wrote.
        seen: String,
    },
    /// A crash record that the row does not announce, or the lack of one that it does.
    Crash {
        /// The kind that the row announces.
        wanted: Option<String>,
        /// The kinds that were written.
        seen: Vec<String>,
        /// The first unannounced record as it stands in the file, cut to a few hundred bytes.
        record: String,
    },
    /// It did not end by itself in time.
    WallLimit {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// Processes were left.
    LeftProcess {
        /// Their ids.
        pids: Vec<i32>,
        /// How many the row says.
        wanted: u32,
    },
    /// Transport files were left.
    LeftFile {
        /// Their paths.
        paths: Vec<String>,
    },
    /// The statistics cannot be read.
    Stats {
        /// Why.
        problem: String,
    },
    /// Too few doorbells.
    StormRate {
        /// Doorbells a second that a process got.
        hz: u64,
        /// How many it should have got.
        wanted_hz: u64,
    },
    /// It could not be started.
    Start {
        /// Why, and what to do.
        problem: String,
    },
}

impl Failure {
    /// The check that found it.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self {
            Self::Unknown { .. } => Check::Unknown,
            Self::StrayHandler { .. } => Check::StrayHandler,
            Self::SelfKick { .. } => Check::SelfKick,
            Self::Mask { .. } => Check::Mask,
            Self::Balance { .. } => Check::Balance,
            Self::InCode { .. } => Check::InCode,
            Self::Undelivered { .. } => Check::Undelivered,
            Self::Ending { .. } => Check::Ending,
            Self::Output { .. } => Check::Output,
            Self::Crash { .. } => Check::Crash,
            Self::WallLimit { .. } => Check::WallLimit,
            Self::LeftProcess { .. } => Check::LeftProcess,
            Self::LeftFile { .. } => Check::LeftFile,
            Self::Stats { .. } => Check::Stats,
            Self::StormRate { .. } => Check::StormRate,
            Self::Start { .. } => Check::Start,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { count } => write!(f, "{count} UNKNOWN exits"),
            Self::StrayHandler { count } => write!(f, "{count} stray signal handlers"),
            Self::SelfKick { count } => write!(f, "{count} kicks of a vCPU by its own thread"),
            Self::Mask { pid, tid, comm, sig_blk, wrong } => {
                write!(f, "task {tid} ({comm}) of process {pid} has SigBlk {sig_blk:016x}: wrong in {wrong:016x}")
            }
            Self::Balance { who, entered, accounted } => {
                write!(f, "{who:?}: {entered} runs entered, {accounted} accounted for")
            }
            Self::InCode { place, count, wanted } => {
                write!(f, "{count} cancellations inside guest code ({place}), at least {wanted} wanted")
            }
            Self::Undelivered { count } => write!(f, "{count} records undelivered"),
            Self::Ending { wanted, seen, stderr } => {
                write!(f, "{seen}, {wanted} wanted")?;
                if stderr.is_empty() { Ok(()) } else { write!(f, "; standard error: {stderr}") }
            }
            Self::Output { seen } => write!(f, "standard output is not the golden one: {seen:?}"),
            Self::Crash { wanted: Some(wanted), seen, .. } => {
                write!(f, "crash records {seen:?}, one {wanted} wanted")
            }
            Self::Crash { wanted: None, record, .. } => write!(f, "crash record: {record}"),
            Self::WallLimit { limit_ms } => write!(f, "did not end within {limit_ms} ms"),
            Self::LeftProcess { pids, wanted } => write!(f, "processes left: {pids:?}, {wanted} wanted"),
            Self::LeftFile { paths } => write!(f, "files left: {}", paths.join(" ")),
            Self::Stats { problem } => write!(f, "statistics: {problem}"),
            Self::StormRate { hz, wanted_hz } => write!(f, "{hz} doorbells a second, {wanted_hz} wanted"),
            Self::Start { problem } => f.write_str(problem),
        }
    }
}

/// What the storm did to one run, or to many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StormCounts {
    /// Doorbells sent to processes, with or without a record.
    pub doorbells: u64,
    /// Records with a guest signal among them.
    pub records: u64,
    /// Doorbells sent to single tasks.
    pub thread_doorbells: u64,
    /// Masks read from `/proc`.
    pub masks_read: u64,
    /// Time under the storm in microseconds, summed over processes.
    pub process_us: u64,
    /// Time in microseconds that processes lived without it, since the storm itself got no processor.
    #[serde(default)]
    pub late_us: u64,
    /// Members of trees that were killed at random.
    #[serde(default)]
    pub kills: u64,
}

impl StormCounts {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.doorbells = self.doorbells.saturating_add(other.doorbells);
        self.records = self.records.saturating_add(other.records);
        self.thread_doorbells = self.thread_doorbells.saturating_add(other.thread_doorbells);
        self.masks_read = self.masks_read.saturating_add(other.masks_read);
        self.process_us = self.process_us.saturating_add(other.process_us);
        self.late_us = self.late_us.saturating_add(other.late_us);
        self.kills = self.kills.saturating_add(other.kills);
    }

    /// The part of the processes' lives that the storm missed, in thousandths.
    #[must_use]
    pub fn late_per_mille(&self) -> u64 {
        let all_us = self.process_us.saturating_add(self.late_us);
        self.late_us.saturating_mul(1000).checked_div(all_us).unwrap_or(0)
    }

    /// Doorbells a second that each process got, on average; `None` where there was no time to get any.
    #[must_use]
    pub fn hz(&self) -> Option<u64> {
        self.doorbells.saturating_mul(1_000_000).checked_div(self.process_us)
    }
}

/// The end of a run, with all that was seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// Which run.
    pub id: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did wrong; empty if and only if it passed or was interrupted.
    pub failures: Vec<Failure>,
    /// Its tree's counts.
    pub tally: Tally,
    /// What the storm did to it.
    pub storm: StormCounts,
    /// Wall time in microseconds.
    pub wall_us: u64,
    /// Doorbell-to-handler times in nanoseconds that a latency guest printed.
    pub latencies_ns: Vec<u64>,
}

/// Whether a control was caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlResult {
    /// The control.
    pub control: String,
    /// The guest that it ran with.
    pub guest: String,
    /// The check that must catch it.
    pub caught_by: Check,
    /// Runs planned.
    pub planned: u32,
    /// Runs seen.
    pub seen: u32,
    /// Runs in which the named check failed, and no check that the control does not explain.
    pub caught: u32,
    /// How often each check failed.
    pub fired: BTreeMap<Check, u32>,
}

impl ControlResult {
    /// Whether it was caught by its check, and by no other, in every repetition.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.planned > 0 && self.seen == self.planned && self.caught == self.planned
    }
}

/// Times of one latency guest, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LatencyResult {
    /// The guest.
    pub guest: String,
    /// Doorbells measured.
    pub samples: u64,
    /// The median.
    pub p50_ns: u64,
    /// The 99th percentile.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// The distribution, in buckets whose limits grow by a constant factor; without those before the first time and
    /// behind the last.
    #[serde(default)]
    pub buckets: Vec<Bucket>,
}

/// Times between the limit of the bucket before and this one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The upper limit in nanoseconds, included.
    pub up_to_ns: u64,
    /// How many times are in it.
    pub count: u64,
}

/// An elfuse binary that the harness built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// `measuring`, `controls` or `fatal`.
    pub kind: String,
    /// What its `--version` prints.
    pub version: String,
    /// Wall time of the build in milliseconds.
    pub wall_ms: u64,
}

/// The gate's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether "UNKNOWN is fatal" may be on.
    pub passed: bool,
    /// Why not, one line each; empty if and only if it passed.
    pub reasons: Vec<String>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A binary is being built.
    BuildStarted {
        /// `measuring`, `controls` or `fatal`.
        kind: &'static str,
    },
    /// A binary was built.
    BuildFinished(Build),
    /// A phase begins.
    PhaseStarted(Phase),
    /// Runs that must be seen, in number; may come again in the same phase, and then adds.
    Planned {
        /// The phase.
        phase: Phase,
        /// The guest.
        guest: String,
        /// How many more runs of it.
        runs: u32,
    },
    /// A run begins.
    RunStarted(RunId),
    /// A run is over.
    RunFinished(Box<RunResult>),
    /// A control's repetitions are over.
    ControlFinished(ControlResult),
    /// A latency guest's runs are over.
    LatencyMeasured(LatencyResult),
    /// A phase is over.
    PhaseFinished {
        /// Which.
        phase: Phase,
        /// Processes that the phase left and that belong to no run.
        strays: Vec<i32>,
        /// Its wall time in milliseconds.
        wall_ms: u64,
    },
    /// Somebody asked the harness to stop; the runs in progress are being ended.
    Interrupted,
    /// All is over.
    Verdict(Verdict),
}

/// Whoever looks at the events.
pub trait Reader {
    /// Takes note of `event`.
    ///
    /// # Errors
    /// Whatever keeps the reader from writing what it writes; the harness then stops, and says so.
    fn event(&mut self, event: &Event) -> std::io::Result<()>;
}
