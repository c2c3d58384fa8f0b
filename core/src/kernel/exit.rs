//! How threads and the process end: [`Lifetime`] counts the live threads, [`TaskContext::end`] is a thread's last act.
//!
//! Sources: exit(2), exit_group(2), set_tid_address(2), Linux `kernel/exit.c`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::TaskContext;
use super::signal::GroupExit;
use super::task::Interrupts;
use crate::abi::{GuestPtr, SigSet};
use crate::preempt::KickCause;

/// Counts the guest threads of a process, so that the bootstrap thread can wait for the others.
#[derive(Default)]
pub struct Lifetime {
    live: Mutex<usize>,
    changed: Condvar,
}

impl Lifetime {
    fn live(&self) -> MutexGuard<'_, usize> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins.
    pub fn begin(&self) {
        *self.live() += 1;
    }

    /// A thread has ended.
    pub fn end(&self) {
        *self.live() -= 1;
        self.changed.notify_all();
    }

    /// Waits until no thread is left.
    pub fn wait_for_all(&self) {
        let mut live = self.live();
        while *live > 0 {
            live = self.changed.wait(live).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until no thread is left, or for `limit`; false when some are left.
    #[must_use]
    pub fn wait_for_all_within(&self, limit: Duration) -> bool {
        self.wait_until_at_most(0, limit)
    }

    /// Waits until the calling thread is the only one, or for `limit`; false when others are left.
    #[must_use]
    pub fn wait_for_others_within(&self, limit: Duration) -> bool {
        self.wait_until_at_most(1, limit)
    }

    fn wait_until_at_most(&self, count: usize, limit: Duration) -> bool {
        let live = self.live();
        let waited = self.changed.wait_timeout_while(live, limit, |live| *live > count);
        let (live, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        *live <= count
    }
}

impl TaskContext {
    /// Ends this thread for the guest: joiners are woken, its share of the process's signals goes to others, and the
    /// last one ends the process with `status`.
    pub fn end(&mut self, status: i32) {
        let process = self.process().clone();
        let tid = self.task.tid();
        let heirs = {
            let mut group = process.group();
            group.members.remove(&tid);
            if group.members.is_empty() && group.exit.is_none() {
                group.exit = Some(GroupExit::Status(status & 0xff));
            }
            group.retarget(tid, SigSet::ALL)
        };
        process.futexes().end_thread(&process, tid, self.robust_list);
        if !self.clear_child_tid.is_null() {
            let word = GuestPtr::<u32>::new(self.clear_child_tid);
            // A bad pointer is the guest's affair: Linux ignores it too.
            if self.memory().write(word, &0).is_ok() {
                process.futexes().wake_written(&process, word, 1);
            }
        }
        for heir in heirs {
            heir.interrupt(Interrupts::SIGNAL, KickCause::GuestSignal);
        }
    }
}
