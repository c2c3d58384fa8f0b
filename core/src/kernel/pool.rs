//! Calls that cannot be polled for: [`Task::block_on_call`] has a pool thread make one while the task sleeps in the one
//! sleep. An interrupted task cancels the call and waits for its end, so that each is completed or undone exactly once:
//! a call that had ended anyway counts, one that ends with `EINTR` has done nothing.
//!
//! A call owns what it works on, and never touches guest memory: the quiet moment of a fork does not wait for it.

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

/// The pool threads of a process.
#[derive(Default)]
pub struct Pool {
    idle: Mutex<Vec<SyncSender<Job>>>,
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<SyncSender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has an idle thread, or a new one, do the job.
    fn submit(self: &Arc<Self>, proof: &SignalsBlocked, mut job: Job) -> Result<(), Errno> {
        loop {
            let Some(thread) = self.idle().pop() else { break };
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
        thread::spawn(Role::Pool, "elfuse-pool", proof, move |_proof| pool.work(&sender, &receiver))?;
        Ok(())
    }

    /// A pool thread's life.
    fn work(&self, sender: &SyncSender<Job>, receiver: &Receiver<Job>) {
        let own = Target::own();
        while let Ok(job) = receiver.recv() {
            job(&own);
            let mut idle = self.idle();
            if idle.len() >= KEPT_IDLE {
                return;
            }
            idle.push(sender.clone());
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
        self.process().pool().submit(proof, job).map_err(Interrupted::Failed)?;
        let outcome = match self.block_until(None, || call.take()) {
            Ok(outcome) => outcome,
            Err(_interrupted) => self.process().gate().outside(|| call.cancel()),
        };
        outcome.map_err(|errno| if errno == Errno::EINTR { Interrupted::Signal } else { Interrupted::Failed(errno) })
    }
}
