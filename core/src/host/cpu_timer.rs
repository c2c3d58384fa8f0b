//! Timers on CPU time, which only the host's scheduler can keep: [`CpuTimer`] on the clock of a process or thread, and
//! [`set_interval`] for ITIMER_VIRTUAL and ITIMER_PROF.
//!
//! An expiry of a [`CpuTimer`] is a SIGUSR2 with code `SI_TIMER` for the kick thread alone. Guests cannot send that code,
//! and no guest-visible number is reserved for it. The interval timers send the process their own signals, which the kick
//! thread takes as any signal from outside. Sources: timer_create(2), timer_settime(2), setitimer(2).

#![expect(unsafe_code, reason = "timer_create and setitimer have no safe wrappers")]

use crate::abi::{Errno, SiCode, SigInfo, Signal, Tid};

/// `struct itimerval` as four words: interval and value, seconds and microseconds.
pub type IntervalWords = [i64; 4];

/// A timer of the host on a CPU clock. Deleted when dropped.
#[derive(Debug)]
pub struct CpuTimer {
    id: imp::Id,
}

/// The key that a signal of a [`CpuTimer`] carries, if it is one.
#[must_use]
pub fn key_of(info: &SigInfo) -> Option<u64> {
    (info.signal() == Signal::SIGUSR2 && info.code() == SiCode::SI_TIMER).then(|| info.value())
}

impl CpuTimer {
    /// Makes a disarmed timer on `clock`, a CPU clock as the host numbers them, which names the thread `kick` of this
    /// process with `key` when it expires.
    ///
    /// # Errors
    /// `EINVAL` for a clock that is none or not the caller's to use, `EAGAIN`.
    pub fn new(clock: i32, kick: Tid, key: u64) -> Result<Self, Errno> {
        imp::create(clock, kick, key).map(|id| Self { id })
    }

    /// Arms the timer (value and interval in nanoseconds, the value absolute or not), or disarms it with the value zero.
    ///
    /// # Errors
    /// The host's; the clock of a thread that has ended is `ESRCH`.
    pub fn set(&self, is_absolute: bool, value_ns: u64, interval_ns: u64) -> Result<(), Errno> {
        imp::set(&self.id, is_absolute, value_ns, interval_ns)
    }

    /// The time that is left, in nanoseconds; zero when disarmed.
    #[must_use]
    pub fn left_ns(&self) -> u64 {
        imp::left_ns(&self.id)
    }
}

impl Drop for CpuTimer {
    fn drop(&mut self) {
        imp::delete(&self.id);
    }
}

/// setitimer(2) of the process for the timer `which` (ITIMER_VIRTUAL, ITIMER_PROF); the answer is the old setting.
///
/// # Errors
/// `EINVAL`.
pub fn set_interval(which: i32, new: IntervalWords) -> Result<IntervalWords, Errno> {
    let [interval_s, interval_us, value_s, value_us] = new;
    let time = |tv_sec, us| libc::timeval { tv_sec, tv_usec: us as libc::suseconds_t };
    let new = libc::itimerval { it_interval: time(interval_s, interval_us), it_value: time(value_s, value_us) };
    let mut old = libc::itimerval { it_interval: time(0, 0), it_value: time(0, 0) };
    // SAFETY: both places live through the call. The type of the number differs between C libraries.
    if unsafe { libc::setitimer(which as _, &raw const new, &raw mut old) } < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(words(&old))
}

/// getitimer(2), as [`set_interval`].
///
/// # Errors
/// `EINVAL`.
pub fn interval(which: i32) -> Result<IntervalWords, Errno> {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut now = libc::itimerval { it_interval: zero, it_value: zero };
    // SAFETY: the place lives through the call.
    if unsafe { libc::getitimer(which as _, &raw mut now) } < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(words(&now))
}

fn words(timer: &libc::itimerval) -> IntervalWords {
    #[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "microseconds are 32 bits elsewhere"))]
    let pair = |time: libc::timeval| [time.tv_sec, i64::from(time.tv_usec)];
    let ([a, b], [c, d]) = (pair(timer.it_interval), pair(timer.it_value));
    [a, b, c, d]
}

#[cfg(target_os = "linux")]
mod imp {
    use crate::abi::{Errno, Tid};

    /// `timer_t` of the kernel, which is not the C library's.
    pub(super) type Id = i32;

    /// `struct sigevent` up to the thread id.
    #[repr(C)]
    struct Sigevent {
        value: u64,
        signal: i32,
        notify: i32,
        thread: i32,
        fill: [i32; 11],
    }
    const _: () = assert!(size_of::<Sigevent>() == 64);

    fn checked(result: libc::c_long) -> Result<(), Errno> {
        if result < 0 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
    }

    fn time(ns: u64) -> libc::timespec {
        libc::timespec { tv_sec: (ns / 1_000_000_000).cast_signed(), tv_nsec: (ns % 1_000_000_000).cast_signed() }
    }

    pub(super) fn create(clock: i32, kick: Tid, key: u64) -> Result<Id, Errno> {
        let (signal, notify) = (libc::SIGUSR2, libc::SIGEV_THREAD_ID);
        let event = Sigevent { value: key, signal, notify, thread: kick.0, fill: [0; 11] };
        let mut id = 0;
        // SAFETY: the kernel reads 64 bytes of the event and writes an int.
        checked(unsafe { libc::syscall(libc::SYS_timer_create, clock, &raw const event, &raw mut id) }).map(|()| id)
    }

    pub(super) fn set(id: &Id, is_absolute: bool, value_ns: u64, interval_ns: u64) -> Result<(), Errno> {
        let new = libc::itimerspec { it_interval: time(interval_ns), it_value: time(value_ns) };
        let flags = if is_absolute { libc::TIMER_ABSTIME } else { 0 };
        let none = std::ptr::null_mut::<libc::itimerspec>();
        // SAFETY: the new setting lives through the call, and no old one is asked for.
        checked(unsafe { libc::syscall(libc::SYS_timer_settime, *id, flags, &raw const new, none) })
    }

    pub(super) fn left_ns(id: &Id) -> u64 {
        let mut now = libc::itimerspec { it_interval: time(0), it_value: time(0) };
        // SAFETY: the kernel writes one itimerspec.
        let result = unsafe { libc::syscall(libc::SYS_timer_gettime, *id, &raw mut now) };
        let value = now.it_value;
        if result < 0 { 0 } else { value.tv_sec.cast_unsigned() * 1_000_000_000 + value.tv_nsec.cast_unsigned() }
    }

    pub(super) fn delete(id: &Id) {
        // SAFETY: the call takes no pointers.
        let _gone = unsafe { libc::syscall(libc::SYS_timer_delete, *id) };
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use crate::abi::{Errno, Tid};

    /// The host has no timers on CPU clocks.
    pub(super) type Id = std::convert::Infallible;

    pub(super) fn create(_clock: i32, _kick: Tid, _key: u64) -> Result<Id, Errno> {
        Err(Errno::EOPNOTSUPP)
    }

    pub(super) fn set(id: &Id, _is_absolute: bool, _value_ns: u64, _interval_ns: u64) -> Result<(), Errno> {
        match *id {}
    }

    pub(super) fn left_ns(id: &Id) -> u64 {
        match *id {}
    }

    pub(super) fn delete(id: &Id) {
        match *id {}
    }
}
