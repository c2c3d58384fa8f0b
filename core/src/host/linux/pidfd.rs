//! pidfd_open(2), pidfd_send_signal(2), rt_sigqueueinfo(2) and rt_tgsigqueueinfo(2).

#![expect(unsafe_code, reason = "system calls without a safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::abi::{Errno, Pid, SigInfo, Signal, Tid};
use crate::host::fds;

pub(super) type Handle = OwnedFd;

pub(super) fn open(pid: Pid) -> io::Result<Handle> {
    open_with(pid, 0)
}

pub(super) fn process_of(descriptor: BorrowedFd<'_>) -> Result<Option<Pid>, Errno> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd()))?;
    let field = info.lines().find_map(|line| line.strip_prefix("Pid:")).ok_or(Errno::EBADF)?;
    let number = field.trim().parse::<i32>().map_err(|_no_number| Errno::EBADF)?;
    Ok((number > 0).then_some(Pid(number)))
}

pub(super) fn send_signal(
    descriptor: BorrowedFd<'_>,
    signal: Option<Signal>,
    info: Option<&SigInfo>,
    flags: u32,
) -> io::Result<()> {
    let number = signal.map_or(0, Signal::number);
    let info = info.map_or(std::ptr::null(), |info| info.as_bytes().as_ptr());
    // SAFETY: the kernel reads 128 bytes, which is what a `SigInfo` is, where there is one.
    check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, descriptor.as_raw_fd(), number, info, flags) })
}

pub(super) fn get_descriptor(descriptor: BorrowedFd<'_>, number: i32, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointers; on success it returns a descriptor that nobody else owns.
    let got = unsafe { libc::syscall(libc::SYS_pidfd_getfd, descriptor.as_raw_fd(), number, flags) };
    check(got)?;
    // SAFETY: see above; a descriptor fits `RawFd`.
    Ok(unsafe { OwnedFd::from_raw_fd(got as i32) })
}

pub(super) fn open_with(pid: Pid, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointers; on success it returns a descriptor that nobody else owns.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.0, flags) };
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
