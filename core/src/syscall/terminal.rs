//! Job control before terminal I/O: [`before_read`], [`before_write`], [`before_change`].
//!
//! The host would decide about these itself, but SIGTTIN and SIGTTOU are blocked on elfuse's threads, so that it would
//! answer EIO or let everybody pass. So the guest's process group is compared with the terminal's foreground first, and the
//! guest's mask and dispositions decide (`docs/design.md` §6). A stopped call is made again when the process goes on.
//!
//! Sources: Linux `drivers/tty/tty_jobctrl.c` (`__tty_check_change`), `drivers/tty/n_tty.c` (`job_control`,
//! `n_tty_write`), setpgid(2), termios(3) `TOSTOP`.

use std::os::fd::AsFd;

use crate::abi::{Errno, Pid, Signal};
use crate::host::terminal;
use crate::kernel::open_file::{FileKind, OpenFile};
use crate::kernel::{Restart, SyscallError, TaskContext};

/// A read of the terminal by a process in its background stops its group.
///
/// # Errors
/// `EIO` where SIGTTIN cannot stop the caller; otherwise the call is to be made again.
pub(super) fn before_read(ctx: &TaskContext, file: &OpenFile) -> Result<(), SyscallError> {
    if file.kind() == FileKind::Character && terminal::is_in_background(file.as_fd()) {
        if is_shut_out(ctx, Signal::SIGTTIN) {
            return Err(Errno::EIO.into());
        }
        return stop_group(ctx, Signal::SIGTTIN);
    }
    Ok(())
}

/// A write to the terminal by a process in its background stops its group where the terminal says so.
///
/// # Errors
/// As [`before_change`].
pub(super) fn before_write(ctx: &TaskContext, file: &OpenFile) -> Result<(), SyscallError> {
    if file.kind() == FileKind::Character
        && terminal::is_in_background(file.as_fd())
        && terminal::stops_writers(file.as_fd())
    {
        return change_from_background(ctx);
    }
    Ok(())
}

/// A change of the terminal by a process in its background stops its group, unless it blocks or ignores SIGTTOU.
///
/// # Errors
/// `EIO` in an orphaned group; otherwise the call is to be made again.
pub(super) fn before_change(ctx: &TaskContext, file: &OpenFile) -> Result<(), SyscallError> {
    if file.kind() == FileKind::Character && terminal::is_in_background(file.as_fd()) {
        return change_from_background(ctx);
    }
    Ok(())
}

fn change_from_background(ctx: &TaskContext) -> Result<(), SyscallError> {
    if is_shut_out(ctx, Signal::SIGTTOU) { Ok(()) } else { stop_group(ctx, Signal::SIGTTOU) }
}

/// True when the calling thread blocks or the process ignores the signal.
fn is_shut_out(ctx: &TaskContext, signal: Signal) -> bool {
    let group = ctx.process().group();
    let is_blocked = group.members.get(&ctx.task.tid()).is_some_and(|member| member.blocked.contains(signal));
    is_blocked || group.actions.ignores(signal)
}

/// Sends the signal to the caller's group, its own process included.
fn stop_group(ctx: &TaskContext, signal: Signal) -> Result<(), SyscallError> {
    if terminal::is_group_orphaned() {
        return Err(Errno::EIO.into());
    }
    crate::kernel::send::kill(ctx, Pid(0), Some(signal))?;
    Err(Restart::Sys.into())
}
