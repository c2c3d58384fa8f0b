//! Processes and threads: exit(2), ids, groups, sessions.

use super::Args;
use crate::abi::{Errno, Tid};
use crate::host::children as host;
use crate::kernel::{Control, SyscallError, SyscallResult, TaskContext};

fn value(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

pub(super) fn exit(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Err(SyscallError::Control(Control::ExitThread(args.i32(0))))
}

pub(super) fn exit_group(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Err(SyscallError::Control(Control::ExitGroup(args.i32(0))))
}

pub(super) fn getpid(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(value(ctx.process().pid().0))
}

pub(super) fn gettid(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(value(ctx.task.tid().0))
}

pub(super) fn getppid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(value(host::parent_pid().0))
}

pub(super) fn setpgid(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    host::set_group(args.pid(0), args.pid(1))?;
    Ok(0)
}

pub(super) fn getpgid(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(value(host::group_of(args.pid(0))?.0))
}

pub(super) fn getsid(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(value(host::session_of(args.pid(0))?.0))
}

pub(super) fn setsid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(value(host::new_session()?.0))
}

pub(super) fn set_tid_address(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.clear_child_tid = args.addr(0);
    Ok(value(ctx.task.tid().0))
}

/// Size of `struct robust_list_head`.
const ROBUST_HEAD_LEN: u64 = 24;

pub(super) fn set_robust_list(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(1) != ROBUST_HEAD_LEN {
        return Err(Errno::EINVAL.into());
    }
    ctx.robust_list = args.addr(0);
    Ok(0)
}

pub(super) fn get_robust_list(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.i32(0) != 0 && Tid(args.i32(0)) != ctx.task.tid() {
        return Err(Errno::EPERM.into());
    }
    ctx.memory().write(args.ptr(1), &ctx.robust_list.0)?;
    ctx.memory().write(args.ptr(2), &ROBUST_HEAD_LEN)?;
    Ok(0)
}
