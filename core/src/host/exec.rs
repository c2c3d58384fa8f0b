//! Execution of a host program in place of elfuse: [`Execution`], for programs of the host's own architecture.
//!
//! The program finds the guest's descriptors at the guest's numbers, the guest's mask and ignored signals, and nothing of
//! elfuse (`docs/design.md` §2, invariant 7). Sources: execve(2), execveat(2), close_range(2).

#![expect(unsafe_code, reason = "descriptors are placed by number, and exec has no safe form that keeps the mask")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::sys::stat::{fstat, stat};

use super::signal::restore_for_exec;
use crate::abi::SigSet;

/// `e_machine` and `EI_CLASS` of the programs that this host executes itself.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const NATIVE: &[(u16, u8)] = &[(62, 2), (3, 1)];
/// Elsewhere they cannot be told from guests, or are no ELF files.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
const NATIVE: &[(u16, u8)] = &[];

/// True where the beginning of a file is that of a program which this host executes itself.
#[must_use]
pub fn is_native(start: &[u8]) -> bool {
    let machine = start.get(18..20).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let class = start.get(4).copied();
    start.starts_with(b"\x7fELF") && NATIVE.iter().any(|native| (Some(native.0), Some(native.1)) == (machine, class))
}

/// A host program that is about to take this process over.
pub struct Execution<'files> {
    /// The program.
    pub file: BorrowedFd<'files>,
    /// Arguments.
    pub args: Vec<CString>,
    /// Environment.
    pub env: Vec<CString>,
    /// Descriptors that it finds, each at this number.
    pub descriptors: Vec<(RawFd, BorrowedFd<'files>)>,
    /// The signal mask.
    pub blocked: SigSet,
    /// Ignored signals.
    pub ignored: SigSet,
    /// Signals that are pending and stay so.
    pub pending: SigSet,
}

impl Execution<'_> {
    /// Executes the program; for the last thread of a process that has nothing else to do. Where it returns, descriptors and
    /// signals are no longer elfuse's, and the process must end.
    #[must_use]
    pub fn run(self) -> io::Error {
        match self.prepare() {
            Ok(program) => self.replace(program),
            Err(error) => error,
        }
    }

    /// Places the descriptors; the answer is where the program is now.
    fn prepare(&self) -> io::Result<RawFd> {
        // Out of the way of every number that is wanted.
        let free = self.descriptors.iter().map(|(number, _)| number + 1).fold(3, RawFd::max);
        let program = duplicate_above(self.file.as_raw_fd(), free)?;
        let sources = self.descriptors.iter().map(|(_, file)| duplicate_above(file.as_raw_fd(), free));
        let sources = sources.collect::<io::Result<Vec<RawFd>>>()?;
        for ((number, _), source) in self.descriptors.iter().zip(sources) {
            // SAFETY: the call takes no pointers; whatever owned the number belongs to a program that ends here.
            check(unsafe { libc::dup2(source, *number) })?;
        }
        // Everything of elfuse is close-on-exec but these.
        for standard in 0..3 {
            if !self.descriptors.iter().any(|(number, _)| *number == standard) {
                // SAFETY: as above. A number that is not open answers EBADF.
                let _closed = unsafe { libc::close(standard) };
            }
        }
        restore_for_exec(self.blocked, self.ignored, self.pending)?;
        Ok(program)
    }

    fn replace(&self, program: RawFd) -> io::Error {
        let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
            strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
        };
        let (args, env) = (pointers(&self.args), pointers(&self.env));
        // By its path, whose last part becomes the program's name, where that still is this file.
        if let Some(path) = path_of(program) {
            // SAFETY: all strings end with NUL, both vectors with null, and all outlive the call.
            unsafe { libc::execve(path.as_ptr(), args.as_ptr(), env.as_ptr()) };
        }
        exec_descriptor(program, &args, &env);
        io::Error::last_os_error()
    }
}

#[cfg(target_os = "linux")]
fn exec_descriptor(program: RawFd, args: &[*const libc::c_char], env: &[*const libc::c_char]) {
    // SAFETY: as in `replace`.
    unsafe {
        libc::syscall(libc::SYS_execveat, program, c"".as_ptr(), args.as_ptr(), env.as_ptr(), libc::AT_EMPTY_PATH)
    };
}

#[cfg(not(target_os = "linux"))]
fn exec_descriptor(_program: RawFd, _args: &[*const libc::c_char], _env: &[*const libc::c_char]) {}

/// The path of an open file, if that is still its name.
fn path_of(file: RawFd) -> Option<CString> {
    // SAFETY: the number is that of a file that is open for as long as this process is elfuse.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    let path = CString::new(super::paths::path_of(file).ok()?).ok()?;
    let (named, own) = (stat(path.as_c_str()).ok()?, fstat(file).ok()?);
    ((named.st_dev, named.st_ino) == (own.st_dev, own.st_ino)).then_some(path)
}

fn duplicate_above(file: RawFd, free: RawFd) -> io::Result<RawFd> {
    // SAFETY: the call takes no pointers.
    check(unsafe { libc::fcntl(file, libc::F_DUPFD_CLOEXEC, free) })
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn programs_of_the_host_are_told_from_guests() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert!(is_native(&own[..64]));
        let mut guest = own[..64].to_vec();
        guest[18] = 183;
        assert!(!is_native(&guest) && !is_native(b"\x7fELF") && !is_native(b"#!/bin/sh"));
    }
}
