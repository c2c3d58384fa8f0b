//! Everything about the process and the machine that has no family: uname(2), getrusage(2), sysinfo(2), getrandom(2).

use super::Args;
use crate::abi::Errno;
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

/// Length of each field of `struct new_utsname`.
const UTS_LEN: usize = 65;

pub(super) fn uname(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let uts = ctx.process().uts();
    let texts = [uts.system, &uts.node, &uts.release, uts.version, uts.machine, uts.domain];
    let mut bytes = [0; UTS_LEN * 6];
    for (field, text) in bytes.chunks_exact_mut(UTS_LEN).zip(texts) {
        let len = text.len().min(UTS_LEN - 1);
        field[..len].copy_from_slice(&text.as_bytes()[..len]);
    }
    ctx.memory().write_bytes(args.addr(0), &bytes)?;
    Ok(0)
}

pub(super) fn getrusage(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrusage(args.i32(0), args.structure(ctx.memory(), 1)?)?)
}

pub(super) fn sysinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::sysinfo(args.structure(ctx.memory(), 0)?)?)
}

pub(super) fn getrandom(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sys::getrandom(args.buffer(ctx.memory(), 0)?, args.u32(2))?)
}

/// personality(2). The host keeps it, by thread, and children inherit it; memory is laid out in the same way anyhow. Missing:
/// everything but `PER_LINUX` with or without `ADDR_NO_RANDOMIZE`, which sanitizers and setarch(8) ask for.
pub(super) fn personality(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const ADDR_NO_RANDOMIZE: u32 = 0x4_0000;
    const QUESTION: u32 = u32::MAX;
    let wanted = args.u32(0);
    if wanted != QUESTION && wanted & !ADDR_NO_RANDOMIZE != 0 {
        return Err(Errno::EINVAL.into());
    }
    // A host without personalities has this one.
    let old = sys::personality(QUESTION).unwrap_or(0);
    if wanted != QUESTION && u64::from(wanted) != old {
        sys::personality(wanted)?;
    }
    Ok(old & u64::from(ADDR_NO_RANDOMIZE))
}
