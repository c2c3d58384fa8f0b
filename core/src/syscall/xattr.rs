//! Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2), each by path, by link and by descriptor,
//! and the newer calls with a directory and flags. Source: xattr(7).

use std::ffi::{CStr, CString};
use std::os::fd::AsFd;

use super::Args;
use super::args::buffer;
use super::path::{at, cwd, last_of};
use crate::abi::{Errno, GuestAddr};
use crate::fs::Last;
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::paths::HostPath;
use crate::kernel::{SyscallResult, TaskContext};

/// Longest name in bytes, NUL included.
const NAME_MAX: usize = 256;
/// `AT_EMPTY_PATH`.
const AT_EMPTY_PATH: u32 = 0x1000;

/// What a call acts on.
enum Target {
    /// What the path leads to.
    Followed(CString),
    /// The link itself.
    Link(CString),
}

impl Target {
    fn of(path: &HostPath, last: Last) -> Result<Self, Errno> {
        let text = path.to_host_string()?;
        // The name of a known file is a link that must be followed.
        Ok(if last == Last::Follow || path.object().is_some() { Self::Followed(text) } else { Self::Link(text) })
    }

    fn set(&self, name: &CStr, value: ForeignBuffer, flags: u32) -> Result<u64, Errno> {
        match self {
            Self::Followed(path) => sys::setxattr(path, name, value, flags),
            Self::Link(path) => sys::lsetxattr(path, name, value, flags),
        }
    }

    fn get(&self, name: &CStr, value: ForeignBuffer) -> Result<u64, Errno> {
        match self {
            Self::Followed(path) => sys::getxattr(path, name, value),
            Self::Link(path) => sys::lgetxattr(path, name, value),
        }
    }

    fn list(&self, names: ForeignBuffer) -> Result<u64, Errno> {
        match self {
            Self::Followed(path) => sys::listxattr(path, names),
            Self::Link(path) => sys::llistxattr(path, names),
        }
    }

    fn remove(&self, name: &CStr) -> Result<u64, Errno> {
        match self {
            Self::Followed(path) => sys::removexattr(path, name),
            Self::Link(path) => sys::lremovexattr(path, name),
        }
    }
}

/// The name at argument `index`.
fn name(ctx: &TaskContext, args: &Args, index: usize) -> Result<CString, Errno> {
    let bytes = ctx.memory().read_cstr(args.addr(index), NAME_MAX).map_err(|errno| match errno {
        Errno::ENAMETOOLONG => Errno::ERANGE,
        other => other,
    })?;
    CString::new(bytes).map_err(|_inner_nul| Errno::EINVAL)
}

/// Resolves the path at argument 0, and does something to what it names while it is held.
fn on_path(
    ctx: &TaskContext,
    args: &Args,
    last: Last,
    act: impl FnOnce(&Target) -> Result<u64, Errno>,
) -> SyscallResult {
    let path = match last {
        Last::Follow => cwd(ctx, args, 0)?,
        Last::Itself => at(ctx, args, 0, last)?,
    };
    Ok(act(&Target::of(&path, last)?)?)
}

fn set(ctx: &TaskContext, args: &Args, last: Last) -> SyscallResult {
    let (name, value) = (name(ctx, args, 1)?, args.buffer(ctx.memory(), 2)?);
    on_path(ctx, args, last, |target| target.set(&name, value, args.u32(4)))
}

fn get(ctx: &TaskContext, args: &Args, last: Last) -> SyscallResult {
    let (name, value) = (name(ctx, args, 1)?, args.buffer(ctx.memory(), 2)?);
    on_path(ctx, args, last, |target| target.get(&name, value))
}

fn list(ctx: &TaskContext, args: &Args, last: Last) -> SyscallResult {
    let names = args.buffer(ctx.memory(), 1)?;
    on_path(ctx, args, last, |target| target.list(names))
}

fn remove(ctx: &TaskContext, args: &Args, last: Last) -> SyscallResult {
    let name = name(ctx, args, 1)?;
    on_path(ctx, args, last, |target| target.remove(&name))
}

pub(super) fn setxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    set(ctx, args, Last::Follow)
}

pub(super) fn lsetxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    set(ctx, args, Last::Itself)
}

pub(super) fn fsetxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let (name, value) = (name(ctx, args, 1)?, args.buffer(ctx.memory(), 2)?);
    Ok(sys::fsetxattr(file.as_fd(), &name, value, args.u32(4))?)
}

pub(super) fn getxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    get(ctx, args, Last::Follow)
}

pub(super) fn lgetxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    get(ctx, args, Last::Itself)
}

pub(super) fn fgetxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fgetxattr(file.as_fd(), &name(ctx, args, 1)?, args.buffer(ctx.memory(), 2)?)?)
}

pub(super) fn listxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    list(ctx, args, Last::Follow)
}

pub(super) fn llistxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    list(ctx, args, Last::Itself)
}

pub(super) fn flistxattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::flistxattr(file.as_fd(), args.buffer(ctx.memory(), 1)?)?)
}

pub(super) fn removexattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    remove(ctx, args, Last::Follow)
}

pub(super) fn lremovexattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    remove(ctx, args, Last::Itself)
}

pub(super) fn fremovexattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::fremovexattr(file.as_fd(), &name(ctx, args, 1)?)?)
}

/// What the calls with directory, path and flags act on: arguments 0 to 2.
fn on_flags(ctx: &TaskContext, args: &Args, act: impl FnOnce(&Target) -> Result<u64, Errno>) -> SyscallResult {
    const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
    let flags = args.u32(2);
    if flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let is_empty = flags & AT_EMPTY_PATH != 0 && (args.addr(1).is_null() || args.path(ctx.memory(), 1)?.is_empty());
    if is_empty {
        let file = ctx.files.get(args.fd(0))?;
        return Ok(act(&Target::Followed(crate::host::paths::name_of(file.as_fd())))?);
    }
    let last = last_of(flags);
    let path = at(ctx, args, 1, last)?;
    Ok(act(&Target::of(&path, last)?)?)
}

/// The first words of `struct xattr_args` at argument 4: buffer and flags.
fn wire_args(ctx: &TaskContext, args: &Args) -> Result<(ForeignBuffer, u32), Errno> {
    const LEN: u64 = 16;
    if args.u64(5) < LEN {
        return Err(Errno::EINVAL);
    }
    let [value, rest] = ctx.memory().read(args.ptr::<[u64; 2]>(4))?;
    let (len, flags) = (rest as u32, (rest >> 32) as u32);
    Ok((buffer(ctx.memory(), GuestAddr(value), len.into())?, flags))
}

pub(super) fn setxattrat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (name, (value, flags)) = (name(ctx, args, 3)?, wire_args(ctx, args)?);
    on_flags(ctx, args, |target| target.set(&name, value, flags))
}

pub(super) fn getxattrat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (name, (value, flags)) = (name(ctx, args, 3)?, wire_args(ctx, args)?);
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    on_flags(ctx, args, |target| target.get(&name, value))
}

pub(super) fn listxattrat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let names = args.buffer(ctx.memory(), 3)?;
    on_flags(ctx, args, |target| target.list(names))
}

pub(super) fn removexattrat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let name = name(ctx, args, 3)?;
    on_flags(ctx, args, |target| target.remove(&name))
}
