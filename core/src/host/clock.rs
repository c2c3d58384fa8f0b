//! The monotonic clock in nanoseconds: the time base of every deadline inside elfuse.

use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC in nanoseconds.
#[must_use]
pub fn monotonic_ns() -> u64 {
    // The clock exists on every host; were it to fail, time would stand still and deadlines would not expire early.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}

/// Sleeps until the monotonic clock says this; it may end early. For threads that nobody needs to wake: not elfuse's own.
pub fn sleep_until(at_ns: u64) {
    imp::sleep_until(at_ns);
}

#[cfg(target_os = "linux")]
mod imp {
    use nix::sys::time::{TimeSpec, TimeValLike};
    use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

    pub(super) const fn of_linux(clock: i32) -> Option<libc::clockid_t> {
        Some(clock)
    }

    pub(super) fn sleep_until(at_ns: u64) {
        let at = TimeSpec::nanoseconds(i64::try_from(at_ns).unwrap_or(i64::MAX));
        // An interrupted sleep only ends early.
        let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at);
    }
}

/// The host's clock for a number of Linux's.
#[cfg(not(target_os = "linux"))]
pub(super) fn of_linux(clock: i32) -> Option<libc::clockid_t> {
    imp::of_linux(clock)
}

#[cfg(not(target_os = "linux"))]
mod imp {
    /// The coarse clocks are the fine ones. `CLOCK_MONOTONIC` counts while the machine sleeps here, as `CLOCK_BOOTTIME` does.
    pub(super) const fn of_linux(clock: i32) -> Option<libc::clockid_t> {
        match clock {
            0 | 5 => Some(libc::CLOCK_REALTIME),
            1 | 6 | 7 => Some(libc::CLOCK_MONOTONIC),
            2 => Some(libc::CLOCK_PROCESS_CPUTIME_ID),
            3 => Some(libc::CLOCK_THREAD_CPUTIME_ID),
            4 => Some(libc::CLOCK_MONOTONIC_RAW),
            _others => None,
        }
    }

    pub(super) fn sleep_until(at_ns: u64) {
        std::thread::sleep(std::time::Duration::from_nanos(at_ns.saturating_sub(super::monotonic_ns())));
    }
}

/// Ticks a second of [`virtual_counter`].
pub const VIRTUAL_COUNTER_HZ: u64 = 1_000_000_000;

/// What a guest reads from CNTVCT_EL0: on this host CLOCK_MONOTONIC itself.
#[must_use]
pub fn virtual_counter() -> u64 {
    monotonic_ns()
}

/// CLOCK_BOOTTIME in nanoseconds: as the monotonic clock, and counting while the machine sleeps; the monotonic clock where
/// the host has no such clock.
#[must_use]
pub fn boottime_ns() -> u64 {
    const CLOCK_BOOTTIME: i32 = 7;
    now_ns(CLOCK_BOOTTIME).unwrap_or_else(monotonic_ns)
}

/// The time of a clock by Linux's number in nanoseconds, or `None` where there is no such clock.
#[must_use]
pub fn now_ns(clock: i32) -> Option<u64> {
    let now = clock_gettime(ClockId::from_raw(imp::of_linux(clock)?)).ok()?;
    Some(now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}

/// CLOCK_REALTIME in nanoseconds.
#[must_use]
pub fn realtime_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_REALTIME)
        .map_or(0, |now| now.tv_sec().cast_unsigned() * 1_000_000_000 + now.tv_nsec().cast_unsigned())
}
