//! [`SignalWaiter`]: a descriptor that is readable while a signal of the kick set waits for the calling thread or its
//! process. The signals themselves are taken with [`super::signal::take_pending`], which gives the whole `siginfo_t`.
//!
//! signalfd(2) on Linux; a kqueue(2) elsewhere, whose EVFILT_SIGNAL also sees blocked signals.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::signal::{SignalsBlocked, taken_set};
use crate::abi::SigSet;

/// See the module.
#[derive(Debug)]
pub struct SignalWaiter {
    descriptor: OwnedFd,
}

impl SignalWaiter {
    /// True where one also tells of the signals that waited when it was made.
    pub const TELLS_OF_EARLIER: bool = cfg!(target_os = "linux");

    /// Makes one, close-on-exec.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new(_proof: &SignalsBlocked) -> io::Result<Self> {
        imp::open(taken_set()).map(|descriptor| Self { descriptor })
    }

    /// One that tells of the signals of `set` alone, close-on-exec.
    ///
    /// # Errors
    /// As [`new`](Self::new), and `Unsupported` where the host's would stay readable when another thread has taken the signal.
    pub fn of(set: SigSet, _proof: &SignalsBlocked) -> io::Result<Self> {
        imp::open(set).map(|descriptor| Self { descriptor })
    }

    /// From here on no signal of `left` makes it readable, and all others of the kick set do.
    ///
    /// # Errors
    /// None that a host is known to give.
    pub fn leave_out(&self, left: SigSet) -> io::Result<()> {
        imp::watch(self.descriptor.as_fd(), taken_set().difference(left))
    }
}

impl AsFd for SignalWaiter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(target_os = "linux")]
#[path = "linux/signal_wait.rs"]
mod imp;

#[cfg(target_os = "macos")]
#[path = "macos/signal_wait.rs"]
mod imp;
