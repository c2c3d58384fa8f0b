//! Moving data between descriptors: sendfile(2), splice(2), tee(2), vmsplice(2).
//!
//! What can wait and cannot be told not to (a socket or a terminal at one end) is made by a pool thread; between pipes and
//! files it is tried without waiting first. Offsets are read before and written after: a pool thread never touches guest
//! memory.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::PollFlags;

use super::Args;
use super::io::send_sigpipe;
use super::messages::restartable;
use crate::abi::{Errno, GuestPtr};
use crate::host::sys::{self, Moved};
use crate::kernel::open_file::{FileKind, OpenFile};
use crate::kernel::{SyscallError, SyscallResult, TaskContext};

/// `SPLICE_F_NONBLOCK`.
const NONBLOCK: u32 = 2;

/// An offset argument: where it is, and what it holds.
struct Offset {
    place: GuestPtr<i64>,
    value: Option<i64>,
}

impl Offset {
    fn read(ctx: &TaskContext, place: GuestPtr<i64>) -> Result<Self, Errno> {
        let value = place.non_null().map(|place| ctx.memory().read(place)).transpose()?;
        Ok(Self { place, value })
    }

    /// Stores the offset that the call left.
    fn write(&self, ctx: &TaskContext, after: Option<i64>) -> Result<(), Errno> {
        match after {
            Some(after) if self.value.is_some() => ctx.memory().write(self.place, &after),
            Some(_) | None => Ok(()),
        }
    }
}

/// True where a transfer never waits longer than a disk does.
fn is_prompt(file: &OpenFile) -> bool {
    file.kind() == FileKind::Regular
}

fn after_write(ctx: &TaskContext, error: SyscallError) -> SyscallError {
    if error == SyscallError::Errno(Errno::EPIPE) {
        send_sigpipe(ctx);
    }
    error
}

/// Runs `call` here, or on a pool thread where it can wait.
fn run(
    ctx: &TaskContext,
    can_wait: bool,
    call: impl FnOnce() -> Result<Moved, Errno> + Send + 'static,
) -> Result<Moved, SyscallError> {
    let moved = if can_wait {
        ctx.task.block_on_call(&ctx.proof, call).map_err(restartable)
    } else {
        call().map_err(Into::into)
    };
    moved.map_err(|error| after_write(ctx, error))
}

pub(super) fn sendfile(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (to, from) = (ctx.files.get(args.fd(0))?, ctx.files.get(args.fd(1))?);
    let offset = Offset::read(ctx, args.ptr(2))?;
    let (count, start) = (args.usize(3), offset.value);
    let can_wait = !is_prompt(&to) && !to.is_nonblocking()?;
    let (moved, after, _) = run(ctx, can_wait, move || sys::sendfile(to.as_fd(), from.as_fd(), start, count))?;
    offset.write(ctx, after)?;
    Ok(moved)
}

/// True where neither end waits for anybody but through a pipe, which `SPLICE_F_NONBLOCK` governs.
fn are_pipes_or_files(ends: [&Arc<OpenFile>; 2]) -> bool {
    ends.iter().all(|end| matches!(end.kind(), FileKind::Regular | FileKind::Pipe))
}

pub(super) fn splice(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (from, to) = (ctx.files.get(args.fd(0))?, ctx.files.get(args.fd(2))?);
    let (from_offset, to_offset) = (Offset::read(ctx, args.ptr(1))?, Offset::read(ctx, args.ptr(3))?);
    let starts = (from_offset.value, to_offset.value);
    let (len, flags) = (args.usize(4), args.u32(5));
    let attempt = |flags| sys::splice((from.as_fd(), starts.0), (to.as_fd(), starts.1), len, flags);
    let never_waits = flags & NONBLOCK != 0 || from.is_nonblocking()? || to.is_nonblocking()?;
    let first = if never_waits || are_pipes_or_files([&from, &to]) { Some(attempt(flags | NONBLOCK)) } else { None };
    let moved = match first {
        Some(Err(Errno::EAGAIN)) | None if !never_waits => {
            let (from, to) = (from.clone(), to.clone());
            run(ctx, true, move || sys::splice((from.as_fd(), starts.0), (to.as_fd(), starts.1), len, flags))
        }
        Some(result) => result.map_err(|errno| after_write(ctx, errno.into())),
        None => Err(Errno::EAGAIN.into()),
    };
    let (moved, after_from, after_to) = moved?;
    from_offset.write(ctx, after_from)?;
    to_offset.write(ctx, after_to)?;
    Ok(moved)
}

pub(super) fn tee(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (from, to) = (ctx.files.get(args.fd(0))?, ctx.files.get(args.fd(1))?);
    let (len, flags) = (args.usize(2), args.u32(3));
    match sys::tee(from.as_fd(), to.as_fd(), len, flags | NONBLOCK) {
        Err(Errno::EAGAIN) if flags & NONBLOCK == 0 && !from.is_nonblocking()? && !to.is_nonblocking()? => {
            let call = move || Ok((sys::tee(from.as_fd(), to.as_fd(), len, flags)?, None, None));
            Ok(run(ctx, true, call)?.0)
        }
        result => result.map_err(|errno| after_write(ctx, errno.into())),
    }
}

pub(super) fn vmsplice(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let buffers = args.vector(ctx.memory(), 1)?;
    let flags = args.u32(3);
    let never_waits = flags & NONBLOCK != 0 || file.is_nonblocking()?;
    loop {
        match sys::vmsplice(file.as_fd(), &buffers, flags | NONBLOCK) {
            Err(Errno::EAGAIN) if !never_waits => {
                // One of the two says which end this is; the other is never ready there.
                let events = PollFlags::POLLIN | PollFlags::POLLOUT;
                ctx.task.block_on_fd(file.as_fd(), events, None).map_err(restartable)?;
            }
            result => return result.map_err(|errno| after_write(ctx, errno.into())),
        }
    }
}
