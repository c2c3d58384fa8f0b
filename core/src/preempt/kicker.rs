//! The way to the kick thread from anywhere in the process: [`Kicker`], and [`KickSink`], the way back.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::stats::{ProcessCounter, ProcessStats};
use super::timers::{Expired, TimerGeneration, TimerKey, Timers};
use super::transport::{Doorbell, Receiver, Record};
use super::watchdog::{Overrun, Watchdog};
use crate::abi::{SigInfo, SigSet, Signal, Tid};
use crate::host::signal::take_pending;
use crate::host::wake::WakeFd;
use crate::host::{clock, futex, thread};
use crate::vcpu::Machine;
use crate::vcpu::registry::{KickCause, KickRequest, KickTargets, Registry};

/// How long [`Kicker::settle`] waits for a round: only a process without its kick thread takes that long.
const SETTLE_LIMIT_NS: u64 = 1_000_000_000;

/// Where a host signal was directed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Directed {
    /// At the process.
    Process,
    /// At this thread of it.
    Thread(Tid),
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordOutcome {
    /// The guest got it.
    Delivered,
    /// Nobody was there to get it (the thread is gone, the queue is full).
    Undelivered,
}

/// The receiver of everything that interrupts a guest; the kernel implements it.
///
/// All functions are called on the kick thread, except [`record`](Self::record) (transport thread) and
/// [`host_signal`](Self::host_signal), which vCPU threads call too; these expire timers by
/// [`Kicker::expire_timers`] besides. None may block: they queue guest state and ask the
/// [`Kicker`] for kicks.
pub trait KickSink: Send + Sync {
    /// A host signal came from a program that is not elfuse: a guest signal.
    fn host_signal(&self, info: &SigInfo, directed: Directed);

    /// A stop signal from a program that is not elfuse, or from another elfuse process, waits at the host. True where it
    /// shall stay there, since the guest's next step is to have the host stop the process by it, and to say so
    /// ([`Kicker::served_stop`]); false where the guest shall get it as any other signal.
    fn stop_waits(&self, signal: Signal) -> bool;

    /// A signal record came from another elfuse process.
    fn record(&self, record: &Record) -> RecordOutcome;

    /// A timer expired. It is disarmed now; for an interval the sink arms it again.
    fn timer_expired(&self, expired: Expired);

    /// A timer on a CPU clock expired once, and `overrun` times more. The host has armed it again if it has an interval.
    fn cpu_timer_expired(&self, key: TimerKey, overrun: u32);

    /// A host child changed its state; `info` is the SIGCHLD that says so.
    fn child_changed(&self, info: &SigInfo);

    /// A run is past the watchdog's limit; its vCPU has been kicked. The owner decides, by the tag, whether that still
    /// holds.
    fn overrun(&self, overrun: Overrun);
}

/// What all threads of the process share about preemption.
pub(super) struct Shared {
    pub(super) machine: Arc<dyn Machine>,
    pub(super) registry: Arc<Registry>,
    pub(super) stats: ProcessStats,
    pub(super) watchdog: Watchdog,
    /// Ends the kick thread's wait.
    pub(super) wake: WakeFd,
    /// Leaf lock.
    queue: Mutex<Queue>,
    timers: Timers,
    /// Held while the transport file is locked by this process.
    draining: Mutex<()>,
    /// Held from the taking of a host signal until it is served.
    taking: Mutex<()>,
    /// Nonzero when the transport file is to be drained; the transport thread sleeps on it.
    drain_requested: AtomicU32,
    /// The transport thread has taken a request and not finished with it.
    is_draining: AtomicBool,
    /// Drains that have ended; [`Kicker::settle_records`] sleeps on it.
    drains: AtomicU32,
    /// Stop signals that stay at the host until the guest has stopped by them, as a [`SigSet`]; set by the kick thread.
    waiting_stops: AtomicU64,
    /// The transport file, once there is one.
    receiver: OnceLock<Arc<Receiver>>,
    /// There is a transport thread, or nothing for it to drain.
    has_drainer: AtomicBool,
    pub(super) is_stopping: AtomicBool,
    /// The kick thread is to remove the transport file.
    is_removing: AtomicBool,
    /// The kick thread's id, 0 before it runs.
    kick_thread: AtomicI32,
    /// Rounds of the kick thread that have ended; [`Kicker::settle`] sleeps on it.
    rounds: AtomicU32,
    /// Threads in [`Kicker::settle`].
    settling: AtomicU32,
}

#[derive(Default)]
struct Queue {
    requests: Vec<KickRequest>,
    /// When the oldest of them was made.
    since_ns: u64,
}

impl Shared {
    pub(super) fn new(
        machine: Arc<dyn Machine>,
        stats: ProcessStats,
        watchdog_limit_ns: Option<u64>,
    ) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            machine,
            registry: Registry::new(),
            stats,
            watchdog: Watchdog::new(watchdog_limit_ns),
            wake: WakeFd::new()?,
            queue: Mutex::default(),
            timers: Timers::new(),
            draining: Mutex::default(),
            taking: Mutex::default(),
            drain_requested: AtomicU32::new(0),
            is_draining: AtomicBool::new(false),
            drains: AtomicU32::new(0),
            waiting_stops: AtomicU64::new(0),
            receiver: OnceLock::new(),
            has_drainer: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            is_removing: AtomicBool::new(false),
            kick_thread: AtomicI32::new(0),
            rounds: AtomicU32::new(0),
            settling: AtomicU32::new(0),
        }))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn timers(&self) -> &Timers {
        &self.timers
    }

    /// Expires the timers that are due.
    pub(super) fn expire_timers(&self, mut expired: impl FnMut(Expired)) {
        self.timers.expire(clock::monotonic_ns(), |timer| {
            self.stats.bump(ProcessCounter::TimersExpired);
            expired(timer);
        });
    }

    /// Stop signals that the kick thread leaves where they are.
    pub(super) fn waiting_stops(&self) -> SigSet {
        SigSet(self.waiting_stops.load(Ordering::Acquire))
    }

    /// Has the kick thread leave a stop signal where it is, before the guest hears of it.
    pub(super) fn add_waiting_stop(&self, signal: Signal) {
        self.waiting_stops.fetch_or(SigSet::of(&[signal]).0, Ordering::AcqRel);
    }

    /// The kick thread looks for the signal again.
    pub(super) fn remove_waiting_stop(&self, signal: Signal) {
        self.waiting_stops.fetch_and(!SigSet::of(&[signal]).0, Ordering::AcqRel);
    }

    /// Before any thread of preemption runs.
    pub(super) fn set_receiver(&self, receiver: Arc<Receiver>) {
        // A process has one transport file.
        let _first = self.receiver.set(receiver);
    }

    /// Which doorbell a SIGUSR2 is, if it is one.
    ///
    /// One without its siginfo is taken for a doorbell where records come. The host drops the siginfo of a queued signal
    /// when `RLIMIT_SIGPENDING` is used up; taken for a guest's signal, that would end most guests.
    pub(super) fn doorbell(&self, info: &SigInfo) -> Option<Doorbell> {
        Doorbell::of(info).or_else(|| {
            let is_likely = Doorbell::has_lost_its_info(info) && self.receiver.get()?.gets_records();
            is_likely.then_some(Doorbell::Process)
        })
    }

    /// Whoever drains the transport file holds this, for as long as a peer may keep the file at most.
    pub(super) fn draining(&self) -> MutexGuard<'_, ()> {
        self.draining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever takes host signals holds this until they are served.
    pub(super) fn taking(&self) -> MutexGuard<'_, ()> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a request; true when the queue was empty before.
    pub(super) fn enqueue(&self, request: KickRequest) -> bool {
        let mut queue = self.queue();
        if queue.requests.contains(&request) {
            drop(queue);
            self.stats.bump(ProcessCounter::KicksCoalesced);
            return false;
        }
        let was_empty = queue.requests.is_empty();
        if was_empty {
            queue.since_ns = clock::monotonic_ns();
        }
        queue.requests.push(request);
        was_empty
    }

    /// Takes all requests, and when the oldest was made.
    pub(super) fn take_requests(&self) -> Option<(Vec<KickRequest>, u64)> {
        let mut queue = self.queue();
        let requests = std::mem::take(&mut queue.requests);
        (!requests.is_empty()).then_some((requests, queue.since_ns))
    }

    pub(super) fn request_drain(&self) {
        if self.drain_requested.swap(1, Ordering::SeqCst) == 0 {
            futex::wake(&self.drain_requested, 1);
        }
        if !self.has_drainer.load(Ordering::Acquire) {
            // The kick thread starts it.
            self.wake.wake();
        }
    }

    /// True when a drain is requested and there is no transport thread to do it.
    pub(super) fn lacks_drainer(&self) -> bool {
        !self.has_drainer.load(Ordering::Acquire) && self.drain_requested.load(Ordering::Acquire) != 0
    }

    pub(super) fn set_has_drainer(&self) {
        self.has_drainer.store(true, Ordering::Release);
    }

    /// Says that the last drain has ended, and sleeps until one is requested or the process stops.
    pub(super) fn wait_for_drain_request(&self) {
        loop {
            self.is_draining.store(true, Ordering::SeqCst);
            if self.drain_requested.swap(0, Ordering::SeqCst) != 0 || self.is_stopping.load(Ordering::Acquire) {
                return;
            }
            self.is_draining.store(false, Ordering::SeqCst);
            self.drains.fetch_add(1, Ordering::SeqCst);
            if self.settling.load(Ordering::SeqCst) > 0 {
                futex::wake(&self.drains, u32::MAX);
            }
            futex::wait(&self.drain_requested, 0, None);
        }
    }

    /// Has the kick thread remove the transport file, which is closed.
    pub(super) fn request_removal(&self) {
        self.is_removing.store(true, Ordering::Release);
    }

    /// Removes the transport file if somebody has asked for that.
    pub(super) fn remove_receiver(&self) {
        if self.is_removing.load(Ordering::Acquire)
            && let Some(receiver) = self.receiver.get()
        {
            receiver.unlink();
        }
    }

    /// Says that the calling thread is the kick thread.
    pub(super) fn begin_rounds(&self) {
        self.kick_thread.store(thread::gettid().0, Ordering::Release);
    }

    /// The kick thread has ended a round: everything that waited when it began is served.
    pub(super) fn end_round(&self) {
        self.rounds.fetch_add(1, Ordering::SeqCst);
        if self.settling.load(Ordering::SeqCst) > 0 {
            futex::wake(&self.rounds, u32::MAX);
        }
    }

    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Release);
        self.wake.wake();
        self.end_round();
        self.request_drain();
    }
}

/// A handle on the kick thread of this process. Cheap to clone; no call of it blocks.
///
/// ```no_run
/// # use elfuse::preempt::{KickCause, KickTargets, Kicker, TimerKey};
/// # use elfuse::vcpu::VcpuId;
/// # fn example(kicker: &Kicker, other: VcpuId, own: VcpuId, now_ns: u64) {
/// kicker.request(other, KickCause::GuestSignal);
/// kicker.request(KickTargets::AllExcept(own), KickCause::ExitGroup);
/// let armed = kicker.arm(TimerKey(7), now_ns + 1_000_000);
/// kicker.cancel(TimerKey(7));
/// # }
/// ```
#[derive(Clone)]
pub struct Kicker {
    pub(super) shared: Arc<Shared>,
}

impl Kicker {
    /// Has the kick thread cancel these vCPUs. Requests that are alike coalesce until they are executed; those that come
    /// before the kick thread has started are executed when it does.
    ///
    /// A thread must not ask for its own vCPU: that is done, counted as `self_kicks`, and closes the gate.
    pub fn request(&self, targets: impl Into<KickTargets>, cause: KickCause) {
        let request = KickRequest { targets: targets.into(), cause };
        if self.shared.registry.names_own(request.targets, thread::gettid()) {
            self.shared.stats.bump(ProcessCounter::SelfKicks);
        }
        if self.shared.enqueue(request) {
            self.shared.wake.wake();
        }
    }

    /// The id of the kick thread: whom the host's own timers are to tell.
    #[must_use]
    pub fn kick_thread(&self) -> Tid {
        if self.shared.kick_thread.load(Ordering::Acquire) == 0 {
            // It has just been started.
            self.settle();
        }
        Tid(self.shared.kick_thread.load(Ordering::Acquire))
    }

    /// Waits until the kick thread has served every host signal that was pending for the process when this was called.
    /// That takes it two rounds at most, in which it blocks nowhere; where it does not run any more, nothing is waited for.
    pub fn settle(&self) {
        let shared = &*self.shared;
        shared.settling.fetch_add(1, Ordering::SeqCst);
        // The round in progress may be past its look at the signals.
        for _ in 0..2 {
            let seen = shared.rounds.load(Ordering::SeqCst);
            shared.wake.wake();
            while shared.rounds.load(Ordering::SeqCst) == seen && !shared.is_stopping.load(Ordering::Acquire) {
                let limit_ns = clock::monotonic_ns() + SETTLE_LIMIT_NS;
                futex::wait(&shared.rounds, seen, Some(limit_ns));
                if clock::monotonic_ns() >= limit_ns {
                    break;
                }
            }
        }
        shared.settling.fetch_sub(1, Ordering::SeqCst);
    }

    /// As [`Self::settle`], and waits for the records of those doorbells too, unless a peer sits on their lock: that ends no
    /// later than `SETTLE_LIMIT_NS` after the last of them was drained.
    pub fn settle_records(&self) {
        self.settle();
        let shared = &*self.shared;
        shared.settling.fetch_add(1, Ordering::SeqCst);
        loop {
            let seen = shared.drains.load(Ordering::SeqCst);
            let is_requested = shared.drain_requested.load(Ordering::SeqCst) != 0;
            if !is_requested && !shared.is_draining.load(Ordering::SeqCst) || shared.is_stopping.load(Ordering::Acquire)
            {
                break;
            }
            let limit_ns = clock::monotonic_ns() + SETTLE_LIMIT_NS;
            futex::wait(&shared.drains, seen, Some(limit_ns));
            if clock::monotonic_ns() >= limit_ns {
                break;
            }
        }
        shared.settling.fetch_sub(1, Ordering::SeqCst);
    }

    /// Serves every SIGCHLD that was pending for the process when this was called, in the kick thread's place: whoever has
    /// just waited for a child knows that the host has sent it, and is not to be overtaken by it. Waits while the kick
    /// thread serves signals. The caller holds no lock.
    pub fn take_child_signals(&self, mut take: impl FnMut(&SigInfo)) {
        let _taking = self.shared.taking();
        while let Some(info) = take_pending(SigSet::of(&[Signal::SIGCHLD])) {
            self.shared.stats.bump(ProcessCounter::ChildSignals);
            take(&info);
        }
    }

    /// Keeps the kick thread from taking host signals, of which none is between its taking and its serving now, until the
    /// answer is dropped: at once, for the kick thread waits. Nor is the transport file locked by this process: stopped now,
    /// it would keep its senders waiting. The caller holds no lock.
    pub fn keep_signals(&self) -> (MutexGuard<'_, ()>, MutexGuard<'_, ()>) {
        (self.shared.draining(), self.shared.taking())
    }

    /// The guest has stopped by a stop signal that waited at the host ([`KickSink::stop_waits`]), or found that it waits no
    /// more: the next one is told anew.
    pub fn served_stop(&self, signal: Signal) {
        self.shared.remove_waiting_stop(signal);
        self.shared.wake.wake();
    }

    /// Arms a timer, in place of an earlier arming of the same key. A deadline in the past expires at once.
    pub fn arm(&self, key: TimerKey, deadline_ns: u64) -> TimerGeneration {
        let (generation, is_earliest) = self.shared.timers().arm(key, deadline_ns);
        if is_earliest {
            self.shared.wake.wake();
        }
        generation
    }

    /// Gives `expired` the timers that are due, in the kick thread's place: at a system call the guest is to find that time
    /// has passed, wherever the kick thread is. Costs nothing while no timer is armed. The caller holds no lock.
    pub fn expire_timers(&self, expired: impl FnMut(Expired)) {
        if self.shared.timers().are_due() {
            self.shared.expire_timers(expired);
        }
    }

    /// Disarms a timer. False when it was not armed: never, or its expiry is on its way to the sink.
    pub fn cancel(&self, key: TimerKey) -> bool {
        self.shared.timers().cancel(key)
    }

    /// The live vCPUs.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.shared.registry
    }

    /// The counters of this process.
    #[must_use]
    pub fn stats(&self) -> &ProcessStats {
        &self.shared.stats
    }
}

impl std::fmt::Debug for Kicker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kicker").field("registry", &self.shared.registry).finish_non_exhaustive()
    }
}
