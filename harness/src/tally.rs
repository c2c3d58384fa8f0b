//! Counts of one run or of many: [`Tally`], with one [`Cell`] for every kind of thread ([`Who`]).
//!
//! A tally is read from a statistics file (`stats.rs`), merged over runs (`results.rs`), judged by `checks.rs` (one run)
//! and by `gate/verdict.rs` (all of them), and stored in the JSON report and in the gate's record. Every number is a count
//! of events. The terms are those of `docs/design.md` §8.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose counts a [`Cell`] holds: what the thread is, and how its process came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// The first thread of the process that the harness started.
    InitialBootstrap,
    /// A CLONE_THREAD worker of that process.
    InitialWorker,
    /// The first thread of a fork child.
    ChildBootstrap,
    /// A CLONE_THREAD worker of a fork child.
    ChildWorker,
}

impl Who {
    /// All kinds, in the order in which reports show them.
    pub const ALL: [Self; 4] = [Self::InitialBootstrap, Self::InitialWorker, Self::ChildBootstrap, Self::ChildWorker];

    /// Whether it is a CLONE_THREAD worker, of whatever process.
    #[must_use]
    pub const fn is_worker(self) -> bool {
        matches!(self, Self::InitialWorker | Self::ChildWorker)
    }

    /// Whether it belongs to a fork child.
    #[must_use]
    pub const fn is_child(self) -> bool {
        matches!(self, Self::ChildBootstrap | Self::ChildWorker)
    }
}

/// The counts of one kind of thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cell {
    /// Calls of `Vcpu::run`.
    pub runs_entered: u64,
    /// Exits CANCELED after at least one guest instruction.
    pub canceled_in_code: u64,
    /// Exits CANCELED by a cancel that was latched before the run.
    pub canceled_latched: u64,
    /// Exits by a synchronous exception.
    pub exception: u64,
    /// Exits VTIMER_ACTIVATED.
    pub vtimer: u64,
    /// Exits UNKNOWN.
    pub unknown: u64,
    /// Runs that failed in the hypervisor interface, and so have no exit reason.
    pub failed: u64,
    /// Runs that had been entered and not left when the counts were read (a process killed inside one).
    pub in_flight: u64,
    /// Handlers of the kick set that ran on this thread outside a run.
    pub stray_handler: u64,
    /// Handlers of the kick set that ran on this thread inside a run.
    pub inside_handler: u64,
    /// Exits that the owner of the vCPU asked for itself.
    pub self_kick: u64,
}

impl Cell {
    /// Exits, by whatever reason.
    #[must_use]
    pub const fn exits(&self) -> u64 {
        self.canceled_in_code
            .saturating_add(self.canceled_latched)
            .saturating_add(self.exception)
            .saturating_add(self.vtimer)
            .saturating_add(self.unknown)
            .saturating_add(self.failed)
    }

    /// Whether runs entered = exits by reason + runs in flight.
    #[must_use]
    pub const fn balances(&self) -> bool {
        self.runs_entered == self.exits().saturating_add(self.in_flight)
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        let pairs: [(&mut u64, u64); 11] = [
            (&mut self.runs_entered, other.runs_entered),
            (&mut self.canceled_in_code, other.canceled_in_code),
            (&mut self.canceled_latched, other.canceled_latched),
            (&mut self.exception, other.exception),
            (&mut self.vtimer, other.vtimer),
            (&mut self.unknown, other.unknown),
            (&mut self.failed, other.failed),
            (&mut self.in_flight, other.in_flight),
            (&mut self.stray_handler, other.stray_handler),
            (&mut self.inside_handler, other.inside_handler),
            (&mut self.self_kick, other.self_kick),
        ];
        for (mine, theirs) in pairs {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// The counts of a process tree, or of many.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// By kind of thread. A kind that never ran has no entry.
    pub cells: BTreeMap<Who, Cell>,
    /// Kicks by cause, under the names of `elfuse::preempt::stats`.
    pub kicks: BTreeMap<String, u64>,
    /// Records taken from transport files.
    pub records_taken: u64,
    /// Records that reached a process and were neither delivered, nor pending, nor discarded by a disposition.
    pub records_undelivered: u64,
    /// Runs of bytes in transport files that were no record.
    pub records_malformed: u64,
    /// Handlers of the kick set that ran on threads without a vCPU.
    pub process_stray_handlers: u64,
    /// Exits that a thread asked for a vCPU of its own, as the kicking side counts them.
    pub process_self_kicks: u64,
    /// Processes that counted.
    pub processes: u64,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        for (who, cell) in &other.cells {
            self.cells.entry(*who).or_default().add(cell);
        }
        for (cause, count) in &other.kicks {
            let mine = self.kicks.entry(cause.clone()).or_default();
            *mine = mine.saturating_add(*count);
        }
        self.records_taken = self.records_taken.saturating_add(other.records_taken);
        self.records_undelivered = self.records_undelivered.saturating_add(other.records_undelivered);
        self.records_malformed = self.records_malformed.saturating_add(other.records_malformed);
        self.process_stray_handlers = self.process_stray_handlers.saturating_add(other.process_stray_handlers);
        self.process_self_kicks = self.process_self_kicks.saturating_add(other.process_self_kicks);
        self.processes = self.processes.saturating_add(other.processes);
    }

    /// Handlers of the kick set that ran anywhere where none may, or inside a run.
    #[must_use]
    pub fn handlers(&self) -> u64 {
        let total = self.total();
        self.process_stray_handlers.saturating_add(total.stray_handler).saturating_add(total.inside_handler)
    }

    /// Kicks of a vCPU by its own thread, on whichever side they were counted.
    #[must_use]
    pub fn self_kicks(&self) -> u64 {
        self.process_self_kicks.saturating_add(self.total().self_kick)
    }

    /// The counts of all kinds of threads together.
    #[must_use]
    pub fn total(&self) -> Cell {
        self.sum(|_| true)
    }

    /// The counts of the kinds that `select` names.
    #[must_use]
    pub fn sum(&self, select: impl Fn(Who) -> bool) -> Cell {
        let mut sum = Cell::default();
        for (_, cell) in self.cells.iter().filter(|(who, _)| select(**who)) {
            sum.add(cell);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_select_by_kind() {
        let mut tally = Tally::default();
        for (n, who) in Who::ALL.into_iter().enumerate() {
            let cell = Cell { canceled_in_code: 10_u64.pow(u32::try_from(n).unwrap()), ..Cell::default() };
            tally.add(&Tally { cells: BTreeMap::from([(who, cell)]), processes: 1, ..Tally::default() });
        }
        assert_eq!(tally.total().canceled_in_code, 1111);
        assert_eq!(tally.sum(Who::is_worker).canceled_in_code, 1010);
        assert_eq!(tally.sum(Who::is_child).canceled_in_code, 1100);
        assert_eq!(tally.processes, 4);
    }

    #[test]
    fn a_cell_balances_only_when_every_run_is_accounted_for() {
        let cell = Cell { runs_entered: 5, exception: 2, unknown: 1, failed: 1, in_flight: 1, ..Cell::default() };
        assert!(cell.balances());
        assert!(!Cell { runs_entered: 6, ..cell }.balances());
        assert!(!Cell { vtimer: 1, ..cell }.balances());
    }

    #[test]
    fn adding_saturates() {
        let mut cell = Cell { unknown: u64::MAX, exception: u64::MAX, ..Cell::default() };
        cell.add(&Cell { unknown: 1, ..Cell::default() });
        assert_eq!((cell.unknown, cell.exits()), (u64::MAX, u64::MAX));
    }
}
