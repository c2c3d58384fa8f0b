//! Waiting for descriptors with a deadline, poll(2) with nanoseconds; and new pipes.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;
#[cfg(not(target_os = "linux"))]
use nix::fcntl::FdFlag;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
pub use nix::poll::{PollFd, PollFlags};

use super::clock::monotonic_ns;

/// Waits until a descriptor is ready or the monotonic deadline (nanoseconds) has passed; the answer is how many are
/// ready. All signals are blocked on elfuse's threads, so nothing else ends the wait.
///
/// # Errors
/// The host's errno, never `EINTR`.
pub fn poll(fds: &mut [PollFd<'_>], deadline_ns: Option<u64>) -> Result<usize, crate::abi::Errno> {
    loop {
        let left_ns = deadline_ns.map(|deadline| deadline.saturating_sub(monotonic_ns()));
        match wait(fds, left_ns) {
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
            Ok(ready) => return Ok(ready.unsigned_abs() as usize),
        }
    }
}

/// True when the descriptor is readable (or broken) at this moment.
#[must_use]
pub fn is_readable(fd: BorrowedFd<'_>) -> bool {
    poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], Some(0)).is_ok_and(|ready| ready > 0)
}

/// True for a descriptor in non-blocking mode.
#[must_use]
pub fn is_nonblocking(fd: BorrowedFd<'_>) -> bool {
    fcntl(fd, FcntlArg::F_GETFL).is_ok_and(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}

/// A pipe, reader first, close-on-exec, with these flags of pipe2(2).
///
/// # Errors
/// `EMFILE`, `ENFILE`.
pub fn pipe(flags: OFlag) -> Result<(OwnedFd, OwnedFd), crate::abi::Errno> {
    Ok(new_pipe(flags)?)
}

#[cfg(target_os = "linux")]
pub(super) fn new_pipe(flags: OFlag) -> nix::Result<(OwnedFd, OwnedFd)> {
    nix::unistd::pipe2(flags | OFlag::O_CLOEXEC)
}

/// Who executes a program at this very moment could leave it the two: elfuse starts programs with all others closed.
#[cfg(not(target_os = "linux"))]
pub(super) fn new_pipe(flags: OFlag) -> nix::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = nix::unistd::pipe()?;
    for end in [&reader, &writer] {
        fcntl(end, FcntlArg::F_SETFL(flags & OFlag::O_NONBLOCK))?;
        fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok((reader, writer))
}

#[cfg(target_os = "linux")]
fn wait(fds: &mut [PollFd<'_>], left_ns: Option<u64>) -> nix::Result<i32> {
    let timeout = left_ns.map(|ns| nix::sys::time::TimeSpec::from_duration(std::time::Duration::from_nanos(ns)));
    nix::poll::ppoll(fds, timeout, None)
}

#[cfg(not(target_os = "linux"))]
fn wait(fds: &mut [PollFd<'_>], left_ns: Option<u64>) -> nix::Result<i32> {
    // Rounded up to whole milliseconds: a wait may be longer than asked, never shorter.
    let timeout = left_ns.map_or(nix::poll::PollTimeout::NONE, |ns| {
        nix::poll::PollTimeout::try_from(i32::try_from(ns.div_ceil(1_000_000)).unwrap_or(i32::MAX))
            .unwrap_or(nix::poll::PollTimeout::MAX)
    });
    nix::poll::poll(fds, timeout)
}
