//! The signal system calls of Linux. glibc's wrappers filter signals 32 and 33 out, so the kernel is called directly.
//!
//! Sources: rt_sigprocmask(2), rt_sigaction(2), rt_sigtimedwait(2), rt_sigpending(2).

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use super::{count, taken_set};
use crate::abi::{SigInfo, SigSet, Signal};

pub(super) enum Disposition {
    Count,
    /// [`Count`](Self::Count), for SIGCHLD: ended children leave no zombie.
    CountAndReap,
    Ignore,
    Default,
}

pub(super) fn of_host_number(number: libc::c_int) -> Option<Signal> {
    Signal::new(number)
}

pub(super) fn change_mask(how: libc::c_int, mask: Option<SigSet>) -> io::Result<SigSet> {
    let mut old = 0u64;
    let new = mask.as_ref().map_or(ptr::null(), |mask| ptr::from_ref(&mask.0));
    // SAFETY: both pointers are null or those of eight-byte sets, the size that is passed.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, new, &raw mut old, size_of::<u64>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(SigSet(old)) }
}

/// `SigPnd` of the calling thread: the signals that were directed at it.
pub(super) fn thread_pending() -> SigSet {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let digits = status.lines().find_map(|line| line.strip_prefix("SigPnd:"));
    SigSet(digits.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0))
}

pub(super) fn take_pending(set: SigSet) -> Option<SigInfo> {
    let mut bytes = [0u8; 128];
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let set_pointer = ptr::from_ref(&set.0);
    // SAFETY: 1. the set has the size that is passed; 2. the kernel writes at most 128 bytes of siginfo, which may lie
    // at any address; 3. the timeout outlives the call.
    let number = unsafe {
        libc::syscall(libc::SYS_rt_sigtimedwait, set_pointer, bytes.as_mut_ptr(), &raw const timeout, size_of::<u64>())
    };
    Signal::new(i32::try_from(number).ok()?).map(|signal| SigInfo::from_bytes(signal, bytes))
}

pub(super) fn pending() -> SigSet {
    let mut set = 0u64;
    // SAFETY: the kernel writes a set of the size that is passed.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, size_of::<u64>()) };
    if result < 0 { SigSet::EMPTY } else { SigSet(set).intersection(taken_set()) }
}

/// The kernel's `struct sigaction` on x86-64 and arm64. glibc's wrapper refuses 32 and 33.
#[repr(C)]
struct KernelSigaction {
    handler: usize,
    flags: libc::c_ulong,
    #[cfg(target_arch = "x86_64")]
    restorer: usize,
    mask: u64,
}

pub(super) fn set_handler(signal: Signal, disposition: Disposition) -> io::Result<()> {
    let more_flags = match disposition {
        Disposition::Count => 0,
        Disposition::CountAndReap => libc::SA_NOCLDWAIT,
        Disposition::Ignore => return plain_action(signal, libc::SIG_IGN),
        Disposition::Default => return plain_action(signal, libc::SIG_DFL),
    };
    if matches!(signal.number(), 32 | 33) {
        // A handler needs glibc's restorer, which only its wrapper knows, and the wrapper refuses these two. They
        // are borrowed from the action of a signal that has the handler already.
        return borrow_action(Signal::SIGUSR2, signal);
    }
    // SAFETY: `sigaction` consists of integers and pointers for which zero is valid; the handler has the signature
    // that SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(_, _, _) as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK | more_flags;
        libc::sigfillset(&raw mut action.sa_mask);
        if libc::sigaction(signal.number(), &raw const action, ptr::null_mut()) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn plain_action(signal: Signal, handler: usize) -> io::Result<()> {
    let action = KernelSigaction {
        handler,
        flags: 0,
        #[cfg(target_arch = "x86_64")]
        restorer: 0,
        mask: 0,
    };
    let (new, old) = (&raw const action, ptr::null_mut::<KernelSigaction>());
    // SAFETY: the action has the kernel's layout, and SIG_IGN and SIG_DFL need no restorer.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, signal.number(), new, old, size_of::<u64>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn borrow_action(from: Signal, to: Signal) -> io::Result<()> {
    borrow_action_and(from, to, |_unchanged| ())
}

/// A handler of its own for a signal that glibc keeps, with the restorer of the counting handler's action.
pub(super) fn install_cancel_handler(
    signal: Signal,
    handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void),
) -> io::Result<()> {
    borrow_action_and(Signal::SIGUSR2, signal, |action| {
        action.handler = handler as *const () as usize;
        action.flags &= !(libc::SA_RESTART as libc::c_ulong);
    })
}

fn borrow_action_and(from: Signal, to: Signal, change: impl FnOnce(&mut KernelSigaction)) -> io::Result<()> {
    let mut action = MaybeUninit::<KernelSigaction>::zeroed();
    let none = ptr::null_mut::<KernelSigaction>();
    // SAFETY: 1. the kernel writes a whole action, restorer included, and reads the same one back; 2. `from` comes
    // before 32 in the order of installation, so that it has its handler.
    let result = unsafe {
        let got = libc::syscall(libc::SYS_rt_sigaction, from.number(), none, action.as_mut_ptr(), size_of::<u64>());
        if got < 0 {
            got
        } else {
            change(action.assume_init_mut());
            libc::syscall(libc::SYS_rt_sigaction, to.number(), action.as_ptr(), none, size_of::<u64>())
        }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(super) fn is_ignored(signal: Signal) -> bool {
    let mut action = MaybeUninit::<KernelSigaction>::zeroed();
    let none = ptr::null_mut::<KernelSigaction>();
    // SAFETY: the kernel writes a whole action; zero is valid for all its fields.
    unsafe {
        libc::syscall(libc::SYS_rt_sigaction, signal.number(), none, action.as_mut_ptr(), size_of::<u64>()) == 0
            && action.assume_init().handler == libc::SIG_IGN
    }
}

pub(super) fn pending_limit() -> (u64, u64) {
    nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_SIGPENDING).unwrap_or((u64::MAX, u64::MAX))
}

/// Raises a signal at the calling thread.
pub(super) fn raise(signal: Signal) -> io::Result<()> {
    // SAFETY: none of the calls takes a pointer.
    let result = unsafe {
        let (process, thread) = (libc::getpid(), libc::syscall(libc::SYS_gettid));
        libc::syscall(libc::SYS_tgkill, process, thread, signal.number())
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
