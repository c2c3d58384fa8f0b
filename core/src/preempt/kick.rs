//! The kick thread: the only thread that takes host signals, and the only one that cancels runs.
//!
//! ```text
//!            +-> signals: doorbell -> kick all at once, have the transport drained
//!            |            others   -> sink (guest signals from outside, children)
//!   wait ----+-> timers   -> sink
//!  (signals, +-> watchdog -> kick, sink
//!   wake-ups,|
//!   deadline)+-> requests of other threads, and those that the sink has just made -> one array call
//! ```
//! It does no blocking work: the transport file is the transport thread's ([`drain_loop`]), which it starts at the first
//! doorbell.
//! `docs/design.md` §1, §2 (invariants 1, 4), §6.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::kicker::{Directed, KickSink, RecordOutcome, Shared};
use super::stats::ProcessCounter;
use super::timers::TimerKey;
use super::transport::{Drained, Receiver, RecordKind};
use crate::abi::{SigInfo, SigSet, Signal};
use crate::host::native_thread::Handle;
use crate::host::schedule::Spread;
use crate::host::signal::{self, SignalsBlocked};
use crate::host::signal_wait::SignalWaiter;
use crate::host::thread::{self, Role};
use crate::host::{clock, fds};
use crate::host::{cpu_timer, forward};
use crate::vcpu::registry::{KICK_CAUSES, KickCause, KickRequest, KickTargets};

/// Host signals taken before timers and requests get their turn.
const SIGNALS_PER_ROUND: usize = 256;

/// The counter of each cause, in the order of [`KickCause::ALL`].
const CAUSE_COUNTERS: [ProcessCounter; KICK_CAUSES] = [
    ProcessCounter::KicksDoorbell,
    ProcessCounter::KicksGuestSignal,
    ProcessCounter::KicksHostSignal,
    ProcessCounter::KicksTimer,
    ProcessCounter::KicksWatchdog,
    ProcessCounter::KicksExitGroup,
    ProcessCounter::KicksExec,
    ProcessCounter::KicksFork,
];

/// The kick thread's own state.
pub(super) struct KickThread {
    shared: Arc<Shared>,
    sink: Arc<dyn KickSink>,
    signals: SignalWaiter,
    /// The transport file, for the transport thread; `None` where there is none or the thread has started.
    receiver: Option<Arc<Receiver>>,
    /// What `signals` does not tell.
    left_out: SigSet,
    /// Stop signals that the guest gets as any other.
    taken_stops: SigSet,
    /// Where it may run, if it was started on one processor.
    spread: Option<Spread>,
}

/// The stop signals that a program may handle.
const STOPS: SigSet = SigSet::STOPS.without(Signal::SIGSTOP);

/// How long the kick thread waits until it tries again to start the transport thread, in nanoseconds.
const START_AGAIN_NS: u64 = 10_000_000;

impl KickThread {
    pub(super) const fn new(
        shared: Arc<Shared>,
        sink: Arc<dyn KickSink>,
        signals: SignalWaiter,
        receiver: Option<Arc<Receiver>>,
        spread: Option<Spread>,
    ) -> Self {
        Self { shared, sink, signals, receiver, left_out: SigSet::EMPTY, taken_stops: SigSet::EMPTY, spread }
    }

    /// Runs until the process stops.
    pub(super) fn run(mut self, proof: &SignalsBlocked) {
        self.shared.begin_rounds();
        // What waited before there was somebody to wait for it.
        let is_to_look = !SignalWaiter::TELLS_OF_EARLIER || self.shared.watchdog.is_on();
        let mut watchdog_ns = is_to_look.then_some(0);
        let mut transport = None;
        if self.receiver.is_none() {
            self.shared.set_has_drainer();
        }
        while !self.shared.is_stopping.load(Ordering::Acquire) {
            let timer_ns = self.shared.timers().next_deadline_ns();
            let again_ns = self.shared.lacks_drainer().then(|| clock::monotonic_ns().saturating_add(START_AGAIN_NS));
            let deadline_ns = timer_ns.into_iter().chain(watchdog_ns).chain(again_ns).min();
            if let Err(error) = self.wait(deadline_ns) {
                // Without its wait the thread would spin; a process without interruptions must not go on.
                crate::host::tell(format_args!("elfuse: the kick thread cannot wait: {error}"));
                std::process::abort();
            }
            // Cleared before anything is looked at, so that what comes later wakes again.
            self.shared.wake.clear();
            self.find_stops();
            self.take_signals();
            self.shared.expire_timers(|expired| self.sink.timer_expired(expired));
            watchdog_ns = self.watch();
            self.execute_requests();
            self.shared.remove_receiver();
            if self.shared.lacks_drainer() {
                transport = self.start_transport(proof);
            }
            self.shared.end_round();
            // Not before it has had something to do: until then it sleeps, and most often it ends without having been woken.
            if let Some(spread) = self.spread.take() {
                spread.apply();
            }
        }
        if let Some(transport) = transport {
            // A thread that panicked has said so.
            let _ended = transport.join();
        }
    }

    /// Starts the transport thread at the first doorbell: most processes never hear one. `None` where the host has no room
    /// for it now.
    fn start_transport(&mut self, proof: &SignalsBlocked) -> Option<Handle<()>> {
        let receiver = self.receiver.clone()?;
        let (shared, sink) = (Arc::clone(&self.shared), Arc::clone(&self.sink));
        let spawned = thread::spawn(Role::Pool, "elfuse-transport", proof, move |_proof| {
            drain_loop(&shared, &*sink, &receiver);
        });
        let transport = spawned.ok()?;
        self.receiver = None;
        self.shared.set_has_drainer();
        Some(transport)
    }

    fn wait(&self, deadline_ns: Option<u64>) -> io::Result<()> {
        let interest = fds::PollFlags::POLLIN;
        let mut polled =
            [fds::PollFd::new(self.signals.as_fd(), interest), fds::PollFd::new(self.shared.wake.as_fd(), interest)];
        Ok(fds::poll(&mut polled, deadline_ns).map(drop)?)
    }

    /// Offers the stop signals that wait for the process to the guest, before any signal is taken.
    ///
    /// Taken, they would be out of the reach of a SIGCONT, and the guest might be stopped after it for ever.
    fn find_stops(&mut self) {
        let shared = &self.shared;
        let _taking = shared.taking();
        let waiting = signal::pending().intersection(STOPS).difference(shared.waiting_stops());
        // One that somebody directed at this thread is not where the guest's threads can reach it.
        while !waiting.is_empty()
            && let Some(info) = signal::take_thread_directed(waiting)
        {
            self.sink.host_signal(&info, Directed::Process);
        }
        for signal in signal::pending().intersection(waiting).iter() {
            shared.add_waiting_stop(signal);
            if !self.sink.stop_waits(signal) {
                shared.remove_waiting_stop(signal);
                self.taken_stops = self.taken_stops.with(signal);
            }
        }
        let left = shared.waiting_stops();
        if left != self.left_out {
            match self.signals.leave_out(left) {
                Ok(()) => self.left_out = left,
                // It is readable without need until the guest has stopped.
                Err(_refused) => {}
            }
        }
    }

    fn take_signals(&mut self) {
        let _taking = self.shared.taking();
        let wanted = signal::taken_set().difference(STOPS).union(std::mem::take(&mut self.taken_stops));
        for _ in 0..SIGNALS_PER_ROUND {
            let Some(info) = signal::take_pending(wanted) else { break };
            self.take(&info);
        }
        while let Some(info) = forward::take() {
            self.shared.stats.bump(ProcessCounter::HostSignals);
            self.sink.host_signal(&info, Directed::Process);
        }
    }

    fn take(&self, info: &SigInfo) {
        let stats = &self.shared.stats;
        if let Some(key) = cpu_timer::key_of(info) {
            stats.bump(ProcessCounter::TimersExpired);
            self.sink.cpu_timer_expired(TimerKey(key), info.timer_overrun());
        } else if info.signal() == Signal::SIGUSR2 {
            let is_ours = self.shared.doorbell(info).is_some();
            stats.bump(if is_ours { ProcessCounter::Doorbells } else { ProcessCounter::ForeignDoorbells });
            self.shared.enqueue(KickRequest { targets: KickTargets::All, cause: KickCause::Doorbell });
            self.execute_requests();
            self.shared.request_drain();
            if !is_ours {
                self.sink.host_signal(info, Directed::Process);
            }
        } else if info.signal() == Signal::SIGCHLD && !info.code().is_from_process() {
            stats.bump(ProcessCounter::ChildSignals);
            self.sink.child_changed(info);
        } else {
            stats.bump(ProcessCounter::HostSignals);
            self.sink.host_signal(info, Directed::Process);
        }
    }

    fn watch(&self) -> Option<u64> {
        self.shared.watchdog.scan(clock::monotonic_ns(), |overrun| {
            self.shared.stats.bump(ProcessCounter::WatchdogsFired);
            self.sink.overrun(overrun);
            let targets = KickTargets::One(overrun.vcpu);
            self.shared.enqueue(KickRequest { targets, cause: KickCause::Watchdog });
        })
    }

    fn execute_requests(&self) {
        let Some((requests, since_ns)) = self.shared.take_requests() else { return };
        let stats = &self.shared.stats;
        match self.shared.registry.kick(&requests, |ids| self.shared.machine.exit_vcpus(ids)) {
            Ok(kicked) => {
                stats.bump(ProcessCounter::KickCalls);
                stats.raise(ProcessCounter::MaxKickLatencyNs, clock::monotonic_ns().saturating_sub(since_ns));
                for (counter, count) in CAUSE_COUNTERS.into_iter().zip(kicked.by_cause) {
                    if count > 0 {
                        stats.add(counter, count);
                    }
                }
            }
            Err(error) => {
                // A guest that cannot be interrupted any more must not run on.
                crate::host::tell(format_args!("elfuse: {error}"));
                std::process::abort();
            }
        }
    }
}

/// The transport thread: drains the file whenever the kick thread asks for it, until the process stops.
pub(super) fn drain_loop(shared: &Shared, sink: &dyn KickSink, receiver: &Receiver) {
    let mut pause = Duration::from_millis(1);
    loop {
        shared.wait_for_drain_request();
        if shared.is_stopping.load(Ordering::Acquire) {
            return;
        }
        let drained = {
            let _draining = shared.draining();
            receiver.drain()
        };
        match drained {
            Ok(drained) if drained.busy => {
                // A peer sits on the lock. Nothing is lost: it is tried again, ever more seldom.
                shared.stats.bump(ProcessCounter::TransportBusy);
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(100));
                shared.request_drain();
            }
            Ok(drained) => {
                pause = Duration::from_millis(1);
                take_records(shared, sink, &drained);
            }
            // The file was damaged under us; the next doorbell tries again.
            Err(_damaged) => shared.stats.bump(ProcessCounter::TransportBusy),
        }
    }
}

/// Counts what was drained and gives the signals to the sink.
pub(super) fn take_records(shared: &Shared, sink: &dyn KickSink, drained: &Drained) {
    let stats = &shared.stats;
    stats.add(ProcessCounter::RecordsMalformed, drained.malformed);
    stats.add(ProcessCounter::RecordsForeign, drained.foreign);
    stats.add(ProcessCounter::RecordsReceived, drained.records.len() as u64);
    for record in &drained.records {
        stats.bump(match record.kind {
            RecordKind::Null => ProcessCounter::RecordsNull,
            RecordKind::Signal => match sink.record(record) {
                RecordOutcome::Delivered => ProcessCounter::RecordsDelivered,
                RecordOutcome::Undelivered => ProcessCounter::RecordsUndelivered,
            },
        });
    }
}
