//! Interval and POSIX timers of a process: [`TimerTable`]. The kick thread keeps the deadlines and calls
//! [`TimerTable::expired`]; an expiry is a signal and really wakes sleepers.
//!
//! Sources: setitimer(2), timer_create(2), timer_settime(2), timer_getoverrun(2).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Process;
use super::signal::SignalTarget;
use crate::abi::{Errno, SiCode, SigInfo, Signal, Tid};
use crate::host::clock::monotonic_ns;
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

#[derive(Clone, Copy, Debug)]
struct Timer {
    notify: Notify,
    /// Armed until then, in monotonic nanoseconds.
    deadline_ns: Option<u64>,
    interval_ns: u64,
    generation: Option<TimerGeneration>,
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
        let timer = state.timers.entry(ITIMER_REAL.0).or_insert(Timer {
            notify: Notify::Signal { signal: Signal::SIGALRM, value: 0, thread: None },
            deadline_ns: None,
            interval_ns: 0,
            generation: None,
            overrun: 0,
        });
        let deadline_ns = (new.value_ns != 0).then(|| monotonic_ns().saturating_add(new.value_ns));
        timer.set(process, ITIMER_REAL, deadline_ns, new.interval_ns)
    }

    /// getitimer(2) of ITIMER_REAL.
    #[must_use]
    pub fn real(&self) -> TimerSetting {
        self.lock().timers.get(&ITIMER_REAL.0).map_or_else(TimerSetting::default, Timer::setting)
    }

    /// timer_create(2): a disarmed timer; the answer is its id.
    ///
    /// # Errors
    /// `EAGAIN` when the ids are used up.
    pub fn create(&self, notify: impl FnOnce(i32) -> Notify) -> Result<i32, Errno> {
        let mut state = self.lock();
        let id = i32::try_from(state.next_id).map_err(|_too_many| Errno::EAGAIN)?;
        state.next_id += 1;
        let timer = Timer { notify: notify(id), deadline_ns: None, interval_ns: 0, generation: None, overrun: 0 };
        state.timers.insert(key_of(id)?.0, timer);
        Ok(id)
    }

    /// timer_settime(2) with an absolute monotonic deadline; the answer is the old setting.
    ///
    /// # Errors
    /// `EINVAL` for an id that does not exist.
    pub fn set(
        &self,
        process: &Process,
        id: i32,
        deadline_ns: Option<u64>,
        interval_ns: u64,
    ) -> Result<TimerSetting, Errno> {
        let key = key_of(id)?;
        let mut state = self.lock();
        let timer = state.timers.get_mut(&key.0).ok_or(Errno::EINVAL)?;
        timer.overrun = 0;
        Ok(timer.set(process, key, deadline_ns, interval_ns))
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

    /// Called by the kick thread: sends the signal of a timer and arms it again if it has an interval.
    pub fn expired(&self, process: &Process, expired: Expired) {
        let mut state = self.lock();
        let Some(timer) = state.timers.get_mut(&expired.key.0) else { return };
        if timer.generation != Some(expired.generation) {
            // It was set anew while this expiry was on its way.
            return;
        }
        let overrun = timer.rearm(process, expired.key, expired.deadline_ns);
        timer.overrun = overrun;
        let Notify::Signal { signal, value, thread } = timer.notify else { return };
        let info = if expired.key == ITIMER_REAL {
            SigInfo::new(signal, SiCode::SI_KERNEL)
        } else {
            SigInfo::timer(signal, (expired.key.0 - 1) as i32, overrun.cast_signed(), value)
        };
        let target = thread.map_or(SignalTarget::Process, SignalTarget::Thread);
        // A thread that is gone, or a full queue, loses the expiry, as on Linux.
        let _lost = process.send_signal(info, target, KickCause::Timer);
    }
}

fn key_of(id: i32) -> Result<TimerKey, Errno> {
    u64::try_from(id).map(|id| TimerKey(id + 1)).map_err(|_negative| Errno::EINVAL)
}

impl Timer {
    fn setting(&self) -> TimerSetting {
        // One nanosecond is left until the signal is sent; a timer that sends none has simply expired.
        let least_ns = u64::from(self.notify != Notify::Nothing);
        let value_ns = self.deadline_ns.map_or(0, |deadline| deadline.saturating_sub(monotonic_ns()).max(least_ns));
        TimerSetting { interval_ns: self.interval_ns, value_ns }
    }

    fn set(&mut self, process: &Process, key: TimerKey, deadline_ns: Option<u64>, interval_ns: u64) -> TimerSetting {
        let old = self.setting();
        self.interval_ns = interval_ns;
        self.deadline_ns = deadline_ns;
        self.generation = deadline_ns.map(|deadline| process.kicker().arm(key, deadline));
        if deadline_ns.is_none() {
            process.kicker().cancel(key);
        }
        old
    }

    /// The next expiry after one at `deadline_ns`; the answer is how many were missed in between.
    fn rearm(&mut self, process: &Process, key: TimerKey, deadline_ns: u64) -> u32 {
        self.deadline_ns = None;
        self.generation = None;
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
