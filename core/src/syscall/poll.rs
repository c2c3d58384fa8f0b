//! ppoll(2) and pselect6(2).

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Args;
use crate::abi::time::Timespec;
use crate::abi::{Errno, Fd, GuestAddr, GuestPtr, SigSet};
use crate::host::{clock::monotonic_ns, fds};
use crate::kernel::open_file::OpenFile;
use crate::kernel::{Interrupted, Restart, SyscallResult, TaskContext};

/// `struct pollfd`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct GuestPollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

const _: () = assert!(size_of::<GuestPollFd>() == 8);

/// Most descriptors in one call: `RLIMIT_NOFILE` can be no higher.
const MAX_FDS: u64 = 1 << 20;

/// The deadline on the monotonic clock of a relative timeout argument; `None` waits for ever.
pub(super) fn deadline_of(ctx: &TaskContext, timeout: GuestPtr<Timespec>) -> Result<Option<u64>, Errno> {
    let Some(timeout) = timeout.non_null() else { return Ok(None) };
    let relative_ns = ctx.memory().read(timeout)?.to_ns()?;
    Ok(Some(monotonic_ns().saturating_add(relative_ns)))
}

/// Writes back what is left of a timeout, as Linux does. A target that cannot be written is passed over.
fn write_back(ctx: &TaskContext, timeout: GuestPtr<Timespec>, deadline_ns: Option<u64>) {
    if let Some(deadline) = deadline_ns {
        let left = Timespec::from_ns(deadline.saturating_sub(monotonic_ns()));
        let _best_effort = ctx.memory().write(timeout, &left);
    }
}

/// Puts the temporary mask at `mask` in force, if there is one.
pub(super) fn enter_mask(ctx: &TaskContext, mask: GuestAddr, len_bytes: u64) -> Result<(), Errno> {
    if mask.is_null() {
        return Ok(());
    }
    if len_bytes != 8 {
        return Err(Errno::EINVAL);
    }
    let bits = ctx.memory().read(GuestPtr::<u64>::new(mask))?;
    ctx.task.set_temporary_mask(SigSet(bits));
    Ok(())
}

/// Waits for descriptors, each with the events asked for; the answer has the events that are there, in order. A `None`
/// file is a number that is not open.
fn wait(
    ctx: &TaskContext,
    wanted: &[(Option<Arc<OpenFile>>, PollFlags)],
    deadline_ns: Option<u64>,
) -> Result<Vec<PollFlags>, Interrupted> {
    let mut polled: Vec<PollFd<'_>> =
        wanted.iter().filter_map(|(file, events)| Some(PollFd::new(file.as_ref()?.as_fd(), *events))).collect();
    let has_bad = wanted.iter().any(|(file, _)| file.is_none());
    // What is ready now comes before a pending signal.
    let ready = fds::poll(&mut polled, Some(0)).map_err(Interrupted::Failed)?;
    if ready == 0 && !has_bad {
        match ctx.task.block_on_fds(&mut polled, deadline_ns) {
            Ok(_) | Err(Interrupted::TimedOut) => {}
            Err(interrupted) => return Err(interrupted),
        }
    }
    let mut seen = polled.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
    Ok(wanted
        .iter()
        .map(|(file, _)| match file {
            Some(_) => seen.next().unwrap_or(PollFlags::empty()),
            None => PollFlags::POLLNVAL,
        })
        .collect())
}

/// Ends a call with a temporary mask: the mask stays until delivery when a signal came, and goes otherwise.
pub(super) fn leave_mask<T>(ctx: &TaskContext, result: &Result<T, Interrupted>) {
    if !matches!(result, Err(Interrupted::Signal)) {
        ctx.task.end_temporary_mask();
    }
}

pub(super) fn ppoll(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (list, count) = (args.ptr::<GuestPollFd>(0), args.u64(1));
    if count > MAX_FDS {
        return Err(Errno::EINVAL.into());
    }
    let memory = ctx.memory();
    let deadline_ns = deadline_of(ctx, args.ptr(2))?;
    let mut entries = Vec::new();
    for index in 0..count {
        entries.push(memory.read(list.index(index)?)?);
    }
    let watched: Vec<_> = entries
        .iter()
        .filter(|entry| entry.fd >= 0)
        .map(|entry| (ctx.files.get(Fd(entry.fd)).ok(), PollFlags::from_bits_retain(entry.events)))
        .collect();
    enter_mask(ctx, args.addr(3), args.u64(4))?;
    let result = wait(ctx, &watched, deadline_ns);
    leave_mask(ctx, &result);
    write_back(ctx, args.ptr(2), deadline_ns);
    let mut seen = result.map_err(|interrupted| interrupted.or_restart(Restart::NoHand))?.into_iter();
    let mut ready = 0;
    for (entry, index) in entries.iter_mut().zip(0..) {
        let revents = if entry.fd >= 0 { seen.next().unwrap_or(PollFlags::empty()) } else { PollFlags::empty() };
        entry.revents = revents.bits();
        ready += u64::from(!revents.is_empty());
        memory.write(list.index(index)?, entry)?;
    }
    Ok(ready)
}

/// The three sets of select(2): the events asked for, and those that count as ready (`fs/select.c` of Linux).
const SETS: [(PollFlags, PollFlags); 3] = [
    (
        PollFlags::POLLIN.union(PollFlags::POLLRDNORM).union(PollFlags::POLLRDBAND),
        PollFlags::POLLIN
            .union(PollFlags::POLLRDNORM)
            .union(PollFlags::POLLRDBAND)
            .union(PollFlags::POLLHUP)
            .union(PollFlags::POLLERR),
    ),
    (
        PollFlags::POLLOUT.union(PollFlags::POLLWRNORM).union(PollFlags::POLLWRBAND),
        PollFlags::POLLOUT.union(PollFlags::POLLWRNORM).union(PollFlags::POLLWRBAND).union(PollFlags::POLLERR),
    ),
    (PollFlags::POLLPRI, PollFlags::POLLPRI),
];

pub(super) fn pselect6(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let count = usize::try_from(args.i32(0)).map_err(|_| Errno::EINVAL)?.min(MAX_FDS as usize);
    let memory = ctx.memory();
    let deadline_ns = deadline_of(ctx, args.ptr(4))?;
    let len = count.div_ceil(64) * 8;
    let mut asked: [Option<Vec<u8>>; 3] = [None, None, None];
    for (set, index) in asked.iter_mut().zip(1..) {
        if !args.addr(index).is_null() {
            let mut bytes = vec![0; len];
            memory.read_bytes(args.addr(index), &mut bytes)?;
            *set = Some(bytes);
        }
    }
    let has = |set: &Option<Vec<u8>>, fd: usize| set.as_ref().is_some_and(|bytes| bytes[fd / 8] & 1 << (fd % 8) != 0);
    let mut numbers = Vec::new();
    let mut watched = Vec::new();
    for fd in 0..count {
        let sets = asked.iter().zip(SETS).filter(|(set, _)| has(set, fd));
        let events = sets.fold(PollFlags::empty(), |events, (_, (wanted, _))| events | wanted);
        if !events.is_empty() {
            watched.push((Some(ctx.files.get(Fd(i32::try_from(fd).map_err(|_| Errno::EBADF)?))?), events));
            numbers.push(fd);
        }
    }
    if let Some(mask) = args.ptr::<[u64; 2]>(5).non_null() {
        let [addr, len_bytes] = memory.read(mask)?;
        enter_mask(ctx, GuestAddr(addr), len_bytes)?;
    }
    let result = wait(ctx, &watched, deadline_ns);
    leave_mask(ctx, &result);
    write_back(ctx, args.ptr(4), deadline_ns);
    let seen = result.map_err(|interrupted| interrupted.or_restart(Restart::NoHand))?;
    let mut ready = 0;
    for ((set, (_, counted)), index) in asked.iter().zip(SETS).zip(1..) {
        if set.is_none() {
            continue;
        }
        let mut bytes = vec![0u8; len];
        for (fd, revents) in numbers.iter().zip(&seen) {
            if has(set, *fd) && revents.intersects(counted) {
                bytes[fd / 8] |= 1 << (fd % 8);
                ready += 1;
            }
        }
        memory.write_bytes(args.addr(index), &bytes)?;
    }
    Ok(ready)
}
