//! User and group ids, capabilities, priorities: the host's, of the calling thread. C libraries change all threads one by
//! one, as on Linux. Sources: credentials(7), capget(2).

use nix::unistd;

use super::Args;
use crate::abi::{Errno, GuestPtr};
use crate::host::{process, sys};
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
    put_three(ctx, args, process::user_ids()?)
}

pub(super) fn getresgid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    put_three(ctx, args, process::group_ids()?)
}

pub(super) fn getgroups(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let count = u64::try_from(args.i32(0)).map_err(|_| Errno::EINVAL)?;
    let buffer = super::args::buffer(ctx.memory(), args.addr(1), count * 4)?;
    Ok(sys::getgroups(buffer)?)
}

/// An id that stays what it is, for setreuid(2) and setresuid(2).
const KEPT: u32 = u32::MAX;

/// Changes what the calling thread may do: threads that wait in its stead are made anew.
fn change(ctx: &TaskContext, change: impl FnOnce() -> Result<u64, Errno>) -> SyscallResult {
    let changed = change()?;
    ctx.task.note_new_credentials();
    Ok(changed)
}

/// The same where `real` is to be the real user. A process is signalled by those of its real user, whose the transport file
/// becomes: before the change or after it, whichever is root's.
fn change_user(ctx: &TaskContext, real: u32, call: impl FnOnce() -> Result<u64, Errno>) -> SyscallResult {
    let before = unistd::getuid().as_raw();
    let wanted = if real == KEPT { before } else { real };
    let decides = ctx.task.is_main();
    if decides && wanted != before {
        ctx.process().preemption().give_transport_to(wanted);
    }
    let changed = change(ctx, call);
    let after = unistd::getuid().as_raw();
    if decides && (after != before || after != wanted) {
        ctx.process().preemption().give_transport_to(after);
    }
    changed
}

pub(super) fn setuid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change_user(ctx, args.u32(0), || sys::setuid(args.u32(0)))
}

pub(super) fn setgid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change(ctx, || sys::setgid(args.u32(0)))
}

pub(super) fn setreuid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change_user(ctx, args.u32(0), || sys::setreuid(args.u32(0), args.u32(1)))
}

pub(super) fn setregid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change(ctx, || sys::setregid(args.u32(0), args.u32(1)))
}

pub(super) fn setresuid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change_user(ctx, args.u32(0), || sys::setresuid(args.u32(0), args.u32(1), args.u32(2)))
}

pub(super) fn setresgid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change(ctx, || sys::setresgid(args.u32(0), args.u32(1), args.u32(2)))
}

pub(super) fn setfsuid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change(ctx, || sys::setfsuid(args.u32(0)))
}

pub(super) fn setfsgid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    change(ctx, || sys::setfsgid(args.u32(0)))
}

/// Most supplementary groups (`NGROUPS_MAX`).
const NGROUPS_MAX: u32 = 65536;

pub(super) fn setgroups(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let count = args.u32(0);
    if count > NGROUPS_MAX {
        return Err(Errno::EINVAL.into());
    }
    let groups = super::args::buffer(ctx.memory(), args.addr(1), u64::from(count) * 4)?;
    change(ctx, || sys::setgroups(args.i32(0), groups))
}

/// Bytes of `struct __user_cap_header_struct`.
const CAP_HEADER_LEN: u64 = 8;
/// Bytes of the data of version 3: two structures.
const CAP_DATA_LEN: u64 = 24;

/// The header and the data of capget(2) and capset(2); null data is a question for the version.
fn capabilities(ctx: &TaskContext, args: &Args) -> Result<[sys::ForeignBuffer; 2], Errno> {
    let at = |index, len| super::args::buffer(ctx.memory(), args.addr(index), len);
    let data = if args.addr(1).is_null() { sys::ForeignBuffer::NULL } else { at(1, CAP_DATA_LEN)? };
    Ok([at(0, CAP_HEADER_LEN)?, data])
}

pub(super) fn capget(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let [header, data] = capabilities(ctx, args)?;
    Ok(sys::capget(header, data)?)
}

pub(super) fn capset(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let [header, data] = capabilities(ctx, args)?;
    change(ctx, || sys::capset(header, data))
}

pub(super) fn ioprio_get(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::ioprio_get(args.i32(0), args.i32(1))?)
}

pub(super) fn ioprio_set(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::ioprio_set(args.i32(0), args.i32(1), args.i32(2))?)
}
