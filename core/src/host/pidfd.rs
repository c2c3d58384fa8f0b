//! Signals to other processes and threads: [`PidFd`] (a process that cannot be confused with a later one of the same
//! id), and queueing with a siginfo of our own.
//!
//! Sources: pidfd_open(2), pidfd_send_signal(2), rt_sigqueueinfo(2).

#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::abi::{Pid, SigInfo, Tid};

/// A process, by descriptor.
#[derive(Debug)]
pub struct PidFd {
    descriptor: OwnedFd,
    pid: Pid,
}

impl PidFd {
    /// Opens the process with this id, close-on-exec.
    ///
    /// # Errors
    /// The host's: `ESRCH`, `EMFILE`, `ENOSYS` before Linux 5.3, ...
    pub fn open(pid: Pid) -> io::Result<Self> {
        // SAFETY: the call takes no pointers; on success it returns a descriptor that nobody else owns.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.0, 0) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: see above; a descriptor fits `RawFd`.
        Ok(Self { descriptor: unsafe { OwnedFd::from_raw_fd(descriptor as i32) }, pid })
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
        let number = info.signal().number();
        let raw = self.descriptor.as_raw_fd();
        // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
        let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, raw, number, info.as_bytes().as_ptr(), 0) };
        match check(sent) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => queue_to_process(self.pid, info),
            result => result,
        }
    }

    /// True once the process has ended (it may still be a zombie).
    #[must_use]
    pub fn has_ended(&self) -> bool {
        super::fds::is_readable(self.descriptor.as_fd())
    }
}

impl AsFd for PidFd {
    /// Readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Sends a signal with its siginfo to a process by id (rt_sigqueueinfo(2)).
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn queue_to_process(pid: Pid, info: &SigInfo) -> io::Result<()> {
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
    check(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid.0, info.signal().number(), info.as_bytes().as_ptr()) })
}

/// Sends a signal with its siginfo to one thread (rt_tgsigqueueinfo(2)).
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn queue_to_thread(pid: Pid, tid: Tid, info: &SigInfo) -> io::Result<()> {
    let number = info.signal().number();
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
    check(unsafe { libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid.0, tid.0, number, info.as_bytes().as_ptr()) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
