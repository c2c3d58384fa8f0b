//! Signals to other processes and threads: [`PidFd`] (a process that cannot be confused with a later one of the same
//! id), and queueing with a siginfo of our own.
//!
//! Where the host has no descriptors for processes, a [`PidFd`] is an id, and a signal carries no siginfo.
//! Sources: pidfd_open(2), pidfd_send_signal(2), rt_sigqueueinfo(2).

use std::io;

use crate::abi::{Pid, SigInfo, Tid};

#[cfg(target_os = "linux")]
#[path = "linux/pidfd.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "macos/pidfd.rs"]
mod imp;

/// A process, by descriptor.
#[derive(Debug)]
pub struct PidFd {
    handle: imp::Handle,
    pid: Pid,
}

impl PidFd {
    /// Opens the process with this id, close-on-exec.
    ///
    /// # Errors
    /// The host's: `ESRCH`, `EMFILE`, `ENOSYS` before Linux 5.3, ...
    pub fn open(pid: Pid) -> io::Result<Self> {
        imp::open(pid).map(|handle| Self { handle, pid })
    }

    /// The id it was opened by.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal with its siginfo to the process. Where the host has no pidfd_send_signal the id is used.
    ///
    /// # Errors
    /// `ESRCH` once the process is gone, `EPERM`, `EAGAIN` where the receiver's queue of real-time signals is full.
    pub fn send(&self, info: &SigInfo) -> io::Result<()> {
        imp::send(&self.handle, self.pid, info)
    }

    /// True once the process has ended (it may still be a zombie).
    #[must_use]
    pub fn has_ended(&self) -> bool {
        imp::has_ended(&self.handle, self.pid)
    }
}

#[cfg(target_os = "linux")]
impl std::os::fd::AsFd for PidFd {
    /// Readable once the process has ended.
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Sends a signal with its siginfo to a process by id (rt_sigqueueinfo(2)).
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn queue_to_process(pid: Pid, info: &SigInfo) -> io::Result<()> {
    imp::queue_to_process(pid, info)
}

/// Sends a signal with its siginfo to one thread (rt_tgsigqueueinfo(2)).
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn queue_to_thread(pid: Pid, tid: Tid, info: &SigInfo) -> io::Result<()> {
    imp::queue_to_thread(pid, tid, info)
}
