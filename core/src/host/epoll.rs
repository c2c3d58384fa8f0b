//! epoll(7) on behalf of the guest: [`Event`]s and the three calls.
//!
//! Elsewhere kqueue(2) stands in for it.

use std::os::fd::{BorrowedFd, OwnedFd};

use crate::abi::Errno;

#[cfg(target_os = "linux")]
#[path = "linux/epoll.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "macos/epoll.rs"]
mod imp;

/// What happened, or is to be told, and the number that goes with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// `EPOLL*` bits, which have one numbering everywhere.
    pub events: u32,
    /// The guest's own.
    pub data: u64,
}

/// epoll_create1(2), close-on-exec.
///
/// # Errors
/// The host's errno.
pub fn create() -> Result<OwnedFd, Errno> {
    imp::create()
}

/// epoll_ctl(2); without an event for `EPOLL_CTL_DEL`.
///
/// # Errors
/// The host's errno.
pub fn control(epoll: BorrowedFd<'_>, operation: i32, fd: BorrowedFd<'_>, event: Option<Event>) -> Result<u64, Errno> {
    imp::control(epoll, operation, fd, event)
}

/// Fetches at most `max` events without waiting.
///
/// # Errors
/// The host's errno.
pub fn fetch(epoll: BorrowedFd<'_>, max: usize) -> Result<Vec<Event>, Errno> {
    imp::fetch(epoll, max)
}
