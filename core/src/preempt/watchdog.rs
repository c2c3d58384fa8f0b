//! The watchdog: bounds the time that one run may take. [`Watchdog`] is the kick thread's side, [`RunWatch`] the shared
//! slot of a vCPU, [`Watched`] the owner's handle.
//!
//! A **watched run** begins when the owner enters guest code and ends at the first exit that the guest can see (an
//! exception). A run that was only canceled and is resumed is the same watched run and keeps its deadline, or a storm of
//! kicks would keep a hanging guest alive for ever. Every watched run has a tag; the kick thread fires for a tag, and
//! the owner compares, so that an expiry that comes late cannot kill a later run.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::host::clock;
use crate::host::controls::{self, Control};
use crate::vcpu::VcpuId;

/// What owner and kick thread share about one vCPU.
#[derive(Debug, Default)]
pub struct RunWatch {
    /// Number of the watched run in progress, or of the last one. Written by the owner.
    tag: AtomicU64,
    /// When it began, in monotonic nanoseconds, or 0 while none is in progress. Written by the owner.
    entered_at_ns: AtomicU64,
    /// Tag of the last run that the watchdog fired for, or 0. Written by the kick thread.
    fired_tag: AtomicU64,
}

impl RunWatch {
    /// Tag of the run that is past its deadline, if one is and it was not fired for before.
    fn find_expired(&self, limit_ns: u64, now_ns: u64) -> Result<u64, Option<u64>> {
        let entered = self.entered_at_ns.load(Acquire);
        if entered == 0 {
            return Err(None);
        }
        let tag = self.tag.load(Acquire);
        if self.entered_at_ns.load(Acquire) != entered || self.fired_tag.load(Relaxed) == tag {
            // Another run began meanwhile, which is at its beginning, or this one was fired for.
            return Err(None);
        }
        let deadline = entered.saturating_add(limit_ns);
        if deadline <= now_ns { Ok(tag) } else { Err(Some(deadline)) }
    }
}

/// A run that the watchdog fired for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overrun {
    /// The vCPU.
    pub vcpu: VcpuId,
    /// The tag of the run.
    pub run: u64,
}

/// The watchdog of a process; off where it has no limit.
#[derive(Debug)]
pub struct Watchdog {
    limit_ns: Option<u64>,
    /// Leaf lock.
    slots: Mutex<Vec<(VcpuId, Arc<RunWatch>)>>,
}

impl Watchdog {
    /// A watchdog that lets a run take `limit_ns` nanoseconds; `None` is off.
    #[must_use]
    pub const fn new(limit_ns: Option<u64>) -> Self {
        Self { limit_ns, slots: Mutex::new(Vec::new()) }
    }

    /// True where runs have a limit.
    pub(super) const fn is_on(&self) -> bool {
        self.limit_ns.is_some()
    }

    fn slots(&self) -> MutexGuard<'_, Vec<(VcpuId, Arc<RunWatch>)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a vCPU of the calling thread from now on.
    pub(super) fn watch(&self, vcpu: VcpuId) -> Watched {
        let watch = Arc::new(RunWatch::default());
        if self.limit_ns.is_some() {
            self.slots().push((vcpu, Arc::clone(&watch)));
        }
        Watched { is_on: self.limit_ns.is_some(), watch, last_seen: 0 }
    }

    pub(super) fn unwatch(&self, vcpu: VcpuId) {
        self.slots().retain(|(id, _)| *id != vcpu);
    }

    /// Marks the runs that are past their deadline as fired for and gives them to `fire`; the answer is when to look
    /// again, in monotonic nanoseconds.
    pub fn scan(&self, now_ns: u64, mut fire: impl FnMut(Overrun)) -> Option<u64> {
        let limit_ns = self.limit_ns?;
        let slots = self.slots();
        // A run that begins after this look has at least the whole limit before it.
        let mut next = now_ns.saturating_add(limit_ns);
        let mut overruns = Vec::new();
        for (vcpu, watch) in slots.iter() {
            match watch.find_expired(limit_ns, now_ns) {
                Ok(run) => {
                    watch.fired_tag.store(run, Release);
                    overruns.push(Overrun { vcpu: *vcpu, run });
                }
                Err(deadline) => next = next.min(deadline.unwrap_or(u64::MAX)),
            }
        }
        drop(slots);
        overruns.into_iter().for_each(&mut fire);
        (!self.slots().is_empty()).then_some(next)
    }
}

/// What the watchdog has to say about a canceled run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WatchdogVerdict {
    /// Nothing: the cancel was for something else.
    Quiet,
    /// This very run is past its deadline: crash report TIMEOUT.
    Expired,
    /// The watchdog fired for an earlier run, which had ended by itself: to be counted and otherwise ignored.
    Stale,
}

/// The owner's handle of its vCPU's watch.
#[derive(Debug)]
pub struct Watched {
    is_on: bool,
    watch: Arc<RunWatch>,
    /// The last expiry that the owner has looked at.
    last_seen: u64,
}

impl Watched {
    /// To be called before every `run`: begins a watched run unless one goes on.
    pub fn enter(&self) {
        if self.is_on && self.watch.entered_at_ns.load(Relaxed) == 0 {
            self.watch.tag.store(self.watch.tag.load(Relaxed) + 1, Release);
            self.watch.entered_at_ns.store(clock::monotonic_ns().max(1), Release);
        }
    }

    /// To be called after an exit that the guest can see: ends the watched run.
    pub fn leave(&self) {
        // The control keeps the deadline of the first run for all later ones.
        if self.is_on && !controls::active(Control::StaleWatchdog) {
            self.watch.entered_at_ns.store(0, Release);
        }
    }

    /// To be called after a canceled run, before it is resumed or left.
    pub fn verdict(&mut self) -> WatchdogVerdict {
        let fired = self.watch.fired_tag.load(Acquire);
        if !self.is_on || fired == self.last_seen {
            return WatchdogVerdict::Quiet;
        }
        self.last_seen = fired;
        let is_in_run = self.watch.entered_at_ns.load(Relaxed) != 0;
        if is_in_run && fired == self.watch.tag.load(Relaxed) {
            WatchdogVerdict::Expired
        } else {
            WatchdogVerdict::Stale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(watchdog: &Watchdog, now_ns: u64) -> Vec<Overrun> {
        let mut overruns = Vec::new();
        watchdog.scan(now_ns, |overrun| overruns.push(overrun));
        overruns
    }

    #[test]
    fn a_resumed_run_keeps_its_deadline_and_is_fired_for_once() {
        let watchdog = Watchdog::new(Some(1000));
        let mut watched = watchdog.watch(VcpuId(0));
        watched.enter();
        let began = watched.watch.entered_at_ns.load(Relaxed);
        watched.enter();
        assert_eq!(watched.watch.entered_at_ns.load(Relaxed), began);
        assert_eq!(watchdog.scan(began + 999, |_| panic!("too early")), Some(began + 1000));
        assert_eq!(watched.verdict(), WatchdogVerdict::Quiet);
        assert_eq!(fired(&watchdog, began + 1000), [Overrun { vcpu: VcpuId(0), run: 1 }]);
        assert_eq!(fired(&watchdog, began + 1000), []);
        assert_eq!(watched.verdict(), WatchdogVerdict::Expired);
        assert_eq!(watched.verdict(), WatchdogVerdict::Quiet);
    }

    #[test]
    fn an_expiry_cannot_hurt_a_later_run() {
        let watchdog = Watchdog::new(Some(1000));
        let mut watched = watchdog.watch(VcpuId(0));
        watched.enter();
        assert_eq!(fired(&watchdog, u64::MAX).len(), 1);
        watched.leave();
        watched.enter();
        assert_eq!(watched.verdict(), WatchdogVerdict::Stale);
        watched.leave();
        assert_eq!(fired(&watchdog, u64::MAX), []);
    }

    #[test]
    fn off_means_off() {
        let watchdog = Watchdog::new(None);
        let mut watched = watchdog.watch(VcpuId(0));
        watched.enter();
        assert_eq!(watchdog.scan(u64::MAX, |_| panic!("fired while off")), None);
        assert_eq!(watched.verdict(), WatchdogVerdict::Quiet);
    }
}
