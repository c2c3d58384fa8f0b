//! Ending a host call that cannot be polled for: a pool thread makes it with one private signal open, and whoever waits
//! for the thread sends it that signal (`docs/design.md` §6). The call then ends with `EINTR`, or had ended before.
//!
//! A signal that comes before the thread is inside its call is lost, so that it is sent again until the call has ended.
//! On Linux it is signal 33, which glibc keeps for itself and never sends here, directed at the thread; one that somebody
//! else sent is handed to the kick thread as what it is. Sources: tgkill(2), signal(7).

#![expect(unsafe_code, reason = "a signal handler, and signals to threads of this process")]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::signal::{own_mask, set_own_mask};

/// A thread that can be cancelled.
#[derive(Clone, Copy, Debug)]
pub struct Target(imp::Id);

impl Target {
    /// The calling thread.
    #[must_use]
    pub fn own() -> Self {
        Self(imp::own())
    }

    /// Ends the call that the thread is in, if it is in one by now.
    pub fn cancel(self) {
        imp::send(self.0);
    }
}

/// Runs `call` with the cancel signal open on the calling thread, which must be a pool thread.
///
/// # Errors
/// Where the host refuses the handler or the mask; the call was not made then.
pub fn while_open<R>(call: impl FnOnce() -> R) -> io::Result<R> {
    // Twice does no harm; and a lock here might be held by another thread at a fork.
    static IS_INSTALLED: AtomicBool = AtomicBool::new(false);
    if !IS_INSTALLED.load(Ordering::Acquire) {
        imp::install()?;
        IS_INSTALLED.store(true, Ordering::Release);
    }
    let mask = own_mask()?;
    set_own_mask(mask.difference(imp::signals()))?;
    let result = call();
    set_own_mask(mask)?;
    Ok(result)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;

    use crate::abi::{SigSet, Signal};
    use crate::host::{forward, signal, thread};

    pub(super) type Id = i32;

    const CANCEL: Signal = Signal::SIGRTMIN_PLUS_1;

    pub(super) const fn signals() -> SigSet {
        SigSet::of(&[CANCEL])
    }

    pub(super) fn own() -> Id {
        thread::gettid().0
    }

    pub(super) fn send(id: Id) {
        // SAFETY: the call takes no pointers. The thread may be gone: then there is nothing to end.
        let _sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, CANCEL.number()) };
    }

    /// Ends the call that it interrupts, by being there. Async-signal-safe.
    extern "C" fn handler(_number: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        // SAFETY: the kernel passes the 128 bytes of the signal that this handler runs for.
        let (code, sender) = unsafe { ((*info).si_code, (*info).si_pid()) };
        // SAFETY: the call has no conditions, and is async-signal-safe.
        if code != libc::SI_TKILL || sender != unsafe { libc::getpid() } {
            // SAFETY: as above; any bytes are valid.
            let _without_room_it_is_lost = forward::put(unsafe { &*info.cast::<[u8; 128]>() });
        }
    }

    pub(super) fn install() -> io::Result<()> {
        signal::install_cancel_handler(CANCEL, handler)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;

    use crate::abi::SigSet;

    pub(super) type Id = libc::pthread_t;

    /// A signal that no guest has a number for.
    const CANCEL: libc::c_int = libc::SIGEMT;

    /// None of the guests' signals.
    pub(super) const fn signals() -> SigSet {
        SigSet::EMPTY
    }

    pub(super) fn own() -> Id {
        // SAFETY: the call has no conditions.
        unsafe { libc::pthread_self() }
    }

    pub(super) fn send(id: Id) {
        // SAFETY: pool threads live as long as their process.
        let _sent = unsafe { libc::pthread_kill(id, CANCEL) };
    }

    extern "C" fn handler(_number: libc::c_int) {}

    pub(super) fn install() -> io::Result<()> {
        // SAFETY: zero is valid for all fields of an action, and the handler does nothing.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as extern "C" fn(_) as *const () as usize;
            libc::sigaction(CANCEL, &raw const action, std::ptr::null_mut())
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
