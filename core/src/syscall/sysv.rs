//! System V semaphores, message queues and shared memory: semget(2), semop(2), msgget(2), msgsnd(2), msgrcv(2), shmget(2),
//! shmat(2), shmdt(2) and their controls. They are the host's, with the host's ids.
//!
//! A call that would wait is first tried with `IPC_NOWAIT`, then made by a pool thread with data of its own. Where segments
//! are attached is `mem`'s.

use super::Args;
use super::args::buffer;
use crate::abi::time::Timespec;
use crate::abi::{Errno, GuestAddr};
use crate::host::sysv::{self, SEM_OPERATION_BYTES};
use crate::kernel::{Interrupted, Restart, SyscallError, SyscallResult, TaskContext};
use crate::mem::{AttachAt, Prot, SharedSegment};

const IPC_NOWAIT: u32 = 0o4000;
/// The same in a semaphore operation's flags.
const SEM_NOWAIT: i16 = 0o4000;
/// Most operations of one call that are looked at; the host has fewer.
const OPERATIONS_MAX: u64 = 4096;
/// Longest message that is looked at; the host has shorter ones.
const MESSAGE_MAX: u64 = 1 << 20;

pub(super) fn semget(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sysv::semget(args.i32(0), args.i32(1), args.i32(2))?)
}

pub(super) fn msgget(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sysv::msgget(args.i32(0), args.i32(1))?)
}

/// These waits are never restarted after a handler.
fn unrestartable(interrupted: Interrupted) -> SyscallError {
    interrupted.or_restart(Restart::NoHand)
}

pub(super) fn semop(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    operate(ctx, args, None)
}

pub(super) fn semtimedop(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let Some(place) = args.ptr::<Timespec>(3).non_null() else { return operate(ctx, args, None) };
    let timeout_ns = ctx.memory().read(place)?.to_ns()?;
    operate(ctx, args, Some(timeout_ns))
}

fn operate(ctx: &TaskContext, args: &Args, timeout_ns: Option<u64>) -> SyscallResult {
    let (id, count) = (args.i32(0), args.u64(2) & 0xffff_ffff);
    if count == 0 {
        return Err(Errno::EINVAL.into());
    }
    if count > OPERATIONS_MAX {
        return Err(Errno::E2BIG.into());
    }
    let mut bytes = vec![0; count as usize * SEM_OPERATION_BYTES];
    ctx.memory().read_bytes(args.addr(1), &mut bytes)?;
    let mut hasty = bytes.clone();
    let mut may_wait = false;
    for operation in hasty.chunks_exact_mut(SEM_OPERATION_BYTES) {
        let flags = i16::from_le_bytes([operation[4], operation[5]]);
        may_wait |= flags & SEM_NOWAIT == 0;
        operation[4..].copy_from_slice(&(flags | SEM_NOWAIT).to_le_bytes());
    }
    match sysv::semtimedop(id, &hasty, None) {
        Err(Errno::EAGAIN) if may_wait => {
            let call = move || sysv::semtimedop(id, &bytes, timeout_ns);
            ctx.task.block_on_call(&ctx.proof, call).map_err(unrestartable)
        }
        result => Ok(result?),
    }
}

pub(super) fn msgsnd(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, len, flags) = (args.i32(0), args.u64(2), args.u32(3));
    if len > MESSAGE_MAX {
        return Err(Errno::EINVAL.into());
    }
    // The type, then the text.
    let mut message = vec![0; 8 + len as usize];
    ctx.memory().read_bytes(args.addr(1), &mut message)?;
    match sysv::msgsnd(id, &message, flags | IPC_NOWAIT) {
        Err(Errno::EAGAIN) if flags & IPC_NOWAIT == 0 => {
            let call = move || sysv::msgsnd(id, &message, flags);
            ctx.task.block_on_call(&ctx.proof, call).map_err(unrestartable)
        }
        result => Ok(result?),
    }
}

pub(super) fn msgrcv(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, kind, flags) = (args.i32(0), args.i64(3), args.u32(4));
    if args.i64(2) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let room = args.u64(2).min(MESSAGE_MAX) as usize;
    let message = match sysv::msgrcv(id, room, kind, flags | IPC_NOWAIT) {
        Err(Errno::ENOMSG) if flags & IPC_NOWAIT == 0 => {
            let call = move || sysv::msgrcv(id, room, kind, flags);
            ctx.task.block_on_call(&ctx.proof, call).map_err(unrestartable)?
        }
        result => result?,
    };
    ctx.memory().write_bytes(args.addr(1), &message)?;
    Ok(message.len() as u64 - 8)
}

/// `IPC_*`, `SEM_*` and `MSG_*` commands by what their argument is.
const IPC_RMID: i32 = 0;
const IPC_SET: i32 = 1;
const IPC_STAT: i32 = 2;
const IPC_INFO: i32 = 3;
const MSG_STAT: i32 = 11;
const MSG_INFO: i32 = 12;
const MSG_STAT_ANY: i32 = 13;
const GETALL: i32 = 13;
const SETALL: i32 = 17;
const SEM_STAT: i32 = 18;
const SEM_INFO: i32 = 19;
const SEM_STAT_ANY: i32 = 20;

/// `struct msqid64_ds`: the generic layout on both architectures.
const MSQID_BYTES: u64 = 120;
/// `struct msginfo`.
const MSGINFO_BYTES: u64 = 32;

pub(super) fn msgctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, command) = (args.i32(0), args.i32(1));
    let len = match command {
        IPC_RMID => 0,
        IPC_SET | IPC_STAT | MSG_STAT | MSG_STAT_ANY => MSQID_BYTES,
        IPC_INFO | MSG_INFO => MSGINFO_BYTES,
        _unknown => return Err(Errno::EINVAL.into()),
    };
    Ok(sysv::msgctl(id, command, buffer(ctx.memory(), args.addr(2), len)?)?)
}

/// Words of `struct semid64_ds` after the permissions, in units of eight bytes, on arm64: times, count, two unused.
const SEMID_TAIL_WORDS: usize = 5;
/// `struct ipc64_perm`.
const PERM_BYTES: usize = 48;
/// `struct semid64_ds` of arm64.
const SEMID_BYTES: usize = PERM_BYTES + 8 * SEMID_TAIL_WORDS;

pub(super) fn semctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, index, command) = (args.i32(0), args.i32(1), args.i32(2));
    match command {
        IPC_STAT | SEM_STAT | SEM_STAT_ANY => {
            let (result, host) = sysv::semctl_stat(id, index, command)?;
            ctx.memory().write_bytes(args.addr(3), &semid_from_host(&host))?;
            Ok(result)
        }
        IPC_SET => {
            let mut host = [0; sysv::SEMID_BYTES];
            ctx.memory().read_bytes(args.addr(3), &mut host[..PERM_BYTES])?;
            Ok(sysv::semctl_set(id, &host)?)
        }
        IPC_INFO | SEM_INFO => Ok(sysv::semctl(id, index, command, buffer(ctx.memory(), args.addr(3), 40)?)?),
        // The array's length is the set's, which only the host knows: the kernel checks the guest's memory.
        GETALL | SETALL => Ok(sysv::semctl(id, index, command, array(ctx, args.addr(3))?)?),
        // A number, or nothing.
        _other => Ok(sysv::semctl_value(id, index, command, args.u32(3))?),
    }
}

/// A place in guest memory whose length the host knows: at most what is left of the address space.
fn array(ctx: &TaskContext, at: GuestAddr) -> Result<crate::host::sys::ForeignBuffer, Errno> {
    const ALL_SEMAPHORES_BYTES: u64 = 2 * 32_000;
    buffer(ctx.memory(), at, ALL_SEMAPHORES_BYTES)
}

/// x86-64 keeps a reserved word after each time, arm64 does not.
fn semid_from_host(host: &[u8; sysv::SEMID_BYTES]) -> [u8; SEMID_BYTES] {
    let mut guest = [0; SEMID_BYTES];
    guest[..PERM_BYTES].copy_from_slice(&host[..PERM_BYTES]);
    for (to, from) in sysv::SEMID_WORDS.iter().enumerate() {
        guest[PERM_BYTES + 8 * to..][..8].copy_from_slice(&host[PERM_BYTES + 8 * from..][..8]);
    }
    guest
}

/// Commands of shmctl(2) alone.
const SHM_LOCK: i32 = 11;
const SHM_UNLOCK: i32 = 12;
const SHM_STAT: i32 = 13;
const SHM_INFO: i32 = 14;
const SHM_STAT_ANY: i32 = 15;

/// `struct shminfo64`.
const SHMINFO_BYTES: u64 = 72;
/// `struct shm_info`.
const SHM_INFO_BYTES: u64 = 48;

const SHM_RDONLY: u32 = 0o10_000;
const SHM_RND: u32 = 0o20_000;
const SHM_REMAP: u32 = 0o40_000;
const SHM_EXEC: u32 = 0o100_000;

pub(super) fn shmget(_ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(sysv::shmget(args.i32(0), args.u64(1), args.i32(2))?)
}

pub(super) fn shmctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, command) = (args.i32(0), args.i32(1));
    let len = match command {
        IPC_RMID | SHM_LOCK | SHM_UNLOCK => 0,
        IPC_SET | IPC_STAT | SHM_STAT | SHM_STAT_ANY => sysv::SHMID_BYTES as u64,
        IPC_INFO => SHMINFO_BYTES,
        SHM_INFO => SHM_INFO_BYTES,
        _unknown => return Err(Errno::EINVAL.into()),
    };
    Ok(sysv::shmctl(id, command, buffer(ctx.memory(), args.addr(2), len)?)?)
}

pub(super) fn shmat(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (id, flags) = (args.i32(0), args.u32(2));
    let place = attach_place(args.addr(1), flags)?;
    let segment = sysv::segment(id)?;
    let is_writable = flags & SHM_RDONLY == 0;
    let mut prot = Prot::READ;
    prot.set(Prot::WRITE, is_writable);
    prot.set(Prot::EXEC, flags & SHM_EXEC != 0);
    // As Linux names the file of a segment.
    let name = format!("/SYSV{:08x} (deleted)", segment.key).into_bytes();
    let attached = SharedSegment { id, name, is_writable };
    Ok(ctx.process().space().attach(place, segment.len_bytes, prot, attached)?.0)
}

/// Where a segment is to be attached. `SHMLBA` is a page on arm64.
fn attach_place(addr: GuestAddr, flags: u32) -> Result<AttachAt, Errno> {
    let is_replacing = flags & SHM_REMAP != 0;
    if addr.is_null() {
        return if is_replacing { Err(Errno::EINVAL) } else { Ok(AttachAt::Anywhere) };
    }
    let place = if flags & SHM_RND != 0 { addr.page_floor() } else { addr };
    if !place.is_page_aligned() || is_replacing && place.is_null() {
        return Err(Errno::EINVAL);
    }
    Ok(if is_replacing { AttachAt::Replacing(place) } else { AttachAt::Free(place) })
}

pub(super) fn shmdt(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    ctx.process().space().detach(args.addr(0))?;
    Ok(0)
}
