//! Descriptors that are events: eventfd(2), timerfd_create(2), signalfd(2), inotify(7).
//!
//! All but the signals are the host's. Signal descriptors are the guest's own pending sets: [`crate::kernel::signal::fd`].

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::PollFlags;

use super::Args;
use super::io::{number, total_len};
use super::messages::restartable;
use super::path::cwd_last;
use crate::abi::{Errno, SigSet};
use crate::fs::Last;
use crate::host::events::{self, CLOEXEC, NONBLOCK};
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::open_file::OpenFile;
use crate::kernel::signal::fd::{self, RECORD_BYTES, SignalFd};
use crate::kernel::{SyscallResult, TaskContext};

/// Watches a symbolic link itself.
const IN_DONT_FOLLOW: u32 = 0x0200_0000;

fn add(ctx: &TaskContext, file: Arc<OpenFile>, flags: u32) -> SyscallResult {
    Ok(number(ctx.files.add(file, flags & CLOEXEC != 0)?))
}

pub(super) fn eventfd2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    add(ctx, OpenFile::new(events::eventfd(args.u32(0), args.u32(1) | CLOEXEC)?), args.u32(1))
}

pub(super) fn timerfd_create(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    add(ctx, OpenFile::new(events::timerfd(args.i32(0), args.u32(1) | CLOEXEC)?), args.u32(1))
}

pub(super) fn timerfd_settime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let memory = ctx.memory();
    Ok(sys::timerfd_settime(file.as_fd(), args.u32(1), args.structure(memory, 2)?, args.optional(memory, 3)?)?)
}

pub(super) fn timerfd_gettime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::timerfd_gettime(file.as_fd(), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn inotify_init1(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    add(ctx, OpenFile::new(events::inotify(args.u32(0) | CLOEXEC)?), args.u32(0))
}

pub(super) fn inotify_add_watch(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let mask = args.u32(2);
    let last = if mask & IN_DONT_FOLLOW != 0 { Last::Itself } else { Last::Follow };
    let path = cwd_last(ctx, args, 1, last)?;
    // A file that is known by reference has a name that must be followed.
    let mask = if path.object().is_some() { mask & !IN_DONT_FOLLOW } else { mask };
    Ok(sys::inotify_add_watch(file.as_fd(), &path.to_host_string()?, mask)?)
}

pub(super) fn inotify_rm_watch(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(sys::inotify_rm_watch(file.as_fd(), args.i32(1))?)
}

pub(super) fn signalfd4(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.u32(3);
    if args.u64(2) != 8 || flags & !(CLOEXEC | NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let set = SigSet(ctx.memory().read(args.ptr::<u64>(1))?).difference(SigSet::UNBLOCKABLE);
    if args.i32(0) == -1 {
        return add(ctx, fd::open(ctx.process(), set, flags & NONBLOCK != 0)?, flags);
    }
    let file = ctx.files.get(args.fd(0))?;
    let signals = file.signals().ok_or(Errno::EINVAL)?;
    fd::change(ctx.process(), signals, set);
    Ok(number(args.fd(0)))
}

/// read(2) of a signal descriptor: as many records as fit and are there, at least one.
pub(super) fn read_signals(
    ctx: &TaskContext,
    file: &OpenFile,
    signals: &SignalFd,
    buffers: &[ForeignBuffer],
) -> SyscallResult {
    let room = total_len(buffers) / RECORD_BYTES;
    if room == 0 {
        return Err(Errno::EINVAL.into());
    }
    let tid = ctx.task.tid();
    loop {
        let taken: Vec<_> = {
            let mut group = ctx.process().group();
            std::iter::from_fn(|| group.take(tid, signals.set())).take(room).collect()
        };
        if !taken.is_empty() {
            let records: Vec<u8> = taken.iter().flat_map(fd::record).collect();
            super::io::scatter(ctx, buffers, &records)?;
            return Ok(records.len() as u64);
        }
        if file.is_nonblocking()? {
            return Err(Errno::EAGAIN.into());
        }
        ctx.task.block_on_fd(file.as_fd(), PollFlags::POLLIN, None).map_err(restartable)?;
    }
}
