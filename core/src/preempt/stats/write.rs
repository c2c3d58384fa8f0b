//! The writers' side of the statistics file: [`Stats`], [`TaskStats`], [`ProcessStats`].
//!
//! A task slot has one writer at a time, the thread that holds its [`TaskStats`], so that counting is a plain load and
//! store. A process slot has several and counts with atomic additions. A slot that a thread gives back is used again
//! by a later thread of the same process and role, which counts on from what it finds.

#![expect(unsafe_code, reason = "views into a shared memory mapping")]

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};

use super::layout::{self, Header, ProcessCounter, ProcessKind, Slot, TaskCounter, TaskRole};
use super::{StatsError, read};
use crate::abi::Tid;
use crate::host::memory;
use crate::host::process::{self, ProcessIdentity};
use crate::host::signal::HandlerCounters;
use crate::host::thread;
use crate::vcpu::VcpuExit;

/// The statistics mapping of this process. It stays mapped until the process ends, so that a signal handler may count
/// in it at any time.
#[derive(Debug)]
pub struct Stats {
    header: &'static Header,
    slots: &'static [Slot],
    identity: ProcessIdentity,
    kind: ProcessKind,
    /// Guards nothing but itself: indices of task slots of this process that their threads have given back.
    returned: Mutex<Vec<(TaskRole, usize)>>,
    /// Other processes count in the mapping too.
    is_shared: bool,
}

impl Stats {
    /// Opens the statistics file at `path` and makes it if it is not there, with mode 0600.
    ///
    /// # Errors
    /// [`StatsError`] where it cannot be made, opened or mapped, or is something else. One that was empty is empty again.
    pub fn open(path: &Path, kind: ProcessKind) -> Result<Arc<Self>, StatsError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW);
        Self::from_file(options.open(path).map_err(StatsError::io("open"))?, kind)
    }

    /// Uses an open statistics file; an empty one is laid out first.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_file(file: File, kind: ProcessKind) -> Result<Arc<Self>, StatsError> {
        let len = layout::HEADER_BYTES + layout::FILE_SLOTS as usize * layout::SLOT_BYTES;
        file.lock().map_err(StatsError::io("lock"))?;
        let laid_out = lay_out(&file, len);
        file.unlock().map_err(StatsError::io("unlock"))?;
        laid_out?;
        let flags = MapFlags::MAP_SHARED;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let base =
            unsafe { mmap(None, nonzero(len), ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags, file.as_fd(), 0) }
                .map_err(|errno| StatsError::io("map")(errno.into()))?;
        Ok(Self::over(base, layout::FILE_SLOTS as usize, kind, true))
    }

    /// Counts in private memory, for a process that was given no file.
    ///
    /// # Errors
    /// [`StatsError::Io`] where the host has no memory.
    pub fn anonymous(kind: ProcessKind) -> Result<Arc<Self>, StatsError> {
        let slots = layout::ANONYMOUS_SLOTS as usize;
        let len = nonzero(layout::HEADER_BYTES + slots * layout::SLOT_BYTES);
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let base = unsafe { mmap_anonymous(None, len, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags) }
            .map_err(|errno| StatsError::io("map")(errno.into()))?;
        Ok(Self::over(base, slots, kind, false))
    }

    /// In a host fork's child: the same mapping, for a process of its own. A private mapping begins anew.
    ///
    /// # Errors
    /// [`StatsError::Io`] where the host does not empty the private mapping.
    pub fn for_forked_process(&self) -> Result<Arc<Self>, StatsError> {
        let start = NonNull::from(self.header).cast::<libc::c_void>();
        let slots = self.slots.len();
        if !self.is_shared {
            let len = layout::HEADER_BYTES + slots * layout::SLOT_BYTES;
            // SAFETY: the mapping is this long; it consists of integers that are atomic or never read, and zero is valid.
            unsafe { nix::sys::mman::madvise(start, len, nix::sys::mman::MmapAdvise::MADV_DONTNEED) }
                .map_err(|errno| StatsError::io("empty")(errno.into()))?;
            // It is zero by now; a page that is written first is not mapped for reading before.
            self.header.claimed.store(0, Relaxed);
        }
        Ok(Self::over(start, slots, ProcessKind::ForkChild, self.is_shared))
    }

    /// How this process came to be.
    #[must_use]
    pub const fn kind(&self) -> ProcessKind {
        self.kind
    }

    /// Claims the slot of this process.
    #[must_use]
    pub fn claim_process(self: &Arc<Self>) -> ProcessStats {
        let (_, slot) = self.claim(layout::KIND_PROCESS, None, Tid(self.identity.pid.0));
        ProcessStats { slot }
    }

    /// Claims a slot for a vCPU thread; to be called by that thread.
    #[must_use]
    pub fn claim_task(self: &Arc<Self>, role: TaskRole) -> TaskStats {
        let tid = thread::gettid();
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        let position = returned.iter().position(|(given_back, _)| *given_back == role);
        let reused = position.map(|position| returned.swap_remove(position).1);
        drop(returned);
        let (index, slot) = match reused.and_then(|index| Some((index, self.slots.get(index)?))) {
            Some((index, slot)) => {
                slot.tid.store(tid.0, Relaxed);
                slot.generation.store(slot.generation.load(Relaxed) + 1, Relaxed);
                slot.state.store(layout::STATE_LIVE, Release);
                (Some(index), slot)
            }
            None => self.claim(layout::KIND_TASK, Some(role), tid),
        };
        TaskStats { stats: Arc::clone(self), slot, index, role, not_sync: PhantomData }
    }

    /// The next fresh slot, or one outside the file where that or its disk is full.
    fn claim(&self, kind: u32, role: Option<TaskRole>, tid: Tid) -> (Option<usize>, &'static Slot) {
        let fresh = self
            .header
            .claimed
            .fetch_update(Relaxed, Relaxed, |claimed| ((claimed as usize) < self.slots.len()).then_some(claimed + 1));
        let fresh = fresh.ok().map(|index| index as usize).and_then(|index| Some((index, self.slots.get(index)?)));
        let fresh = fresh.filter(|(_, slot)| self.has_room_for(slot));
        let (index, slot): (_, &'static Slot) = match fresh {
            Some((index, slot)) => (Some(index), slot),
            None => {
                self.header.overflowed.fetch_add(1, Relaxed);
                // A private slot: its owner counts as ever, and nobody reads it.
                // SAFETY: `Slot` consists of integers, for which zero is valid.
                (None, Box::leak(Box::new(unsafe { std::mem::zeroed::<Slot>() })))
            }
        };
        slot.kind.store(kind, Relaxed);
        slot.role.store(role.map_or(0, |role| role as u32), Relaxed);
        slot.process.store(self.kind as u32, Relaxed);
        slot.pid.store(self.identity.pid.0, Relaxed);
        slot.tid.store(tid.0, Relaxed);
        slot.start_time_ticks.store(self.identity.start_time_ticks, Relaxed);
        slot.generation.store(1, Relaxed);
        slot.state.store(layout::STATE_LIVE, Release);
        (index, slot)
    }

    /// False where counting in this slot would be SIGBUS: the file has a hole there, and its disk is full.
    fn has_room_for(&self, slot: &'static Slot) -> bool {
        let start = std::ptr::from_ref(slot).cast::<u8>().cast_mut();
        // SAFETY: the slot lies in a mapping for writing that stays; slots consist of integers that are atomic.
        !self.is_shared || unsafe { memory::make_pages(start, layout::SLOT_BYTES) }.is_ok()
    }

    fn over(base: NonNull<libc::c_void>, slots: usize, kind: ProcessKind, is_shared: bool) -> Arc<Self> {
        // SAFETY: 1. the mapping is page aligned, at least one header and `slots` slots long, and never unmapped; 2. both
        // types consist of integers, for which every bit pattern is valid; 3. what others may change is atomic, the
        // rest of the header is only written before its file is laid out.
        let (header, slots) = unsafe {
            let first = base.cast::<u8>().add(layout::HEADER_BYTES).cast::<Slot>();
            (base.cast::<Header>().as_ref(), NonNull::slice_from_raw_parts(first, slots).as_ref())
        };
        let identity = process::own_identity();
        Arc::new(Self { header, slots, identity, kind, returned: Mutex::new(Vec::new()), is_shared })
    }
}

fn nonzero(len: usize) -> NonZeroUsize {
    NonZeroUsize::new(len).unwrap_or(NonZeroUsize::MIN)
}

/// The part of a new file that is written, not left as a hole, so that a full disk is an error at the start. It has room for
/// the first 120 threads and processes; where the disk fills behind them, their counts are lost, and counted as such.
const WRITTEN_BYTES: usize = 64 << 10;

/// Gives an empty file its header and its (sparse) length, and checks one that is not empty. Under the file's lock.
fn lay_out(file: &File, len: usize) -> Result<(), StatsError> {
    let metadata = file.metadata().map_err(StatsError::io("inspect"))?;
    if !metadata.is_file() {
        return Err(StatsError::Format("not a regular file"));
    }
    if metadata.len() == 0 {
        return fill(file, len).inspect_err(|_| {
            // Whoever finds it next lays it out anew. Where that fails as well, the first error is still the one to tell.
            let _ = file.set_len(0);
        });
    }
    let mut header = [0; 32];
    file.read_exact_at(&mut header, 0).map_err(|_| StatsError::Format("shorter than its header"))?;
    read::check_header(&header)?;
    if read::word32(&header, 16) != layout::FILE_SLOTS || metadata.len() < len as u64 {
        return Err(StatsError::Format("another length"));
    }
    Ok(())
}

/// Writes the header and the first slots of an empty file, and gives it its length.
fn fill(file: &File, len: usize) -> Result<(), StatsError> {
    let mut start = vec![0; WRITTEN_BYTES];
    start[..8].copy_from_slice(&layout::MAGIC);
    start[8..12].copy_from_slice(&layout::VERSION.to_ne_bytes());
    start[12..16].copy_from_slice(&(layout::SLOT_BYTES as u32).to_ne_bytes());
    start[16..20].copy_from_slice(&layout::FILE_SLOTS.to_ne_bytes());
    file.write_all_at(&start, 0).map_err(StatsError::io("write"))?;
    file.set_len(len as u64).map_err(StatsError::io("extend"))
}

/// The slot of a vCPU thread. Its thread alone counts in it; dropping it gives the slot back.
#[derive(Debug)]
pub struct TaskStats {
    stats: Arc<Stats>,
    slot: &'static Slot,
    index: Option<usize>,
    role: TaskRole,
    not_sync: PhantomData<Cell<()>>,
}

impl TaskStats {
    /// Counts one.
    pub fn bump(&self, counter: TaskCounter) {
        self.add(counter, 1);
    }

    /// Counts `amount`.
    pub fn add(&self, counter: TaskCounter, amount: u64) {
        let word = &self.slot.counters[counter as usize];
        word.store(word.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// Counts a run that begins.
    pub fn run_entered(&self) {
        self.bump(TaskCounter::RunsEntered);
    }

    /// Counts the end of a run by its reason.
    pub fn run_exited(&self, exit: &VcpuExit) {
        self.bump(match exit {
            VcpuExit::Canceled { in_code: true } => TaskCounter::ExitsCanceledInCode,
            VcpuExit::Canceled { in_code: false } => TaskCounter::ExitsCanceledLatched,
            VcpuExit::Exception(_) => TaskCounter::ExitsException,
            VcpuExit::VtimerActivated => TaskCounter::ExitsVtimer,
            VcpuExit::Unknown(_) => TaskCounter::ExitsUnknown,
        });
    }

    /// What a counter stands at.
    #[must_use]
    pub fn get(&self, counter: TaskCounter) -> u64 {
        self.slot.counters[counter as usize].load(Relaxed)
    }

    /// Where the signal handlers of this thread count (see [`crate::host::signal::publish_handler_counters`]).
    #[must_use]
    pub fn handler_counters(&self) -> HandlerCounters {
        HandlerCounters {
            inside_run: &self.slot.counters[TaskCounter::HandlersInsideRun as usize],
            outside_run: &self.slot.counters[TaskCounter::HandlersOutsideRun as usize],
            self_kicks: &self.slot.counters[TaskCounter::SelfKicks as usize],
        }
    }
}

impl Drop for TaskStats {
    fn drop(&mut self) {
        if process::own_pid() != self.stats.identity.pid {
            // A copy in a forked process: the slot is the parent's.
            return;
        }
        self.slot.state.store(layout::STATE_RETIRED, Release);
        if let Some(index) = self.index {
            self.stats.returned.lock().unwrap_or_else(PoisonError::into_inner).push((self.role, index));
        }
    }
}

/// The slot of a process. Any of its threads may count in it.
#[derive(Clone, Copy, Debug)]
pub struct ProcessStats {
    slot: &'static Slot,
}

impl ProcessStats {
    /// Counts one.
    pub fn bump(&self, counter: ProcessCounter) {
        self.add(counter, 1);
    }

    /// Counts `amount`.
    pub fn add(&self, counter: ProcessCounter, amount: u64) {
        self.slot.counters[counter as usize].fetch_add(amount, Relaxed);
    }

    /// Raises a maximum to `value`.
    pub fn raise(&self, counter: ProcessCounter, value: u64) {
        self.slot.counters[counter as usize].fetch_max(value, Relaxed);
    }

    /// What a counter stands at.
    #[must_use]
    pub fn get(&self, counter: ProcessCounter) -> u64 {
        self.slot.counters[counter as usize].load(Acquire)
    }

    /// Says that the process ends in an orderly way.
    pub fn retire(&self) {
        self.slot.state.store(layout::STATE_RETIRED, Release);
    }

    /// Where signal handlers of threads without a task slot count.
    #[must_use]
    pub fn handler_counters(&self) -> HandlerCounters {
        let stray = &self.slot.counters[ProcessCounter::StrayHandlers as usize];
        HandlerCounters {
            inside_run: stray,
            outside_run: stray,
            self_kicks: &self.slot.counters[ProcessCounter::SelfKicks as usize],
        }
    }
}
