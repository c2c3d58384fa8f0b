//! futex(2): waiting on words of memory.
//!
//! A word that only this process can see is served by queues of our own ([`FutexTable`]): a wake without sleepers costs
//! no host call. A word in a shared mapping, named without `FUTEX_PRIVATE_FLAG`, is served by the host's queues of the
//! same page, which all processes share; the sleep is on that word and on the task's own waker at once, so that a kick
//! ends it as it ends every other (`docs/design.md` §6). Which of the two a call means is decided in [`Word::resolve`]. Where
//! other processes run in the same memory, all words are the host's.
//!
//! Parts: `queue` the queues, `pi` locks with owners, `robust` what a thread that ends leaves locked, `many`
//! futex_waitv(2). Differences from Linux: a wake of a shared word by
//! a bitset ends all waits there, since the host does not know their bitsets; the owner of a lock
//! inherits no priority; deadlines on `CLOCK_REALTIME` do not follow a change of that clock.

mod many;
mod pi;
mod queue;
mod robust;

use std::sync::Arc;

pub use many::Awaited;
pub use pi::LockWait;
pub use queue::{FutexTable, Requeue, Ticket};

use super::blocking::WordEnd;
use super::{Interrupted, Process, Task};
use crate::abi::{Errno, GuestAddr, GuestPtr};
use crate::host::futex_shared::{self, Expected, ForeignWord};
use crate::mem::GuestMemory;
use queue::{Kind, Waiter};

/// A futex word and who can see it.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    at: GuestPtr<u32>,
    /// Set where other processes may see it.
    shared: Option<ForeignWord>,
}

impl Word {
    /// The word at `at`; `is_private` is the caller's claim that no other process is concerned.
    ///
    /// # Errors
    /// `EINVAL` off a four-byte boundary, `EFAULT` outside the address space.
    #[expect(unsafe_code, reason = "names guest memory to the host kernel")]
    pub fn resolve(process: &Process, at: GuestPtr<u32>, is_private: bool) -> Result<Self, Errno> {
        if !at.addr().0.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let place = process.memory().host_range(at.addr(), 4)?;
        let is_shared = process.space().is_common() || !is_private && process.space().is_shared(at.addr());
        // SAFETY: `host_range` checked that the word lies in the guest's window, which holds no Rust object.
        let shared = is_shared.then(|| unsafe { ForeignWord::new(place.cast()) });
        Ok(Self { at, shared })
    }

    fn addr(self) -> GuestAddr {
        self.at.addr()
    }

    /// The same word, which other processes see by now.
    fn anew(self, process: &Process) -> Result<Self, Interrupted> {
        Self::resolve(process, self.at, true).map_err(Interrupted::Failed)
    }
}

impl FutexTable {
    /// Waits on `word` while it holds `expected`.
    ///
    /// # Errors
    /// [`Interrupted::Failed`] with `EAGAIN` where the word holds something else, or `EFAULT`; otherwise as
    /// [`Task::block_until`].
    pub fn wait(
        &self,
        task: &Arc<Task>,
        memory: GuestMemory,
        word: Word,
        expected: u32,
        bitset: u32,
        deadline_ns: Option<u64>,
    ) -> Result<(), Interrupted> {
        if let Some(shared) = word.shared {
            return match task.block_on_words(&[Expected { word: shared, value: expected }], deadline_ns, || false)? {
                WordEnd::Woken(_) | WordEnd::Changed { has_slept: true } => Ok(()),
                WordEnd::Changed { has_slept: false } => Err(Interrupted::Failed(Errno::EAGAIN)),
            };
        }
        task.ticket().reset();
        let waiter = Waiter { at: word.addr(), bitset, kind: Kind::Plain, index: 0, task: task.clone() };
        self.enqueue(memory, waiter, expected).map_err(Interrupted::Failed)?;
        let slept = task.block_until(deadline_ns, || task.ticket().woken().map(drop));
        let ended = slept.or_else(|end| if self.forget(task, word.addr()).is_empty() { Ok(()) } else { Err(end) });
        if !task.ticket().is_moved() {
            return ended;
        }
        let word = word.anew(task.process())?;
        match self.wait(task, memory, word, expected, bitset, deadline_ns) {
            // It has changed since, which is how a wake looks to who has not slept.
            Err(Interrupted::Failed(Errno::EAGAIN)) => Ok(()),
            ended => ended,
        }
    }

    /// Wakes up to `count` waiters of `word` whose bitset meets `bitset`; the answer is how many.
    ///
    /// # Errors
    /// `EINVAL` where somebody waits there for a lock; `EFAULT`.
    pub fn wake(&self, word: Word, count: u32, bitset: u32) -> Result<u32, Errno> {
        match word.shared {
            Some(shared) if bitset == u32::MAX => futex_shared::wake(shared, count),
            // Those that are not meant look again.
            Some(shared) => Ok(futex_shared::wake(shared, u32::MAX)?.min(count)),
            None => self.wake_private(word.addr(), count, bitset),
        }
    }

    /// Wakes some waiters of one word and moves others to a second one. The answer is how many were woken
    /// and moved (the manual says otherwise of `FUTEX_REQUEUE`).
    ///
    /// # Errors
    /// `EAGAIN` where the word does not hold what was expected, `EFAULT`, `EINVAL` where somebody waits for a lock.
    pub fn requeue(&self, memory: GuestMemory, from: Word, to: Word, request: &Requeue) -> Result<u32, Errno> {
        if let (Some(from), Some(to)) = (from.shared, to.shared) {
            return futex_shared::requeue(from, to, request.wake, request.requeue, request.expected);
        }
        if from.shared.is_none() && to.shared.is_none() {
            return self.requeue_private(memory, from.at, to.at, request);
        }
        // One of them in queues of the host, the other in ours: who should move is woken and looks again.
        if let Some(expected) = request.expected
            && memory.load_u32(from.at)? != expected
        {
            return Err(Errno::EAGAIN);
        }
        self.wake(from, request.wake.saturating_add(request.requeue), u32::MAX)
    }

    /// Wakes one waiter of a word that the kernel itself has written: the end of a thread, a robust list.
    pub(in crate::kernel) fn wake_written(&self, process: &Process, at: GuestPtr<u32>, count: u32) {
        if let Ok(word) = Word::resolve(process, at, false) {
            // A word that is gone again has no waiters.
            let _woken = self.wake(word, count, u32::MAX);
        }
    }
}
