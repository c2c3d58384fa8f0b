//! The walk of a whole path by the host, within bounds: what [`Root::resolve`] tries first. Source: openat2(2).

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::root::{Bind, Root, split_last};
use super::walk::{Found, Last, c_string};
use crate::abi::Errno;
use crate::host::paths::{self, Links, Scope};

impl Root {
    /// Lets the host walk the path where it can, and where no bound place may be on the way.
    pub(super) fn by_the_host(&self, base: BorrowedFd<'_>, path: &CStr, last: Last) -> Result<Found, Errno> {
        let bytes = path.to_bytes();
        let (start, scope) = if bytes.starts_with(b"/") {
            let sysroot = self.sysroot.as_ref().ok_or(Errno::ENOSYS)?;
            (sysroot.file.as_fd(), Scope::InRoot)
        } else {
            (base, Scope::Beneath)
        };
        let is_bound = |component: &[u8]| self.binds.iter().any(|bind| split_last(&bind.guest).1 == component);
        if bytes.split(|byte| *byte == b'/').any(is_bound) {
            return Err(Errno::ENOSYS);
        }
        if last == Last::Follow {
            return Ok(Found::Object(Arc::new(self.host_walk(start, path, scope)?)));
        }
        let (parent, name) = split_last(bytes);
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno::ENOSYS);
        }
        let parent = match parent {
            b"" if scope == Scope::InRoot => c"/".to_owned(),
            b"" => c".".to_owned(),
            parent => c_string(parent)?,
        };
        let name = c_string(name)?;
        let directory = self.host_walk(start, &parent, scope)?;
        let _is_there = paths::open_place(directory.as_fd(), &name)?;
        Ok(Found::Entry { directory: Arc::new(directory), name })
    }

    /// The host's walk, which a symbolic link may lead past a bound place to what that hides: `ENOSYS` then.
    fn host_walk(&self, start: BorrowedFd<'_>, path: &CStr, scope: Scope) -> Result<OwnedFd, Errno> {
        match paths::walk(start, path, scope, Links::Refuse) {
            Err(Errno::ELOOP) => {}
            answer => return answer,
        }
        let file = paths::walk(start, path, scope, Links::Follow)?;
        let host = paths::path_of(file.as_fd())?;
        if self.is_hidden(&host) { Err(Errno::ENOSYS) } else { Ok(file) }
    }

    /// True for a file of the sysroot at or below a guest path where something else is bound.
    fn is_hidden(&self, host: &[u8]) -> bool {
        let Some(guest) = self.sysroot.as_ref().and_then(|sysroot| host.strip_prefix(&sysroot.host[..])) else {
            return false;
        };
        let is_at = |bind: &Bind| {
            guest.strip_prefix(&bind.guest[..]).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.binds.iter().any(is_at)
    }
}
