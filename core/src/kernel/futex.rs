//! Futex queues of one process: who waits on which word. Source: futex(2), Linux `kernel/futex/waitwake.c`.
//!
//! The value is checked and the waiter queued under the bucket's lock, and a waker takes the same lock, so that no wake
//! is lost. The sleep itself is [`Task::block_until`]. Words in memory that other processes share are served within
//! this process only.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Interrupted, Task};
use crate::abi::{Errno, GuestAddr, GuestPtr};
use crate::mem::GuestMemory;

/// Number of queues, a power of two.
const BUCKETS: usize = 64;

struct Waiter {
    addr: GuestAddr,
    bitset: u32,
    task: Arc<Task>,
    is_woken: Arc<AtomicBool>,
}

type Bucket = VecDeque<Waiter>;

/// The futex queues of a process. Bucket locks are leaves, taken in the order of their index.
pub struct FutexTable {
    buckets: [Mutex<Bucket>; BUCKETS],
}

impl Default for FutexTable {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| Mutex::default()) }
    }
}

/// What a requeue is asked to do.
#[derive(Clone, Copy, Debug)]
pub struct Requeue {
    /// Where waiters are taken from.
    pub from: GuestPtr<u32>,
    /// Where those that are not woken wait from then on.
    pub to: GuestPtr<u32>,
    /// How many are woken.
    pub wake: u32,
    /// How many are moved.
    pub requeue: u32,
    /// `FUTEX_CMP_REQUEUE`: what the word must hold.
    pub expected: Option<u32>,
}

fn index_of(addr: GuestAddr) -> usize {
    (addr.0 >> 2) as usize % BUCKETS
}

impl FutexTable {
    fn bucket(&self, index: usize) -> MutexGuard<'_, Bucket> {
        self.buckets[index % BUCKETS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits on `word` while it holds `expected`.
    ///
    /// # Errors
    /// [`Interrupted::Failed`] with `EAGAIN` where the word holds something else, or `EFAULT`; otherwise as
    /// [`Task::block_until`].
    pub fn wait(
        &self,
        task: &Arc<Task>,
        memory: GuestMemory,
        word: GuestPtr<u32>,
        expected: u32,
        bitset: u32,
        deadline_ns: Option<u64>,
    ) -> Result<(), Interrupted> {
        let is_woken = Arc::new(AtomicBool::new(false));
        {
            let mut bucket = self.bucket(index_of(word.addr()));
            if memory.load_u32(word).map_err(Interrupted::Failed)? != expected {
                return Err(Interrupted::Failed(Errno::EAGAIN));
            }
            bucket.push_back(Waiter { addr: word.addr(), bitset, task: task.clone(), is_woken: is_woken.clone() });
        }
        let slept = task.block_until(deadline_ns, || is_woken.load(Ordering::SeqCst).then_some(()));
        slept.or_else(|interrupted| if self.forget(&is_woken) { Err(interrupted) } else { Ok(()) })
    }

    /// Takes a waiter out of whatever queue it is in; false when a wake came first, which then counts.
    fn forget(&self, is_woken: &Arc<AtomicBool>) -> bool {
        (0..BUCKETS).any(|index| {
            let mut bucket = self.bucket(index);
            let before = bucket.len();
            bucket.retain(|waiter| !Arc::ptr_eq(&waiter.is_woken, is_woken));
            bucket.len() != before
        })
    }

    /// Wakes up to `count` waiters of `word` whose bitset meets `bitset`; the answer is how many.
    pub fn wake(&self, word: GuestPtr<u32>, count: u32, bitset: u32) -> u32 {
        let mut bucket = self.bucket(index_of(word.addr()));
        wake_in(&mut bucket, word.addr(), count, bitset)
    }

    /// Wakes some waiters of one word and moves others to a second one; the answers are how many of each.
    ///
    /// # Errors
    /// `EAGAIN` where the word does not hold what was expected, `EFAULT`.
    pub fn requeue(&self, memory: GuestMemory, request: &Requeue) -> Result<(u32, u32), Errno> {
        let (from, to) = (request.from.addr(), request.to.addr());
        let (low, high) = (index_of(from).min(index_of(to)), index_of(from).max(index_of(to)));
        let mut first = self.bucket(low);
        let mut second = (low != high).then(|| self.bucket(high));
        if let Some(expected) = request.expected
            && memory.load_u32(request.from)? != expected
        {
            return Err(Errno::EAGAIN);
        }
        let is_from_second = index_of(from) == high && second.is_some();
        let source = if is_from_second { second.as_mut().map_or(&mut *first, |b| &mut **b) } else { &mut *first };
        let woken = wake_in(source, from, request.wake, u32::MAX);
        let mut moved = VecDeque::new();
        let mut kept = VecDeque::new();
        for waiter in source.drain(..) {
            if waiter.addr == from && (moved.len() as u64) < u64::from(request.requeue) {
                moved.push_back(Waiter { addr: to, ..waiter });
            } else {
                kept.push_back(waiter);
            }
        }
        *source = kept;
        let count = moved.len() as u32;
        let target = match second.as_mut() {
            Some(bucket) if index_of(to) == high => &mut **bucket,
            Some(_) | None => &mut *first,
        };
        target.append(&mut moved);
        Ok((woken, count))
    }
}

/// Wakes waiters of `addr` in the order in which they came.
fn wake_in(bucket: &mut Bucket, addr: GuestAddr, count: u32, bitset: u32) -> u32 {
    let mut woken = 0;
    bucket.retain(|waiter| {
        let is_taken = woken < count && waiter.addr == addr && waiter.bitset & bitset != 0;
        if is_taken {
            woken += 1;
            waiter.is_woken.store(true, Ordering::SeqCst);
            waiter.task.waker().wake();
        }
        !is_taken
    });
    woken
}
