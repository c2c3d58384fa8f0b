//! futex(2). Words that other processes share are served within this process only; PI operations are not here yet.

use super::Args;
use super::timers::Timespec;
use crate::abi::Errno;
use crate::host::clock::{monotonic_ns, realtime_ns};
use crate::kernel::futex::Requeue;
use crate::kernel::{Interrupted, Restart, SyscallResult, TaskContext};

const WAIT: u32 = 0;
const WAKE: u32 = 1;
const REQUEUE: u32 = 3;
const CMP_REQUEUE: u32 = 4;
const WAKE_OP: u32 = 5;
const WAIT_BITSET: u32 = 9;
const WAKE_BITSET: u32 = 10;
const PRIVATE_FLAG: u32 = 128;
const CLOCK_REALTIME_FLAG: u32 = 256;

pub(super) fn futex(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let operation = args.u32(1);
    let value = args.u32(2);
    if !args.addr(0).0.is_multiple_of(4) {
        return Err(Errno::EINVAL.into());
    }
    let futexes = |ctx: &TaskContext| ctx.process().clone();
    match operation & !(PRIVATE_FLAG | CLOCK_REALTIME_FLAG) {
        WAIT => {
            let deadline = relative_deadline(ctx, args)?;
            wait(ctx, args, value, u32::MAX, deadline)
        }
        WAIT_BITSET => {
            let deadline = absolute_deadline(ctx, args, operation & CLOCK_REALTIME_FLAG != 0)?;
            wait(ctx, args, value, bitset(args)?, deadline)
        }
        WAKE => Ok(u64::from(futexes(ctx).futexes().wake(args.ptr(0), value, u32::MAX))),
        WAKE_BITSET => Ok(u64::from(futexes(ctx).futexes().wake(args.ptr(0), value, bitset(args)?))),
        REQUEUE | CMP_REQUEUE => {
            let is_compared = operation & !PRIVATE_FLAG == CMP_REQUEUE;
            let request = Requeue {
                from: args.ptr(0),
                to: args.ptr(4),
                wake: value,
                requeue: args.u32(3),
                expected: is_compared.then(|| args.u32(5)),
            };
            let (woken, moved) = futexes(ctx).futexes().requeue(ctx.memory(), &request)?;
            Ok(u64::from(if is_compared { woken + moved } else { woken }))
        }
        WAKE_OP => wake_op(ctx, args),
        _not_here => Err(Errno::ENOSYS.into()),
    }
}

fn bitset(args: &Args) -> Result<u32, Errno> {
    match args.u32(5) {
        0 => Err(Errno::EINVAL),
        bitset => Ok(bitset),
    }
}

/// A relative timeout as a deadline.
fn relative_deadline(ctx: &TaskContext, args: &Args) -> Result<Option<u64>, Errno> {
    let Some(timeout) = args.ptr::<Timespec>(3).non_null() else { return Ok(None) };
    Ok(Some(monotonic_ns().saturating_add(ctx.memory().read(timeout)?.to_ns()?)))
}

/// An absolute timeout as a monotonic deadline.
fn absolute_deadline(ctx: &TaskContext, args: &Args, is_realtime: bool) -> Result<Option<u64>, Errno> {
    let Some(timeout) = args.ptr::<Timespec>(3).non_null() else { return Ok(None) };
    let at_ns = ctx.memory().read(timeout)?.to_ns()?;
    let now_ns = if is_realtime { realtime_ns() } else { monotonic_ns() };
    Ok(Some(monotonic_ns().saturating_add(at_ns.saturating_sub(now_ns))))
}

fn wait(ctx: &mut TaskContext, args: &Args, value: u32, bitset: u32, deadline_ns: Option<u64>) -> SyscallResult {
    let (task, word) = (ctx.task.clone(), args.ptr::<u32>(0));
    match task.process().futexes().wait(&task, ctx.memory(), word, value, bitset, deadline_ns) {
        Ok(()) => Ok(0),
        Err(Interrupted::Signal) if deadline_ns.is_some() => {
            ctx.restart_block = Some(Box::new(move |ctx| {
                let task = ctx.task.clone();
                let again = task.process().futexes().wait(&task, ctx.memory(), word, value, bitset, deadline_ns);
                again.map(|()| 0).map_err(|interrupted| interrupted.or_restart(Restart::Block))
            }));
            Err(Restart::Block.into())
        }
        Err(interrupted) => Err(interrupted.or_restart(Restart::Sys)),
    }
}

/// FUTEX_WAKE_OP: changes the second word, wakes waiters of the first, and of the second if its old value compares.
fn wake_op(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let encoded = args.u32(5);
    let sign_extend = |bits: u32| ((bits << 20).cast_signed() >> 20).cast_unsigned();
    let (op, cmp) = (encoded >> 28 & 7, encoded >> 24 & 0xf);
    let raw_operand = sign_extend(encoded >> 12 & 0xfff);
    let operand = if encoded >> 31 != 0 { 1u32.wrapping_shl(raw_operand & 31) } else { raw_operand };
    let compared = sign_extend(encoded & 0xfff).cast_signed();
    if op > 4 || cmp > 5 {
        return Err(Errno::ENOSYS.into());
    }
    let old = ctx.memory().fetch_update_u32(args.ptr(4), |old| match op {
        0 => operand,
        1 => old.wrapping_add(operand),
        2 => old | operand,
        3 => old & !operand,
        _xor => old ^ operand,
    })?;
    let old = old.cast_signed();
    let holds = match cmp {
        0 => old == compared,
        1 => old != compared,
        2 => old < compared,
        3 => old <= compared,
        4 => old > compared,
        _greater_or_equal => old >= compared,
    };
    let futexes = ctx.process().futexes();
    let mut woken = futexes.wake(args.ptr(0), args.u32(2), u32::MAX);
    if holds {
        woken += futexes.wake(args.ptr(4), args.u32(3), u32::MAX);
    }
    Ok(u64::from(woken))
}
