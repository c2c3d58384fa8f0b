//! The trace of system calls and signals, as strace(1) shows them: calls are decoded by the forms that the syscall table
//! names.
//!
//! Pure text: guest memory comes in through a closure. [`Config`] is what the command line says; a [`Call`] is made before
//! the call, since execve(2) replaces the memory that its arguments lie in, and written by [`Config::write`] after it, when
//! what the call gives is there. A call that sleeps is written twice: its line so far before the sleep, and the rest after it.
//! Each line is one write, so that those of several threads and processes do not mix. [`forms`] shows arguments, [`names`]
//! flags, [`shapes`] structures, [`signals`] what signals say; [`filter`] chooses.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::abi::{Errno, GuestAddr, Pid, SigInfo, Signal, Tid};
use crate::host;
use crate::host::errno::io_text;

pub mod filter;
pub mod forms;
pub mod names;
pub mod shapes;
mod signals;

pub use filter::{Filter, Subject};
pub use forms::ArgForm;
pub use shapes::Shape;

use forms::Memory;

/// Reads up to that many bytes of guest memory; `None` for a bad address.
pub type Reader<'a> = dyn Fn(GuestAddr, usize) -> Option<Vec<u8>> + 'a;

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// With a value.
    Value(u64),
    /// With an error.
    Errno(Errno),
    /// A signal came; it may be restarted.
    Interrupted,
    /// Never.
    NoReturn,
}

/// What a signal does to a process that has no handler for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It ends it.
    Killed(Signal),
    /// It stops it.
    Stopped(Signal),
}

/// The form of a trace's lines.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is traced, and where to.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Config {
    /// The calls that are shown.
    pub filter: Filter,
    /// The file that lines are appended to, instead of standard error.
    pub file: Option<PathBuf>,
    /// The form of the lines.
    pub format: Format,
}

/// A call before it is made.
#[derive(Debug)]
pub struct Call<'a> {
    name: String,
    forms: &'a [ArgForm],
    args: [u64; 6],
    /// `None` where only the call gives the argument.
    shown: Vec<Option<String>>,
}

impl<'a> Call<'a> {
    /// A call of the table.
    #[must_use]
    pub fn new(name: &str, forms: &'a [ArgForm], args: [u64; 6], read: &Reader<'_>) -> Self {
        let next = |index: usize| args.get(index + 1).copied().unwrap_or(0);
        let shown = forms.iter().zip(args).enumerate();
        let shown = shown.map(|(index, (form, value))| forms::before(*form, value, next(index), Memory(read)));
        Self { name: name.to_owned(), forms, args, shown: shown.collect() }
    }

    /// A call whose number is not in the table.
    #[must_use]
    pub fn unknown(number: u64, args: [u64; 6]) -> Self {
        let shown = args.iter().map(|arg| Some(format!("{arg:#x}"))).collect();
        Self { name: format!("syscall_{number}"), forms: &[], args, shown }
    }

    /// Shows what the call has given.
    fn complete(&mut self, outcome: Outcome, read: &Reader<'_>) {
        let result = match outcome {
            Outcome::Value(value) => Some(value),
            Outcome::Errno(_) | Outcome::Interrupted | Outcome::NoReturn => None,
        };
        for (index, (form, value)) in self.forms.iter().zip(self.args).enumerate() {
            let next = self.args.get(index + 1).copied().unwrap_or(0);
            if let Some(shown @ None) = self.shown.get_mut(index) {
                *shown = Some(forms::after(*form, value, next, result, Memory(read)));
            }
        }
    }

    fn arguments(&self) -> Vec<&str> {
        self.shown.iter().map(|shown| shown.as_deref().unwrap_or("?")).collect()
    }

    /// The arguments up to the first that only the call gives, each with what separates it from the next.
    fn known(&self) -> Vec<String> {
        let last = self.shown.len().saturating_sub(1);
        let known = self.shown.iter().map_while(Option::as_deref).enumerate();
        known.map(|(index, text)| format!("{text}{}", if index < last { ", " } else { "" })).collect()
    }

    /// `name(arguments <unfinished ...>`: what can be said before the call has ended.
    #[must_use]
    pub fn unfinished(&self) -> String {
        format!("{}({} <unfinished ...>", self.name, self.known().concat())
    }

    /// `<... name resumed>arguments) = outcome`: what [`unfinished`](Self::unfinished) has left out.
    #[must_use]
    pub fn resumed(mut self, outcome: Outcome, read: &Reader<'_>) -> String {
        let known = self.known().len();
        self.complete(outcome, read);
        let rest = self.arguments().split_off(known).join(", ");
        format!("<... {} resumed>{rest}) = {}", self.name, result_text(outcome))
    }

    /// `name(arguments) = outcome`.
    #[must_use]
    pub fn finish(mut self, outcome: Outcome, read: &Reader<'_>) -> String {
        self.complete(outcome, read);
        format!("{}({}) = {}", self.name, self.arguments().join(", "), result_text(outcome))
    }

    /// [`unfinished`](Self::unfinished) as a JSON object.
    fn unfinished_json(&self, pid: Pid, tid: Tid) -> String {
        let known: Vec<_> = self.shown.iter().map_while(Option::as_deref).collect();
        let record = serde_json::json!({
            "pid": pid.0, "tid": tid.0, "call": self.name, "args": known, "unfinished": true,
        });
        record.to_string()
    }

    /// The same as a JSON object.
    fn finish_json(mut self, pid: Pid, tid: Tid, outcome: Outcome, read: &Reader<'_>) -> String {
        self.complete(outcome, read);
        let mut record = serde_json::json!({
            "pid": pid.0, "tid": tid.0, "call": self.name, "args": self.arguments(),
        });
        let (key, value) = match outcome {
            Outcome::Value(value) => ("result", value.into()),
            Outcome::Errno(errno) => ("error", format!("{errno:?}").into()),
            Outcome::Interrupted => ("error", "interrupted".into()),
            Outcome::NoReturn => ("result", serde_json::Value::Null),
        };
        record[key] = value;
        record.to_string()
    }
}

fn result_text(outcome: Outcome) -> String {
    match outcome {
        // Addresses are unreadable in decimal, counts in hexadecimal.
        Outcome::Value(value) if value > u64::from(u32::MAX) => format!("{value:#x}"),
        Outcome::Value(value) => value.to_string(),
        Outcome::Errno(errno) => format!("-1 {errno:?} ({})", errno.text().unwrap_or("no text")),
        Outcome::Interrupted => "? (interrupted by a signal)".to_owned(),
        Outcome::NoReturn => "?".to_owned(),
    }
}

impl Config {
    /// Makes the file, or empties it: a trace begins anew with each run.
    ///
    /// # Errors
    /// The host's.
    pub fn start(&self) -> std::io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |path| std::fs::File::create(path).map(drop))
    }

    /// The line of a call that is about to sleep; `None` where only its end tells whether it is shown.
    #[must_use]
    pub fn unfinished(&self, pid: Pid, tid: Tid, call: &Call<'_>) -> Option<String> {
        self.filter.wants_unfinished().then(|| match self.format {
            Format::Text => format!("[{tid}] {}\n", call.unfinished()),
            Format::Json => format!("{}\n", call.unfinished_json(pid, tid)),
        })
    }

    /// Writes the line of a finished call, or the rest of it where its beginning `is_begun`.
    pub fn write(&self, pid: Pid, tid: Tid, call: Call<'_>, outcome: Outcome, read: &Reader<'_>, is_begun: bool) {
        if !self.filter.wants_outcome(outcome) {
            return;
        }
        self.put(&match self.format {
            Format::Text if is_begun => format!("[{tid}] {}\n", call.resumed(outcome, read)),
            Format::Text => format!("[{tid}] {}\n", call.finish(outcome, read)),
            Format::Json => format!("{}\n", call.finish_json(pid, tid, outcome, read)),
        });
    }

    /// Writes the line of a signal that a thread takes.
    pub fn write_signal(&self, pid: Pid, tid: Tid, info: &SigInfo) {
        if !self.filter.wants_signal(info.signal()) {
            return;
        }
        let fields = signals::fields(info);
        self.put(&match self.format {
            Format::Text => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("[{tid}] --- {} {{{}}} ---\n", info.signal(), fields.join(", "))
            }
            Format::Json => {
                let info: serde_json::Map<_, _> =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                let signal = info.get("si_signo").cloned();
                format!("{}\n", serde_json::json!({"pid": pid.0, "tid": tid.0, "signal": signal, "info": info}))
            }
        });
    }

    /// Writes the line of what a signal has done to the process.
    pub fn write_end(&self, pid: Pid, tid: Tid, end: End) {
        let (End::Killed(signal) | End::Stopped(signal)) = end;
        if !self.filter.wants_signal(signal) {
            return;
        }
        self.put(&match (self.format, end) {
            (Format::Text, End::Killed(_)) => format!("[{tid}] +++ killed by {signal} +++\n"),
            (Format::Text, End::Stopped(_)) => format!("[{tid}] --- stopped by {signal} ---\n"),
            (Format::Json, End::Killed(_)) => json_end(pid, tid, "killed_by", signal),
            (Format::Json, End::Stopped(_)) => json_end(pid, tid, "stopped_by", signal),
        });
    }

    /// Writes a line. One that cannot be written is lost, the guest goes on; of a file that is said once.
    pub fn put(&self, line: &str) {
        static HAS_GAPS: AtomicBool = AtomicBool::new(false);
        let Some(path) = &self.file else {
            let _lost = std::io::stderr().lock().write_all(line.as_bytes());
            return;
        };
        // Opened each time: nothing that the guest closes or a fork must keep.
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes()))
            && !HAS_GAPS.swap(true, Ordering::Relaxed)
        {
            let (path, why) = (path.display(), io_text(&error));
            host::tell(format_args!("elfuse: cannot write the trace file {path}: {why}; the trace has gaps"));
        }
    }
}

fn json_end(pid: Pid, tid: Tid, what: &str, signal: Signal) -> String {
    format!("{}\n", serde_json::json!({"pid": pid.0, "tid": tid.0, what: signal.to_string()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(addr: GuestAddr, len: usize) -> Option<Vec<u8>> {
        let memory = b"/etc/motd\0 and more than thirty-o bytes of text";
        (addr.0 == 0x1000).then(|| memory[..len.min(memory.len())].to_vec())
    }

    fn line(forms: &[ArgForm], args: [u64; 6], outcome: Outcome) -> String {
        Call::new("call", forms, args, &read).finish(outcome, &read)
    }

    #[test]
    fn arguments_have_their_forms() {
        use ArgForm::{Bytes, Dir, Fd, Flags, Int, Octal, Path, Ptr, Signal, Size, Str};
        let call = |forms: &[ArgForm], args| line(forms, args, Outcome::Value(0)).trim_end_matches(" = 0").to_owned();
        assert_eq!(
            call(&[Dir, Path, Flags(&names::OPEN), Octal], [-100i64 as u64, 0x1000, 0x241, 0o644, 0, 0]),
            r#"call(AT_FDCWD, "/etc/motd", O_WRONLY|O_CREAT|O_TRUNC, 0644)"#
        );
        assert_eq!(call(&[Int, Str], [u64::MAX, 0x2000, 0, 0, 0, 0]), "call(-1, 0x2000)");
        assert_eq!(call(&[Fd, Bytes, Size], [1, 0x1000, 4, 0, 0, 0]), r#"call(1, "/etc", 4)"#);
        assert_eq!(call(&[Bytes], [0x1000, 1 << 40, 0, 0, 0, 0]), r#"call("/etc/motd\x00 and more than thirty-"...)"#);
        assert_eq!(call(&[Ptr, Signal, Signal], [0, 10, 77, 0, 0, 0]), "call(NULL, SIGUSR1, 77)");
    }

    #[test]
    fn what_a_call_gives_is_shown_when_it_has_succeeded() {
        use ArgForm::{Fd, Filled, Size};
        let forms = [Fd, Filled, Size];
        assert_eq!(line(&forms, [3, 0x1000, 99, 0, 0, 0], Outcome::Value(4)), r#"call(3, "/etc", 99) = 4"#);
        let failed = line(&forms, [3, 0x1000, 99, 0, 0, 0], Outcome::Errno(Errno::EBADF));
        assert_eq!(failed, "call(3, 0x1000, 99) = -1 EBADF (Bad file descriptor)");
    }

    #[test]
    fn a_call_that_sleeps_has_two_lines() {
        use ArgForm::{Fd, Filled, Size};
        let both = |forms: &[ArgForm]| {
            let call = Call::new("call", forms, [3, 0x1000, 99, 0, 0, 0], &read);
            [call.unfinished(), call.resumed(Outcome::Value(4), &read)]
        };
        assert_eq!(both(&[Fd, Filled, Size]), ["call(3,  <unfinished ...>", r#"<... call resumed>"/etc", 99) = 4"#]);
        assert_eq!(both(&[Fd]), ["call(3 <unfinished ...>", "<... call resumed>) = 4"]);
        assert_eq!(both(&[]), ["call( <unfinished ...>", "<... call resumed>) = 4"]);
    }

    #[test]
    fn outcomes_are_told_apart() {
        let line = |outcome| line(&[], [0; 6], outcome);
        assert_eq!(line(Outcome::Value(3)), "call() = 3");
        assert_eq!(line(Outcome::Value(0x3ff_0000_0000)), "call() = 0x3ff00000000");
        assert_eq!(line(Outcome::Errno(Errno::ENOENT)), "call() = -1 ENOENT (No such file or directory)");
        assert_eq!(line(Outcome::NoReturn), "call() = ?");
        let unknown = Call::unknown(1000, [1, 0, 0, 0, 0, 0]).finish(Outcome::Errno(Errno::ENOSYS), &read);
        assert!(unknown.starts_with("syscall_1000(0x1, 0x0, 0x0, 0x0, 0x0, 0x0) = -1 ENOSYS"), "{unknown}");
    }

    #[test]
    fn a_json_line_is_an_object() {
        let call = Call::new("write", &[ArgForm::Fd, ArgForm::Bytes], [1, 0x1000, 4, 0, 0, 0], &read);
        let text = call.finish_json(Pid(7), Tid(8), Outcome::Errno(Errno::EPIPE), &read);
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&record["call"], &record["tid"], &record["error"]), (&"write".into(), &8.into(), &"EPIPE".into()));
    }
}
