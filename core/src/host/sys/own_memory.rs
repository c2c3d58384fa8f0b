#![expect(unsafe_code, reason = "system calls on memory of this process")]
//! Host calls on memory of elfuse's own: what pool threads read and write, offsets that a call moves, names of threads.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::super::raw;
use super::{ForeignBuffer, checked, ioctl, preadv2, process_vm_readv, process_vm_writev, pwritev2};
use crate::abi::Errno;
use crate::abi::prctl::{PR_GET_NAME, PR_SET_NAME};

/// Reads up to `len` bytes, waiting for them; `offset` -1 reads at the file's position. For pool threads.
///
/// # Errors
/// The host's errno.
pub fn read_bytes(fd: BorrowedFd<'_>, len: usize, offset: i64, flags: u32) -> Result<Vec<u8>, Errno> {
    let mut data = vec![0; len];
    let buffer = ForeignBuffer { start: data.as_mut_ptr(), len };
    let count = preadv2(fd, &[buffer], offset, flags)?;
    data.truncate(count as usize);
    Ok(data)
}

/// Writes bytes, waiting for room; `offset` -1 writes at the file's position. For pool threads.
///
/// # Errors
/// The host's errno.
pub fn write_bytes(fd: BorrowedFd<'_>, data: &[u8], offset: i64, flags: u32) -> Result<u64, Errno> {
    pwritev2(fd, &[ForeignBuffer::of(data)], offset, flags)
}

/// What a transfer moved, and the offsets that it left, where there were any.
pub type Moved = (u64, Option<i64>, Option<i64>);

/// Reads words of another process.
///
/// # Errors
/// `ESRCH`, `EPERM`, `EFAULT`.
pub fn read_words_of(pid: i32, place: u64, words: &mut [u64]) -> Result<(), Errno> {
    let len = size_of_val(words);
    let local = ForeignBuffer { start: words.as_mut_ptr().cast(), len };
    process_vm_readv(pid, &[local], &[[place, len as u64]]).map(drop)
}

/// Writes words of another process.
///
/// # Errors
/// As [`read_words_of`].
pub fn write_words_of(pid: i32, place: u64, words: &[u64]) -> Result<(), Errno> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    process_vm_writev(pid, &[ForeignBuffer::of(&bytes)], &[[place, bytes.len() as u64]]).map(drop)
}

fn place_of(offset: &mut Option<i64>) -> *mut i64 {
    offset.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut)
}

/// sendfile(2) from an offset, or from the file's position.
///
/// # Errors
/// The host's errno.
pub fn sendfile(to: BorrowedFd<'_>, from: BorrowedFd<'_>, start: Option<i64>, count: usize) -> Result<Moved, Errno> {
    let mut offset = start;
    let place = place_of(&mut offset);
    // SAFETY: the offset is absent or outlives the call.
    let moved = checked(unsafe { raw::syscall!(SYS_sendfile, to.as_raw_fd(), from.as_raw_fd(), place, count) })?;
    Ok((moved, offset, None))
}

/// One end of a transfer: a descriptor, and where in it.
pub type End<'fd> = (BorrowedFd<'fd>, Option<i64>);

/// splice(2).
///
/// # Errors
/// The host's errno.
pub fn splice(from: End<'_>, to: End<'_>, len: usize, flags: u32) -> Result<Moved, Errno> {
    let (mut from_offset, mut to_offset) = (from.1, to.1);
    let (from_place, to_place) = (place_of(&mut from_offset), place_of(&mut to_offset));
    let (from, to) = (from.0.as_raw_fd(), to.0.as_raw_fd());
    // SAFETY: the offsets are absent or outlive the call.
    let moved = checked(unsafe { raw::syscall!(SYS_splice, from, from_place, to, to_place, len, flags) })?;
    Ok((moved, from_offset, to_offset))
}

/// fcntl(2) that waits for a lock. For pool threads.
///
/// # Errors
/// The host's errno.
pub fn wait_for_lock(fd: BorrowedFd<'_>, command: i32, lock: [u8; 32]) -> Result<u64, Errno> {
    // SAFETY: the kernel reads a `struct flock` of this size, at any alignment.
    checked(unsafe { raw::syscall!(SYS_fcntl, fd.as_raw_fd(), command, lock.as_ptr()) })
}

/// ioctl(2) with a structure that the host only reads. For pool threads.
///
/// # Errors
/// The host's errno.
pub fn ioctl_bytes(fd: BorrowedFd<'_>, request: u32, bytes: &[u8]) -> Result<u64, Errno> {
    ioctl(fd, request, ForeignBuffer::of(bytes))
}

/// `SIOCGIFCONF`: fills the buffer with a `struct ifreq` for each address, or tells without one how much room they take;
/// the answer is in bytes.
///
/// # Errors
/// The host's errno.
pub fn interfaces(socket: BorrowedFd<'_>, list: ForeignBuffer) -> Result<u32, Errno> {
    /// `struct ifconf`.
    #[repr(C)]
    struct List {
        len: i32,
        start: *mut u8,
    }
    const SIOCGIFCONF: u32 = 0x8912;
    let mut conf = List { len: i32::try_from(list.len).map_err(|_too_long| Errno::EINVAL)?, start: list.start };
    // SAFETY: the structure is the call's; the buffer that it names is a foreign one with its length.
    checked(unsafe { raw::syscall!(SYS_ioctl, socket.as_raw_fd(), SIOCGIFCONF, &raw mut conf) })?;
    Ok(conf.len.cast_unsigned())
}

/// The name of the calling thread, 16 bytes with NUL.
///
/// # Errors
/// The host's errno.
pub fn thread_name() -> Result<[u8; 16], Errno> {
    let mut name = [0u8; 16];
    // SAFETY: PR_GET_NAME writes 16 bytes.
    checked(unsafe { raw::syscall!(SYS_prctl, PR_GET_NAME, name.as_mut_ptr()) }).map(|_| name)
}

/// Names the calling thread; the first 15 bytes count.
///
/// # Errors
/// The host's errno.
pub fn set_thread_name(name: &CStr) -> Result<u64, Errno> {
    // SAFETY: PR_SET_NAME reads a string of at most 16 bytes.
    checked(unsafe { raw::syscall!(SYS_prctl, PR_SET_NAME, name.as_ptr()) })
}

/// The CPU and NUMA node that the thread runs on.
///
/// # Errors
/// The host's errno.
pub fn getcpu() -> Result<(u32, u32), Errno> {
    let (mut cpu, mut node) = (0u32, 0u32);
    let unused = std::ptr::null::<u8>();
    // SAFETY: the kernel writes two integers.
    checked(unsafe { raw::syscall!(SYS_getcpu, &raw mut cpu, &raw mut node, unused) }).map(|_| (cpu, node))
}
