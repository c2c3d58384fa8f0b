//! The storm: one thread that rings every process of every run in progress, [`Storm`], and reads their masks.
//!
//! A run registers as a [`Target`] and is stormed until its [`Ticket`] is given back. The thread sleeps to absolute times, a
//! period of the storm's rate apart; what it could not send in time (the machine is busy) it sends at the next tick, so
//! that every process gets its doorbells a second. `target.rs` is what happens to one run in one tick, `pace.rs` how
//! many doorbells that is.

mod pace;
mod target;

pub use target::{Mode, StormReport, Target};

use elfuse::host::clock::{monotonic_ns, sleep_until};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The storm over all runs in progress. Dropping it ends its thread.
#[derive(Debug)]
pub struct Storm {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    period_ns: u64,
}

#[derive(Debug, Default)]
struct State {
    targets: Vec<Arc<Mutex<Target>>>,
    ended: bool,
}

/// A run that is being stormed. Dropping it without [`finish`](Ticket::finish) ends the storm over the run, too.
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    target: Arc<Mutex<Target>>,
}

impl Storm {
    /// Starts the thread, which will tick `hz` times a second.
    ///
    /// # Errors
    /// Those of making a thread.
    pub fn start(hz: u32) -> std::io::Result<Self> {
        let period_ns = 1_000_000_000 / u64::from(hz.max(1));
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), period_ns });
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("storm".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes a run under the storm.
    #[must_use]
    pub fn add(&self, target: Target) -> Ticket {
        let target = Arc::new(Mutex::new(target));
        lock(&self.shared.state).targets.push(Arc::clone(&target));
        self.shared.changed.notify_all();
        Ticket { shared: Arc::clone(&self.shared), target }
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        lock(&self.shared.state).ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            elfuse::host::tell("harness: the storm thread panicked");
        }
    }
}

impl Ticket {
    /// Ends the storm over the run: nothing is sent to any process of it after this call. Must come before the run's top
    /// process is reaped, so that its id still is its own.
    #[must_use]
    pub fn finish(self) -> StormReport {
        self.remove();
        lock(&self.target).take_report()
    }

    fn remove(&self) {
        lock(&self.shared.state).targets.retain(|target| !Arc::ptr_eq(target, &self.target));
        // A tick that has already begun holds the target: wait for it.
        lock(&self.target).close();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Shared {
    fn run(&self) {
        elfuse::host::schedule::prefer_promptness();
        let mut next_ns = monotonic_ns();
        let mut targets = Vec::new();
        loop {
            {
                let mut state = lock(&self.state);
                if state.targets.is_empty() && !state.ended {
                    targets.clear();
                    while state.targets.is_empty() && !state.ended {
                        state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                    next_ns = monotonic_ns();
                }
                if state.ended {
                    return;
                }
                targets.clone_from(&state.targets);
            }
            for target in &targets {
                lock(target).tick(monotonic_ns());
            }
            next_ns = next_tick(next_ns, self.period_ns, monotonic_ns());
            sleep_until(next_ns);
        }
    }
}

/// The first multiple of the period after `last_ns` that is not over.
fn next_tick(last_ns: u64, period_ns: u64, now_ns: u64) -> u64 {
    let next = last_ns.saturating_add(period_ns);
    if next > now_ns { next } else { now_ns.saturating_add(period_ns / 2) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_keep_their_phase_and_skip_what_is_over() {
        assert_eq!(next_tick(1000, 500, 1100), 1500);
        assert_eq!(next_tick(1000, 500, 9000), 9250);
    }

    #[test]
    fn a_storm_without_targets_starts_and_ends() {
        drop(Storm::start(2000).unwrap());
    }
}
