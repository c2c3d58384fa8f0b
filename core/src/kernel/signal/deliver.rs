//! What to do with the next deliverable signal of a thread. Source: Linux `kernel/signal.c` `get_signal`.

use super::{DefaultAction, Handler, SaFlags, SigAction, ThreadGroup};
use crate::abi::{SiCode, SigInfo, SigSet, Signal, Tid};

/// One step of signal delivery, decided under the group's lock and carried out by `run`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// Build a frame and run the guest's handler.
    Handler {
        /// The signal.
        info: SigInfo,
        /// The disposition as it was when the signal was taken.
        action: SigAction,
        /// The mask that the frame saves and sigreturn restores.
        mask_to_restore: SigSet,
    },
    /// The process dies by this signal.
    Terminate(SigInfo),
    /// The process stops, unless more SIGCONTs have been sent than these.
    Stop {
        /// The signal.
        signal: Signal,
        /// [`ThreadGroup::continued`] at the time.
        continued: u64,
    },
    /// The process stops by this signal, which waits at the host.
    StopWaits(Signal),
}

/// True for the fault signals whose `si_addr` is an accessed address. That of a breakpoint is the PC.
fn has_tagged_addr(info: &SigInfo) -> bool {
    matches!(info.signal(), Signal::SIGSEGV | Signal::SIGBUS) && (1..SiCode::SI_KERNEL.0).contains(&info.code().0)
}

impl ThreadGroup {
    /// Takes signals of `tid` until one of them does something, and changes the thread's mask for its handler.
    pub fn next_delivery(&mut self, tid: Tid) -> Option<Delivery> {
        if let Some(signal) = self.waiting_stops.iter().next() {
            self.waiting_stops = self.waiting_stops.without(signal);
            return Some(Delivery::StopWaits(signal));
        }
        loop {
            let blocked = self.members.get(&tid)?.blocked;
            let mut info = self.take(tid, SigSet::ALL.difference(blocked))?;
            let signal = info.signal();
            let action = self.actions.get(signal);
            if has_tagged_addr(&info) && !action.flags.contains(SaFlags::EXPOSE_TAGBITS) {
                info.hide_addr_tag();
            }
            match action.handler {
                Handler::Ignore => {}
                Handler::Default => match DefaultAction::of(signal) {
                    DefaultAction::Ignore | DefaultAction::Continue => {}
                    DefaultAction::Stop => return Some(Delivery::Stop { signal, continued: self.continued }),
                    DefaultAction::Terminate => return Some(Delivery::Terminate(info)),
                },
                Handler::Function(_) => return Some(self.enter_handler(tid, info, action)),
            }
        }
    }

    fn enter_handler(&mut self, tid: Tid, info: SigInfo, action: SigAction) -> Delivery {
        let signal = info.signal();
        if action.flags.contains(SaFlags::RESETHAND) {
            self.actions.set(signal, SigAction { handler: Handler::Default, ..action });
        }
        let mut mask_to_restore = SigSet::EMPTY;
        if let Some(member) = self.members.get_mut(&tid) {
            mask_to_restore = member.saved_mask.take().unwrap_or(member.blocked);
            let mut mask = member.blocked.union(action.mask);
            if !action.flags.contains(SaFlags::NODEFER) {
                mask = mask.with(signal);
            }
            member.blocked = mask.difference(SigSet::UNBLOCKABLE);
        }
        Delivery::Handler { info, action, mask_to_restore }
    }

    /// Takes back the mask of a handler whose frame could not be made.
    pub fn leave_handler(&mut self, tid: Tid, mask: SigSet) {
        if let Some(member) = self.members.get_mut(&tid) {
            member.blocked = mask;
        }
    }

    /// Ends a temporary mask (ppoll, sigsuspend) when no handler took it over.
    pub fn restore_saved_mask(&mut self, tid: Tid) {
        if let Some(member) = self.members.get_mut(&tid)
            && let Some(mask) = member.saved_mask.take()
        {
            member.blocked = mask;
        }
    }

    /// Makes a synchronous fault deliverable: if it is blocked or ignored, the disposition becomes the default and
    /// the signal is unblocked, so that the thread cannot run on (Linux `force_sig_info_to_task`).
    pub fn force(&mut self, tid: Tid, info: SigInfo) {
        let signal = info.signal();
        let Some(member) = self.members.get_mut(&tid) else { return };
        let is_blocked = member.blocked.contains(signal);
        if is_blocked || self.actions.get(signal).handler == Handler::Ignore {
            self.actions.set(signal, SigAction::default());
            member.blocked = member.blocked.without(signal);
        }
        member.pending.discard(SigSet::of(&[signal]));
        // A standard signal that was just discarded always fits.
        let _fits = member.pending.add(info, true);
    }
}
