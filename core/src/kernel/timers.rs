//! Interval and POSIX timers of a process: [`TimerTable`]. The kick thread keeps the deadlines and calls
//! [`TimerTable::expired`]; an expiry is a signal and really wakes sleepers. Timers on CPU time are the host's.
//!
//! A timer has one signal, which is pending at most once. It is armed again when that is taken for delivery, not before,
//! so that a blocked signal costs nothing however short the interval; what was missed meanwhile is its overrun.
//!
//! Sources: setitimer(2), timer_create(2), timer_settime(2), timer_getoverrun(2), Linux `kernel/time/posix-timers.c`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Process;
use super::signal::SignalTarget;
use crate::abi::{Errno, SiCode, SigInfo, Signal, Tid};
use crate::host::clock::monotonic_ns;
use crate::host::cpu_timer::CpuTimer;
use crate::preempt::{Expired, KickCause, TimerGeneration, TimerKey};

/// The key of ITIMER_REAL; POSIX timers have the keys after it.
const ITIMER_REAL: TimerKey = TimerKey(0);

/// What an expiry sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notify {
    /// `SIGEV_NONE`.
    Nothing,
    /// `SIGEV_SIGNAL`, or `SIGEV_THREAD_ID` with a thread.
    Signal {
        /// The signal.
        signal: Signal,
        /// `sigev_value`.
        value: u64,
        /// The one thread that gets it.
        thread: Option<Tid>,
    },
}

#[derive(Debug)]
struct Timer {
    /// The clock that timer_settime(2) counts on.
    clock: i32,
    /// The host's timer, for a CPU clock.
    cpu: Option<CpuTimer>,
    notify: Notify,
    /// Armed until then, in monotonic nanoseconds.
    deadline_ns: Option<u64>,
    interval_ns: u64,
    generation: Option<TimerGeneration>,
    /// The deadline whose signal has been sent and not been taken yet.
    pending_since_ns: Option<u64>,
    /// Expiries of a host timer while its signal was pending.
    missed: u32,
    /// Overrun of the last signal that was taken.
    overrun: u32,
}

/// Interval and remaining time, both in nanoseconds; zero remaining is disarmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimerSetting {
    /// `it_interval`.
    pub interval_ns: u64,
    /// `it_value`.
    pub value_ns: u64,
}

/// A new setting of a POSIX timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arming {
    /// Not at all.
    Never,
    /// At this monotonic time in nanoseconds.
    At(u64),
    /// When the timer's CPU clock has advanced so far, or shows this time.
    Cpu {
        /// `TIMER_ABSTIME`.
        is_absolute: bool,
        /// Nanoseconds.
        value_ns: u64,
    },
}

#[derive(Default)]
struct State {
    timers: BTreeMap<u64, Timer>,
    next_id: u64,
}

/// The timers of one process. Signals are sent under its lock, so that none of a timer comes after
/// [`delete`](TimerTable::delete) or a new setting has returned; nobody asks for it while holding the signals' lock.
#[derive(Default)]
pub struct TimerTable {
    state: Mutex<State>,
}

impl TimerTable {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// setitimer(2) of ITIMER_REAL; the answer is the old setting.
    pub fn set_real(&self, process: &Process, new: TimerSetting) -> TimerSetting {
        let mut state = self.lock();
        let notify = Notify::Signal { signal: Signal::SIGALRM, value: 0, thread: None };
        let timer = state.timers.entry(ITIMER_REAL.0).or_insert_with(|| Timer::new(0, None, notify));
        let old = timer.setting();
        let deadline_ns = (new.value_ns != 0).then(|| monotonic_ns().saturating_add(new.value_ns));
        timer.arm(process, ITIMER_REAL, deadline_ns, new.interval_ns);
        old
    }

    /// getitimer(2) of ITIMER_REAL.
    #[must_use]
    pub fn real(&self) -> TimerSetting {
        self.lock().timers.get(&ITIMER_REAL.0).map_or_else(TimerSetting::default, Timer::setting)
    }

    /// timer_create(2): a disarmed timer; the answer is its id. A timer on a CPU clock `is_cpu`.
    ///
    /// # Errors
    /// `EAGAIN` when the ids are used up; for a CPU clock the host's.
    pub fn create(
        &self,
        process: &Process,
        clock: i32,
        is_cpu: bool,
        notify: impl FnOnce(i32) -> Notify,
    ) -> Result<i32, Errno> {
        let mut state = self.lock();
        let id = i32::try_from(state.next_id).map_err(|_too_many| Errno::EAGAIN)?;
        let key = key_of(id)?;
        let cpu = is_cpu.then(|| CpuTimer::new(clock, process.kicker().kick_thread(), key.0)).transpose()?;
        state.next_id += 1;
        state.timers.insert(key.0, Timer::new(clock, cpu, notify(id)));
        Ok(id)
    }

    /// The clock of a timer, and whether it is one of CPU time.
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist.
    pub fn clock(&self, id: i32) -> Result<(i32, bool), Errno> {
        let key = key_of(id)?;
        self.lock().timers.get(&key.0).map(|timer| (timer.clock, timer.cpu.is_some())).ok_or(Errno::EINVAL)
    }

    /// timer_settime(2); the answer is the old setting.
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist, or that is not armed in this way; for a CPU clock the host's.
    pub fn set(&self, process: &Process, id: i32, arming: Arming, interval_ns: u64) -> Result<TimerSetting, Errno> {
        let key = key_of(id)?;
        let mut state = self.lock();
        let timer = state.timers.get_mut(&key.0).ok_or(Errno::EINVAL)?;
        let old = timer.setting();
        match (&timer.cpu, arming) {
            (None, Arming::Never) => timer.arm(process, key, None, interval_ns),
            (None, Arming::At(deadline_ns)) => timer.arm(process, key, Some(deadline_ns), interval_ns),
            (None, Arming::Cpu { .. }) | (Some(_), Arming::At(_)) => return Err(Errno::EINVAL),
            (Some(cpu), Arming::Never) => cpu.set(false, 0, 0)?,
            (Some(cpu), Arming::Cpu { is_absolute, value_ns }) => cpu.set(is_absolute, value_ns, interval_ns)?,
        }
        timer.interval_ns = interval_ns;
        timer.overrun = 0;
        timer.missed = 0;
        timer.pending_since_ns = None;
        Ok(old)
    }

    /// timer_gettime(2).
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist.
    pub fn get(&self, id: i32) -> Result<TimerSetting, Errno> {
        self.lock().timers.get(&key_of(id)?.0).map(Timer::setting).ok_or(Errno::EINVAL)
    }

    /// timer_getoverrun(2).
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist.
    pub fn overrun(&self, id: i32) -> Result<u32, Errno> {
        self.lock().timers.get(&key_of(id)?.0).map(|timer| timer.overrun).ok_or(Errno::EINVAL)
    }

    /// timer_delete(2).
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist.
    pub fn delete(&self, process: &Process, id: i32) -> Result<(), Errno> {
        let key = key_of(id)?;
        self.lock().timers.remove(&key.0).ok_or(Errno::EINVAL)?;
        process.kicker().cancel(key);
        Ok(())
    }

    /// Disarms and forgets all POSIX timers, and keeps ITIMER_REAL: execve(2).
    pub fn reset_for_exec(&self, process: &Process) {
        let mut state = self.lock();
        for key in state.timers.keys().filter(|key| **key != ITIMER_REAL.0) {
            process.kicker().cancel(TimerKey(*key));
        }
        state.timers.retain(|key, _| *key == ITIMER_REAL.0);
    }

    /// Sends the signals of the timers that are due, where the kick thread has not done so: before a system call, which is
    /// to find them pending.
    pub fn expire_due(&self, process: &Process) {
        process.kicker().expire_timers(|expired| self.expired(process, expired));
    }

    /// Called by the kick thread and before system calls: sends the signal of a timer.
    pub fn expired(&self, process: &Process, expired: Expired) {
        let mut state = self.lock();
        let Some(timer) = state.timers.get_mut(&expired.key.0) else { return };
        if timer.generation != Some(expired.generation) {
            // It was set anew while this expiry was on its way.
            return;
        }
        timer.deadline_ns = None;
        timer.generation = None;
        if expired.key == ITIMER_REAL {
            timer.rearm(process, expired.key, expired.deadline_ns);
            // A full queue cannot be: SIGALRM is a standard signal.
            let info = SigInfo::new(Signal::SIGALRM, SiCode::SI_KERNEL);
            let _sent = process.send_signal(info, SignalTarget::Process, KickCause::Timer);
        } else if timer.send(process, expired.key) {
            timer.pending_since_ns = Some(expired.deadline_ns);
        } else {
            // Nobody will take it: ignored, or its thread is gone. It goes on, since that may change.
            timer.rearm(process, expired.key, expired.deadline_ns);
        }
    }

    /// Called by the kick thread: a timer on a CPU clock has expired once, and `overrun` times more.
    pub fn cpu_expired(&self, process: &Process, key: TimerKey, overrun: u32) {
        let mut state = self.lock();
        let Some(timer) = state.timers.get_mut(&key.0) else { return };
        if timer.pending_since_ns.is_some() {
            timer.missed = timer.missed.saturating_add(overrun).saturating_add(1);
        } else if timer.send(process, key) {
            timer.pending_since_ns = Some(monotonic_ns());
            timer.missed = overrun;
        }
    }

    /// A signal of a timer was taken for delivery: fills in how many expiries it stands for besides, and arms the timer
    /// again. Other signals are left as they are. Not to be called with the signals' lock held.
    pub fn taken(&self, process: &Process, info: &mut SigInfo) {
        if !info.is_of_timer() {
            return;
        }
        let mut state = self.lock();
        let Ok(key) = key_of(info.timer_id()) else { return };
        // Of a timer that is deleted, or set anew, only the signal is left.
        let Some(timer) = state.timers.get_mut(&key.0) else { return };
        let Some(since_ns) = timer.pending_since_ns.take() else { return };
        let missed = std::mem::take(&mut timer.missed);
        timer.overrun = if timer.cpu.is_some() { missed } else { timer.rearm(process, key, since_ns) };
        info.set_timer_overrun(i32::try_from(timer.overrun).unwrap_or(i32::MAX));
    }

    /// A signal is ignored from now on, and pending ones of it are gone: timers that send it go on without.
    pub fn ignored(&self, process: &Process, ignored: Signal) {
        for (key, timer) in &mut self.lock().timers {
            if matches!(timer.notify, Notify::Signal { signal, .. } if signal == ignored)
                && let Some(since_ns) = timer.pending_since_ns.take()
                && timer.cpu.is_none()
            {
                timer.rearm(process, TimerKey(*key), since_ns);
            }
        }
    }
}

fn key_of(id: i32) -> Result<TimerKey, Errno> {
    u64::try_from(id).map(|id| TimerKey(id + 1)).map_err(|_negative| Errno::EINVAL)
}

impl Timer {
    fn new(clock: i32, cpu: Option<CpuTimer>, notify: Notify) -> Self {
        Self {
            clock,
            cpu,
            notify,
            deadline_ns: None,
            interval_ns: 0,
            generation: None,
            pending_since_ns: None,
            missed: 0,
            overrun: 0,
        }
    }

    fn setting(&self) -> TimerSetting {
        let interval_ns = self.interval_ns;
        if let Some(cpu) = &self.cpu {
            return TimerSetting { interval_ns, value_ns: cpu.left_ns() };
        }
        let now_ns = monotonic_ns();
        // While its signal waits, an interval timer counts towards its next expiry.
        let next_ns = self.pending_since_ns.filter(|_| interval_ns != 0).map(|since_ns| {
            let passed = now_ns.saturating_sub(since_ns) / interval_ns;
            since_ns.saturating_add(interval_ns.saturating_mul(passed + 1))
        });
        // One nanosecond is left until the signal is sent; a timer that sends none has simply expired.
        let least_ns = u64::from(self.notify != Notify::Nothing);
        let deadline_ns = self.deadline_ns.or(next_ns);
        let value_ns = deadline_ns.map_or(0, |deadline| deadline.saturating_sub(now_ns).max(least_ns));
        TimerSetting { interval_ns, value_ns }
    }

    fn arm(&mut self, process: &Process, key: TimerKey, deadline_ns: Option<u64>, interval_ns: u64) {
        self.interval_ns = interval_ns;
        self.deadline_ns = deadline_ns;
        self.generation = deadline_ns.map(|deadline| process.kicker().arm(key, deadline));
        if deadline_ns.is_none() {
            process.kicker().cancel(key);
        }
    }

    /// Sends the signal. False when nobody will ever take it.
    fn send(&self, process: &Process, key: TimerKey) -> bool {
        let Notify::Signal { signal, value, thread } = self.notify else { return false };
        let info = SigInfo::timer(signal, (key.0 - 1) as i32, value);
        let target = thread.map_or(SignalTarget::Process, SignalTarget::Thread);
        process.send_to_be_taken(info, target, KickCause::Timer)
    }

    /// The next expiry of an interval timer after one at `deadline_ns`; the answer is how many were missed in between.
    fn rearm(&mut self, process: &Process, key: TimerKey, deadline_ns: u64) -> u32 {
        if self.interval_ns == 0 {
            return 0;
        }
        let missed = monotonic_ns().saturating_sub(deadline_ns) / self.interval_ns;
        let next = deadline_ns.saturating_add(self.interval_ns.saturating_mul(missed + 1));
        self.deadline_ns = Some(next);
        self.generation = Some(process.kicker().arm(key, next));
        u32::try_from(missed).unwrap_or(u32::MAX)
    }
}
