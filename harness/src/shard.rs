//! A plan spread over machines: [`Shard`] says which part one machine does, [`merge`] puts the reports together again.
//!
//! Iterations and repetitions are divided; what an iteration consists of is not, so that every shard meets every guest. The
//! merged counts are sums, the latency is that of the worst shard, and the verdict is made anew from the merged results.

use crate::event::{ControlResult, LatencyResult};
use crate::gate::verdict::verdict;
use crate::results::{GuestResults, PhaseResults, Plan, Results, add_guest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Part `number` of `of`, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// This shard's part of `whole`: the parts of all shards add up to it.
    #[must_use]
    pub const fn part(self, whole: u32) -> u32 {
        whole / self.of + (self.number <= whole % self.of) as u32
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not a shard; write K/N, for example 1/4";
        let (number, of) = text.split_once('/').ok_or(WRONG)?;
        let shard = Self { number: number.parse().map_err(|_| WRONG)?, of: of.parse().map_err(|_| WRONG)? };
        if (1..=shard.of).contains(&shard.number) { Ok(shard) } else { Err("K of K/N goes from 1 to N") }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// Why reports cannot be merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// No report was named.
    #[error("no report to merge; name the folders of all shards")]
    Nothing,
    /// A report is of a whole plan.
    #[error("a report is not one of a shard; run with --shard K/N")]
    Whole,
    /// The shards are not all of one plan, each once.
    #[error("shard {0} is missing or there twice; name the folder of each shard once")]
    Missing(Shard),
    /// They differ in what must be the same.
    #[error("shard {shard} differs in its {what}; run all shards of the same checkout with the same options")]
    Different {
        /// Which.
        shard: Shard,
        /// In what.
        what: &'static str,
    },
}

/// One report of all shards' reports.
///
/// # Errors
/// [`MergeError`].
pub fn merge(mut reports: Vec<Results>) -> Result<Results, MergeError> {
    reports.sort_by_key(|report| report.shard);
    let first = reports.first().ok_or(MergeError::Nothing)?;
    let of = first.shard.ok_or(MergeError::Whole)?.of;
    let numbers: Vec<_> = reports.iter().map(|report| report.shard).collect();
    for number in 1..=of {
        let shard = Shard { number, of };
        if numbers.iter().filter(|other| **other == Some(shard)).count() != 1 {
            return Err(MergeError::Missing(shard));
        }
    }
    if numbers.len() as u64 != u64::from(of) {
        return Err(MergeError::Missing(Shard { number: of, of }));
    }
    let mut merged = Results { shard: None, ..first.clone() };
    let is_judged = reports.iter().all(|report| report.verdict.is_some());
    for (number, report) in (1..).zip(&reports).skip(1) {
        let shard = Shard { number, of };
        if let Some(what) = difference(&merged, report) {
            return Err(MergeError::Different { shard, what });
        }
        add(&mut merged, report);
    }
    merged.verdict = is_judged.then(|| verdict(&merged));
    Ok(merged)
}

/// In what two shards of a plan differ though they must not.
fn difference(one: &Results, other: &Results) -> Option<&'static str> {
    let common = |plan: &Plan| Plan { iterations: 0, control_repetitions: 0, jobs: 0, seed: 0, ..plan.clone() };
    let checks = [
        (one.sources != other.sources, "sources"),
        (one.platform != other.platform, "platform"),
        (common(&one.plan) != common(&other.plan), "plan"),
    ];
    checks.into_iter().find(|(differs, _)| *differs).map(|(_, what)| what)
}

fn add(merged: &mut Results, report: &Results) {
    merged.plan.iterations += report.plan.iterations;
    merged.plan.control_repetitions += report.plan.control_repetitions;
    merged.plan.jobs = merged.plan.jobs.max(report.plan.jobs);
    for (phase, seen) in &report.phases {
        add_phase(
            merged.phases.entry(*phase).or_insert_with(|| PhaseResults { wall_ms: Some(0), ..PhaseResults::default() }),
            seen,
        );
    }
    for control in &report.controls {
        match merged.controls.iter_mut().find(|known| known.control == control.control && known.guest == control.guest)
        {
            Some(known) => add_control(known, control),
            None => merged.controls.push(control.clone()),
        }
    }
    for latency in &report.latency {
        match merged.latency.iter_mut().find(|known| known.guest == latency.guest) {
            Some(known) => add_latency(known, latency),
            None => merged.latency.push(latency.clone()),
        }
    }
    merged.failed_runs.extend(report.failed_runs.iter().cloned());
    merged.interrupted |= report.interrupted;
}

/// The time is that of the slowest shard; one that did not end leaves the phase unfinished.
fn add_phase(merged: &mut PhaseResults, seen: &PhaseResults) {
    for (guest, counts) in &seen.guests {
        let known: &mut GuestResults = merged.guests.entry(guest.clone()).or_default();
        add_guest(known, counts);
    }
    merged.strays.extend(&seen.strays);
    merged.wall_ms = merged.wall_ms.zip(seen.wall_ms).map(|(one, other)| one.max(other));
}

fn add_control(known: &mut ControlResult, control: &ControlResult) {
    known.planned += control.planned;
    known.seen += control.seen;
    known.caught += control.caught;
    for (check, runs) in &control.fired {
        *known.fired.entry(*check).or_default() += runs;
    }
}

/// Quantiles cannot be added: the worst shard's stand for all.
fn add_latency(known: &mut LatencyResult, latency: &LatencyResult) {
    known.samples += latency.samples;
    known.p50_ns = known.p50_ns.max(latency.p50_ns);
    known.p99_ns = known.p99_ns.max(latency.p99_ns);
    known.max_ns = known.max_ns.max(latency.max_ns);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Phase};
    use proptest::prelude::*;

    fn shard(number: u32, of: u32) -> Results {
        let plan = Plan { iterations: number, seed: number.into(), guests: vec!["a".into()], ..Plan::default() };
        let mut results = Results { shard: Some(Shard { number, of }), plan, ..Results::default() };
        results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: number });
        results.note(&Event::PhaseFinished { phase: Phase::Measure, strays: Vec::new(), wall_ms: u64::from(number) });
        results.latency.push(LatencyResult {
            guest: "parked".into(),
            samples: 10,
            p50_ns: 100 - u64::from(number),
            p99_ns: u64::from(number),
            max_ns: 5,
        });
        results
    }

    #[test]
    fn counts_add_up_and_the_worst_latency_counts() {
        let merged = merge(vec![shard(2, 3), shard(1, 3), shard(3, 3)]).unwrap();
        assert_eq!((merged.plan.iterations, merged.shard, merged.verdict.clone()), (6, None, None));
        let phase = &merged.phases[&Phase::Measure];
        assert_eq!((phase.guests["a"].planned, phase.wall_ms), (6, Some(3)));
        let latency = &merged.latency[0];
        assert_eq!((latency.samples, latency.p50_ns, latency.p99_ns), (30, 99, 3));
    }

    #[test]
    fn shards_that_do_not_fit_are_refused() {
        assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
        assert_eq!(merge(vec![Results::default()]), Err(MergeError::Whole));
        assert_eq!(merge(vec![shard(1, 2)]), Err(MergeError::Missing(Shard { number: 2, of: 2 })));
        let twice = merge(vec![shard(1, 2), shard(2, 2), shard(2, 2)]);
        assert_eq!(twice, Err(MergeError::Missing(Shard { number: 2, of: 2 })));
        let other = Results { sources: "other".into(), ..shard(2, 2) };
        let different = MergeError::Different { shard: Shard { number: 2, of: 2 }, what: "sources" };
        assert_eq!(merge(vec![shard(1, 2), other]), Err(different));
        let mixed = merge(vec![shard(1, 2), shard(2, 2), shard(3, 3)]);
        assert_eq!(mixed, Err(MergeError::Missing(Shard { number: 2, of: 2 })));
    }

    #[test]
    fn a_shard_that_did_not_end_leaves_its_phase_unfinished() {
        let mut cut = shard(2, 2);
        cut.phases.values_mut().for_each(|phase| phase.wall_ms = None);
        assert_eq!(merge(vec![shard(1, 2), cut]).unwrap().phases[&Phase::Measure].wall_ms, None);
    }

    #[test]
    fn shards_are_written_as_a_fraction() {
        assert_eq!("2/4".parse(), Ok(Shard { number: 2, of: 4 }));
        for wrong in ["", "2", "0/4", "5/4", "a/b", "1/0", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up(whole in 0_u32..10_000, of in 1_u32..300) {
            let parts: u32 = (1..=of).map(|number| Shard { number, of }.part(whole)).sum();
            prop_assert_eq!(parts, whole);
        }
    }
}
