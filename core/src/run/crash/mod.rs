//! Crash reports: what ended the process that was not the guest's own doing. Text on standard error, and one JSON
//! object a line with `--crash-json`, which alone tells elfuse's exit statuses from the guest's.
//!
//! [`CrashKind`] has the kinds, [`report`] what is gathered, [`text`] its form for people.

mod report;
mod text;

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};

use super::State;
use crate::cli::{EXIT_CRASH, EXIT_FAILURE, EXIT_TIMEOUT};
use crate::kernel::TaskContext;
use crate::preempt::stats::TaskCounter;
use report::Report;

/// The kinds of crash, with the names that reports use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrashKind {
    /// The watchdog found a run past its limit.
    Timeout,
    /// An exception that nothing should have raised: at EL1, in the shim of the Apple back end.
    BadException,
    /// A call from that shim with a number that is none of its own.
    UnexpectedHvc,
    /// An exception from guest code of a class that has no meaning there.
    UnexpectedEc,
    /// A vCPU exit that no legitimate path gives: UNKNOWN.
    UnexpectedExit,
    /// The shim was left with a return address of zero after an exec.
    ElrZero,
    /// The hypervisor interface failed.
    HvCheck,
}

impl CrashKind {
    /// All kinds. The software back end has no EL1, so that it raises neither [`BadException`](Self::BadException) nor
    /// [`UnexpectedHvc`](Self::UnexpectedHvc) nor [`ElrZero`](Self::ElrZero).
    pub const ALL: [Self; 7] = [
        Self::Timeout,
        Self::BadException,
        Self::UnexpectedHvc,
        Self::UnexpectedEc,
        Self::UnexpectedExit,
        Self::ElrZero,
        Self::HvCheck,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::BadException => "BAD_EXCEPTION",
            Self::UnexpectedHvc => "UNEXPECTED_HVC",
            Self::UnexpectedEc => "UNEXPECTED_EC",
            Self::UnexpectedExit => "UNEXPECTED_EXIT",
            Self::ElrZero => "ELR_ZERO",
            Self::HvCheck => "HV_CHECK",
        }
    }

    /// The exit status of elfuse.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Timeout => EXIT_TIMEOUT,
            Self::BadException | Self::UnexpectedHvc | Self::UnexpectedEc | Self::UnexpectedExit | Self::ElrZero => {
                EXIT_CRASH
            }
            Self::HvCheck => EXIT_FAILURE,
        }
    }

    /// What the user can do.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Timeout => "give the guest more time with --timeout SECONDS, or 0 for no limit",
            Self::BadException
            | Self::UnexpectedHvc
            | Self::UnexpectedEc
            | Self::UnexpectedExit
            | Self::ElrZero
            | Self::HvCheck => "this is no fault of the guest: report it with this text and the guest program",
        }
    }
}

/// Reports and ends the process at once: nothing of its state can be trusted to end it in order.
pub(super) fn end_process(ctx: &mut TaskContext, kind: CrashKind, detail: &str) -> State {
    static IS_REPORTING: AtomicBool = AtomicBool::new(false);
    if IS_REPORTING.swap(true, Ordering::AcqRel) {
        // Another thread reports and is about to end the process, this thread with it.
        loop {
            std::thread::park();
        }
    }
    ctx.enlisted.stats.bump(TaskCounter::CrashRecords);
    let report = Report::gather(ctx, kind, detail);
    // The record first: it is what counts, and nobody may be reading standard error.
    append_record(ctx, &report);
    // A closed standard error must not keep the process from ending.
    let _unseen = io::stderr().write_all(text::of(&report).as_bytes());
    ctx.process().preemption().close_transport();
    crate::host::children::exit_now(kind.exit_status().into())
}

/// Whether a record can be appended to `path`, the file of `--crash-json`. The file is not made: it is there only where a
/// record is.
///
/// # Errors
/// What open(2) would say in the end.
pub(super) fn check_record_file(path: &Path) -> io::Result<()> {
    let may = |path: &Path, mode| faccessat(AT_FDCWD, path, mode, AtFlags::AT_EACCESS).map_err(io::Error::from);
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(nix::errno::Errno::EISDIR.into()),
        Ok(_) => may(path, AccessFlags::W_OK),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            may(folder, AccessFlags::W_OK | AccessFlags::X_OK)
        }
        Err(error) => Err(error),
    }
}

/// Appends the record to the file of `--crash-json`, as one line in one write.
fn append_record(ctx: &TaskContext, report: &Report) {
    let Some(path) = &ctx.process().options().crash_json else { return };
    let appended = serde_json::to_string(report).map_err(io::Error::from).and_then(|record| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{record}\n").as_bytes())
    });
    if let Err(error) = appended {
        crate::cli::report_error(
            format_args!("cannot append the crash record to {}", path.display()),
            format_args!("{error}; the report on standard error is complete"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::CrashKind;

    #[test]
    fn kinds_have_names_of_their_own_and_the_documented_statuses() {
        let names: std::collections::BTreeSet<_> = CrashKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), CrashKind::ALL.len());
        let status = |kind: CrashKind| (kind.name(), kind.exit_status());
        assert_eq!(status(CrashKind::Timeout), ("TIMEOUT", 124));
        assert_eq!(status(CrashKind::HvCheck), ("HV_CHECK", 1));
        assert!(CrashKind::ALL.iter().filter(|kind| kind.exit_status() == 128).count() == 5);
    }
}
