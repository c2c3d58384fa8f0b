//! Waiting for children: wait4(2), waitid(2). Who may be waited for is `kernel::children`'s.

use std::os::fd::{AsFd, AsRawFd};

use super::Args;
use crate::abi::{Errno, Pid, SigInfo, Signal};
use crate::host::children::{SIGINFO_LEN, Whose};
use crate::host::fds::is_nonblocking;
use crate::kernel::children::WNOWAIT;
use crate::kernel::{Restart, SyscallResult, TaskContext};

const WNOHANG: i32 = 1;
const WSTOPPED: i32 = 2;
const WEXITED: i32 = 4;
const WCONTINUED: i32 = 8;
/// What wait4(2) takes: WNOHANG, WUNTRACED, WCONTINUED, `__WNOTHREAD`, `__WCLONE`, `__WALL`.
const WAIT4_OPTIONS: i32 = WNOHANG | WSTOPPED | WCONTINUED | LINUX_OPTIONS;
/// `__WNOTHREAD`, `__WCLONE`, `__WALL`.
const LINUX_OPTIONS: i32 = 0xe000_0000_u32.cast_signed();

/// Sleeps until `look` has an answer, or looks once with WNOHANG.
fn wait<T>(
    ctx: &TaskContext,
    options: i32,
    mut look: impl FnMut() -> Result<Option<T>, Errno>,
) -> Result<Option<T>, crate::kernel::SyscallError> {
    let process = ctx.process().clone();
    let once = || {
        let looked = look();
        process.serve_children_news();
        match looked {
            Ok(None) if options & WNOHANG == 0 => None,
            answer => Some(answer),
        }
    };
    let news = if options & WNOHANG == 0 { process.children().news(&ctx.proof) } else { None };
    let found = match news {
        Some(news) => ctx.task.block_until_readable_or(news, || process.hear_of_children(), once),
        None => ctx.task.block_until(None, once),
    };
    let found = found.map_err(|interrupted| interrupted.or_restart(Restart::Sys))??;
    if found.is_some() {
        process.hear_of_children();
    }
    Ok(found)
}

pub(super) fn wait4(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let options = args.i32(2);
    if options & !WAIT4_OPTIONS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let whose = Whose::of_wait4(args.pid(0))?;
    let process = ctx.process().clone();
    let waited = wait(ctx, options, || process.children().wait4(whose, options))?;
    let Some(child) = waited else { return Ok(0) };
    if child.is_end() {
        process.preemption().directory().remove_file_of(child.pid);
    }
    if let Some(place) = args.ptr::<i32>(1).non_null() {
        ctx.memory().write(place, &child.status)?;
    }
    if let Some(place) = args.ptr::<[u64; 18]>(3).non_null() {
        ctx.memory().write(place, &child.usage)?;
    }
    Ok(u64::from(child.pid.0.cast_unsigned()))
}

/// `si_signo`, `si_errno`, `si_code` and what follows up to `si_status`: what waitid(2) writes, without the padding.
const WRITTEN: [std::ops::Range<usize>; 2] = [0..12, 16..28];

pub(super) fn waitid(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let options = args.i32(3);
    if options & !(WNOHANG | WNOWAIT | WSTOPPED | WEXITED | WCONTINUED | LINUX_OPTIONS) != 0
        || options & (WSTOPPED | WEXITED | WCONTINUED) == 0
    {
        return Err(Errno::EINVAL.into());
    }
    let mut handle = None;
    let id = args.i32(1);
    let whose = match args.i32(0) {
        0 => Whose::Any,
        1 if id > 0 => Whose::One(Pid(id)),
        2 if id >= 0 => Whose::Group(Pid(id)),
        3 if id >= 0 => {
            let file = handle.insert(ctx.files.get(args.fd(1))?);
            Whose::Handle(file.as_fd().as_raw_fd())
        }
        _unknown => return Err(Errno::EINVAL.into()),
    };
    let process = ctx.process().clone();
    let never_sleeps = handle.as_ref().is_some_and(|file| is_nonblocking(file.as_fd()));
    let how = if never_sleeps { options | WNOHANG } else { options };
    let waited = wait(ctx, how, || process.children().waitid(whose, how))?;
    if waited.is_none() && never_sleeps && options & WNOHANG == 0 {
        return Err(Errno::EAGAIN.into());
    }
    let (info, usage) = waited.unwrap_or(([0; SIGINFO_LEN], [0; 18]));
    let changed = SigInfo::from_bytes(Signal::SIGCHLD, info);
    if waited.is_some() && options & WNOWAIT == 0 && changed.code().is_end_of_child() {
        process.preemption().directory().remove_file_of(changed.pid());
    }
    if let Some(place) = args.ptr::<u8>(2).non_null() {
        for part in WRITTEN {
            ctx.memory().write_bytes(place.index(part.start as u64)?.addr(), &info[part])?;
        }
    }
    if let Some(place) = args.ptr::<[u64; 18]>(4).non_null() {
        ctx.memory().write(place, &usage)?;
    }
    Ok(0)
}
