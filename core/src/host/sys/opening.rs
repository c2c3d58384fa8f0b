#![expect(unsafe_code, reason = "system calls that make descriptors")]
//! Host calls whose answer is a new descriptor.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::super::raw;
use super::{DirFd, ForeignBuffer, Register, checked};
use crate::abi::Errno;

/// The descriptor that a call has just made, or its errno.
///
/// # Safety
/// `result` is what syscall(2) has returned for a call that makes a descriptor, and nobody else knows it.
unsafe fn owned(result: libc::c_long) -> Result<OwnedFd, Errno> {
    let number = checked(result)?;
    // SAFETY: the caller's condition; descriptors fit an i32.
    Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
}

/// openat(2) with the host's flags.
///
/// # Errors
/// The host's errno.
pub fn openat(dir: DirFd<'_>, path: &CStr, flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let dir = Register::register(&dir);
    // SAFETY: the path outlives the call and is only read; the call makes a descriptor.
    unsafe { owned(raw::syscall!(SYS_openat, dir, path.as_ptr(), flags, mode)) }
}

/// open_by_handle_at(2) with the host's flags.
///
/// # Errors
/// The host's errno.
pub fn open_by_handle_at(mount: DirFd<'_>, handle: ForeignBuffer, flags: i32) -> Result<OwnedFd, Errno> {
    let mount = Register::register(&mount);
    // SAFETY: the handle is a foreign buffer, which the kernel only reads; the call makes a descriptor.
    unsafe { owned(raw::syscall!(SYS_open_by_handle_at, mount, handle.start, flags)) }
}

/// openat2(2) with the host's flags; `resolve` has one numbering everywhere.
///
/// # Errors
/// The host's errno.
pub fn openat2(dir: DirFd<'_>, path: &CStr, flags: i32, mode: u32, resolve: u64) -> Result<OwnedFd, Errno> {
    let how = [u64::from(flags.cast_unsigned()), u64::from(mode), resolve];
    let (dir, path) = (Register::register(&dir), path.as_ptr());
    // SAFETY: path and `struct open_how`, which has this layout, outlive the call and are only read; the call makes a
    // descriptor.
    unsafe { owned(raw::syscall!(SYS_openat2, dir, path, how.as_ptr(), size_of_val(&how))) }
}

/// `MFD_CLOEXEC` of memfd_create(2).
pub const MFD_CLOEXEC: u32 = 1;

/// memfd_create(2); the name is cut as the host demands.
///
/// # Errors
/// The host's errno.
pub fn memfd_create(name: &CStr, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: the name outlives the call and is only read; the call makes a descriptor.
    unsafe { owned(raw::syscall!(SYS_memfd_create, name.as_ptr(), flags)) }
}

/// memfd_secret(2) with the host's flags.
///
/// # Errors
/// The host's errno.
pub fn memfd_secret(flags: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: its argument is a number; the call makes a descriptor.
    unsafe { owned(raw::syscall!(SYS_memfd_secret, flags)) }
}

/// ioctl(2) whose answer is a new descriptor.
///
/// # Errors
/// The host's errno.
pub fn ioctl_descriptor(fd: BorrowedFd<'_>, request: u32, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: its arguments are numbers; the call makes a descriptor.
    unsafe { owned(raw::syscall!(SYS_ioctl, fd.as_raw_fd(), request, u64::from(flags))) }
}

/// True where the path names a FIFO; `flags` are those of fstatat(2).
#[must_use]
pub fn is_fifo(dir: DirFd<'_>, path: &CStr, flags: i32) -> bool {
    // SAFETY: zero is valid for all fields of the structure.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    let dir = dir.map_or(libc::AT_FDCWD, |dir| dir.as_raw_fd());
    // SAFETY: the path is only read, the structure is the call's.
    let result = unsafe { libc::fstatat(dir, path.as_ptr(), &raw mut stat, flags) };
    result == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFIFO
}
