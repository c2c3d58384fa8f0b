//! One run spread over several machines: [`Shard`], the part of a plan that one of them runs, and [`merge`], which makes the
//! reports of all parts into one.
//!
//! Every part is given the same plan and the same seed and its own number. It runs the iterations and repetitions whose
//! number falls to it, in the order of the whole plan, and measures its own machine's latency; which engine starts the parts
//! (a CI matrix, a batch system, GNU parallel) is no concern of the harness. The merged results are judged like any others.

use crate::event::{ControlResult, LatencyResult};
use crate::results::{KEPT_FAILED_RUNS, PhaseResults, Results};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The K-th of N parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// K, from 1 to N.
    pub index: u32,
    /// N.
    pub of: u32,
}

impl Shard {
    /// The only part of a plan that is not divided.
    pub const WHOLE: Self = Self { index: 1, of: 1 };
    /// Most parts of a plan.
    pub const MOST: u32 = 1000;

    /// Whether what has this number, counted from 0, falls to this part.
    #[must_use]
    pub const fn takes(self, number: u32) -> bool {
        number % self.of == self.index - 1
    }

    /// How many of the numbers from 0 to `count` fall to this part.
    #[must_use]
    pub const fn share(self, count: u32) -> u32 {
        count / self.of + if self.index <= count % self.of { 1 } else { 0 }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=Self::MOST).contains(&of) && (1..=of).contains(&index) => Ok(Self { index, of }),
            Some(_) | None => Err(format!("a shard is K/N with 1 <= K <= N <= {}, as in 2/4", Self::MOST)),
        }
    }
}

/// Why reports are not the parts of one plan.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// No report was named.
    #[error("nothing to merge: name the report of each shard")]
    Nothing,
    /// A report of a whole plan.
    #[error("report {0} is not of a shard (`--shard K/N` was not given)")]
    NoShard(usize),
    /// Two reports were made by different plans.
    #[error("report {report} differs from the first in {what}: shards of one plan share it")]
    Differs {
        /// Which report, from 1.
        report: usize,
        /// In what.
        what: &'static str,
    },
    /// The same part twice.
    #[error("shard {0} is there twice")]
    Twice(Shard),
    /// A part is not there.
    #[error("shard {0} is missing")]
    Missing(Shard),
}

/// Makes the reports of all parts of a plan into one, without a verdict.
///
/// # Errors
/// [`MergeError`]: they are not all parts, or not of one plan.
pub fn merge(parts: &[Results]) -> Result<Results, MergeError> {
    let first = parts.first().ok_or(MergeError::Nothing)?;
    check(parts, first)?;
    let mut plan = first.plan.clone();
    plan.shard = None;
    plan.iterations = parts.iter().map(|part| part.plan.iterations).fold(0, u32::saturating_add);
    plan.jobs = parts.iter().map(|part| part.plan.jobs).max().unwrap_or(0);
    let mut merged = Results::new(plan, first.platform.clone(), first.sources.clone());
    let mut controls: BTreeMap<String, ControlResult> = BTreeMap::new();
    let mut latency: BTreeMap<String, LatencyResult> = BTreeMap::new();
    for part in parts {
        for build in part
            .builds
            .iter()
            .filter(|build| !merged.builds.iter().any(|known| known.kind == build.kind))
            .cloned()
            .collect::<Vec<_>>()
        {
            merged.builds.push(build);
        }
        for (phase, seen) in &part.phases {
            add_phase(
                merged
                    .phases
                    .entry(*phase)
                    .or_insert_with(|| PhaseResults { wall_ms: Some(0), ..PhaseResults::default() }),
                seen,
            );
        }
        for control in &part.controls {
            controls
                .entry(control.control.clone())
                .and_modify(|sum| add_control(sum, control))
                .or_insert_with(|| control.clone());
        }
        for times in &part.latency {
            latency
                .entry(times.guest.clone())
                .and_modify(|worst| add_latency(worst, times))
                .or_insert_with(|| times.clone());
        }
        merged.failed_runs.extend(part.failed_runs.iter().cloned());
        merged.interrupted |= part.interrupted;
    }
    // A phase that a part did not begin did not come to its end.
    for (phase, seen) in &mut merged.phases {
        if parts.iter().any(|part| !part.phases.contains_key(phase)) {
            seen.wall_ms = None;
        }
    }
    merged.failed_runs.truncate(KEPT_FAILED_RUNS);
    merged.controls = controls.into_values().collect();
    merged.latency = latency.into_values().collect();
    Ok(merged)
}

fn check(parts: &[Results], first: &Results) -> Result<(), MergeError> {
    let mut there: Vec<Shard> = Vec::new();
    for (part, report) in parts.iter().zip(1..) {
        let shard = part.plan.shard.ok_or(MergeError::NoShard(report))?;
        let (a, b) = (&part.plan, &first.plan);
        let differences = [
            (part.sources != first.sources, "the sources of elfuse"),
            (part.platform != first.platform, "back end, engine, OS or architecture"),
            (a.shard.map(|shard| shard.of) != b.shard.map(|shard| shard.of), "the number of shards"),
            (a.seed != b.seed, "the seed (give all shards the same --seed)"),
            (a.guests != b.guests || a.phases != b.phases || a.storm_hz != b.storm_hz, "guests, phases or storm"),
            (a.control_repetitions != b.control_repetitions, "the repetitions of controls"),
            (
                part.builds.iter().any(|build| {
                    first.builds.iter().any(|other| other.kind == build.kind && other.version != build.version)
                }),
                "a binary's version",
            ),
        ];
        if let Some((_, what)) = differences.into_iter().find(|(differs, _)| *differs) {
            return Err(MergeError::Differs { report, what });
        }
        if there.contains(&shard) {
            return Err(MergeError::Twice(shard));
        }
        there.push(shard);
    }
    let of = there.first().map_or(0, |shard| shard.of);
    match (1..=of).map(|index| Shard { index, of }).find(|shard| !there.contains(shard)) {
        Some(missing) => Err(MergeError::Missing(missing)),
        None => Ok(()),
    }
}

fn add_phase(sum: &mut PhaseResults, part: &PhaseResults) {
    for (guest, counts) in &part.guests {
        sum.guests.entry(guest.clone()).or_default().add(counts);
    }
    sum.strays.extend(&part.strays);
    // The parts ran beside each other: the longest counts.
    sum.wall_ms = sum.wall_ms.zip(part.wall_ms).map(|(a, b)| a.max(b));
}

fn add_control(sum: &mut ControlResult, part: &ControlResult) {
    sum.planned = sum.planned.saturating_add(part.planned);
    sum.seen = sum.seen.saturating_add(part.seen);
    sum.caught = sum.caught.saturating_add(part.caught);
    for (check, runs) in &part.fired {
        *sum.fired.entry(*check).or_default() += runs;
    }
}

/// Quantiles cannot be added: those of the slower machine stand for both.
fn add_latency(worst: &mut LatencyResult, part: &LatencyResult) {
    // A part that measured nothing leaves nothing to stand on.
    let has_both = worst.samples > 0 && part.samples > 0;
    let samples = if has_both { worst.samples.saturating_add(part.samples) } else { 0 };
    let max_ns = worst.max_ns.max(part.max_ns);
    if part.p99_ns > worst.p99_ns {
        *worst = part.clone();
    }
    worst.samples = samples;
    worst.max_ns = max_ns;
}

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
