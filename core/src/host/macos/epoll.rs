//! No epoll: `ENOSYS`. kqueue(2) tells other things of fewer kinds of descriptors, and cannot be put into another poll set
//! by the guest's rules; an emulation stands open.

use std::os::fd::{BorrowedFd, OwnedFd};

use super::Event;
use crate::abi::Errno;

pub(super) fn create() -> Result<OwnedFd, Errno> {
    Err(Errno::ENOSYS)
}

pub(super) fn control(
    _epoll: BorrowedFd<'_>,
    _operation: i32,
    _fd: BorrowedFd<'_>,
    _event: Option<Event>,
) -> Result<u64, Errno> {
    Err(Errno::ENOSYS)
}

pub(super) fn fetch(_epoll: BorrowedFd<'_>, _max: usize) -> Result<Vec<Event>, Errno> {
    Err(Errno::ENOSYS)
}
