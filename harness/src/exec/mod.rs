//! The executor: job threads that run what is planned, [`Executor`].
//!
//! It knows elfuse binaries, guests and processes, and nothing of phases, thresholds or reports: it sends a `RunStarted`
//! and a `RunFinished` for every run, in the order in which they happen. `run.rs` is one run, `kill.rs` a
//! random death in it, `spawn.rs` how processes are started, `tree.rs` and `wait.rs` how they end, `stop.rs` how everything
//! stops, `scratch.rs` where the runs' files are.

mod kill;
mod run;
mod scratch;
mod spawn;
mod stop;
pub mod tree;
mod wait;

pub use spawn::{Command, Started, read_all, steers_elfuse, tail};
pub use stop::{Stop, Woken};
pub use wait::reap;

use crate::event::Event;
use crate::plan::PlannedRun;
use crate::storm::Storm;
use elfuse::host::schedule;
use scratch::Scratch;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Where events go; called from many threads.
pub type Emit<'a> = dyn Fn(Event) + Sync + 'a;

/// Runs guests.
#[derive(Debug)]
pub struct Executor {
    storm: Storm,
    stop: Stop,
    scratch: Scratch,
    /// The seed of the kills, where there are any.
    kills: Option<u64>,
}

impl Executor {
    /// An executor that storms `hz` times a second and stops with `stop`. The harness becomes a subreaper.
    ///
    /// # Errors
    /// The host's.
    pub fn new(hz: u32, stop: Stop) -> io::Result<Self> {
        tree::become_subreaper()?;
        Ok(Self { storm: Storm::start(hz)?, stop, scratch: Scratch::new()?, kills: None })
    }

    /// Kills one member of each run's tree, where `seed` says; without a seed, nobody.
    #[must_use]
    pub fn with_kills(self, seed: Option<u64>) -> Self {
        Self { kills: seed, ..self }
    }

    /// Runs all of `runs` with the binary `elfuse`, `jobs` at a time, and returns when the last is over. Runs that had not
    /// begun when the harness was told to stop are left out: planned, not seen.
    ///
    /// # Errors
    /// What keeps the harness itself from working; the runs in progress are ended first.
    pub fn run_all(&self, elfuse: &Path, runs: Vec<PlannedRun>, jobs: usize, emit: &Emit<'_>) -> io::Result<()> {
        let queue = Mutex::new(VecDeque::from(runs));
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for slot in 0..jobs.max(1) {
                let (queue, failed) = (&queue, &failed);
                scope.spawn(move || {
                    if let Err(error) = self.job(slot, elfuse, queue, emit) {
                        self.stop.raise();
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                });
            }
        });
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn job(&self, slot: usize, elfuse: &Path, queue: &Mutex<VecDeque<PlannedRun>>, emit: &Emit<'_>) -> io::Result<()> {
        // What the guests leave of the processors must be enough for the storm, or it is none.
        schedule::step_back();
        let files = run::Files::create(&self.scratch.path().join(format!("job{slot}")))?;
        while !self.stop.is_raised() {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(planned) = next else { break };
            emit(Event::RunStarted(planned.id.clone()));
            let kill = self.kills.map(|seed| kill::Kill::of(seed, &planned.id));
            let result = run::run(elfuse, &planned, &files, &self.storm, &self.stop, kill)?;
            emit(Event::RunFinished(Box::new(result)));
        }
        Ok(())
    }
}
