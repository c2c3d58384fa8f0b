//! Guest instructions a second: loops of known length, whole guests timed from outside, and their geometric mean.
//!
//! `cargo bench -p benches --bench instructions -- --quick` prints the speeds within seconds. Rows of
//! `guest-tests/manifest.toml` of the kinds `mips`, `floating` and `simd`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use benches::{BenchGuest, or_exit};
use criterion::{Criterion, SamplingMode, Throughput};
use guest_tests::BenchKind;

const ELFUSE: &str = env!("CARGO_BIN_EXE_elfuse-under-bench");

/// What the interpreter is meant to reach, in million instructions a second: the geometric mean, and each loop.
const MEAN_TARGET: f64 = 150.0;
const LEAST_TARGET: f64 = 80.0;
/// What each loop of floating point is meant to reach.
const FLOATING_TARGET: f64 = 60.0;
/// What each loop of Advanced SIMD is meant to reach.
const SIMD_TARGET: f64 = 50.0;

/// Instructions and seconds of all runs of a loop.
type Totals = BTreeMap<String, (f64, f64)>;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let integer = bench(&mut criterion, "instructions", BenchKind::Mips);
    let floating = bench(&mut criterion, "floating", BenchKind::Floating);
    let simd = bench(&mut criterion, "simd", BenchKind::Simd);
    criterion.final_summary();
    print_summary(&integer);
    print_each(&floating, FLOATING_TARGET);
    print_each(&simd, SIMD_TARGET);
}

/// Runs the loops of a kind, as the Criterion group `name`.
fn bench(criterion: &mut Criterion, name: &str, kind: BenchKind) -> Totals {
    let totals = RefCell::new(Totals::new());
    let mut group = criterion.benchmark_group(name);
    // A run is a whole guest of a few hundred milliseconds.
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    for guest in or_exit(BenchGuest::all(Path::new(ELFUSE), kind)) {
        let facts = guest.bench();
        let instructions = facts.iterations * facts.instructions_per_iteration;
        group.throughput(Throughput::Elements(instructions));
        group.bench_function(guest.name(), |bencher| {
            bencher.iter_custom(|iterations| {
                let (_, took) = or_exit(guest.run(facts.iterations * iterations));
                let mut totals = totals.borrow_mut();
                let (count, seconds) = totals.entry(guest.name().to_owned()).or_default();
                *count += (instructions * iterations) as f64;
                *seconds += took.as_secs_f64();
                took
            });
        });
    }
    group.finish();
    totals.into_inner()
}

/// The speeds in million instructions a second.
fn speeds(totals: &Totals) -> Vec<(&str, f64)> {
    totals.iter().map(|(name, (count, seconds))| (name.as_str(), count / seconds / 1e6)).collect()
}

/// Prints the speeds, each of which is meant to reach `target`.
fn print_each(totals: &Totals, target: f64) {
    for (name, speed) in speeds(totals) {
        let verdict = if speed >= target { "met" } else { "MISSED" };
        println!("{name:12} {speed:8.1} million instructions/s (target {target}: {verdict})");
    }
}

fn print_summary(totals: &Totals) {
    let speeds = speeds(totals);
    for (name, speed) in &speeds {
        println!("{name:12} {speed:8.1} million instructions/s");
    }
    let Some(least) = speeds.iter().map(|(_, speed)| *speed).min_by(f64::total_cmp) else { return };
    let mean = (speeds.iter().map(|(_, speed)| speed.ln()).sum::<f64>() / speeds.len() as f64).exp();
    let verdict = |is_met: bool| if is_met { "met" } else { "MISSED" };
    println!(
        "{:12} {mean:8.1} million instructions/s (target {MEAN_TARGET}: {}; no loop under {LEAST_TARGET}: {})",
        "geomean",
        verdict(mean >= MEAN_TARGET),
        verdict(least >= LEAST_TARGET)
    );
}
