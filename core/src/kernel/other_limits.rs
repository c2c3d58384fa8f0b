//! Limits that the host does not keep, of other guests: prlimit(2) with a process.
//!
//! Each process has a [`Sheet`] at an address that it publishes ([`super::published`]): what its limits are, and what others
//! want them to be. Who sets one writes it there by process_vm_writev(2), which asks for the rights that Linux asks for as
//! well, or more; the process takes it at the beginning of its next system call, before a limit can matter. The sheet costs a
//! process nothing, and the child of a host fork finds a copy of its parent's, as it is to inherit the limits.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::limits::{self, Limit};
use super::published::Published;
use crate::abi::{Errno, Pid};
use crate::host::sys;

/// Numbers of limits that there are.
const LIMITS: usize = 16;

/// Words of a limit: whether it is shown, soft, hard; whether one is wanted, soft, hard.
const WORDS: usize = 6;
/// Index of the first word of what is shown, and of what is wanted.
const SHOWN: usize = 0;
const WANTED: usize = 3;

/// What other processes read and write.
#[repr(C)]
struct Sheet {
    /// Something is wanted.
    has_wish: AtomicU64,
    limits: [[AtomicU64; WORDS]; LIMITS],
}

static SHEET: Sheet =
    Sheet { has_wish: AtomicU64::new(0), limits: [const { [const { AtomicU64::new(0) }; WORDS] }; LIMITS] };

/// The host address of this process's sheet.
pub(super) fn address() -> u64 {
    (&raw const SHEET).addr() as u64
}

/// Shows a limit of this process to others.
pub(super) fn show(resource: u32, limit: Limit) {
    if let Some(words) = SHEET.limits.get(resource as usize) {
        words[SHOWN + 1].store(limit.soft, SeqCst);
        words[SHOWN + 2].store(limit.hard, SeqCst);
        words[SHOWN].store(1, SeqCst);
    }
}

/// True where another process wants a limit of this one.
#[must_use]
pub fn has_wish() -> bool {
    SHEET.has_wish.load(SeqCst) != 0
}

/// What others want, each wish once.
#[must_use]
pub fn take_wishes() -> Vec<(u32, Limit)> {
    SHEET.has_wish.store(0, SeqCst);
    let wanted = (0..).zip(&SHEET.limits).filter(|(_, words)| words[WANTED].swap(0, SeqCst) != 0);
    let limit = |words: &[AtomicU64; WORDS]| Limit {
        soft: words[WANTED + 1].load(SeqCst),
        hard: words[WANTED + 2].load(SeqCst),
    };
    wanted.map(|(resource, words)| (resource, limit(words))).collect()
}

/// The sheet of another guest.
pub struct OtherLimits {
    pid: Pid,
    sheet: u64,
}

impl OtherLimits {
    /// Of a process; `None` where it runs no guest, or may not be looked at.
    #[must_use]
    pub fn of(pid: Pid) -> Option<Self> {
        Published::of(pid).map(|published| Self { pid, sheet: published.limits })
    }

    /// Where a word of a limit is over there.
    fn place(&self, resource: u32, word: usize) -> u64 {
        let words = 1 + resource as usize * WORDS + word;
        self.sheet.wrapping_add((words * size_of::<u64>()) as u64)
    }

    /// A limit that is wanted or was set; `None` where it is the host's.
    ///
    /// # Errors
    /// `EPERM`, `ESRCH`.
    pub fn get(&self, resource: u32) -> Result<Option<Limit>, Errno> {
        let mut words = [0; WORDS];
        sys::read_words_of(self.pid.0, self.place(resource, 0), &mut words)?;
        let at = |first: usize| (words[first] != 0).then(|| Limit { soft: words[first + 1], hard: words[first + 2] });
        Ok(at(WANTED).or_else(|| at(SHOWN)))
    }

    /// Sets a limit from `old`.
    ///
    /// # Errors
    /// As [`limits::check`], and `ESRCH`.
    pub fn set(&self, resource: u32, old: Limit, new: Limit) -> Result<(), Errno> {
        limits::check(resource, old, new)?;
        self.write(self.place(resource, WANTED + 1), &[new.soft, new.hard])?;
        self.write(self.place(resource, WANTED), &[1])?;
        self.write(self.sheet, &[1])
    }

    fn write(&self, place: u64, words: &[u64]) -> Result<(), Errno> {
        sys::write_words_of(self.pid.0, place, words)
    }
}
