//! Signals to other processes and threads: [`PidFd`] (a process that cannot be confused with a later one of the same
//! id), and queueing with a siginfo of our own.
//!
//! Where the host has no descriptors for processes, a [`PidFd`] is a queue that tells of the end of one, and a signal
//! carries no siginfo.
//! Sources: pidfd_open(2), pidfd_send_signal(2), rt_sigqueueinfo(2).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::abi::{Errno, Pid, SigInfo, Signal, Tid};

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

impl AsFd for PidFd {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// `PIDFD_NONBLOCK` of pidfd_open(2).
pub const NONBLOCK: u32 = 0o4000;
/// `PIDFD_THREAD` of pidfd_open(2).
pub const THREAD: u32 = 0o200;

/// pidfd_open(2), close-on-exec: for the guest.
///
/// # Errors
/// The host's; `ENOSYS` where it has no such descriptors.
pub fn open(pid: Pid, flags: u32) -> Result<OwnedFd, Errno> {
    imp::open_with(pid, flags).map_err(Errno::from)
}

/// The process that a descriptor names: `None` once it has ended and been waited for.
///
/// # Errors
/// `EBADF` for another kind of descriptor.
pub fn process_of(descriptor: BorrowedFd<'_>) -> Result<Option<Pid>, Errno> {
    imp::process_of(descriptor)
}

/// pidfd_send_signal(2); without a siginfo as kill(2).
///
/// # Errors
/// The host's.
pub fn send_signal(
    descriptor: BorrowedFd<'_>,
    signal: Option<Signal>,
    info: Option<&SigInfo>,
    flags: u32,
) -> Result<(), Errno> {
    imp::send_signal(descriptor, signal, info, flags).map_err(Errno::from)
}

/// pidfd_getfd(2), close-on-exec.
///
/// # Errors
/// The host's.
pub fn get_descriptor(descriptor: BorrowedFd<'_>, number: i32, flags: u32) -> Result<OwnedFd, Errno> {
    imp::get_descriptor(descriptor, number, flags).map_err(Errno::from)
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
