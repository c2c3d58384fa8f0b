#![expect(unsafe_code, reason = "SO_NOSIGPIPE has no safe wrapper")]
//! What Linux says with each message is said of the socket here (`SO_NOSIGPIPE`), or of what came (`FD_CLOEXEC`).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::MsgFlags;

pub(super) const SEND: MsgFlags = MsgFlags::empty();
pub(super) const RECEIVE: MsgFlags = MsgFlags::empty();

/// A peer that is gone is an error and no SIGPIPE.
pub(super) fn prepare(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    let (value, len) = (std::ptr::from_ref(&on).cast(), size_of_val(&on) as libc::socklen_t);
    // SAFETY: the call reads an integer of this size.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_NOSIGPIPE, value, len) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(super) fn close_on_exec(descriptors: &[OwnedFd]) -> io::Result<()> {
    descriptors
        .iter()
        .try_for_each(|descriptor| Ok(fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(drop)?))
}
