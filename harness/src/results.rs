//! What the events add up to: [`Results`], a [`Reader`] that only counts.
//!
//! It is what the verdict is a function of, what the JSON report holds (`docs/harness.md` documents the fields), and what
//! the closing table shows. Every list of single things is bounded; every count is complete.

use crate::event::{
    Build, Check, ControlResult, Event, Failure, LatencyResult, Outcome, Phase, Reader, RunId, RunResult, StormCounts,
    Verdict,
};
use crate::shard::Shard;
use crate::tally::Tally;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

/// Version of the JSON report; changes when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;
/// Failed runs that are kept whole.
pub const KEPT_FAILED_RUNS: usize = 200;

/// What was asked for, so that a report can be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Iterations of each guest.
    pub iterations: u32,
    /// Repetitions of each control.
    pub control_repetitions: u32,
    /// Doorbells a second for each process.
    pub storm_hz: u32,
    /// Runs at a time.
    pub jobs: u32,
    /// The seed of the order.
    pub seed: u64,
    /// The guests of an iteration.
    pub guests: Vec<String>,
    /// The phases, in their order.
    pub phases: Vec<Phase>,
    /// Whether all guests of the manifest take part.
    pub all_guests: bool,
    /// Whether whole rounds are repeated until some time is over, instead of counted.
    pub by_duration: bool,
    /// The part of a larger plan that this is; `iterations` is its share, repetitions of controls are those of the whole.
    #[serde(default)]
    pub shard: Option<Shard>,
}

/// Where it ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Platform {
    /// `soft` or `hvf`.
    pub back_end: String,
    /// How guest code runs: `interpreter`, ...
    pub engine: String,
    /// The host's OS, as `std::env::consts::OS` names it.
    pub os: String,
    /// The host's architecture, as `std::env::consts::ARCH` names it.
    pub arch: String,
}

/// One guest in one phase.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuestResults {
    /// Runs planned.
    pub planned: u32,
    /// Runs that came to an end.
    pub seen: u32,
    /// How they ended.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// In how many runs each check failed.
    pub failures: BTreeMap<Check, u32>,
    /// The counts of all runs.
    pub tally: Tally,
    /// What the storm did to all runs.
    pub storm: StormCounts,
    /// Wall time of all runs in microseconds.
    pub wall_us: u64,
    /// Wall time of the longest in microseconds.
    pub longest_us: u64,
}

impl GuestResults {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        self.planned = self.planned.saturating_add(other.planned);
        self.seen = self.seen.saturating_add(other.seen);
        add_counts(&mut self.outcomes, &other.outcomes);
        add_counts(&mut self.failures, &other.failures);
        self.tally.add(&other.tally);
        self.storm.add(&other.storm);
        self.wall_us = self.wall_us.saturating_add(other.wall_us);
        self.longest_us = self.longest_us.max(other.longest_us);
    }

    /// Runs that were seen and did not pass.
    #[must_use]
    pub fn not_passed(&self) -> u32 {
        self.seen.saturating_sub(self.outcomes.get(&Outcome::Passed).copied().unwrap_or(0))
    }

    /// Mean wall time of a run in milliseconds, rounded up; 0 where none was seen.
    #[must_use]
    pub fn mean_ms(&self) -> u64 {
        self.wall_us.div_ceil(1000).checked_div(u64::from(self.seen)).unwrap_or(0)
    }
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PhaseResults {
    /// By guest.
    pub guests: BTreeMap<String, GuestResults>,
    /// Processes that the phase left and that belong to no run.
    pub strays: Vec<i32>,
    /// Wall time in milliseconds; `None` if the phase did not come to its end.
    pub wall_ms: Option<u64>,
}

impl PhaseResults {
    /// Counts of all guests together.
    #[must_use]
    pub fn total(&self) -> GuestResults {
        let mut total = GuestResults::default();
        for guest in self.guests.values() {
            total.add(guest);
        }
        total
    }
}

fn add_counts<K: Ord + Copy>(mine: &mut BTreeMap<K, u32>, theirs: &BTreeMap<K, u32>) {
    for (key, count) in theirs {
        let entry = mine.entry(*key).or_default();
        *entry = entry.saturating_add(*count);
    }
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedRun {
    /// Which.
    pub id: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// Why.
    pub failures: Vec<Failure>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was asked for.
    pub plan: Plan,
    /// Where it ran.
    pub platform: Platform,
    /// SHA-256 of elfuse's sources.
    pub sources: String,
    /// The binaries.
    pub builds: Vec<Build>,
    /// By phase.
    pub phases: BTreeMap<Phase, PhaseResults>,
    /// The controls.
    pub controls: Vec<ControlResult>,
    /// The latency guests.
    pub latency: Vec<LatencyResult>,
    /// The first failed runs of each phase but that of the controls, where runs are to fail.
    pub failed_runs: Vec<FailedRun>,
    /// Whether somebody stopped the harness.
    pub interrupted: bool,
    /// The verdict, once it is there.
    pub verdict: Option<Verdict>,
}

impl Results {
    /// Nothing yet.
    #[must_use]
    pub fn new(plan: Plan, platform: Platform, sources: String) -> Self {
        Self { schema: SCHEMA, plan, platform, sources, ..Self::default() }
    }

    /// Takes note of an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::BuildStarted { .. } | Event::RunStarted(_) => {}
            Event::BuildFinished(build) => self.builds.push(build.clone()),
            Event::PhaseStarted(phase) => drop(self.phases.entry(*phase).or_default()),
            Event::Planned { phase, guest, runs } => self.guest(*phase, guest).planned += runs,
            Event::RunFinished(result) => self.run_finished(result),
            Event::ControlFinished(control) => self.controls.push(control.clone()),
            Event::LatencyMeasured(latency) => self.latency.push(latency.clone()),
            Event::PhaseFinished { phase, strays, wall_ms } => {
                let results = self.phases.entry(*phase).or_default();
                results.strays.clone_from(strays);
                results.wall_ms = Some(*wall_ms);
            }
            Event::Interrupted => self.interrupted = true,
            Event::Verdict(verdict) => self.verdict = Some(verdict.clone()),
        }
    }

    /// True where all phases of the gate were asked for: only then a verdict says more than [`all_passed`](Self::all_passed).
    #[must_use]
    pub fn is_gate(&self) -> bool {
        Phase::ALL.iter().all(|phase| self.plan.phases.contains(phase))
    }

    /// Runs that passed and runs that were planned, in all phases but that of the controls, where runs are to fail.
    #[must_use]
    pub fn passed_of_planned(&self) -> (u32, u32) {
        let totals = self.phases.iter().filter(|(phase, _)| **phase != Phase::Controls).map(|(_, seen)| seen.total());
        totals.fold((0, 0), |(passed, planned), total| {
            (passed + total.outcomes.get(&Outcome::Passed).copied().unwrap_or(0), planned + total.planned)
        })
    }

    /// True where something was planned, every planned run was seen and passed, and every control was caught.
    #[must_use]
    pub fn all_passed(&self) -> bool {
        let (passed, planned) = self.passed_of_planned();
        let controls = &self.controls;
        passed == planned && planned as usize + controls.len() > 0 && controls.iter().all(ControlResult::passed)
    }

    fn guest(&mut self, phase: Phase, guest: &str) -> &mut GuestResults {
        self.phases.entry(phase).or_default().guests.entry(guest.to_owned()).or_default()
    }

    fn run_finished(&mut self, result: &RunResult) {
        let guest = self.guest(result.id.phase, &result.id.guest);
        // An interrupted run says nothing about the guest: it was planned and is not seen.
        if result.outcome != Outcome::Interrupted {
            guest.seen += 1;
        }
        *guest.outcomes.entry(result.outcome).or_default() += 1;
        let mut checks: Vec<Check> = result.failures.iter().map(Failure::check).collect();
        checks.dedup();
        for check in checks {
            *guest.failures.entry(check).or_default() += 1;
        }
        guest.tally.add(&result.tally);
        guest.storm.add(&result.storm);
        guest.wall_us = guest.wall_us.saturating_add(result.wall_us);
        guest.longest_us = guest.longest_us.max(result.wall_us);
        let keep = !result.failures.is_empty() && result.id.phase != Phase::Controls;
        if keep && self.failed_runs.len() < KEPT_FAILED_RUNS {
            self.failed_runs.push(FailedRun {
                id: result.id.clone(),
                outcome: result.outcome,
                failures: result.failures.clone(),
            });
        }
    }
}

impl Reader for Results {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.note(event);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(outcome: Outcome, failures: Vec<Failure>) -> Event {
        Event::RunFinished(Box::new(RunResult {
            id: RunId { phase: Phase::Measure, guest: "a".into(), control: None, iteration: 0 },
            outcome,
            failures,
            tally: Tally { processes: 1, ..Tally::default() },
            storm: StormCounts::default(),
            wall_us: 5,
            latencies_ns: Vec::new(),
        }))
    }

    #[test]
    fn runs_add_up() {
        let mut results = Results::default();
        results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: 4 });
        results.note(&finished(Outcome::Passed, Vec::new()));
        let twice = vec![Failure::Unknown { count: 3 }, Failure::Unknown { count: 4 }];
        results.note(&finished(Outcome::Failed, twice));
        results.note(&finished(Outcome::Interrupted, Vec::new()));
        let guest = &results.phases[&Phase::Measure].guests["a"];
        assert_eq!((guest.planned, guest.seen, guest.wall_us), (4, 2, 15));
        assert_eq!(guest.failures, BTreeMap::from([(Check::Unknown, 1)]));
        assert_eq!(guest.tally.processes, 3);
        assert_eq!(results.failed_runs.len(), 1);
        assert_eq!(results.phases[&Phase::Measure].total(), *guest);
    }

    #[test]
    fn only_what_was_planned_and_passed_passes() {
        let mut results = Results::default();
        assert!(!results.all_passed(), "nothing was planned");
        results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: 1 });
        assert!(!results.all_passed());
        results.note(&finished(Outcome::Passed, Vec::new()));
        assert!(results.all_passed() && !results.is_gate());
        results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: 1 });
        results.note(&finished(Outcome::Failed, vec![Failure::Unknown { count: 1 }]));
        assert_eq!((results.passed_of_planned(), results.all_passed()), ((1, 2), false));
    }

    #[test]
    fn a_phase_that_did_not_end_has_no_time() {
        let mut results = Results::default();
        results.note(&Event::PhaseStarted(Phase::Fatal));
        assert_eq!(results.phases[&Phase::Fatal].wall_ms, None);
        results.note(&Event::PhaseFinished { phase: Phase::Fatal, strays: vec![7], wall_ms: 1 });
        assert_eq!(
            results.phases[&Phase::Fatal],
            PhaseResults { guests: BTreeMap::new(), strays: vec![7], wall_ms: Some(1) }
        );
    }
}
