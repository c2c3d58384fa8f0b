//! File metadata as arm64 Linux lays it out: [`Stat`], [`StatFs`]; device numbers.
//!
//! `struct statx` and `struct linux_dirent64` have one layout on every architecture and need no type here. Sources:
//! `include/uapi/asm-generic/stat.h` (which arm64 uses), `include/uapi/asm-generic/statfs.h`.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct stat` of arm64.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Stat {
    /// Device of the file.
    pub st_dev: u64,
    /// Inode number.
    pub st_ino: u64,
    /// Type and permissions.
    pub st_mode: u32,
    /// Hard links.
    pub st_nlink: u32,
    /// Owner.
    pub st_uid: u32,
    /// Group.
    pub st_gid: u32,
    /// Device number of a device file.
    pub st_rdev: u64,
    /// Zero.
    pub pad1: u64,
    /// Length in bytes.
    pub st_size: i64,
    /// Best transfer size in bytes.
    pub st_blksize: i32,
    /// Zero.
    pub pad2: i32,
    /// Blocks of 512 bytes.
    pub st_blocks: i64,
    /// Last access, seconds.
    pub st_atime: i64,
    /// Last access, nanoseconds.
    pub st_atime_nsec: u64,
    /// Last change of contents, seconds.
    pub st_mtime: i64,
    /// Last change of contents, nanoseconds.
    pub st_mtime_nsec: u64,
    /// Last change of metadata, seconds.
    pub st_ctime: i64,
    /// Last change of metadata, nanoseconds.
    pub st_ctime_nsec: u64,
    /// Zero.
    pub unused: [u32; 2],
}

const _: () = assert!(size_of::<Stat>() == 128);

/// `struct statfs` of a 64-bit Linux.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct StatFs {
    /// Magic number of the file system.
    pub f_type: i64,
    /// Block size in bytes.
    pub f_bsize: i64,
    /// All blocks.
    pub f_blocks: u64,
    /// Free blocks.
    pub f_bfree: u64,
    /// Free blocks for ordinary users.
    pub f_bavail: u64,
    /// All inodes.
    pub f_files: u64,
    /// Free inodes.
    pub f_ffree: u64,
    /// Id of the file system.
    pub f_fsid: [i32; 2],
    /// Longest name in bytes.
    pub f_namelen: i64,
    /// Fragment size in bytes.
    pub f_frsize: i64,
    /// Mount flags.
    pub f_flags: i64,
    /// Zero.
    pub f_spare: [i64; 4],
}

const _: () = assert!(size_of::<StatFs>() == 120);

/// The device number of a major and a minor number: 12 and 20 bits of them as the kernel keeps them, and the rest above,
/// where C libraries look (makedev(3)).
#[must_use]
pub const fn device(major: u32, minor: u32) -> u64 {
    let (major, minor) = (major as u64, minor as u64);
    (major & 0xfff) << 8 | (major & 0xffff_f000) << 32 | minor & 0xff | (minor & 0xffff_ff00) << 12
}

/// The major number of a device number.
#[must_use]
pub const fn major(device: u64) -> u32 {
    (device >> 8 & 0xfff | device >> 32 & 0xffff_f000) as u32
}

/// The minor number of a device number.
#[must_use]
pub const fn minor(device: u64) -> u32 {
    (device & 0xff | device >> 12 & 0xffff_ff00) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_are_taken_apart_and_put_together() {
        assert_eq!((device(8, 1), device(259, 0x12345)), (0x801, 0x1231_0345));
        for (major_number, minor_number) in
            [(0, 0), (8, 1), (0xfff, 0xff), (0x1234_5678, 0x9abc_def0), (u32::MAX, u32::MAX)]
        {
            let number = device(major_number, minor_number);
            assert_eq!((major(number), minor(number)), (major_number, minor_number));
        }
        #[cfg(target_os = "linux")]
        for number in [0, 0x801, 0x1231_0345, 0x1234_5678_9abc_def0, u64::MAX] {
            assert_eq!(u64::from(major(number)), nix::sys::stat::major(number));
            assert_eq!(u64::from(minor(number)), nix::sys::stat::minor(number));
        }
    }
}
