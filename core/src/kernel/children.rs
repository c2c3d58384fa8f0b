//! What a process knows of its children beyond what the host knows: [`Children`].
//!
//! Guest children are host children, so the host keeps their states and answers waits. Kept here is what the host cannot
//! tell: children that are not ready yet and may turn out to be none (a fork that fails leaves no trace), the signals that
//! children send at their end where that is not SIGCHLD (`clone` children, as wait(2) calls them), and who was there at all.
//!
//! The kick thread never waits for the lock: it puts news into the inbox, and whoever holds the lock then serves them
//! afterwards. Sources: clone(2), wait(2), sigaction(2) `SA_NOCLDWAIT`; `eligible_child` in `kernel/exit.c` of Linux.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Process;
use super::signal::{Handler, SaFlags, SignalTarget};
use crate::abi::{Errno, Pid, SigInfo, SigSet, Signal};
use crate::host::children::{self as host, ChildChange, WaitedFor, Whose};
use crate::host::signal::{SignalsBlocked, set_automatic_reaping};
use crate::host::signal_wait::SignalWaiter;
use crate::preempt::KickCause;

/// `__WCLONE`: only children that do not send SIGCHLD.
pub const WCLONE: i32 = 0x8000_0000_u32.cast_signed();
/// `__WALL`: children whatever they send.
pub const WALL: i32 = 0x4000_0000;
/// `WNOWAIT`: the child stays waitable.
pub const WNOWAIT: i32 = 0x0100_0000;

/// How many discarded children are remembered until their SIGCHLD has come.
const DISCARDED_MAX: usize = 16;

/// The children of a process.
#[derive(Default)]
pub struct Children {
    state: Mutex<State>,
    /// Changes of children that nobody has looked at. Leaf lock.
    inbox: Mutex<Vec<SigInfo>>,
    /// Readable while a SIGCHLD waits for this process; made at the first wait that may sleep. `None` where the host has no such
    /// descriptor.
    news: OnceLock<Option<SignalWaiter>>,
}

#[derive(Default)]
struct State {
    /// Children that this process has made and nobody has taken away.
    known: BTreeSet<Pid>,
    /// Those that have not said yet that they are about to run.
    unready: BTreeSet<Pid>,
    /// Those whose end their parent has been told of.
    told: BTreeSet<Pid>,
    /// The ends that have just been waited for and that no SIGCHLD has told of yet.
    untold: Vec<SigInfo>,
    /// What is known of unready ones already.
    held: Vec<SigInfo>,
    /// Those that turned out to be none, or that send something else and are waited for, and whose SIGCHLD may be on its
    /// way.
    discarded: VecDeque<Pid>,
    /// Those that send something else than SIGCHLD at their end.
    clones: BTreeMap<Pid, CloneChild>,
    /// The host takes ended children away by itself.
    is_reaping: bool,
    /// Those that it has taken away so, whose transport files may be left.
    reaped: Vec<Pid>,
}

struct CloneChild {
    exit_signal: Option<Signal>,
    has_sent: bool,
}

/// Nobody waits for children, nor hears of them, while this is held; for the making of one.
pub struct Making<'children> {
    state: MutexGuard<'children, State>,
}

impl Making<'_> {
    /// Notes the child that was made. It is hidden until [`Children::settle`].
    pub fn made(&mut self, pid: Pid, exit_signal: i32) {
        self.state.known.insert(pid);
        self.state.unready.insert(pid);
        self.state.discarded.retain(|discarded| *discarded != pid);
        if exit_signal != Signal::SIGCHLD.number() {
            // A number that is no signal sends none.
            let child = CloneChild { exit_signal: Signal::new(exit_signal), has_sent: false };
            self.state.clones.insert(pid, child);
        }
    }
}

impl Children {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inbox(&self) -> MutexGuard<'_, Vec<SigInfo>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Readable while the host has a SIGCHLD for this process, which nobody has taken. Who waits for a child need not wait for
    /// the kick thread to take it.
    pub fn news(&self, proof: &SignalsBlocked) -> Option<BorrowedFd<'_>> {
        let made = self.news.get_or_init(|| SignalWaiter::of(SigSet::of(&[Signal::SIGCHLD]), proof).ok());
        made.as_ref().map(AsFd::as_fd)
    }

    /// Keeps everybody else from the children. [`Process::serve_children`] follows when it is dropped.
    #[must_use]
    pub fn make(&self) -> Making<'_> {
        Making { state: self.state() }
    }

    /// Shows a child that is ready, or forgets one that was discarded. [`Process::serve_children`] follows.
    pub fn settle(&self, pid: Pid, is_ready: bool) {
        let mut state = self.state();
        state.unready.remove(&pid);
        if !is_ready {
            state.forget(pid);
            state.discard(pid);
        }
        // What was held back is looked at again.
        let held = std::mem::take(&mut state.held);
        self.inbox().extend(held);
    }

    /// wait4(2) that never sleeps; `None` when no child has changed its state. [`Process::serve_children`] follows.
    ///
    /// # Errors
    /// `ECHILD`, `EINVAL`.
    pub fn wait4(&self, whose: Whose, options: i32) -> Result<Option<ChildChange>, Errno> {
        let gone = |change: &ChildChange| change.is_end().then(|| change.end_info());
        self.look(whose, options, |whose| host::wait_child(whose, options & !WCLONE), gone)
    }

    /// waitid(2) that never sleeps, as [`wait4`](Self::wait4).
    ///
    /// # Errors
    /// `ECHILD`, `EINVAL`, `EBADF`.
    pub fn waitid(&self, whose: Whose, options: i32) -> Result<Option<WaitedFor>, Errno> {
        let gone = |(info, _usage): &WaitedFor| {
            let info = SigInfo::from_bytes(Signal::SIGCHLD, *info);
            (options & WNOWAIT == 0 && info.code().is_end_of_child()).then_some(info)
        };
        self.look(whose, options, |whose| host::wait_id(whose, options & !WCLONE), gone)
    }

    fn look<T>(
        &self,
        whose: Whose,
        options: i32,
        ask: impl Fn(Whose) -> Result<Option<T>, Errno>,
        gone: impl Fn(&T) -> Option<SigInfo>,
    ) -> Result<Option<T>, Errno> {
        let mut state = self.state();
        let found = match state.candidates(whose, options)? {
            None => ask(whose)?,
            Some(candidates) => candidates.into_iter().find_map(|pid| ask(Whose::One(pid)).ok().flatten()),
        };
        if let Some(end) = found.as_ref().and_then(gone) {
            // Its own signal comes before the wait is over; the host's SIGCHLD, which may be late, is nobody's.
            self.inbox().extend(state.waited_for(end));
        }
        Ok(found)
    }

    /// Children whose transport files may be left: those that the host has taken away, and, at the end of this process, all.
    #[must_use]
    pub fn take_unattended(&self, all: bool) -> Vec<Pid> {
        let mut state = self.state();
        let mut pids = std::mem::take(&mut state.reaped);
        if all {
            pids.extend(&state.known);
        }
        pids
    }
}

impl State {
    fn forget(&mut self, pid: Pid) {
        self.known.remove(&pid);
        self.told.remove(&pid);
        self.clones.remove(&pid);
    }

    fn discard(&mut self, pid: Pid) {
        self.discarded.push_back(pid);
        if self.discarded.len() > DISCARDED_MAX {
            self.discarded.pop_front();
        }
    }

    /// Forgets a child that has been waited for, and answers with the signal that it has not sent yet, if it sends another
    /// than SIGCHLD.
    fn waited_for(&mut self, end: SigInfo) -> Option<SigInfo> {
        let pid = end.pid();
        let clone = self.clones.remove(&pid);
        if clone.is_none() && !self.told.contains(&pid) {
            self.untold.push(end);
        }
        self.forget(pid);
        let clone = clone?;
        self.discard(pid);
        if clone.has_sent { None } else { clone.exit_signal.map(|signal| SigInfo::from_bytes(signal, *end.as_bytes())) }
    }

    /// The children to ask about one by one; `None` where the host knows as well who is meant.
    fn candidates(&self, whose: Whose, options: i32) -> Result<Option<Vec<Pid>>, Errno> {
        let (wants_all, wants_clones) = (options & WALL != 0, options & WCLONE != 0);
        if self.unready.is_empty() && self.clones.is_empty() {
            return if wants_clones && !wants_all { Err(Errno::ECHILD) } else { Ok(None) };
        }
        let is_eligible = |pid: &Pid| wants_all || self.clones.contains_key(pid) == wants_clones;
        match whose {
            Whose::Handle(_) => Ok(None),
            Whose::One(pid) if self.unready.contains(&pid) => Ok(Some(Vec::new())),
            Whose::One(pid) if is_eligible(&pid) => Ok(None),
            Whose::One(_) => Err(Errno::ECHILD),
            Whose::Any | Whose::Group(_) => {
                let shown = |pid: &Pid| is_eligible(pid) && !self.unready.contains(pid);
                // Orphans that came to this process are known to the host alone.
                let ended = host::peek(whose)?;
                if let Some(pid) = ended.filter(shown) {
                    return Ok(Some(vec![pid]));
                }
                let known: Vec<Pid> = self.known.iter().copied().filter(is_eligible).collect();
                if known.is_empty() {
                    return Err(Errno::ECHILD);
                }
                Ok(Some(known.into_iter().filter(|pid| shown(pid) && host::is_in(*pid, whose)).collect()))
            }
        }
    }

    /// False for the end of a child that its parent has been told of. Remembers it.
    fn is_news(&mut self, info: &SigInfo) -> bool {
        let pid = info.pid();
        !(info.code().is_end_of_child() && self.known.contains(&pid)) || self.told.insert(pid)
    }

    /// What another child has to say whose SIGCHLD may have merged with one that is not for the guest: SIGCHLD does not queue.
    fn merged(&mut self) -> Option<SigInfo> {
        let ended = self.untold.pop();
        self.untold.clear();
        ended.or_else(|| {
            let other = host::peek_info(Whose::Any).ok().flatten();
            let other = other.map(|bytes| SigInfo::from_bytes(Signal::SIGCHLD, bytes));
            other.filter(|other| self.known.contains(&other.pid()))
        })
    }

    /// The signals that a change of a child sends, to a guest that wants to hear of stops or not.
    fn signals_of(&mut self, info: SigInfo, wants_stops: bool) -> Vec<SigInfo> {
        let pid = info.pid();
        if info.signal() != Signal::SIGCHLD {
            return vec![info];
        }
        if self.unready.contains(&pid) {
            self.held.push(info);
            return Vec::new();
        }
        let mut signals = Vec::new();
        if let Some(at) = self.discarded.iter().position(|discarded| *discarded == pid) {
            self.discarded.remove(at);
            signals.extend(self.merged());
        } else if !wants_stops && !info.code().is_end_of_child() {
            signals.extend(self.merged());
        } else if !(info.code().is_end_of_child() && self.clones.contains_key(&pid)) {
            signals.push(info);
        }
        signals.retain(|signal| self.is_news(signal));
        self.untold.retain(|end| end.pid() != pid);
        if self.is_reaping && info.code().is_end_of_child() {
            self.forget(pid);
            self.reaped.push(pid);
        }
        for (pid, child) in self.clones.iter_mut().filter(|(_, child)| !child.has_sent) {
            // Each is asked: its SIGCHLD may have merged with this one.
            if let Ok(Some(bytes)) = host::peek_info(Whose::One(*pid)) {
                child.has_sent = true;
                signals.extend(child.exit_signal.map(|signal| SigInfo::from_bytes(signal, bytes)));
            }
        }
        signals
    }
}

impl Process {
    /// The kick thread's news of a child.
    pub fn child_changed(&self, info: &SigInfo) {
        self.children().inbox().push(*info);
        self.serve_children();
    }

    /// Has the signals sent of all changes of children that the host has told of: a wait that has found one is not to end
    /// before its SIGCHLD is there, or a handler or a disposition that comes after the wait would meet it.
    pub fn hear_of_children(&self) {
        self.kicker().take_child_signals(|info| {
            if info.code().is_from_process() {
                // A full queue loses it, as on Linux.
                let _lost = self.send_signal(*info, SignalTarget::Process, KickCause::HostSignal);
            } else {
                self.child_changed(info);
            }
        });
        // What has not been told by now merged with an end that has, as it may.
        if self.children().inbox().is_empty() {
            self.children().state().untold.clear();
        }
    }

    /// Sends the signals that changes of children mean, and has everybody look again who waits for one.
    pub fn serve_children(&self) {
        self.serve_children_news();
        self.wake_all();
    }

    /// Sends the signals that changes of children mean, unless somebody is at the children, who does it afterwards.
    pub fn serve_children_news(&self) {
        while !self.children().inbox().is_empty() {
            let Ok(mut state) = self.children().state.try_lock() else { return };
            let news = std::mem::take(&mut *self.children().inbox());
            let wants_stops = !self.group().actions.get(Signal::SIGCHLD).flags.contains(SaFlags::NOCLDSTOP);
            let signals: Vec<SigInfo> = news.into_iter().flat_map(|info| state.signals_of(info, wants_stops)).collect();
            drop(state);
            for signal in signals {
                // A full queue loses it, as on Linux.
                let _lost = self.send_signal(signal, SignalTarget::Process, KickCause::HostSignal);
            }
        }
    }

    /// Removes the transport files of children that ended without doing it and that nobody waits for: at every fork, and, of
    /// all children, at the end of this process.
    pub fn attend_to_children(&self, is_end: bool) {
        for pid in self.children().take_unattended(is_end) {
            self.preemption().directory().remove_file_of(pid);
        }
        // The kick thread may have met the lock of the children taken.
        self.serve_children_news();
    }

    /// Has the host take ended children away by itself where the disposition of SIGCHLD says so; after every change of it.
    pub fn follow_child_disposition(&self) {
        let action = self.group().actions.get(Signal::SIGCHLD);
        let wanted = action.handler == Handler::Ignore || action.flags.contains(SaFlags::NOCLDWAIT);
        let mut state = self.children().state();
        if state.is_reaping != wanted && set_automatic_reaping(wanted).is_ok() {
            state.is_reaping = wanted;
        }
        drop(state);
        self.serve_children_news();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::SiCode;

    fn state(clones: &[i32], unready: &[i32], known: &[i32]) -> State {
        let mut state = State { known: known.iter().map(|pid| Pid(*pid)).collect(), ..State::default() };
        state.unready = unready.iter().map(|pid| Pid(*pid)).collect();
        for pid in clones {
            state.clones.insert(Pid(*pid), CloneChild { exit_signal: None, has_sent: false });
        }
        state
    }

    #[test]
    fn the_host_is_asked_where_it_knows_as_well() {
        let plain = state(&[], &[], &[7]);
        assert_eq!(plain.candidates(Whose::Any, 0), Ok(None));
        assert_eq!(plain.candidates(Whose::Any, WCLONE), Err(Errno::ECHILD));
        assert_eq!(plain.candidates(Whose::Any, WCLONE | WALL), Ok(None));
    }

    #[test]
    fn clone_children_are_for_those_who_ask_for_them() {
        let mixed = state(&[8], &[], &[7, 8]);
        assert_eq!(mixed.candidates(Whose::One(Pid(8)), 0), Err(Errno::ECHILD));
        assert_eq!(mixed.candidates(Whose::One(Pid(8)), WCLONE), Ok(None));
        assert_eq!(mixed.candidates(Whose::One(Pid(7)), WCLONE), Err(Errno::ECHILD));
        assert_eq!(mixed.candidates(Whose::One(Pid(8)), WALL), Ok(None));
    }

    #[test]
    fn an_unready_child_is_not_there_yet_and_not_nobody() {
        let forking = state(&[], &[9], &[9]);
        assert_eq!(forking.candidates(Whose::One(Pid(9)), 0), Ok(Some(Vec::new())));
        let mut forking = state(&[], &[9], &[9]);
        let end = SigInfo::child(SiCode::CLD_KILLED, Pid(9), 0, 9);
        assert!(forking.signals_of(end, true).is_empty());
        assert_eq!(forking.held, [end]);
    }

    #[test]
    fn a_clone_child_that_is_waited_for_sends_its_own_signal_once() {
        let mut state = state(&[8], &[], &[7, 8]);
        state.clones.insert(Pid(8), CloneChild { exit_signal: Some(Signal::SIGUSR1), has_sent: false });
        let end = |pid| SigInfo::child(SiCode::CLD_EXITED, Pid(pid), 0, 3);
        let sent = state.waited_for(end(8)).map(|info| (info.signal(), info.pid(), info.code()));
        assert_eq!(sent, Some((Signal::SIGUSR1, Pid(8), SiCode::CLD_EXITED)));
        assert!(state.signals_of(end(8), true).is_empty(), "the host's SIGCHLD, come late");
        assert_eq!(state.waited_for(end(7)), None);
    }

    #[test]
    fn an_end_is_told_once() {
        let mut state = state(&[], &[], &[7]);
        let end = SigInfo::child(SiCode::CLD_EXITED, Pid(7), 0, 3);
        assert_eq!(state.signals_of(end, true).len(), 1);
        assert!(state.signals_of(end, true).is_empty());
        assert_eq!(state.signals_of(SigInfo::child(SiCode::CLD_STOPPED, Pid(7), 0, 19), true).len(), 1);
    }

    #[test]
    fn an_end_that_merged_with_a_stop_that_nobody_wants_is_told() {
        let mut state = state(&[], &[], &[7, 8]);
        let end = |pid| SigInfo::child(SiCode::CLD_KILLED, Pid(pid), 0, 9);
        let continued = SigInfo::child(SiCode::CLD_CONTINUED, Pid(7), 0, 18);
        assert!(state.signals_of(continued, false).is_empty());
        assert_eq!(state.waited_for(end(7)), None);
        assert_eq!(state.signals_of(continued, false), [end(7)]);
        assert!(state.signals_of(continued, false).is_empty(), "once");
        // One whose own signal has come is told, and so is one whose signal comes after the wait.
        assert_eq!(state.signals_of(end(8), false), [end(8)]);
        assert_eq!(state.waited_for(end(8)), None);
        assert!(state.signals_of(continued, false).is_empty());
    }

    #[test]
    fn a_discarded_child_sends_nothing() {
        let mut state = state(&[], &[], &[]);
        state.discarded.push_back(Pid(9));
        assert!(state.signals_of(SigInfo::child(SiCode::CLD_KILLED, Pid(9), 0, 9), true).is_empty());
        assert_eq!(state.signals_of(SigInfo::child(SiCode::CLD_EXITED, Pid(9), 0, 0), true).len(), 1);
    }
}
