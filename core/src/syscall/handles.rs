//! File handles: name_to_handle_at(2), open_by_handle_at(2). They are the host's, and so is the file that one names, wherever
//! the guest's tree ends.

use std::os::fd::AsFd;
use std::sync::Arc;

use super::Args;
use super::args::buffer;
use super::fs::open_host;
use super::path::at;
use crate::abi::Errno;
use crate::fs::{Last, OpenFlags};
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::open_file::OpenFile;
use crate::kernel::paths::{AT_FDCWD, HostPath};
use crate::kernel::{SyscallResult, TaskContext};

/// Longest handle (`MAX_HANDLE_SZ`), without the two words before it.
const HANDLE_MAX: u32 = 128;
const AT_EMPTY_PATH: u32 = 0x1000;
const AT_SYMLINK_FOLLOW: u32 = 0x400;
/// The mount id has 64 bits.
const AT_HANDLE_MNT_ID_UNIQUE: u32 = 1;

/// The `struct file_handle` at argument `index`, which says its own length.
fn handle(ctx: &TaskContext, args: &Args, index: usize) -> Result<ForeignBuffer, Errno> {
    let room = ctx.memory().read(args.ptr::<u32>(index))?;
    if room > HANDLE_MAX {
        return Err(Errno::EINVAL);
    }
    buffer(ctx.memory(), args.addr(index), u64::from(room) + 8)
}

pub(super) fn name_to_handle_at(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.u32(4);
    let last = if flags & AT_SYMLINK_FOLLOW == 0 { Last::Itself } else { Last::Follow };
    let path = at(ctx, args, 1, last)?;
    let handle = handle(ctx, args, 2)?;
    let mount_id = buffer(ctx.memory(), args.addr(3), if flags & AT_HANDLE_MNT_ID_UNIQUE == 0 { 4 } else { 8 })?;
    Ok(match path.object() {
        Some(file) => sys::name_to_handle_at(Some(file), c"", handle, mount_id, flags | AT_EMPTY_PATH)?,
        None => sys::name_to_handle_at(path.directory(), path.path(), handle, mount_id, flags)?,
    })
}

pub(super) fn open_by_handle_at(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits_retain(args.u32(2));
    let handle = handle(ctx, args, 1)?;
    let mount = if args.fd(0) == AT_FDCWD { None } else { Some(ctx.files.get(args.fd(0))?) };
    let reference = (OpenFlags::PATH | OpenFlags::CLOEXEC).to_host();
    let mut opened = sys::open_by_handle_at(mount.as_ref().map(AsFd::as_fd), handle, reference.bits())?;
    if !flags.contains(OpenFlags::PATH) {
        opened = open_host(ctx, &HostPath::of_file(Arc::new(opened)), flags, 0)?;
    }
    let fd = ctx.files.add(OpenFile::new(opened), flags.contains(OpenFlags::CLOEXEC))?;
    Ok(u64::from(fd.0.cast_unsigned()))
}
