//! Signals to other processes: by the transport where the receiver is elfuse, by the host otherwise.
//!
//! `docs/design.md` §6.

use super::Process;
use crate::abi::{Errno, Pid, SigInfo, SigSet, Signal, Tid};
use crate::host;

/// kill(2) of another process or of a group; `None` only asks whether it exists.
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn kill(process: &Process, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
    match signal {
        // A group, a mere question, or a signal that no program can handle: the host does it.
        Some(signal) if pid.0 > 0 && !SigSet::UNBLOCKABLE.contains(signal) => {
            let info =
                SigInfo::from_sender(signal, crate::abi::SiCode::SI_USER, process.pid(), host::children::own_uid());
            send_info(process, pid, None, Some(info))
        }
        Some(_) | None => host::children::kill(pid, signal),
    }
}

/// Sends a signal with its siginfo to another process or one of its threads.
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn send_info(_process: &Process, pid: Pid, tid: Option<Tid>, info: Option<SigInfo>) -> Result<(), Errno> {
    match (tid, info) {
        (_, None) => host::children::kill(pid, None),
        (None, Some(info)) => host::children::kill(pid, Some(info.signal())),
        (Some(tid), Some(info)) => host::pidfd::queue_to_thread(pid, tid, &info).map_err(Errno::from),
    }
}
