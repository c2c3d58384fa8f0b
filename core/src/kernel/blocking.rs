//! The only sleep (`docs/design.md` §6): a [`Waker`] per task, an optional deadline, and "woken, interrupted or timed
//! out". No wake-up is lost between "checked" and "blocked", and every wait can be ended by a signal or exit.
//!
//! Two shapes: [`Task::block_until`] for conditions inside this process (futexes, children, signals), and
//! [`Task::block_on_fds`] for descriptors, which polls them together with the task's wake descriptor.
//! [`Task::block_until_readable_or`] is the first in the manner of the second. A call that the trace shows is shown before it
//! sleeps.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{SyscallError, Task};
use crate::abi::Errno;
use crate::host::clock::monotonic_ns;
use crate::host::controls::{self, Control};
use crate::host::fds::{self, PollFd, PollFlags};
use crate::host::futex_shared::{self, AnyEnd, Expected};
use crate::host::{futex, wake::WakeFd};

/// Why a sleep ended without what it waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupted {
    /// A signal is deliverable, or the task must end. The call becomes a restart code.
    Signal,
    /// The deadline passed.
    TimedOut,
    /// The host refused the wait.
    Failed(Errno),
}

impl Interrupted {
    /// The end of a call that has no timeout of its own, or none that is an error: `restart` where a signal came.
    #[must_use]
    pub fn or_restart(self, restart: super::Restart) -> SyscallError {
        match self {
            Self::Signal => restart.into(),
            Self::TimedOut => Errno::ETIMEDOUT.into(),
            Self::Failed(errno) => errno.into(),
        }
    }
}

/// How a sleep on words of guest memory ended that was not interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordEnd {
    /// The word of this index was woken; `None`: the caller's condition holds.
    Woken(Option<usize>),
    /// A word does not hold what was expected, at first sight or after a sleep that a kick ended.
    Changed {
        /// True for the latter.
        has_slept: bool,
    },
}

const AWAKE: u32 = 0;
const ON_FUTEX: u32 = 1;
const ON_FDS: u32 = 2;

/// Ends the sleeps of one task.
#[derive(Default)]
pub struct Waker {
    /// Changes with every wake; a sleeper waits on the value that it saw before it checked its condition.
    sequence: AtomicU32,
    /// How the owner sleeps now: spares a system call for each wake of a thread that is awake.
    sleeping: AtomicU32,
    /// Made when the owner first polls.
    fd: OnceLock<WakeFd>,
}

impl Waker {
    /// Ends the current sleep of the owner, or makes its next check of a condition happen before it sleeps.
    pub fn wake(&self) {
        self.sequence.fetch_add(1, Ordering::SeqCst);
        if controls::active(Control::LostWakeup) {
            return;
        }
        match self.sleeping.load(Ordering::SeqCst) {
            AWAKE => {}
            ON_FUTEX => futex::wake(&self.sequence, 1),
            _on_fds => {
                if let Some(fd) = self.fd.get() {
                    fd.wake();
                }
            }
        }
    }

    fn wake_fd(&self) -> Result<&WakeFd, Errno> {
        if self.fd.get().is_none() {
            // Only the owner makes it, so nobody is before us.
            let _first = self.fd.set(WakeFd::new().map_err(Errno::from)?);
        }
        self.fd.get().ok_or(Errno::EMFILE)
    }
}

impl Task {
    /// Sleeps until `condition` gives a value. It is checked before the first sleep and after every wake.
    ///
    /// # Errors
    /// [`Interrupted::Signal`] and [`Interrupted::TimedOut`].
    pub fn block_until<T>(
        &self,
        deadline_ns: Option<u64>,
        mut condition: impl FnMut() -> Option<T>,
    ) -> Result<T, Interrupted> {
        let waker = self.waker();
        loop {
            let seen = waker.sequence.load(Ordering::SeqCst);
            if let Some(value) = condition() {
                return Ok(value);
            }
            if self.must_stop_waiting() {
                return Err(Interrupted::Signal);
            }
            if deadline_ns.is_some_and(|deadline| monotonic_ns() >= deadline) {
                return Err(Interrupted::TimedOut);
            }
            self.show_call();
            waker.sleeping.store(ON_FUTEX, Ordering::SeqCst);
            self.process().gate().outside(|| futex::wait(&waker.sequence, seen, deadline_ns));
            waker.sleeping.store(AWAKE, Ordering::SeqCst);
        }
    }

    /// The same for a condition that may also hold when `fd` is readable; `serve` is to make that unreadable again. Whoever
    /// would otherwise wake the sleeper at such a time needs not be waited for.
    ///
    /// # Errors
    /// As [`block_until`](Self::block_until), and [`Interrupted::Failed`] with the host's errno where poll(2) failed.
    pub fn block_until_readable_or<T>(
        &self,
        fd: BorrowedFd<'_>,
        mut serve: impl FnMut(),
        mut condition: impl FnMut() -> Option<T>,
    ) -> Result<T, Interrupted> {
        let waker = self.waker();
        let wake_fd = waker.wake_fd().map_err(Interrupted::Failed)?;
        let outcome = loop {
            // First: a wake that comes after the look ends the poll.
            waker.sleeping.store(ON_FDS, Ordering::SeqCst);
            if let Some(value) = condition() {
                break Ok(value);
            }
            if self.must_stop_waiting() {
                break Err(Interrupted::Signal);
            }
            self.show_call();
            let mut polled = [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(wake_fd.as_fd(), PollFlags::POLLIN)];
            let ended = self.process().gate().outside(|| fds::poll(&mut polled, None));
            waker.sleeping.store(AWAKE, Ordering::SeqCst);
            let [is_readable, is_woken] = polled.map(|fd| fd.any().unwrap_or(false));
            if is_woken {
                wake_fd.clear();
            }
            if let Err(errno) = ended {
                break Err(Interrupted::Failed(errno));
            }
            if is_readable {
                serve();
            }
        };
        waker.sleeping.store(AWAKE, Ordering::SeqCst);
        outcome
    }

    /// Sleeps on words of guest memory that other processes may wake, each of which must hold its value, until one of
    /// them is woken or `is_woken` holds.
    ///
    /// # Errors
    /// As [`block_until`](Self::block_until), and [`Interrupted::Failed`] with `EFAULT` for a word that is not there.
    pub fn block_on_words(
        &self,
        words: &[Expected],
        deadline_ns: Option<u64>,
        mut is_woken: impl FnMut() -> bool,
    ) -> Result<WordEnd, Interrupted> {
        let waker = self.waker();
        let mut has_slept = false;
        loop {
            let seen = waker.sequence.load(Ordering::SeqCst);
            if is_woken() {
                return Ok(WordEnd::Woken(None));
            }
            if self.must_stop_waiting() {
                return Err(Interrupted::Signal);
            }
            self.show_call();
            waker.sleeping.store(ON_FUTEX, Ordering::SeqCst);
            let end =
                self.process().gate().outside(|| futex_shared::wait_any(words, &waker.sequence, seen, deadline_ns));
            waker.sleeping.store(AWAKE, Ordering::SeqCst);
            match end {
                AnyEnd::Woken(index) => return Ok(WordEnd::Woken(Some(index))),
                AnyEnd::Changed if waker.sequence.load(Ordering::SeqCst) == seen => {
                    return Ok(WordEnd::Changed { has_slept });
                }
                AnyEnd::Changed => {}
                AnyEnd::Own => has_slept = true,
                AnyEnd::TimedOut => return Err(Interrupted::TimedOut),
                AnyEnd::Failed(errno) => return Err(Interrupted::Failed(errno)),
            }
        }
    }

    /// Sleeps until a signal or the deadline ends it.
    ///
    /// # Errors
    /// Always: [`Interrupted::TimedOut`] is the regular end.
    pub fn block(&self, deadline_ns: Option<u64>) -> Result<std::convert::Infallible, Interrupted> {
        self.block_until(deadline_ns, || None)
    }

    /// Sleeps until one of the descriptors is ready; the answer is how many are. `revents` are filled in.
    ///
    /// # Errors
    /// [`Interrupted`], with the host's errno where poll(2) failed.
    pub fn block_on_fds<'fd>(
        &'fd self,
        fds: &mut Vec<PollFd<'fd>>,
        deadline_ns: Option<u64>,
    ) -> Result<usize, Interrupted> {
        let waker = self.waker();
        let wake_fd = waker.wake_fd().map_err(Interrupted::Failed)?;
        fds.push(PollFd::new(wake_fd.as_fd(), PollFlags::POLLIN));
        let outcome = loop {
            if self.has_unshown_call() && fds::poll(fds, Some(0)) == Ok(0) {
                self.show_call();
            }
            waker.sleeping.store(ON_FDS, Ordering::SeqCst);
            let polled = if self.must_stop_waiting() {
                Err(Interrupted::Signal)
            } else {
                self.process().gate().outside(|| fds::poll(fds, deadline_ns)).map_err(Interrupted::Failed)
            };
            waker.sleeping.store(AWAKE, Ordering::SeqCst);
            wake_fd.clear();
            let ready = match polled {
                Ok(ready) => ready,
                Err(interrupted) => break Err(interrupted),
            };
            let own = fds.last().is_some_and(|fd| fd.any().unwrap_or(false));
            let guests = ready - usize::from(own);
            if guests > 0 {
                break Ok(guests);
            }
            if self.must_stop_waiting() {
                break Err(Interrupted::Signal);
            }
            if ready == 0 && deadline_ns.is_some_and(|deadline| monotonic_ns() >= deadline) {
                break Err(Interrupted::TimedOut);
            }
        };
        fds.pop();
        outcome
    }

    /// Sleeps until `fd` has one of `events`, an error or a hang-up.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn block_on_fd(
        &self,
        fd: BorrowedFd<'_>,
        events: PollFlags,
        deadline_ns: Option<u64>,
    ) -> Result<(), Interrupted> {
        self.block_on_fds(&mut vec![PollFd::new(fd, events)], deadline_ns).map(|_ready| ())
    }
}
