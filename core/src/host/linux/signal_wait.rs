//! signalfd(2), by the system call: the wrapper would filter 32 and 33 out of the set.

#![expect(unsafe_code, reason = "signalfd4 with all 64 signals has no safe wrapper")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use crate::abi::SigSet;

pub(super) fn open(set: SigSet) -> io::Result<OwnedFd> {
    let descriptor = signalfd(-1, set)?;
    // SAFETY: asked for a new descriptor, the kernel returns one nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

pub(super) fn watch(descriptor: BorrowedFd<'_>, set: SigSet) -> io::Result<()> {
    signalfd(descriptor.as_raw_fd(), set).map(drop)
}

/// Makes a descriptor for -1, and changes the set of an existing one.
fn signalfd(descriptor: RawFd, set: SigSet) -> io::Result<RawFd> {
    let (set, flags) = (set.0, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
    // SAFETY: the kernel reads a set of the size that is passed.
    let result =
        unsafe { libc::syscall(libc::SYS_signalfd4, descriptor, ptr::from_ref(&set), size_of::<u64>(), flags) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as RawFd) }
}
