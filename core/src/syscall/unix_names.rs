//! Names of UNIX sockets, which are paths of the guest's tree: [`HostAddress`] for the host, [`for_guest`] back.
//!
//! A name that leads elsewhere in a sysroot goes to the host as the file's own path, which peers of other processes are told
//! too; one that is too long for that as a name in a descriptor's directory. Sources: unix(7), Linux `net/unix/af_unix.c`
//! (`unix_bind_bsd`: a symbolic link at the end is not followed; `unix_find_bsd`: it is).

use crate::abi::Errno;
use crate::abi::socket::{AF_UNIX, UNIX_PATH_MAX};
use crate::fs::Last;
use crate::host::net::Address;
use crate::host::paths::path_of;
use crate::kernel::TaskContext;
use crate::kernel::paths::{AT_FDCWD, HostPath};

/// Where the name begins, behind the family.
const NAME_AT: usize = 2;

/// A socket address as the host is to see it, and what keeps its meaning.
#[derive(Debug)]
pub(super) struct HostAddress {
    bytes: Vec<u8>,
    _hold: Option<HostPath>,
}

impl HostAddress {
    /// No address.
    pub(super) const NONE: Self = Self { bytes: Vec::new(), _hold: None };

    /// The host's address for one of the guest.
    ///
    /// # Errors
    /// Those of path_resolution(7); `ENAMETOOLONG` for a name that the host has no room for.
    pub(super) fn resolve(ctx: &TaskContext, bytes: Vec<u8>, last: Last) -> Result<Self, Errno> {
        let Some(name) = path_in(&bytes) else { return Ok(Self { bytes, _hold: None }) };
        if last == Last::Itself && !name.contains(&b'/') {
            // A new name in the working directory, which is the host's too.
            return Ok(Self { bytes, _hold: None });
        }
        let name = std::ffi::CString::new(name).map_err(|_inner_nul| Errno::EINVAL)?;
        let found = HostPath::resolve(ctx.process(), &ctx.files, AT_FDCWD, name.clone(), last)?;
        if found.object().is_none() && found.directory().is_none() && found.path() == name.as_c_str() {
            return Ok(Self { bytes, _hold: None });
        }
        let direct = match (found.object(), found.directory()) {
            (Some(file), _) => path_of(file)?,
            (None, Some(directory)) => [&path_of(directory)?[..], b"/", found.path().to_bytes()].concat(),
            (None, None) => found.path().to_bytes().to_vec(),
        };
        let short = || found.to_host_string().map(std::ffi::CString::into_bytes);
        let path = if direct.len() < UNIX_PATH_MAX { direct } else { short()? };
        if path.len() >= UNIX_PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        Ok(Self { bytes: named(&path), _hold: Some(found) })
    }

    /// The address for the host.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// An address of the host as the guest is told it, and its length.
pub(super) fn for_guest(ctx: &TaskContext, address: &Address) -> (Vec<u8>, u32) {
    let bytes = address.bytes();
    let root = ctx.process().root();
    match path_in(bytes).filter(|path| path.starts_with(b"/") && !root.is_plain()) {
        Some(path) => {
            let bytes = named(&root.guest_path(path));
            let len = bytes.len() as u32;
            (bytes, len)
        }
        None => (bytes.to_vec(), address.len()),
    }
}

/// The path that an address names, without the end; `None` for other families, abstract names and unnamed sockets.
fn path_in(address: &[u8]) -> Option<&[u8]> {
    let (family, name) = address.split_at_checked(NAME_AT)?;
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    (family == AF_UNIX.to_le_bytes() && len > 0).then(|| &name[..len])
}

/// The address of a path.
fn named(path: &[u8]) -> Vec<u8> {
    [&AF_UNIX.to_le_bytes()[..], path, &[0]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_are_paths() {
        assert_eq!(path_in(&named(b"/run/x")), Some(&b"/run/x"[..]));
        assert_eq!(path_in(b"\x01\0ab"), Some(&b"ab"[..]));
        for other in [&b""[..], b"\x01", b"\x01\0", b"\x01\0\0abstract", b"\x02\0/run/x"] {
            assert_eq!(path_in(other), None, "{other:?}");
        }
    }
}
