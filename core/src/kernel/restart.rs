//! How a syscall ends when it does not end with a value: an errno, a restart code, or a change of control flow.
//!
//! The restart codes are a type of their own and are resolved by `run` before the guest sees a register, so that none
//! can leak. Source: signal(7) "Interruption of system calls", Linux `arch/arm64/kernel/signal.c` `do_signal`.

use crate::abi::Errno;

/// What a syscall handler answers: the value of x0, or how else the call ends.
pub type SyscallResult = Result<u64, SyscallError>;

/// Every way in which a syscall ends without a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyscallError {
    /// x0 becomes the negated number.
    Errno(Errno),
    /// A signal ended the wait; whether the guest sees EINTR is decided when the signal is delivered.
    Restart(Restart),
    /// The registers are not to be touched.
    Control(Control),
}

/// What an interrupted call becomes, by whether a handler runs and with which flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restart {
    /// `ERESTARTSYS`: EINTR after a handler without `SA_RESTART`, otherwise the call again.
    Sys,
    /// `ERESTARTNOINTR`: always the call again.
    NoIntr,
    /// `ERESTARTNOHAND`: EINTR after any handler, the call again if none ran.
    NoHand,
    /// `ERESTART_RESTARTBLOCK`: EINTR after any handler, otherwise restart_syscall(2), which goes on with the
    /// deadline that the task keeps.
    Block,
}

/// Changes of control flow that a syscall asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The handler replaced the registers (rt_sigreturn, execve).
    RegistersReplaced,
    /// This thread ends with this status (exit).
    ExitThread(i32),
    /// The process ends with this status (exit_group).
    ExitGroup(i32),
}

impl From<Errno> for SyscallError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Restart> for SyscallError {
    fn from(restart: Restart) -> Self {
        Self::Restart(restart)
    }
}

impl From<Control> for SyscallError {
    fn from(control: Control) -> Self {
        Self::Control(control)
    }
}
