//! [`syscall`]: syscall(2) by the name of the number.

/// One system call, with its arguments in register form; `unsafe` as syscall(2) is.
macro_rules! syscall {
    ($number:ident $(, $argument:expr)* $(,)?) => { libc::syscall(libc::$number $(, $argument)*) };
}

pub(in crate::host) use syscall;
