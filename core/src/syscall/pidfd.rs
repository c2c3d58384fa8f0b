//! Descriptors of processes, and what they have in common: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), kcmp(2). They are the host's, since guest
//! processes are host processes, so poll(2) and waitid(2) know them.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use super::Args;
use crate::abi::{Errno, Fd, Pid, SiCode, SigInfo, Signal};
use crate::host::pidfd::{self, NONBLOCK, THREAD};
use crate::host::sys;
use crate::kernel::open_file::OpenFile;
use crate::kernel::send::{self, goes_by_host};
use crate::kernel::signal::SignalTarget;
use crate::kernel::{SyscallResult, TaskContext};
use crate::preempt::{KickCause, transport};

pub(super) fn pidfd_open(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let flags = args.u32(1);
    if flags & !(NONBLOCK | THREAD) != 0 || args.i32(0) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = OpenFile::new(pidfd::open(args.pid(0), flags)?);
    let fd = ctx.files.add(file, true)?;
    Ok(u64::from(fd.0.cast_unsigned()))
}

/// pidfd_send_signal(2). Missing: the scopes of its flags, which are `EINVAL`.
pub(super) fn pidfd_send_signal(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let number = args.i32(1);
    let signal = if number == 0 { None } else { Some(Signal::new(number).ok_or(Errno::EINVAL)?) };
    if args.u32(3) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = pidfd::process_of(file.as_fd())?.ok_or(Errno::ESRCH)?;
    let own = ctx.process().pid();
    let info = match args.ptr::<[u8; 128]>(2).non_null() {
        None => {
            signal.map(|signal| SigInfo::from_sender(signal, SiCode::SI_USER, own, crate::host::children::own_uid()))
        }
        Some(place) => {
            let bytes = ctx.memory().read(place)?;
            if bytes[..4] != number.to_le_bytes() {
                return Err(Errno::EINVAL.into());
            }
            let info = signal.map(|signal| SigInfo::from_bytes(signal, bytes));
            let claims_the_kernel = |info: SigInfo| info.code().0 >= 0 || info.code() == SiCode::SI_TKILL;
            if target != own && info.is_some_and(claims_the_kernel) {
                return Err(Errno::EPERM.into());
            }
            info
        }
    };
    let Some(info) = info.filter(|info| !goes_by_host(info.signal())) else {
        pidfd::send_signal(file.as_fd(), signal, None, 0)?;
        return Ok(0);
    };
    if target == own {
        ctx.process().send_signal(info, SignalTarget::Process, KickCause::GuestSignal)?;
    } else {
        send::send_info(ctx.process(), target, None, Some(info))?;
    }
    Ok(0)
}

/// pidfd_getfd(2). Missing: descriptors of other guests, whose numbers are not the host's: `EPERM`, as where ptrace(2) is
/// not allowed.
pub(super) fn pidfd_getfd(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    if args.u32(2) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let target: Pid = pidfd::process_of(file.as_fd())?.ok_or(Errno::ESRCH)?;
    let fd = if target == ctx.process().pid() {
        ctx.files.add(ctx.files.get(args.fd(1))?, true)?
    } else if transport::is_elfuse(ctx.process().preemption().directory(), target) {
        return Err(Errno::EPERM.into());
    } else {
        ctx.files.add(OpenFile::new(pidfd::get_descriptor(file.as_fd(), args.i32(1), 0)?), true)?
    };
    Ok(u64::from(fd.0.cast_unsigned()))
}

/// kcmp(2). Missing: `KCMP_EPOLL_TFD`, and descriptors of other guests, which are `EPERM` as for pidfd_getfd(2).
pub(super) fn kcmp(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    const KCMP_FILE: i32 = 0;
    const KCMP_EPOLL_TFD: i32 = 7;
    let (first, second, kind) = (args.pid(0), args.pid(1), args.i32(2));
    if kind == KCMP_EPOLL_TFD {
        return Err(Errno::EINVAL.into());
    }
    if kind != KCMP_FILE {
        return Ok(sys::kcmp(first.0, second.0, kind, 0, 0)?);
    }
    let files = (descriptor_of(ctx, first, args.fd(3))?, descriptor_of(ctx, second, args.fd(4))?);
    Ok(sys::kcmp(first.0, second.0, kind, files.0.number(), files.1.number())?)
}

/// A descriptor of a process as the host numbers it.
enum Descriptor {
    Own(Arc<OpenFile>),
    Foreign(Fd),
}

impl Descriptor {
    fn number(&self) -> i32 {
        match self {
            Self::Own(file) => file.as_fd().as_raw_fd(),
            Self::Foreign(fd) => fd.0,
        }
    }
}

fn descriptor_of(ctx: &TaskContext, pid: Pid, fd: Fd) -> Result<Descriptor, Errno> {
    if pid == ctx.process().pid() || pid.0 == ctx.task.tid().0 {
        return ctx.files.get(fd).map(Descriptor::Own);
    }
    if transport::is_elfuse(ctx.process().preemption().directory(), pid) {
        return Err(Errno::EPERM);
    }
    Ok(Descriptor::Foreign(fd))
}
