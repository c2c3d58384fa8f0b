//! The path walk: from a path of the guest to a file of the host, by [`Root::resolve`].
//!
//! Where the host can walk a whole path by itself within bounds ([`super::host_walk`]), it does; what it does not find, or
//! what leads out of bounds, is walked here component by component, as [`super::root`] describes the tree. Nothing is cached,
//! so nothing goes stale. Source: path_resolution(7).

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::root::{Bind, Root, split_last};
use crate::abi::Errno;
use crate::host::paths::{self, PlaceKind, WORKING_DIRECTORY};

/// Most symbolic links of one path (`MAXSYMLINKS`).
const LINKS_MAX: u32 = 40;

/// What a call does with a symbolic link at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// Follows it.
    Follow,
    /// Acts on the link, or on the name: lstat, unlink, rename, mkdir, ...
    Itself,
}

/// Where a path leads.
#[derive(Debug)]
pub enum Found {
    /// A file, by reference.
    Object(Arc<OwnedFd>),
    /// A name in a directory; no symbolic link where links were to be followed, and perhaps not there.
    Entry {
        /// The directory.
        directory: Arc<OwnedFd>,
        /// The name, with a slash behind it where the path has one.
        name: CString,
    },
    /// A name in `/proc`, without dots.
    Proc(Vec<u8>),
}

/// Where the files of a directory come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    Sysroot,
    Bound,
    Host,
}

struct Level {
    directory: Arc<OwnedFd>,
    layer: Layer,
    /// Length of the guest path up to here.
    guest_len: usize,
}

impl Root {
    /// Finds what `path` means for the guest; relative paths begin at the directory `base`
    /// ([`WORKING_DIRECTORY`] for the working directory).
    ///
    /// # Errors
    /// As path_resolution(7): `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `ENAMETOOLONG`, ...
    pub fn resolve(&self, base: BorrowedFd<'_>, path: &CStr, last: Last) -> Result<Found, Errno> {
        let bytes = path.to_bytes();
        if bytes.is_empty() {
            return Err(Errno::ENOENT);
        }
        match self.by_the_host(base, path, last) {
            Err(Errno::ENOENT | Errno::EXDEV | Errno::ELOOP | Errno::ENOSYS | Errno::EAGAIN) => {}
            answer => return answer,
        }
        if bytes.starts_with(b"/") {
            return Walk::at_root(self).go(bytes, last);
        }
        let guest = self.guest_path(&host_path(base)?);
        if guest.starts_with(b"/proc/") && self.bind_at(b"/proc").is_some() {
            // Where links of /proc lead is no path: what is left begins at their name.
            return Walk::at_root(self).go(&[&guest[..], b"/", bytes].concat(), last);
        }
        Walk::at(self, base, guest)?.go(bytes, last)
    }

    /// The guest path of an existing file, without symbolic links and dots; empty for `/`.
    ///
    /// # Errors
    /// As [`Root::resolve`].
    pub(super) fn canonical_guest_path(&self, path: &CStr) -> Result<Vec<u8>, Errno> {
        let mut walk = Walk::at_root(self);
        match walk.go(path.to_bytes(), Last::Follow)? {
            Found::Entry { .. } => Err(Errno::ENOENT),
            Found::Object(_) => Ok(walk.guest),
            Found::Proc(path) => Ok(path),
        }
    }
}

/// The host's path of an open directory, or of the working directory.
fn host_path(base: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
    let is_cwd = std::os::fd::AsRawFd::as_raw_fd(&base) == std::os::fd::AsRawFd::as_raw_fd(&WORKING_DIRECTORY);
    if is_cwd { paths::working_directory() } else { paths::path_of(base) }
}

pub(super) fn c_string(bytes: &[u8]) -> Result<CString, Errno> {
    CString::new(bytes).map_err(|_inner_nul| Errno::EINVAL)
}

/// A walk in progress.
struct Walk<'root> {
    root: &'root Root,
    /// The guest path so far, empty for `/`.
    guest: Vec<u8>,
    /// The directories of that path, the root first.
    levels: Vec<Level>,
    /// Components still to walk, the next one last.
    pending: Vec<Vec<u8>>,
    /// The path ends with a slash or a dot: it must be a directory.
    wants_directory: bool,
    links: u32,
}

/// What a component turned out to be.
enum Step {
    Further,
    Done(Found),
}

impl<'root> Walk<'root> {
    fn at_root(root: &'root Root) -> Self {
        let top = match &root.sysroot {
            Some(sysroot) => Level { directory: sysroot.file.clone(), layer: Layer::Sysroot, guest_len: 0 },
            None => Level { directory: root.host.clone(), layer: Layer::Host, guest_len: 0 },
        };
        let (guest, pending) = (Vec::new(), Vec::new());
        Self { root, guest, levels: vec![top], pending, wants_directory: false, links: 0 }
    }

    /// A walk that begins in an open directory, whose path for the guest is `guest`.
    fn at(root: &'root Root, base: BorrowedFd<'_>, guest: Vec<u8>) -> Result<Self, Errno> {
        let directory = Arc::new(paths::open_place(base, c".")?);
        let mut walk = Self::at_root(root);
        // The way there gives `..` its meaning. Where there is none, `..` leads to the root.
        let is_reached = matches!(walk.go(&guest, Last::Follow), Ok(Found::Object(_))) && walk.guest == guest;
        if guest == b"/" {
            return Ok(Self::at_root(root));
        }
        if !is_reached {
            walk = Self::at_root(root);
            walk.guest = guest;
            walk.levels.push(Level { directory, layer: Layer::Host, guest_len: walk.guest.len() });
        } else if let Some(top) = walk.levels.last_mut() {
            if !paths::is_same(top.directory.as_fd(), directory.as_fd()) {
                top.layer = Layer::Host;
            }
            top.directory = directory;
        }
        (walk.pending, walk.wants_directory, walk.links) = (Vec::new(), false, 0);
        Ok(walk)
    }

    fn push_components(&mut self, path: &[u8]) {
        let is_last = self.pending.is_empty();
        if is_last && matches!(split_last(path).1, b"" | b"." | b"..") {
            self.wants_directory = true;
        }
        let components = path.split(|byte| *byte == b'/').rev().filter(|name| !matches!(*name, b"" | b"."));
        self.pending.extend(components.map(<[u8]>::to_vec));
    }

    fn go(&mut self, path: &[u8], last: Last) -> Result<Found, Errno> {
        self.push_components(path);
        while let Some(name) = self.pending.pop() {
            if name == b".." {
                self.up();
                continue;
            }
            if let Step::Done(found) = self.step(&name, last)? {
                return Ok(found);
            }
        }
        let top = self.levels.last().ok_or(Errno::ENOENT)?;
        Ok(Found::Object(top.directory.clone()))
    }

    fn up(&mut self) {
        if self.levels.len() > 1 {
            self.levels.pop();
            let len = self.levels.last().map_or(0, |level| level.guest_len);
            self.guest.truncate(len);
        }
    }

    fn step(&mut self, name: &[u8], last: Last) -> Result<Step, Errno> {
        let child = [&self.guest[..], b"/", name].concat();
        if child == b"/proc" && self.root.bind_at(&child).is_some() {
            return Ok(self.proc(child));
        }
        let is_last = self.pending.is_empty();
        let c_name = c_string(name)?;
        let (file, layer) = match self.look_up(&child, &c_name) {
            Ok(found) => found,
            Err(Errno::ENOENT) if is_last => return self.entry(name).map(Step::Done),
            Err(errno) => return Err(errno),
        };
        match paths::kind_of(file.as_fd())? {
            PlaceKind::Link if !is_last || last == Last::Follow || self.wants_directory => {
                self.links += 1;
                if self.links > LINKS_MAX {
                    return Err(Errno::ELOOP);
                }
                let target = paths::link_target(file.as_fd())?;
                if target.starts_with(b"/") {
                    self.levels.truncate(1);
                    self.guest.clear();
                }
                self.push_components(&target);
                Ok(Step::Further)
            }
            PlaceKind::Directory if !is_last || last == Last::Follow => {
                self.guest = child;
                self.levels.push(Level { directory: file, layer, guest_len: self.guest.len() });
                Ok(Step::Further)
            }
            PlaceKind::Link | PlaceKind::Other if !is_last || self.wants_directory => Err(Errno::ENOTDIR),
            PlaceKind::Directory | PlaceKind::Link | PlaceKind::Other => {
                self.last_of(child, name, file, layer, last).map(Step::Done)
            }
        }
    }

    /// The end of the path, which exists.
    fn last_of(
        &mut self,
        child: Vec<u8>,
        name: &[u8],
        file: Arc<OwnedFd>,
        layer: Layer,
        last: Last,
    ) -> Result<Found, Errno> {
        let top = self.levels.last().ok_or(Errno::ENOENT)?;
        let is_bound = self.root.bind_at(&child).is_some();
        if last == Last::Follow || is_bound {
            self.guest = child;
            return Ok(Found::Object(file));
        }
        if layer == top.layer {
            return self.entry(name);
        }
        // The host's, in a directory that the sysroot has too.
        let directory = paths::open_place(self.root.host.as_fd(), &host_relative(&self.guest)?)?;
        Ok(Found::Entry { directory: Arc::new(directory), name: c_string(name)? })
    }

    fn entry(&self, name: &[u8]) -> Result<Found, Errno> {
        let top = self.levels.last().ok_or(Errno::ENOENT)?;
        let slash: &[u8] = if self.wants_directory { b"/" } else { b"" };
        Ok(Found::Entry { directory: top.directory.clone(), name: c_string(&[name, slash].concat())? })
    }

    fn look_up(&self, child: &[u8], name: &CStr) -> Result<(Arc<OwnedFd>, Layer), Errno> {
        if let Some(Bind { place, .. }) = self.root.bind_at(child) {
            return Ok((place.file.clone(), Layer::Bound));
        }
        let top = self.levels.last().ok_or(Errno::ENOENT)?;
        match paths::open_place(top.directory.as_fd(), name) {
            Ok(file) => Ok((Arc::new(file), top.layer)),
            Err(Errno::ENOENT) if top.layer == Layer::Sysroot && self.root.falls_back(child) => {
                match paths::open_place(self.root.host.as_fd(), &host_relative(child)?) {
                    Ok(file) => Ok((Arc::new(file), Layer::Host)),
                    Err(Errno::ENOTDIR) => Err(Errno::ENOENT),
                    Err(errno) => Err(errno),
                }
            }
            Err(errno) => Err(errno),
        }
    }

    /// A name in `/proc`: what is left of the path, unless it leads out again.
    fn proc(&mut self, child: Vec<u8>) -> Step {
        let mut path = child;
        let start_len = path.len();
        while let Some(name) = self.pending.pop() {
            if name != b".." {
                path.push(b'/');
                path.extend_from_slice(&name);
            } else if path.len() == start_len {
                return Step::Further;
            } else {
                path.truncate(split_last(&path).0.len());
            }
        }
        Step::Done(Found::Proc(path))
    }
}

/// A guest path as the host takes it from its root.
fn host_relative(guest: &[u8]) -> Result<CString, Errno> {
    c_string(match guest {
        b"" => b".",
        guest => &guest[1..],
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::super::root::RootConfig;
    use super::*;

    struct Tree {
        dir: tempfile::TempDir,
        root: Arc<Root>,
    }

    /// A sysroot beside files of the host. `/outside` of the guest is the host's `data`.
    fn tree() -> Tree {
        let dir = tempfile::Builder::new().prefix("walk").tempdir_in("/var/tmp").unwrap();
        let at = |path: &str| dir.path().join(path);
        for path in
            ["root/usr/bin", "root/usr/lib", "root/etc", "root/proc", "root/var/tmp", "root/outside", "data/deep"]
        {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        // What is below `root/outside` is hidden.
        for path in
            ["root/usr/lib/libc", "root/etc/name", "root/outside/file", "data/file", "data/deep/file", "host-only"]
        {
            std::fs::write(at(path), path).unwrap();
        }
        for (target, link) in [
            ("usr/lib", "root/lib"),
            ("/usr/lib/libc", "root/absolute"),
            ("../../../../../etc/name", "root/escaping"),
            ("loop-b", "root/loop-a"),
            ("loop-a", "root/loop-b"),
            ("/nowhere/new", "root/dangling"),
            ("/outside/file", "root/to-bound"),
            ("outside", "root/to-place"),
            ("../proc/self/mounts", "root/etc/mtab"),
            ("/usr/lib/libc", "data/back"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        let binds = vec![(at("data"), "/outside".into())];
        let config = RootConfig { sysroot: Some(at("root")), binds, ..RootConfig::default() };
        let root = Root::new(config).unwrap();
        Tree { dir, root }
    }

    impl Tree {
        /// The host path of what is found, below the tree's directory; `?` where it is not there.
        fn find(&self, base: BorrowedFd<'_>, path: &str, last: Last) -> Result<String, Errno> {
            let top = std::fs::canonicalize(self.dir.path()).unwrap();
            let shown = |path: &Path| path.strip_prefix(&top).unwrap_or(path).to_str().unwrap().to_owned();
            let host =
                |fd: BorrowedFd<'_>| shown(Path::new(std::str::from_utf8(&paths::path_of(fd).unwrap()).unwrap()));
            Ok(match self.root.resolve(base, &CString::new(path).unwrap(), last)? {
                Found::Object(file) => host(file.as_fd().as_fd()),
                Found::Entry { directory, name } => {
                    let there = paths::open_place(directory.as_fd(), &name).is_ok();
                    let name = name.to_str().unwrap();
                    format!("{}/{name}{}", host(directory.as_fd().as_fd()), if there { "" } else { "?" })
                }
                Found::Proc(path) => String::from_utf8(path).unwrap(),
            })
        }

        fn follow(&self, path: &str) -> Result<String, Errno> {
            self.find(WORKING_DIRECTORY, path, Last::Follow)
        }

        fn itself(&self, path: &str) -> Result<String, Errno> {
            self.find(WORKING_DIRECTORY, path, Last::Itself)
        }
    }

    #[test]
    fn links_and_dots_stay_in_the_guests_tree() {
        let tree = tree();
        let libc = Ok("root/usr/lib/libc".to_owned());
        for path in ["/lib/libc", "/absolute", "/../../lib/libc", "//usr/./lib/../lib/libc", "/outside/back"] {
            assert_eq!(tree.follow(path), libc, "{path}");
        }
        assert_eq!(tree.follow("/escaping"), Ok("root/etc/name".to_owned()));
        assert_eq!(tree.follow("/.."), Ok("root".to_owned()));
        assert_eq!(tree.follow("/loop-a"), Err(Errno::ELOOP));
        assert_eq!(tree.follow("/etc/name/x"), Err(Errno::ENOTDIR));
        assert_eq!(tree.follow("/etc/name/"), Err(Errno::ENOTDIR));
        assert_eq!(tree.itself("/absolute"), Ok("root/absolute".to_owned()));
        assert_eq!(tree.follow(""), Err(Errno::ENOENT));
    }

    #[test]
    fn bound_places_are_where_they_were_put() {
        let tree = tree();
        for path in ["/outside/file", "/to-bound", "/to-place/file", "/usr/../outside/./file", "/outside/deep/../file"]
        {
            assert_eq!(tree.follow(path), Ok("data/file".to_owned()), "{path}");
        }
        assert_eq!(tree.follow("/outside/.."), Ok("root".to_owned()));
        assert_eq!(tree.follow("/outside/../etc/name"), Ok("root/etc/name".to_owned()));
        assert_eq!(tree.follow("/to-place"), Ok("data".to_owned()));
        assert_eq!(tree.itself("/to-place/file"), Ok("data/file".to_owned()));
        assert_eq!(tree.itself("/outside"), Ok("data".to_owned()));
        assert_eq!(tree.itself("/outside/new"), Ok("data/new?".to_owned()));
    }

    #[test]
    fn the_host_stands_in_for_what_is_missing() {
        let tree = tree();
        let on_host = tree.dir.path().join("host-only");
        assert_eq!(tree.follow(on_host.to_str().unwrap()), Ok("host-only".to_owned()));
        assert_eq!(tree.itself(on_host.to_str().unwrap()), Ok("/host-only".to_owned()));
        // A new file is made where its directory is: in the sysroot first.
        assert_eq!(tree.follow("/etc/no-such-file-anywhere"), Ok("root/etc/no-such-file-anywhere?".to_owned()));
        let new = tree.dir.path().join("new");
        assert_eq!(tree.itself(new.to_str().unwrap()), Ok("/new?".to_owned()));
        assert_eq!(tree.follow("/dangling"), Err(Errno::ENOENT));
        // Programs of the host are none of the guest's.
        assert_eq!(tree.follow("/usr/bin/env"), Ok("root/usr/bin/env?".to_owned()));
        assert_eq!(tree.follow("/usr/share").unwrap(), "/usr/share");
    }

    #[test]
    fn relative_paths_begin_where_the_directory_is() {
        let tree = tree();
        let open = |path: &str| paths::open_path(&tree.dir.path().join(path)).unwrap();
        let lib = open("root/usr/lib");
        assert_eq!(tree.find(lib.as_fd(), "libc", Last::Follow), Ok("root/usr/lib/libc".to_owned()));
        assert_eq!(tree.find(lib.as_fd(), "../../../../etc/name", Last::Follow), Ok("root/etc/name".to_owned()));
        assert_eq!(tree.find(lib.as_fd(), "../../outside/file", Last::Follow), Ok("data/file".to_owned()));
        let deep = open("data/deep");
        assert_eq!(tree.find(deep.as_fd(), "../../etc/name", Last::Follow), Ok("root/etc/name".to_owned()));
        assert_eq!(tree.find(deep.as_fd(), "../back", Last::Follow), Ok("root/usr/lib/libc".to_owned()));
        assert_eq!(tree.find(deep.as_fd(), "new", Last::Itself), Ok("data/deep/new?".to_owned()));
        assert_eq!(tree.find(deep.as_fd(), "new/", Last::Itself), Ok("data/deep/new/?".to_owned()));
        let outside = open("");
        assert_eq!(tree.find(outside.as_fd(), "host-only", Last::Follow), Ok("host-only".to_owned()));
        assert_eq!(
            tree.find(outside.as_fd(), "../../../../absolute", Last::Follow),
            Ok("root/usr/lib/libc".to_owned())
        );
    }

    #[test]
    fn names_in_proc_are_handed_out() {
        let tree = tree();
        for (path, expected) in [
            ("/proc/self/exe", "/proc/self/exe"),
            ("/etc/mtab", "/proc/self/mounts"),
            ("/proc//self/./fd/../maps", "/proc/self/maps"),
            ("/dev/fd/3", "/proc/self/fd/3"),
            ("/proc/../etc/name", "root/etc/name"),
        ] {
            assert_eq!(tree.follow(path), Ok(expected.to_owned()), "{path}");
        }
        // A link of another process that is no path.
        let own = paths::open_path(Path::new(&format!("/proc/{}", std::process::id()))).unwrap();
        let found = tree.find(own.as_fd(), "ns/mnt", Last::Follow);
        assert_eq!(found, Ok(format!("/proc/{}/ns/mnt", std::process::id())));
    }
}
