//! The trace's view of a call: what [`dispatch`](super::dispatch) shows before and after it, and the names and classes that
//! `--trace=FILTER` may say, all from the rows of the [table].

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::table::{self, Row};
use crate::abi::{Errno, Fd, GuestAddr};
use crate::host::{self, paths};
use crate::kernel::paths::AT_FDCWD;
use crate::kernel::recent::RecentCall;
use crate::kernel::{Control, SyscallError, SyscallResult, TaskContext};
use crate::mem::GuestMemory;
use crate::trace::{ArgForm, Call, Config, Outcome, Subject};
use crate::vcpu::SyscallRegisters;

/// A call that may be shown, by the trace that shows it.
pub(super) struct Traced {
    config: Arc<Config>,
    call: Call<'static>,
}

/// Decodes a call that the trace wants.
pub(super) fn before(ctx: &TaskContext, registers: SyscallRegisters, row: Option<&'static Row>) -> Option<Traced> {
    let config = ctx.process().options().trace.as_ref()?;
    let forms = row.map_or(&[][..], |row| row.args);
    let read = reader(ctx.memory());
    let subject = Subject { number: registers.number, forms, args: registers.args };
    if !config.filter.wants(subject, &read, &|fd| path_of(ctx, fd)) {
        return None;
    }
    let call = match row {
        Some(row) => Call::new(row.name, forms, registers.args, &read),
        None => Call::unknown(registers.number, registers.args),
    };
    ctx.task.open_call(config.unfinished(ctx.process().pid(), ctx.task.tid(), &call));
    Some(Traced { config: Arc::clone(config), call })
}

/// The guest's name of an open file, or of the working directory for `AT_FDCWD`.
fn path_of(ctx: &TaskContext, fd: Fd) -> Option<Vec<u8>> {
    let host = match fd {
        AT_FDCWD => paths::working_directory(),
        fd => ctx.files.get(fd).and_then(|file| paths::path_of(file.as_fd())),
    };
    Some(ctx.process().root().guest_path(&host.ok()?))
}

impl Traced {
    /// Writes the line of the call after it.
    pub(super) fn after(self, ctx: &TaskContext, result: &SyscallResult) {
        let read = reader(ctx.memory());
        let is_begun = ctx.task.close_call();
        self.config.write(ctx.process().pid(), ctx.task.tid(), self.call, outcome(result), &read, is_begun);
    }
}

fn reader(memory: GuestMemory) -> impl Fn(GuestAddr, usize) -> Option<Vec<u8>> {
    move |addr, len| {
        let mut bytes = vec![0; len];
        let got = memory.read_up_to(addr, &mut bytes).ok()?;
        bytes.truncate(got);
        Some(bytes)
    }
}

/// A call of the past in the form of the trace. What its pointers pointed to may have changed since, so that they are
/// shown as addresses.
#[must_use]
pub fn describe_recent(call: &RecentCall) -> String {
    let nothing = |_addr, _len| None;
    let text = match table::find(call.number) {
        Some(row) => Call::new(row.name, row.args, call.args, &nothing),
        None => Call::unknown(call.number, call.args),
    };
    text.finish(recent_outcome(call), &nothing)
}

/// How a call of the past ended, by its x0: every number from -4095 to -1 is an error.
fn recent_outcome(call: &RecentCall) -> Outcome {
    match Errno::from_return_value(call.result) {
        Some(errno) => Outcome::Errno(errno),
        None => Outcome::Value(call.result),
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

/// The numbers of what a filter names: a call, or a class with `%` before it. Classes are the families of the table, by
/// strace's names where it has some, `%file` (calls that take a path) and `%desc` (calls that take a descriptor).
#[must_use]
pub fn numbers_of(name: &str) -> Vec<u16> {
    let Some(class) = name.strip_prefix('%') else {
        return table::all().filter(|row| row.name == name).map(|row| row.number).collect();
    };
    let has = |wanted: fn(&ArgForm) -> bool| {
        table::all().filter(|row| row.args.iter().any(wanted)).map(|row| row.number).collect()
    };
    match class {
        "file" => has(|form| matches!(form, ArgForm::Path)),
        "desc" => has(|form| matches!(form, ArgForm::Fd | ArgForm::Dir)),
        family => table::family(family).iter().map(|row| row.number).collect(),
    }
}

/// One flag a number, so that a program that polls for a call fills no screen.
static NAMED: [AtomicBool; table::NUMBERS + 1] = [const { AtomicBool::new(false) }; table::NUMBERS + 1];

/// Tells who traces, once a number, that the guest has made a call that is not there.
pub(super) fn name_missing(number: u64, row: Option<&Row>) {
    if is_first(number) {
        let name = row.map_or("unknown", |row| row.name);
        let what = "not implemented; the guest gets ENOSYS";
        host::tell(format_args!("elfuse: system call {number} ({name}): {what}"));
    }
}

/// What a call that is there does not do although Linux does, and what the guest gets instead.
pub(super) struct Lack {
    text: &'static str,
    is_named: AtomicBool,
}

impl Lack {
    pub(super) const fn new(text: &'static str) -> Self {
        Self { text, is_named: AtomicBool::new(false) }
    }

    /// Tells who traces, once a process, that the guest has asked for it.
    pub(super) fn name(&self, ctx: &TaskContext) {
        if ctx.process().options().trace.is_some() && !self.is_named.swap(true, Ordering::Relaxed) {
            host::tell(format_args!("elfuse: {}", self.text));
        }
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

    #[test]
    fn filters_name_calls_and_classes_of_the_table() {
        assert_eq!(numbers_of("openat"), [56]);
        assert_eq!(numbers_of("%futex").len(), 7);
        for (class, with, without) in
            [("%file", 56, 63), ("%desc", 63, 172), ("%network", 203, 63), ("%signal", 129, 63)]
        {
            let numbers = numbers_of(class);
            assert!(numbers.contains(&with) && !numbers.contains(&without), "{class}: {numbers:?}");
        }
        assert!(numbers_of("open").is_empty() && numbers_of("%nothing").is_empty() && numbers_of("").is_empty());
    }
}
