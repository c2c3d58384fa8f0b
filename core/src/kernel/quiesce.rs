//! The world gate: lets one thread (fork, exec, core dump) look at the guest's memory while no other thread changes it.
//!
//! Every guest thread is *inside* while it runs guest code or a syscall, and *outside* while it sleeps in
//! `kernel::blocking` or has not started. [`Gate::close`] waits until all others are outside and keeps them there;
//! sleepers need not be woken for it. A thread that must wait here counts as outside, so two closers cannot deadlock.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The gate of one process.
#[derive(Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads that may touch guest memory.
    inside: usize,
    /// True while somebody holds the world still.
    is_closed: bool,
}

/// The world is still while this lives. The closer itself counts as inside.
pub struct Closed<'gate> {
    gate: &'gate Gate,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes inside, waiting while the gate is closed.
    pub fn enter(&self) {
        let mut state = self.lock();
        while state.is_closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.inside += 1;
    }

    /// Goes outside.
    pub fn leave(&self) {
        let mut state = self.lock();
        state.inside -= 1;
        // Nobody waits at an open gate, and a notification is a host call.
        if state.is_closed {
            self.changed.notify_all();
        }
    }

    /// Runs `body` outside: for a sleep, which touches no guest memory.
    pub fn outside<R>(&self, body: impl FnOnce() -> R) -> R {
        self.leave();
        let result = body();
        self.enter();
        result
    }

    /// Stands aside if somebody is closing the gate; called by the run loop after a [quiesce] interrupt.
    ///
    /// [quiesce]: crate::kernel::task::Interrupts::QUIESCE
    pub fn pass(&self) {
        self.outside(|| ());
    }

    /// Closes the gate from inside and waits until every other thread is outside. `hurry` is called once, after the
    /// gate is marked closed, to interrupt the threads that are running guest code.
    pub fn close(&self, hurry: impl FnOnce()) -> Closed<'_> {
        let mut state = self.lock();
        while state.is_closed {
            // Another closer is at work: it waits for us, so step outside meanwhile.
            state.inside -= 1;
            self.changed.notify_all();
            while state.is_closed {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.inside += 1;
        }
        state.is_closed = true;
        drop(state);
        hurry();
        let mut state = self.lock();
        while state.inside > 1 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        Closed { gate: self }
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.lock().is_closed = false;
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn nobody_moves_while_the_gate_is_closed() {
        let gate = Arc::new(Gate::default());
        let (moving, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (gate, moving, stop) = (gate.clone(), moving.clone(), stop.clone());
                std::thread::spawn(move || {
                    gate.enter();
                    while !stop.load(Ordering::SeqCst) {
                        moving.fetch_add(1, Ordering::SeqCst);
                        moving.fetch_sub(1, Ordering::SeqCst);
                        gate.pass();
                    }
                    gate.leave();
                })
            })
            .collect();
        gate.enter();
        for _ in 0..200 {
            let closed = gate.close(|| ());
            for _ in 0..50 {
                assert_eq!(moving.load(Ordering::SeqCst), 0);
            }
            drop(closed);
        }
        stop.store(true, Ordering::SeqCst);
        gate.leave();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    }
}
