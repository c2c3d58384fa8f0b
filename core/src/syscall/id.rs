//! User and group ids: the host's. Source: credentials(7).

use nix::unistd;

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn getuid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(u64::from(unistd::getuid().as_raw()))
}

pub(super) fn geteuid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(u64::from(unistd::geteuid().as_raw()))
}

pub(super) fn getgid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(u64::from(unistd::getgid().as_raw()))
}

pub(super) fn getegid(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(u64::from(unistd::getegid().as_raw()))
}

fn put_three(ctx: &TaskContext, args: &Args, ids: [u32; 3]) -> SyscallResult {
    for (id, index) in ids.into_iter().zip(0..) {
        ctx.memory().write(GuestPtr::<u32>::new(args.addr(index)), &id)?;
    }
    Ok(0)
}

pub(super) fn getresuid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let ids = unistd::getresuid().map_err(Errno::from)?;
    put_three(ctx, args, [ids.real.as_raw(), ids.effective.as_raw(), ids.saved.as_raw()])
}

pub(super) fn getresgid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let ids = unistd::getresgid().map_err(Errno::from)?;
    put_three(ctx, args, [ids.real.as_raw(), ids.effective.as_raw(), ids.saved.as_raw()])
}

pub(super) fn getgroups(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let count = u64::try_from(args.i32(0)).map_err(|_| Errno::EINVAL)?;
    let buffer = super::args::buffer(ctx.memory(), args.addr(1), count * 4)?;
    Ok(sys::getgroups(buffer)?)
}
