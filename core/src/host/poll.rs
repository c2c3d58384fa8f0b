//! Waiting for descriptors: ppoll(2) with a deadline on the monotonic clock.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::time::TimeSpec;

use super::clock;

/// Waits until one of the descriptors is readable (or broken) or the monotonic clock reaches `deadline_ns`, and says
/// which are ready. May return early with none ready.
///
/// # Errors
/// The host's, `EINTR` apart, which counts as nothing ready.
pub fn wait_readable<const N: usize>(fds: [BorrowedFd<'_>; N], deadline_ns: Option<u64>) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let timeout = deadline_ns.map(|deadline| {
        let left = std::time::Duration::from_nanos(deadline.saturating_sub(clock::monotonic_ns()));
        TimeSpec::from_duration(left)
    });
    #[cfg(target_os = "linux")]
    let result = nix::poll::ppoll(&mut polled, timeout, None);
    #[cfg(not(target_os = "linux"))]
    let result = nix::poll::poll(&mut polled, poll_timeout(timeout));
    match result {
        Ok(_) => Ok(polled.map(|fd| fd.any().unwrap_or(true))),
        Err(Errno::EINTR) => Ok([false; N]),
        Err(errno) => Err(errno.into()),
    }
}

/// True when the descriptor is readable (or broken) at this moment.
#[must_use]
pub fn readable_now(fd: BorrowedFd<'_>) -> bool {
    wait_readable([fd], Some(0)).is_ok_and(|[ready]| ready)
}

/// Milliseconds, rounded up so that a wait does not spin at its end.
#[cfg(not(target_os = "linux"))]
fn poll_timeout(timeout: Option<TimeSpec>) -> nix::poll::PollTimeout {
    use nix::sys::time::TimeValLike;
    timeout.map_or(nix::poll::PollTimeout::NONE, |left| {
        i32::try_from(left.num_milliseconds() + 1)
            .ok()
            .and_then(|ms| ms.try_into().ok())
            .unwrap_or(nix::poll::PollTimeout::MAX)
    })
}
