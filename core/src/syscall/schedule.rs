//! Scheduling and per-thread facts: sched(7) calls, priorities, getcpu(2), rseq(2), membarrier(2).
//!
//! Guest threads are host threads with the host's ids, so policies, priorities and affinities are the host's own, and a guest
//! may ask about any process. What the host does not have is `ENOSYS`.

use super::Args;
use crate::abi::{Errno, GuestPtr, RSEQ_ALIGN, RSEQ_FEATURE_SIZE};
use crate::fork::close_gate;
use crate::host::{schedule, sys};
use crate::kernel::rseq::{Rseq, reset_ids};
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn sched_yield(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    ctx.process().gate().outside(std::thread::yield_now);
    Ok(0)
}

pub(super) fn sched_getaffinity(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_getaffinity(args.i32(0), super::args::buffer(ctx.memory(), args.addr(2), args.u64(1))?)?)
}

pub(super) fn sched_setaffinity(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let pid = args.i32(0);
    let result = sys::sched_setaffinity(pid, super::args::buffer(ctx.memory(), args.addr(2), args.u64(1))?)?;
    if pid == 0 || pid == ctx.task.tid().0 {
        follow_affinity(ctx);
    }
    Ok(result)
}

/// The virtual CPUs of rseq(2) are those that the thread may run on.
fn follow_affinity(ctx: &mut TaskContext) {
    if let Some(rseq) = &mut ctx.rseq {
        rseq.allowed = schedule::own_affinity();
        if rseq.cpu.is_some_and(|cpu| !rseq.allowed.is_empty() && !rseq.allowed.contains(&cpu)) {
            rseq.cpu = None;
        }
    }
}

pub(super) fn sched_getscheduler(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_getscheduler(args.i32(0))?)
}

pub(super) fn sched_setscheduler(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_setscheduler(args.i32(0), args.i32(1), args.optional(ctx.memory(), 2)?)?)
}

pub(super) fn sched_getparam(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_getparam(args.i32(0), args.optional(ctx.memory(), 1)?)?)
}

pub(super) fn sched_setparam(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_setparam(args.i32(0), args.optional(ctx.memory(), 1)?)?)
}

pub(super) fn sched_rr_get_interval(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sched_rr_get_interval(args.i32(0), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn sched_getattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let attr = super::args::buffer(ctx.memory(), args.addr(1), args.u64(2))?;
    Ok(sys::sched_getattr(args.i32(0), attr, args.u32(3))?)
}

pub(super) fn sched_setattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.addr(1).is_null() {
        return Err(Errno::EINVAL.into());
    }
    // The structure begins with its own size; zero means the first published one.
    let size = u64::from(ctx.memory().read(args.ptr::<u32>(1))?).max(SCHED_ATTR_FIRST);
    let attr = super::args::buffer(ctx.memory(), args.addr(1), size)?;
    Ok(sys::sched_setattr(args.i32(0), attr, args.u32(2))?)
}

/// `SCHED_ATTR_SIZE_VER0`.
const SCHED_ATTR_FIRST: u64 = 48;

/// The priorities of a policy of sched(7): lowest, highest.
fn priorities(policy: i32) -> Result<[u64; 2], Errno> {
    match policy {
        1 | 2 => Ok([1, 99]),
        0 | 3 | 5 | 6 | 7 => Ok([0, 0]),
        _no_policy => Err(Errno::EINVAL),
    }
}

pub(super) fn sched_get_priority_min(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(priorities(args.i32(0))?[0])
}

pub(super) fn sched_get_priority_max(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(priorities(args.i32(0))?[1])
}

/// getpriority(2) as the kernel has it: 1 to 40 for nice 19 to -20.
pub(super) fn getpriority(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getpriority(args.i32(0), args.i32(1))?)
}

pub(super) fn setpriority(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::setpriority(args.i32(0), args.i32(1), args.i32(2))?)
}

/// getcpu(2). A thread with rseq(2) is where its area says.
pub(super) fn getcpu(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (host_cpu, node) = sys::getcpu()?;
    let cpu = ctx.rseq.as_ref().and_then(|rseq| rseq.cpu).unwrap_or(host_cpu);
    for (value, index) in [cpu, node].into_iter().zip(0..) {
        if let Some(to) = GuestPtr::<u32>::new(args.addr(index)).non_null() {
            ctx.memory().write(to, &value)?;
        }
    }
    Ok(0)
}

/// rseq(2).
pub(super) fn rseq(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const UNREGISTER: u32 = 1;
    let (area, len, flags, signature) = (args.addr(0), args.u32(1), args.u32(2), args.u32(3));
    let known = ctx.rseq.as_ref().map(|rseq| (rseq.area == area && rseq.len_bytes == len, rseq.signature == signature));
    match (flags, known) {
        (0, None) => {}
        (0 | UNREGISTER, Some((false, _))) | (UNREGISTER, None) => return Err(Errno::EINVAL.into()),
        (0 | UNREGISTER, Some((true, false))) => return Err(Errno::EPERM.into()),
        (0, Some((true, true))) => return Err(Errno::EBUSY.into()),
        (UNREGISTER, Some((true, true))) => {
            reset_ids(ctx.memory(), area)?;
            ctx.rseq = None;
            return Ok(0);
        }
        (_unknown, _) => return Err(Errno::EINVAL.into()),
    }
    let is_aligned = area.0.is_multiple_of(RSEQ_ALIGN);
    if area.is_null() || u64::from(len) < RSEQ_ALIGN || !is_aligned || u64::from(len) < RSEQ_FEATURE_SIZE {
        return Err(Errno::EINVAL.into());
    }
    super::args::buffer(ctx.memory(), area, u64::from(len))?;
    ctx.rseq = Some(Rseq::new(area, len, signature));
    follow_affinity(ctx);
    Ok(0)
}

/// `MEMBARRIER_CMD_GLOBAL` up to `MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE`: the host's barriers are the guest's,
/// since guest threads are host threads.
const MEMBARRIER_OF_HOST: i32 = 0x7f;
const MEMBARRIER_PRIVATE_EXPEDITED_RSEQ: i32 = 0x80;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ: i32 = 0x100;
const MEMBARRIER_GET_REGISTRATIONS: i32 = 0x200;
const MEMBARRIER_FLAG_CPU: u32 = 1;

/// membarrier(2). The barrier for rseq(2) aborts the critical sections of all threads, also where it names one CPU.
pub(super) fn membarrier(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const RSEQ: i32 = MEMBARRIER_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ;
    let (command, flags) = (args.i32(0), args.u32(1));
    let is_ready = || ctx.process().membarrier_registrations();
    match command {
        0 => {
            let of_host = sys::membarrier(0, flags, 0)? & u64::from(MEMBARRIER_OF_HOST.cast_unsigned());
            Ok(of_host | u64::from((RSEQ | MEMBARRIER_GET_REGISTRATIONS).cast_unsigned()))
        }
        MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ if flags == 0 => {
            ctx.process().register_membarrier(command);
            Ok(0)
        }
        MEMBARRIER_PRIVATE_EXPEDITED_RSEQ if flags & !MEMBARRIER_FLAG_CPU == 0 => {
            if is_ready() & MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_RSEQ == 0 {
                return Err(Errno::EPERM.into());
            }
            // Nobody is in guest code for a moment, and all look at their sections before they go on.
            ctx.process().virtual_cpus().begin_barrier();
            drop(close_gate(ctx));
            Ok(0)
        }
        MEMBARRIER_GET_REGISTRATIONS if flags == 0 => Ok(u64::from(is_ready().cast_unsigned())),
        of_host if of_host & !MEMBARRIER_OF_HOST == 0 => {
            let result = sys::membarrier(of_host, flags, 0)?;
            // The registering commands are every second one, from GLOBAL_EXPEDITED on.
            if of_host & (0x4 | 0x10 | 0x40) != 0 {
                ctx.process().register_membarrier(of_host);
            }
            Ok(result)
        }
        _unknown => Err(Errno::EINVAL.into()),
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
