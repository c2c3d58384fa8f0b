//! Path arguments: from registers to a [`HostPath`].

use crate::abi::{Errno, Fd};
use crate::fs::Last;
use crate::kernel::TaskContext;
use crate::kernel::paths::HostPath;

use super::Args;

/// `AT_FDCWD`.
const AT_FDCWD: Fd = Fd(-100);
/// `AT_SYMLINK_NOFOLLOW`.
const AT_SYMLINK_NOFOLLOW: u32 = 0x100;

/// The path at argument `index`, relative to the directory at argument `index - 1`.
///
/// # Errors
/// `EFAULT`, `EBADF`, and those of path_resolution(7).
pub(super) fn at(ctx: &TaskContext, args: &Args, index: usize, last: Last) -> Result<HostPath, Errno> {
    let path = args.path(ctx.memory(), index)?;
    let base = index.checked_sub(1).map_or(AT_FDCWD, |index| args.fd(index));
    HostPath::resolve(ctx.process(), &ctx.files, base, path, last)
}

/// The path at argument `index`, relative to the working directory, its last link followed.
///
/// # Errors
/// As [`at`].
pub(super) fn cwd(ctx: &TaskContext, args: &Args, index: usize) -> Result<HostPath, Errno> {
    cwd_to(ctx, args, index, Last::Follow)
}

/// The same, whose last link is followed or not.
///
/// # Errors
/// As [`at`].
pub(super) fn cwd_to(ctx: &TaskContext, args: &Args, index: usize, last: Last) -> Result<HostPath, Errno> {
    let path = args.path(ctx.memory(), index)?;
    HostPath::resolve(ctx.process(), &ctx.files, AT_FDCWD, path, last)
}

/// What flags with `AT_SYMLINK_NOFOLLOW` say.
pub(super) const fn last_of(flags: u32) -> Last {
    if flags & AT_SYMLINK_NOFOLLOW != 0 { Last::Itself } else { Last::Follow }
}
