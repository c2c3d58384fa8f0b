#![expect(unsafe_code, reason = "tgkill and waitid with a rusage have no safe wrapper")]
//! The calls of Linux, whose numbers are the guest's.

use super::{SIGINFO_LEN, WaitedFor, Whose};
use crate::abi::{Errno, Pid, Signal, Tid};

pub(super) fn number(signal: Signal) -> Result<libc::c_int, Errno> {
    Ok(signal.number())
}

pub(super) fn adopt_orphans() -> Result<bool, Errno> {
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(true)
}

pub(super) fn probe_thread(pid: Pid, tid: Tid) -> Result<(), Errno> {
    // SAFETY: the call takes no pointers.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, pid.0, tid.0, 0) };
    if result < 0 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
}

pub(super) const fn wait_options(options: i32) -> i32 {
    options
}

pub(super) const fn status(status: i32) -> i32 {
    status
}

pub(super) const fn usage(usage: [u64; 18]) -> [u64; 18] {
    usage
}

fn id_of(whose: Whose) -> (libc::idtype_t, i32) {
    match whose {
        Whose::Any => (libc::P_ALL, 0),
        Whose::One(pid) => (libc::P_PID, pid.0),
        Whose::Group(group) => (libc::P_PGID, group.0),
        Whose::Handle(number) => (libc::P_PIDFD, number),
    }
}

pub(super) fn wait_id(whose: Whose, options: i32) -> Result<Option<WaitedFor>, Errno> {
    let (kind, id) = id_of(whose);
    let mut info = [0u8; SIGINFO_LEN];
    let mut usage = [0u64; 18];
    let (info_place, usage_place) = (info.as_mut_ptr(), usage.as_mut_ptr());
    // SAFETY: the kernel writes at most 128 bytes of siginfo and a rusage, for which there is room.
    let result = unsafe { libc::syscall(libc::SYS_waitid, kind, id, info_place, options | libc::WNOHANG, usage_place) };
    if result < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    // `si_signo` stays 0 where nobody has changed.
    Ok((info[..4] != [0; 4]).then_some((info, usage)))
}
