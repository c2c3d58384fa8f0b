#![expect(unsafe_code, reason = "waitid has no safe wrapper")]
//! The calls of macOS, and its numbers for Linux's options, wait statuses and signals.
//!
//! Sources: waitid(2), wait4(2), getrusage(2), `<sys/wait.h>` of macOS.

use super::{WaitedFor, Whose, kill, own_uid};
use crate::abi::{Errno, Pid, SiCode, SigInfo, Signal, Tid};
use crate::host::signal;

/// Linux's option and macOS's. `__WALL`, `__WCLONE` and `__WNOTHREAD` mean nothing here: all children are of one kind.
const OPTIONS: [(i32, i32); 5] = [
    (1, libc::WNOHANG),
    (2, libc::WUNTRACED | libc::WSTOPPED),
    (4, libc::WEXITED),
    (8, libc::WCONTINUED),
    (0x0100_0000, libc::WNOWAIT),
];

/// What WIFSTOPPED looks for, and the stop signal by which macOS says "continued".
const STOPPED: i32 = 0x7f;
const CONTINUED_STOP: i32 = 0x13;
/// The status of a continued child on Linux.
const CONTINUED: i32 = 0xffff;
/// A core file was written.
const CORE: i32 = 0x80;

pub(super) fn number(signal: Signal) -> Result<libc::c_int, Errno> {
    signal::host_number_of_any(signal).ok_or(Errno::EINVAL)
}

/// Orphans go to launchd here.
pub(super) const fn adopt_orphans() -> Result<bool, Errno> {
    Ok(false)
}

/// Threads of other processes cannot be named here.
pub(super) fn probe_thread(pid: Pid, _tid: Tid) -> Result<(), Errno> {
    kill(pid, None)
}

pub(super) fn wait_options(options: i32) -> i32 {
    OPTIONS.iter().filter(|(linux, _)| options & linux != 0).fold(0, |all, (_, host)| all | host)
}

/// A signal's number as Linux has it; one that Linux does not have ends a process as SIGKILL does.
fn linux_number(host: i32) -> i32 {
    signal::of_host_number(host).unwrap_or(Signal::SIGKILL).number()
}

pub(super) fn status(host: i32) -> i32 {
    match (host & 0x7f, host >> 8) {
        (0, _exited) => host,
        (STOPPED, CONTINUED_STOP) => CONTINUED,
        (STOPPED, stop) => linux_number(stop) << 8 | STOPPED,
        (signal, _nothing) => linux_number(signal) | host & CORE,
    }
}

/// A rusage has the same fields in the same places; microseconds have 32 bits, and the largest set is told in bytes.
pub(super) fn usage(mut words: [u64; 18]) -> [u64; 18] {
    words[1] &= u64::from(u32::MAX);
    words[3] &= u64::from(u32::MAX);
    words[4] /= 1024;
    words
}

/// The usage is not told by waitid(2) here, and stays zero.
pub(super) fn wait_id(whose: Whose, options: i32) -> Result<Option<WaitedFor>, Errno> {
    let (kind, id) = match whose {
        Whose::Any => (libc::P_ALL, 0),
        Whose::One(pid) => (libc::P_PID, pid.0.cast_unsigned()),
        Whose::Group(Pid(0)) => (libc::P_PGID, nix::unistd::getpgrp().as_raw().cast_unsigned()),
        Whose::Group(group) => (libc::P_PGID, group.0.cast_unsigned()),
        Whose::Handle(_no_such) => return Err(Errno::EBADF),
    };
    // SAFETY: zero is valid for all fields of the structure.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes the structure.
    if unsafe { libc::waitid(kind, id, &raw mut info, wait_options(options) | libc::WNOHANG) } < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    if info.si_pid == 0 {
        return Ok(None);
    }
    // The codes of children have the same numbers.
    let (code, status) = (SiCode(info.si_code), info.si_status);
    let status = if code == SiCode::CLD_EXITED { status & 0xff } else { linux_number(status) };
    Ok(Some((*SigInfo::child(code, Pid(info.si_pid), own_uid(), status).as_bytes(), [0; 18])))
}
