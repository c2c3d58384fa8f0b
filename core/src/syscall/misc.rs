//! Everything about the process and the machine that has no family: uname(2), usage, scheduling, getrandom(2).

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

/// Length of each field of `struct new_utsname`.
const UTS_LEN: usize = 65;

pub(super) fn uname(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let uts = ctx.process().uts();
    let texts = [uts.system, &uts.node, &uts.release, uts.version, uts.machine, uts.domain];
    let mut bytes = [0; UTS_LEN * 6];
    for (field, text) in bytes.chunks_exact_mut(UTS_LEN).zip(texts) {
        let len = text.len().min(UTS_LEN - 1);
        field[..len].copy_from_slice(&text.as_bytes()[..len]);
    }
    ctx.memory().write_bytes(args.addr(0), &bytes)?;
    Ok(0)
}

pub(super) fn getrusage(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrusage(args.i32(0), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn sysinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sysinfo(args.structure(ctx.memory(), 0)?)?)
}

pub(super) fn getrandom(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrandom(args.buffer(ctx.memory(), 0)?, args.u32(2))?)
}

pub(super) fn getcpu(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (cpu, node) = sys::getcpu()?;
    for (value, index) in [cpu, node].into_iter().zip(0..) {
        if let Some(to) = GuestPtr::<u32>::new(args.addr(index)).non_null() {
            ctx.memory().write(to, &value)?;
        }
    }
    Ok(0)
}

pub(super) fn sched_yield(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    ctx.process().gate().outside(std::thread::yield_now);
    Ok(0)
}

pub(super) fn sched_getaffinity(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_getaffinity(args.i32(0), super::args::buffer(ctx.memory(), args.addr(2), args.u64(1))?)?)
}

pub(super) fn sched_setaffinity(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_setaffinity(args.i32(0), super::args::buffer(ctx.memory(), args.addr(2), args.u64(1))?)?)
}

/// sched_getscheduler(2): every task is `SCHED_OTHER`, as it is unless someone made it otherwise.
pub(super) fn sched_getscheduler(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(0)
}

/// sched_getparam(2): priority 0, as `SCHED_OTHER` has it.
pub(super) fn sched_getparam(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.memory().write(GuestPtr::<i32>::new(args.addr(1)), &0)?;
    Ok(0)
}

/// The priorities of a policy of sched(7): lowest, highest.
fn priorities(policy: i32) -> Result<[u64; 2], Errno> {
    match policy {
        1 | 2 => Ok([1, 99]),
        0 | 3 | 5 | 6 => Ok([0, 0]),
        _no_policy => Err(Errno::EINVAL),
    }
}

pub(super) fn sched_get_priority_min(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(priorities(args.i32(0))?[0])
}

pub(super) fn sched_get_priority_max(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(priorities(args.i32(0))?[1])
}

/// personality(2): `PER_LINUX` and no other.
pub(super) fn personality(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    match args.u32(0) {
        0 | u32::MAX => Ok(0),
        _other => Err(Errno::EINVAL.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_those_of_the_policies() {
        assert_eq!(priorities(1), Ok([1, 99]));
        assert_eq!(priorities(0), Ok([0, 0]));
        assert_eq!(priorities(4), Err(Errno::EINVAL));
    }
}
