//! Sleeping on a 32-bit word: [`wait`] and [`wake`], private to this process.
//!
//! Source: futex(2), FUTEX_WAIT_BITSET (absolute deadline on the monotonic clock) and FUTEX_WAKE. Elsewhere a short
//! sleep stands in for it, which is correct (waits may end early) and slow.

#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "futex(2) has no safe wrapper"))]

use std::sync::atomic::AtomicU32;

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitEnd {
    /// Somebody woke the word, it did not hold the expected value, or nothing at all: look at it again.
    Look,
    /// The deadline has passed.
    TimedOut,
}

/// Sleeps while `word` holds `expected`, until somebody wakes it or the monotonic clock reaches `deadline_ns`.
pub fn wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitEnd {
    imp::wait(word, expected, deadline_ns)
}

/// Wakes up to `count` sleepers of `word`.
pub fn wake(word: &AtomicU32, count: u32) {
    imp::wake(word, count);
}

#[cfg(target_os = "linux")]
mod imp {
    use std::ptr;
    use std::sync::atomic::AtomicU32;

    use super::WaitEnd;

    pub(super) fn wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitEnd {
        let deadline = deadline_ns.map(|ns| libc::timespec {
            tv_sec: (ns / 1_000_000_000).cast_signed(),
            tv_nsec: (ns % 1_000_000_000).cast_signed(),
        });
        let deadline = deadline.as_ref().map_or(ptr::null(), ptr::from_ref);
        let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let all = libc::FUTEX_BITSET_MATCH_ANY;
        let unused = ptr::null::<u32>();
        // SAFETY: 1. `word` is an aligned word that lives through the call; 2. `deadline` is null or a `timespec` that does.
        let result =
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, deadline, unused, all) };
        if result < 0 && nix::errno::Errno::last() == nix::errno::Errno::ETIMEDOUT {
            return WaitEnd::TimedOut;
        }
        WaitEnd::Look
    }

    pub(super) fn wake(word: &AtomicU32, count: u32) {
        let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        // SAFETY: the kernel uses the address of `word` as a key and does not write to it.
        let _woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, count) };
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::WaitEnd;
    use crate::host::clock;

    pub(super) fn wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> WaitEnd {
        if deadline_ns.is_some_and(|deadline| clock::monotonic_ns() >= deadline) {
            return WaitEnd::TimedOut;
        }
        if word.load(Ordering::Acquire) == expected {
            std::thread::sleep(Duration::from_micros(200));
        }
        WaitEnd::Look
    }

    pub(super) fn wake(_word: &AtomicU32, _count: u32) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::host::clock;

    #[test]
    fn a_changed_word_is_not_waited_for_and_a_past_deadline_times_out() {
        let word = AtomicU32::new(1);
        assert_eq!(wait(&word, 0, None), WaitEnd::Look);
        assert_eq!(wait(&word, 1, Some(clock::monotonic_ns())), WaitEnd::TimedOut);
    }

    #[test]
    fn a_wake_ends_the_wait() {
        let word = AtomicU32::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while word.load(Ordering::Acquire) == 0 {
                    wait(&word, 0, None);
                }
            });
            word.store(1, Ordering::Release);
            wake(&word, u32::MAX);
        });
    }
}
