//! Stopping: [`Stop`], one descriptor that every wait of the harness also holds, raised by SIGINT and SIGTERM or by the
//! harness itself.
//!
//! Both signals are blocked on every thread and taken by one that does nothing else (sigwait(3)), so that no handler is
//! needed. A second signal ends the harness at once, by that signal: whoever asks twice does not want to wait.

use elfuse::host::wake::WakeFd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Whether the harness is to stop. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Readable once raised; nobody reads it.
    descriptor: WakeFd,
    raised: AtomicBool,
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The descriptor is readable.
    Ready,
    /// The deadline is over.
    TimedOut,
    /// The harness is to stop.
    Stopped,
}

impl Stop {
    /// One that is raised by hand alone.
    ///
    /// # Errors
    /// The host's.
    pub fn new() -> io::Result<Self> {
        Ok(Self { inner: Arc::new(Inner { descriptor: WakeFd::new()?, raised: AtomicBool::new(false) }) })
    }

    /// One that SIGINT and SIGTERM raise, too. Must be called before the process has a second thread.
    ///
    /// # Errors
    /// The host's.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::new()?;
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM].into_iter().collect();
        signals.thread_block()?;
        let raised = stop.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            if signals.wait().is_err() {
                return;
            }
            raised.raise();
            if let Ok(signal) = signals.wait() {
                // The signal is blocked everywhere but here, and was never handled.
                let _ = raise(signal);
                let _ = signals.thread_unblock();
            }
        })?;
        Ok(stop)
    }

    /// Asks everybody to stop.
    pub fn raise(&self) {
        self.inner.raised.store(true, Ordering::Release);
        self.inner.descriptor.wake();
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.inner.raised.load(Ordering::Acquire)
    }

    /// Waits until `fd` is readable, the deadline or the stop, whichever is first.
    ///
    /// # Errors
    /// The host's.
    pub fn wait(&self, fd: BorrowedFd<'_>, deadline: Instant) -> io::Result<Woken> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Rounded up, so that the last wait is not a busy loop.
            let timeout = PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
            let mut fds =
                [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(self.inner.descriptor.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            if fds[0].any() == Some(true) {
                return Ok(Woken::Ready);
            }
            if self.is_raised() {
                return Ok(Woken::Stopped);
            }
            if left.is_zero() {
                return Ok(Woken::TimedOut);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_by_each_of_its_three_reasons() {
        let stop = Stop::new().unwrap();
        let other = Stop::new().unwrap();
        let fd = other.inner.descriptor.as_fd();
        let soon = || Instant::now() + Duration::from_millis(5);
        assert_eq!(stop.wait(fd, soon()).unwrap(), Woken::TimedOut);
        stop.raise();
        assert_eq!(stop.wait(fd, Instant::now() + Duration::from_secs(60)).unwrap(), Woken::Stopped);
        other.raise();
        assert_eq!(stop.wait(fd, soon()).unwrap(), Woken::Ready);
    }
}
