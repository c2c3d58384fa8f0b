//! Pending signals: standard ones once each, real-time ones queued in order with their siginfo.
//!
//! Source: signal(7) "Real-time signals"; getrlimit(2) `RLIMIT_SIGPENDING`; Linux `kernel/signal.c`
//! `__send_signal_locked`, `next_signal`, `collect_signal`.

use std::collections::VecDeque;

use crate::abi::{Errno, Pid, SiCode, SigInfo, SigSet, Signal};

/// Signals that were sent and not yet delivered, for one thread or for a process.
#[derive(Clone, Default, Debug)]
pub struct PendingSet {
    set: SigSet,
    queue: VecDeque<SigInfo>,
}

impl PendingSet {
    /// True for signals whose place in the queue counts against `RLIMIT_SIGPENDING`. Standard signals of the kernel and of
    /// kill(2) always find one.
    #[must_use]
    pub fn is_limited(info: &SigInfo) -> bool {
        !info.is_of_timer() && (info.signal().is_real_time() || info.code().0 < 0)
    }

    /// Adds a signal. A standard signal that is pending already is lost; one that finds no room (`has_room`, which only
    /// [limited](Self::is_limited) signals need) is pending without its siginfo, as on Linux.
    ///
    /// # Errors
    /// `EAGAIN` for a real-time signal of sigqueue(3) without room.
    pub fn add(&mut self, info: SigInfo, has_room: bool) -> Result<(), Errno> {
        let signal = info.signal();
        // A timer keeps a place of its own in the queue.
        if !signal.is_real_time() && self.set.contains(signal) && !info.is_of_timer() {
            return Ok(());
        }
        if has_room || !Self::is_limited(&info) {
            self.queue.push_back(info);
        } else if signal.is_real_time() && info.code() != SiCode::SI_USER {
            return Err(Errno::EAGAIN);
        }
        self.set = self.set.with(signal);
        Ok(())
    }

    /// How many signals wait with their siginfo.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
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
        let at = self.queue.iter().position(|info| info.signal() == signal);
        let info = at.and_then(|at| self.queue.remove(at));
        if !self.queue.iter().any(|queued| queued.signal() == signal) {
            self.set = self.set.without(signal);
        }
        Some(info.unwrap_or_else(|| Self::without_info(signal)))
    }

    /// What a signal says that found no room for what it had to say.
    fn without_info(signal: Signal) -> SigInfo {
        SigInfo::from_sender(signal, SiCode::SI_USER, Pid(0), 0)
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
            pending.add(queued(10, value), true).unwrap();
            pending.add(queued(34, value), true).unwrap();
        }
        let taken: Vec<_> =
            std::iter::from_fn(|| pending.take(SigSet::ALL)).map(|i| (i.signal().number(), i.value())).collect();
        assert_eq!(taken, [(10, 0), (34, 0), (34, 1), (34, 2)]);
        assert!(pending.set().is_empty());
    }

    #[test]
    fn synchronous_signals_come_first() {
        let mut pending = PendingSet::default();
        pending.add(queued(1, 0), true).unwrap();
        pending.add(SigInfo::new(Signal::SIGSEGV, SiCode::SEGV_MAPERR), true).unwrap();
        assert_eq!(pending.take(SigSet::ALL).unwrap().signal(), Signal::SIGSEGV);
    }

    #[test]
    fn without_room_only_queued_real_time_signals_are_refused() {
        let mut pending = PendingSet::default();
        let sent = |number| SigInfo::from_sender(Signal::new(number).unwrap(), SiCode::SI_USER, Pid(7), 0);
        assert_eq!(pending.add(queued(40, 5), false), Err(Errno::EAGAIN));
        assert!(pending.set().is_empty());
        // kill(2) of a real-time signal and sigqueue(3) of a standard one arrive, but say nothing.
        for info in [sent(40), queued(10, 5)] {
            assert_eq!(pending.add(info, false), Ok(()));
            assert_eq!(
                pending.take(SigSet::ALL).unwrap(),
                SigInfo::from_sender(info.signal(), SiCode::SI_USER, Pid(0), 0)
            );
        }
        // kill(2) of a standard one always finds room.
        assert_eq!(pending.add(sent(10), false), Ok(()));
        assert_eq!(pending.take(SigSet::ALL).unwrap().pid(), Pid(7));
        assert!(pending.set().is_empty() && pending.queued() == 0);
    }
}
