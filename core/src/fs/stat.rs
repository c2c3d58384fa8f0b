//! Conversion of the host's file metadata to the guest's structures.

use nix::sys::stat::FileStat;

use crate::abi::stat::Stat;
use crate::host::metadata::device_number;

/// The guest's `struct stat` of the host's.
///
/// The casts are between fields of the same meaning; on the hosts that there are each fits.
#[must_use]
#[cfg_attr(target_os = "linux", expect(clippy::unnecessary_cast, reason = "the host's types differ by platform"))]
pub fn to_guest(host: &FileStat) -> Stat {
    Stat {
        st_dev: device_number(host.st_dev),
        st_ino: host.st_ino as u64,
        st_mode: host.st_mode as u32,
        st_nlink: host.st_nlink as u32,
        st_uid: host.st_uid,
        st_gid: host.st_gid,
        st_rdev: device_number(host.st_rdev),
        pad1: 0,
        st_size: host.st_size,
        st_blksize: host.st_blksize as i32,
        pad2: 0,
        st_blocks: host.st_blocks,
        st_atime: host.st_atime,
        st_atime_nsec: host.st_atime_nsec as u64,
        st_mtime: host.st_mtime,
        st_mtime_nsec: host.st_mtime_nsec as u64,
        st_ctime: host.st_ctime,
        st_ctime_nsec: host.st_ctime_nsec as u64,
        unused: [0; 2],
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::IntoBytes;

    use super::*;

    #[test]
    fn fields_lie_where_arm64_puts_them() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"12345").unwrap();
        let stat = to_guest(&nix::sys::stat::stat(file.path()).unwrap());
        let bytes = stat.as_bytes();
        assert_eq!(bytes[48..56], 5u64.to_le_bytes());
        assert_eq!(bytes[16..20], 0o100_600u32.to_le_bytes());
        assert_eq!(bytes[88..96], stat.st_mtime.to_le_bytes());
    }
}
