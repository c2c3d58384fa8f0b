//! `mountinfo` and `mounts`: what is mounted in the guest's tree. The sysroot is mounted at `/`, each bound place where it
//! appears, and the host's mounts are where the guest meets them; those that it does not meet are not shown.
//!
//! Sources: proc_pid_mountinfo(5), proc_pid_mounts(5), `fs/proc_namespace.c` of Linux.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::path::Path;

use super::Subject;
use crate::abi::Errno;
use crate::fs::{Found, Last, Root};
use crate::host::paths::{self, WORKING_DIRECTORY};

/// A line of `mountinfo`, paths without escapes.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mount {
    id: u64,
    parent: u64,
    device: String,
    /// The directory of the file system that is mounted.
    root: Vec<u8>,
    /// Where it is mounted.
    point: Vec<u8>,
    options: String,
    /// `shared:N` and its kin, with a space behind each.
    propagation: String,
    kind: String,
    source: String,
    super_options: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut fields = mount.splitn(7, ' ');
        let mut next = || fields.next();
        let (id, parent, device) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.to_owned());
        let (root, point, options) = (unescape(next()?), unescape(next()?), next()?.to_owned());
        let propagation = next().map(|fields| format!("{} ", fields.trim_end())).unwrap_or_default();
        let mut system = system.splitn(3, ' ').map(str::to_owned);
        let (kind, source, super_options) = (system.next()?, system.next()?, system.next()?);
        Some(Self { id, parent, device, root, point, options, propagation, kind, source, super_options })
    }

    fn info(&self) -> String {
        format!(
            "{} {} {} {} {} {} {}- {} {} {}\n",
            self.id,
            self.parent,
            self.device,
            escape(&self.root),
            escape(&self.point),
            self.options,
            self.propagation,
            self.kind,
            self.source,
            self.super_options
        )
    }

    /// The older form: one list of options, in which either side may say `ro`.
    fn line(&self) -> String {
        let split = |options: &str| {
            let (first, rest) = options.split_once(',').unwrap_or((options, ""));
            (first == "ro", rest.to_owned())
        };
        let ((is_mount_ro, mount), (is_system_ro, system)) = (split(&self.options), split(&self.super_options));
        let access = if is_mount_ro || is_system_ro { "ro" } else { "rw" };
        let options = [access, &mount, &system].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        format!("{} {} {} {} 0 0\n", self.source, escape(&self.point), self.kind, options.join(","))
    }
}

/// `\040` and its kin.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[3..] } else { tail };
    }
    bytes
}

fn escape(path: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => bytes.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is behind a path that is `path` or has it at its beginning.
fn below<'path>(path: &'path [u8], prefix: &[u8]) -> Option<&'path [u8]> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// A directory of the host, and where the guest sees it; both without a slash at their end.
struct Place<'root> {
    host: &'root [u8],
    guest: &'root [u8],
}

/// The guest's mounts, those above before those below. `is_met` says whether the guest finds at a host path what the host has
/// there.
fn translate(host: &[Mount], places: &[Place<'_>], is_met: impl Fn(&[u8]) -> bool) -> Vec<Mount> {
    let mut next_id = host.iter().map(|mount| mount.id).max().unwrap_or(0);
    let mut seen: Vec<Mount> = Vec::new();
    for place in places {
        let point = if place.guest.is_empty() { b"/".to_vec() } else { place.guest.to_vec() };
        // Of several mounts in one place the last is on top.
        let containing = host.iter().rev().filter_map(|mount| Some((mount, below(place.host, &mount.point)?)));
        let Some((mount, rest)) = containing.min_by_key(|(_, rest)| rest.len()) else { continue };
        let mut root = mount.root.clone();
        let mut id = mount.id;
        if !rest.is_empty() {
            next_id += 1;
            id = next_id;
            root = [root.strip_suffix(b"/").unwrap_or(&root), rest].concat();
        }
        seen.push(Mount { id, root, point, ..mount.clone() });
    }
    for mount in host.iter().filter(|mount| places.iter().all(|place| below(&mount.point, place.host) != Some(b""))) {
        let rest_of = |place: &Place<'_>| Some((place.guest.to_vec(), below(&mount.point, place.host)?.to_vec()));
        let deepest = places.iter().filter_map(rest_of).min_by_key(|(_, rest)| rest.len());
        let (above, point) = match deepest {
            Some((guest, rest)) => (guest.clone(), [guest, rest].concat()),
            None if is_met(&mount.point) => (Vec::new(), mount.point.clone()),
            None => continue,
        };
        let is_hidden = |place: &Place<'_>| place.guest.len() > above.len() && below(&point, place.guest).is_some();
        if !places.iter().any(is_hidden) {
            seen.push(Mount { point, ..mount.clone() });
        }
    }
    seen.sort_by_key(|mount| mount.point.len());
    let above = |point: &[u8]| {
        let proper = seen.iter().filter(|other| below(point, &other.point).is_some_and(|rest| !rest.is_empty()));
        proper.max_by_key(|other| other.point.len()).map(|other| other.id)
    };
    let parents: Vec<_> = seen.iter().map(|mount| above(&mount.point).unwrap_or(mount.parent)).collect();
    seen.into_iter().zip(parents).map(|(mount, parent)| Mount { parent, ..mount }).collect()
}

/// True where the guest finds at a host path the very file that the host has there.
fn is_met(root: &Root, host: &[u8]) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = CString::new(host) else { return false };
    let Ok(of_host) = paths::open_path(Path::new(std::ffi::OsStr::from_bytes(host))) else { return false };
    match root.resolve(WORKING_DIRECTORY, &path, Last::Follow) {
        Ok(Found::Object(file)) => paths::is_same(file.as_fd(), of_host.as_fd()),
        Ok(Found::Entry { .. } | Found::Proc(_)) | Err(_) => false,
    }
}

/// The host's file of this name where the guest's tree is the host's, and the guest's mounts in that form otherwise.
fn file(subject: &Subject<'_>, name: &str, form: impl Fn(&Mount) -> String) -> Result<Vec<u8>, Errno> {
    let of_host = |name: &str| std::fs::read(format!("/proc/self/task/{}/{name}", subject.tid));
    let root = subject.ctx.process().root();
    if root.is_plain() {
        return Ok(of_host(name)?);
    }
    let text = of_host("mountinfo")?;
    let host: Vec<_> = String::from_utf8_lossy(&text).lines().filter_map(Mount::parse).collect();
    let places: Vec<_> = root.places().map(|(host, guest)| Place { host, guest }).collect();
    let mounts = translate(&host, &places, |path| is_met(&root, path));
    Ok(mounts.iter().map(form).collect::<String>().into_bytes())
}

pub(super) fn mountinfo(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    file(subject, "mountinfo", Mount::info)
}

pub(super) fn mounts(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    file(subject, "mounts", Mount::line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "\
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,errors=continue\n\
        22 27 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n\
        26 24 0:24 / /dev/pts rw,relatime - devpts devpts rw,mode=600\n\
        24 27 0:6 / /dev rw - devtmpfs devtmpfs rw\n\
        30 27 8:1 /home /home rw,relatime shared:1 master:2 - xfs /dev/sda ro,a b=c\n\
        31 27 0:40 / /srv/arm64/var/cache rw - tmpfs tmpfs rw\n\
        32 27 0:41 / /srv/arm64/dev rw - tmpfs tmpfs rw\n\
        33 27 0:42 / /with\\040space rw - tmpfs tmpfs rw\n";

    fn host() -> Vec<Mount> {
        HOST.lines().map(|line| Mount::parse(line).unwrap()).collect()
    }

    fn points(mounts: &[Mount]) -> Vec<(u64, u64, String, String)> {
        mounts.iter().map(|mount| (mount.id, mount.parent, escape(&mount.root), escape(&mount.point))).collect()
    }

    #[test]
    fn lines_are_read_and_written_alike() {
        let text: String = host().iter().map(Mount::info).collect();
        assert_eq!(text, HOST);
        let line = |index: usize| host()[index].line();
        assert_eq!(line(0), "/dev/vda / ext4 rw,relatime,errors=continue 0 0\n");
        assert_eq!(line(4), "/dev/sda /home xfs ro,relatime,a b=c 0 0\n");
        assert_eq!(line(7), "tmpfs /with\\040space tmpfs rw 0 0\n");
        assert_eq!(unescape("a\\\\134b\\9"), b"a\\\\b\\9");
        assert!(Mount::parse("").is_none() && Mount::parse("1 2 3 - x").is_none());
    }

    #[test]
    fn the_sysroot_and_bound_places_are_mounts() {
        let place = |host: &'static str, guest: &'static str| Place { host: host.as_bytes(), guest: guest.as_bytes() };
        let places =
            [place("/srv/arm64", ""), place("/proc", "/proc"), place("/dev", "/dev"), place("/home/u/x", "/mnt/x")];
        let mounts = translate(&host(), &places, |path| path == b"/home");
        let expected = [
            (34, 1, "/srv/arm64", "/"),
            (22, 34, "/", "/proc"),
            (24, 34, "/", "/dev"),
            (30, 34, "/home", "/home"),
            (35, 34, "/home/u/x", "/mnt/x"),
            (26, 24, "/", "/dev/pts"),
            (31, 34, "/", "/var/cache"),
        ];
        let mut seen = points(&mounts);
        seen.sort_by_key(|(id, ..)| *id);
        let mut expected = expected.map(|(id, parent, root, point)| (id, parent, root.to_owned(), point.to_owned()));
        expected.sort_by_key(|(id, ..)| *id);
        // The sysroot's own /dev is hidden.
        assert_eq!(seen, expected);
        assert_eq!(mounts[0].point, b"/");
    }
}
