//! References to files by place: what a path walk of our own needs of the host.
//!
//! A reference ([`open_place`]) names a file without opening it: no permission on the file itself is needed, a FIFO does
//! not wait, a device does not act. On Linux these are `O_PATH` descriptors and openat2(2) walks whole paths below a
//! directory; a host without it answers `ENOSYS`, and the walk goes by components.

use std::ffi::{CStr, CString};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::sys::stat::{FileStat, SFlag, fstat};

use crate::abi::Errno;

pub use nix::fcntl::AT_FDCWD as WORKING_DIRECTORY;

/// How far a walk below a directory may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The directory is the root: `..` stops there, absolute symbolic links begin there.
    InRoot,
    /// What leads out of the directory is `EXDEV`.
    Beneath,
}

/// What a walk does with symbolic links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Links {
    /// Follows them.
    Follow,
    /// Answers `ELOOP` where it meets one.
    Refuse,
}

/// What kind of file a reference names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceKind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// The kind of the file behind a descriptor.
///
/// # Errors
/// The host's errno.
pub fn kind_of(fd: BorrowedFd<'_>) -> Result<PlaceKind, Errno> {
    Ok(match file_type(&fstat(fd)?) {
        SFlag::S_IFDIR => PlaceKind::Directory,
        SFlag::S_IFLNK => PlaceKind::Link,
        _other_types => PlaceKind::Other,
    })
}

#[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "the type differs by platform"))]
fn file_type(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode.into()) & SFlag::S_IFMT
}

/// Says whether two descriptors name one file.
#[must_use]
pub fn is_same(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> bool {
    match (fstat(a), fstat(b)) {
        (Ok(a), Ok(b)) => (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino),
        _unknown => false,
    }
}

/// A reference to the directory or file at a host path, symbolic links followed.
///
/// # Errors
/// The host's errno.
pub fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
    imp::open_path(path)
}

/// A reference to `name` in `directory`, not followed where it is a symbolic link.
///
/// # Errors
/// The host's errno.
pub fn open_place(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    imp::open_place(directory, name)
}

/// A reference to what `path` leads to from `directory`, within a scope. Magic links of /proc are `ELOOP`.
///
/// # Errors
/// The host's errno; `ENOSYS` where the host cannot, `EAGAIN` where it was disturbed.
pub fn walk(directory: BorrowedFd<'_>, path: &CStr, scope: Scope, links: Links) -> Result<OwnedFd, Errno> {
    imp::walk(directory, path, scope, links)
}

/// The target of the symbolic link that a reference names.
///
/// # Errors
/// The host's errno.
pub fn link_target(link: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    imp::link_target(link)
}

/// The host path of an open file, as the host tells it.
///
/// # Errors
/// The host's errno.
pub fn path_of(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    imp::path_of(fd)
}

/// The host path of the working directory.
///
/// # Errors
/// `ENOENT` where it was removed.
pub fn working_directory() -> Result<Vec<u8>, Errno> {
    Ok(std::env::current_dir()?.into_os_string().into_vec())
}

/// Says whether a directory belongs to /proc.
#[must_use]
pub fn is_proc(directory: BorrowedFd<'_>) -> bool {
    imp::is_proc(directory)
}

/// The name under which this process can open a descriptor's file again.
#[must_use]
pub fn name_of(fd: BorrowedFd<'_>) -> CString {
    // Digits and letters hold no NUL.
    CString::new(format!("{}/{}", imp::OWN_DESCRIPTORS, fd.as_raw_fd())).unwrap_or_default()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
    use nix::sys::stat::Mode;

    use super::*;

    const PLACE: OFlag = OFlag::O_PATH.union(OFlag::O_CLOEXEC);
    pub(super) const OWN_DESCRIPTORS: &str = "/proc/self/fd";

    pub(super) fn link_target(link: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
        Ok(nix::fcntl::readlinkat(link, c"")?.into_vec())
    }

    pub(super) fn path_of(fd: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
        Ok(std::fs::read_link(OsStr::from_bytes(name_of(fd).to_bytes()))?.into_os_string().into_vec())
    }

    pub(super) fn open_path(path: &Path) -> Result<OwnedFd, Errno> {
        Ok(open(path, PLACE, Mode::empty())?)
    }

    pub(super) fn open_place(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
        Ok(openat(directory, name, PLACE | OFlag::O_NOFOLLOW, Mode::empty())?)
    }

    pub(super) fn is_proc(directory: BorrowedFd<'_>) -> bool {
        let magic = nix::sys::statfs::fstatfs(directory).map(|statfs| statfs.filesystem_type());
        magic.is_ok_and(|magic| magic == nix::sys::statfs::PROC_SUPER_MAGIC)
    }

    pub(super) fn walk(directory: BorrowedFd<'_>, path: &CStr, scope: Scope, links: Links) -> Result<OwnedFd, Errno> {
        let scope = match scope {
            Scope::InRoot => ResolveFlag::RESOLVE_IN_ROOT,
            Scope::Beneath => ResolveFlag::RESOLVE_BENEATH,
        };
        let links = match links {
            Links::Follow => ResolveFlag::RESOLVE_NO_MAGICLINKS,
            Links::Refuse => ResolveFlag::RESOLVE_NO_SYMLINKS,
        };
        let how = OpenHow::new().flags(PLACE).resolve(scope | links);
        Ok(openat2(directory, path, how)?)
    }
}

#[cfg(target_os = "macos")]
#[path = "macos/paths.rs"]
mod imp;

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn references_name_links_and_walks_stay_in_scope() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("d")).unwrap();
        std::fs::write(dir.path().join("d/f"), b"x").unwrap();
        std::os::unix::fs::symlink("/d/f", dir.path().join("absolute")).unwrap();
        let root = open_path(dir.path()).unwrap();
        let link = open_place(root.as_fd(), c"absolute").unwrap();
        assert_eq!(kind_of(link.as_fd()), Ok(PlaceKind::Link));
        assert_eq!(link_target(link.as_fd()).unwrap(), b"/d/f");
        let file = walk(root.as_fd(), c"../../absolute", Scope::InRoot, Links::Follow).unwrap();
        assert!(path_of(file.as_fd()).unwrap().ends_with(b"/d/f"));
        assert!(is_same(file.as_fd(), open_path(&dir.path().join("d/f")).unwrap().as_fd()));
        assert_eq!(walk(root.as_fd(), c"absolute", Scope::Beneath, Links::Follow).err(), Some(Errno::EXDEV));
        assert_eq!(walk(root.as_fd(), c"none", Scope::InRoot, Links::Follow).err(), Some(Errno::ENOENT));
        assert_eq!(walk(root.as_fd(), c"absolute", Scope::InRoot, Links::Refuse).err(), Some(Errno::ELOOP));
    }
}
