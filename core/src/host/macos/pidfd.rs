//! kill(2): macOS has no descriptors for processes, no siginfo to choose and no signals to threads of others.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;

use crate::abi::{Pid, SigInfo, Signal, Tid};
use crate::host::signal;

pub(super) type Handle = ();

pub(super) fn open(pid: Pid) -> io::Result<Handle> {
    Ok(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.0), None)?)
}

pub(super) fn send(_handle: &Handle, pid: Pid, info: &SigInfo) -> io::Result<()> {
    queue_to_process(pid, info)
}

pub(super) fn has_ended(_handle: &Handle, pid: Pid) -> bool {
    open(pid).is_err()
}

pub(super) fn queue_to_process(pid: Pid, info: &SigInfo) -> io::Result<()> {
    let number = signal::host_number(info.signal()).ok_or(io::ErrorKind::Unsupported)?;
    let signal = nix::sys::signal::Signal::try_from(number).map_err(|errno: Errno| io::Error::from(errno))?;
    Ok(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.0), signal)?)
}

pub(super) fn queue_to_thread(_pid: Pid, _tid: Tid, _info: &SigInfo) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn open_with(_pid: Pid, _flags: u32) -> io::Result<OwnedFd> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

pub(super) fn process_of(_descriptor: BorrowedFd<'_>) -> Result<Option<Pid>, crate::abi::Errno> {
    Err(crate::abi::Errno::EBADF)
}

pub(super) fn send_signal(
    _descriptor: BorrowedFd<'_>,
    _signal: Option<Signal>,
    _info: Option<&SigInfo>,
    _flags: u32,
) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

pub(super) fn get_descriptor(_descriptor: BorrowedFd<'_>, _number: i32, _flags: u32) -> io::Result<OwnedFd> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
