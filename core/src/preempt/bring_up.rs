//! The order in which a process gets its preemption, as types; the same for a first process and for a fork child.
//!
//! 1. [`SignalsBlocked`]: the kick set is blocked, on the only thread there is.
//! 2. [`Preemption::prepare`]: handlers that count, statistics, registry, and the descriptors that others wake the kick
//!    thread with, all before that thread exists. From here on vCPUs can register and kicks can be requested.
//! 3. [`Preemption::start`]: the transport file, then the kick thread, which starts the transport thread when it is needed.
//!    From here on doorbells are heard.
//! 4. [`Preemption::shut_down`]: no more doorbells; idempotent.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use elfuse::host::{signal, thread::{self, Role}};
//! # use elfuse::preempt::{Bounds, KickSink, Preemption, stats::{ProcessKind, Stats, TaskRole}};
//! # fn example(machine: Arc<dyn elfuse::vcpu::Machine>, sink: Arc<dyn KickSink>) -> Result<(), Box<dyn std::error::Error>> {
//! let proof = signal::block_kick_set()?;
//! let stats = Stats::anonymous(ProcessKind::Initial)?;
//! let preemption = Preemption::prepare(&proof, machine.clone(), stats, Bounds::default())?;
//! preemption.start(&proof, sink)?;
//! let proof = thread::adopt(Role::Bootstrap); // on the thread that will run the first vCPU
//! let mut vcpu = machine.create_vcpu(&proof)?;
//! let live = preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
//! loop {
//!     live.stats.run_entered();
//!     live.watched.enter();
//!     let exit = vcpu.run()?;
//!     live.stats.run_exited(&exit);
//!     preemption.drain_thread_directed(vcpu.id(), &live.stats);
//! #   break;
//! }
//! drop(live); // before the vCPU
//! # Ok(()) }
//! ```

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::kick::{self, KickThread};
use super::kicker::{Directed, KickSink, Kicker, Shared};
use super::stats::{ProcessCounter, ProcessKind, Stats, TaskCounter, TaskRole, TaskStats};
use super::transport::{Directory, Doorbell, OpenWarning, Receiver};
use super::watchdog::Watched;
use crate::abi::{SiCode, SigInfo, SigSet, Signal};
use crate::host::controls::{self, Control};
use crate::host::native_thread::Handle;
use crate::host::schedule::Spread;
use crate::host::signal::{self, MaskError, SignalsBlocked};
use crate::host::signal_wait::SignalWaiter;
use crate::host::thread::{self, Role};
use crate::host::{fault, forward};
use crate::vcpu::registry::{KickCause, KickTargets, Registration};
use crate::vcpu::{Machine, VcpuId};

/// Why a process cannot have its preemption. It must not run guests then.
#[derive(Debug, thiserror::Error)]
pub enum BringUpError {
    /// A signal mask or handler is not as it must be.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The host refused a descriptor or a thread.
    #[error("cannot {action}: {source}")]
    Host {
        /// What was tried.
        action: &'static str,
        /// What the host said.
        source: io::Error,
    },
}

impl BringUpError {
    fn host(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Host { action, source }
    }
}

/// What limits the runs of a process.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The watchdog's limit of one run, in nanoseconds; `None` is off.
    pub run_limit_ns: Option<u64>,
    /// Where transport files lie; `None` is the environment's choice.
    pub directory: Option<Directory>,
}

/// The preemption of this process.
#[derive(Clone)]
pub struct Preemption {
    kicker: Kicker,
    stats: Arc<Stats>,
    directory: Directory,
    running: Arc<Mutex<Running>>,
}

#[derive(Default)]
struct Running {
    /// Where the kick thread may run, if it is started on one processor.
    spread: Option<Spread>,
    sink: Option<Arc<dyn KickSink>>,
    receiver: Option<Arc<Receiver>>,
    kick_thread: Option<Handle<()>>,
}

/// A vCPU that can be kicked, watched and counted; for its owner thread. To be dropped before the vCPU is.
#[derive(Debug)]
pub struct Enlisted {
    /// The counters of this thread.
    pub stats: TaskStats,
    /// The watchdog of this vCPU.
    pub watched: Watched,
    /// The place in the registry.
    registration: Option<Registration>,
    kicker: Kicker,
    id: VcpuId,
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        self.registration = None;
        self.kicker.shared.watchdog.unwatch(self.id);
        signal::publish_handler_counters(None);
    }
}

impl Preemption {
    /// Makes everything but the threads. No kick is lost from here on, though none is executed yet.
    ///
    /// # Errors
    /// [`BringUpError`].
    pub fn prepare(
        proof: &SignalsBlocked,
        machine: Arc<dyn Machine>,
        stats: Arc<Stats>,
        bounds: Bounds,
    ) -> Result<Self, BringUpError> {
        signal::install_counting_handlers(proof)?;
        fault::set_sent_hook(forward::hand_over);
        Self::assemble(machine, stats, bounds)
    }

    /// The same in the child of a host fork, from what its memory holds of the parent's preemption: handlers and hooks are
    /// inherited, everything else is the child's own. With `spread`, the calling thread is kept on one processor for now.
    ///
    /// # Errors
    /// [`BringUpError`].
    pub fn in_forked_process(
        parent: &Self,
        machine: Arc<dyn Machine>,
        bounds: Bounds,
        spread: Option<Spread>,
    ) -> Result<Self, BringUpError> {
        forward::reset_after_fork();
        let stats = parent.stats.for_forked_process();
        let stats = stats.map_err(|error| BringUpError::host("count")(io::Error::other(error)))?;
        let directory = Some(bounds.directory.unwrap_or_else(|| parent.directory.clone()));
        let own = Self::assemble(machine, stats, Bounds { directory, ..bounds })?;
        own.running.lock().unwrap_or_else(PoisonError::into_inner).spread = spread;
        Ok(own)
    }

    fn assemble(machine: Arc<dyn Machine>, stats: Arc<Stats>, bounds: Bounds) -> Result<Self, BringUpError> {
        let process = stats.claim_process();
        signal::publish_process_handler_counters(process.handler_counters());
        let shared = Shared::new(machine, process, bounds.run_limit_ns)
            .map_err(BringUpError::host("make the kick thread's wake-up"))?;
        let directory = bounds.directory.unwrap_or_else(Directory::from_environment);
        Ok(Self { kicker: Kicker { shared }, stats, directory, running: Arc::default() })
    }

    /// Makes the transport file and starts the kick thread. A warning says why there is no transport; the process runs on
    /// without.
    ///
    /// # Errors
    /// [`BringUpError`].
    pub fn start(&self, proof: &SignalsBlocked, sink: Arc<dyn KickSink>) -> Result<Option<OpenWarning>, BringUpError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.sink.is_some() {
            return Ok(None);
        }
        running.sink = Some(Arc::clone(&sink));
        if self.stats.kind() == ProcessKind::ForkChild && controls::active(Control::ChildWithoutKickThread) {
            return Ok(None);
        }
        let shared = &self.kicker.shared;
        let signals = SignalWaiter::new(proof).map_err(BringUpError::host("wait for signals"))?;
        forward::publish_waker(&shared.wake);
        let (receiver, warning) = match Receiver::create(&self.directory) {
            Ok(receiver) => (Some(Arc::new(receiver)), None),
            Err(warning) => (None, Some(warning)),
        };
        running.receiver.clone_from(&receiver);
        if let Some(receiver) = &receiver {
            shared.set_receiver(Arc::clone(receiver));
        }
        let thread = KickThread::new(Arc::clone(shared), sink, signals, receiver, running.spread.take());
        let spawned = thread::spawn(Role::Kick, "elfuse-kick", proof, move |proof| thread.run(&proof));
        running.kick_thread = Some(spawned.map_err(BringUpError::host("start the kick thread"))?);
        Ok(warning)
    }

    /// The way to the kick thread.
    #[must_use]
    pub const fn kicker(&self) -> &Kicker {
        &self.kicker
    }

    /// The statistics that this process counts in.
    #[must_use]
    pub const fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Where transport files lie, for sending to other processes and for removing those of children.
    #[must_use]
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Makes a vCPU of the calling thread known: to the registry, the watchdog and the statistics.
    #[must_use]
    pub fn enlist(&self, id: VcpuId, role: Role, task_role: TaskRole) -> Enlisted {
        let stats = self.stats.claim_task(task_role);
        signal::publish_handler_counters(Some(stats.handler_counters()));
        let shared = &self.kicker.shared;
        shared.stats.bump(ProcessCounter::VcpusCreated);
        let watched = shared.watchdog.watch(id);
        let registration = Some(shared.registry.register(id, role));
        if shared.watchdog.is_on() {
            // The kick thread may be asleep without a deadline because there was nothing to watch.
            shared.wake.wake();
        }
        Enlisted { stats, watched, registration, kicker: self.kicker.clone(), id }
    }

    /// Takes the host signals that were directed at the calling thread, which runs the vCPU `own`, and gives them to the
    /// sink; after every exit and every wait. One system call (rt_sigpending(2)) where nothing waits for thread or process.
    /// The answer is how many of the thread's own were taken.
    ///
    /// A SIGUSR2 says itself where it was directed, so it is simply taken; one for the process, which the kick thread would
    /// have had a moment later, is served in its stead. All other signals for the process are left to the kick thread.
    pub fn drain_thread_directed(&self, own: VcpuId, stats: &TaskStats) -> usize {
        let waiting = signal::pending();
        if waiting.is_empty() {
            return 0;
        }
        // Before there is a sink they stay where they are.
        let sink = self.running.lock().unwrap_or_else(PoisonError::into_inner).sink.clone();
        let Some(sink) = sink else { return 0 };
        let usr2 = SigSet::of(&[Signal::SIGUSR2]);
        let mut taken = 0;
        if !waiting.intersection(usr2).is_empty() {
            while let Some(info) = signal::take_pending(usr2) {
                taken += self.take_usr2(own, &info, stats, &*sink);
            }
        }
        if !waiting.difference(usr2).is_empty() {
            // A doorbell that has come since is left to the next look: here it would be taken for a guest's signal.
            let others = signal::taken_set().difference(usr2);
            while let Some(info) = signal::take_thread_directed(others) {
                taken += 1;
                stats.bump(TaskCounter::DirectedSignals);
                sink.host_signal(&info, Directed::Thread(thread::gettid()));
            }
        }
        taken
    }

    /// Serves a SIGUSR2 that a vCPU thread took; 1 if it was directed at the thread.
    fn take_usr2(&self, own: VcpuId, info: &SigInfo, stats: &TaskStats, sink: &dyn KickSink) -> usize {
        let doorbell = self.kicker.shared.doorbell(info);
        if doorbell == Some(Doorbell::Thread) || info.code() == SiCode::SI_TKILL {
            stats.bump(TaskCounter::DirectedSignals);
        } else {
            let counter = doorbell.map_or(ProcessCounter::ForeignDoorbells, |_ours| ProcessCounter::Doorbells);
            self.kicker.shared.stats.bump(counter);
            self.kick_others(own, KickCause::Doorbell);
        }
        // Every SIGUSR2 drains.
        self.kicker.shared.request_drain();
        match doorbell {
            Some(Doorbell::Thread) => {
                stats.bump(TaskCounter::DirectedDoorbells);
                1
            }
            Some(Doorbell::Process) => 0,
            None if info.code() == SiCode::SI_TKILL => {
                sink.host_signal(info, Directed::Thread(thread::gettid()));
                1
            }
            None => {
                sink.host_signal(info, Directed::Process);
                0
            }
        }
    }

    /// Has all vCPUs but `own` leave their runs, as [`Kicker::request`].
    pub fn kick_others(&self, own: VcpuId, cause: KickCause) {
        self.kicker.request(KickTargets::AllExcept(own), cause);
    }

    /// Closes the transport and takes what it still holds, so that no doorbell comes any more. Before the process ends or
    /// executes a host program; idempotent.
    pub fn close_transport(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let (receiver, sink) = (running.receiver.clone(), running.sink.clone());
        drop(running);
        let (Some(receiver), Some(sink)) = (receiver, sink) else { return };
        if let Ok(drained) = receiver.close() {
            kick::take_records(&self.kicker.shared, &*sink, &drained);
        }
        if receiver.is_left() {
            self.kicker.shared.request_removal();
            self.kicker.settle();
        }
    }

    /// Gives the transport file to the user that the process becomes.
    pub fn give_transport_to(&self, uid: u32) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = &running.receiver {
            receiver.give_to(uid);
        }
    }

    /// Ends the threads, the transport and the counting of this process; idempotent. Not to be called by the kick or the
    /// transport thread, nor with a lock held that the sink takes.
    pub fn shut_down(&self) {
        self.close_transport();
        self.kicker.shared.stop();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let kick_thread = running.kick_thread.take();
        running.receiver = None;
        drop(running);
        forward::retract_waker();
        if let Some(thread) = kick_thread {
            // A thread that panicked has said so; there is nothing left to do for it.
            let _ = thread.join();
        }
        self.kicker.shared.stats.retire();
    }
}
