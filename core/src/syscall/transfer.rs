//! Reading and writing descriptors: read(2), write(2) and their vector and offset forms.
//!
//! A call that would wait first tries without waiting, then sleeps in the kernel's one sleep, then tries again
//! (`docs/design.md` §6): a descriptor that other programs may share is never switched to O_NONBLOCK. Pipes and some
//! devices take `RWF_NOWAIT`, sockets `MSG_DONTWAIT`. What supports neither (terminals, inotify) is polled and then used
//! by a pool thread with a copy of the data, since another reader or writer may be faster.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::PollFlags;

use super::events::read_signals;
use super::io::{advance, scatter, send_sigpipe, total_len};
use super::messages::{Wanted, receive_on, restartable, send_on};
use super::{Args, terminal};
use crate::abi::Errno;
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::open_file::{FileKind, OpenFile};
use crate::kernel::{SyscallResult, TaskContext};

/// `RWF_NOWAIT` of preadv2(2).
const NOWAIT: u32 = 8;

/// The offset that means "at the file's position".
const AT_POSITION: i64 = -1;

/// Most bytes that a pool thread moves at once: what a terminal holds, many times over.
const COPY_MAX: usize = 64 * 1024;

/// One read or write call, decoded.
struct Transfer {
    file: Arc<OpenFile>,
    buffers: Vec<ForeignBuffer>,
    offset: i64,
    flags: u32,
}

impl Transfer {
    fn len(&self) -> usize {
        total_len(&self.buffers)
    }

    /// Drops the first `count` bytes of what is still to be moved.
    fn advance(&mut self, count: usize) {
        advance(&mut self.buffers, count);
        if self.offset != AT_POSITION {
            self.offset = self.offset.saturating_add_unsigned(count as u64);
        }
    }

    fn is_socket_stream(&self) -> bool {
        self.file.kind() == FileKind::Socket && self.offset == AT_POSITION
    }

    /// True where the host call never waits for another program, or is told not to.
    fn never_waits(&self) -> bool {
        self.file.kind() == FileKind::Regular || self.flags & NOWAIT != 0
    }
}

fn wait_for(ctx: &TaskContext, file: &OpenFile, events: PollFlags) -> SyscallResult {
    match ctx.task.block_on_fd(file.as_fd(), events, None) {
        Ok(()) => Ok(0),
        Err(interrupted) => Err(restartable(interrupted)),
    }
}

fn read_all_kinds(ctx: &TaskContext, transfer: Transfer) -> SyscallResult {
    if let Some(signals) = transfer.file.signals() {
        return read_signals(ctx, &transfer.file, signals, &transfer.buffers);
    }
    terminal::before_read(ctx, &transfer.file)?;
    let fd = transfer.file.as_fd();
    if transfer.never_waits() {
        return Ok(sys::preadv2(fd, &transfer.buffers, transfer.offset, transfer.flags)?);
    }
    if transfer.is_socket_stream() {
        if transfer.len() == 0 {
            return Ok(0);
        }
        let Transfer { file, buffers, .. } = transfer;
        let mut wanted = Wanted { buffers, has_address: false, control_room: 0, flags: 0 };
        return Ok(receive_on(ctx, &file, &mut wanted)?.len);
    }
    loop {
        match sys::preadv2(fd, &transfer.buffers, transfer.offset, transfer.flags | NOWAIT) {
            Err(Errno::EAGAIN) if transfer.file.is_nonblocking()? => return Err(Errno::EAGAIN.into()),
            Err(Errno::EAGAIN) => wait_for(ctx, &transfer.file, PollFlags::POLLIN)?,
            Err(Errno::EOPNOTSUPP) => return read_by_pool(ctx, &transfer),
            Err(errno) => return Err(errno.into()),
            Ok(count) => return Ok(count),
        };
    }
}

/// Reads what cannot be told not to wait.
fn read_by_pool(ctx: &TaskContext, transfer: &Transfer) -> SyscallResult {
    let fd = transfer.file.as_fd();
    let Transfer { buffers, offset, flags, .. } = transfer;
    if transfer.len() == 0 || transfer.file.is_nonblocking()? {
        return Ok(sys::preadv2(fd, buffers, *offset, *flags)?);
    }
    wait_for(ctx, &transfer.file, PollFlags::POLLIN)?;
    let (file, offset, flags) = (transfer.file.clone(), *offset, *flags);
    let len = transfer.len().min(COPY_MAX);
    let data = ctx.task.block_on_call(&ctx.proof, move || sys::read_bytes(file.as_fd(), len, offset, flags));
    let data = data.map_err(restartable)?;
    scatter(ctx, buffers, &data)?;
    Ok(data.len() as u64)
}

fn write_all_kinds(ctx: &TaskContext, mut transfer: Transfer) -> SyscallResult {
    let file = transfer.file.clone();
    terminal::before_write(ctx, &file)?;
    let fd = file.as_fd();
    if file.signals().is_some() {
        return Err(Errno::EINVAL.into());
    }
    if transfer.never_waits() {
        return Ok(sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags)?);
    }
    if transfer.is_socket_stream() {
        return send_on(ctx, &file, &[], &[], &mut transfer.buffers, 0);
    }
    let mut done = 0;
    loop {
        let end = match sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags | NOWAIT) {
            Ok(count) => {
                done += count;
                transfer.advance(count as usize);
                if transfer.len() == 0 {
                    return Ok(done);
                }
                // There was room for a part: the next attempt finds out whether to wait.
                continue;
            }
            Err(Errno::EAGAIN) if transfer.file.is_nonblocking()? => Err(Errno::EAGAIN.into()),
            Err(Errno::EAGAIN) => wait_for(ctx, &file, PollFlags::POLLOUT),
            Err(Errno::EOPNOTSUPP) => return write_by_pool(ctx, &transfer),
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

/// Writes what cannot be told not to wait, a piece at a time.
fn write_by_pool(ctx: &TaskContext, transfer: &Transfer) -> SyscallResult {
    let fd = transfer.file.as_fd();
    if transfer.file.is_nonblocking()? {
        return Ok(sys::pwritev2(fd, &transfer.buffers, transfer.offset, transfer.flags)?);
    }
    let (offset, flags) = (transfer.offset, transfer.flags);
    let mut done: u64 = 0;
    loop {
        let data = gather(ctx, &transfer.buffers, done as usize)?;
        let (file, len) = (transfer.file.clone(), data.len() as u64);
        let at = if offset == AT_POSITION { offset } else { offset.saturating_add_unsigned(done) };
        let written = wait_for(ctx, &transfer.file, PollFlags::POLLOUT).and_then(|_ready| {
            let call = move || sys::write_bytes(file.as_fd(), &data, at, flags);
            ctx.task.block_on_call(&ctx.proof, call).map_err(restartable)
        });
        match written {
            Ok(count) => {
                done += count;
                if count < len || done as usize >= transfer.len() {
                    return Ok(done);
                }
            }
            Err(_after_some) if done > 0 => return Ok(done),
            Err(error) => return Err(error),
        }
    }
}

/// A copy of what is in the buffers after the first `skip` bytes, as much as is moved at once.
fn gather(ctx: &TaskContext, buffers: &[ForeignBuffer], skip: usize) -> Result<Vec<u8>, Errno> {
    let mut buffers = buffers.to_vec();
    advance(&mut buffers, skip);
    let mut data = Vec::new();
    for buffer in buffers.iter().filter(|buffer| !buffer.is_empty()) {
        let start = ctx.memory().guest_address(buffer.start().addr()).ok_or(Errno::EFAULT)?;
        let at = data.len();
        data.resize(at + buffer.len().min(COPY_MAX - at), 0);
        ctx.memory().read_bytes(start, &mut data[at..])?;
    }
    Ok(data)
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
    read_all_kinds(ctx, single(ctx, args, AT_POSITION)?)
}

pub(super) fn write(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, single(ctx, args, AT_POSITION)?)
}

pub(super) fn readv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, vectored(ctx, args, AT_POSITION, 0)?)
}

pub(super) fn writev(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, AT_POSITION, 0)?)
}

pub(super) fn pread64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, single(ctx, args, absolute(args.i64(3))?)?)
}

pub(super) fn pwrite64(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, single(ctx, args, absolute(args.i64(3))?)?)
}

pub(super) fn preadv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, vectored(ctx, args, absolute(args.i64(3))?, 0)?)
}

pub(super) fn pwritev(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, absolute(args.i64(3))?, 0)?)
}

/// The offset of preadv2 and pwritev2: -1 is the file's position, other negative ones are none.
fn offset_or_position(offset: i64) -> Result<i64, Errno> {
    if offset == AT_POSITION { Ok(offset) } else { absolute(offset) }
}

pub(super) fn preadv2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_all_kinds(ctx, vectored(ctx, args, offset_or_position(args.i64(3))?, args.u32(5))?)
}

pub(super) fn pwritev2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    write_all_kinds(ctx, vectored(ctx, args, offset_or_position(args.i64(3))?, args.u32(5))?)
}
