//! The report of a fault of elfuse itself, for the crash hook of [`super::fault`]: a short text on standard error and a
//! record of kind INTERNAL_FAULT in the file of `--crash-json`.
//!
//! It runs in a signal handler of a process whose state cannot be trusted: fixed buffers, open(2) and write(2), nothing
//! else. The process then dies by the signal. `docs/crash-report.md` has the other kinds. Source: signal-safety(7).

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::fault::{self, FaultSignal, Line};
use super::{process, thread};

/// Where the record goes; set before the hook is.
static RECORD_FILE: OnceLock<Option<CString>> = OnceLock::new();

/// Has faults of elfuse itself reported, in the file too where there is one. Later calls change nothing.
pub fn arm(record_file: Option<&Path>) {
    RECORD_FILE.get_or_init(|| record_file.and_then(|path| CString::new(path.as_os_str().as_bytes()).ok()));
    fault::set_crash_hook(report);
}

fn report(event: &FaultSignal) {
    // The record first: it is what counts, and nobody may be reading standard error.
    if let Some(path) = RECORD_FILE.get().and_then(Option::as_ref) {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_APPEND | OFlag::O_CLOEXEC;
        if let Ok(file) = open(path.as_c_str(), flags, Mode::from_bits_truncate(0o644)) {
            // There is nowhere to say that it did not fit.
            let _written = nix::unistd::write(&file, record(event).as_bytes());
        }
    }
    let mut text = Line::new();
    text.text(b"==== elfuse crash report ====\n## Crash\ntype: INTERNAL_FAULT\nthread: ");
    text.decimal(thread::gettid().0.unsigned_abs() as usize);
    text.text(b"\nremedy: this is no fault of the guest: report it with this text and the guest program\n");
    let _written = nix::unistd::write(std::io::stderr(), text.as_bytes());
    fault::report_line(event);
}

/// One line of JSON: numbers and fixed text, so that nothing needs to be escaped.
fn record(event: &FaultSignal) -> Line {
    let mut line = Line::new();
    line.text(b"{\"schema\":1,\"kind\":\"INTERNAL_FAULT\",\"signal\":");
    line.decimal(event.signal.unsigned_abs() as usize);
    line.text(b",\"pid\":");
    line.decimal(process::own_pid().0.unsigned_abs() as usize);
    line.text(b",\"tid\":");
    line.decimal(thread::gettid().0.unsigned_abs() as usize);
    line.text(b",\"host_pc\":\"");
    line.hex(event.pc);
    line.text(b"\",\"address\":\"");
    line.hex(event.address);
    line.text(b"\",\"version\":\"");
    line.text(env!("CARGO_PKG_VERSION").as_bytes());
    line.text(b"\"}\n");
    line
}
