//! System calls: the table, and thin handlers in family files that read like the manual page.
//!
//! [`dispatch`] finds the row of [`table`], runs its handler and keeps the books: the ring of recent calls for crash
//! reports, and the trace. Families: [`io`], [`poll`], [`fcntl`], [`fs`], [`metadata`], [`mm`], [`id`], [`misc`],
//! [`time`], [`signal`], [`process`], [`futex`], [`timers`]. Restart codes leave here as values and are resolved by
//! `run`.

pub mod args;
pub mod clone;
pub mod epoll;
pub mod events;
pub mod exec;
pub mod fcntl;
pub mod fs;
pub mod futex;
pub mod handles;
pub mod id;
pub mod io;
pub mod ioctl;
pub mod limits;
pub mod memory_policy;
pub mod messages;
pub mod metadata;
pub mod misc;
pub mod mm;
pub mod mq;
pub mod net;
pub mod path;
pub mod pidfd;
pub mod poll;
pub mod prctl;
pub mod privileged;
pub mod process;
pub mod schedule;
pub mod signal;
pub mod splice;
pub mod sysv;
pub mod table;
pub mod terminal;
pub mod time;
pub mod timers;
pub mod tracing;
pub mod transfer;
pub mod unix_names;
pub mod wait;
pub mod xattr;

pub use args::Args;
pub use table::{Level, Row};
pub use tracing::describe_recent;

use crate::abi::{Errno, SigSet, Signal};
use crate::host;
use crate::kernel::recent::RecentCall;
use crate::kernel::signal::SignalTarget;
use crate::kernel::{SyscallError, SyscallResult, TaskContext};
use crate::preempt::KickCause;
use crate::vcpu::SyscallRegisters;

/// What runs for a row of the table.
pub type Handler = fn(&mut TaskContext, &Args) -> SyscallResult;

/// Runs the syscall that the registers name.
///
/// # Errors
/// What becomes of the call where it does not end with a value; `ENOSYS` for numbers and rows without a handler, which
/// the trace names once.
pub fn dispatch(ctx: &mut TaskContext, registers: SyscallRegisters) -> SyscallResult {
    // Where other processes run in this memory, an argument may lie in what one of them has just mapped.
    ctx.process().space().catch_up();
    let args = Args(registers.args);
    let row = table::find(registers.number);
    // Before the call: execve(2) replaces the memory that its arguments lie in.
    let traced = tracing::before(ctx, registers, row);
    let result = match row.and_then(|row| row.handler) {
        Some(handler) => handler(ctx, &args),
        None => {
            if ctx.process().options().trace.is_some() {
                tracing::name_missing(registers.number, row);
            }
            Err(Errno::ENOSYS.into())
        }
    };
    if result == Err(SyscallError::Errno(Errno::EFBIG)) {
        pass_on_size_limit(ctx);
    }
    ctx.task.recent().push(RecentCall {
        number: registers.number,
        args: registers.args,
        result: register_form(&result),
    });
    if let Some(traced) = traced {
        traced.after(ctx, &result);
    }
    result
}

/// A write beyond `RLIMIT_FSIZE` has raised SIGXFSZ at this thread, where it is blocked: the guest gets it.
fn pass_on_size_limit(ctx: &TaskContext) {
    if let Some(info) = host::signal::take_pending(SigSet::of(&[Signal::SIGXFSZ])) {
        // The thread is alive, and a standard signal always fits.
        let _fits = ctx.process().send_signal(info, SignalTarget::Thread(ctx.task.tid()), KickCause::HostSignal);
    }
}

/// x0 as the guest would see it without a restart; calls that do not return keep the value 0.
fn register_form(result: &SyscallResult) -> u64 {
    match result {
        Ok(value) => *value,
        Err(SyscallError::Errno(errno)) => errno.to_return_value(),
        Err(SyscallError::Restart(_)) => Errno::EINTR.to_return_value(),
        Err(SyscallError::Control(_)) => 0,
    }
}
