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
pub mod transfer;
pub mod unix_names;
pub mod wait;
pub mod xattr;

use std::sync::atomic::{AtomicBool, Ordering};

pub use args::Args;
pub use table::{Level, Row};

use crate::abi::{Errno, SigSet, Signal};
use crate::host;
use crate::kernel::recent::RecentCall;
use crate::kernel::signal::SignalTarget;
use crate::kernel::{Control, SyscallError, SyscallResult, TaskContext};
use crate::preempt::KickCause;
use crate::trace::{self, Outcome};
use crate::vcpu::SyscallRegisters;

/// What runs for a row of the table.
pub type Handler = fn(&mut TaskContext, &Args) -> SyscallResult;

/// Runs the syscall that the registers name.
///
/// # Errors
/// What becomes of the call where it does not end with a value; `ENOSYS` for numbers and rows without a handler, which
/// the trace names once.
pub fn dispatch(ctx: &mut TaskContext, registers: SyscallRegisters) -> SyscallResult {
    let args = Args(registers.args);
    let row = table::find(registers.number);
    let is_tracing = ctx.process().options().is_tracing;
    // Before the call: execve(2) replaces the memory that its arguments lie in.
    let call = is_tracing.then(|| describe(ctx, registers, row));
    let result = match row.and_then(|row| row.handler) {
        Some(handler) => handler(ctx, &args),
        None => {
            if is_tracing {
                name_missing(registers.number, row);
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
    if let Some(call) = call {
        trace::print(ctx.task.tid(), &call, outcome(&result));
    }
    result
}

/// A call of the past in the form of the trace. What its pointers pointed to may have changed since, so that they are
/// shown as addresses.
#[must_use]
pub fn describe_recent(call: &RecentCall) -> String {
    let text = describe_with(table::find(call.number), call.number, call.args, &|_addr, _len| None);
    trace::format_result(&text, recent_outcome(call))
}

/// How a call of the past ended, by its x0: every number from -4095 to -1 is an error.
fn recent_outcome(call: &RecentCall) -> Outcome {
    match Errno::from_return_value(call.result) {
        Some(errno) => Outcome::Errno(errno),
        None => Outcome::Value(call.result),
    }
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

fn outcome(result: &SyscallResult) -> Outcome {
    match result {
        Ok(value) => Outcome::Value(*value),
        Err(SyscallError::Errno(errno)) => Outcome::Errno(*errno),
        Err(SyscallError::Restart(_)) => Outcome::Interrupted,
        Err(SyscallError::Control(Control::RegistersReplaced)) => Outcome::Value(0),
        Err(SyscallError::Control(Control::ExitThread(_) | Control::ExitGroup(_))) => Outcome::NoReturn,
    }
}

fn describe(ctx: &TaskContext, registers: SyscallRegisters, row: Option<&Row>) -> String {
    let memory = ctx.memory();
    let read = |addr, len: usize| {
        let mut bytes = vec![0; len];
        let got = memory.read_up_to(addr, &mut bytes).ok()?;
        bytes.truncate(got);
        Some(bytes)
    };
    describe_with(row, registers.number, registers.args, &read)
}

fn describe_with(row: Option<&Row>, number: u64, args: [u64; 6], read: &trace::Reader<'_>) -> String {
    match row {
        Some(row) => trace::format_call(row.name, row.args, args, read),
        None => trace::format_unknown(number, args),
    }
}

/// One flag a number, so that a program that polls for a call fills no screen.
static NAMED: [AtomicBool; table::NUMBERS + 1] = [const { AtomicBool::new(false) }; table::NUMBERS + 1];

fn name_missing(number: u64, row: Option<&Row>) {
    if is_first(number) {
        let name = row.map_or("unknown", |row| row.name);
        eprintln!("elfuse: system call {number} ({name}): not implemented; the guest gets ENOSYS");
    }
}

/// True once for each number of the table, and once for all others.
fn is_first(number: u64) -> bool {
    let flag = usize::try_from(number).unwrap_or(table::NUMBERS).min(table::NUMBERS);
    !NAMED[flag].swap(true, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_call_is_named_once() {
        let last = table::NUMBERS as u64 - 1;
        assert_eq!([last, last, last - 1, last, u64::MAX].map(is_first), [true, false, true, false, true]);
    }
}
