//! What the host says of files and file systems, in Linux's terms: [`statfs`], [`fstatfs`], [`device_number`].
//!
//! Sources: statfs(2), makedev(3); Linux `include/linux/kdev_t.h` (`huge_encode_dev`).

use std::os::fd::BorrowedFd;
use std::path::Path;

use crate::abi::Errno;
use crate::abi::stat::StatFs;

#[cfg(target_os = "linux")]
#[path = "linux/metadata.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "macos/metadata.rs"]
mod imp;

/// The file system of a path.
///
/// # Errors
/// The host's errno.
pub fn statfs(path: &Path) -> Result<StatFs, Errno> {
    imp::statfs(path)
}

/// The file system of an open file.
///
/// # Errors
/// The host's errno.
pub fn fstatfs(fd: BorrowedFd<'_>) -> Result<StatFs, Errno> {
    imp::fstatfs(fd)
}

/// The number that Linux has for the device that the host knows by this one.
#[must_use]
pub const fn device_number(host: libc::dev_t) -> u64 {
    imp::device_number(host)
}
