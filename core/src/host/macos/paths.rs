#![expect(unsafe_code, reason = "F_GETPATH and freadlink have no safe wrapper that takes any name")]
//! macOS has no mere references: a place is the file itself, opened for reading, and a path is walked by components.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::{Links, Scope};
use crate::abi::Errno;

pub(super) const OWN_DESCRIPTORS: &str = "/dev/fd";

pub(super) fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
    Ok(open(path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// A symbolic link is opened as itself.
pub(super) fn open_place(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlag::from_bits_retain(libc::O_SYMLINK) | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

/// There is no /proc.
pub(super) fn is_proc(_directory: BorrowedFd<'_>) -> bool {
    false
}

pub(super) fn walk(_directory: BorrowedFd<'_>, _path: &CStr, _scope: Scope, _links: Links) -> Result<OwnedFd, Errno> {
    Err(Errno::ENOSYS)
}

pub(super) fn link_target(link: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut target = vec![0u8; libc::PATH_MAX as usize];
    // SAFETY: the call writes at most as many bytes as there are.
    let len = unsafe { libc::freadlink(link.as_raw_fd(), target.as_mut_ptr().cast(), target.len()) };
    target.truncate(usize::try_from(len).map_err(|_negative| Errno::from(nix::errno::Errno::last()))?);
    Ok(target)
}

pub(super) fn path_of(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let mut path = vec![0u8; libc::PATH_MAX as usize];
    // SAFETY: F_GETPATH writes at most PATH_MAX bytes.
    if unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETPATH, path.as_mut_ptr()) } < 0 {
        return Err(nix::errno::Errno::last().into());
    }
    let len = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
    path.truncate(len);
    Ok(path)
}
