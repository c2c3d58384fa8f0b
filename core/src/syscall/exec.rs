//! Programs: execve(2), execveat(2). The deed is `kernel::exec`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::Args;
use super::path::{at, last_of};
use crate::abi::{Errno, GuestPtr};
use crate::kernel::exec::execute;
use crate::kernel::{SyscallResult, TaskContext};

/// Longest string of an argument or a variable, NUL included (`MAX_ARG_STRLEN`).
const STRING_MAX: usize = 128 << 10;

/// Most bytes of all strings: what Linux allows with any stack limit (three quarters of `_STK_LIM`).
const TOTAL_MAX: usize = 6 << 20;

/// `AT_FDCWD`.
const AT_FDCWD: i32 = -100;
/// `AT_EMPTY_PATH`.
const AT_EMPTY_PATH: i32 = 0x1000;
/// `AT_SYMLINK_NOFOLLOW`.
const AT_SYMLINK_NOFOLLOW: i32 = 0x100;

/// execve(2). A program of the host's own architecture runs natively, outside of elfuse.
pub(super) fn execve(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let name = args.path(ctx.memory(), 0)?;
    run(ctx, OsStr::from_bytes(name.to_bytes()).into(), args.ptr(1), args.ptr(2))
}

/// execveat(2), as [`execve`].
pub(super) fn execveat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.i32(4);
    if flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = args.path(ctx.memory(), 1)?;
    if flags & AT_SYMLINK_NOFOLLOW != 0 && !name.is_empty() {
        let path = at(ctx, args, 1, last_of(args.u32(4)))?;
        if path.object().is_none() && path.to_path().is_symlink() {
            return Err(Errno::ELOOP.into());
        }
    }
    // The name that Linux gives such a program, by which its interpreter finds it.
    let directory = PathBuf::from(format!("/dev/fd/{}", args.i32(0)));
    let name = OsStr::from_bytes(name.to_bytes());
    let path = if name.is_empty() {
        if flags & AT_EMPTY_PATH == 0 {
            return Err(Errno::ENOENT.into());
        }
        let _is_open = ctx.files.get(args.fd(0))?;
        directory
    } else if args.i32(0) == AT_FDCWD {
        name.into()
    } else {
        directory.join(name)
    };
    run(ctx, path, args.ptr(2), args.ptr(3))
}

fn run(ctx: &mut TaskContext, path: PathBuf, args: GuestPtr<u64>, env: GuestPtr<u64>) -> SyscallResult {
    if path.as_os_str().is_empty() {
        return Err(Errno::ENOENT.into());
    }
    let mut room = TOTAL_MAX;
    let mut args = strings(ctx, args, &mut room)?;
    let env = strings(ctx, env, &mut room)?;
    if args.is_empty() {
        // As Linux does since 5.18: a program finds at least an empty name.
        args.push(Vec::new());
    }
    Err(execute(ctx, &path, args, env)?.into())
}

/// The strings of a vector that a null pointer ends; a null vector is empty.
fn strings(ctx: &TaskContext, vector: GuestPtr<u64>, room: &mut usize) -> Result<Vec<Vec<u8>>, Errno> {
    let mut strings = Vec::new();
    if vector.non_null().is_none() {
        return Ok(strings);
    }
    for index in 0.. {
        let pointer = GuestPtr::<u8>::new(crate::abi::GuestAddr(ctx.memory().read(vector.index(index)?)?));
        if pointer.non_null().is_none() {
            break;
        }
        let string = ctx.memory().read_cstr(pointer.addr(), STRING_MAX).map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::E2BIG,
            other => other,
        })?;
        *room = room.checked_sub(string.len() + 1 + size_of::<u64>()).ok_or(Errno::E2BIG)?;
        strings.push(string);
    }
    Ok(strings)
}
