//! Descriptors of any kind: lseek(2), dup(2), close(2), pipe2(2), and what the calls that move data share. Reading and
//! writing: [`super::transfer`].

use std::os::fd::AsFd;
use std::sync::Arc;

use super::Args;
use crate::abi::{Errno, Fd, GuestPtr, Pid, SiCode, SigInfo, SigSet, Signal};
use crate::fs::OpenFlags;
use crate::host;
use crate::host::fds;
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::open_file::OpenFile;
use crate::kernel::signal::SignalTarget;
use crate::kernel::{SyscallResult, TaskContext};
use crate::preempt::KickCause;

/// Drops the first `count` bytes of what is still to be moved.
pub(super) fn advance(buffers: &mut [ForeignBuffer], mut count: usize) {
    for buffer in buffers {
        let step = count.min(buffer.len());
        *buffer = buffer.skip(step);
        count -= step;
    }
}

/// The bytes of an I/O vector.
pub(super) fn total_len(buffers: &[ForeignBuffer]) -> usize {
    buffers.iter().map(ForeignBuffer::len).sum()
}

/// Puts bytes into an I/O vector, from its beginning.
pub(super) fn scatter(ctx: &TaskContext, buffers: &[ForeignBuffer], bytes: &[u8]) -> Result<(), Errno> {
    let mut left = bytes;
    for buffer in buffers {
        let (piece, rest) = left.split_at(left.len().min(buffer.len()));
        if !piece.is_empty() {
            let start = ctx.memory().guest_address(buffer.start().addr()).ok_or(Errno::EFAULT)?;
            ctx.memory().write_bytes(start, piece)?;
        }
        left = rest;
    }
    Ok(())
}

/// Sends the calling thread the SIGPIPE of a write that nobody reads. The host's own, which a pipe raised on this thread
/// and which is blocked here, is taken away first: the guest gets one.
pub(super) fn send_sigpipe(ctx: &TaskContext) {
    let _hosts_own = host::signal::take_pending(SigSet::of(&[Signal::SIGPIPE]));
    let process = ctx.process();
    let uid = nix::unistd::getuid().as_raw();
    let info = SigInfo::from_sender(Signal::SIGPIPE, SiCode::SI_USER, Pid(process.pid().0), uid);
    // The thread is alive, and a standard signal always fits.
    let _fits = process.send_signal(info, SignalTarget::Thread(ctx.task.tid()), KickCause::GuestSignal);
}

pub(super) fn lseek(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let position = sys::lseek(file.as_fd(), args.i64(1), args.u32(2))?;
    if let Some(listing) = file.listing() {
        listing.seek(usize::try_from(position).unwrap_or(usize::MAX));
    }
    Ok(position)
}

pub(super) fn close(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.files.close(args.fd(0))?;
    Ok(0)
}

/// close_range(2). `CLOSE_RANGE_UNSHARE` gives the task a table of its own first.
pub(super) fn close_range(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const UNSHARE: u32 = 1 << 1;
    const CLOEXEC: u32 = 1 << 2;
    let (first, last, flags) = (args.u32(0), args.u32(1), args.u32(2));
    if flags & !(UNSHARE | CLOEXEC) != 0 || first > last {
        return Err(Errno::EINVAL.into());
    }
    if flags & UNSHARE != 0 {
        ctx.files = Arc::new(ctx.files.fork());
    }
    if flags & CLOEXEC != 0 {
        ctx.files.set_close_on_exec_range(first, last);
    } else {
        ctx.files.close_range(first, last);
    }
    Ok(0)
}

/// A descriptor as a call's value.
pub(super) fn number(fd: Fd) -> u64 {
    u64::from(fd.0.cast_unsigned())
}

pub(super) fn dup(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(number(ctx.files.add(file.duplicate()?, false)?))
}

pub(super) fn dup3(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits_retain(args.u32(2));
    if !OpenFlags::CLOEXEC.contains(flags) || args.fd(0) == args.fd(1) {
        return Err(Errno::EINVAL.into());
    }
    let file = ctx.files.get(args.fd(0))?;
    ctx.files.set(args.fd(1), file.duplicate()?, flags.contains(OpenFlags::CLOEXEC))?;
    Ok(number(args.fd(1)))
}

pub(super) fn pipe2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits_retain(args.u32(1));
    if !(OpenFlags::CLOEXEC | OpenFlags::NONBLOCK | OpenFlags::DIRECT).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let (reader, writer) = fds::pipe(flags.to_host())?;
    let files = [OpenFile::new(reader), OpenFile::new(writer)];
    let fds = ctx.files.add_pair(files, flags.contains(OpenFlags::CLOEXEC))?;
    let written = ctx.memory().write(GuestPtr::<[i32; 2]>::new(args.addr(0)), &fds.map(|fd| fd.0));
    if let Err(errno) = written {
        for fd in fds {
            let _open = ctx.files.close(fd);
        }
        return Err(errno.into());
    }
    Ok(0)
}
