//! Descriptors of signals (signalfd(2)): a set, and an eventfd of the host that is readable while a signal of the set is
//! pending, so that every way of polling works on it as it is.
//!
//! The eventfd follows the pending sets under the group's lock. It is readable for a signal that is pending for any
//! thread: who reads without one of its own waits on, or gets EAGAIN. Source: signalfd(2), Linux `fs/signalfd.c`.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::ThreadGroup;
use crate::abi::{Errno, Fd, SigInfo, SigSet, Signal};
use crate::host::{events, fds};
use crate::kernel::Process;
use crate::kernel::fd_table::FdTable;
use crate::kernel::open_file::OpenFile;

/// Length of `struct signalfd_siginfo`.
pub const RECORD_BYTES: usize = 128;

/// What a signal descriptor is about.
#[derive(Debug)]
pub struct SignalFd {
    set: AtomicU64,
    /// Whether the eventfd is readable; changed under the group's lock.
    is_raised: AtomicBool,
    event: Arc<OwnedFd>,
}

impl SignalFd {
    /// The signals that it takes.
    #[must_use]
    pub fn set(&self) -> SigSet {
        SigSet(self.set.load(Ordering::SeqCst))
    }

    fn follow(&self, pending: SigSet) {
        let is_ready = !pending.intersection(self.set()).is_empty();
        if self.is_raised.swap(is_ready, Ordering::SeqCst) == is_ready {
            return;
        }
        if is_ready {
            // An eventfd at zero takes a one.
            let _written = nix::unistd::write(&self.event, &1u64.to_ne_bytes());
        } else if fds::is_readable(self.event.as_fd()) {
            let _read = nix::unistd::read(&self.event, &mut [0; 8]);
        }
    }
}

/// A new signal descriptor of the process.
///
/// # Errors
/// The host's errno where it has no eventfd left.
pub fn open(process: &Process, set: SigSet, is_nonblocking: bool) -> Result<Arc<OpenFile>, Errno> {
    let flags = events::CLOEXEC | if is_nonblocking { events::NONBLOCK } else { 0 };
    let event = Arc::new(events::eventfd(0, flags)?);
    let signals =
        Arc::new(SignalFd { set: AtomicU64::new(set.0), is_raised: AtomicBool::new(false), event: event.clone() });
    let mut group = process.group();
    group.signal_fds.retain(|known| known.strong_count() > 0);
    group.signal_fds.push(Arc::downgrade(&signals));
    group.settle_signal_fds();
    Ok(OpenFile::of_signals(event, signals))
}

/// Makes a signal descriptor take other signals.
pub fn change(process: &Process, signals: &SignalFd, set: SigSet) {
    let group = process.group();
    signals.set.store(set.0, Ordering::SeqCst);
    group.settle_signal_fds();
}

/// Gives a forked process signal descriptors of its own for those that it has inherited.
///
/// # Errors
/// The host's errno where it has no eventfd left.
pub fn renew(process: &Process, files: &FdTable) -> Result<(), Errno> {
    for entry in files.entries() {
        if let Some(signals) = entry.file.signals() {
            renew_one(process, files, entry.fd, signals.set())?;
        }
    }
    Ok(())
}

/// Makes the descriptor `fd`, which is a parent's event, one of signals of this process.
///
/// # Errors
/// The host's errno, `EBADF`.
pub fn renew_one(process: &Process, files: &FdTable, fd: Fd, set: SigSet) -> Result<(), Errno> {
    let is_nonblocking = files.get(fd)?.is_nonblocking()?;
    files.set(fd, open(process, set, is_nonblocking)?, files.is_close_on_exec(fd)?)
}

impl ThreadGroup {
    /// Makes the signal descriptors readable or not, as the pending sets are now.
    pub(super) fn settle_signal_fds(&self) {
        if self.signal_fds.is_empty() {
            return;
        }
        let own = self.members.values().map(|member| member.pending.set());
        let pending = own.fold(self.shared.set(), SigSet::union);
        for signals in self.signal_fds.iter().filter_map(Weak::upgrade) {
            signals.follow(pending);
        }
    }
}

/// `struct signalfd_siginfo` of a signal.
#[must_use]
pub fn record(info: &SigInfo) -> [u8; RECORD_BYTES] {
    let source = info.as_bytes();
    let mut record = [0; RECORD_BYTES];
    let mut put = |to: usize, from: usize, len: usize| record[to..to + len].copy_from_slice(&source[from..from + len]);
    // Signal, errno, code; then what the kind of code has, where `siginfo_t` keeps it.
    put(0, 0, 12);
    match Kind::of(info) {
        Kind::Sender => put(12, 16, 8),
        Kind::Value => {
            put(12, 16, 8);
            put(44, 24, 4);
            put(48, 24, 8);
        }
        Kind::Timer => {
            put(24, 16, 4);
            put(32, 20, 4);
            put(44, 24, 4);
            put(48, 24, 8);
        }
        Kind::Child => {
            put(12, 16, 8);
            put(40, 24, 4);
            put(56, 32, 16);
        }
        Kind::Fault => put(72, 16, 8),
        Kind::Descriptor => {
            put(28, 16, 4);
            put(20, 24, 4);
        }
    }
    record
}

/// What the union in a `siginfo_t` holds (`siginfo_layout` of Linux).
enum Kind {
    Sender,
    Value,
    Timer,
    Child,
    Fault,
    Descriptor,
}

impl Kind {
    fn of(info: &SigInfo) -> Self {
        const SI_KERNEL: i32 = 0x80;
        const SI_TIMER: i32 = -2;
        const SI_SIGIO: i32 = -5;
        const SI_TKILL: i32 = -6;
        const SIGIO: i32 = 29;
        match (info.code().0, info.signal()) {
            (SI_TIMER, _) => Self::Timer,
            (SI_SIGIO, _) => Self::Descriptor,
            (0 | SI_TKILL | SI_KERNEL.., _) => Self::Sender,
            (..0, _) => Self::Value,
            (_, Signal::SIGCHLD) => Self::Child,
            (_, signal) if SigSet::SYNCHRONOUS.contains(signal) => Self::Fault,
            (_, signal) if signal.number() == SIGIO => Self::Descriptor,
            _ => Self::Sender,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Pid, SiCode};

    #[test]
    fn records_hold_what_the_code_has() {
        let word = |record: &[u8; 128], at: usize| i32::from_le_bytes(record[at..at + 4].try_into().unwrap());
        let queued = record(&SigInfo::queued(Signal::new(34).unwrap(), Pid(7), 8, 0x1_0000_0002));
        assert_eq!([0, 8, 12, 16, 44, 52].map(|at| word(&queued, at)), [34, -1, 7, 8, 2, 1]);
        let child = record(&SigInfo::child(SiCode::CLD_EXITED, Pid(9), 1, 5));
        assert_eq!([0, 8, 12, 40].map(|at| word(&child, at)), [17, 1, 9, 5]);
        let timer = record(&SigInfo::timer(Signal::SIGALRM, 3, 77));
        assert_eq!([0, 12, 24, 44].map(|at| word(&timer, at)), [14, 0, 3, 77]);
    }
}
