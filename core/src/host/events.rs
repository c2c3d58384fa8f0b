//! Descriptors of the host that are events. Each function is one system call; section 2 of the manual describes it.
//! Other hosts than Linux answer `ENOSYS`.

#![expect(unsafe_code, reason = "calls that make descriptors")]

use std::os::fd::{FromRawFd, OwnedFd};

use super::raw;
use crate::abi::Errno;

/// `EFD_CLOEXEC`, `TFD_CLOEXEC`, `SFD_CLOEXEC` and `IN_CLOEXEC` are all this.
pub const CLOEXEC: u32 = 0o200_0000;
/// The same of `_NONBLOCK`.
pub const NONBLOCK: u32 = 0o4000;

fn owned(number: libc::c_long) -> Result<OwnedFd, Errno> {
    let number = i32::try_from(number).ok().filter(|number| *number >= 0);
    let number = number.ok_or_else(|| Errno::from(nix::errno::Errno::last()))?;
    // SAFETY: the kernel has just made this number, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// eventfd2(2).
///
/// # Errors
/// The host's errno.
pub fn eventfd(value: u32, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no pointers.
    owned(unsafe { raw::syscall!(SYS_eventfd2, value, flags) })
}

/// timerfd_create(2).
///
/// # Errors
/// The host's errno.
pub fn timerfd(clock: i32, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no pointers.
    owned(unsafe { raw::syscall!(SYS_timerfd_create, clock, flags) })
}

/// inotify_init1(2).
///
/// # Errors
/// The host's errno.
pub fn inotify(flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no pointers.
    owned(unsafe { raw::syscall!(SYS_inotify_init1, flags) })
}
