//! Names and contents of files: openat(2), unlinkat(2), getdents64(2) and kin, on the host's file system.
//!
//! Metadata is in [`super::metadata`], paths in [`super::path`]. Missing in openat(2): opening a FIFO waits for the other
//! side where only process death ends it.

use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use nix::fcntl::OFlag;

use super::Args;
use super::path::{GuestPath, ProcName, proc_name};
use crate::abi::Errno;
use crate::fs::OpenFlags;
use crate::host::sys;
use crate::kernel::fd_table::OpenFile;
use crate::kernel::{SyscallResult, TaskContext};

/// `AT_REMOVEDIR` and its kin have the same numbers everywhere; renameat(2) has none.
const NO_FLAGS: u32 = 0;

pub(super) fn openat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    let flags = OpenFlags::from_bits_truncate(args.u32(2));
    let host_flags = (flags.to_host() | OFlag::O_CLOEXEC).bits();
    let opened = sys::openat(path.directory(), path.path(), host_flags, args.u32(3))?;
    let fd = ctx.files.add(OpenFile::new(opened), flags.contains(OpenFlags::CLOEXEC))?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

pub(super) fn memfd_create(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const MFD_CLOEXEC: u32 = 1;
    let name = args.path(ctx.memory(), 0)?;
    let opened = sys::memfd_create(&name, args.u32(1) | MFD_CLOEXEC)?;
    let fd = ctx.files.add(OpenFile::new(opened), args.u32(1) & MFD_CLOEXEC != 0)?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

pub(super) fn getdents64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::getdents64(file.as_fd(), args.buffer(ctx.memory(), 1)?)?)
}

pub(super) fn readlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    if args.i32(3) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let raw = args.path(memory, 1)?;
    if proc_name(raw.to_bytes(), ctx.process().pid().0) == Some(ProcName::Executable) {
        let target = ctx.process().image().path;
        let bytes = target.as_os_str().as_bytes();
        let shown = &bytes[..bytes.len().min(args.usize(3))];
        memory.write_bytes(args.addr(2), shown)?;
        return Ok(shown.len() as u64);
    }
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::readlinkat(path.directory(), path.path(), args.buffer(memory, 2)?)?)
}

pub(super) fn getcwd(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getcwd(args.buffer(ctx.memory(), 0)?)?)
}

pub(super) fn chdir(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::chdir(GuestPath::cwd(ctx, args, 0)?.path())?)
}

pub(super) fn fchdir(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fchdir(file.as_fd())?)
}

pub(super) fn faccessat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::faccessat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn faccessat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::faccessat2(path.directory(), path.path(), args.u32(2), args.u32(3))?)
}

pub(super) fn unlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::unlinkat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn mkdirat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::mkdirat(path.directory(), path.path(), args.u32(2))?)
}

pub(super) fn mknodat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let path = GuestPath::at(ctx, args, 1)?;
    Ok(sys::mknodat(path.directory(), path.path(), args.u32(2), args.u32(3))?)
}

pub(super) fn symlinkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let target = args.path(ctx.memory(), 0)?;
    let path = GuestPath::at(ctx, args, 2)?;
    Ok(sys::symlinkat(&target, path.directory(), path.path())?)
}

pub(super) fn linkat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (old, new) = (GuestPath::at(ctx, args, 1)?, GuestPath::at(ctx, args, 3)?);
    Ok(sys::linkat(old.directory(), old.path(), new.directory(), new.path(), args.u32(4))?)
}

fn rename(ctx: &TaskContext, args: &Args, flags: u32) -> SyscallResult {
    let (old, new) = (GuestPath::at(ctx, args, 1)?, GuestPath::at(ctx, args, 3)?);
    Ok(sys::renameat2(old.directory(), old.path(), new.directory(), new.path(), flags)?)
}

pub(super) fn renameat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    rename(ctx, args, NO_FLAGS)
}

pub(super) fn renameat2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    rename(ctx, args, args.u32(4))
}

pub(super) fn truncate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::truncate(GuestPath::cwd(ctx, args, 0)?.path(), args.i64(1))?)
}

pub(super) fn ftruncate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::ftruncate(file.as_fd(), args.i64(1))?)
}

pub(super) fn fallocate(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fallocate(file.as_fd(), args.u32(1), args.i64(2), args.i64(3))?)
}

pub(super) fn sync(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Ok(sys::sync()?)
}

pub(super) fn fsync(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fsync(file.as_fd())?)
}

pub(super) fn fdatasync(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fdatasync(file.as_fd())?)
}

pub(super) fn fadvise64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fadvise64(file.as_fd(), args.i64(1), args.i64(2), args.u32(3))?)
}

/// umask(2): the host process's, which is the guest process's alone.
pub(super) fn umask(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let mask = nix::sys::stat::Mode::from_bits_truncate(args.u32(0) & 0o777);
    Ok(u64::from(nix::sys::stat::umask(mask).bits()))
}
