//! Resource limits: getrlimit(2), setrlimit(2), prlimit(2).

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys;
use crate::kernel::limits::{self, Limit, RLIMIT_AS, RLIMIT_NOFILE};
use crate::kernel::other_limits::{self, OtherLimits};
use crate::kernel::{SyscallResult, TaskContext};

/// prlimit(2). Limits that would bound elfuse itself are the guest's alone ([`limits`]); all others are the host's, which
/// fork children and executed programs inherit. Another guest takes those that are its own at its next system call.
pub(super) fn prlimit64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    let resource = args.u32(1);
    let is_own = args.i32(0) == 0 || args.pid(0) == ctx.process().pid();
    let other = if is_own || !limits::is_kept(resource) { None } else { OtherLimits::of(args.pid(0)) };
    if !limits::is_kept(resource) || !is_own && other.is_none() {
        let (new, old) = (args.optional(memory, 2)?, args.optional(memory, 3)?);
        return Ok(sys::prlimit64(args.i32(0), resource, new, old)?);
    }
    let old = match &other {
        None => own(ctx, resource)?,
        Some(other) => other.get(resource)?.map_or_else(|| limits::of_host(resource), Ok)?,
    };
    if let Some(place) = GuestPtr::<[u64; 2]>::new(args.addr(2)).non_null() {
        let [soft, hard] = memory.read(place)?;
        let new = Limit { soft, hard };
        match &other {
            Some(other) => other.set(resource, old, new)?,
            None => {
                limits::check(resource, old, new)?;
                set(ctx, resource, new);
            }
        }
    }
    if let Some(place) = GuestPtr::<[u64; 2]>::new(args.addr(3)).non_null() {
        memory.write(place, &[old.soft, old.hard])?;
    }
    Ok(0)
}

/// Sets a limit of this process that the host does not keep.
fn set(ctx: &TaskContext, resource: u32, new: Limit) {
    ctx.process().limits().set(resource, new);
    if resource == RLIMIT_NOFILE {
        ctx.files.set_limit(new.soft);
    }
    if resource == RLIMIT_AS {
        ctx.process().space().limit_size(new.soft);
    }
}

/// Takes the limits that other processes want this one to have.
pub(super) fn take_wishes(ctx: &TaskContext) {
    for (resource, limit) in other_limits::take_wishes() {
        if limits::is_kept(resource) {
            set(ctx, resource, limit);
        }
    }
}

/// A limit of this process that the host does not keep: what was set, or what the host began with.
fn own(ctx: &TaskContext, resource: u32) -> Result<Limit, Errno> {
    if let Some(limit) = ctx.process().limits().get(resource) {
        return Ok(limit);
    }
    let host = limits::of_host(resource)?;
    Ok(if resource == RLIMIT_NOFILE {
        Limit { soft: ctx.files.limit(), hard: host.hard.max(ctx.files.limit()) }
    } else {
        host
    })
}

pub(super) fn getrlimit(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.addr(1).is_null() {
        return Err(Errno::EFAULT.into());
    }
    prlimit64(ctx, &Args([0, args.u64(0), 0, args.u64(1), 0, 0]))
}

/// setrlimit(2). Missing: enforcing `RLIMIT_DATA` and `RLIMIT_STACK`, which are only remembered.
pub(super) fn setrlimit(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.addr(1).is_null() {
        return Err(Errno::EFAULT.into());
    }
    prlimit64(ctx, &Args([0, args.u64(0), args.u64(1), 0, 0, 0]))
}
