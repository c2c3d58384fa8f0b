//! How a child ended, from waitpid(2): [`reap`]. nix's `WaitStatus` has no death by a real-time signal.

#![expect(unsafe_code, reason = "the raw status of waitpid")]

use crate::event::Ending;
use elfuse::abi::Pid;
use std::io;

/// Reaps a child of the harness that has ended or was sent SIGKILL, and says how it ended.
///
/// # Errors
/// `ECHILD` if it is no child of the harness.
pub fn reap(pid: Pid) -> io::Result<Ending> {
    let mut status = 0;
    loop {
        // SAFETY: the kernel writes one int to a place that is ours.
        let reaped = unsafe { libc::waitpid(pid.0, &raw mut status, 0) };
        if reaped == pid.0 {
            return Ok(ending(status));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// wait(2): a status that waitpid gives without WUNTRACED and WCONTINUED is an exit or a death.
const fn ending(status: i32) -> Ending {
    if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Exit(libc::WEXITSTATUS(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_the_kernel() {
        assert_eq!(ending(0x2a00), Ending::Exit(42));
        assert_eq!(ending(9), Ending::Signal(9));
        assert_eq!(ending(0x80 | 11), Ending::Signal(11), "with a core");
        assert_eq!(ending(40), Ending::Signal(40), "a real-time signal");
    }

    #[test]
    fn who_is_no_child_is_an_error() {
        assert!(reap(Pid(1)).is_err());
    }
}
