//! futex(2), futex_waitv(2), and the calls that have one operation each: futex_wait, futex_wake, futex_requeue.

use zerocopy::FromBytes;

use super::Args;
use crate::abi::time::Timespec;
use crate::abi::{Errno, GuestAddr, GuestPtr};
use crate::host::clock::{monotonic_ns, realtime_ns};
use crate::kernel::futex::{Awaited, LockWait, Requeue, Word};
use crate::kernel::{Interrupted, Restart, SyscallError, SyscallResult, TaskContext};

const WAIT: u32 = 0;
const WAKE: u32 = 1;
const REQUEUE: u32 = 3;
const CMP_REQUEUE: u32 = 4;
const WAKE_OP: u32 = 5;
const LOCK_PI: u32 = 6;
const UNLOCK_PI: u32 = 7;
const TRYLOCK_PI: u32 = 8;
const WAIT_BITSET: u32 = 9;
const WAKE_BITSET: u32 = 10;
const WAIT_REQUEUE_PI: u32 = 11;
const CMP_REQUEUE_PI: u32 = 12;
const LOCK_PI2: u32 = 13;
const PRIVATE_FLAG: u32 = 128;
const CLOCK_REALTIME_FLAG: u32 = 256;

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;

/// One futex(2) call, decoded.
struct Call<'call> {
    args: &'call Args,
    word: Word,
    is_private: bool,
    is_realtime: bool,
}

impl Call<'_> {
    /// The fourth argument where it is a count.
    fn count(&self) -> u32 {
        self.args.u32(3)
    }

    /// The word that the fifth argument points to.
    fn second(&self, ctx: &TaskContext) -> Result<Word, Errno> {
        Word::resolve(ctx.process(), self.args.ptr(4), self.is_private)
    }

    fn bitset(&self) -> Result<u32, Errno> {
        non_zero(self.args.u32(5))
    }

    /// The fourth argument as an absolute time on the clock that the flag names.
    fn absolute(&self, ctx: &TaskContext) -> Result<Option<u64>, Errno> {
        absolute_deadline(ctx, self.args.ptr(3), self.is_realtime)
    }
}

fn non_zero(bitset: u32) -> Result<u32, Errno> {
    if bitset == 0 { Err(Errno::EINVAL) } else { Ok(bitset) }
}

pub(super) fn futex(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (operation, value) = (args.u32(1) & !(PRIVATE_FLAG | CLOCK_REALTIME_FLAG), args.u32(2));
    let is_private = args.u32(1) & PRIVATE_FLAG != 0;
    let is_realtime = args.u32(1) & CLOCK_REALTIME_FLAG != 0;
    if is_realtime && ![WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2].contains(&operation) {
        return Err(Errno::ENOSYS.into());
    }
    let call = Call { args, word: Word::resolve(ctx.process(), args.ptr(0), is_private)?, is_private, is_realtime };
    let process = ctx.process().clone();
    let futexes = process.futexes();
    match operation {
        WAIT => {
            let deadline_ns = relative_deadline(ctx, args)?;
            wait(ctx, call.word, value, u32::MAX, deadline_ns)
        }
        WAIT_BITSET => {
            let deadline_ns = call.absolute(ctx)?;
            wait(ctx, call.word, value, call.bitset()?, deadline_ns)
        }
        WAKE => Ok(futexes.wake(call.word, at_least_one(value), u32::MAX)?.into()),
        WAKE_BITSET => Ok(futexes.wake(call.word, at_least_one(value), call.bitset()?)?.into()),
        REQUEUE | CMP_REQUEUE => {
            let expected = (operation == CMP_REQUEUE).then(|| args.u32(5));
            let request = Requeue { wake: positive(value)?, requeue: positive(call.count())?, expected };
            Ok(futexes.requeue(ctx.memory(), call.word, call.second(ctx)?, &request)?.into())
        }
        WAKE_OP => wake_op(ctx, &call),
        LOCK_PI => {
            let deadline_ns = absolute_deadline(ctx, args.ptr(3), true)?;
            lock(ctx, call.word, LockWait::Until(deadline_ns))
        }
        LOCK_PI2 => {
            let deadline_ns = call.absolute(ctx)?;
            lock(ctx, call.word, LockWait::Until(deadline_ns))
        }
        TRYLOCK_PI => lock(ctx, call.word, LockWait::Try),
        UNLOCK_PI => Ok(futexes.unlock(&ctx.task, call.word).map(|()| 0)?),
        WAIT_REQUEUE_PI => {
            let deadline_ns = call.absolute(ctx)?;
            let waited =
                futexes.wait_for_requeue(&ctx.task, call.word, call.second(ctx)?, value, u32::MAX, deadline_ns);
            waited.map(|()| 0).map_err(|interrupted| interrupted.or_restart(Restart::NoIntr))
        }
        CMP_REQUEUE_PI if value != 1 => Err(Errno::EINVAL.into()),
        CMP_REQUEUE_PI => {
            let (requeue, expected) = (positive(call.count())?, args.u32(5));
            Ok(futexes.requeue_to_lock(&ctx.task, call.word, call.second(ctx)?, requeue, expected)?.into())
        }
        _unknown => Err(Errno::ENOSYS.into()),
    }
}

/// How many sleepers a wake ends that asks for this many: one where it asks for none, as Linux does.
fn at_least_one(count: u32) -> u32 {
    i32::try_from(count).map_or(1, |count| count.max(1).cast_unsigned())
}

/// A count that the kernel takes as an `int` which must not be negative.
fn positive(count: u32) -> Result<u32, Errno> {
    i32::try_from(count).map(i32::cast_unsigned).map_err(|_negative| Errno::EINVAL)
}

/// A relative timeout as a deadline.
fn relative_deadline(ctx: &TaskContext, args: &Args) -> Result<Option<u64>, Errno> {
    let Some(timeout) = args.ptr::<Timespec>(3).non_null() else { return Ok(None) };
    Ok(Some(monotonic_ns().saturating_add(ctx.memory().read(timeout)?.to_ns()?)))
}

/// An absolute timeout as a monotonic deadline.
fn absolute_deadline(ctx: &TaskContext, at: GuestPtr<Timespec>, is_realtime: bool) -> Result<Option<u64>, Errno> {
    let Some(at) = at.non_null() else { return Ok(None) };
    let at_ns = ctx.memory().read(at)?.to_ns()?;
    if !is_realtime {
        return Ok(Some(at_ns));
    }
    Ok(Some(monotonic_ns().saturating_add(at_ns.saturating_sub(realtime_ns()))))
}

fn wait(ctx: &mut TaskContext, word: Word, value: u32, bitset: u32, deadline_ns: Option<u64>) -> SyscallResult {
    let task = ctx.task.clone();
    match task.process().futexes().wait(&task, ctx.memory(), word, value, bitset, deadline_ns) {
        Ok(()) => Ok(0),
        Err(Interrupted::Signal) if deadline_ns.is_some() => {
            ctx.restart_block = Some(Box::new(move |ctx| wait(ctx, word, value, bitset, deadline_ns)));
            Err(Restart::Block.into())
        }
        Err(interrupted) => Err(interrupted.or_restart(Restart::Sys)),
    }
}

fn lock(ctx: &TaskContext, word: Word, wait: LockWait) -> SyscallResult {
    match ctx.process().futexes().lock(&ctx.task, word, wait) {
        Ok(()) => Ok(0),
        Err(interrupted) => Err(interrupted.or_restart(Restart::NoIntr)),
    }
}

/// `FUTEX_WAKE_OP`: changes the second word, wakes at the first, and at the second where the old value compares.
fn wake_op(ctx: &TaskContext, call: &Call<'_>) -> SyscallResult {
    const SHIFTED_OPERAND: u32 = 8;
    let encoded = call.args.u32(5);
    let second = call.second(ctx)?;
    // Both operands are signed numbers of twelve bits.
    let signed = |bits: u32| ((bits << 20) as i32) >> 20;
    let (operation, comparison) = (encoded >> 28, encoded >> 24 & 15);
    let (operand, compared) = (signed(encoded >> 12 & 0xfff), signed(encoded & 0xfff));
    let operand = if operation & SHIFTED_OPERAND != 0 { 1i32.wrapping_shl(operand.cast_unsigned()) } else { operand };
    let change: fn(u32, u32) -> u32 = match operation & !SHIFTED_OPERAND {
        0 => |_old, operand| operand,
        1 => u32::wrapping_add,
        2 => |old, operand| old | operand,
        3 => |old, operand| old & !operand,
        4 => |old, operand| old ^ operand,
        _unknown => return Err(Errno::ENOSYS.into()),
    };
    let place = call.args.ptr::<u32>(4);
    let old = ctx.memory().fetch_update_u32(place, |old| change(old, operand.cast_unsigned()))?.cast_signed();
    let holds = match comparison {
        0 => old == compared,
        1 => old != compared,
        2 => old < compared,
        3 => old <= compared,
        4 => old > compared,
        5 => old >= compared,
        _unknown => return Err(Errno::ENOSYS.into()),
    };
    let futexes = ctx.process().futexes();
    let mut woken = futexes.wake(call.word, at_least_one(call.args.u32(2)), u32::MAX)?;
    if holds {
        woken += futexes.wake(second, at_least_one(call.count()), u32::MAX)?;
    }
    Ok(woken.into())
}

/// `struct futex_waitv`.
#[derive(Clone, Copy, FromBytes)]
#[repr(C)]
struct WaitvEntry {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

const _: () = assert!(size_of::<WaitvEntry>() == 24);

/// `FUTEX2_SIZE_U32`, the only size that there is.
const SIZE_U32: u32 = 2;
/// Most words of one call.
const WAITV_MAX: u32 = 128;

/// The word of one of the newer calls.
fn sized_word(ctx: &TaskContext, address: u64, flags: u32) -> Result<Word, Errno> {
    if flags & !PRIVATE_FLAG != SIZE_U32 {
        return Err(Errno::EINVAL);
    }
    Word::resolve(ctx.process(), GuestPtr::new(GuestAddr(address)), flags & PRIVATE_FLAG != 0)
}

fn awaited(ctx: &TaskContext, entry: &WaitvEntry) -> Result<Awaited, Errno> {
    let expected = u32::try_from(entry.value).map_err(|_| Errno::EINVAL)?;
    if entry.reserved != 0 {
        return Err(Errno::EINVAL);
    }
    Ok(Awaited { word: sized_word(ctx, entry.address, entry.flags)?, expected })
}

fn entries(ctx: &TaskContext, args: &Args, count: u32) -> Result<Vec<Awaited>, Errno> {
    let list = args.ptr::<WaitvEntry>(0);
    (0..u64::from(count)).map(|index| awaited(ctx, &ctx.memory().read(list.index(index)?)?)).collect()
}

/// An absolute timeout on one of the two clocks.
fn clock_deadline(ctx: &TaskContext, at: GuestPtr<Timespec>, clock: i32) -> Result<Option<u64>, Errno> {
    if at.non_null().is_some() && ![CLOCK_REALTIME, CLOCK_MONOTONIC].contains(&clock) {
        return Err(Errno::EINVAL);
    }
    absolute_deadline(ctx, at, clock == CLOCK_REALTIME)
}

pub(super) fn futex_waitv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let count = args.u32(1);
    if args.u32(2) != 0 || count == 0 || count > WAITV_MAX || args.addr(0).is_null() {
        return Err(Errno::EINVAL.into());
    }
    let deadline_ns = clock_deadline(ctx, args.ptr(3), args.i32(4))?;
    let list = entries(ctx, args, count)?;
    match ctx.process().futexes().wait_any(&ctx.task, ctx.memory(), &list, deadline_ns) {
        Ok(index) => Ok(index.into()),
        Err(interrupted) => Err(interrupted.or_restart(Restart::Sys)),
    }
}

/// The mask of the newer calls: a bitset in a register of 64 bits.
fn mask(args: &Args) -> Result<u32, SyscallError> {
    Ok(non_zero(u32::try_from(args.u64(1)).map_err(|_| Errno::EINVAL)?)?)
}

pub(super) fn futex_wake(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let word = sized_word(ctx, args.u64(0), args.u32(3))?;
    let (mask, count) = (mask(args)?, args.i32(2));
    if count <= 0 {
        return Ok(0);
    }
    Ok(ctx.process().futexes().wake(word, count.cast_unsigned(), mask)?.into())
}

pub(super) fn futex_wait(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let word = sized_word(ctx, args.u64(0), args.u32(3))?;
    let value = u32::try_from(args.u64(1)).map_err(|_| Errno::EINVAL)?;
    let mask = non_zero(u32::try_from(args.u64(2)).map_err(|_| Errno::EINVAL)?)?;
    let deadline_ns = clock_deadline(ctx, args.ptr(4), args.i32(5))?;
    wait(ctx, word, value, mask, deadline_ns)
}

pub(super) fn futex_requeue(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u32(1) != 0 || args.addr(0).is_null() {
        return Err(Errno::EINVAL.into());
    }
    let list = entries(ctx, args, 2)?;
    let [from, to] = list.as_slice() else { return Err(Errno::EINVAL.into()) };
    let request =
        Requeue { wake: positive(args.u32(2))?, requeue: positive(args.u32(3))?, expected: Some(from.expected) };
    Ok(ctx.process().futexes().requeue(ctx.memory(), from.word, to.word, &request)?.into())
}
