//! epoll(7): the host's, waited for through the kernel's one sleep.
//!
//! arm64's `struct epoll_event` has padding that x86-64's has not. An epoll descriptor is readable when it has events, so
//! that the wait is a poll and the fetch never waits.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::PollFlags;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Args, poll};
use crate::abi::{Errno, GuestPtr};
use crate::host::clock::monotonic_ns;
use crate::host::epoll::{self, Event};
use crate::kernel::open_file::OpenFile;
use crate::kernel::{Interrupted, Restart, SyscallResult, TaskContext};

/// `struct epoll_event` of arm64.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct GuestEvent {
    events: u32,
    padding: u32,
    data: u64,
}

const _: () = assert!(size_of::<GuestEvent>() == 16);

/// `EPOLL_CLOEXEC`.
const EPOLL_CLOEXEC: i32 = 0o2000000;
/// `EPOLL_CTL_DEL`.
const EPOLL_CTL_DEL: i32 = 2;

/// Most events that one call fetches; the rest stay for the next.
const FETCH_MAX: usize = 1024;

pub(super) fn epoll_create1(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.i32(0);
    if flags & !EPOLL_CLOEXEC != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = OpenFile::new(epoll::create()?);
    let fd = ctx.files.add(file, flags & EPOLL_CLOEXEC != 0)?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

pub(super) fn epoll_ctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let epoll = ctx.files.get(args.fd(0))?;
    let file = ctx.files.get(args.fd(2))?;
    let event = if args.i32(1) == EPOLL_CTL_DEL {
        None
    } else {
        let event = ctx.memory().read(args.ptr::<GuestEvent>(3))?;
        Some(Event { events: event.events, data: event.data })
    };
    Ok(epoll::control(epoll.as_fd(), args.i32(1), file.as_fd(), event)?)
}

fn wait(ctx: &TaskContext, args: &Args, deadline_ns: Option<u64>) -> SyscallResult {
    let max = usize::try_from(args.i32(2)).ok().filter(|max| *max != 0).ok_or(Errno::EINVAL)?;
    let file = ctx.files.get(args.fd(0))?;
    poll::enter_mask(ctx, args.addr(4), args.u64(5))?;
    let result = fetch(ctx, &file, max.min(FETCH_MAX), deadline_ns);
    poll::leave_mask(ctx, &result);
    let events = match result {
        // epoll_wait(2) is never restarted.
        Err(Interrupted::Signal) => return Err(Restart::NoHand.into()),
        Err(Interrupted::TimedOut) => return Ok(0),
        Err(Interrupted::Failed(errno)) => return Err(errno.into()),
        Ok(events) => events,
    };
    let list: GuestPtr<GuestEvent> = args.ptr(1);
    for (event, index) in events.iter().zip(0..) {
        let event = GuestEvent { events: event.events, padding: 0, data: event.data };
        ctx.memory().write(list.index(index)?, &event)?;
    }
    Ok(events.len() as u64)
}

fn fetch(
    ctx: &TaskContext,
    file: &Arc<OpenFile>,
    max: usize,
    deadline_ns: Option<u64>,
) -> Result<Vec<Event>, Interrupted> {
    loop {
        let events = epoll::fetch(file.as_fd(), max).map_err(Interrupted::Failed)?;
        if !events.is_empty() {
            return Ok(events);
        }
        ctx.task.block_on_fd(file.as_fd(), PollFlags::POLLIN, deadline_ns)?;
    }
}

pub(super) fn epoll_pwait(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let deadline_ns =
        u64::try_from(args.i32(3)).ok().map(|timeout_ms| monotonic_ns().saturating_add(timeout_ms * 1_000_000));
    wait(ctx, args, deadline_ns)
}

pub(super) fn epoll_pwait2(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let deadline_ns = poll::deadline_of(ctx, args.ptr(3))?;
    wait(ctx, args, deadline_ns)
}
