//! How a signal is shown when a thread takes it: [`fields`], the part of its `siginfo_t` that its code gives a meaning.
//!
//! Sources: sigaction(2), `include/uapi/asm-generic/siginfo.h`.

use super::forms::pointer;
use crate::abi::{SiCode, SigInfo, SigSet, Signal};

/// The codes that any signal may have.
const COMMON: [(SiCode, &str); 7] = [
    (SiCode::SI_USER, "SI_USER"),
    (SiCode::SI_KERNEL, "SI_KERNEL"),
    (SiCode::SI_QUEUE, "SI_QUEUE"),
    (SiCode::SI_TIMER, "SI_TIMER"),
    (SiCode(-3), "SI_MESGQ"),
    (SiCode(-5), "SI_SIGIO"),
    (SiCode::SI_TKILL, "SI_TKILL"),
];

/// What a positive code means depends on the signal: the names from 1 on.
const OF_SIGNAL: [(Signal, &[&str]); 7] = [
    (Signal::SIGILL, &["ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG"]),
    (
        Signal::SIGFPE,
        &["FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV"],
    ),
    (Signal::SIGSEGV, &["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"]),
    (Signal::SIGBUS, &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"]),
    (Signal::SIGTRAP, &["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT"]),
    (Signal::SIGCHLD, &["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"]),
    (Signal::SIGIO, &["POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP"]),
];

fn code_name(signal: Signal, code: SiCode) -> String {
    let common = COMMON.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
    let own = || {
        let (_, names) = OF_SIGNAL.iter().find(|(known, _)| *known == signal)?;
        names.get(usize::try_from(code.0).ok()?.checked_sub(1)?).copied()
    };
    common.or_else(own).map_or_else(|| format!("{:#x}", code.0), str::to_owned)
}

/// What a signal says of itself, by the names of `siginfo_t`.
pub(super) fn fields(info: &SigInfo) -> Vec<(&'static str, String)> {
    let (signal, code) = (info.signal(), info.code());
    let mut fields = vec![("si_signo", signal.to_string()), ("si_code", code_name(signal, code))];
    let sender = || [("si_pid", info.pid().to_string()), ("si_uid", info.uid().to_string())];
    let value = || {
        let int = (info.value() as u32).cast_signed();
        ("si_value", format!("{{int={int}, ptr={}}}", pointer(info.value())))
    };
    match code {
        SiCode::SI_USER | SiCode::SI_TKILL => fields.extend(sender()),
        SiCode::SI_KERNEL => {}
        SiCode::SI_TIMER => {
            fields.push(("si_timerid", info.timer_id().to_string()));
            fields.push(("si_overrun", info.timer_overrun().to_string()));
            fields.push(value());
        }
        code if code.is_from_process() => {
            fields.extend(sender());
            fields.push(value());
        }
        _positive if signal == Signal::SIGCHLD => {
            fields.extend(sender());
            fields.push(("si_status", child_status(info)));
        }
        _positive if SigSet::SYNCHRONOUS.contains(signal) => fields.push(("si_addr", pointer(info.addr().0))),
        _positive if info.is_of_file() => fields.push(("si_fd", info.fd().to_string())),
        _unknown => {}
    }
    fields
}

/// The exit status of a child, or the signal that ended, stopped or continued it.
fn child_status(info: &SigInfo) -> String {
    let status = info.status();
    match Signal::new(status) {
        Some(signal) if info.code() != SiCode::CLD_EXITED => signal.to_string(),
        Some(_) | None => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{GuestAddr, Pid};

    fn text(info: SigInfo) -> String {
        fields(&info).iter().skip(1).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn fields_are_those_that_the_code_fills() {
        let user = SigInfo::from_sender(Signal::SIGUSR1, SiCode::SI_TKILL, Pid(7), 1000);
        assert_eq!(text(user), "si_code=SI_TKILL, si_pid=7, si_uid=1000");
        let queued = SigInfo::queued(Signal::SIGUSR1, Pid(7), 0, 0xffff_ffff);
        assert_eq!(text(queued), "si_code=SI_QUEUE, si_pid=7, si_uid=0, si_value={int=-1, ptr=0xffffffff}");
        let fault = SigInfo::fault(Signal::SIGSEGV, SiCode::SEGV_MAPERR, GuestAddr(0x10));
        assert_eq!(text(fault), "si_code=SEGV_MAPERR, si_addr=0x10");
        let timer = SigInfo::timer(Signal::SIGALRM, 3, 0);
        assert_eq!(text(timer), "si_code=SI_TIMER, si_timerid=3, si_overrun=0, si_value={int=0, ptr=NULL}");
        assert_eq!(text(SigInfo::new(Signal::SIGALRM, SiCode::SI_KERNEL)), "si_code=SI_KERNEL");
        assert_eq!(text(SigInfo::new(Signal::SIGUSR1, SiCode(77))), "si_code=0x4d");
    }

    #[test]
    fn the_status_of_a_child_is_a_number_or_a_signal() {
        let child = |code, status| text(SigInfo::child(code, Pid(7), 0, status));
        assert_eq!(child(SiCode::CLD_EXITED, 9), "si_code=CLD_EXITED, si_pid=7, si_uid=0, si_status=9");
        assert_eq!(child(SiCode::CLD_KILLED, 9), "si_code=CLD_KILLED, si_pid=7, si_uid=0, si_status=SIGKILL");
    }
}
