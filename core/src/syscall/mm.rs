//! Memory: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), mseal(2) and kin, over [`AddressSpace`].
//!
//! [`AddressSpace`]: crate::mem::AddressSpace

use std::os::fd::AsFd;
use std::sync::Arc;

use super::Args;
use crate::abi::Errno;
use crate::abi::mman::MapFlags;
use crate::host::paths;
use crate::kernel::open_file::OpenFile;
use crate::kernel::{SyscallResult, TaskContext, limits};
use crate::mem::{MappedFile, MmapRequest, Prot};

/// The guest's path of an open file for /proc/self/maps; empty where the host does not tell.
fn name_of(ctx: &TaskContext, file: &OpenFile) -> Vec<u8> {
    paths::path_of(file.as_fd()).map(|path| ctx.process().root().guest_path(&path)).unwrap_or_default()
}

/// AT_HWCAP2: branch target identification.
const HWCAP2_BTI: u64 = 1 << 17;

/// `PROT_BTI` where the CPU has no guarded pages: mprotect(2) refuses it there, mmap(2) ignores it.
fn unknown_rights(ctx: &TaskContext) -> u32 {
    let [_, hwcap2, _] = ctx.process().machine().features().hwcaps;
    if hwcap2 & HWCAP2_BTI == 0 { Prot::BTI.bits().into() } else { 0 }
}

pub(super) fn mmap(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.u32(3);
    let file = if MapFlags::from_bits_retain(flags).contains(MapFlags::ANONYMOUS) {
        None
    } else {
        let file = ctx.files.get(args.fd(4))?;
        Some(Arc::new(MappedFile::new(file.host().clone(), name_of(ctx, &file))?))
    };
    if MapFlags::from_bits_retain(flags).contains(MapFlags::LOCKED) {
        ctx.process().space().check_lock(args.u64(1), limits::lockable_bytes()?)?;
    }
    let prot = args.u32(2) & !unknown_rights(ctx);
    let request = MmapRequest { addr: args.addr(0), len_bytes: args.u64(1), prot, flags, file, offset: args.u64(5) };
    Ok(ctx.process().space().mmap(&request)?.0)
}

pub(super) fn munmap(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().munmap(args.addr(0), args.u64(1))?;
    Ok(0)
}

pub(super) fn mprotect(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let prot = args.u32(2);
    if prot & unknown_rights(ctx) != 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.process().space().mprotect(args.addr(0), args.u64(1), prot)?;
    Ok(0)
}

pub(super) fn mremap(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let space = ctx.process().space();
    Ok(space.mremap(args.addr(0), args.u64(1), args.u64(2), args.u32(3), args.addr(4))?.0)
}

pub(super) fn brk(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(ctx.process().space().brk(args.addr(0)).0)
}

pub(super) fn madvise(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().madvise(args.addr(0), args.u64(1), args.i32(2))?;
    Ok(0)
}

pub(super) fn msync(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().msync(args.addr(0), args.u64(1), args.u32(2))?;
    Ok(0)
}

pub(super) fn mincore(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let memory = ctx.memory();
    let to = args.addr(2);
    ctx.process()
        .space()
        .mincore(args.addr(0), args.u64(1), |page, residency| memory.write_bytes(to.add(page)?, residency))?;
    Ok(0)
}

/// mlock(2). Missing: pages are faulted in and count against the limit, but are not pinned on the host.
pub(super) fn mlock(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().lock_range(args.addr(0), args.u64(1), limits::lockable_bytes()?, true)?;
    Ok(0)
}

/// mlock2(2), as [`mlock`].
pub(super) fn mlock2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const MLOCK_ONFAULT: u32 = 1;
    if args.u32(2) & !MLOCK_ONFAULT != 0 {
        return Err(Errno::EINVAL.into());
    }
    let is_present = args.u32(2) & MLOCK_ONFAULT == 0;
    ctx.process().space().lock_range(args.addr(0), args.u64(1), limits::lockable_bytes()?, is_present)?;
    Ok(0)
}

/// munlock(2), of what [`mlock`] has marked.
pub(super) fn munlock(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().unlock_range(args.addr(0), args.u64(1))?;
    Ok(0)
}

/// mlockall(2): present mappings are marked and count against the limit; `MCL_FUTURE` has no effect.
pub(super) fn mlockall(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const MCL_CURRENT: u32 = 1;
    const MCL_ALL: u32 = 7;
    let flags = args.u32(0);
    if flags == 0 || flags & !MCL_ALL != 0 || flags == 4 {
        return Err(Errno::EINVAL.into());
    }
    if flags & MCL_CURRENT != 0 {
        ctx.process().space().lock_all(limits::lockable_bytes()?)?;
    }
    Ok(0)
}

/// munlockall(2), of what [`mlockall`] has marked.
pub(super) fn munlockall(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    ctx.process().space().unlock_all();
    Ok(0)
}

pub(super) fn mseal(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(2) != 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.process().space().seal(args.addr(0), args.u64(1))?;
    Ok(0)
}
