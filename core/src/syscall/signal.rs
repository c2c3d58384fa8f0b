//! Handlers of the signal family.

use super::Args;
use crate::abi::Errno;
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn restart_syscall(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn kill(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn tkill(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn tgkill(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn sigaltstack(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigsuspend(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigaction(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigprocmask(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigpending(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigtimedwait(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigqueueinfo(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_sigreturn(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn rt_tgsigqueueinfo(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}
