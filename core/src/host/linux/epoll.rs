#![expect(unsafe_code, reason = "epoll_ctl(2) and epoll_wait(2) on a borrowed descriptor")]
//! epoll(7).

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags};

use super::Event;
use crate::abi::Errno;

fn checked(result: i32) -> Result<i32, Errno> {
    if result < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(result) }
}

pub(super) fn create() -> Result<OwnedFd, Errno> {
    Ok(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?.0)
}

pub(super) fn control(
    epoll: BorrowedFd<'_>,
    operation: i32,
    fd: BorrowedFd<'_>,
    event: Option<Event>,
) -> Result<u64, Errno> {
    let mut event = event.map(|event| libc::epoll_event { events: event.events, u64: event.data });
    let event = event.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: the event, where there is one, lives through the call.
    checked(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, fd.as_raw_fd(), event) })?;
    Ok(0)
}

pub(super) fn fetch(epoll: BorrowedFd<'_>, max: usize) -> Result<Vec<Event>, Errno> {
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; max];
    let max = i32::try_from(max).unwrap_or(i32::MAX);
    // SAFETY: there is room for `max` events.
    let count = checked(unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), max, 0) })?;
    events.truncate(count as usize);
    Ok(events.into_iter().map(|event| Event { events: event.events, data: event.u64 }).collect())
}
