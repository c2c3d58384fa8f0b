//! The reader's side of the statistics file: [`StatsSnapshot`].
//!
//! The file is read, not mapped, so that one that is cut short or rewritten by somebody else cannot raise SIGBUS. All
//! that it says is checked and bounded: a hostile file gives an error or nonsense counts, never a panic.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::StatsError;
use super::layout::{self, ProcessCounter, ProcessKind, SLOT_COUNTERS, TaskCounter, TaskRole};
use crate::abi::{Pid, Tid};

/// The counters of a vCPU thread, or of several that used one slot after another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskCounters {
    /// What the thread is in its process.
    pub role: TaskRole,
    /// How its process came to be.
    pub process: ProcessKind,
    /// Its process.
    pub pid: Pid,
    /// Its thread id (of the last one, where several used the slot).
    pub tid: Tid,
    /// When the process started, in clock ticks since boot.
    pub start_time_ticks: u64,
    /// How many threads have used the slot.
    pub generation: u64,
    /// False once the thread has ended in an orderly way.
    pub live: bool,
    counters: [u64; SLOT_COUNTERS],
}

impl TaskCounters {
    /// One counter.
    #[must_use]
    pub const fn get(&self, counter: TaskCounter) -> u64 {
        self.counters[counter as usize]
    }

    /// Exits of all reasons.
    #[must_use]
    pub fn exits(&self) -> u64 {
        [
            TaskCounter::ExitsCanceledInCode,
            TaskCounter::ExitsCanceledLatched,
            TaskCounter::ExitsException,
            TaskCounter::ExitsVtimer,
            TaskCounter::ExitsUnknown,
            TaskCounter::ExitsError,
        ]
        .into_iter()
        .fold(0, |sum: u64, counter| sum.saturating_add(self.get(counter)))
    }

    /// Runs entered that have not ended: 0, or 1 for a thread that is inside (or was killed inside) a run. Anything
    /// else, negative included, means that a run was lost from the books.
    #[must_use]
    pub fn in_flight(&self) -> i64 {
        self.get(TaskCounter::RunsEntered).wrapping_sub(self.exits()).cast_signed()
    }
}

/// The counters of a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessCounters {
    /// How it came to be.
    pub process: ProcessKind,
    /// Its id.
    pub pid: Pid,
    /// When it started, in clock ticks since boot.
    pub start_time_ticks: u64,
    /// False once it has ended in an orderly way.
    pub live: bool,
    counters: [u64; SLOT_COUNTERS],
}

impl ProcessCounters {
    /// One counter.
    #[must_use]
    pub const fn get(&self, counter: ProcessCounter) -> u64 {
        self.counters[counter as usize]
    }
}

/// All that a statistics file says at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StatsSnapshot {
    /// One entry per task slot.
    pub tasks: Vec<TaskCounters>,
    /// One entry per process.
    pub processes: Vec<ProcessCounters>,
    /// Claims that found the file full.
    pub overflowed: u64,
    /// Claimed slots that make no sense: unknown kind or role.
    pub unreadable_slots: u64,
    /// Slots that were being claimed at this moment, or whose process was killed just then. Nothing was counted in them.
    pub unfinished_slots: u64,
}

impl StatsSnapshot {
    /// Reads the file at `path`. While writers live the counts of one slot are not of one instant.
    ///
    /// # Errors
    /// [`StatsError::Io`] where it cannot be read, [`StatsError::Format`] where it is something else.
    pub fn open(path: &Path) -> Result<Self, StatsError> {
        Self::read(&File::open(path).map_err(StatsError::io("open"))?)
    }

    /// Reads an open file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(file: &File) -> Result<Self, StatsError> {
        let metadata = file.metadata().map_err(StatsError::io("read"))?;
        if !metadata.is_file() {
            return Err(StatsError::Format("not a regular file"));
        }
        let mut header = [0; 32];
        file.read_exact_at(&mut header, 0).map_err(|_| StatsError::Format("shorter than its header"))?;
        check_header(&header)?;
        let room = metadata.len().saturating_sub(layout::HEADER_BYTES as u64) / layout::SLOT_BYTES as u64;
        let claimed = u64::from(word32(&header, 20)).min(room).min(u64::from(layout::FILE_SLOTS));
        let mut snapshot = Self { overflowed: word64(&header, 24), ..Self::default() };
        let mut slot = [0; layout::SLOT_BYTES];
        for index in 0..claimed {
            let at = layout::HEADER_BYTES as u64 + index * layout::SLOT_BYTES as u64;
            file.read_exact_at(&mut slot, at).map_err(StatsError::io("read"))?;
            snapshot.add(&slot);
        }
        Ok(snapshot)
    }

    /// Sum of a counter over all tasks that `select` picks.
    pub fn sum_tasks(&self, counter: TaskCounter, select: impl Fn(&TaskCounters) -> bool) -> u64 {
        self.tasks.iter().filter(|task| select(task)).fold(0, |sum: u64, task| sum.saturating_add(task.get(counter)))
    }

    /// Sum of a counter over all processes.
    #[must_use]
    pub fn sum_processes(&self, counter: ProcessCounter) -> u64 {
        self.processes.iter().fold(0, |sum: u64, process| sum.saturating_add(process.get(counter)))
    }

    fn add(&mut self, slot: &[u8; layout::SLOT_BYTES]) {
        let counters = std::array::from_fn(|i| word64(slot, layout::COUNTERS_OFFSET + 8 * i));
        let live = word32(slot, 0) == layout::STATE_LIVE;
        let process = ProcessKind::from_number(word32(slot, 12));
        let role = TaskRole::from_number(word32(slot, 8));
        let pid = Pid(word32(slot, 16).cast_signed());
        let start_time_ticks = word64(slot, 24);
        if word32(slot, 0) == layout::STATE_FREE {
            self.unfinished_slots += 1;
        } else if let (layout::KIND_PROCESS, Some(process)) = (word32(slot, 4), process) {
            self.processes.push(ProcessCounters { process, pid, start_time_ticks, live, counters });
        } else if let (layout::KIND_TASK, Some(process), Some(role)) = (word32(slot, 4), process, role) {
            let tid = Tid(word32(slot, 20).cast_signed());
            let generation = word64(slot, 32);
            self.tasks.push(TaskCounters { role, process, pid, tid, start_time_ticks, generation, live, counters });
        } else {
            self.unreadable_slots += 1;
        }
    }
}

/// Checks magic, version and slot size.
pub(super) fn check_header(header: &[u8; 32]) -> Result<(), StatsError> {
    if header[..8] != layout::MAGIC {
        return Err(StatsError::Format("wrong magic number"));
    }
    if word32(header, 8) != layout::VERSION {
        return Err(StatsError::Format("another version"));
    }
    if word32(header, 12) as usize != layout::SLOT_BYTES {
        return Err(StatsError::Format("another slot size"));
    }
    Ok(())
}

/// The 32-bit word at byte `at`; callers pass constants inside `bytes`.
pub(super) fn word32(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]))
}

fn word64(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]))
}
