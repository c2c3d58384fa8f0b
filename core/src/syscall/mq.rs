//! POSIX message queues: mq_open(2), mq_timedsend(2), mq_timedreceive(2), mq_notify(2), mq_getsetattr(2), mq_unlink(2).
//!
//! Queues are the host's. A call with a time limit that is over never waits, so that each is tried first and waited for by
//! a poll of the queue's descriptor.

use std::os::fd::AsFd;

use nix::poll::PollFlags;

use super::Args;
use super::args::buffer;
use super::io::number;
use super::messages::restartable;
use crate::abi::time::Timespec;
use crate::abi::{Errno, Fd, GuestPtr};
use crate::fs::OpenFlags;
use crate::host::clock::{monotonic_ns, realtime_ns};
use crate::host::mq;
use crate::kernel::open_file::OpenFile;
use crate::kernel::{Interrupted, SyscallResult, TaskContext};

/// `struct mq_attr` up to the reserved words: flags, most messages, longest message, messages now.
type Attributes = [i64; 8];

pub(super) fn mq_open(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let name = args.path(ctx.memory(), 0)?;
    let flags = OpenFlags::from_bits_truncate(args.u32(1));
    let attributes = args.ptr::<Attributes>(3).non_null().map(|place| ctx.memory().read(place)).transpose()?;
    let host_flags = (flags.to_host() | nix::fcntl::OFlag::O_CLOEXEC).bits();
    let queue = mq::open(&name, host_flags, args.u32(2), attributes.as_ref())?;
    Ok(number(ctx.files.add(OpenFile::new(queue), flags.contains(OpenFlags::CLOEXEC))?))
}

pub(super) fn mq_unlink(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(mq::unlink(&args.path(ctx.memory(), 0)?)?)
}

/// The absolute time on `CLOCK_REALTIME` at argument 4 as a monotonic deadline.
fn deadline(ctx: &TaskContext, args: &Args) -> Result<Option<u64>, Errno> {
    let Some(place) = args.ptr::<Timespec>(4).non_null() else { return Ok(None) };
    let at_ns = ctx.memory().read(place)?.to_ns()?;
    Ok(Some(monotonic_ns().saturating_add(at_ns.saturating_sub(realtime_ns()))))
}

/// Tries until `attempt` does not say "would wait", which for a call without time is `ETIMEDOUT`.
fn wait_for(
    ctx: &TaskContext,
    args: &Args,
    events: PollFlags,
    attempt: impl Fn(&OpenFile) -> Result<u64, Errno>,
) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let deadline_ns = deadline(ctx, args)?;
    loop {
        match attempt(&file) {
            Err(Errno::ETIMEDOUT) => match ctx.task.block_on_fd(file.as_fd(), events, deadline_ns) {
                Ok(()) => {}
                Err(Interrupted::TimedOut) => return Err(Errno::ETIMEDOUT.into()),
                Err(interrupted) => return Err(restartable(interrupted)),
            },
            result => return Ok(result?),
        }
    }
}

pub(super) fn mq_timedsend(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let message = buffer(ctx.memory(), args.addr(1), args.u64(2))?;
    wait_for(ctx, args, PollFlags::POLLOUT, |file| mq::send_now(file.as_fd(), message, args.u32(3)))
}

pub(super) fn mq_timedreceive(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let room = buffer(ctx.memory(), args.addr(1), args.u64(2))?;
    let priority = if args.addr(3).is_null() { None } else { Some(buffer(ctx.memory(), args.addr(3), 4)?) };
    wait_for(ctx, args, PollFlags::POLLIN, |file| mq::receive_now(file.as_fd(), room, priority))
}

/// mq_notify(2). The host's signal comes as one from outside, with `SI_MESGQ`.
pub(super) fn mq_notify(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const SIGEV_THREAD: u32 = 2;
    const COOKIE_BYTES: u64 = 32;
    let file = ctx.files.get(args.fd(0))?;
    let Some(place) = args.ptr::<[u64; 8]>(1).non_null() else { return Ok(mq::notify(file.as_fd(), None)?) };
    let mut event = ctx.memory().read(place)?;
    let (low, notify) = (event[1] as u32, (event[1] >> 32) as u32);
    if notify == SIGEV_THREAD {
        use std::os::fd::AsRawFd;
        // A cookie by pointer, for the netlink socket of this number.
        let socket = ctx.files.get(Fd(low.cast_signed()))?;
        let cookie = buffer(ctx.memory(), crate::abi::GuestAddr(event[0]), COOKIE_BYTES)?;
        event[0] = cookie.start() as u64;
        event[1] = u64::from(notify) << 32 | u64::from(socket.as_fd().as_raw_fd().cast_unsigned());
    }
    Ok(mq::notify(file.as_fd(), Some(&event))?)
}

pub(super) fn mq_getsetattr(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let new = args.ptr::<Attributes>(1).non_null().map(|place| ctx.memory().read(place)).transpose()?;
    let old = mq::exchange_attributes(file.as_fd(), new.as_ref())?;
    if let Some(place) = GuestPtr::<Attributes>::new(args.addr(2)).non_null() {
        ctx.memory().write(place, &old)?;
    }
    Ok(0)
}
