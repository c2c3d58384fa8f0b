//! Futexes on guest words that other processes share: the host's own queues, so that a wake reaches sleepers of every
//! process that maps the word. A sleep is futex_waitv(2) on the words and on the sleeper's own sequence word, so that a
//! kick ends it as it ends every other sleep.
//!
//! A host without futex_waitv (Linux before 5.16, macOS) sleeps on the own word alone for a millisecond and reports the
//! end as a wake: futex(2) lets a wait end for no reason. Source: futex(2), `kernel/futex/syscalls.c` of Linux.

#![expect(unsafe_code, reason = "futex(2) on words that are not Rust's")]

use std::sync::atomic::AtomicU32;

use crate::abi::Errno;

/// The host address of an aligned guest word. It is never dereferenced here: the kernel answers `EFAULT`.
#[derive(Clone, Copy, Debug)]
pub struct ForeignWord(
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "sleepers look for themselves, see `imp`"))] usize,
);

impl ForeignWord {
    /// A word of the guest.
    ///
    /// # Safety
    /// The word lies in memory that holds no Rust object, now and for the life of the process (the guest's window).
    #[must_use]
    pub unsafe fn new(place: *mut u32) -> Self {
        Self(place.expose_provenance())
    }
}

/// A word and what it must hold for a sleep on it.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The word.
    pub word: ForeignWord,
    /// What it must hold.
    pub value: u32,
}

/// Why [`wait_any`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnyEnd {
    /// The word of this index was woken, or may have been.
    Woken(usize),
    /// The sleeper's own word was woken, or nothing happened.
    Own,
    /// A word, perhaps the own one, did not hold what was expected.
    Changed,
    /// The deadline has passed.
    TimedOut,
    /// The host refused.
    Failed(Errno),
}

/// Sleeps while each of `words` holds its value and `own` holds `seen`, until one of them is woken or the monotonic clock
/// reaches `deadline_ns`.
#[must_use]
pub fn wait_any(words: &[Expected], own: &AtomicU32, seen: u32, deadline_ns: Option<u64>) -> AnyEnd {
    imp::wait_any(words, own, seen, deadline_ns)
}

/// Wakes up to `count` sleepers of a word; the answer is how many.
///
/// # Errors
/// `EFAULT`.
pub fn wake(word: ForeignWord, count: u32) -> Result<u32, Errno> {
    imp::wake(word, count)
}

/// Wakes up to `wake` sleepers of `from` and moves up to `requeue` others to `to`; where `expected` is given, only while
/// `from` holds it. The answer is how many were woken and moved.
///
/// # Errors
/// `EAGAIN` where the word holds something else, `EFAULT`.
pub fn requeue(
    from: ForeignWord,
    to: ForeignWord,
    wake: u32,
    requeue: u32,
    expected: Option<u32>,
) -> Result<u32, Errno> {
    imp::requeue(from, to, wake, requeue, expected)
}

/// `FUTEX_WAKE_OP`: changes `second` as `operation` says, wakes up to `wake` sleepers of `first`, and where the
/// comparison holds up to `wake_second` of `second`. The answer is how many.
///
/// # Errors
/// `EFAULT`, `ENOSYS` for an operation that does not exist.
pub fn wake_op(
    first: ForeignWord,
    second: ForeignWord,
    wake: u32,
    wake_second: u32,
    operation: u32,
) -> Result<u32, Errno> {
    imp::wake_op(first, second, wake, wake_second, operation)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::sync::atomic::AtomicU32;

    use super::{AnyEnd, Expected, ForeignWord};
    use crate::abi::Errno;
    use crate::host::futex;

    /// `FUTEX2_SIZE_U32`.
    const SIZE_U32: u32 = 2;
    const PRIVATE: u32 = 128;

    /// How long a host without futex_waitv sleeps at a time.
    const SLICE_NS: u64 = 1_000_000;

    /// `struct futex_waitv`.
    #[repr(C)]
    struct Entry {
        value: u64,
        address: u64,
        flags: u32,
        reserved: u32,
    }

    const _: () = assert!(size_of::<Entry>() == 24);

    pub(super) fn wait_any(words: &[Expected], own: &AtomicU32, seen: u32, deadline_ns: Option<u64>) -> AnyEnd {
        let shared = words.iter().map(|expected| Entry {
            value: expected.value.into(),
            address: expected.word.0 as u64,
            flags: SIZE_U32,
            reserved: 0,
        });
        let own_entry =
            Entry { value: seen.into(), address: own.as_ptr() as u64, flags: SIZE_U32 | PRIVATE, reserved: 0 };
        let entries: Vec<Entry> = std::iter::once(own_entry).chain(shared).collect();
        let deadline = deadline_ns.map(|ns| libc::timespec {
            tv_sec: (ns / 1_000_000_000).cast_signed(),
            tv_nsec: (ns % 1_000_000_000).cast_signed(),
        });
        let deadline = deadline.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: 1. the entries live through the call; 2. their words are the own one, which does as well, and guest
        // words, which hold no Rust object and are only read by the kernel; 3. `deadline` is null or lives.
        let result = unsafe {
            libc::syscall(libc::SYS_futex_waitv, entries.as_ptr(), entries.len(), 0, deadline, libc::CLOCK_MONOTONIC)
        };
        if let Ok(index) = usize::try_from(result) {
            return index.checked_sub(1).map_or(AnyEnd::Own, AnyEnd::Woken);
        }
        match nix::errno::Errno::last() {
            nix::errno::Errno::EAGAIN => AnyEnd::Changed,
            nix::errno::Errno::EINTR => AnyEnd::Own,
            nix::errno::Errno::ETIMEDOUT => AnyEnd::TimedOut,
            nix::errno::Errno::ENOSYS => wait_a_slice(own, seen, deadline_ns),
            errno => AnyEnd::Failed(errno.into()),
        }
    }

    fn wait_a_slice(own: &AtomicU32, seen: u32, deadline_ns: Option<u64>) -> AnyEnd {
        let slice_end = crate::host::clock::monotonic_ns().saturating_add(SLICE_NS);
        let end = deadline_ns.map_or(slice_end, |deadline| deadline.min(slice_end));
        match futex::wait(own, seen, Some(end)) {
            futex::WaitEnd::Look => AnyEnd::Own,
            futex::WaitEnd::TimedOut if deadline_ns == Some(end) => AnyEnd::TimedOut,
            futex::WaitEnd::TimedOut => AnyEnd::Woken(0),
        }
    }

    fn call(
        first: ForeignWord,
        operation: i32,
        value: u32,
        value2: u64,
        second: u64,
        value3: u32,
    ) -> Result<u32, Errno> {
        // SAFETY: the words are guest words or absent, see `ForeignWord`; the rest are numbers.
        let result = unsafe { libc::syscall(libc::SYS_futex, first.0, operation, value, value2, second, value3) };
        u32::try_from(result).map_err(|_| nix::errno::Errno::last().into())
    }

    /// Counts go to the kernel as `int`: "all" is its largest.
    fn count(count: u32) -> u32 {
        count.min(i32::MAX.cast_unsigned())
    }

    pub(super) fn wake(word: ForeignWord, woken: u32) -> Result<u32, Errno> {
        call(word, libc::FUTEX_WAKE, count(woken), 0, 0, 0)
    }

    pub(super) fn requeue(
        from: ForeignWord,
        to: ForeignWord,
        wake: u32,
        requeue: u32,
        expected: Option<u32>,
    ) -> Result<u32, Errno> {
        let operation = if expected.is_some() { libc::FUTEX_CMP_REQUEUE } else { libc::FUTEX_REQUEUE };
        call(from, operation, count(wake), count(requeue).into(), to.0 as u64, expected.unwrap_or(0))
    }

    pub(super) fn wake_op(
        first: ForeignWord,
        second: ForeignWord,
        wake: u32,
        wake_second: u32,
        operation: u32,
    ) -> Result<u32, Errno> {
        call(first, libc::FUTEX_WAKE_OP, count(wake), count(wake_second).into(), second.0 as u64, operation)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::sync::atomic::AtomicU32;

    use super::{AnyEnd, Expected, ForeignWord};
    use crate::abi::Errno;
    use crate::host::futex;

    const SLICE_NS: u64 = 1_000_000;

    pub(super) fn wait_any(_words: &[Expected], own: &AtomicU32, seen: u32, deadline_ns: Option<u64>) -> AnyEnd {
        let slice_end = crate::host::clock::monotonic_ns().saturating_add(SLICE_NS);
        let end = deadline_ns.map_or(slice_end, |deadline| deadline.min(slice_end));
        match futex::wait(own, seen, Some(end)) {
            futex::WaitEnd::Look => AnyEnd::Woken(0),
            futex::WaitEnd::TimedOut if deadline_ns == Some(end) => AnyEnd::TimedOut,
            futex::WaitEnd::TimedOut => AnyEnd::Woken(0),
        }
    }

    /// Sleepers look for themselves every millisecond.
    pub(super) fn wake(_word: ForeignWord, _count: u32) -> Result<u32, Errno> {
        Ok(0)
    }

    pub(super) fn requeue(
        _from: ForeignWord,
        _to: ForeignWord,
        _wake: u32,
        _requeue: u32,
        _expected: Option<u32>,
    ) -> Result<u32, Errno> {
        Ok(0)
    }

    pub(super) fn wake_op(
        _first: ForeignWord,
        _second: ForeignWord,
        _wake: u32,
        _wake_second: u32,
        _operation: u32,
    ) -> Result<u32, Errno> {
        Err(Errno::ENOSYS)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::host::{clock, futex};

    fn word(value: &'static AtomicU32) -> ForeignWord {
        // SAFETY: an atomic of a test stands for a guest word: everybody may change it at any time.
        unsafe { ForeignWord::new(value.as_ptr()) }
    }

    #[test]
    fn either_word_ends_the_wait() {
        static SHARED: AtomicU32 = AtomicU32::new(5);
        static OWN: AtomicU32 = AtomicU32::new(0);
        let words = [Expected { word: word(&SHARED), value: 5 }];
        assert_eq!(wait_any(&words, &OWN, 1, None), AnyEnd::Changed);
        assert_eq!(wait_any(&words, &OWN, 0, Some(clock::monotonic_ns())), AnyEnd::TimedOut);
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| wait_any(&words, &OWN, 0, None));
            while wake(word(&SHARED), 1) == Ok(0) {
                std::thread::yield_now();
            }
            assert_eq!(sleeper.join().unwrap(), AnyEnd::Woken(0));
            let sleeper = scope.spawn(|| wait_any(&words, &OWN, 0, None));
            OWN.store(1, Ordering::SeqCst);
            futex::wake(&OWN, 1);
            assert!(matches!(sleeper.join().unwrap(), AnyEnd::Own | AnyEnd::Changed));
        });
    }

    #[test]
    fn a_word_that_is_not_there_is_efault() {
        static OWN: AtomicU32 = AtomicU32::new(0);
        // SAFETY: page 0 holds nothing.
        let bad = unsafe { ForeignWord::new(std::ptr::without_provenance_mut(64)) };
        assert_eq!(wait_any(&[Expected { word: bad, value: 0 }], &OWN, 0, None), AnyEnd::Failed(Errno::EFAULT));
        assert_eq!(wake(bad, 1), Err(Errno::EFAULT));
    }
}
