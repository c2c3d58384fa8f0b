//! Pending signals: standard ones once each, real-time ones queued in order with their siginfo.
//!
//! Source: signal(7) "Real-time signals"; Linux `kernel/signal.c` `__send_signal_locked`, `next_signal`.

use std::collections::VecDeque;

use crate::abi::{Errno, SigInfo, SigSet};

/// Signals that were sent and not yet delivered, for one thread or for a process.
#[derive(Clone, Default, Debug)]
pub struct PendingSet {
    set: SigSet,
    queue: VecDeque<SigInfo>,
}

impl PendingSet {
    /// The default of `RLIMIT_SIGPENDING` that this process honours for queued real-time signals.
    pub const QUEUE_MAX: usize = 96_000;

    /// Adds a signal. A standard signal that is pending already is lost, as on Linux.
    ///
    /// # Errors
    /// `EAGAIN` when the queue of real-time signals is full.
    pub fn add(&mut self, info: SigInfo) -> Result<(), Errno> {
        let signal = info.signal();
        if !signal.is_real_time() && self.set.contains(signal) {
            return Ok(());
        }
        if self.queue.len() >= Self::QUEUE_MAX {
            return Err(Errno::EAGAIN);
        }
        self.set = self.set.with(signal);
        self.queue.push_back(info);
        Ok(())
    }

    /// The signals that are pending.
    #[must_use]
    pub const fn set(&self) -> SigSet {
        self.set
    }

    /// Takes the next signal out of `wanted`: synchronous ones first, then the lowest number, oldest first.
    pub fn take(&mut self, wanted: SigSet) -> Option<SigInfo> {
        let candidates = self.set.intersection(wanted);
        let synchronous = candidates.intersection(SigSet::SYNCHRONOUS);
        let signal = if synchronous.is_empty() { candidates } else { synchronous }.iter().next()?;
        let at = self.queue.iter().position(|info| info.signal() == signal)?;
        let info = self.queue.remove(at);
        if !self.queue.iter().any(|queued| queued.signal() == signal) {
            self.set = self.set.without(signal);
        }
        info
    }

    /// Drops everything of `unwanted`, as when a disposition becomes "ignore".
    pub fn discard(&mut self, unwanted: SigSet) {
        self.set = self.set.difference(unwanted);
        self.queue.retain(|info| !unwanted.contains(info.signal()));
    }

    /// The queued signals, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SigInfo> {
        self.queue.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Pid, SiCode, Signal};

    fn queued(number: i32, value: u64) -> SigInfo {
        SigInfo::queued(Signal::new(number).unwrap(), Pid(1), 0, value)
    }

    #[test]
    fn standard_signals_coalesce_and_real_time_ones_queue_in_order() {
        let mut pending = PendingSet::default();
        for value in 0..3 {
            pending.add(queued(10, value)).unwrap();
            pending.add(queued(34, value)).unwrap();
        }
        let taken: Vec<_> =
            std::iter::from_fn(|| pending.take(SigSet::ALL)).map(|i| (i.signal().number(), i.value())).collect();
        assert_eq!(taken, [(10, 0), (34, 0), (34, 1), (34, 2)]);
        assert!(pending.set().is_empty());
    }

    #[test]
    fn synchronous_signals_come_first() {
        let mut pending = PendingSet::default();
        pending.add(queued(1, 0)).unwrap();
        pending.add(SigInfo::new(Signal::SIGSEGV, SiCode::SEGV_MAPERR)).unwrap();
        assert_eq!(pending.take(SigSet::ALL).unwrap().signal(), Signal::SIGSEGV);
    }

    #[test]
    fn a_full_queue_is_eagain() {
        let mut pending = PendingSet::default();
        for value in 0..PendingSet::QUEUE_MAX as u64 {
            pending.add(queued(40, value)).unwrap();
        }
        assert_eq!(pending.add(queued(40, 0)), Err(Errno::EAGAIN));
    }
}
