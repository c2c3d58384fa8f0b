//! Signals to other processes: by the transport where the receiver is elfuse, by the host otherwise.
//!
//! A record keeps the siginfo and the order of what one sender sends; the doorbell is no guest's signal, so that SIGUSR2
//! reaches a guest only when a guest sent it. `docs/design.md` §6. Sources: kill(2), rt_sigqueueinfo(2).

use super::{Process, TaskContext};
use crate::abi::{Errno, Pid, SiCode, SigInfo, SigSet, Signal, Tid};
use crate::host;
use crate::preempt::transport::{SendError, SenderHandle};

/// What the host must do itself: SIGKILL and SIGSTOP, which no program handles; SIGCONT, since a stopped program drains no
/// records; the other stop signals, which must not overtake a SIGCONT nor be overtaken by one.
const FOR_THE_HOST: SigSet = SigSet::STOPS.with(Signal::SIGKILL).with(Signal::SIGCONT);

/// True for signals that only the host can send.
#[must_use]
pub fn goes_by_host(signal: Signal) -> bool {
    FOR_THE_HOST.contains(signal)
}

/// kill(2) of another process or of a group; `None` only asks whether it exists.
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn kill(ctx: &TaskContext, pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
    let process = ctx.process();
    match signal {
        Some(signal) if pid.0 > 0 && !FOR_THE_HOST.contains(signal) => {
            let info = SigInfo::from_sender(signal, SiCode::SI_USER, process.pid(), host::children::own_uid());
            return send_info(process, pid, None, Some(info));
        }
        // A group, a mere question, or a signal that the host knows best.
        Some(_) | None => host::children::kill(pid, signal)?,
    }
    if signal.is_some() && names_own_group(pid) {
        // The sender's own signal is there when kill(2) returns, and the kick thread has it first.
        process.gate().outside(|| process.kicker().settle());
    }
    Ok(())
}

/// True when kill(2) of this id reaches the caller's own process among others. The id -1 means all but that.
fn names_own_group(pid: Pid) -> bool {
    pid.0 == 0 || pid.0 < -1 && host::children::group_of(Pid(0)) == Ok(Pid(pid.0.wrapping_neg()))
}

/// Sends a signal with its siginfo to another process or one of its threads; `None` only asks whether it exists.
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN` where the receiver takes no more.
pub fn send_info(process: &Process, pid: Pid, tid: Option<Tid>, info: Option<SigInfo>) -> Result<(), Errno> {
    let Some(info) = info else { return host::children::probe(pid, tid) };
    if FOR_THE_HOST.contains(info.signal()) {
        return send_by_host(pid, tid, &info);
    }
    let directory = process.preemption().directory();
    match SenderHandle::open(directory, pid).and_then(|receiver| receiver.send_signal(tid, &info)) {
        Ok(_rung_or_appended) => Ok(()),
        // Who has stopped by SIGSTOP in the middle of a drain keeps its file locked until it goes on.
        Err(SendError::NotElfuse(_) | SendError::Busy(_)) => send_by_host(pid, tid, &info),
        Err(SendError::Gone(_)) => Err(Errno::ESRCH),
        Err(SendError::Full(_)) => Err(Errno::EAGAIN),
        Err(SendError::Io { source, .. }) => Err(source.into()),
    }
}

fn send_by_host(pid: Pid, tid: Option<Tid>, info: &SigInfo) -> Result<(), Errno> {
    match tid {
        Some(tid) => host::pidfd::queue_to_thread(pid, tid, info).map_err(Errno::from),
        // The host refuses a siginfo of kill(2) from anybody but itself.
        None if info.code() == SiCode::SI_USER => host::children::kill(pid, Some(info.signal())),
        None => host::pidfd::queue_to_process(pid, info).map_err(Errno::from),
    }
}
