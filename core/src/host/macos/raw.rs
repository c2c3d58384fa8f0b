#![expect(unsafe_code, reason = "a stand-in for syscall(2), which is unsafe to call")]
//! [`syscall`]: macOS has no stable numbers for system calls, and Linux's mean nothing to it: every call that `host` makes
//! by number answers `ENOSYS` here. A call that macOS has under another name gets a body of its own where it is made.

/// One system call of Linux, which this host does not have.
macro_rules! syscall {
    ($number:ident $(, $argument:expr)* $(,)?) => {{
        $(let _unused = $argument;)*
        $crate::host::raw::absent()
    }};
}

pub(in crate::host) use syscall;

/// What syscall(2) returns for a number that the host does not have.
///
/// # Safety
/// 1. None; it stands where syscall(2) does, whose callers promise theirs.
pub(in crate::host) unsafe fn absent() -> libc::c_long {
    nix::errno::Errno::ENOSYS.set();
    -1
}
