//! Where files lie that live as long as a process and that other processes find by name, [`directory`], and how they are
//! made, [`make`].
//!
//! To make a file and to remove it costs a file system on disk a journal entry each, about a tenth of a fork's time. Only
//! directories count that every user may write in and that nobody but the owner of a file may remove it from.
//! Sources: statfs(2), open(2) `O_TMPFILE`, linkat(2) `AT_EMPTY_PATH`, hier(7), the Filesystem Hierarchy Standard on `/tmp`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Makes a file of mode 0600 that begins with `contents`. Where the host can, it has its name only when it has them, so that
/// nobody finds the part that a killed process has left: Linux from 6.10 on, and root's processes before.
///
/// # Errors
/// The host's; [`AlreadyExists`](io::ErrorKind::AlreadyExists) where something has the name, a symbolic link too.
pub fn make(path: &Path, contents: &[u8]) -> io::Result<File> {
    match imp::make_whole(path, contents) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_the_host_cannot) => {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            let file = options.custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC).open(path)?;
            file.write_all_at(contents, 0)?;
            Ok(file)
        }
    }
}

/// A directory in memory that all users share, or `/tmp` where there is none. The answer is the same for all processes of a
/// host (of a mount namespace).
#[must_use]
pub fn directory() -> &'static Path {
    imp::CHOICES.iter().map(|choice| Path::new(*choice)).find(|path| imp::is_good(path)).unwrap_or(Path::new("/tmp"))
}

#[cfg(target_os = "linux")]
mod imp {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{FileExt, OpenOptionsExt};
    use std::path::Path;

    use nix::fcntl::{AT_FDCWD, AtFlags};
    use nix::sys::stat::{Mode, SFlag, stat};
    use nix::sys::statfs::{TMPFS_MAGIC, statfs};
    use nix::sys::statvfs::{FsFlags, statvfs};

    /// The first one is where people look.
    pub(super) const CHOICES: &[&str] = &["/tmp", "/dev/shm"];

    /// A file that gets its name last.
    pub(super) fn make_whole(path: &Path, contents: &[u8]) -> io::Result<File> {
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC);
        let file = options.open(folder)?;
        file.write_all_at(contents, 0)?;
        nix::unistd::linkat(&file, c"", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH)?;
        Ok(file)
    }

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
    use std::fs::File;
    use std::io;
    use std::path::Path;

    /// The host has no such directory.
    pub(super) const CHOICES: &[&str] = &[];

    /// The host's files have a name from the start.
    pub(super) fn make_whole(_path: &Path, _contents: &[u8]) -> io::Result<File> {
        Err(io::ErrorKind::Unsupported.into())
    }

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
    fn a_file_is_made_with_its_contents_and_in_the_place_of_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = make(&path, b"header").unwrap();
        file.write_all_at(b"H", 0).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"Header");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).unwrap();
        for taken in [&path, &link] {
            assert_eq!(make(taken, b"other").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"Header");
        assert_eq!(make(&dir.path().join("no/such"), b"").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
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
