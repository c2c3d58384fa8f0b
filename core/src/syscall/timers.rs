//! Handlers of the timers family.

use super::Args;
use crate::abi::Errno;
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn nanosleep(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn getitimer(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn setitimer(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn timer_create(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn timer_gettime(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn timer_getoverrun(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn timer_settime(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn timer_delete(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn clock_nanosleep(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}
