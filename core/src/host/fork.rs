//! fork(2) of this process: [`fork`], [`take_over`], by which the child keeps a descriptor, and [`close_all_but`], by
//! which it lets go of those that are not its own.
//!
//! Only the calling thread exists in the child, and every lock that another thread held at that moment stays taken there
//! for ever. Who forks takes the locks that the child will need; here are those of the runtime: the C library's fork sees
//! to its own (malloc among them), and standard error's is taken, so that messages of other threads are whole.
//!
//! Sources: fork(2), pthread_atfork(3), close_range(2).

#![expect(unsafe_code, reason = "fork has no safe form; descriptors are closed by number")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Once};

use super::signal::SignalsBlocked;
use super::{process, thread};
use crate::abi::Pid;

/// In which process a fork returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forked {
    /// In the parent: the child.
    Parent(Pid),
    /// In the child.
    Child,
}

/// Does once what makes all forks cheaper; to be called before each.
pub fn prepare(proof: &SignalsBlocked) {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        thread::rehearse(proof);
        imp::give_back_freed_memory();
    });
}

/// Makes a copy of this process with the calling thread alone.
///
/// # Safety
/// In the child, until it ends, nothing is locked or dropped that another thread of the parent may have held or used at
/// this moment: the caller holds the locks that the child needs, and forgets what it does not need.
///
/// # Errors
/// `EAGAIN`, `ENOMEM`.
pub unsafe fn fork() -> io::Result<Forked> {
    process::note_fork();
    let _messages = io::stderr().lock();
    // SAFETY: the caller's promise; the lock of standard error is this thread's in both processes.
    match unsafe { libc::fork() } {
        0 => Ok(Forked::Child),
        pid if pid > 0 => Ok(Forked::Parent(Pid(pid))),
        _error => Err(io::Error::last_os_error()),
    }
}

/// In the child: what the parent held by `of_parent` as the child's own, whose descriptor closes with its last use.
///
/// # Safety
/// Only in the child of a fork, and everybody else who owns the descriptor is leaked there.
#[must_use]
pub unsafe fn take_over<T: AsRawFd + From<OwnedFd>>(of_parent: &Arc<T>) -> Arc<T> {
    // SAFETY: the number is open, and by the caller's promise nobody else will close it.
    Arc::new(unsafe { OwnedFd::from_raw_fd(of_parent.as_raw_fd()) }.into())
}

/// Closes every descriptor whose number is not in `keep`.
///
/// # Safety
/// Whatever owns a descriptor that is closed here is never used again, nor dropped.
pub unsafe fn close_all_but(keep: &mut [RawFd]) {
    keep.sort_unstable();
    let mut next = 0;
    for number in keep.iter().copied().filter(|number| *number >= 0) {
        if number > next {
            imp::close_range(next, number - 1);
        }
        next = number + 1;
    }
    imp::close_range(next, RawFd::MAX);
}

#[cfg(target_os = "linux")]
mod imp {
    use std::os::fd::RawFd;

    /// What the allocator keeps of memory that was freed, most of it at start-up, would be mapped by every child anew.
    pub(super) fn give_back_freed_memory() {
        // SAFETY: the call takes no pointers, and pages that hold nothing are zero when they are used again.
        #[cfg(target_env = "gnu")]
        let _whether = unsafe { libc::malloc_trim(0) };
    }

    /// Closes the numbers `first..=last`.
    pub(super) fn close_range(first: RawFd, last: RawFd) {
        // SAFETY: the call takes no pointers; the caller of `close_all_but` answers for the descriptors.
        let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        if closed < 0 {
            // Before Linux 5.9.
            super::close_listed("/proc/self/fd", first, last);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::os::fd::RawFd;

    /// The host's allocators have no such call.
    pub(super) fn give_back_freed_memory() {}

    /// Closes the numbers `first..=last`.
    pub(super) fn close_range(first: RawFd, last: RawFd) {
        super::close_listed("/dev/fd", first, last);
    }
}

/// Closes the numbers `first..=last` that `listing` names.
fn close_listed(listing: &str, first: RawFd, last: RawFd) {
    let Ok(entries) = std::fs::read_dir(listing) else { return };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<RawFd>().ok());
    // Collected first: the listing's own descriptor is among them, and closed by the end of the iteration.
    let numbers: Vec<RawFd> = numbers.filter(|number| (first..=last).contains(number)).collect();
    for number in numbers {
        // SAFETY: see `close_all_but`. A number that is not open answers EBADF.
        let _gone = unsafe { libc::close(number) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;
    use crate::host::{children, native_thread};

    /// While others make threads and end them, which must not leave a lock behind.
    #[test]
    fn a_forked_process_can_make_threads() {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let churn = || {
                while !is_over.load(Relaxed) {
                    let some: Vec<_> = (0..8).map(|_| native_thread::start("churn", || ()).unwrap()).collect();
                    some.into_iter().for_each(|one| one.join().unwrap());
                }
            };
            scope.spawn(churn);
            scope.spawn(churn);
            let stuck = (0..2000).find(|_| {
                // SAFETY: the child makes a thread, a system call, and ends.
                match unsafe { fork() }.unwrap() {
                    Forked::Child => {
                        // Ended by this where the thread does not begin.
                        // SAFETY: the call takes no pointer.
                        unsafe { libc::alarm(10) };
                        let made = native_thread::start("child", || ()).map(native_thread::Handle::join);
                        children::exit_now(i32::from(!matches!(made, Ok(Ok(())))));
                    }
                    Forked::Parent(pid) => children::reap(pid).unwrap() != 0,
                }
            });
            is_over.store(true, Relaxed);
            assert_eq!(stuck, None);
        });
    }

    /// In a forked process, since every other test's descriptors are closed too.
    #[test]
    fn only_what_is_kept_stays_open() {
        let files: Vec<_> = (0..5).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        let numbers: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
        // SAFETY: the child makes system calls and ends.
        match unsafe { fork() }.unwrap() {
            Forked::Child => {
                let mut keep = vec![numbers[3], numbers[1], -1];
                files.into_iter().for_each(std::mem::forget);
                // SAFETY: nothing in this process uses them any more.
                unsafe { close_all_but(&mut keep) };
                // SAFETY: F_GETFD takes no pointer.
                let open = numbers.iter().map(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0);
                let bits = open.enumerate().fold(0, |bits, (bit, open)| bits | i32::from(open) << bit);
                children::exit_now(bits);
            }
            Forked::Parent(pid) => {
                let status = children::reap(pid).unwrap();
                assert_eq!(status, 0b01010 << 8);
            }
        }
    }
}
