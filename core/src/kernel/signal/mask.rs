//! Temporary signal masks: ppoll(2), pselect(2), sigsuspend(2), epoll_pwait(2).
//!
//! The mask outlives the call until delivery when a signal ended it, so that a signal which only the temporary mask lets
//! through reaches its handler. Source: Linux `set_user_sigmask`, `restore_saved_sigmask_unless`.

use crate::abi::{SigSet, Tid};
use crate::kernel::signal::ThreadGroup;
use crate::kernel::task::{Interrupts, Task};

impl ThreadGroup {
    /// Puts a temporary mask in force and remembers the one to go back to.
    pub fn set_temporary_mask(&mut self, tid: Tid, mask: SigSet) {
        if let Some(member) = self.members.get_mut(&tid) {
            member.saved_mask.get_or_insert(member.blocked);
            member.blocked = mask.difference(SigSet::UNBLOCKABLE);
        }
    }
}

impl Task {
    /// Puts a temporary mask in force for the calling task. Its next wait looks for signals that are open now.
    pub fn set_temporary_mask(&self, mask: SigSet) {
        self.process().group().set_temporary_mask(self.tid(), mask);
        self.set_interrupts(Interrupts::SIGNAL);
    }

    /// Ends the temporary mask of a call that no signal ended. Does nothing where there is none.
    pub fn end_temporary_mask(&self) {
        self.process().group().restore_saved_mask(self.tid());
        self.set_interrupts(Interrupts::SIGNAL);
    }
}
