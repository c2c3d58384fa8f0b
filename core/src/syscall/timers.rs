//! Sleeping and timers: nanosleep(2), clock_nanosleep(2), setitimer(2), timer_create(2) and their kin.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Args;
use crate::abi::{Errno, GuestPtr, Signal, Tid};
use crate::host::clock::{self, monotonic_ns};
use crate::host::cpu_timer;
use crate::host::schedule::online_processors;
use crate::kernel::timers::{Arming, Notify, TimerSetting};
use crate::kernel::{Interrupted, Restart, SyscallError, SyscallResult, TaskContext};

const NS_PER_S: u64 = 1_000_000_000;
const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
const CLOCK_MONOTONIC_RAW: i32 = 4;
const CLOCK_MONOTONIC_COARSE: i32 = 6;
const CLOCK_BOOTTIME: i32 = 7;
const CLOCK_REALTIME_ALARM: i32 = 8;
const CLOCK_BOOTTIME_ALARM: i32 = 9;
const CLOCK_TAI: i32 = 11;
const TIMER_ABSTIME: i32 = 1;
/// Clocks of others, by `linux/posix-timers.h`: the id from this bit on, inverted; below it who is meant, and what is counted.
const CPUCLOCK_ID_SHIFT: i32 = 3;
const CPUCLOCK_PERTHREAD: i32 = 4;
const CPUCLOCK_KIND: i32 = 7;
const CLOCKFD: i32 = 3;

/// `struct timespec` of 64-bit Linux.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub tv_sec: i64,
    /// Nanoseconds, below one second.
    pub tv_nsec: i64,
}

impl Timespec {
    /// The time in nanoseconds, at most what 64 bits hold.
    ///
    /// # Errors
    /// `EINVAL` for negative seconds or nanoseconds out of range.
    pub fn to_ns(self) -> Result<u64, Errno> {
        let seconds = u64::try_from(self.tv_sec).map_err(|_negative| Errno::EINVAL)?;
        match u64::try_from(self.tv_nsec) {
            Ok(ns) if ns < NS_PER_S => Ok(seconds.saturating_mul(NS_PER_S).saturating_add(ns)),
            Ok(_) | Err(_) => Err(Errno::EINVAL),
        }
    }

    /// From nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { tv_sec: (ns / NS_PER_S).cast_signed(), tv_nsec: (ns % NS_PER_S).cast_signed() }
    }
}

/// `struct itimerspec`: interval, then value.
type Itimerspec = [Timespec; 2];

/// Sleeps until a deadline; a signal leaves a continuation that keeps it, and the time that is left in `remaining`.
fn sleep(ctx: &mut TaskContext, deadline_ns: u64, remaining: Option<GuestPtr<Timespec>>) -> SyscallResult {
    match ctx.task.block(Some(deadline_ns)) {
        Ok(never) => match never {},
        Err(Interrupted::TimedOut) => Ok(0),
        Err(Interrupted::Failed(errno)) => Err(errno.into()),
        Err(Interrupted::Signal) => {
            let left_ns = deadline_ns.saturating_sub(monotonic_ns());
            if left_ns == 0 {
                // The signal and the end of the sleep came together: as on Linux the sleep has ended.
                return Ok(0);
            }
            if let Some(remaining) = remaining {
                ctx.memory().write(remaining, &Timespec::from_ns(left_ns))?;
            }
            ctx.restart_block = Some(Box::new(move |ctx| sleep(ctx, deadline_ns, remaining)));
            Err(Restart::Block.into())
        }
    }
}

pub(super) fn nanosleep(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let ns = ctx.memory().read(args.ptr::<Timespec>(0))?.to_ns()?;
    sleep(ctx, monotonic_ns().saturating_add(ns), args.ptr(1).non_null())
}

/// The least that a sleep on a CPU clock waits between two looks: about what the host's scheduler counts in.
const CPU_LOOK_NS: u64 = 1_000_000;

/// Sleeps until a clock of CPU time shows `target_ns`. Nobody wakes for that: it is looked at when the clock can be there
/// at the earliest, all processors having run for it.
fn sleep_on_cpu_clock(
    ctx: &mut TaskContext,
    clock: i32,
    target_ns: u64,
    remaining: Option<GuestPtr<Timespec>>,
) -> SyscallResult {
    loop {
        let left_ns = target_ns.saturating_sub(clock::now_ns(clock).ok_or(Errno::EINVAL)?);
        if left_ns == 0 {
            return Ok(0);
        }
        let earliest_ns = (left_ns / online_processors() as u64).max(CPU_LOOK_NS);
        match ctx.task.block(Some(monotonic_ns().saturating_add(earliest_ns))) {
            Ok(never) => match never {},
            Err(Interrupted::TimedOut) => {}
            Err(Interrupted::Failed(errno)) => return Err(errno.into()),
            Err(Interrupted::Signal) => {
                if let Some(remaining) = remaining {
                    let left_ns = target_ns.saturating_sub(clock::now_ns(clock).unwrap_or(target_ns));
                    ctx.memory().write(remaining, &Timespec::from_ns(left_ns))?;
                }
                ctx.restart_block = Some(Box::new(move |ctx| sleep_on_cpu_clock(ctx, clock, target_ns, remaining)));
                return Err(Restart::Block.into());
            }
        }
    }
}

/// Whether a clock that can be slept on is one of CPU time. Nobody can sleep by the calling thread's name for its own.
fn sleep_clock(clock: i32) -> Result<bool, Errno> {
    let is_of_file = clock < 0 && clock & CPUCLOCK_KIND == CLOCKFD;
    if is_of_file || clock == CLOCK_THREAD_CPUTIME_ID { Err(Errno::EOPNOTSUPP) } else { timer_clock(clock) }
}

/// True for the CPU clock of the thread `tid` by its id, for which it would wait for ever.
const fn is_clock_of_thread(clock: i32, tid: Tid) -> bool {
    let named = !(clock >> CPUCLOCK_ID_SHIFT);
    clock < 0 && clock & CPUCLOCK_PERTHREAD != 0 && (named == 0 || named == tid.0)
}

/// Sleeps on `clock` for `ns`, or until it shows `ns`.
fn sleep_on(
    ctx: &mut TaskContext,
    (clock, is_cpu): (i32, bool),
    is_absolute: bool,
    ns: u64,
    remaining: Option<GuestPtr<Timespec>>,
) -> SyscallResult {
    if is_clock_of_thread(clock, ctx.task.tid()) {
        return Err(Errno::EINVAL.into());
    }
    let now_ns = clock::now_ns(clock).ok_or(Errno::EINVAL)?;
    match (is_cpu, is_absolute) {
        (true, true) => sleep_on_cpu_clock(ctx, clock, ns, remaining),
        (true, false) => sleep_on_cpu_clock(ctx, clock, now_ns.saturating_add(ns), remaining),
        (false, true) => sleep(ctx, monotonic_ns().saturating_add(ns.saturating_sub(now_ns)), remaining),
        (false, false) => sleep(ctx, monotonic_ns().saturating_add(ns), remaining),
    }
}

pub(super) fn clock_nanosleep(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let clock = (args.i32(0), sleep_clock(args.i32(0))?);
    let ns = ctx.memory().read(args.ptr::<Timespec>(2))?.to_ns()?;
    if args.i32(1) & TIMER_ABSTIME == 0 {
        return sleep_on(ctx, clock, false, ns, args.ptr(3).non_null());
    }
    // An absolute sleep is simply made again, so it needs no continuation and reports no remaining time.
    sleep_on(ctx, clock, true, ns, None).map_err(|error| match error {
        SyscallError::Restart(_) => Restart::NoHand.into(),
        SyscallError::Errno(_) | SyscallError::Control(_) => error,
    })
}

const ITIMER_REAL: i32 = 0;
const ITIMER_VIRTUAL: i32 = 1;
const ITIMER_PROF: i32 = 2;
const US_PER_S: i64 = 1_000_000;

/// `struct itimerval` as four words: interval and value, seconds and microseconds.
fn setting_from_itimerval(words: [i64; 4]) -> Result<TimerSetting, Errno> {
    let ns = |seconds: i64, us: i64| {
        if !(0..US_PER_S).contains(&us) {
            return Err(Errno::EINVAL);
        }
        Timespec { tv_sec: seconds, tv_nsec: us * 1000 }.to_ns()
    };
    Ok(TimerSetting { interval_ns: ns(words[0], words[1])?, value_ns: ns(words[2], words[3])? })
}

fn itimerval_from_setting(setting: TimerSetting) -> [i64; 4] {
    // Rounded up, so that an armed timer never reads as disarmed.
    let parts = |ns: u64| {
        let us = ns.div_ceil(1000).cast_signed();
        [us / US_PER_S, us % US_PER_S]
    };
    let ([a, b], [c, d]) = (parts(setting.interval_ns), parts(setting.value_ns));
    [a, b, c, d]
}

pub(super) fn setitimer(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let which = args.i32(0);
    let new = match args.ptr::<[i64; 4]>(1).non_null() {
        Some(new) => ctx.memory().read(new)?,
        None => [0; 4],
    };
    let setting = setting_from_itimerval(new)?;
    let old = match which {
        ITIMER_REAL => itimerval_from_setting(ctx.process().timers().set_real(ctx.process(), setting)),
        ITIMER_VIRTUAL | ITIMER_PROF => cpu_timer::set_interval(which, new)?,
        _unknown => return Err(Errno::EINVAL.into()),
    };
    if let Some(place) = args.ptr::<[i64; 4]>(2).non_null() {
        ctx.memory().write(place, &old)?;
    }
    Ok(0)
}

pub(super) fn getitimer(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let now = match args.i32(0) {
        ITIMER_REAL => itimerval_from_setting(ctx.process().timers().real()),
        which @ (ITIMER_VIRTUAL | ITIMER_PROF) => cpu_timer::interval(which)?,
        _unknown => return Err(Errno::EINVAL.into()),
    };
    ctx.memory().write(args.ptr(1), &now)?;
    Ok(0)
}

const SIGEV_SIGNAL: i32 = 0;
const SIGEV_NONE: i32 = 1;
const SIGEV_THREAD_ID: i32 = 4;

/// `struct sigevent` up to the thread id: value, signal and kind, thread.
type Sigevent = [u64; 3];

/// Whether timers can be made on a clock, and whether it is one of CPU time.
fn timer_clock(clock: i32) -> Result<bool, Errno> {
    match clock {
        CLOCK_REALTIME | CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_TAI => Ok(false),
        CLOCK_PROCESS_CPUTIME_ID | CLOCK_THREAD_CPUTIME_ID => Ok(true),
        // The clock of another thread or process, whose ids are the host's.
        of_somebody if of_somebody < 0 => Ok(true),
        // They are read, and no more; no timer wakes a suspended machine here.
        CLOCK_MONOTONIC_RAW..=CLOCK_MONOTONIC_COARSE | CLOCK_REALTIME_ALARM | CLOCK_BOOTTIME_ALARM => {
            Err(Errno::EOPNOTSUPP)
        }
        _unknown => Err(Errno::EINVAL),
    }
}

pub(super) fn timer_create(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let clock = args.i32(0);
    let is_cpu = timer_clock(clock)?;
    let event = match args.ptr::<Sigevent>(1).non_null() {
        Some(event) => Some(ctx.memory().read(event)?),
        None => None,
    };
    let parsed = event.map(|event| parse_sigevent(ctx, event)).transpose()?;
    let process = ctx.process().clone();
    let id = process.timers().create(&process, clock, is_cpu, |id| {
        parsed.unwrap_or(Notify::Signal { signal: Signal::SIGALRM, value: u64::from(id.cast_unsigned()), thread: None })
    })?;
    if let Err(errno) = ctx.memory().write(args.ptr(2), &id) {
        process.timers().delete(&process, id)?;
        return Err(errno.into());
    }
    Ok(0)
}

fn parse_sigevent(ctx: &TaskContext, [value, word, thread]: Sigevent) -> Result<Notify, Errno> {
    let signal = Signal::new(word as u32 as i32).ok_or(Errno::EINVAL);
    match (word >> 32) as u32 as i32 {
        SIGEV_NONE => Ok(Notify::Nothing),
        SIGEV_SIGNAL => Ok(Notify::Signal { signal: signal?, value, thread: None }),
        SIGEV_THREAD_ID => {
            let thread = Tid(thread as u32 as i32);
            if !ctx.process().group().members.contains_key(&thread) {
                return Err(Errno::EINVAL);
            }
            Ok(Notify::Signal { signal: signal?, value, thread: Some(thread) })
        }
        _unknown => Err(Errno::EINVAL),
    }
}

fn itimerspec(setting: TimerSetting) -> Itimerspec {
    [Timespec::from_ns(setting.interval_ns), Timespec::from_ns(setting.value_ns)]
}

pub(super) fn timer_settime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let id = args.i32(0);
    let [interval, value] = ctx.memory().read(args.ptr::<Itimerspec>(2))?;
    let (interval_ns, value_ns) = (interval.to_ns()?, value.to_ns()?);
    let is_absolute = args.i32(1) & TIMER_ABSTIME != 0;
    let (clock, is_cpu) = ctx.process().timers().clock(id)?;
    let arming = match value_ns {
        0 => Arming::Never,
        value_ns if is_cpu => Arming::Cpu { is_absolute, value_ns },
        // All are kept on the monotonic clock: setting the time of day does not move them.
        at if is_absolute => {
            let left_ns = at.saturating_sub(clock::now_ns(clock).ok_or(Errno::EINVAL)?);
            Arming::At(monotonic_ns().saturating_add(left_ns))
        }
        value_ns => Arming::At(monotonic_ns().saturating_add(value_ns)),
    };
    let process = ctx.process().clone();
    let old = process.timers().set(&process, id, arming, interval_ns)?;
    if let Some(place) = args.ptr::<Itimerspec>(3).non_null() {
        ctx.memory().write(place, &itimerspec(old))?;
    }
    Ok(0)
}

pub(super) fn timer_gettime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let setting = ctx.process().timers().get(args.i32(0))?;
    ctx.memory().write(args.ptr(1), &itimerspec(setting))?;
    Ok(0)
}

pub(super) fn timer_getoverrun(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(u64::from(ctx.process().timers().overrun(args.i32(0))?))
}

pub(super) fn timer_delete(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let process = ctx.process().clone();
    process.timers().delete(&process, args.i32(0))?;
    Ok(0)
}
