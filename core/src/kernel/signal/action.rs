//! Dispositions: what a signal does when it is delivered. Source: sigaction(2), signal(7) "Standard signals".

use crate::abi::{GuestAddr, SigSet, Signal};

bitflags::bitflags! {
    /// `sa_flags` of sigaction(2) with arm64's numbers.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct SaFlags: u64 {
        /// No SIGCHLD when a child stops.
        const NOCLDSTOP = 0x1;
        /// Children leave no zombie.
        const NOCLDWAIT = 0x2;
        /// The handler takes siginfo and ucontext.
        const SIGINFO = 0x4;
        /// The frame's `sa_restorer` is valid.
        const RESTORER = 0x0400_0000;
        /// Run on the alternate stack.
        const ONSTACK = 0x0800_0000;
        /// Restart interrupted calls.
        const RESTART = 0x1000_0000;
        /// Do not block the signal while its handler runs.
        const NODEFER = 0x4000_0000;
        /// Back to the default action before the handler runs.
        const RESETHAND = 0x8000_0000;
        /// Show the tag of a fault's address in `si_addr`.
        const EXPOSE_TAGBITS = 0x800;
    }
}

/// The handler part of a disposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Handler {
    /// `SIG_DFL`.
    #[default]
    Default,
    /// `SIG_IGN`.
    Ignore,
    /// A function of the guest.
    Function(GuestAddr),
}

/// One disposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SigAction {
    /// What runs.
    pub handler: Handler,
    /// How it runs.
    pub flags: SaFlags,
    /// Where the handler returns to, with [`SaFlags::RESTORER`].
    pub restorer: GuestAddr,
    /// Blocked in addition while the handler runs.
    pub mask: SigSet,
}

/// What `SIG_DFL` means for a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefaultAction {
    /// The process ends; "core" signals end it the same way here, without a file.
    Terminate,
    /// Nothing happens.
    Ignore,
    /// The process stops.
    Stop,
    /// A stopped process goes on.
    Continue,
}

impl DefaultAction {
    /// The default action of `signal`.
    #[must_use]
    pub const fn of(signal: Signal) -> Self {
        match signal {
            Signal::SIGCHLD | Signal::SIGURG | Signal::SIGWINCH => Self::Ignore,
            Signal::SIGCONT => Self::Continue,
            Signal::SIGSTOP | Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU => Self::Stop,
            _every_other_signal => Self::Terminate,
        }
    }
}

/// The 64 dispositions of a process, in a place of their own: a fork hands them on, and a child's stack is copied page by
/// page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignalActions {
    actions: Box<[SigAction; 64]>,
}

impl Default for SignalActions {
    fn default() -> Self {
        Self { actions: Box::new([SigAction::default(); 64]) }
    }
}

impl SignalActions {
    /// The disposition of `signal`.
    #[must_use]
    pub fn get(&self, signal: Signal) -> SigAction {
        self.actions[signal.number() as usize - 1]
    }

    /// Replaces the disposition of `signal` and gives the old one.
    pub fn set(&mut self, signal: Signal, action: SigAction) -> SigAction {
        std::mem::replace(&mut self.actions[signal.number() as usize - 1], action)
    }

    /// True when delivery of `signal` would do nothing: such a signal ends no wait.
    #[must_use]
    pub fn ignores(&self, signal: Signal) -> bool {
        match self.get(signal).handler {
            Handler::Ignore => true,
            Handler::Default => {
                matches!(DefaultAction::of(signal), DefaultAction::Ignore | DefaultAction::Continue)
            }
            Handler::Function(_) => false,
        }
    }

    /// What execve(2) does: caught signals go back to the default, ignored ones stay ignored.
    pub fn reset_for_exec(&mut self) {
        for action in self.actions.iter_mut() {
            let handler = match action.handler {
                Handler::Ignore => Handler::Ignore,
                Handler::Default | Handler::Function(_) => Handler::Default,
            };
            *action = SigAction { handler, ..SigAction::default() };
        }
    }

    /// The signals whose disposition is `SIG_IGN`.
    #[must_use]
    pub fn ignored_set(&self) -> SigSet {
        Signal::all().filter(|signal| self.get(*signal).handler == Handler::Ignore).fold(SigSet::EMPTY, SigSet::with)
    }

    /// The signals that have a handler.
    #[must_use]
    pub fn caught_set(&self) -> SigSet {
        let is_caught = |signal: &Signal| matches!(self.get(*signal).handler, Handler::Function(_));
        Signal::all().filter(is_caught).fold(SigSet::EMPTY, SigSet::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_resets_what_is_caught_and_keeps_what_is_ignored() {
        let mut actions = SignalActions::default();
        actions.set(Signal::SIGINT, SigAction { handler: Handler::Ignore, ..SigAction::default() });
        actions
            .set(Signal::SIGTERM, SigAction { handler: Handler::Function(GuestAddr(0x1000)), ..SigAction::default() });
        assert_eq!(actions.caught_set(), SigSet::of(&[Signal::SIGTERM]));
        actions.reset_for_exec();
        assert_eq!(actions.get(Signal::SIGTERM).handler, Handler::Default);
        assert_eq!(actions.ignored_set(), SigSet::of(&[Signal::SIGINT]));
        assert!(actions.ignores(Signal::SIGCHLD) && !actions.ignores(Signal::SIGTERM));
    }
}
