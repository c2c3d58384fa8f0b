//! statfs(2) and statvfs(3) of macOS.

use std::os::fd::BorrowedFd;
use std::path::Path;

use nix::sys::statfs::Statfs;
use nix::sys::statvfs::{FsFlags, Statvfs};

use crate::abi::Errno;
use crate::abi::stat::{StatFs, device};

/// File systems of macOS that Linux knows too, with its magic numbers (`include/uapi/linux/magic.h`).
const MAGIC_NUMBERS: [(&str, i64); 6] = [
    ("apfs", 0x4253_584e),
    ("hfs", 0x482b),
    ("msdos", 0x4d44),
    ("exfat", 0x2011_bab0),
    ("nfs", 0x6969),
    ("smbfs", 0x517b),
];

/// `ST_RDONLY` and `ST_NOSUID`: what statvfs(3) tells, by Linux's numbers.
const FLAGS: [(FsFlags, i64); 2] = [(FsFlags::ST_RDONLY, 1), (FsFlags::ST_NOSUID, 2)];

pub(super) fn statfs(path: &Path) -> Result<StatFs, Errno> {
    Ok(to_guest(&nix::sys::statfs::statfs(path)?, &nix::sys::statvfs::statvfs(path)?))
}

pub(super) fn fstatfs(fd: BorrowedFd<'_>) -> Result<StatFs, Errno> {
    Ok(to_guest(&nix::sys::statfs::fstatfs(fd)?, &nix::sys::statvfs::fstatvfs(fd)?))
}

/// The counts of statvfs(3) have 32 bits only. A file system that Linux does not know has the number 0.
fn to_guest(host: &Statfs, portable: &Statvfs) -> StatFs {
    let name = host.filesystem_type_name();
    let flags = FLAGS.iter().filter(|(flag, _)| portable.flags().contains(*flag));
    StatFs {
        f_type: MAGIC_NUMBERS.iter().find(|(known, _)| *known == name).map_or(0, |(_, magic)| *magic),
        f_bsize: host.block_size().into(),
        f_blocks: host.blocks(),
        f_bfree: host.blocks_free(),
        f_bavail: host.blocks_available(),
        f_files: host.files(),
        f_ffree: host.files_free(),
        f_namelen: i64::try_from(portable.name_max()).unwrap_or(i64::MAX),
        f_frsize: host.block_size().into(),
        f_flags: flags.fold(0, |flags, (_, linux)| flags | linux),
        ..StatFs::default()
    }
}

/// macOS has 8 bits for the major number and 24 below them for the minor one.
pub(super) const fn device_number(host: libc::dev_t) -> u64 {
    let host = host.cast_unsigned();
    device(host >> 24, host & 0x00ff_ffff)
}
