//! Paths of the guest: from argument registers to a host directory and a host path.
//!
//! Two names mean the guest's objects, not elfuse's own: `/proc/self/exe` is the guest's program, and `/proc/self/fd/N`
//! (or `/dev/fd/N`) its descriptor N. Everything else goes to the host as it is.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use super::Args;
use crate::abi::{Errno, Fd};
use crate::host::sys::DirFd;
use crate::kernel::TaskContext;
use crate::kernel::fd_table::OpenFile;

/// `AT_FDCWD`.
const AT_FDCWD: i32 = -100;

/// A path argument, resolved as far as elfuse is concerned.
pub(super) struct GuestPath {
    directory: Option<Arc<OpenFile>>,
    path: CString,
}

impl GuestPath {
    /// The path at argument `index`, relative to the directory at argument `index - 1`.
    ///
    /// # Errors
    /// `EFAULT`, `ENAMETOOLONG`, `EBADF`.
    pub(super) fn at(ctx: &TaskContext, args: &Args, index: usize) -> Result<Self, Errno> {
        let path = args.path(ctx.memory(), index)?;
        // An absolute path has no use for the directory, which may then be anything.
        let is_relative = path.to_bytes().first() != Some(&b'/');
        let directory = match index.checked_sub(1).map(|index| args.fd(index)) {
            Some(fd) if is_relative && fd != Fd(AT_FDCWD) => Some(ctx.files.get(fd)?),
            Some(_) | None => None,
        };
        Ok(Self { directory, path: substitute(ctx, path)? })
    }

    /// The path at argument `index`, relative to the working directory.
    ///
    /// # Errors
    /// `EFAULT`, `ENAMETOOLONG`.
    pub(super) fn cwd(ctx: &TaskContext, args: &Args, index: usize) -> Result<Self, Errno> {
        Ok(Self { directory: None, path: substitute(ctx, args.path(ctx.memory(), index)?)? })
    }

    /// The directory that the path is relative to.
    pub(super) fn directory(&self) -> DirFd<'_> {
        self.directory.as_deref().map(AsFd::as_fd)
    }

    /// The path for the host.
    pub(super) fn path(&self) -> &CStr {
        &self.path
    }
}

/// What a name below `/proc` means for the guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProcName {
    /// The program.
    Executable,
    /// A descriptor.
    Descriptor(Fd),
}

/// Recognises the names that mean the guest's objects; `pid` is its process id.
pub(super) fn proc_name(path: &[u8], pid: i32) -> Option<ProcName> {
    let text = std::str::from_utf8(path).ok()?;
    let descriptor = |number: &str| number.parse().ok().filter(|fd| *fd >= 0).map(|fd| ProcName::Descriptor(Fd(fd)));
    if let Some(number) = text.strip_prefix("/dev/fd/") {
        return descriptor(number);
    }
    let (owner, name) = text.strip_prefix("/proc/")?.split_once('/')?;
    if owner != "self" && owner != "thread-self" && owner.parse() != Ok(pid) {
        return None;
    }
    match name {
        "exe" => Some(ProcName::Executable),
        other => descriptor(other.strip_prefix("fd/")?),
    }
}

fn substitute(ctx: &TaskContext, path: CString) -> Result<CString, Errno> {
    match proc_name(path.to_bytes(), ctx.process().pid().0) {
        None => Ok(path),
        Some(ProcName::Executable) => {
            CString::new(ctx.process().image().path.into_os_string().into_vec()).map_err(|_| Errno::ENOENT)
        }
        Some(ProcName::Descriptor(fd)) => {
            let file = ctx.files.get(fd).map_err(|_| Errno::ENOENT)?;
            CString::new(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())).map_err(|_| Errno::ENOENT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_special() {
        assert_eq!(proc_name(b"/proc/self/exe", 7), Some(ProcName::Executable));
        assert_eq!(proc_name(b"/proc/7/exe", 7), Some(ProcName::Executable));
        assert_eq!(proc_name(b"/proc/8/exe", 7), None);
        assert_eq!(proc_name(b"/proc/self/fd/12", 7), Some(ProcName::Descriptor(Fd(12))));
        assert_eq!(proc_name(b"/dev/fd/0", 7), Some(ProcName::Descriptor(Fd(0))));
        for other in [&b"/dev/fd/-1"[..], b"/dev/fd/x", b"/proc/self/fd/", b"/proc/self/maps", b"/proc/", b"", b"\xff"]
        {
            assert_eq!(proc_name(other, 7), None);
        }
    }
}
