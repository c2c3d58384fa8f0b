//! The order of things: [`Flow`], which runs phases one after another and sends what happens.
//!
//! ```text
//! gate:      build measuring -> measure -> build controls -> controls -> latency -> candidate record
//!            -> build fatal on it -> fatal -> verdict (-> record)
//! run:       measure alone, on any binary
//! controls:  build controls -> controls
//! ```
//! The fatal build is asked for only when everything before it passed; a gate that is closed already says so without it.

use super::builds::{self, BuildError, Kind};
use super::{controls, latency, verdict};
use crate::event::{Event, Outcome, Phase, RunResult, Verdict};
use crate::exec::{Executor, Stop, tree};
use crate::plan::{PlannedRun, StormTerms, count_by_guest, storm_runs};
use crate::record::RecordError;
use crate::results::{Plan, Results};
use crate::shard::Shard;
use elfuse::abi::Pid;
use guest_tests::{Guest, Manifest};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why the harness could not run.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The harness itself could not work.
    #[error("the harness cannot go on: {0}")]
    Io(#[from] io::Error),
    /// There is no binary.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The manifest has not what is needed.
    #[error(transparent)]
    Manifest(#[from] guest_tests::Error),
    /// The candidate record could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// elfuse itself could not be started at all.
    #[error("{0}")]
    NotStarted(String),
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Orders {
    /// The workspace.
    pub root: PathBuf,
    /// The plan, as it goes into the report.
    pub plan: Plan,
    /// The guests of an iteration.
    pub guests: Vec<Arc<Guest>>,
    /// All guests there are.
    pub manifest: Manifest,
    /// The binary of the measure phase; built if not named.
    pub elfuse: Option<PathBuf>,
    /// Controls to run; all if empty.
    pub controls: Vec<String>,
    /// How long rounds are repeated, in place of counted iterations.
    pub duration: Option<Duration>,
    /// When the harness ends a run.
    pub wall_limit: Duration,
    /// A member of each run's tree is killed at random.
    pub kills: bool,
    /// Iterations of the whole plan; the plan's own are the share of its shard.
    pub whole_iterations: u32,
}

/// The flow through the phases.
#[derive(Debug)]
pub struct Flow {
    orders: Orders,
    executor: Executor,
    stop: Stop,
    results: Mutex<Results>,
    events: Sender<Event>,
}

impl Flow {
    /// A flow that begins with `results`, which name plan and platform, and sends what happens to `events`.
    ///
    /// # Errors
    /// The host's.
    pub fn new(orders: Orders, results: Results, stop: Stop, events: Sender<Event>) -> io::Result<Self> {
        let executor = Executor::new(orders.plan.storm_hz, stop.clone())?;
        let executor = executor.with_kills(orders.kills.then_some(orders.plan.seed));
        Ok(Self { orders, executor, stop, results: Mutex::new(results), events })
    }

    /// Runs all phases of the plan, and returns the results with the verdict.
    ///
    /// # Errors
    /// [`FlowError`]; what was seen until then has been sent.
    pub fn run(self) -> Result<Results, FlowError> {
        let outcome = self.phases();
        if self.stop.is_raised() && !matches!(&outcome, Err(FlowError::Io(_))) {
            self.emit(Event::Interrupted);
        }
        match outcome {
            Ok(()) | Err(FlowError::Build(BuildError::Interrupted)) => {}
            Err(error) => return Err(error),
        }
        let verdict = verdict::verdict(&self.lock());
        self.emit(Event::Verdict(verdict));
        Ok(self.results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn phases(&self) -> Result<(), FlowError> {
        for phase in self.orders.plan.phases.clone() {
            if self.stop.is_raised() {
                break;
            }
            match phase {
                Phase::Measure => {
                    let elfuse = self.measuring()?;
                    self.storm_phase(phase, &elfuse)?;
                }
                Phase::Controls => {
                    let elfuse = self.build(Kind::Controls, None)?;
                    self.controls_phase(&elfuse)?;
                }
                Phase::Latency => {
                    let elfuse = self.measuring()?;
                    self.latency_phase(&elfuse)?;
                }
                Phase::Fatal => {
                    if !self.candidate_passes() {
                        break;
                    }
                    let candidate = builds::write_candidate(&self.orders.root, &self.lock())?;
                    let elfuse = self.build(Kind::Fatal, Some(&candidate))?;
                    self.storm_phase(phase, &elfuse)?;
                }
            }
        }
        Ok(())
    }

    fn shard(&self) -> Shard {
        self.orders.plan.shard.unwrap_or(Shard::WHOLE)
    }

    fn candidate_passes(&self) -> bool {
        let Verdict { passed, .. } = verdict::candidate_verdict(&self.lock());
        passed
    }

    /// The binary of the measuring phases, built at most once.
    fn measuring(&self) -> Result<PathBuf, FlowError> {
        match &self.orders.elfuse {
            Some(path) => Ok(path.clone()),
            None if self.lock().builds.iter().any(|build| build.kind == Kind::Measuring.name()) => {
                Ok(self.orders.root.join("target/gate/measuring/release/elfuse"))
            }
            None => self.build(Kind::Measuring, None),
        }
    }

    fn build(&self, kind: Kind, candidate: Option<&builds::Candidate>) -> Result<PathBuf, FlowError> {
        self.emit(Event::BuildStarted { kind: kind.name() });
        let (path, build) = builds::build(&self.orders.root, kind, candidate, &self.stop)?;
        self.emit(Event::BuildFinished(build));
        Ok(path)
    }

    fn storm_phase(&self, phase: Phase, elfuse: &Path) -> Result<(), FlowError> {
        let plan = &self.orders.plan;
        let terms = StormTerms { hz: plan.storm_hz, wall_limit: self.orders.wall_limit, shard: self.shard() };
        self.phase(phase, || {
            let Some(duration) = self.orders.duration else {
                let runs = storm_runs(phase, &self.orders.guests, 0, self.orders.whole_iterations, plan.seed, terms);
                return self.run_all(elfuse, runs, plan.jobs).map(drop);
            };
            // Whole rounds of several iterations, so that the jobs seldom wait for the last of a round.
            const ROUND: u32 = 4;
            let until = Instant::now() + duration;
            let mut first = 0;
            while first == 0 || (Instant::now() < until && !self.stop.is_raised()) {
                let runs = storm_runs(phase, &self.orders.guests, first, ROUND, plan.seed, terms);
                self.run_all(elfuse, runs, plan.jobs)?;
                first += ROUND;
            }
            self.lock().plan.iterations = first;
            Ok(())
        })
    }

    fn controls_phase(&self, elfuse: &Path) -> Result<(), FlowError> {
        let plan = &self.orders.plan;
        let wanted = |name: &str| self.orders.controls.is_empty() || self.orders.controls.iter().any(|one| one == name);
        self.phase(Phase::Controls, || {
            for row in controls::CONTROLS.iter().filter(|row| wanted(row.breakage.name())) {
                if self.stop.is_raised() {
                    break;
                }
                let mut runs = controls::runs(row, &self.orders.manifest, plan.control_repetitions, plan.storm_hz)?;
                runs.retain(|run| self.shard().takes(run.id.iteration));
                let planned = u32::try_from(runs.len()).unwrap_or(u32::MAX);
                if planned == 0 {
                    continue;
                }
                let results = self.run_all(elfuse, runs, plan.jobs)?;
                self.emit(Event::ControlFinished(controls::sum_up(row, planned, &results)));
            }
            Ok(())
        })
    }

    fn latency_phase(&self, elfuse: &Path) -> Result<(), FlowError> {
        self.phase(Phase::Latency, || {
            let runs = latency::runs(&self.orders.manifest, self.orders.wall_limit);
            for result in latency::sum_up(&self.run_all(elfuse, runs, 1)?) {
                self.emit(Event::LatencyMeasured(result));
            }
            Ok(())
        })
    }

    /// Runs `body` as a phase: says when it begins and ends, and who is left.
    fn phase(&self, phase: Phase, body: impl FnOnce() -> Result<(), FlowError>) -> Result<(), FlowError> {
        let started_at = Instant::now();
        self.emit(Event::PhaseStarted(phase));
        body()?;
        let strays = tree::stray_children()?;
        for stray in &strays {
            tree::end_left(Pid(*stray), &BTreeSet::from([*stray]))?;
        }
        let wall_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.emit(Event::PhaseFinished { phase, strays, wall_ms });
        Ok(())
    }

    fn run_all(&self, elfuse: &Path, runs: Vec<PlannedRun>, jobs: u32) -> Result<Vec<RunResult>, FlowError> {
        if let Some(run) = runs.first() {
            for (guest, count) in count_by_guest(&runs) {
                self.emit(Event::Planned { phase: run.id.phase, guest, runs: count });
            }
        }
        let keep = runs.first().is_some_and(|run| matches!(run.id.phase, Phase::Controls | Phase::Latency));
        let kept = Mutex::new(Vec::new());
        let not_started = Mutex::new(None);
        let emit = |event: Event| {
            if let Event::RunFinished(result) = &event {
                if result.outcome == Outcome::NotStarted {
                    // What cannot be started once cannot be started ten thousand times.
                    self.stop.raise();
                    let problem = result.failures.first().map(ToString::to_string).unwrap_or_default();
                    not_started.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
                }
                if keep {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push((**result).clone());
                }
            }
            self.emit(event);
        };
        self.executor.run_all(elfuse, runs, jobs as usize, &emit)?;
        match not_started.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(problem) => Err(FlowError::NotStarted(problem)),
            None => Ok(kept.into_inner().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn emit(&self, event: Event) {
        let mut results = self.lock();
        results.note(&event);
        // Sent under the lock, so that all readers see the order in which the results were counted. Fails only when the
        // readers gave up, which raises the stop.
        let _ = self.events.send(event);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
