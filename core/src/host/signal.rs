//! Host signals: the kick set, its mask, the proof that it is blocked, and the link between a signal handler and the
//! run that it interrupts.
//!
//! On Hypervisor.framework a handler that runs on a vCPU's thread inside `hv_vcpu_run` ends that run as UNKNOWN. The
//! software vCPU behaves the same: [`with_interrupt_word`] publishes the vCPU's interrupt word to the handlers of this
//! thread for the time of a run. `docs/design.md` §2 (invariants 1 and 2) and §4.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU32;

/// Bit of a vCPU's interrupt word: `exit_vcpus` asked for an exit (CANCELED).
pub const INTERRUPT_CANCEL: u32 = 1;
/// Bit of a vCPU's interrupt word: a handler of the kick set ran on this thread inside `run` (UNKNOWN).
pub const INTERRUPT_HOST_SIGNAL: u32 = 2;

/// Proof that the kick set is blocked on the calling thread (`docs/design.md` §2, invariant 1). Zero-sized, not
/// sendable to another thread, and made only in this module.
pub struct SignalsBlocked {
    not_send: PhantomData<*const ()>,
}

impl SignalsBlocked {
    /// To be made by the function that blocks and verifies the mask.
    #[must_use]
    pub(crate) fn assume() -> Self {
        Self { not_send: PhantomData }
    }
}

thread_local! {
    /// The interrupt word of the run in progress on this thread, null outside of runs.
    static INTERRUPT_WORD: Cell<*const AtomicU32> = const { Cell::new(std::ptr::null()) };
}

/// Runs `body` as "inside run" of the vCPU that owns `word`: a handler of the kick set that runs on this thread
/// meanwhile sets [`INTERRUPT_HOST_SIGNAL`] in it.
pub fn with_interrupt_word<R>(word: &AtomicU32, body: impl FnOnce() -> R) -> R {
    INTERRUPT_WORD.set(word);
    let result = body();
    INTERRUPT_WORD.set(std::ptr::null());
    result
}
