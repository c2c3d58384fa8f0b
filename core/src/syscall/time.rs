//! Reading clocks: clock_gettime(2), clock_getres(2), gettimeofday(2), times(2).
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
