//! Processes and threads: clone(2), wait4(2), exit(2), ids, sessions.

use super::Args;
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, Tid};
use crate::host::children as host;
use crate::kernel::clone::{CloneArgs, CloneFlags, spawn_thread};
use crate::kernel::{Control, Restart, SyscallError, SyscallResult, TaskContext};

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

pub(super) fn clone(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    clone_with(
        ctx,
        CloneArgs {
            flags: CloneFlags::from_bits_retain(args.u64(0)),
            stack: args.addr(1),
            parent_tid: args.ptr(2),
            tls: args.u64(3),
            child_tid: args.ptr(4),
        },
    )
}

/// The first eight words of `struct clone_args`.
type WireCloneArgs = [u64; 8];

pub(super) fn clone3(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(1) < size_of::<WireCloneArgs>() as u64 {
        return Err(Errno::EINVAL.into());
    }
    let [flags, _pidfd, child_tid, parent_tid, exit_signal, stack, stack_len, tls] =
        ctx.memory().read(args.ptr::<WireCloneArgs>(0))?;
    if flags & CloneFlags::CSIGNAL.bits() != 0 || exit_signal > 64 {
        return Err(Errno::EINVAL.into());
    }
    clone_with(
        ctx,
        CloneArgs {
            flags: CloneFlags::from_bits_retain(flags | exit_signal),
            stack: GuestAddr(stack.wrapping_add(stack_len)),
            parent_tid: GuestPtr::new(GuestAddr(parent_tid)),
            tls,
            child_tid: GuestPtr::new(GuestAddr(child_tid)),
        },
    )
}

fn clone_with(ctx: &mut TaskContext, args: CloneArgs) -> SyscallResult {
    let flags = args.flags;
    if flags.contains(CloneFlags::THREAD) && !flags.contains(CloneFlags::SIGHAND)
        || flags.contains(CloneFlags::SIGHAND) && !flags.contains(CloneFlags::VM)
    {
        return Err(Errno::EINVAL.into());
    }
    if flags.contains(CloneFlags::THREAD_SET) {
        return Ok(value(spawn_thread(ctx, args, ctx.run_thread)?.0));
    }
    // Processes are the next thing to come; ENOSYS names the call in the trace.
    Err(Errno::ENOSYS.into())
}

pub(super) fn execve(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

pub(super) fn execveat(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}

const WNOHANG: i32 = 1;

pub(super) fn wait4(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, options) = (args.pid(0), args.i32(2));
    let once = || match host::wait_child(pid, options | WNOHANG) {
        Ok(None) if options & WNOHANG == 0 => None,
        answer => Some(answer),
    };
    let waited = ctx.task.block_until(None, once).map_err(|interrupted| interrupted.or_restart(Restart::Sys))??;
    let Some(child) = waited else { return Ok(0) };
    ctx.process().preemption().directory().remove_file_of(Pid(child.pid.0));
    if let Some(place) = args.ptr::<i32>(1).non_null() {
        ctx.memory().write(place, &child.status)?;
    }
    if let Some(place) = args.ptr::<[u64; 18]>(3).non_null() {
        ctx.memory().write(place, &child.usage)?;
    }
    Ok(value(child.pid.0))
}

pub(super) fn waitid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}
