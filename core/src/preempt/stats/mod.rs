//! Exit statistics: the shared, memory-mapped file in which every vCPU thread and every elfuse process counts.
//!
//! Key types: [`Stats`] (the mapping, one per process), [`TaskStats`] (the slot of a vCPU thread, written by it
//! alone), [`ProcessStats`] (the slot of a process, written by its kick thread and helpers), [`StatsSnapshot`] (what a
//! reader sees, [`read`]). Counts live in shared memory, so those of a process that was killed are not lost
//! (`docs/design.md` §8). Layout in [`layout`].
//!
//! Per task slot, `runs_entered` equals the sum of the exits plus the run in flight (0 or 1).
//!
//! ```no_run
//! use elfuse::preempt::stats::{StatsSnapshot, TaskCounter};
//! let snapshot = StatsSnapshot::open(std::path::Path::new("/tmp/run.stats"))?;
//! for task in &snapshot.tasks {
//!     println!("{:?} {:?}: {} unknown", task.process, task.role, task.get(TaskCounter::ExitsUnknown));
//! }
//! # Ok::<(), elfuse::preempt::stats::StatsError>(())
//! ```

pub mod layout;
mod read;
mod write;

pub use layout::{ProcessCounter, ProcessKind, TaskCounter, TaskRole};
pub use read::{ProcessCounters, StatsSnapshot, TaskCounters};
pub use write::{ProcessStats, Stats, TaskStats};

use std::io;

use crate::host::errno::io_text;

/// Why a statistics file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StatsError {
    /// The host refused an operation on it.
    #[error("cannot {action} it: {}; name a new file in a folder where you may write", io_text(source))]
    Io {
        /// What was tried: open, map, read, lock, ...
        action: &'static str,
        /// What the host said.
        source: io::Error,
    },
    /// It is no statistics file of this version.
    #[error("not a statistics file of this version of elfuse: {0}; name another file")]
    Format(&'static str),
}

impl StatsError {
    fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
