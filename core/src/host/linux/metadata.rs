//! statfs(2), whose structure has the same fields on every 64-bit Linux; device numbers are the guest's.

use std::os::fd::BorrowedFd;
use std::path::Path;

use nix::sys::statfs::Statfs;

use crate::abi::Errno;
use crate::abi::stat::StatFs;

pub(super) fn statfs(path: &Path) -> Result<StatFs, Errno> {
    Ok(to_guest(&nix::sys::statfs::statfs(path)?))
}

pub(super) fn fstatfs(fd: BorrowedFd<'_>) -> Result<StatFs, Errno> {
    Ok(to_guest(&nix::sys::statfs::fstatfs(fd)?))
}

fn to_guest(host: &Statfs) -> StatFs {
    StatFs {
        f_type: host.filesystem_type().0,
        f_bsize: host.block_size(),
        f_blocks: host.blocks(),
        f_bfree: host.blocks_free(),
        f_bavail: host.blocks_available(),
        f_files: host.files(),
        f_ffree: host.files_free(),
        f_namelen: host.maximum_name_length(),
        f_frsize: host.block_size(),
        f_flags: host.flags().bits().cast_signed(),
        ..StatFs::default()
    }
}

pub(super) const fn device_number(host: libc::dev_t) -> u64 {
    host
}
