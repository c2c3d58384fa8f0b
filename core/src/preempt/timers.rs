//! The timers of a process: [`TimerHeap`], and [`Timers`], who may look at it.
//!
//! A timer is a key that its owner (the kernel) chooses and a deadline on the monotonic clock. Every arming gets a
//! [`TimerGeneration`] of its own, which the expiry carries, so that the owner can tell an expiry that was already on its
//! way when it cancelled or re-armed. Intervals are the owner's: it arms again. `docs/design.md` §6.
//!
//! The kick thread expires timers, and wakes for them; but a thread that makes a system call after a deadline finds it
//! expired even where the kick thread still waits for a processor, as the host's own programs would.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::clock;

/// A timer, as its owner names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TimerKey(pub u64);

/// One arming of a timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TimerGeneration(u64);

/// A timer whose deadline has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expired {
    /// Which timer.
    pub key: TimerKey,
    /// Which arming of it.
    pub generation: TimerGeneration,
    /// The deadline that it was armed with, in monotonic nanoseconds.
    pub deadline_ns: u64,
}

/// Armed timers in the order of their deadlines.
#[derive(Debug, Default)]
pub struct TimerHeap {
    by_deadline: BTreeMap<(u64, TimerGeneration), TimerKey>,
    by_key: HashMap<TimerKey, (u64, TimerGeneration)>,
    last_generation: u64,
}

impl TimerHeap {
    /// Arms a timer, in place of an earlier arming of the same key. True when it is now the first to expire, so that a
    /// sleeper has to look again.
    pub fn arm(&mut self, key: TimerKey, deadline_ns: u64) -> (TimerGeneration, bool) {
        self.cancel(key);
        self.last_generation += 1;
        let generation = TimerGeneration(self.last_generation);
        self.by_deadline.insert((deadline_ns, generation), key);
        self.by_key.insert(key, (deadline_ns, generation));
        (generation, self.next_deadline_ns() == Some(deadline_ns))
    }

    /// Disarms a timer. False when it was not armed: never, or its expiry is on its way.
    pub fn cancel(&mut self, key: TimerKey) -> bool {
        self.by_key.remove(&key).is_some_and(|place| self.by_deadline.remove(&place).is_some())
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next_deadline_ns(&self) -> Option<u64> {
        self.by_deadline.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Takes the timer with the earliest deadline, if that has passed.
    pub fn pop_expired(&mut self, now_ns: u64) -> Option<Expired> {
        let (&(deadline_ns, generation), &key) = self.by_deadline.first_key_value()?;
        if deadline_ns > now_ns {
            return None;
        }
        self.by_deadline.remove(&(deadline_ns, generation));
        self.by_key.remove(&key);
        Some(Expired { key, generation, deadline_ns })
    }
}

/// No deadline.
const NEVER: u64 = u64::MAX;

/// The heap as the threads of a process share it.
#[derive(Debug)]
pub(super) struct Timers {
    heap: Mutex<TimerHeap>,
    /// Held from the moment that an expired timer is taken from the heap until its owner knows.
    expiring: Mutex<()>,
    /// Somebody holds it.
    is_expiring: AtomicBool,
    /// The earliest deadline, or [`NEVER`]; written under the heap's lock.
    next_ns: AtomicU64,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self {
            heap: Mutex::default(),
            expiring: Mutex::default(),
            is_expiring: AtomicBool::new(false),
            next_ns: AtomicU64::new(NEVER),
        }
    }

    fn with_heap<T>(&self, body: impl FnOnce(&mut TimerHeap) -> T) -> T {
        let mut heap: MutexGuard<'_, TimerHeap> = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let result = body(&mut heap);
        self.next_ns.store(heap.next_deadline_ns().unwrap_or(NEVER), Ordering::SeqCst);
        result
    }

    /// As [`TimerHeap::arm`].
    pub(super) fn arm(&self, key: TimerKey, deadline_ns: u64) -> (TimerGeneration, bool) {
        self.with_heap(|heap| heap.arm(key, deadline_ns))
    }

    /// As [`TimerHeap::cancel`].
    pub(super) fn cancel(&self, key: TimerKey) -> bool {
        self.with_heap(|heap| heap.cancel(key))
    }

    /// The earliest deadline. For who sleeps until then.
    pub(super) fn next_deadline_ns(&self) -> Option<u64> {
        let next_ns = self.next_ns.load(Ordering::SeqCst);
        (next_ns != NEVER).then_some(next_ns)
    }

    /// Gives `expired` every timer whose deadline has passed by `now_ns`. When this returns, no expiry of such a timer is on
    /// its way. The heap's lock is not held across `expired`, which may arm timers.
    pub(super) fn expire(&self, now_ns: u64, mut expired: impl FnMut(Expired)) {
        let _expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_expiring.store(true, Ordering::SeqCst);
        while let Some(timer) = self.with_heap(|heap| heap.pop_expired(now_ns)) {
            expired(timer);
        }
        self.is_expiring.store(false, Ordering::SeqCst);
    }

    /// True when [`expire`](Self::expire) would find something, or somebody is about it.
    pub(super) fn are_due(&self) -> bool {
        let is_due = |next_ns| next_ns <= clock::monotonic_ns();
        self.next_deadline_ns().is_some_and(is_due) || self.is_expiring.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whoever_looks_first_expires_a_timer_once() {
        let timers = Timers::new();
        assert_eq!(timers.next_deadline_ns(), None);
        timers.arm(TimerKey(1), 100);
        timers.arm(TimerKey(2), 50);
        assert_eq!(timers.next_deadline_ns(), Some(50));
        let mut seen = Vec::new();
        // An interval, armed by its owner.
        timers.expire(60, |expired| {
            seen.push(expired.key);
            timers.arm(TimerKey(2), 90);
        });
        assert_eq!((seen.as_slice(), timers.next_deadline_ns()), (&[TimerKey(2)][..], Some(90)));
        timers.expire(60, |_| panic!("nothing is due"));
        assert!(timers.cancel(TimerKey(2)));
        timers.expire(100, |expired| seen.push(expired.key));
        assert_eq!((seen.as_slice(), timers.next_deadline_ns()), (&[TimerKey(2), TimerKey(1)][..], None));
    }

    #[test]
    fn only_the_last_arming_expires() {
        let mut heap = TimerHeap::default();
        let (first, is_earliest) = heap.arm(TimerKey(0), 50);
        assert!(is_earliest);
        let (second, is_earliest) = heap.arm(TimerKey(0), 80);
        assert!(is_earliest && first != second);
        assert!(!heap.arm(TimerKey(1), 90).1);
        assert_eq!(heap.pop_expired(79), None);
        let expired = Expired { key: TimerKey(0), generation: second, deadline_ns: 80 };
        assert_eq!(heap.pop_expired(80), Some(expired));
        assert!(!heap.cancel(TimerKey(0)));
        assert!(heap.cancel(TimerKey(1)));
        assert_eq!(heap.next_deadline_ns(), None);
    }

    proptest! {
        #[test]
        fn behaves_as_a_map_of_deadlines(operations in proptest::collection::vec((0u64..6, 0u64..40, 0u8..3), 0..80)) {
            let mut heap = TimerHeap::default();
            let mut model: HashMap<u64, u64> = HashMap::new();
            for (key, deadline, operation) in operations {
                match operation {
                    0 => prop_assert_eq!(heap.cancel(TimerKey(key)), model.remove(&key).is_some()),
                    1 => {
                        heap.arm(TimerKey(key), deadline);
                        model.insert(key, deadline);
                    }
                    _expire => {
                        let mut last = 0;
                        while let Some(expired) = heap.pop_expired(deadline) {
                            prop_assert!(expired.deadline_ns >= last);
                            last = expired.deadline_ns;
                            prop_assert_eq!(model.remove(&expired.key.0), Some(expired.deadline_ns));
                        }
                        prop_assert!(model.values().all(|left| *left > deadline));
                    }
                }
                prop_assert_eq!(heap.next_deadline_ns(), model.values().min().copied());
            }
        }
    }
}
