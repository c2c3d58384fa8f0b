//! The latency phase: from a sender's clock to the first instruction of the guest's handler.
//!
//! The harness stamps each record with its own CLOCK_MONOTONIC; the guest reads the same clock first thing in its handler
//! and prints the difference. One job on an otherwise idle machine, and no storm: a storm would measure queues.

use crate::event::{Bucket, LatencyResult, Phase, RunId, RunResult};
use crate::plan::PlannedRun;
use crate::storm::Mode;
use guest_tests::{Guest, Manifest, Use};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Signals a second: far enough apart that each finds the guest at rest again.
pub const SIGNALS_HZ: u32 = 1000;
/// Runs of each guest.
const RUNS: u32 = 2;
/// The longest time that the histogram tells apart, in nanoseconds.
const HIGHEST_NS: u64 = 60_000_000_000;

/// The runs of the phase.
#[must_use]
pub fn runs(manifest: &Manifest, wall_limit: Duration) -> Vec<PlannedRun> {
    let run = |guest: &Arc<Guest>, iteration| PlannedRun {
        id: RunId { phase: Phase::Latency, guest: guest.name().to_owned(), control: None, iteration },
        guest: Arc::clone(guest),
        mode: Mode::Stamp { hz: SIGNALS_HZ },
        wall_limit,
        leaves: guest.leaves(),
        breakage: None,
    };
    let guests: Vec<Arc<Guest>> = manifest.used_by(Use::Latency).map(|guest| Arc::new(guest.clone())).collect();
    guests.iter().flat_map(|guest| (0..RUNS).map(move |iteration| run(guest, iteration))).collect()
}

/// The distribution of each guest's times.
#[must_use]
pub fn sum_up(results: &[RunResult]) -> Vec<LatencyResult> {
    let mut by_guest: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for result in results {
        by_guest.entry(&result.id.guest).or_default().extend(&result.latencies_ns);
    }
    by_guest.into_iter().map(|(guest, times)| distribution(guest, &times)).collect()
}

fn distribution(guest: &str, times_ns: &[u64]) -> LatencyResult {
    let max_ns = times_ns.iter().copied().max().unwrap_or(0);
    let quantile = |q| {
        Histogram::<u64>::new_with_bounds(1, HIGHEST_NS, 3).map_or(u64::MAX, |mut histogram| {
            times_ns.iter().for_each(|ns| histogram.saturating_record(*ns));
            histogram.value_at_quantile(q)
        })
    };
    LatencyResult {
        guest: guest.to_owned(),
        samples: times_ns.len() as u64,
        p50_ns: quantile(0.5),
        p99_ns: quantile(0.99),
        max_ns,
        buckets: buckets(times_ns),
    }
}

/// The distribution in eight buckets to a doubling.
fn buckets(times_ns: &[u64]) -> Vec<Bucket> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for ns in times_ns {
        *counts.entry(bucket_of(*ns)).or_default() += 1;
    }
    let (Some(first), Some(last)) = (counts.keys().next().copied(), counts.keys().last().copied()) else {
        return Vec::new();
    };
    let bucket = |index| Bucket { up_to_ns: limit_of(index), count: counts.get(&index).copied().unwrap_or(0) };
    (first..=last).map(bucket).collect()
}

/// Three bits below the highest one decide; times below 8 ns are one bucket.
fn bucket_of(ns: u64) -> u32 {
    let exponent = ns.max(8).ilog2();
    exponent * 8 + (ns.max(8) >> (exponent - 3)) as u32 % 8
}

/// The largest time of a bucket.
fn limit_of(index: u32) -> u64 {
    let (exponent, eighth) = (index / 8, u64::from(index % 8));
    ((8 + eighth) << (exponent - 3)) + ((1 << (exponent - 3)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_known_times() {
        let times: Vec<u64> = (1..=1000).map(|n| n * 1000).collect();
        let result = distribution("a", &times);
        assert_eq!((result.samples, result.max_ns), (1000, 1_000_000));
        assert!(result.p50_ns.abs_diff(500_000) < 1_000, "{result:?}");
        assert!(result.p99_ns.abs_diff(990_000) < 2_000, "{result:?}");
    }

    #[test]
    fn each_time_is_in_the_bucket_whose_limit_is_next() {
        for ns in [8, 9, 15, 16, 17, 1000, 123_456, 999_999_999, u64::MAX] {
            let index = bucket_of(ns);
            assert!(limit_of(index) >= ns && (index == bucket_of(8) || limit_of(index - 1) < ns), "{ns}");
        }
        let seen = distribution("a", &[1000, 1001, 5000]).buckets;
        assert_eq!(seen.iter().map(|bucket| bucket.count).sum::<u64>(), 3);
        assert_eq!((seen[0].count, seen.last().unwrap().count), (2, 1));
        assert!(seen.windows(2).all(|pair| pair[0].up_to_ns < pair[1].up_to_ns));
    }

    #[test]
    fn no_times_and_absurd_times_are_values() {
        assert_eq!(distribution("a", &[]).samples, 0);
        let absurd = distribution("a", &[u64::MAX]);
        assert_eq!(absurd.max_ns, u64::MAX);
        assert!(absurd.p99_ns >= HIGHEST_NS / 2);
    }

    #[test]
    fn the_manifest_has_a_running_and_a_parked_guest() {
        let runs = runs(&Manifest::load().unwrap(), Duration::from_secs(1));
        assert_eq!(crate::plan::count_by_guest(&runs).len(), 2);
    }
}
