//! New threads and processes: clone(2), clone3(2). The deeds are `kernel::clone`'s and `fork`'s.
//!
//! Missing: what is `EINVAL` here as on a kernel without it, namespaces, `CLONE_INTO_CGROUP`, and siblings that share memory
//! and run on (`CLONE_PARENT` and `CLONE_VM` without `CLONE_THREAD` or `CLONE_VFORK`). A process made with `CLONE_FILES`, `CLONE_FS` or
//! `CLONE_SIGHAND` has copies, and a sibling (`CLONE_PARENT`) sends `SIGCHLD` whatever its maker sends. The trace names each
//! once.

use super::Args;
use super::tracing::Lack;
use crate::abi::{Errno, GuestAddr, GuestPtr, PAGE_SIZE};
use crate::fork::fork_process;
use crate::kernel::clone::{CloneArgs, CloneFlags, spawn_thread};
use crate::kernel::{SyscallResult, TaskContext};

static NAMESPACES: Lack = Lack::new("clone: no namespaces; the guest gets EINVAL");
static CGROUP: Lack = Lack::new("clone3: no CLONE_INTO_CGROUP; the guest gets EINVAL");
static CHOSEN_IDS: Lack = Lack::new("clone3: no ids of the caller's choice (set_tid); the guest gets EPERM");
static SHARED_MEMORY: Lack = Lack::new("clone: no CLONE_PARENT with CLONE_VM; the guest gets EINVAL");
static SHARED_STATE: Lack =
    Lack::new("clone: CLONE_FILES, CLONE_FS and CLONE_SIGHAND give a process copies, not what the caller has");

fn value(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

pub(super) fn clone(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    // The upper half of the flags is ignored, and the pidfd is stored where the child's id would be.
    let flags = CloneFlags::from_bits_retain(args.u64(0) & u64::from(u32::MAX));
    if flags.contains(CloneFlags::PIDFD) && flags.intersects(CloneFlags::PARENT_SETTID | CloneFlags::DETACHED) {
        return Err(Errno::EINVAL.into());
    }
    let (parent_tid, tls, child_tid) = (args.ptr(2), args.u64(3), args.ptr(4));
    make(ctx, CloneArgs { flags, stack: args.addr(1), parent_tid, pidfd: parent_tid, tls, child_tid })
}

/// Words of `struct clone_args` in its first and in its present length.
const WORDS: std::ops::RangeInclusive<u64> = 8..=11;

/// Deepest nesting of pid namespaces (`MAX_PID_NS_LEVEL`).
const SET_TID_MAX: u64 = 32;

pub(super) fn clone3(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let len = args.u64(1);
    if len > PAGE_SIZE {
        return Err(Errno::E2BIG.into());
    }
    if len < WORDS.start() * 8 {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0; len.max(WORDS.end() * 8) as usize];
    ctx.memory().read_bytes(args.addr(0), &mut bytes[..len as usize])?;
    let (known, unknown) = bytes.split_at(*WORDS.end() as usize * 8);
    if unknown.iter().any(|byte| *byte != 0) {
        return Err(Errno::E2BIG.into());
    }
    let word = |index: usize| u64::from_le_bytes(std::array::from_fn(|byte| known[index * 8 + byte]));
    let [flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_len, tls, set_tid, set_tid_count, _cgroup] =
        std::array::from_fn(word);
    let flags = CloneFlags::from_bits_retain(flags);
    check_set_tid(ctx, set_tid, set_tid_count)?;
    if flags.contains(CloneFlags::INTO_CGROUP) {
        CGROUP.name(ctx);
    }
    if flags.contains(CloneFlags::NEWTIME) {
        NAMESPACES.name(ctx);
    }
    let is_bad = flags.bits() & !CloneFlags::OF_CLONE3.bits() != 0
        || exit_signal > 64
        || flags.contains(CloneFlags::SIGHAND | CloneFlags::CLEAR_SIGHAND)
        || flags.intersects(CloneFlags::THREAD | CloneFlags::PARENT) && exit_signal != 0
        || (stack == 0) != (stack_len == 0);
    if is_bad {
        return Err(Errno::EINVAL.into());
    }
    let at = |addr| GuestPtr::new(GuestAddr(addr));
    let args = CloneArgs {
        flags: CloneFlags::from_bits_retain(flags.bits() | exit_signal),
        stack: GuestAddr(stack.wrapping_add(stack_len)),
        parent_tid: at(parent_tid),
        pidfd: at(pidfd),
        tls,
        child_tid: at(child_tid),
    };
    make(ctx, args)
}

/// `set_tid`: refused, as to everybody who may not restore checkpoints.
fn check_set_tid(ctx: &TaskContext, set_tid: u64, count: u64) -> Result<(), Errno> {
    if count > SET_TID_MAX || (set_tid == 0) != (count == 0) {
        return Err(Errno::EINVAL);
    }
    for index in 0..count {
        if ctx.memory().read(GuestPtr::<i32>::new(GuestAddr(set_tid)).index(index)?)? < 1 {
            return Err(Errno::EINVAL);
        }
    }
    if count == 0 {
        return Ok(());
    }
    CHOSEN_IDS.name(ctx);
    Err(Errno::EPERM)
}

fn make(ctx: &mut TaskContext, args: CloneArgs) -> SyscallResult {
    let flags = args.flags;
    if flags.contains(CloneFlags::THREAD) && !flags.contains(CloneFlags::SIGHAND)
        || flags.contains(CloneFlags::SIGHAND) && !flags.contains(CloneFlags::VM)
    {
        return Err(Errno::EINVAL.into());
    }
    if flags.intersects(CloneFlags::NAMESPACES) {
        NAMESPACES.name(ctx);
        return Err(Errno::EINVAL.into());
    }
    if flags.contains(CloneFlags::THREAD) {
        return Ok(value(spawn_thread(ctx, args, ctx.run_thread)?.0));
    }
    if flags.contains(CloneFlags::VM | CloneFlags::PARENT) && !flags.contains(CloneFlags::VFORK) {
        SHARED_MEMORY.name(ctx);
        return Err(Errno::EINVAL.into());
    }
    if flags.intersects(CloneFlags::FILES | CloneFlags::FS | CloneFlags::SIGHAND) {
        SHARED_STATE.name(ctx);
    }
    Ok(value(fork_process(ctx, &args)?.0))
}
