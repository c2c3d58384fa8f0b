//! Where memory lies, and memory of other processes: get_mempolicy(2), set_mempolicy(2), mbind(2), migrate_pages(2),
//! move_pages(2), process_vm_readv(2), process_vm_writev(2), process_madvise(2), process_mrelease(2). Policies are the
//! host's: a guest thread is a host thread, and guest memory is host memory.

use std::os::fd::AsFd;

use super::Args;
use super::args::buffer;
use crate::abi::mman::Advice;
use crate::abi::{Errno, GuestAddr, Pid};
use crate::host::pidfd;
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::published::Published;
use crate::kernel::{SyscallResult, TaskContext};

/// Bytes of a node mask of `bits` bits, as the host reads or writes it.
fn mask_bytes(bits: u64) -> Result<u64, Errno> {
    const BITS_MAX: u64 = 1 << 15;
    if bits > BITS_MAX { Err(Errno::EINVAL) } else { Ok(bits.div_ceil(64) * 8) }
}

/// The mask at argument `index`, whose length in bits is the next argument; `None` for a null pointer.
fn mask(ctx: &TaskContext, args: &Args, index: usize) -> Result<ForeignBuffer, Errno> {
    if args.addr(index).is_null() {
        return Ok(ForeignBuffer::NULL);
    }
    buffer(ctx.memory(), args.addr(index), mask_bytes(args.u64(index + 1))?)
}

pub(super) fn get_mempolicy(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const MPOL_F_ADDR: u32 = 2;
    let mode = args.optional::<4>(ctx.memory(), 0)?;
    let nodes = mask(ctx, args, 1)?;
    let place = if args.u32(4) & MPOL_F_ADDR == 0 && args.addr(3).is_null() {
        ForeignBuffer::NULL
    } else {
        buffer(ctx.memory(), args.addr(3), 1)?
    };
    Ok(sys::get_mempolicy(mode, nodes, args.u64(2), place, args.u64(4))?)
}

pub(super) fn set_mempolicy(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::set_mempolicy(args.i32(0), mask(ctx, args, 1)?, args.u64(2))?)
}

pub(super) fn mbind(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let range = buffer(ctx.memory(), args.addr(0).untagged(), args.u64(1))?;
    Ok(sys::mbind(range, args.i32(2), mask(ctx, args, 3)?, args.u64(4), args.u32(5))?)
}

pub(super) fn set_mempolicy_home_node(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let range = buffer(ctx.memory(), args.addr(0).untagged(), args.u64(1))?;
    Ok(sys::set_mempolicy_home_node(range, args.u64(2), args.u64(3))?)
}

pub(super) fn migrate_pages(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let len = mask_bytes(args.u64(1))?;
    let mask = |index| buffer(ctx.memory(), args.addr(index), len);
    Ok(sys::migrate_pages(args.i32(0), args.u64(1), mask(2)?, mask(3)?)?)
}

/// move_pages(2), of at most [`MOVED_MAX`] pages.
pub(super) fn move_pages(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, count) = (args.pid(0), args.u64(1));
    if count > MOVED_MAX {
        return Err(Errno::E2BIG.into());
    }
    let memory = ctx.memory();
    let pages = args.ptr::<u64>(2);
    let window = window_of(ctx, pid);
    let host_page = |index| Ok(window.wrapping_add(GuestAddr(memory.read(pages.index(index)?)?).untagged().0));
    let pages: Vec<u64> = (0..count).map(host_page).collect::<Result<_, Errno>>()?;
    let words = |index| buffer(memory, args.addr(index), count * size_of::<i32>() as u64);
    let nodes = if args.addr(3).is_null() { ForeignBuffer::NULL } else { words(3)? };
    Ok(sys::move_pages(pid.0, &pages, nodes, words(4)?, args.u32(5))?)
}

/// Most pages of one move_pages(2).
const MOVED_MAX: u64 = 1 << 20;

/// The ranges of another process, or of this one, that a vector of `count` elements at argument `index` names.
fn ranges(ctx: &TaskContext, args: &Args, index: usize, count: u64) -> Result<Vec<[u64; 2]>, Errno> {
    /// `UIO_MAXIOV`.
    const VECTORS_MAX: u64 = 1024;
    if count > VECTORS_MAX {
        return Err(Errno::EINVAL);
    }
    let vector = args.ptr::<[u64; 2]>(index);
    (0..count).map(|element| ctx.memory().read(vector.index(element)?)).collect()
}

/// Where that process runs a guest, its addresses begin at its window.
fn window_of(ctx: &TaskContext, pid: Pid) -> u64 {
    if pid.0 == 0 || pid == ctx.process().pid() {
        ctx.memory().base().addr().get() as u64
    } else {
        Published::of(pid).map_or(0, |published| published.window)
    }
}

/// The same as addresses of the host.
fn host_ranges(ctx: &TaskContext, pid: Pid, mut ranges: Vec<[u64; 2]>) -> Result<Vec<[u64; 2]>, Errno> {
    let window = window_of(ctx, pid);
    for [start, _len] in &mut ranges {
        *start = window.checked_add(GuestAddr(*start).untagged().0).ok_or(Errno::EFAULT)?;
    }
    Ok(ranges)
}

/// A transfer between the memories of two processes.
struct Transfer {
    pid: Pid,
    local: Vec<ForeignBuffer>,
    /// Host addresses and lengths in the other process.
    remote: Vec<[u64; 2]>,
}

fn transfer(ctx: &TaskContext, args: &Args) -> Result<Transfer, Errno> {
    let pid = args.pid(0);
    if args.u64(5) != 0 {
        return Err(Errno::EINVAL);
    }
    let remote = ranges(ctx, args, 3, args.u64(4))?;
    let local = args.vector(ctx.memory(), 1)?;
    Ok(Transfer { pid, local, remote: host_ranges(ctx, pid, remote)? })
}

pub(super) fn process_vm_readv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let Transfer { pid, local, remote } = transfer(ctx, args)?;
    Ok(sys::process_vm_readv(pid.0, &local, &remote)?)
}

pub(super) fn process_vm_writev(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let Transfer { pid, local, remote } = transfer(ctx, args)?;
    Ok(sys::process_vm_writev(pid.0, &local, &remote)?)
}

/// Advice that changes no contents: what process_madvise(2) takes about anybody. Linux 6.13 and later, younger than what
/// uname(2) tells, takes all others as well from a process about itself.
fn is_about_anybody(advice: i32) -> bool {
    matches!(Advice::from_raw(advice), Some(Advice::Cold | Advice::PageOut | Advice::WillNeed | Advice::Collapse))
}

/// process_madvise(2). Missing: holes in the memory of another guest, which are not seen.
pub(super) fn process_madvise(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u32(4) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let ranges = ranges(ctx, args, 1, args.u64(2))?;
    let process = ctx.files.get(args.fd(0))?;
    let target = pidfd::process_of(process.as_fd())?.ok_or(Errno::ESRCH)?;
    if !is_about_anybody(args.i32(3)) {
        return Err(Errno::EINVAL.into());
    }
    if target != ctx.process().pid() {
        let ranges = host_ranges(ctx, target, ranges)?;
        return Ok(sys::process_madvise(process.as_fd(), &ranges, args.i32(3), 0)?);
    }
    let mut advised = 0;
    for [start, len] in ranges {
        match ctx.process().space().madvise(GuestAddr(start), len, args.i32(3)) {
            Ok(()) => advised += len,
            Err(errno) if advised == 0 => return Err(errno.into()),
            Err(_of_a_later_range) => break,
        }
    }
    Ok(advised)
}

pub(super) fn process_mrelease(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let process = ctx.files.get(args.fd(0))?;
    Ok(sys::process_mrelease(process.as_fd(), args.u32(1))?)
}

/// pkey_alloc(2): this CPU has no protection keys, so none is free.
pub(super) fn pkey_alloc(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let is_valid = args.u64(0) == 0 && args.u64(1) & !3 == 0;
    Err(if is_valid { Errno::ENOSPC } else { Errno::EINVAL }.into())
}

/// pkey_free(2): none was allocated.
pub(super) fn pkey_free(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::EINVAL.into())
}

/// pkey_mprotect(2): with key -1 it is mprotect(2); other keys were never allocated.
pub(super) fn pkey_mprotect(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.i32(3) != -1 {
        return Err(Errno::EINVAL.into());
    }
    super::mm::mprotect(ctx, args)
}
