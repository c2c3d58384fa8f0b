//! Calls that cannot be polled for: [`Task::block_on_call`] has a pool thread make one while the task sleeps in the one
//! sleep. An interrupted task cancels the call and waits for its end, so that each is completed or undone exactly once:
//! a call that had ended anyway counts, one that ends with `EINTR` has done nothing.
//!
//! A call owns what it works on, and never touches guest memory: the quiet moment of a fork does not wait for it.
//!
//! On Linux each thread has its own users, groups and capabilities, and gives them to those that it makes. So a thread of the
//! pool works for the tasks whose [`CredentialLabel`] is that of its maker alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Interrupted, Task, Waker};
use crate::abi::Errno;
use crate::host::SignalsBlocked;
use crate::host::cancel::{self, Target};
use crate::host::thread::{self, Role};

/// Idle threads that are kept for the next call.
const KEPT_IDLE: usize = 4;

/// How long a cancelled call may take until it is cancelled again: the signal may have come too early.
const CANCEL_AGAIN: Duration = Duration::from_millis(1);

/// What a call ends with.
type Outcome<T> = Result<T, Errno>;

type Job = Box<dyn FnOnce(&Target) + Send>;

/// Tasks of a process with the same label have the same users, groups and capabilities. 0 is what the process began with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CredentialLabel(pub u64);

/// The pool threads of a process.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<(CredentialLabel, SyncSender<Job>)>>,
    last_label: AtomicU64,
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<(CredentialLabel, SyncSender<Job>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A label that no task has. Idle threads end: most have no task to work for any more.
    fn new_label(&self) -> CredentialLabel {
        self.idle().clear();
        CredentialLabel(self.last_label.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Has an idle thread of this label, or a new one, do the job; the calling thread has this label.
    fn submit(self: &Arc<Self>, label: CredentialLabel, proof: &SignalsBlocked, mut job: Job) -> Result<(), Errno> {
        loop {
            let thread = {
                let mut idle = self.idle();
                let Some(at) = idle.iter().rposition(|(own, _thread)| *own == label) else { break };
                idle.swap_remove(at).1
            };
            match thread.send(job) {
                Ok(()) => return Ok(()),
                // That thread is ending; the next one.
                Err(refused) => job = refused.0,
            }
        }
        let (sender, receiver) = sync_channel::<Job>(1);
        // There is room for one.
        let _sent = sender.send(job);
        let pool = self.clone();
        thread::spawn(Role::Pool, "elfuse-pool", proof, move |_proof| pool.work(label, &sender, &receiver))?;
        Ok(())
    }

    /// A pool thread's life.
    fn work(&self, label: CredentialLabel, sender: &SyncSender<Job>, receiver: &Receiver<Job>) {
        let own = Target::own();
        while let Ok(job) = receiver.recv() {
            job(&own);
            let mut idle = self.idle();
            if idle.len() >= KEPT_IDLE {
                return;
            }
            idle.push((label, sender.clone()));
        }
    }
}

/// A call on its way, as both sides see it.
struct Call<T> {
    state: Mutex<State<T>>,
    ended: std::sync::Condvar,
}

enum State<T> {
    Waiting,
    Running(Target),
    Ended(Outcome<T>),
    /// The task has taken the result, or has given up before the call began.
    Over,
}

impl<T> Call<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the call on the pool thread, unless it was given up before.
    fn run(&self, own: Target, body: impl FnOnce() -> Outcome<T>, waker: &Waker) {
        {
            let mut state = self.state();
            if matches!(*state, State::Over) {
                return;
            }
            *state = State::Running(own);
        }
        let outcome = cancel::while_open(body).unwrap_or_else(|error| Err(error.into()));
        *self.state() = State::Ended(outcome);
        self.ended.notify_all();
        waker.wake();
    }

    /// The result, once it is there.
    fn take(&self) -> Option<Outcome<T>> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Over) {
            State::Ended(outcome) => Some(outcome),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Ends the call and says how it ended: `EINTR` where it has done nothing.
    fn cancel(&self) -> Outcome<T> {
        let mut state = self.state();
        loop {
            match std::mem::replace(&mut *state, State::Over) {
                State::Waiting | State::Over => return Err(Errno::EINTR),
                State::Ended(outcome) => return outcome,
                State::Running(target) => {
                    // Under the lock, so that the signal cannot reach the thread's next call.
                    target.cancel();
                    *state = State::Running(target);
                }
            }
            let waited = self.ended.wait_timeout(state, CANCEL_AGAIN);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Task {
    /// After the calling thread, which is this task's, has changed its users, groups or capabilities.
    pub fn note_new_credentials(&self) {
        self.set_credentials(self.process().pool().new_label());
    }

    /// Makes a host call that may sleep on a pool thread, and sleeps until it has ended. `proof` is the calling thread's.
    ///
    /// # Errors
    /// [`Interrupted::Signal`] for a call that was cancelled and has done nothing, [`Interrupted::Failed`] with the
    /// host's errno.
    pub fn block_on_call<T: Send + 'static>(
        self: &Arc<Self>,
        proof: &SignalsBlocked,
        body: impl FnOnce() -> Outcome<T> + Send + 'static,
    ) -> Result<T, Interrupted> {
        let call = Arc::new(Call { state: Mutex::new(State::Waiting), ended: std::sync::Condvar::new() });
        let (theirs, task) = (call.clone(), self.clone());
        let job = Box::new(move |own: &Target| theirs.run(*own, body, task.waker()));
        self.process().pool().submit(self.credentials(), proof, job).map_err(Interrupted::Failed)?;
        let outcome = match self.block_until(None, || call.take()) {
            Ok(outcome) => outcome,
            Err(_interrupted) => self.process().gate().outside(|| call.cancel()),
        };
        outcome.map_err(|errno| if errno == Errno::EINTR { Interrupted::Signal } else { Interrupted::Failed(errno) })
    }
}
