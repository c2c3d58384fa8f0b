//! Metadata of files: stat(2), statx(2), statfs(2), chmod(2), chown(2), utimensat(2).

use std::os::fd::AsFd;

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{fstat as host_fstat, fstatat};

use super::Args;
use super::path::{at, cwd, last_of};
use crate::abi::stat::{Stat, StatFs};
use crate::abi::{Errno, GuestPtr};
use crate::fs::Last;
use crate::fs::stat::to_guest;
use crate::host::{metadata, sys};
use crate::kernel::{SyscallResult, TaskContext};

const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
const AT_EMPTY_PATH: u32 = 0x1000;

fn put_stat(ctx: &TaskContext, to: GuestPtr<Stat>, host: &nix::sys::stat::FileStat) -> SyscallResult {
    ctx.memory().write(to, &to_guest(host))?;
    Ok(0)
}

pub(super) fn fstat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    put_stat(ctx, args.ptr(1), &host_fstat(file.as_fd()).map_err(Errno::from)?)
}

pub(super) fn newfstatat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = AtFlags::from_bits_retain(args.i32(3));
    let path = at(ctx, args, 1, last_of(args.u32(3)))?;
    let host = match (path.object(), path.directory()) {
        (Some(file), _) => host_fstat(file),
        (None, Some(directory)) => fstatat(directory, path.path(), flags),
        (None, None) => fstatat(AT_FDCWD, path.path(), flags),
    };
    put_stat(ctx, args.ptr(2), &host.map_err(Errno::from)?)
}

/// statx(2). A null path with `AT_EMPTY_PATH` means the descriptor, as Linux 6.11 has it.
pub(super) fn statx(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let buffer = args.structure(ctx.memory(), 4)?;
    if args.addr(1).is_null() && args.u32(2) & AT_EMPTY_PATH != 0 {
        let file = ctx.files.get(args.fd(0))?;
        return Ok(sys::statx(Some(file.as_fd()), c"", args.u32(2), args.u32(3), buffer)?);
    }
    let path = at(ctx, args, 1, last_of(args.u32(2)))?;
    if let Some(file) = path.object() {
        return Ok(sys::statx(Some(file), c"", args.u32(2) | AT_EMPTY_PATH, args.u32(3), buffer)?);
    }
    Ok(sys::statx(path.directory(), path.path(), args.u32(2), args.u32(3), buffer)?)
}

fn put_statfs(ctx: &TaskContext, to: GuestPtr<StatFs>, mut guest: StatFs) -> SyscallResult {
    // ST_VALID: the flags mean something.
    guest.f_flags |= 0x20;
    ctx.memory().write(to, &guest)?;
    Ok(0)
}

pub(super) fn statfs(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = cwd(ctx, args, 0)?;
    put_statfs(ctx, args.ptr(1), metadata::statfs(&path.to_path())?)
}

pub(super) fn fstatfs(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    put_statfs(ctx, args.ptr(1), metadata::fstatfs(file.as_fd())?)
}

pub(super) fn fchmod(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fchmod(file.as_fd(), args.u32(1))?)
}

pub(super) fn fchmodat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, Last::Follow)?;
    Ok(sys::fchmodat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn fchmodat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u32(3) & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let path = at(ctx, args, 1, last_of(args.u32(3)))?;
    Ok(sys::fchmodat2(path.directory(), path.path(), args.u32(2), path.flags(args.u32(3)))?)
}

pub(super) fn fchown(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fchown(file.as_fd(), args.u32(1), args.u32(2))?)
}

pub(super) fn fchownat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = at(ctx, args, 1, last_of(args.u32(4)))?;
    let flags = path.flags(args.u32(4));
    Ok(sys::fchownat(path.directory(), path.path(), args.u32(2), args.u32(3), flags)?)
}

/// utimensat(2). A null path means the descriptor.
pub(super) fn utimensat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let times = args.optional(ctx.memory(), 2)?;
    if args.addr(1).is_null() {
        let file = ctx.files.get(args.fd(0))?;
        return Ok(sys::utimensat(Some(file.as_fd()), None, times, args.u32(3))?);
    }
    let path = at(ctx, args, 1, last_of(args.u32(3)))?;
    Ok(sys::utimensat(path.directory(), Some(path.path()), times, path.flags(args.u32(3)))?)
}
