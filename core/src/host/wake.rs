//! [`WakeFd`]: a descriptor that becomes readable when somebody wakes it. Wakes coalesce and are never lost: one that
//! comes before the wait ends it at once.
//!
//! An eventfd(2) on Linux, a non-blocking pipe elsewhere.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

/// A wake-up that can be polled for together with other descriptors. Shared by reference (or `Arc`).
#[derive(Debug)]
pub struct WakeFd {
    reader: OwnedFd,
    writer: Option<OwnedFd>,
}

impl WakeFd {
    /// Makes one, not woken; close-on-exec and non-blocking.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn new() -> io::Result<Self> {
        imp::new()
    }

    /// Makes it readable until the next [`clear`](Self::clear). Callable from any thread, never blocks.
    pub fn wake(&self) {
        // EAGAIN means that it is readable already; no other failure is possible on a descriptor of our own.
        while nix::unistd::write(self.writer(), &1u64.to_ne_bytes()) == Err(Errno::EINTR) {}
    }

    /// Its descriptors, one of them perhaps twice: what a forked process keeps that is to wake this one.
    #[must_use]
    pub fn descriptors(&self) -> [RawFd; 2] {
        [self.reader.as_raw_fd(), self.writer().as_raw_fd()]
    }

    /// The descriptor whose writing wakes: eight bytes, a native-endian 1.
    pub(super) fn writer(&self) -> &OwnedFd {
        self.writer.as_ref().unwrap_or(&self.reader)
    }

    /// Takes back all wakes so far. To be called before looking at what was woken for.
    pub fn clear(&self) {
        let mut buffer = [0; 64];
        loop {
            match nix::unistd::read(&self.reader, &mut buffer) {
                Ok(len) if len == buffer.len() => {}
                Err(Errno::EINTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}

impl AsFd for WakeFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;

    use nix::sys::eventfd::{EfdFlags, EventFd};

    use super::WakeFd;

    pub(super) fn new() -> io::Result<WakeFd> {
        let event = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(WakeFd { reader: event.into(), writer: None })
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;

    use super::WakeFd;
    use crate::host::fds;

    pub(super) fn new() -> io::Result<WakeFd> {
        let (reader, writer) = fds::new_pipe(nix::fcntl::OFlag::O_NONBLOCK)?;
        Ok(WakeFd { reader, writer: Some(writer) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::fds::is_readable;

    #[test]
    fn a_wake_before_the_wait_is_not_lost_and_clear_takes_all() {
        let wake = WakeFd::new().unwrap();
        assert!(!is_readable(wake.as_fd()));
        wake.wake();
        wake.wake();
        assert!(is_readable(wake.as_fd()));
        wake.clear();
        assert!(!is_readable(wake.as_fd()));
    }
}
