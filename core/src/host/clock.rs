//! The monotonic clock in nanoseconds: the time base of every deadline inside elfuse.

use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC in nanoseconds.
#[must_use]
pub fn monotonic_ns() -> u64 {
    // The clock exists on every host; were it to fail, time would stand still and deadlines would not expire early.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}

/// The time of a clock by its number in nanoseconds, or `None` where there is no such clock.
#[must_use]
pub fn now_ns(clock: i32) -> Option<u64> {
    let now = clock_gettime(ClockId::from_raw(clock as libc::clockid_t)).ok()?;
    Some(now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}

/// CLOCK_REALTIME in nanoseconds.
#[must_use]
pub fn realtime_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_REALTIME)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}
