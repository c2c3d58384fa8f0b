//! What happens in the harness, as one stream of typed events: [`Event`].
//!
//! The executor and the gate send events; every reader (`report/`) sees the same ones in the same order and keeps nothing
//! back from the others. What a run found wrong is a [`Failure`] (`failure.rs`), whose kind is a [`Check`]: the gate's
//! thresholds, the controls and the reports all speak of checks.

mod failure;

pub use failure::{Check, Ending, Failure};

use crate::tally::Tally;
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
