//! How threads and the process end: [`Lifetime`] counts the live threads, [`TaskContext::end`] is a thread's last act,
//! [`TaskContext::finish`] the rest of the main thread's.
//!
//! Sources: exit(2), exit_group(2), set_tid_address(2), Linux `kernel/exit.c`.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::exec;
use super::signal::GroupExit;
use super::task::Interrupts;
use super::{Process, TaskContext};
use crate::abi::{GuestPtr, SigSet};
use crate::host::children;
use crate::preempt::KickCause;
use crate::preempt::stats::ProcessCounter;

/// Counts the guest threads of a process, so that the bootstrap thread can wait for the others.
#[derive(Default)]
pub struct Lifetime {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    live: usize,
    /// It is decided how the process ends.
    is_ending: bool,
    /// A program waits for the main thread.
    has_program: bool,
}

impl Lifetime {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins.
    pub fn begin(&self) {
        self.state().live += 1;
    }

    /// A thread has ended.
    pub fn end(&self) {
        self.state().live -= 1;
        self.changed.notify_all();
    }

    /// The process begins to end.
    pub fn begin_end(&self) {
        self.state().is_ending = true;
        self.changed.notify_all();
    }

    /// A program waits for the main thread, even where that has ended.
    pub fn announce_program(&self) {
        self.state().has_program = true;
        self.changed.notify_all();
    }

    /// Waits until the process begins to end or no thread is left; false where a program was announced: who did that may
    /// have ended since.
    pub fn wait_for_end(&self) -> bool {
        let state = self.state();
        let waited = self.changed.wait_while(state, |state| !state.is_ending && !state.has_program && state.live > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        !std::mem::take(&mut state.has_program)
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
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, limit, |state| state.live > count);
        let (state, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.live <= count
    }
}

/// How long the end of a process waits for threads that were told to leave.
const LEAVE_LIMIT: Duration = Duration::from_millis(500);

impl Process {
    /// Ends the process as the guest ended.
    fn finish(&self) -> ! {
        let _all_left = self.lifetime().wait_for_all_within(LEAVE_LIMIT);
        self.release_vfork_parent();
        self.preemption().kicker().stats().bump(ProcessCounter::OrderlyExits);
        self.preemption().close_transport();
        self.attend_to_children(true);
        let exit = self.group().exit;
        match exit {
            Some(GroupExit::Signal(signal)) => children::die_by(signal),
            Some(GroupExit::Status(status)) => children::exit_now(status),
            None => children::exit_now(0),
        }
    }
}

impl TaskContext {
    /// The rest of a main thread's life, whose guest thread has ended: it waits for the others, which live on, comes back for
    /// a program that one of them executes, and ends the process.
    pub fn finish(mut self) -> ! {
        loop {
            let process = self.process().clone();
            process.gate().leave();
            process.lifetime().end();
            let is_back = loop {
                if process.group().exit.is_some() || process.lifetime().wait_for_end() {
                    break false;
                }
                if exec::come_back(&mut self) {
                    break true;
                }
            };
            if !is_back {
                break;
            }
            (self.run_thread)(&mut self);
        }
        let process = self.process().clone();
        // No kick and no count from here on. The rest goes with the process: to free it would be to copy, in the child of a
        // fork, page after page for nothing.
        let Self { enlisted, .. } = self;
        drop(enlisted);
        process.finish()
    }

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
        self.tell_of_leaving();
        for heir in heirs {
            heir.interrupt(Interrupts::SIGNAL, KickCause::GuestSignal);
        }
    }

    /// `CLONE_CHILD_CLEARTID`: tells who waits for it that this thread does not use its memory any more.
    pub fn tell_of_leaving(&self) {
        if self.clear_child_tid.is_null() {
            return;
        }
        let word = GuestPtr::<u32>::new(self.clear_child_tid);
        // A bad pointer is the guest's affair: Linux ignores it too.
        if self.memory().write(word, &0).is_ok() {
            self.process().futexes().wake_written(self.process(), word, 1);
        }
    }
}
