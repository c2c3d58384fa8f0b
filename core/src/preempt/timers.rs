//! The timer heap of the kick thread: [`TimerHeap`].
//!
//! A timer is a key that its owner (the kernel) chooses and a deadline on the monotonic clock. Every arming gets a
//! [`TimerGeneration`] of its own, which the expiry carries, so that the owner can tell an expiry that was already on its
//! way when it cancelled or re-armed. Intervals are the owner's: it arms again. `docs/design.md` §6.

use std::collections::{BTreeMap, HashMap};

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
