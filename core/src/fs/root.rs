//! [`Root`]: what the guest's absolute paths mean, from `--sysroot`, `--bind` and chroot(2).
//!
//! The guest sees one tree. At each component of a path, in this order:
//! 1. a bound place (`--bind HOST:GUEST`; always `/proc`, `/dev`, `/sys` and `/tmp`, which are the host's);
//! 2. the sysroot;
//! 3. the host, where the sysroot has no such name. Not so for the directories of programs ([`PROGRAM_DIRECTORIES`]) of a
//!    sysroot that has programs: a guest that searches `PATH` must not meet programs of another architecture.
//!
//! So a new file is made in the sysroot where its directory exists there, and on the host otherwise. `..` stops at the
//! guest's root, and symbolic links are followed in the guest's tree, wherever they were found. This is a view, no
//! sandbox. Without `--sysroot` and `--bind` paths go to the host as they are. The walk is in [`super::walk`].

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::abi::Errno;
use crate::host::paths;

/// Directories where the host's files never stand in for missing ones.
const PROGRAM_DIRECTORIES: [&[u8]; 7] =
    [b"/bin", b"/sbin", b"/usr/bin", b"/usr/sbin", b"/usr/local/bin", b"/usr/local/sbin", b"/usr/games"];

/// Places that are the host's whatever the sysroot has there.
const HOST_PLACES: [&str; 4] = ["/proc", "/dev", "/sys", "/tmp"];

/// What a [`Root`] is made of; a fork child makes its own from it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct RootConfig {
    /// The directory that stands for `/`.
    pub sysroot: Option<PathBuf>,
    /// No host file stands in for a missing one, and nothing is bound: chroot(2).
    pub is_confined: bool,
    /// Host paths and the guest paths where they appear.
    pub binds: Vec<(PathBuf, PathBuf)>,
}

/// Why there is no such root. The text is "what: why; what to do".
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The sysroot cannot be used.
    #[error("sysroot {}: {why}; name a directory with an AArch64 Linux system", path.display())]
    Sysroot {
        /// As it was given.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A place cannot be bound.
    #[error("bind {}: {why}; write HOST:GUEST with two absolute paths, HOST existing and GUEST in a directory of the guest", path.display())]
    Bind {
        /// The offending path.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A host file that takes part in the guest's tree.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// A reference to it.
    pub(super) file: Arc<OwnedFd>,
    /// Its host path without symbolic links; empty for `/`.
    pub(super) host: Vec<u8>,
}

/// A bound place. The guest path has neither links nor dots.
#[derive(Clone, Debug)]
pub(super) struct Bind {
    pub(super) guest: Vec<u8>,
    pub(super) place: Place,
}

/// The guest's tree of files.
#[derive(Debug)]
pub struct Root {
    config: RootConfig,
    pub(super) sysroot: Option<Place>,
    pub(super) host: Arc<OwnedFd>,
    pub(super) binds: Vec<Bind>,
    has_programs: bool,
}

impl Place {
    fn open(path: &Path) -> Result<Self, Errno> {
        let path = std::fs::canonicalize(path)?;
        let file = Arc::new(paths::open_path(&path)?);
        let mut host = path.into_os_string().into_vec();
        if host == b"/" {
            host.clear();
        }
        Ok(Self { file, host })
    }
}

impl Root {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// [`RootError`] says which path is of no use.
    pub fn new(config: RootConfig) -> Result<Arc<Self>, RootError> {
        let sysroot = config.sysroot.as_deref().map(open_sysroot).transpose()?.filter(|place| !place.host.is_empty());
        let host = paths::open_path(Path::new("/"))
            .map_err(|errno| RootError::Sysroot { path: "/".into(), why: errno.to_string() })?;
        let has_programs = config
            .sysroot
            .as_ref()
            .is_some_and(|sysroot| ["bin", "usr/bin"].iter().any(|directory| sysroot.join(directory).is_dir()));
        let mut root = Self { sysroot, host: Arc::new(host), binds: Vec::new(), has_programs, config: config.clone() };
        if root.config.is_confined || root.sysroot.is_none() && config.binds.is_empty() {
            return Ok(Arc::new(root));
        }
        for place in HOST_PLACES {
            if let Ok(place_on_host) = Place::open(Path::new(place)) {
                root.binds.push(Bind { guest: place.into(), place: place_on_host });
            }
        }
        for (host, guest) in &config.binds {
            root.bind(host, guest)?;
        }
        Ok(Arc::new(root))
    }

    fn bind(&mut self, host: &Path, guest: &Path) -> Result<(), RootError> {
        let error =
            |path: &Path, why: &dyn std::fmt::Display| RootError::Bind { path: path.to_owned(), why: why.to_string() };
        let place = Place::open(host).map_err(|errno| error(host, &errno))?;
        let guest_bytes = guest.as_os_str().as_bytes();
        let Some(name) = guest.file_name().filter(|_| guest.is_absolute()) else {
            return Err(error(guest, &"not an absolute path with a name"));
        };
        // The place's directory as the guest sees it, without links.
        let parent = guest.parent().unwrap_or(Path::new("/")).as_os_str().as_bytes();
        let mut at = CString::new(parent)
            .map_err(|_| Errno::EINVAL)
            .and_then(|parent| self.canonical_guest_path(&parent))
            .map_err(|errno| error(Path::new(std::ffi::OsStr::from_bytes(guest_bytes)), &errno))?;
        at.push(b'/');
        at.extend_from_slice(name.as_bytes());
        self.binds.retain(|bind| bind.guest != at);
        self.binds.push(Bind { guest: at, place });
        Ok(())
    }

    /// What it was made of.
    #[must_use]
    pub const fn config(&self) -> &RootConfig {
        &self.config
    }

    /// The host descriptors behind it.
    pub fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let bound = self.binds.iter().map(|bind| bind.place.file.as_raw_fd());
        bound.chain(self.sysroot.iter().map(|place| place.file.as_raw_fd())).chain([self.host.as_raw_fd()])
    }

    /// The directory that stands for `/`, where there is one.
    #[must_use]
    pub fn sysroot(&self) -> Option<BorrowedFd<'_>> {
        self.sysroot.as_ref().map(|place| place.file.as_fd())
    }

    /// The host paths that take part in the tree, each with the guest path where it appears; the empty one is `/`.
    pub fn places(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let sysroot = self.sysroot.iter().map(|place| (&place.host[..], &b""[..]));
        sysroot.chain(self.binds.iter().map(|bind| (&bind.place.host[..], &bind.guest[..])))
    }

    /// True where paths go to the host as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.sysroot.is_none() && self.binds.is_empty()
    }

    /// The place bound at a guest path.
    pub(super) fn bind_at(&self, guest: &[u8]) -> Option<&Bind> {
        self.binds.iter().find(|bind| bind.guest == guest)
    }

    /// True where the host's file at this guest path may stand in for a missing one.
    pub(super) fn falls_back(&self, guest: &[u8]) -> bool {
        let is_program = || {
            let (directory, _name) = split_last(guest);
            PROGRAM_DIRECTORIES.contains(&directory)
        };
        !(self.config.is_confined || self.has_programs && is_program())
    }

    /// The guest's path of a host path, as getcwd(2) and /proc show it.
    #[must_use]
    pub fn guest_path(&self, host: &[u8]) -> Vec<u8> {
        let rest_of = |(place, guest): (&'_ [u8], &'_ [u8])| {
            let rest = host.strip_prefix(place)?;
            (rest.is_empty() || rest.starts_with(b"/")).then(|| (place.len(), [guest, rest].concat()))
        };
        let deepest = self.places().filter_map(rest_of).max_by_key(|(len, _)| *len);
        match deepest {
            Some((_, guest)) if guest.is_empty() => b"/".to_vec(),
            Some((_, guest)) => guest,
            None => host.to_vec(),
        }
    }
}

/// A guest path without its last component, and that.
pub(super) fn split_last(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

fn open_sysroot(path: &Path) -> Result<Place, RootError> {
    let error = |why: String| RootError::Sysroot { path: path.to_owned(), why };
    let place = Place::open(path).map_err(|errno| error(errno.to_string()))?;
    match paths::kind_of(place.file.as_fd()) {
        Ok(paths::PlaceKind::Directory) => Ok(place),
        Ok(paths::PlaceKind::Link | paths::PlaceKind::Other) => Err(error("not a directory".to_owned())),
        Err(errno) => Err(error(errno.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_paths_become_the_guests() {
        let dir = tempfile::tempdir().unwrap();
        let sysroot = dir.path().join("root");
        std::fs::create_dir_all(sysroot.join("usr")).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        let binds = vec![(dir.path().join("data"), PathBuf::from("/usr/data"))];
        let root = Root::new(RootConfig { sysroot: Some(sysroot.clone()), binds, ..RootConfig::default() }).unwrap();
        let base = std::fs::canonicalize(dir.path()).unwrap();
        let guest = |path: &str| String::from_utf8(root.guest_path(base.join(path).as_os_str().as_bytes())).unwrap();
        assert_eq!(guest("root"), "/");
        assert_eq!(guest("root/usr/x"), "/usr/x");
        assert_eq!(guest("data/y"), "/usr/data/y");
        assert_eq!(guest("rooted"), base.join("rooted").to_str().unwrap());
        assert_eq!(root.guest_path(b"/home/u"), b"/home/u");
    }

    #[test]
    fn what_is_of_no_use_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let error = |config: RootConfig| Root::new(config).unwrap_err().to_string();
        let sysroot = |path: &Path| error(RootConfig { sysroot: Some(path.to_owned()), ..RootConfig::default() });
        assert!(sysroot(&file).contains("not a directory;"));
        assert!(sysroot(&dir.path().join("none")).contains("No such file"));
        let bind = |host: &Path, guest: &str| {
            error(RootConfig { binds: vec![(host.to_owned(), guest.into())], ..RootConfig::default() })
        };
        assert!(bind(&dir.path().join("none"), "/x").contains("No such file"));
        assert!(bind(&file, "x").contains("absolute"));
        assert!(bind(&file, "/no-such-directory/x").contains("No such file"));
    }

    #[test]
    fn nothing_asked_for_is_plain() {
        assert!(Root::new(RootConfig::default()).unwrap().is_plain());
        assert!(Root::new(RootConfig { sysroot: Some("/".into()), ..RootConfig::default() }).unwrap().is_plain());
    }
}
