//! Reading and writing descriptors: read(2), write(2) and kin, dup(2), close(2), pipe2(2), eventfd2(2).
//!
//! A call that would wait first tries without waiting, then sleeps in the kernel's one sleep, then tries again
//! (`docs/design.md` §6): a descriptor that other programs may share is never switched to O_NONBLOCK. Pipes and devices
//! take `RWF_NOWAIT`, sockets `MSG_DONTWAIT`. What supports neither (terminals, some anonymous descriptors) is polled and
//! then used; there another reader may be faster, and the call then waits where only process death ends it.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::fcntl::OFlag;
use nix::poll::PollFlags;

use super::Args;
use crate::abi::{Errno, Fd, GuestPtr, Pid, SiCode, SigInfo, SigSet, Signal};
use crate::fs::OpenFlags;
use crate::host;
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::fd_table::{FileKind, OpenFile};
use crate::kernel::signal::SignalTarget;
use crate::kernel::{Restart, SyscallResult, TaskContext};
use crate::preempt::KickCause;

const NOWAIT: u32 = libc::RWF_NOWAIT.cast_unsigned();

/// The offset that means "at the file's position".
const AT_POSITION: i64 = -1;

/// One read or write call, decoded.
struct Transfer {
    file: Arc<OpenFile>,
    buffers: Vec<ForeignBuffer>,
    offset: i64,
    flags: u32,
}

impl Transfer {
    fn len(&self) -> usize {
        self.buffers.iter().map(ForeignBuffer::len).sum()
    }

    /// Drops the first `count` bytes of what is still to be moved.
    fn advance(&mut self, mut count: usize) {
        for buffer in &mut self.buffers {
            let step = count.min(buffer.len());
            *buffer = buffer.skip(step);
            count -= step;
        }
        if self.offset != AT_POSITION {
            self.offset = self.offset.saturating_add_unsigned(count as u64);
        }
    }

    fn is_socket_stream(&self) -> bool {
        self.file.kind() == FileKind::Socket && self.offset == AT_POSITION
    }
}

/// True where the guest asked for `O_NONBLOCK`, which lives in the host's open file description.
pub(super) fn is_nonblocking(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
    let flags = nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_GETFL)?;
    Ok(OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}

fn wait_for(ctx: &TaskContext, file: &OpenFile, events: PollFlags) -> SyscallResult {
    match ctx.task.block_on_fd(file.as_fd(), events, None) {
        Ok(()) => Ok(0),
        Err(interrupted) => Err(interrupted.or_restart(Restart::Sys)),
    }
}

fn read_all_kinds(ctx: &TaskContext, transfer: &Transfer) -> SyscallResult {
    let fd = transfer.file.as_fd();
    let Transfer { buffers, offset, flags, .. } = transfer;
    if transfer.file.kind() == FileKind::Regular || *flags & NOWAIT != 0 {
        return Ok(sys::preadv2(fd, buffers, *offset, *flags)?);
    }
    if transfer.is_socket_stream() && transfer.len() == 0 {
        return Ok(0);
    }
    loop {
        let attempt = if transfer.is_socket_stream() {
            sys::recv_now(fd, buffers)
        } else {
            sys::preadv2(fd, buffers, *offset, flags | NOWAIT)
        };
        match attempt {
            Err(Errno::EAGAIN) if is_nonblocking(fd)? => return Err(Errno::EAGAIN.into()),
            Err(Errno::EAGAIN) => wait_for(ctx, &transfer.file, PollFlags::POLLIN)?,
            Err(Errno::EOPNOTSUPP) => {
                if !is_nonblocking(fd)? {
                    wait_for(ctx, &transfer.file, PollFlags::POLLIN)?;
                }
                return Ok(sys::preadv2(fd, buffers, *offset, *flags)?);
            }
            Err(errno) => return Err(errno.into()),
            Ok(count) => return Ok(count),
        };
    }
}

fn write_all_kinds(ctx: &TaskContext, mut transfer: Transfer) -> SyscallResult {
    let file = transfer.file.clone();
    let fd = file.as_fd();
    if file.kind() == FileKind::Regular || transfer.flags & NOWAIT != 0 {
        return Ok(sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags)?);
    }
    let mut done = 0;
    loop {
        let attempt = if transfer.is_socket_stream() {
            sys::send_now(fd, &transfer.buffers)
        } else {
            sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags | NOWAIT)
        };
        let end = match attempt {
            Ok(count) => {
                done += count;
                transfer.advance(count as usize);
                if transfer.len() == 0 {
                    return Ok(done);
                }
                // There was room for a part: the next attempt finds out whether to wait.
                continue;
            }
            Err(Errno::EAGAIN) if is_nonblocking(fd)? => Err(Errno::EAGAIN.into()),
            Err(Errno::EAGAIN) => wait_for(ctx, &file, PollFlags::POLLOUT),
            Err(Errno::EOPNOTSUPP) => return write_after_poll(ctx, &transfer),
            Err(Errno::EPIPE) => {
                send_sigpipe(ctx);
                Err(Errno::EPIPE.into())
            }
            Err(errno) => Err(errno.into()),
        };
        if let Err(error) = end {
            // What is written is written: the count comes before the error or the signal.
            return if done > 0 { Ok(done) } else { Err(error) };
        }
    }
}

fn write_after_poll(ctx: &TaskContext, transfer: &Transfer) -> SyscallResult {
    let fd = transfer.file.as_fd();
    if !is_nonblocking(fd)? {
        wait_for(ctx, &transfer.file, PollFlags::POLLOUT)?;
    }
    let result = sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags);
    if result == Err(Errno::EPIPE) {
        send_sigpipe(ctx);
    }
    Ok(result?)
}

/// Sends the calling thread the SIGPIPE of a write that nobody reads. The host's own, which a pipe raised on this thread
/// and which is blocked here, is taken away first: the guest gets one.
fn send_sigpipe(ctx: &TaskContext) {
    let _hosts_own = host::signal::take_pending(SigSet::of(&[Signal::SIGPIPE]));
    let process = ctx.process();
    let uid = nix::unistd::getuid().as_raw();
    let info = SigInfo::from_sender(Signal::SIGPIPE, SiCode::SI_USER, Pid(process.pid().0), uid);
    // The thread is alive, and a standard signal always fits.
    let _fits = process.send_signal(info, SignalTarget::Thread(ctx.task.tid()), KickCause::GuestSignal);
}

/// An absolute offset argument, which must not be negative.
fn absolute(offset: i64) -> Result<i64, Errno> {
    if offset < 0 { Err(Errno::EINVAL) } else { Ok(offset) }
}

fn single(ctx: &TaskContext, args: &Args, offset: i64) -> Result<Transfer, Errno> {
    let file = ctx.files.get(args.fd(0))?;
    Ok(Transfer { file, buffers: vec![args.buffer(ctx.memory(), 1)?], offset, flags: 0 })
}

fn vectored(ctx: &TaskContext, args: &Args, offset: i64, flags: u32) -> Result<Transfer, Errno> {
    let file = ctx.files.get(args.fd(0))?;
    Ok(Transfer { file, buffers: args.vector(ctx.memory(), 1)?, offset, flags })
}

pub(super) fn read(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, &single(ctx, args, AT_POSITION)?)
}

pub(super) fn write(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, single(ctx, args, AT_POSITION)?)
}

pub(super) fn readv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, &vectored(ctx, args, AT_POSITION, 0)?)
}

pub(super) fn writev(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, AT_POSITION, 0)?)
}

pub(super) fn pread64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, &single(ctx, args, absolute(args.i64(3))?)?)
}

pub(super) fn pwrite64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, single(ctx, args, absolute(args.i64(3))?)?)
}

pub(super) fn preadv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, &vectored(ctx, args, absolute(args.i64(3))?, 0)?)
}

pub(super) fn pwritev(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, absolute(args.i64(3))?, 0)?)
}

/// The offset of preadv2 and pwritev2: -1 is the file's position, other negative ones are none.
fn offset_or_position(offset: i64) -> Result<i64, Errno> {
    if offset == AT_POSITION { Ok(offset) } else { absolute(offset) }
}

pub(super) fn preadv2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, &vectored(ctx, args, offset_or_position(args.i64(3))?, args.u32(5))?)
}

pub(super) fn pwritev2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, offset_or_position(args.i64(3))?, args.u32(5))?)
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

fn number(fd: Fd) -> u64 {
    u64::from(fd.0.cast_unsigned())
}

pub(super) fn dup(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    Ok(number(ctx.files.add(file, false)?))
}

pub(super) fn dup3(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits_retain(args.u32(2));
    if !OpenFlags::CLOEXEC.contains(flags) || args.fd(0) == args.fd(1) {
        return Err(Errno::EINVAL.into());
    }
    let file = ctx.files.get(args.fd(0))?;
    ctx.files.set(args.fd(1), file, flags.contains(OpenFlags::CLOEXEC))?;
    Ok(number(args.fd(1)))
}

pub(super) fn pipe2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = OpenFlags::from_bits_retain(args.u32(1));
    if !(OpenFlags::CLOEXEC | OpenFlags::NONBLOCK | OpenFlags::DIRECT).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let (reader, writer) = nix::unistd::pipe2(flags.to_host() | OFlag::O_CLOEXEC).map_err(Errno::from)?;
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

pub(super) fn eventfd2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    use nix::sys::eventfd::{EfdFlags, EventFd};
    let flags = EfdFlags::from_bits(args.i32(1)).ok_or(Errno::EINVAL)?;
    let event = EventFd::from_value_and_flags(args.u32(0), flags | EfdFlags::EFD_CLOEXEC).map_err(Errno::from)?;
    let file = OpenFile::new(event.into());
    Ok(number(ctx.files.add(file, flags.contains(EfdFlags::EFD_CLOEXEC))?))
}
