//! Whole guests: system call, signal delivery, thread create and join, fork and wait, start-up of a static guest.
//!
//! The guest measures its operations by its own clock, so that its start does not count; start-up is measured from
//! outside. Rows of `guest-tests/manifest.toml` of the kinds `ns-per-op` and `start-up`.

use std::path::Path;
use std::time::Duration;

use benches::{BenchGuest, or_exit};
use criterion::{Criterion, criterion_group, criterion_main};
use guest_tests::BenchKind;

const ELFUSE: &str = env!("CARGO_BIN_EXE_elfuse-under-bench");

/// A run of a guest has at least this part of the operations that its row names: fewer would measure its cold start.
const SMALLEST_PART: u64 = 20;

fn operations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("operation");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    for guest in or_exit(BenchGuest::all(Path::new(ELFUSE), BenchKind::NsPerOp)) {
        let least = (guest.bench().iterations / SMALLEST_PART).max(1);
        group.bench_function(guest.name(), |bencher| {
            bencher.iter_custom(|iterations| {
                let count = iterations.max(least);
                let took = or_exit(guest.operations(count));
                took.mul_f64(iterations as f64 / count as f64)
            });
        });
    }
    group.finish();
}

fn start_up(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("start-up");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    for guest in or_exit(BenchGuest::all(Path::new(ELFUSE), BenchKind::StartUp)) {
        group.bench_function(guest.name(), |bencher| bencher.iter(|| or_exit(guest.run(0))));
    }
    group.finish();
}

criterion_group!(benches, operations, start_up);
criterion_main!(benches);
