//! fcntl(2) and flock(2).
//!
//! Waiting for a lock that others hold is a pool thread's, since it cannot be polled for. Missing: leases are `EINVAL`.

use std::os::fd::{AsFd, AsRawFd};

use nix::fcntl::OFlag;

use super::Args;
use super::messages::restartable;
use crate::abi::Errno;
use crate::fs::OpenFlags;
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

const F_DUPFD: u32 = 0;
const F_GETFD: u32 = 1;
const F_SETFD: u32 = 2;
const F_GETFL: u32 = 3;
const F_SETFL: u32 = 4;
const F_GETLK: u32 = 5;
const F_SETLK: u32 = 6;
const F_SETLKW: u32 = 7;
const F_SETOWN: u32 = 8;
const F_GETOWN: u32 = 9;
const F_SETSIG: u32 = 10;
const F_GETSIG: u32 = 11;
const F_SETOWN_EX: u32 = 15;
const F_GETOWN_EX: u32 = 16;
const F_OFD_GETLK: u32 = 36;
const F_OFD_SETLK: u32 = 37;
const F_OFD_SETLKW: u32 = 38;
const F_DUPFD_CLOEXEC: u32 = 1030;
const F_SETPIPE_SZ: u32 = 1031;
const F_GETPIPE_SZ: u32 = 1032;
const F_ADD_SEALS: u32 = 1033;
const F_GET_SEALS: u32 = 1034;
const FD_CLOEXEC: u32 = 1;

pub(super) fn fcntl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (fd, command, value) = (args.fd(0), args.u32(1), args.u32(2));
    let file = ctx.files.get(fd)?;
    let host = file.as_fd();
    match command {
        F_DUPFD | F_DUPFD_CLOEXEC => {
            let fd = ctx.files.add_from(u64::from(value), file.duplicate()?, command == F_DUPFD_CLOEXEC)?;
            Ok(u64::from(fd.0.cast_unsigned()))
        }
        F_GETFD => Ok(u64::from(ctx.files.is_close_on_exec(fd)?)),
        F_SETFD => {
            ctx.files.set_close_on_exec(fd, value & FD_CLOEXEC != 0)?;
            Ok(0)
        }
        F_GETFL => {
            let flags = sys::fcntl(host, libc::F_GETFL, 0)?;
            Ok(u64::from(OpenFlags::from_host(OFlag::from_bits_retain(flags as i32)).bits()))
        }
        F_SETFL => {
            let flags = OpenFlags::from_bits_retain(value).to_host();
            if flags.contains(OFlag::O_ASYNC) {
                ctx.process().name_async_file(host.as_raw_fd(), fd);
            }
            Ok(sys::fcntl(host, libc::F_SETFL, flags.bits())?)
        }
        // Owners are processes, groups and threads of the host, which the guest's are.
        F_SETOWN | F_GETOWN | F_SETSIG | F_GETSIG => Ok(sys::fcntl(host, command.cast_signed(), value.cast_signed())?),
        F_SETOWN_EX | F_GETOWN_EX => {
            Ok(sys::fcntl_owner(host, command.cast_signed(), args.structure(ctx.memory(), 2)?)?)
        }
        F_GETLK | F_SETLK | F_OFD_GETLK | F_OFD_SETLK => {
            Ok(sys::fcntl_lock(host, command.cast_signed(), args.structure(ctx.memory(), 2)?)?)
        }
        F_SETLKW | F_OFD_SETLKW => {
            let without_waiting = if command == F_SETLKW { F_SETLK } else { F_OFD_SETLK };
            match sys::fcntl_lock(host, without_waiting.cast_signed(), args.structure(ctx.memory(), 2)?) {
                Err(Errno::EAGAIN | Errno::EACCES) => {
                    let lock = ctx.memory().read(args.ptr::<[u8; 32]>(2))?;
                    let call = move || sys::wait_for_lock(file.as_fd(), command.cast_signed(), lock);
                    ctx.task.block_on_call(&ctx.proof, call).map_err(restartable)
                }
                result => Ok(result?),
            }
        }
        F_SETPIPE_SZ | F_GETPIPE_SZ | F_ADD_SEALS | F_GET_SEALS => {
            Ok(sys::fcntl(host, command.cast_signed(), value.cast_signed())?)
        }
        _leases_owners_and_unknown => Err(Errno::EINVAL.into()),
    }
}

pub(super) fn flock(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const LOCK_NB: u32 = 4;
    let file = ctx.files.get(args.fd(0))?;
    match sys::flock(file.as_fd(), args.u32(1) | LOCK_NB) {
        Err(Errno::EAGAIN) if args.u32(1) & LOCK_NB == 0 => {
            let operation = args.u32(1);
            ctx.task.block_on_call(&ctx.proof, move || sys::flock(file.as_fd(), operation)).map_err(restartable)
        }
        result => Ok(result?),
    }
}
