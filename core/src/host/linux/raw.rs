//! [`syscall`]: syscall(2) by the name of the number.

/// The numbers: `libc`'s, and one that it does not have.
#[expect(non_upper_case_globals, reason = "Linux's own names")]
pub(in crate::host) mod numbers {
    pub(in crate::host) use libc::*;

    /// cachestat(2), which has this number on all architectures.
    pub(in crate::host) const SYS_cachestat: c_long = 451;
}

/// One system call, with its arguments in register form; `unsafe` as syscall(2) is.
macro_rules! syscall {
    ($number:ident $(, $argument:expr)* $(,)?) => { libc::syscall($crate::host::raw::numbers::$number $(, $argument)*) };
}

pub(in crate::host) use syscall;
