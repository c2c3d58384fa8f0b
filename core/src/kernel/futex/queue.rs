//! Futex queues of one process: who waits on which word, for words that no other process shares.
//!
//! A word is checked and its waiter queued under the bucket's lock, and a waker takes the same lock, so that no wake is
//! lost. Sleepers are woken after the lock is released. Source: Linux `kernel/futex/waitwake.c`, `requeue.c`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::abi::{Errno, GuestAddr, GuestPtr};
use crate::kernel::Task;
use crate::mem::GuestMemory;

/// Number of queues, a power of two.
const BUCKETS: usize = 64;

/// What a waiter waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A wake.
    Plain,
    /// To own the lock.
    Lock,
    /// To be moved to the lock at this address, and to own it.
    RequeueToLock(GuestAddr),
}

/// A ticket's value where the wait goes on in another queue.
const MOVED: u32 = u32::MAX;

/// What tells a task that one of its waits is over: zero while it waits, one more than the index of the wait afterwards.
/// A task waits in one call at a time, so that each has one.
#[derive(Default)]
pub struct Ticket(AtomicU32);

impl Ticket {
    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    /// The index of the wait that was ended by a wake, or by a move to the host's queues.
    pub(super) fn woken(&self) -> Option<u32> {
        self.0.load(Ordering::SeqCst).checked_sub(1)
    }

    /// True where the wait has to begin anew, in the host's queues ([`FutexTable::give_to_host`]).
    pub(super) fn is_moved(&self) -> bool {
        self.0.load(Ordering::SeqCst) == MOVED
    }
}

pub(super) struct Waiter {
    pub(super) at: GuestAddr,
    pub(super) bitset: u32,
    pub(super) kind: Kind,
    /// Which of the task's waits this is (futex_waitv).
    pub(super) index: u32,
    pub(super) task: Arc<Task>,
}

impl Waiter {
    /// Says that the wait is over. The caller wakes the task once no bucket is locked.
    fn end(self) -> Arc<Task> {
        self.task.ticket().0.store(self.index + 1, Ordering::SeqCst);
        self.task
    }
}

/// Tasks to be woken after the locks.
#[derive(Default)]
pub(super) struct Woken(Vec<Arc<Task>>);

impl Woken {
    pub(super) fn add(&mut self, waiter: Waiter) {
        self.0.push(waiter.end());
    }

    pub(super) fn len(&self) -> u32 {
        self.0.len() as u32
    }

    /// Wakes them; the answer is how many.
    pub(super) fn wake(self) -> u32 {
        self.0.iter().for_each(|task| task.waker().wake());
        self.len()
    }
}

/// The waiters of some words, in the order in which they came.
#[derive(Default)]
pub(super) struct Bucket(VecDeque<Waiter>);

impl Bucket {
    pub(super) fn push(&mut self, waiter: Waiter) {
        self.0.push_back(waiter);
    }

    /// Puts a waiter back that was taken first.
    pub(super) fn push_front(&mut self, waiter: Waiter) {
        self.0.push_front(waiter);
    }

    /// Takes the first waiter of `at` that is `wanted`.
    pub(super) fn take_first(&mut self, at: GuestAddr, wanted: impl Fn(&Waiter) -> bool) -> Option<Waiter> {
        let index = self.0.iter().position(|waiter| waiter.at == at && wanted(waiter))?;
        self.0.remove(index)
    }

    /// True where somebody waits for the lock at `at`.
    pub(super) fn has_lockers(&self, at: GuestAddr) -> bool {
        self.0.iter().any(|waiter| waiter.at == at && waiter.kind == Kind::Lock)
    }

    /// The kind of the first waiter of `at`.
    pub(super) fn first_kind(&self, at: GuestAddr) -> Option<Kind> {
        self.0.iter().find(|waiter| waiter.at == at).map(|waiter| waiter.kind)
    }

    /// The addresses of locks that are waited for here.
    pub(super) fn locks(&self) -> Vec<GuestAddr> {
        self.0.iter().filter(|waiter| waiter.kind == Kind::Lock).map(|waiter| waiter.at).collect()
    }

    /// Ends the waits of up to `count` waiters of `at` whose bitset meets `bitset`.
    fn wake(&mut self, at: GuestAddr, count: u32, bitset: u32, woken: &mut Woken) {
        let before = woken.len();
        while woken.len() - before < count {
            let Some(waiter) = self.take_first(at, |waiter| waiter.bitset & bitset != 0) else { return };
            woken.add(waiter);
        }
    }
}

/// The futex queues of a process. Bucket locks are leaves, taken in the order of their index.
pub struct FutexTable {
    /// [`BUCKETS`] of them, in a place of their own: a process is made on the stack of a fork child, page by copied page.
    buckets: Box<[Mutex<Bucket>]>,
    /// How many waiters wait for locks, so that the end of a thread need not look where nobody does.
    pub(super) lockers: AtomicU32,
}

impl Default for FutexTable {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| Mutex::default()).collect(), lockers: AtomicU32::new(0) }
    }
}

/// What a requeue is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Requeue {
    /// How many are woken.
    pub wake: u32,
    /// How many are moved.
    pub requeue: u32,
    /// `FUTEX_CMP_REQUEUE`: what the word must hold.
    pub expected: Option<u32>,
}

/// The buckets of two words, locked in order; one lock where they are the same.
pub(super) struct Pair<'table> {
    first: MutexGuard<'table, Bucket>,
    second: Option<MutexGuard<'table, Bucket>>,
    is_from_second: bool,
}

impl Pair<'_> {
    /// The bucket of the word that waiters are taken from.
    pub(super) fn from(&mut self) -> &mut Bucket {
        match self.second.as_mut() {
            Some(second) if self.is_from_second => second,
            Some(_) | None => &mut self.first,
        }
    }

    /// The bucket of the word that they are moved to.
    pub(super) fn to(&mut self) -> &mut Bucket {
        match self.second.as_mut() {
            Some(second) if !self.is_from_second => second,
            Some(_) | None => &mut self.first,
        }
    }
}

fn index_of(at: GuestAddr) -> usize {
    // Neighbouring words go to neighbouring buckets; pages are mixed in, since locks like the same place in theirs.
    ((at.0 >> 2) ^ (at.0 >> 12)) as usize % BUCKETS
}

impl FutexTable {
    fn lock_index(&self, index: usize) -> MutexGuard<'_, Bucket> {
        self.buckets[index % BUCKETS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bucket(&self, at: GuestAddr) -> MutexGuard<'_, Bucket> {
        self.lock_index(index_of(at))
    }

    pub(super) fn pair(&self, from: GuestAddr, to: GuestAddr) -> Pair<'_> {
        let (from, to) = (index_of(from), index_of(to));
        let first = self.lock_index(from.min(to));
        let second = (from != to).then(|| self.lock_index(from.max(to)));
        Pair { first, second, is_from_second: from > to }
    }

    /// Every bucket in turn, for what does not know its address.
    pub(super) fn all(&self) -> impl Iterator<Item = MutexGuard<'_, Bucket>> {
        (0..BUCKETS).map(|index| self.lock_index(index))
    }

    /// Ends all waits so that each begins anew, in queues of the host: from now on other processes see the words. The world
    /// must stand still.
    pub fn give_to_host(&self) {
        let mut woken = Woken::default();
        for mut bucket in self.all() {
            for waiter in bucket.0.drain(..) {
                waiter.task.ticket().0.store(MOVED, Ordering::SeqCst);
                woken.0.push(waiter.task);
            }
        }
        woken.wake();
    }

    /// Queues a waiter if the word holds `expected`.
    ///
    /// # Errors
    /// `EAGAIN` where it holds something else, `EFAULT`.
    pub(super) fn enqueue(&self, memory: GuestMemory, waiter: Waiter, expected: u32) -> Result<(), Errno> {
        let mut bucket = self.bucket(waiter.at);
        if memory.load_u32(GuestPtr::new(waiter.at))? != expected {
            return Err(Errno::EAGAIN);
        }
        bucket.push(waiter);
        Ok(())
    }

    /// Takes the waits of a task out of whatever queues they are in, the likely one first; the answer is where they were,
    /// empty when a wake came first, which then counts.
    pub(super) fn forget(&self, task: &Arc<Task>, likely: GuestAddr) -> Vec<GuestAddr> {
        let mut found = remove_from(&mut self.bucket(likely), task);
        if found.is_empty() {
            for mut bucket in self.all() {
                found.append(&mut remove_from(&mut bucket, task));
            }
        }
        found
    }

    /// Takes all waits of a task out.
    pub(super) fn forget_all(&self, task: &Arc<Task>) {
        for mut bucket in self.all() {
            remove_from(&mut bucket, task);
        }
    }

    /// Wakes up to `count` waiters of a private word whose bitset meets `bitset`; the answer is how many.
    ///
    /// # Errors
    /// `EINVAL` where somebody waits there for a lock.
    pub(super) fn wake_private(&self, at: GuestAddr, count: u32, bitset: u32) -> Result<u32, Errno> {
        let mut woken = Woken::default();
        {
            let mut bucket = self.bucket(at);
            if matches!(bucket.first_kind(at), Some(Kind::Lock | Kind::RequeueToLock(_))) {
                return Err(Errno::EINVAL);
            }
            bucket.wake(at, count, bitset, &mut woken);
        }
        Ok(woken.wake())
    }

    /// Wakes some waiters of one private word and moves others to a second one; the answer is how many both.
    pub(super) fn requeue_private(
        &self,
        memory: GuestMemory,
        from: GuestPtr<u32>,
        to: GuestPtr<u32>,
        request: &Requeue,
    ) -> Result<u32, Errno> {
        let (from_at, to_at) = (from.addr(), to.addr());
        let mut woken = Woken::default();
        let mut moved = 0;
        {
            let mut pair = self.pair(from_at, to_at);
            if let Some(expected) = request.expected
                && memory.load_u32(from)? != expected
            {
                return Err(Errno::EAGAIN);
            }
            if matches!(pair.from().first_kind(from_at), Some(Kind::Lock | Kind::RequeueToLock(_))) {
                return Err(Errno::EINVAL);
            }
            pair.from().wake(from_at, request.wake, u32::MAX, &mut woken);
            let mut movers = Vec::new();
            while (movers.len() as u64) < u64::from(request.requeue)
                && let Some(waiter) = pair.from().take_first(from_at, |_any| true)
            {
                movers.push(Waiter { at: to_at, ..waiter });
            }
            moved += movers.len() as u32;
            movers.into_iter().for_each(|waiter| pair.to().push(waiter));
        }
        Ok(woken.wake() + moved)
    }
}

fn remove_from(bucket: &mut Bucket, task: &Arc<Task>) -> Vec<GuestAddr> {
    let mut found = Vec::new();
    bucket.0.retain(|waiter| {
        let is_own = Arc::ptr_eq(&waiter.task, task);
        if is_own {
            found.push(waiter.at);
        }
        !is_own
    });
    found
}
