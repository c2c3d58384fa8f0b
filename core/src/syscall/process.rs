//! Processes and threads: clone(2), wait4(2), exit(2), ids, sessions.

use std::os::fd::{AsFd, AsRawFd};

use super::Args;
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, SigInfo, Signal, Tid};
use crate::fork::fork_process;
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

/// clone(2). Missing: `CLONE_VM` with neither `CLONE_THREAD` nor `CLONE_VFORK`, namespaces, `CLONE_PIDFD`.
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

/// clone3(2). Missing: what [`clone`] misses, `set_tid` and `cgroup`.
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
    if flags.contains(CloneFlags::VM) && !flags.contains(CloneFlags::VFORK)
        || flags.intersects(CloneFlags::PIDFD | CloneFlags::PARENT)
    {
        // A process that shares memory and runs on, and siblings: not offered by this host.
        return Err(Errno::EINVAL.into());
    }
    Ok(value(fork_process(ctx, &args)?.0))
}

const WNOHANG: i32 = 1;

pub(super) fn wait4(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, options) = (args.pid(0), args.i32(2));
    let process = ctx.process().clone();
    let once = || {
        let looked = match process.children() {
            Some(_children) => host::wait_child(pid, options | WNOHANG),
            None => Ok(None),
        };
        match looked {
            Ok(None) if options & WNOHANG == 0 => None,
            answer => Some(answer),
        }
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

/// `P_PIDFD` of waitid(2).
const P_PIDFD: i32 = 3;
/// `WNOWAIT`: the child stays waitable.
const WNOWAIT: i32 = 0x0100_0000;
/// `CLD_EXITED`, `CLD_KILLED`, `CLD_DUMPED`: the changes after which a child is gone.
const ENDS: std::ops::RangeInclusive<i32> = 1..=3;

pub(super) fn waitid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (kind, options) = (args.i32(0), args.i32(3));
    let file = if kind == P_PIDFD { Some(ctx.files.get(args.fd(1))?) } else { None };
    let id = file.as_ref().map_or(args.i32(1), |file| file.as_fd().as_raw_fd());
    let process = ctx.process().clone();
    let once = || {
        let looked = match process.children() {
            Some(_children) => host::wait_id(kind, id, options),
            None => Ok(None),
        };
        match looked {
            Ok(None) if options & WNOHANG == 0 => None,
            answer => Some(answer),
        }
    };
    let waited = ctx.task.block_until(None, once).map_err(|interrupted| interrupted.or_restart(Restart::Sys))??;
    let (info, usage) = waited.unwrap_or(([0; host::SIGINFO_LEN], [0; 18]));
    let changed = SigInfo::from_bytes(Signal::SIGCHLD, info);
    if waited.is_some() && options & WNOWAIT == 0 && ENDS.contains(&changed.code().0) {
        process.preemption().directory().remove_file_of(changed.pid());
    }
    if let Some(place) = args.ptr::<[u8; host::SIGINFO_LEN]>(2).non_null() {
        ctx.memory().write(place, &info)?;
    }
    if let Some(place) = args.ptr::<[u64; 18]>(4).non_null() {
        ctx.memory().write(place, &usage)?;
    }
    Ok(0)
}
