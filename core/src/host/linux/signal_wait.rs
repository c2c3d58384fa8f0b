//! signalfd(2), by the system call: the wrapper would filter 32 and 33 out of the set.

#![expect(unsafe_code, reason = "signalfd4 with all 64 signals has no safe wrapper")]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use crate::host::signal::taken_set;

pub(super) fn open() -> io::Result<OwnedFd> {
    let set = taken_set().0;
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: the kernel reads a set of the size that is passed; on success it returns a descriptor nobody else owns.
    unsafe {
        let descriptor = libc::syscall(libc::SYS_signalfd4, -1, ptr::from_ref(&set), size_of::<u64>(), flags);
        if descriptor < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(descriptor as i32)) }
    }
}
