//! Where files lie that live as long as a process and that other processes find by name: [`directory`].
//!
//! To make a file and to remove it costs a file system on disk a journal entry each, about a tenth of a fork's time. Only
//! directories count that every user may write in and that nobody but the owner of a file may remove it from.
//! Sources: statfs(2), hier(7), the Filesystem Hierarchy Standard on `/tmp`.

use std::path::Path;

/// A directory in memory that all users share, or `/tmp` where there is none. The answer is the same for all processes of a
/// host (of a mount namespace).
#[must_use]
pub fn directory() -> &'static Path {
    imp::CHOICES.iter().map(|choice| Path::new(*choice)).find(|path| imp::is_good(path)).unwrap_or(Path::new("/tmp"))
}

#[cfg(target_os = "linux")]
mod imp {
    use std::path::Path;

    use nix::sys::stat::{Mode, SFlag, stat};
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    use nix::sys::statvfs::{FsFlags, statvfs};

    /// The first one is where people look.
    pub(super) const CHOICES: &[&str] = &["/tmp", "/dev/shm"];

    /// True for a directory in memory that anybody may make files in and only their owners remove them.
    pub(super) fn is_good(path: &Path) -> bool {
        let shared = Mode::S_ISVTX | Mode::S_IRWXU | Mode::S_IRWXG | Mode::S_IRWXO;
        let has_mode = stat(path).is_ok_and(|it| it.st_mode == SFlag::S_IFDIR.bits() | shared.bits());
        let is_in_memory = || statfs(path).is_ok_and(|it| it.filesystem_type() == TMPFS_MAGIC);
        let is_writable = || statvfs(path).is_ok_and(|it| !it.flags().contains(FsFlags::ST_RDONLY));
        has_mode && is_in_memory() && is_writable()
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::path::Path;

    /// The host has no such directory.
    pub(super) const CHOICES: &[&str] = &[];

    pub(super) fn is_good(_path: &Path) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_directory_that_all_share_is_good() {
        assert!(imp::is_good(directory()) || directory() == Path::new("/tmp"));
        for bad in ["/", "/proc", "/dev/null", "/no-such-directory"] {
            assert!(!imp::is_good(Path::new(bad)), "{bad}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_private_directory_in_memory_is_not_good() {
        let is_there = imp::is_good(Path::new("/dev/shm"));
        let Ok(private) = tempfile::tempdir_in("/dev/shm") else { return assert!(!is_there) };
        assert!(!imp::is_good(private.path()));
        std::fs::set_permissions(private.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(imp::is_good(private.path()), is_there);
    }
}
