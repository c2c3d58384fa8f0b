//! kill(2), and kqueue(2) with `EVFILT_PROC`: macOS has no descriptors for processes, no siginfo to choose and no signals
//! to threads of others.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use crate::abi::{Pid, SigInfo, Signal, Tid};
use crate::host::{fds, signal};

/// A queue that has one event once the process has ended. It is not inherited by fork(2).
pub(super) type Handle = OwnedFd;

fn event(ident: usize, filter: EventFilter, flags: EvFlags, what: FilterFlag) -> KEvent {
    KEvent::new(ident, filter, flags, what, 0, 0)
}

pub(super) fn open(pid: Pid) -> io::Result<Handle> {
    let queue = Kqueue::new()?;
    let end = event(pid.0 as usize, EventFilter::EVFILT_PROC, EvFlags::EV_ADD, FilterFlag::NOTE_EXIT);
    match queue.kevent(&[end], &mut [], None) {
        // A zombie has no end to wait for, and takes signals as a living process does.
        Err(Errno::ESRCH) => {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.0), None)?;
            let add = event(0, EventFilter::EVFILT_USER, EvFlags::EV_ADD, FilterFlag::empty());
            let trigger = event(0, EventFilter::EVFILT_USER, EvFlags::empty(), FilterFlag::NOTE_TRIGGER);
            queue.kevent(&[add, trigger], &mut [], None)?;
        }
        other => drop(other?),
    }
    Ok(queue.into())
}

pub(super) fn send(handle: &Handle, pid: Pid, info: &SigInfo) -> io::Result<()> {
    if has_ended(handle, pid) {
        return Err(Errno::ESRCH.into());
    }
    queue_to_process(pid, info)
}

pub(super) fn has_ended(handle: &Handle, _pid: Pid) -> bool {
    fds::is_readable(handle.as_fd())
}

pub(super) fn queue_to_process(pid: Pid, info: &SigInfo) -> io::Result<()> {
    let number = signal::host_number_of_any(info.signal()).ok_or(io::ErrorKind::Unsupported)?;
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
