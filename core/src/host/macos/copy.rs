#![expect(unsafe_code, reason = "copies between memory of Rust and memory that may not be there")]
//! Copies to and from memory of the guest that the kernel makes, so that memory that is not there is `EFAULT` and no fault:
//! what Linux's system calls do by themselves, and calls of macOS's C library do not.
//!
//! Source: `mach_vm_read_overwrite` of `<mach/mach_vm.h>`, on this task itself.

use libc::{c_int, c_long, mach_port_t};

use super::posix::fail;

unsafe extern "C" {
    static mach_task_self_: mach_port_t;
    fn mach_vm_read_overwrite(task: mach_port_t, from: u64, len: u64, to: u64, copied: *mut u64) -> c_int;
}

/// `KERN_SUCCESS`.
const SUCCESS: c_int = 0;

/// # Safety
/// 1. `to` is null, foreign, or has `len` bytes to be written; 2. `from` likewise, to be read.
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) -> Result<(), ()> {
    let mut copied = 0;
    let (from, to) = (from.expose_provenance() as u64, to.expose_provenance() as u64);
    // SAFETY: the kernel checks both ranges; the caller says that what it may write is nobody's.
    let result = unsafe { mach_vm_read_overwrite(mach_task_self_, from, len as u64, to, &raw mut copied) };
    if result == SUCCESS && copied == len as u64 { Ok(()) } else { Err(()) }
}

/// Stores bytes at a foreign place; the result is `done`, or that of a system call that fails with `EFAULT`.
///
/// # Safety
/// `to` is foreign, and has room for the bytes where it is there.
pub(in crate::host) unsafe fn store(to: *mut u8, bytes: &[u8], done: c_long) -> c_long {
    // SAFETY: the bytes are there to be read, for the rest see above.
    match unsafe { copy(bytes.as_ptr(), to, bytes.len()) } {
        Ok(()) => done,
        Err(()) => fail(libc::EFAULT),
    }
}

/// The words at a foreign place; `None` where it is not there, with `EFAULT` as the error.
///
/// # Safety
/// `from` is foreign.
pub(in crate::host) unsafe fn load<const WORDS: usize>(from: *const u8) -> Option<[i64; WORDS]> {
    let mut words = [0i64; WORDS];
    let len = size_of_val(&words);
    // SAFETY: the words have `len` bytes, for the rest see above.
    match unsafe { copy(from, words.as_mut_ptr().cast(), len) } {
        Ok(()) => Some(words),
        Err(()) => {
            fail(libc::EFAULT);
            None
        }
    }
}
