//! What the fault handler saw last on this thread: written by the handler of SIGSEGV and SIGBUS when it fixes up an
//! accessor of [`access`](super::access), read by the slow path of the accessor.

use std::cell::Cell;

use crate::vcpu::AbortCause;

thread_local! {
    static LAST: Cell<(usize, AbortCause)> = const { Cell::new((0, AbortCause::Translation)) };
}

/// The host address and the cause of the last fixed-up fault of this thread.
#[must_use]
pub fn last() -> (usize, AbortCause) {
    LAST.get()
}

/// Keeps a fault for [`last`]; for the fault handler.
pub fn record(host_addr: usize, cause: AbortCause) {
    LAST.set((host_addr, cause));
}
