//! Fault signals that somebody sent (kill(2) with SIGSEGV and the like): the fault handler hands them to the kick
//! thread here, as what they are, signals from outside (`docs/design.md` §2, invariant 3).
//!
//! [`put`] is async-signal-safe: a fixed number of slots, claimed by compare-and-swap, and a write to the kick thread's
//! wake-up. Where all slots are taken the signal is dropped: unlike real-time signals, these five coalesce anyway.

#![expect(unsafe_code, reason = "a lock-free mailbox between a signal handler and a thread")]

use std::cell::UnsafeCell;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicU32};

use nix::errno::Errno;

use super::fault::FaultSignal;
use super::wake::WakeFd;
use crate::abi::{Pid, SiCode, SigInfo, Signal};

const SLOTS: usize = 16;

const EMPTY: u32 = 0;
const WRITING: u32 = 1;
const FULL: u32 = 2;
const READING: u32 = 3;

struct Slot {
    state: AtomicU32,
    bytes: UnsafeCell<[u8; 128]>,
}

// SAFETY: `bytes` is accessed only by who moved `state` to WRITING or READING, see `put` and `take`.
unsafe impl Sync for Slot {}

static MAILBOX: [Slot; SLOTS] =
    [const { Slot { state: AtomicU32::new(EMPTY), bytes: UnsafeCell::new([0; 128]) } }; SLOTS];

/// The descriptor to write to, or -1.
static WAKER: AtomicI32 = AtomicI32::new(-1);

/// Names the wake-up of the kick thread, which must live as long as the process.
pub fn publish_waker(wake: &WakeFd) {
    WAKER.store(wake.writer().as_fd().as_raw_fd(), Release);
}

/// Takes the wake-up back, before it is closed.
pub fn retract_waker() {
    WAKER.store(-1, Release);
}

/// Forgets what was handed over in another process, whose memory this one is a copy of.
pub fn reset_after_fork() {
    retract_waker();
    for slot in &MAILBOX {
        // WRITING too: the thread that was about to write is not in this process.
        slot.state.store(EMPTY, Release);
    }
}

/// Takes what the fault handler caught and somebody had sent; the hook for [`super::fault::set_sent_hook`].
pub fn hand_over(sent: &FaultSignal) {
    if let Some(signal) = super::signal::of_host_number(sent.signal) {
        let info = SigInfo::from_sender(signal, SiCode(sent.code), Pid(sent.sender_pid), sent.sender_uid);
        // Without room it is lost, see above.
        let _is_put = put(info.as_bytes());
    }
}

/// Hands a `siginfo_t` over to the kick thread. Async-signal-safe. False where there is no room.
pub fn put(info: &[u8; 128]) -> bool {
    let mut is_put = false;
    for slot in &MAILBOX {
        if slot.state.compare_exchange(EMPTY, WRITING, Acquire, Relaxed).is_ok() {
            // SAFETY: WRITING makes this the only access.
            unsafe { *slot.bytes.get() = *info };
            slot.state.store(FULL, Release);
            is_put = true;
            break;
        }
    }
    let waker = WAKER.load(Acquire);
    if waker >= 0 {
        let one = 1u64.to_ne_bytes();
        let errno = Errno::last_raw();
        // SAFETY: the buffer outlives the call. A full counter (EAGAIN) wakes as well.
        let _written = unsafe { libc::write(waker, one.as_ptr().cast(), one.len()) };
        // The interrupted code may be about to read its own.
        Errno::set_raw(errno);
    }
    is_put
}

/// Takes a signal that was handed over; for the kick thread.
#[must_use]
pub fn take() -> Option<SigInfo> {
    MAILBOX.iter().find_map(|slot| {
        slot.state.compare_exchange(FULL, READING, Acquire, Relaxed).ok()?;
        // SAFETY: READING makes this the only access.
        let bytes = unsafe { *slot.bytes.get() };
        slot.state.store(EMPTY, Release);
        let number = i32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Signal::new(number).map(|signal| SigInfo::from_bytes(signal, bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_once_and_a_full_mailbox_refuses() {
        let info = SigInfo::from_sender(Signal::SIGSEGV, SiCode::SI_USER, Pid(5), 0);
        for _ in 0..SLOTS {
            assert!(put(info.as_bytes()));
        }
        assert!(!put(info.as_bytes()));
        for _ in 0..SLOTS {
            assert_eq!(take(), Some(info));
        }
        assert_eq!(take(), None);
    }
}
