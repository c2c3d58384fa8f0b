//! [`ThreadGroup`]: the threads of a process with their signal state, and the choice of who gets a signal.
//!
//! Everything here runs under the group's lock and only says which task must be interrupted; waking and kicking happen
//! after the lock is released. Source: Linux `kernel/signal.c` `complete_signal`, `prepare_signal`,
//! `retarget_shared_pending`.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::fd::SignalFd;
use super::{DefaultAction, Handler, PendingSet, SignalActions};
use crate::abi::{Errno, SigInfo, SigSet, Signal, Tid};
use crate::host;
use crate::kernel::Task;
use crate::kernel::limits::{Limits, RLIMIT_SIGPENDING};

/// Whom a signal is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignalTarget {
    /// Any thread of the process that does not block it.
    Process,
    /// This thread and no other.
    Thread(Tid),
}

/// How the whole process ends, decided once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupExit {
    /// exit_group(2) or the last thread's exit(2), with the low eight bits of the status.
    Status(i32),
    /// Death by a signal.
    Signal(Signal),
}

/// A thread as its group sees it.
pub struct Member {
    /// The thread.
    pub task: Arc<Task>,
    /// Its signal mask as it is in force now, temporary masks of ppoll and friends included.
    pub blocked: SigSet,
    /// The mask to go back to when a temporary one ends.
    pub saved_mask: Option<SigSet>,
    /// Signals for this thread only.
    pub pending: PendingSet,
    /// Signals that sigtimedwait(2) waits for: they end that wait though they are blocked.
    pub waited_for: SigSet,
}

/// All threads of a process and what they share about signals.
#[derive(Default)]
pub struct ThreadGroup {
    /// The live threads.
    pub members: BTreeMap<Tid, Member>,
    /// The dispositions.
    pub actions: SignalActions,
    /// Signals for whichever thread takes them first.
    pub shared: PendingSet,
    /// The signal descriptors that follow the pending sets.
    pub(super) signal_fds: Vec<Weak<SignalFd>>,
    /// How many times SIGCONT was sent: a stop that was decided before one is not carried out.
    pub continued: u64,
    /// Stop signals that wait at the host until a thread has it stop the process by them: there, a SIGCONT takes them away
    /// at whatever moment it comes.
    pub(super) waiting_stops: SigSet,
    /// Set once the process is ending.
    pub exit: Option<GroupExit>,
    /// Has `RLIMIT_SIGPENDING`, once the guest has set it. The host's own stays as it was: it would make the host lose
    /// the siginfo of doorbells, which then look like signals from outside.
    pub limits: Arc<Limits>,
}

impl Member {
    /// A new thread with this mask and nothing pending.
    #[must_use]
    pub fn new(task: Arc<Task>, blocked: SigSet) -> Self {
        Self { task, blocked, saved_mask: None, pending: PendingSet::default(), waited_for: SigSet::EMPTY }
    }

    /// Signals that would end a wait of this thread.
    fn open_to(&self) -> SigSet {
        SigSet::ALL.difference(self.blocked).union(self.waited_for)
    }
}

impl ThreadGroup {
    /// A group without threads, of a process with these limits.
    #[must_use]
    pub fn new(limits: Arc<Limits>) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Makes a signal pending and says which task must notice it, if any must.
    ///
    /// # Errors
    /// `ESRCH` when the thread is gone, `EAGAIN` when the queue is full.
    pub fn post(&mut self, info: SigInfo, target: SignalTarget) -> Result<Option<Arc<Task>>, Errno> {
        let signal = info.signal();
        if let SignalTarget::Thread(tid) = target
            && !self.members.contains_key(&tid)
        {
            return Err(Errno::ESRCH);
        }
        self.cancel_opposites(signal);
        if self.is_dropped(signal, target) {
            return Ok(None);
        }
        let has_room = !PendingSet::is_limited(&info) || (self.queued() as u64) < self.pending_limit();
        match target {
            SignalTarget::Thread(tid) => {
                let Some(member) = self.members.get_mut(&tid) else { return Err(Errno::ESRCH) };
                member.pending.add(info, has_room)?;
                let chosen = member.open_to().contains(signal).then(|| member.task.clone());
                self.settle_signal_fds();
                Ok(chosen)
            }
            SignalTarget::Process => {
                self.shared.add(info, has_room)?;
                self.settle_signal_fds();
                Ok(self.choose(signal))
            }
        }
    }

    /// For a stop signal that waits at the host. Where nothing but a stop can come of it, it stays there, and the answer is
    /// the task that must see to it. `None` where the guest shall get it as any other.
    pub fn let_stop_wait(&mut self, signal: Signal) -> Option<Arc<Task>> {
        let is_default = self.actions.get(signal).handler == Handler::Default;
        let is_watched = self.members.values().any(|member| member.blocked.union(member.waited_for).contains(signal));
        if !is_default || is_watched || self.exit.is_some() {
            return None;
        }
        let chosen = self.choose(signal)?;
        self.cancel_opposites(signal);
        self.waiting_stops = self.waiting_stops.with(signal);
        Some(chosen)
    }

    /// How many signals may wait with their siginfo.
    fn pending_limit(&self) -> u64 {
        let set = self.limits.get(RLIMIT_SIGPENDING);
        set.map_or_else(|| host::signal::pending_limit().0, |limit| limit.soft)
    }

    /// Signals of this process that wait with their siginfo. Linux counts those of all processes of a user.
    fn queued(&self) -> usize {
        self.shared.queued() + self.members.values().map(|member| member.pending.queued()).sum::<usize>()
    }

    /// A signal that nobody blocks and everybody ignores is never made pending.
    #[must_use]
    pub fn is_dropped(&self, signal: Signal, target: SignalTarget) -> bool {
        let may_be_blocked = |member: &Member| member.blocked.union(member.waited_for).contains(signal);
        let blocked = match target {
            SignalTarget::Thread(tid) => self.members.get(&tid).is_some_and(may_be_blocked),
            SignalTarget::Process => self.members.values().any(may_be_blocked),
        };
        !blocked && self.actions.ignores(signal)
    }

    /// SIGCONT takes pending stop signals away, and the other way round.
    fn cancel_opposites(&mut self, signal: Signal) {
        let opposites = if signal == Signal::SIGCONT {
            self.continued += 1;
            SigSet::STOPS
        } else if SigSet::STOPS.contains(signal) {
            SigSet::of(&[Signal::SIGCONT])
        } else {
            return;
        };
        self.shared.discard(opposites);
        self.members.values_mut().for_each(|member| member.pending.discard(opposites));
    }

    /// The one thread that shall take a process-directed signal: one that waits for it, the main thread, any other.
    fn choose(&self, signal: Signal) -> Option<Arc<Task>> {
        let wanted = |member: &&Member| member.open_to().contains(signal);
        let main = self.members.values().find(|member| member.task.is_main());
        self.members
            .values()
            .find(|member| member.waited_for.contains(signal))
            .or_else(|| main.filter(wanted))
            .or_else(|| self.members.values().find(wanted))
            .map(|member| member.task.clone())
    }

    /// Other tasks that must look at shared signals which `leaver` no longer takes: it exits, or blocks them now.
    #[must_use]
    pub fn retarget(&self, leaver: Tid, signals: SigSet) -> Vec<Arc<Task>> {
        self.shared
            .set()
            .intersection(signals)
            .iter()
            .filter_map(|signal| {
                self.members
                    .values()
                    .find(|member| member.task.tid() != leaver && member.open_to().contains(signal))
                    .map(|member| member.task.clone())
            })
            .collect()
    }

    /// What is pending for `tid`: its own signals and the shared ones.
    #[must_use]
    pub fn pending_for(&self, tid: Tid) -> SigSet {
        self.members.get(&tid).map_or(SigSet::EMPTY, |member| member.pending.set().union(self.shared.set()))
    }

    /// True when a signal is pending that ends a wait of `tid`.
    #[must_use]
    pub fn has_deliverable(&self, tid: Tid) -> bool {
        self.members.get(&tid).is_some_and(|member| {
            if !self.waiting_stops.is_empty() {
                return true;
            }
            let open = member.open_to();
            [member.pending.set(), self.shared.set()].into_iter().any(|set| {
                set.intersection(open)
                    .iter()
                    .any(|signal| member.waited_for.contains(signal) || !self.actions.ignores(signal))
            })
        })
    }

    /// Takes the next signal of `wanted` for `tid`: its own first, then a shared one.
    pub fn take(&mut self, tid: Tid, wanted: SigSet) -> Option<SigInfo> {
        let own = self.members.get_mut(&tid)?.pending.take(wanted);
        let taken = own.or_else(|| self.shared.take(wanted));
        if taken.is_some() {
            self.settle_signal_fds();
        }
        taken
    }

    /// Changes a disposition; signals that are ignored from now on are no longer pending.
    pub fn set_action(&mut self, signal: Signal, action: super::SigAction) -> super::SigAction {
        let old = self.actions.set(signal, action);
        let is_ignored = match action.handler {
            Handler::Ignore => true,
            Handler::Default => matches!(DefaultAction::of(signal), DefaultAction::Ignore),
            Handler::Function(_) => false,
        };
        if is_ignored {
            let gone = SigSet::of(&[signal]);
            self.shared.discard(gone);
            self.members.values_mut().for_each(|member| member.pending.discard(gone));
            self.settle_signal_fds();
        }
        old
    }
}
