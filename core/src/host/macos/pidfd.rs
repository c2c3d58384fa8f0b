//! kill(2): macOS has no descriptors for processes, no siginfo to choose and no signals to threads of others.

use std::io;

use nix::errno::Errno;

use crate::abi::{Pid, SigInfo, Tid};
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
