//! Resource limits: getrlimit(2), setrlimit(2), prlimit(2).

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys;
use crate::kernel::limits::{self, Limit, RLIMIT_AS, RLIMIT_NOFILE};
use crate::kernel::{SyscallResult, TaskContext};

/// prlimit(2). Limits that would bound elfuse itself are the guest's alone ([`limits`]); all others are the host's, which
/// fork children and executed programs inherit. Missing: those of [`limits`] in another process, which are the host's there.
pub(super) fn prlimit64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    let resource = args.u32(1);
    let is_own = args.i32(0) == 0 || args.pid(0) == ctx.process().pid();
    if !is_own || !limits::is_kept(resource) {
        let (new, old) = (args.optional(memory, 2)?, args.optional(memory, 3)?);
        return Ok(sys::prlimit64(args.i32(0), resource, new, old)?);
    }
    let old = own(ctx, resource)?;
    if let Some(place) = GuestPtr::<[u64; 2]>::new(args.addr(2)).non_null() {
        let [soft, hard] = memory.read(place)?;
        let new = Limit { soft, hard };
        limits::check(resource, old, new)?;
        ctx.process().limits().set(resource, new);
        if resource == RLIMIT_NOFILE {
            ctx.files.set_limit(soft);
        }
        if resource == RLIMIT_AS {
            ctx.process().space().limit_size(soft);
        }
    }
    if let Some(place) = GuestPtr::<[u64; 2]>::new(args.addr(3)).non_null() {
        memory.write(place, &[old.soft, old.hard])?;
    }
    Ok(0)
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
