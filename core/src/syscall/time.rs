//! Reading clocks: clock_gettime(2), clock_getres(2), gettimeofday(2), times(2), adjtimex(2).
//!
//! Clocks are the host's by the same numbers. CPU-time clocks of other tasks (negative ids) carry a host id and go through
//! too. Timers and sleeps are in [`super::timers`].

use nix::time::{ClockId, clock_gettime as host_clock_gettime};

use super::Args;
use crate::abi::time::Timeval;
use crate::abi::{Errno, GuestPtr};
use crate::elf::refresh_clock_page;
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

/// Clocks that the vDSO tells as long as its page is fresh: real time, by either name, and time since boot.
const PAGE_CLOCKS: [i32; 3] = [0, 5, 7];
const CLOCK_REALTIME: i32 = 0;
/// `modes` of a `struct timex` that asks for what is left of a slow adjustment, and changes nothing.
const ADJ_OFFSET_SS_READ: u32 = 0xa001;

pub(super) fn clock_gettime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if PAGE_CLOCKS.contains(&args.i32(0)) {
        refresh_clock_page(ctx.process().space());
    }
    Ok(sys::clock_gettime(args.i32(0), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn clock_getres(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::clock_getres(args.i32(0), args.optional(ctx.memory(), 1)?)?)
}

pub(super) fn gettimeofday(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if let Some(to) = args.ptr::<Timeval>(0).non_null() {
        refresh_clock_page(ctx.process().space());
        let now = host_clock_gettime(ClockId::CLOCK_REALTIME).map_err(Errno::from)?;
        ctx.memory().write(to, &Timeval { tv_sec: now.tv_sec(), tv_usec: now.tv_nsec() / 1000 })?;
    }
    if let Some(zone) = GuestPtr::<[i32; 2]>::new(args.addr(1)).non_null() {
        // The kernel's time zone is UTC wherever nobody has set it.
        ctx.memory().write(zone, &[0, 0])?;
    }
    Ok(0)
}

pub(super) fn times(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::times(args.optional(ctx.memory(), 0)?)?)
}

/// adjtimex(2). Missing: changes, which are `EPERM` as everything is that changes the machine.
pub(super) fn adjtimex(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_timex(ctx, args, CLOCK_REALTIME, 0)
}

/// clock_adjtime(2), as [`adjtimex`]. Missing: changes, as there.
pub(super) fn clock_adjtime(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    read_timex(ctx, args, args.i32(0), 1)
}

/// What the clock is at, into the `struct timex` at argument `index`.
fn read_timex(ctx: &TaskContext, args: &Args, clock: i32, index: usize) -> SyscallResult {
    let modes = ctx.memory().read(args.ptr::<u32>(index))?;
    if modes != 0 && modes != ADJ_OFFSET_SS_READ {
        return Err(Errno::EPERM.into());
    }
    Ok(sys::clock_adjtime(clock, args.structure(ctx.memory(), index)?)?)
}
