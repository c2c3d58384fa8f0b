//! The signal calls of macOS, which has signals 1 to 31 under its own numbers and no siginfo to choose.
//!
//! Sources: sigaction(2), pthread_sigmask(3), sigpending(2), sigwait(2) of macOS.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use super::{count, taken_set};
use crate::abi::{SiCode, SigInfo, SigSet, Signal};

/// Linux's number and macOS's, where they differ or exist on both sides.
const NUMBERS: &[(Signal, libc::c_int)] = &[
    (Signal::SIGHUP, libc::SIGHUP),
    (Signal::SIGINT, libc::SIGINT),
    (Signal::SIGQUIT, libc::SIGQUIT),
    (Signal::SIGABRT, libc::SIGABRT),
    (Signal::SIGUSR1, libc::SIGUSR1),
    (Signal::SIGUSR2, libc::SIGUSR2),
    (Signal::SIGPIPE, libc::SIGPIPE),
    (Signal::SIGALRM, libc::SIGALRM),
    (Signal::SIGTERM, libc::SIGTERM),
    (Signal::SIGCHLD, libc::SIGCHLD),
    (Signal::SIGCONT, libc::SIGCONT),
    (Signal::SIGTSTP, libc::SIGTSTP),
    (Signal::SIGTTIN, libc::SIGTTIN),
    (Signal::SIGTTOU, libc::SIGTTOU),
    (Signal::SIGURG, libc::SIGURG),
    (Signal::SIGXCPU, libc::SIGXCPU),
    (Signal::SIGXFSZ, libc::SIGXFSZ),
    (Signal::SIGVTALRM, libc::SIGVTALRM),
    (Signal::SIGPROF, libc::SIGPROF),
    (Signal::SIGWINCH, libc::SIGWINCH),
    (Signal::SIGIO, libc::SIGIO),
    (Signal::SIGSYS, libc::SIGSYS),
];

/// Signals that no thread of elfuse blocks, which the kick thread does not take.
const OTHERS: &[(Signal, libc::c_int)] = &[
    (Signal::SIGKILL, libc::SIGKILL),
    (Signal::SIGSTOP, libc::SIGSTOP),
    (Signal::SIGILL, libc::SIGILL),
    (Signal::SIGTRAP, libc::SIGTRAP),
    (Signal::SIGBUS, libc::SIGBUS),
    (Signal::SIGFPE, libc::SIGFPE),
    (Signal::SIGSEGV, libc::SIGSEGV),
];

pub(super) enum Disposition {
    Count,
    /// [`Count`](Self::Count), for SIGCHLD: ended children leave no zombie.
    CountAndReap,
    Ignore,
    Default,
}

fn host_number(signal: Signal) -> Option<libc::c_int> {
    NUMBERS.iter().find(|(linux, _)| *linux == signal).map(|(_, host)| *host)
}

pub(super) fn host_number_of_any(signal: Signal) -> Option<libc::c_int> {
    NUMBERS.iter().chain(OTHERS).find(|(linux, _)| *linux == signal).map(|(_, host)| *host)
}

pub(super) fn of_host_number(number: libc::c_int) -> Option<Signal> {
    NUMBERS.iter().chain(OTHERS).find(|(_, host)| *host == number).map(|(linux, _)| *linux)
}

fn to_host(set: SigSet) -> libc::sigset_t {
    let mut host = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set before anything is added.
    unsafe {
        libc::sigemptyset(host.as_mut_ptr());
        for number in set.iter().filter_map(host_number) {
            libc::sigaddset(host.as_mut_ptr(), number);
        }
        host.assume_init()
    }
}

/// Signals that the host does not have count as blocked: they cannot come.
fn from_host(host: &libc::sigset_t, absent: SigSet) -> SigSet {
    // SAFETY: the set is initialised.
    let held = |number| unsafe { libc::sigismember(host, number) } == 1;
    NUMBERS.iter().filter(|(_, number)| held(*number)).fold(absent, |set, (signal, _)| set.with(*signal))
}

fn absent() -> SigSet {
    taken_set().iter().filter(|signal| host_number(*signal).is_none()).fold(SigSet::EMPTY, SigSet::with)
}

pub(super) fn change_mask(how: libc::c_int, mask: Option<SigSet>) -> io::Result<SigSet> {
    let new = mask.map(to_host);
    let mut old = MaybeUninit::uninit();
    let new = new.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `new` is null or an initialised set, `old` is written by the call.
    unsafe {
        match libc::pthread_sigmask(how, new, old.as_mut_ptr()) {
            0 => Ok(from_host(&old.assume_init(), absent())),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }
}

pub(super) fn pending() -> SigSet {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call writes the set.
    unsafe {
        if libc::sigpending(set.as_mut_ptr()) < 0 {
            return SigSet::EMPTY;
        }
        from_host(&set.assume_init(), SigSet::EMPTY)
    }
}

/// Nothing: the host does not tell signals of a thread from those of its process.
pub(super) fn thread_pending() -> SigSet {
    SigSet::EMPTY
}

pub(super) fn host_numbers() -> impl Iterator<Item = libc::c_int> {
    NUMBERS.iter().map(|(_, number)| *number)
}

pub(super) fn take_pending(set: SigSet) -> Option<SigInfo> {
    let signal = pending().intersection(set).iter().next()?;
    let only = to_host(SigSet::EMPTY.with(signal));
    let mut number = 0;
    // SAFETY: the set is initialised; the signal is pending, so that the call does not sleep unless another thread of
    // ours takes it first, and only the kick thread waits.
    let result = unsafe { libc::sigwait(&raw const only, &raw mut number) };
    (result == 0).then(|| SigInfo::new(signal, SiCode::SI_USER))
}

pub(super) fn set_handler(signal: Signal, disposition: Disposition) -> io::Result<()> {
    let Some(number) = host_number(signal) else {
        return Ok(());
    };
    // SAFETY: `sigaction` consists of integers and pointers for which zero is valid; the handler has the signature that
    // SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = match disposition {
            Disposition::Count | Disposition::CountAndReap => count as extern "C" fn(_, _, _) as *const () as usize,
            Disposition::Ignore => libc::SIG_IGN,
            Disposition::Default => libc::SIG_DFL,
        };
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        if matches!(disposition, Disposition::CountAndReap) {
            action.sa_flags |= libc::SA_NOCLDWAIT;
        }
        libc::sigfillset(&raw mut action.sa_mask);
        if libc::sigaction(number, &raw const action, ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

pub(super) fn is_ignored(signal: Signal) -> bool {
    let Some(number) = host_number(signal) else {
        return false;
    };
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the call writes a whole action where it succeeds.
    unsafe {
        libc::sigaction(number, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// macOS has no such limit; this is what Linux gives a process on a machine of 24 GiB.
pub(super) fn pending_limit() -> (u64, u64) {
    (96_000, 96_000)
}

/// Raises a signal at the calling thread; SIGSTOP, which is the process's alone, at the process.
pub(super) fn raise(signal: Signal) -> io::Result<()> {
    let number = match signal {
        Signal::SIGSTOP => libc::SIGSTOP,
        other => host_number(other).ok_or(io::ErrorKind::InvalidInput)?,
    };
    // SAFETY: the calls take no pointers.
    let result =
        unsafe { if number == libc::SIGSTOP { libc::kill(libc::getpid(), number) } else { libc::raise(number) } };
    if result != 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
