//! The host's errors as Linux's: conversions between [`Errno`], `io::Error` and `nix`'s error, and their texts.
//!
//! On Linux the numbers are the same. Sources: intro(2) of macOS, `<sys/errno.h>`.

use std::io;

use crate::abi::Errno;

#[cfg(target_os = "linux")]
mod imp {
    pub(super) const fn to_linux(host: i32) -> i32 {
        host
    }

    pub(super) const fn to_host(linux: i32) -> i32 {
        linux
    }
}

#[cfg(target_os = "macos")]
#[path = "macos/errno.rs"]
mod imp;

/// The error that an `io::Error` of the host stands for, `EIO` where it is none of the host's.
#[must_use]
pub fn of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, |number| Errno::from_raw(imp::to_linux(number)))
}

impl From<nix::errno::Errno> for Errno {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::from_raw(imp::to_linux(errno as i32))
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        of(&error)
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(imp::to_host(errno.raw().into()))
    }
}

/// A host error in words, without the number that its own text ends with.
#[must_use]
pub fn io_text(error: &io::Error) -> String {
    let text = error.raw_os_error().and_then(|_number| of(error).text());
    text.map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_host_are_linuxs_and_come_back() {
        assert_eq!(Errno::from(nix::errno::Errno::EAGAIN), Errno::EAGAIN);
        assert_eq!(Errno::from(nix::errno::Errno::ENOSYS), Errno::ENOSYS);
        for errno in [Errno::EPERM, Errno::EAGAIN, Errno::EDEADLK, Errno::ENOTEMPTY, Errno::ELOOP, Errno::ECANCELED] {
            assert_eq!(of(&io::Error::from(errno)), errno);
        }
        assert_eq!(of(&io::Error::other("cut short")), Errno::EIO);
    }

    #[test]
    fn texts_are_linuxs_without_a_number() {
        assert_eq!(io_text(&io::Error::from(Errno::ENOENT)), "No such file or directory");
        assert_eq!(io_text(&io::Error::other("cut short")), "cut short");
    }
}
