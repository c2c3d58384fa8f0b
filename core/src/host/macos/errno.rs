//! macOS's error numbers and Linux's. They are the same up to `ERANGE`, but for one.

use crate::abi::Errno;

/// The last number that both have, and the one before it that they do not.
const LAST_COMMON: i32 = libc::ERANGE;
const UNCOMMON: i32 = libc::EDEADLK;

const NUMBERS: &[(i32, Errno)] = &[
    (libc::EAGAIN, Errno::EAGAIN),
    (libc::EINPROGRESS, Errno::EINPROGRESS),
    (libc::EALREADY, Errno::EALREADY),
    (libc::ENOTSOCK, Errno::ENOTSOCK),
    (libc::EDESTADDRREQ, Errno::EDESTADDRREQ),
    (libc::EMSGSIZE, Errno::EMSGSIZE),
    (libc::EPROTOTYPE, Errno::EPROTOTYPE),
    (libc::ENOPROTOOPT, Errno::ENOPROTOOPT),
    (libc::EPROTONOSUPPORT, Errno::EPROTONOSUPPORT),
    (libc::ESOCKTNOSUPPORT, Errno::ESOCKTNOSUPPORT),
    (libc::EOPNOTSUPP, Errno::EOPNOTSUPP),
    (libc::EPFNOSUPPORT, Errno::EPFNOSUPPORT),
    (libc::EAFNOSUPPORT, Errno::EAFNOSUPPORT),
    (libc::EADDRINUSE, Errno::EADDRINUSE),
    (libc::EADDRNOTAVAIL, Errno::EADDRNOTAVAIL),
    (libc::ENETDOWN, Errno::ENETDOWN),
    (libc::ENETUNREACH, Errno::ENETUNREACH),
    (libc::ENETRESET, Errno::ENETRESET),
    (libc::ECONNABORTED, Errno::ECONNABORTED),
    (libc::ECONNRESET, Errno::ECONNRESET),
    (libc::ENOBUFS, Errno::ENOBUFS),
    (libc::EISCONN, Errno::EISCONN),
    (libc::ENOTCONN, Errno::ENOTCONN),
    (libc::ESHUTDOWN, Errno::ESHUTDOWN),
    (libc::ETOOMANYREFS, Errno::ETOOMANYREFS),
    (libc::ETIMEDOUT, Errno::ETIMEDOUT),
    (libc::ECONNREFUSED, Errno::ECONNREFUSED),
    (libc::ELOOP, Errno::ELOOP),
    (libc::ENAMETOOLONG, Errno::ENAMETOOLONG),
    (libc::EHOSTDOWN, Errno::EHOSTDOWN),
    (libc::EHOSTUNREACH, Errno::EHOSTUNREACH),
    (libc::ENOTEMPTY, Errno::ENOTEMPTY),
    (libc::EUSERS, Errno::EUSERS),
    (libc::EDQUOT, Errno::EDQUOT),
    (libc::ESTALE, Errno::ESTALE),
    (libc::EDEADLK, Errno::EDEADLK),
    (libc::ENOLCK, Errno::ENOLCK),
    (libc::ENOSYS, Errno::ENOSYS),
    (libc::EOVERFLOW, Errno::EOVERFLOW),
    (libc::ECANCELED, Errno::ECANCELED),
    (libc::EIDRM, Errno::EIDRM),
    (libc::ENOMSG, Errno::ENOMSG),
    (libc::EILSEQ, Errno::EILSEQ),
    (libc::EBADMSG, Errno::EBADMSG),
    (libc::ENODATA, Errno::ENODATA),
    (libc::EPROTO, Errno::EPROTO),
    (libc::ETIME, Errno::ETIME),
    (libc::ENOTRECOVERABLE, Errno::ENOTRECOVERABLE),
    (libc::EOWNERDEAD, Errno::EOWNERDEAD),
    // What Linux has one error for, macOS has several; the first row of a pair is the way back.
    (libc::ENOTSUP, Errno::EOPNOTSUPP),
    (libc::ENOATTR, Errno::ENODATA),
    (libc::EBADEXEC, Errno::ENOEXEC),
    (libc::EBADARCH, Errno::ENOEXEC),
    (libc::EBADMACHO, Errno::ENOEXEC),
    (libc::ESHLIBVERS, Errno::ENOEXEC),
    (libc::EPROCLIM, Errno::EAGAIN),
    (libc::EFTYPE, Errno::EINVAL),
];

const fn is_common(number: i32) -> bool {
    number >= 1 && number <= LAST_COMMON && number != UNCOMMON
}

/// An error that Linux does not have is `EIO`.
pub(super) fn to_linux(host: i32) -> i32 {
    if is_common(host) {
        return host;
    }
    NUMBERS.iter().find(|(number, _)| *number == host).map_or(Errno::EIO, |(_, errno)| *errno).raw().into()
}

/// An error that macOS does not have is `EIO`.
pub(super) fn to_host(linux: i32) -> i32 {
    if is_common(linux) {
        return linux;
    }
    NUMBERS.iter().find(|(_, errno)| i32::from(errno.raw()) == linux).map_or(libc::EIO, |(number, _)| *number)
}
