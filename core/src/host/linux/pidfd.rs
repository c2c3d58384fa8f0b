//! pidfd_open(2), pidfd_send_signal(2), rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2).

#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use crate::abi::{Pid, SigInfo, Tid};
use crate::host::fds;

pub(super) type Handle = OwnedFd;

pub(super) fn open(pid: Pid) -> io::Result<Handle> {
    // SAFETY: the call takes no pointers; on success it returns a descriptor that nobody else owns.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.0, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: see above; a descriptor fits `RawFd`.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

pub(super) fn send(handle: &Handle, pid: Pid, info: &SigInfo) -> io::Result<()> {
    let (raw, number) = (handle.as_raw_fd(), info.signal().number());
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, raw, number, info.as_bytes().as_ptr(), 0) };
    match check(sent) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => queue_to_process(pid, info),
        result => result,
    }
}

pub(super) fn has_ended(handle: &Handle, _pid: Pid) -> bool {
    fds::is_readable(handle.as_fd())
}

pub(super) fn queue_to_process(pid: Pid, info: &SigInfo) -> io::Result<()> {
    let number = info.signal().number();
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
    check(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, pid.0, number, info.as_bytes().as_ptr()) })
}

pub(super) fn queue_to_thread(pid: Pid, tid: Tid, info: &SigInfo) -> io::Result<()> {
    let number = info.signal().number();
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is.
    check(unsafe { libc::syscall(libc::SYS_rt_tgsigqueueinfo, pid.0, tid.0, number, info.as_bytes().as_ptr()) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
