//! [`OpenFlags`]: the flags of open(2) by arm64's numbers, and their translation to and from the host's.
//!
//! arm64 differs from x86-64 in four: `O_DIRECTORY`, `O_NOFOLLOW`, `O_DIRECT`, `O_LARGEFILE`. Source:
//! `arch/arm64/include/uapi/asm/fcntl.h`, `include/uapi/asm-generic/fcntl.h`.

use nix::fcntl::OFlag;

bitflags::bitflags! {
    /// Flags of open(2) and of `F_GETFL`, numbered as on arm64.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct OpenFlags: u32 {
        /// Write only (1), or with `RDWR` unset, read only (0).
        const WRONLY = 0o1;
        /// Read and write.
        const RDWR = 0o2;
        /// Make the file.
        const CREAT = 0o100;
        /// Fail where it exists.
        const EXCL = 0o200;
        /// Do not make it the controlling terminal.
        const NOCTTY = 0o400;
        /// Cut to length 0.
        const TRUNC = 0o1000;
        /// Every write goes to the end.
        const APPEND = 0o2000;
        /// Reads and writes do not wait.
        const NONBLOCK = 0o4000;
        /// Writes wait for data integrity.
        const DSYNC = 0o1_0000;
        /// SIGIO when ready.
        const ASYNC = 0o2_0000;
        /// The file must be a directory.
        const DIRECTORY = 0o4_0000;
        /// The last component must be no symbolic link.
        const NOFOLLOW = 0o10_0000;
        /// No page cache.
        const DIRECT = 0o20_0000;
        /// Without meaning in 64-bit programs.
        const LARGEFILE = 0o40_0000;
        /// Do not update the access time.
        const NOATIME = 0o100_0000;
        /// Close on exec.
        const CLOEXEC = 0o200_0000;
        /// File integrity, without the bit of `DSYNC`.
        const SYNC_ONLY = 0o400_0000;
        /// A mere reference to the path.
        const PATH = 0o1000_0000;
        /// An unnamed file, without the bit of `DIRECTORY`.
        const TMPFILE_ONLY = 0o2000_0000;
    }
}

/// Pairs of a guest flag and the host's.
fn pairs() -> impl Iterator<Item = (OpenFlags, OFlag)> {
    const COMMON: [(OpenFlags, OFlag); 10] = [
        (OpenFlags::CREAT, OFlag::O_CREAT),
        (OpenFlags::EXCL, OFlag::O_EXCL),
        (OpenFlags::NOCTTY, OFlag::O_NOCTTY),
        (OpenFlags::TRUNC, OFlag::O_TRUNC),
        (OpenFlags::APPEND, OFlag::O_APPEND),
        (OpenFlags::NONBLOCK, OFlag::O_NONBLOCK),
        (OpenFlags::DSYNC, OFlag::O_DSYNC),
        (OpenFlags::DIRECTORY, OFlag::O_DIRECTORY),
        (OpenFlags::NOFOLLOW, OFlag::O_NOFOLLOW),
        (OpenFlags::CLOEXEC, OFlag::O_CLOEXEC),
    ];
    COMMON.into_iter().chain(LINUX)
}

#[cfg(target_os = "linux")]
const LINUX: [(OpenFlags, OFlag); 6] = [
    (OpenFlags::ASYNC, OFlag::O_ASYNC),
    (OpenFlags::DIRECT, OFlag::O_DIRECT),
    (OpenFlags::NOATIME, OFlag::O_NOATIME),
    (OpenFlags::SYNC_ONLY, OFlag::O_SYNC.difference(OFlag::O_DSYNC)),
    (OpenFlags::PATH, OFlag::O_PATH),
    (OpenFlags::TMPFILE_ONLY, OFlag::O_TMPFILE.difference(OFlag::O_DIRECTORY)),
];
#[cfg(not(target_os = "linux"))]
const LINUX: [(OpenFlags, OFlag); 1] = [(OpenFlags::SYNC_ONLY, OFlag::O_SYNC)];

impl OpenFlags {
    /// The access mode bits.
    const ACCESS: Self = Self::WRONLY.union(Self::RDWR);

    /// The host's flags. Unknown bits are dropped, as open(2) ignores them.
    #[must_use]
    pub fn to_host(self) -> OFlag {
        // O_RDONLY, O_WRONLY, O_RDWR and the special 3 have the same numbers everywhere.
        let access = OFlag::from_bits_retain((self & Self::ACCESS).bits().cast_signed());
        pairs().filter(|(guest, _)| self.contains(*guest)).fold(access, |flags, (_, host)| flags | host)
    }

    /// The guest's flags of the host's, for `F_GETFL`. A 64-bit kernel says `O_LARGEFILE` of every open file.
    #[must_use]
    pub fn from_host(flags: OFlag) -> Self {
        let access = Self::from_bits_truncate(flags.bits().cast_unsigned()) & Self::ACCESS;
        let all = pairs().filter(|(_, host)| flags.contains(*host)).fold(access, |all, (guest, _)| all | guest);
        if all.contains(Self::PATH) { all } else { all | Self::LARGEFILE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm64_numbers_become_the_hosts() {
        // O_RDWR | O_CREAT | O_DIRECTORY | O_CLOEXEC of arm64.
        let host = OpenFlags::from_bits_retain(0o2 | 0o100 | 0o4_0000 | 0o200_0000).to_host();
        assert_eq!(host, OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC);
        assert_eq!(OpenFlags::from_bits_retain(0o10_0000).to_host(), OFlag::O_NOFOLLOW);
        assert_eq!(OpenFlags::from_bits_retain(0x8000_0000).to_host(), OFlag::empty());
    }

    #[test]
    fn every_flag_comes_back() {
        for flag in OpenFlags::all().iter().filter(|flag| *flag != OpenFlags::LARGEFILE) {
            assert_eq!(OpenFlags::from_host(flag.to_host()).difference(OpenFlags::LARGEFILE), flag);
        }
    }

    #[test]
    fn sync_implies_dsync_as_in_the_abi() {
        let guest = OpenFlags::SYNC_ONLY | OpenFlags::DSYNC;
        assert_eq!(guest.bits(), 0o401_0000);
        assert_eq!(guest.to_host(), OFlag::O_SYNC);
    }
}
