//! From a path of the guest to what host calls take: [`HostPath`].
//!
//! Two steps. Names that mean objects of the guest process itself ([`Magic`]: its program, its descriptors) are recognised
//! wherever the path led to them; everything else is found in the guest's tree ([`Root`]). Source: proc(5).

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Process;
use super::fd_table::FdTable;
use super::open_file::OpenFile;
use crate::abi::{Errno, Fd};
use crate::elf::{Finder, Location};
use crate::fs::{Found, Last};
use crate::host::paths::{WORKING_DIRECTORY, name_of, path_of};
use crate::host::sys::DirFd;

/// `AT_FDCWD`.
pub const AT_FDCWD: Fd = Fd(-100);

/// `AT_SYMLINK_NOFOLLOW`.
const AT_SYMLINK_NOFOLLOW: u32 = 0x100;

/// What keeps the path's meaning while it is used.
#[derive(Debug)]
enum Hold {
    /// The path means the same to everybody.
    Nothing,
    /// The path begins in a directory of the guest, or names an open file of it.
    Open(Arc<OpenFile>),
    /// The path is a name in this directory.
    Directory(Arc<OwnedFd>),
    /// The path is the name of this very file in /proc, and leads to it when it is followed.
    Object(Arc<OwnedFd>),
}

/// A path in the form that host calls take: a directory and a path in it.
#[derive(Debug)]
pub struct HostPath {
    hold: Hold,
    path: CString,
    magic: Option<Magic>,
}

/// An object of the guest process that has a name below /proc.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Magic {
    /// The program.
    Executable,
    /// An open file.
    Descriptor(Fd),
    /// The guest's `/`.
    Root,
}

impl HostPath {
    /// Resolves a path; a relative one begins at the directory `base`.
    ///
    /// # Errors
    /// Those of path_resolution(7), `EBADF`.
    pub fn resolve(process: &Process, files: &FdTable, base: Fd, path: CString, last: Last) -> Result<Self, Errno> {
        let bytes = path.to_bytes();
        if bytes.first().is_some_and(|first| *first != b'/') && base != AT_FDCWD && files.get(base)?.is_proc_directory()
        {
            let directory = path_of(files.get(base)?.as_fd())?;
            let path = CString::new([&directory[..], b"/", bytes].concat()).map_err(|_inner_nul| Errno::EINVAL)?;
            return Self::resolve(process, files, base, path, last);
        }
        // An absolute path has no use for the directory, which may then be anything.
        let directory = if bytes.starts_with(b"/") || base == AT_FDCWD { None } else { Some(files.get(base)?) };
        if let Some((magic, rest)) = magic_name(bytes, process.pid().0) {
            return Self::of_magic(process, files, magic, rest, last);
        }
        let root = process.root();
        if root.is_plain() || bytes.is_empty() {
            let hold = directory.map_or(Hold::Nothing, Hold::Open);
            return Ok(Self { hold, path, magic: None });
        }
        let base = directory.as_deref().map_or(WORKING_DIRECTORY, AsFd::as_fd);
        match root.resolve(base, &path, last)? {
            Found::Object(file) => Ok(Self::of_file(file)),
            Found::Entry { directory, name } => Ok(Self { hold: Hold::Directory(directory), path: name, magic: None }),
            Found::Proc(path) => {
                let path = CString::new(path).map_err(|_inner_nul| Errno::EINVAL)?;
                match magic_name(path.to_bytes(), process.pid().0) {
                    Some((magic, rest)) => Self::of_magic(process, files, magic, rest, last),
                    None => Ok(Self { hold: Hold::Nothing, path, magic: None }),
                }
            }
        }
    }

    /// The path of a file that is known by reference.
    #[must_use]
    pub fn of_file(file: Arc<OwnedFd>) -> Self {
        let path = name_of(file.as_fd());
        Self { hold: Hold::Object(file), path, magic: None }
    }

    /// What the link leads to, or the link; with `rest`, what that path leads to from there.
    fn of_magic(process: &Process, files: &FdTable, magic: Magic, rest: &[u8], last: Last) -> Result<Self, Errno> {
        let file = match magic {
            Magic::Descriptor(fd) => Some(files.get(fd).map_err(|_closed| Errno::ENOENT)?.host().clone()),
            Magic::Executable => process.image().file,
            Magic::Root => None,
        };
        if !rest.is_empty() {
            let path = CString::new(rest).map_err(|_inner_nul| Errno::EINVAL)?;
            return match magic {
                Magic::Descriptor(fd) => Self::resolve(process, files, fd, path, last),
                Magic::Root => Self::resolve(process, files, AT_FDCWD, path, last),
                Magic::Executable => Err(Errno::ENOTDIR),
            };
        }
        let followed = match (magic, file) {
            (Magic::Executable | Magic::Descriptor(_), Some(file)) => Self::of_file(file),
            (Magic::Root, _) => Self::resolve(process, files, AT_FDCWD, c"/".to_owned(), Last::Follow)?,
            (_, None) => Self { hold: Hold::Nothing, path: host_string(&process.image().path)?, magic: None },
        };
        let (hold, path) = match (last, followed.hold) {
            (Last::Follow, hold) => (hold, followed.path),
            // The link itself: of a descriptor, the host's link of its own number.
            (Last::Itself, Hold::Object(file)) if matches!(magic, Magic::Descriptor(_)) => {
                (Hold::Directory(file), followed.path)
            }
            (Last::Itself, _other_links) => (Hold::Nothing, c"/proc/self/exe".to_owned()),
        };
        Ok(Self { hold, path, magic: Some(magic) })
    }

    /// The directory that the path is relative to.
    #[must_use]
    pub fn directory(&self) -> DirFd<'_> {
        match &self.hold {
            Hold::Nothing | Hold::Object(_) => None,
            Hold::Open(file) => Some(file.as_fd()),
            // Of an absolute path the host ignores it.
            Hold::Directory(directory) => Some(directory.as_fd()),
        }
    }

    /// The path for the host.
    #[must_use]
    pub fn path(&self) -> &CStr {
        &self.path
    }

    /// The object of the process that the path names.
    #[must_use]
    pub const fn magic(&self) -> Option<Magic> {
        self.magic
    }

    /// The file, where it is known by reference: [`HostPath::path`] is then a link that the host must follow.
    #[must_use]
    pub fn object(&self) -> Option<BorrowedFd<'_>> {
        match &self.hold {
            Hold::Object(file) => Some(file.as_fd()),
            Hold::Nothing | Hold::Open(_) | Hold::Directory(_) => None,
        }
    }

    /// `AT_*` flags for a host call on this path.
    #[must_use]
    pub fn flags(&self, flags: u32) -> u32 {
        if self.object().is_some() { flags & !AT_SYMLINK_NOFOLLOW } else { flags }
    }

    /// A path that means the same without a directory descriptor, while this one lives.
    #[must_use]
    pub fn to_path(&self) -> PathBuf {
        let path = OsStr::from_bytes(self.path.to_bytes());
        match self.directory() {
            Some(directory) => Path::new(OsStr::from_bytes(name_of(directory).to_bytes())).join(path),
            None => path.into(),
        }
    }

    /// The same for host calls that take no directory.
    ///
    /// # Errors
    /// `EINVAL`, in theory.
    pub fn to_host_string(&self) -> Result<CString, Errno> {
        host_string(&self.to_path())
    }
}

fn host_string(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_inner_nul| Errno::EINVAL)
}

/// Recognises the names that mean the guest's objects; `pid` is its process id. What follows the name is a path from
/// there: relative for a descriptor, absolute for the root.
#[must_use]
pub fn magic_name(path: &[u8], pid: i32) -> Option<(Magic, &[u8])> {
    let number = |name: &[u8]| std::str::from_utf8(name).ok()?.parse().ok().filter(|number: &i32| *number >= 0);
    let descriptor = |name| {
        let (name, rest) = split_component(name);
        number(name).map(|fd| (Magic::Descriptor(Fd(fd)), rest.strip_prefix(b"/").unwrap_or(rest)))
    };
    if let Some(name) = path.strip_prefix(b"/dev/") {
        return match name {
            b"stdin" => descriptor(b"0"),
            b"stdout" => descriptor(b"1"),
            b"stderr" => descriptor(b"2"),
            name => descriptor(name.strip_prefix(b"fd/")?),
        };
    }
    let (owner, name) = split_component(path.strip_prefix(b"/proc/")?);
    if owner != b"self" && owner != b"thread-self" && number(owner) != Some(pid) {
        return None;
    }
    let (name, rest) = split_component(name.strip_prefix(b"/")?);
    match name {
        b"exe" => Some((Magic::Executable, rest)),
        b"root" => Some((Magic::Root, rest)),
        b"fd" => descriptor(rest.strip_prefix(b"/")?),
        _others => None,
    }
}

/// The bytes up to the first slash, and the rest from there.
fn split_component(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(path.iter().position(|byte| *byte == b'/').unwrap_or(path.len()))
}

/// Finds programs and interpreters for the loader as the guest names them.
pub struct GuestFinder<'ctx> {
    /// The process.
    pub process: &'ctx Process,
    /// Its descriptors, for programs that are named by one.
    pub files: &'ctx FdTable,
}

impl Finder for GuestFinder<'_> {
    fn find(&self, path: &Path) -> std::io::Result<Location> {
        let found = HostPath::resolve(self.process, self.files, AT_FDCWD, host_string(path)?, Last::Follow)?;
        let guest = match (found.magic, found.object()) {
            (Some(Magic::Executable), _) => self.process.image().path,
            (_, Some(file)) => {
                let guest = self.process.root().guest_path(&path_of(file)?);
                PathBuf::from(std::ffi::OsString::from_vec(guest))
            }
            (_, None) => std::fs::canonicalize(found.to_path())?,
        };
        let host = found.to_path();
        Ok(Location { host, guest, hold: Some(Box::new(found)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_special() {
        let exact = |magic| Some((magic, &b""[..]));
        assert_eq!(magic_name(b"/proc/self/exe", 7), exact(Magic::Executable));
        assert_eq!(magic_name(b"/proc/7/exe", 7), exact(Magic::Executable));
        assert_eq!(magic_name(b"/proc/8/exe", 7), None);
        assert_eq!(magic_name(b"/proc/self/fd/12", 7), exact(Magic::Descriptor(Fd(12))));
        assert_eq!(magic_name(b"/proc/self/root", 7), exact(Magic::Root));
        assert_eq!(magic_name(b"/dev/fd/0", 7), exact(Magic::Descriptor(Fd(0))));
        assert_eq!(magic_name(b"/dev/stderr", 7), exact(Magic::Descriptor(Fd(2))));
        assert_eq!(magic_name(b"/dev/fd/5/a/b", 7), Some((Magic::Descriptor(Fd(5)), &b"a/b"[..])));
        assert_eq!(magic_name(b"/proc/self/root/etc", 7), Some((Magic::Root, &b"/etc"[..])));
        for other in [&b"/dev/fd/-1"[..], b"/dev/fd/x", b"/proc/self/fd/", b"/proc/self/maps", b"/proc/", b"", b"\xff"]
        {
            assert_eq!(magic_name(other, 7), None);
        }
    }
}
