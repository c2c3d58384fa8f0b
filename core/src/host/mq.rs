//! POSIX message queues of the host. Each function is one system call; section 2 of the manual describes it. Linux hosts
//! only.

#![expect(unsafe_code, reason = "calls on memory that is not Rust's")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::raw;
use super::sys::ForeignBuffer;
use crate::abi::Errno;

/// `struct mq_attr`: flags, most messages, longest message, messages now, four reserved.
pub type Attributes = [i64; 8];

/// A time long ago: calls with it do not wait, and answer `ETIMEDOUT` where they would.
const LONG_AGO: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

fn checked(result: libc::c_long) -> Result<u64, Errno> {
    if result < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(result.cast_unsigned()) }
}

/// mq_open(2) as the kernel has it: the name without its slash.
///
/// # Errors
/// The host's errno.
pub fn open(name: &CStr, flags: i32, mode: u32, attributes: Option<&Attributes>) -> Result<OwnedFd, Errno> {
    let attributes = attributes.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: name and attributes outlive the call and are only read.
    let number = checked(unsafe { raw::syscall!(SYS_mq_open, name.as_ptr(), flags, mode, attributes) })?;
    // SAFETY: the kernel has just made this number, which fits an i32, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
}

/// mq_unlink(2) as the kernel has it.
///
/// # Errors
/// The host's errno.
pub fn unlink(name: &CStr) -> Result<u64, Errno> {
    // SAFETY: the name outlives the call and is only read.
    checked(unsafe { raw::syscall!(SYS_mq_unlink, name.as_ptr()) })
}

/// mq_timedsend(2) without waiting.
///
/// # Errors
/// The host's errno: `ETIMEDOUT` where it would wait, `EAGAIN` where the queue is non-blocking as well.
pub fn send_now(queue: BorrowedFd<'_>, message: ForeignBuffer, priority: u32) -> Result<u64, Errno> {
    let (start, len, at) = (message.start(), message.len(), std::ptr::from_ref(&LONG_AGO));
    // SAFETY: the message is a foreign buffer, the time is a constant.
    checked(unsafe { raw::syscall!(SYS_mq_timedsend, queue.as_raw_fd(), start, len, priority, at) })
}

/// mq_timedreceive(2) without waiting.
///
/// # Errors
/// As [`send_now`].
pub fn receive_now(queue: BorrowedFd<'_>, room: ForeignBuffer, priority: Option<ForeignBuffer>) -> Result<u64, Errno> {
    let priority = priority.map_or(std::ptr::null_mut(), |priority| priority.start());
    let (start, len, at) = (room.start(), room.len(), std::ptr::from_ref(&LONG_AGO));
    // SAFETY: both are foreign buffers with room for what the call writes, the time is a constant.
    checked(unsafe { raw::syscall!(SYS_mq_timedreceive, queue.as_raw_fd(), start, len, priority, at) })
}

/// mq_notify(2) with a `struct sigevent`.
///
/// # Errors
/// The host's errno.
pub fn notify(queue: BorrowedFd<'_>, event: Option<&[u64; 8]>) -> Result<u64, Errno> {
    let event = event.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the event outlives the call; a pointer in it is that of a foreign buffer.
    checked(unsafe { raw::syscall!(SYS_mq_notify, queue.as_raw_fd(), event) })
}

/// mq_getsetattr(2): sets what is given and says what was before.
///
/// # Errors
/// The host's errno.
pub fn exchange_attributes(queue: BorrowedFd<'_>, new: Option<&Attributes>) -> Result<Attributes, Errno> {
    let mut old = [0; 8];
    let new = new.map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: both outlive the call and have the size that it reads and writes.
    checked(unsafe { raw::syscall!(SYS_mq_getsetattr, queue.as_raw_fd(), new, old.as_mut_ptr()) })?;
    Ok(old)
}
