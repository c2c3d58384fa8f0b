//! What a run can do wrong: [`Failure`], and its kind, [`Check`]. `check.rs` is where runs are judged.

use crate::tally::Who;
use serde::{Deserialize, Serialize};
use std::fmt;

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
