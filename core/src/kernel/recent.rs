//! The last system calls of a task, for crash reports: [`RecentCalls`], a ring that costs a few stores a call.
//!
//! Written by the task's own thread, read by whichever thread writes the report: an entry that is being written may then
//! be torn, which a report of last resort can live with.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many calls are kept.
pub const RECENT_CALLS: usize = 64;

/// One call: number, arguments, and x0 afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecentCall {
    /// x8.
    pub number: u64,
    /// x0 to x5.
    pub args: [u64; 6],
    /// The return value, a negated errno included.
    pub result: u64,
}

const WORDS: usize = 8;

/// The ring of one task.
#[derive(Debug)]
pub struct RecentCalls {
    /// Calls so far.
    count: AtomicU64,
    words: Box<[AtomicU64; RECENT_CALLS * WORDS]>,
}

impl Default for RecentCalls {
    fn default() -> Self {
        Self { count: AtomicU64::new(0), words: Box::new([const { AtomicU64::new(0) }; RECENT_CALLS * WORDS]) }
    }
}

impl RecentCalls {
    /// Notes a call. Only the task's own thread does.
    pub fn push(&self, call: RecentCall) {
        let count = self.count.load(Ordering::Relaxed);
        let [a, b, c, d, e, f] = call.args;
        let values = [call.number, a, b, c, d, e, f, call.result];
        for (word, value) in self.slot(count).iter().zip(values) {
            word.store(value, Ordering::Relaxed);
        }
        self.count.store(count + 1, Ordering::Release);
    }

    /// The calls that are kept, oldest first.
    #[must_use]
    pub fn snapshot(&self) -> Vec<RecentCall> {
        let count = self.count.load(Ordering::Acquire);
        (count.saturating_sub(RECENT_CALLS as u64)..count).map(|index| self.get(index)).collect()
    }

    fn get(&self, index: u64) -> RecentCall {
        let slot = self.slot(index);
        let word = |at: usize| slot[at].load(Ordering::Relaxed);
        RecentCall { number: word(0), args: std::array::from_fn(|at| word(1 + at)), result: word(WORDS - 1) }
    }

    fn slot(&self, index: u64) -> &[AtomicU64] {
        let start = (index % RECENT_CALLS as u64) as usize * WORDS;
        &self.words[start..start + WORDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_64_are_kept_in_order() {
        let ring = RecentCalls::default();
        assert_eq!(ring.snapshot(), []);
        for number in 0..100 {
            ring.push(RecentCall { number, args: [number; 6], result: number + 1 });
        }
        let calls = ring.snapshot();
        assert_eq!(calls.len(), RECENT_CALLS);
        assert_eq!(calls.first(), Some(&RecentCall { number: 36, args: [36; 6], result: 37 }));
        assert_eq!(calls.last().map(|call| call.number), Some(99));
    }
}
