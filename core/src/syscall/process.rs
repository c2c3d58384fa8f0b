//! Handlers of the process family.

use super::Args;
use crate::abi::Errno;
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn exit(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn exit_group(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn waitid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn set_tid_address(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn set_robust_list(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn get_robust_list(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn setpgid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn getpgid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn getsid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn setsid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn getpid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn getppid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn gettid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn clone(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn execve(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn wait4(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn execveat(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn clone3(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}
