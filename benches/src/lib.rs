//! What the benches share: guests of the manifest, run by the elfuse that was built with them.
//!
//! [`BenchGuest`] is a row with `use = "bench"`; the argument that is its count of turns or operations is the bench's.
//! `docs/contributing.md` says how to run and read them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use guest_tests::{Bench, BenchKind, Guest, Manifest, Use};

/// Why a bench cannot be run.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure for this reason.
    #[must_use]
    pub const fn new(reason: String) -> Self {
        Self(reason)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<guest_tests::Error> for Failure {
    fn from(error: guest_tests::Error) -> Self {
        Self(error.to_string())
    }
}

/// A guest that is measured, and the elfuse that runs it.
pub struct BenchGuest {
    elfuse: PathBuf,
    program: PathBuf,
    guest: Guest,
    bench: Bench,
}

impl BenchGuest {
    /// The manifest's bench rows of a kind, in order.
    ///
    /// # Errors
    /// The manifest or a fixture is not as it must be.
    pub fn all(elfuse: &Path, kind: BenchKind) -> Result<Vec<Self>, Failure> {
        let manifest = Manifest::load()?;
        let rows = manifest.used_by(Use::Bench).filter_map(|guest| Some((guest, guest.bench()?)));
        rows.filter(|(_, bench)| bench.kind == kind)
            .map(|(guest, bench)| {
                let program = guest_tests::verify(guest.program())?;
                Ok(Self { elfuse: elfuse.to_owned(), program, guest: guest.clone(), bench: bench.clone() })
            })
            .collect()
    }

    /// The row's name without the `bench-` that all have.
    #[must_use]
    pub fn name(&self) -> &str {
        self.guest.name().trim_start_matches("bench-")
    }

    /// The row's facts.
    #[must_use]
    pub const fn bench(&self) -> &Bench {
        &self.bench
    }

    /// Runs it with `count` turns or operations; the answer is what it printed, and how long that took from outside.
    ///
    /// # Errors
    /// It could not be started, or did not end with the row's status and output.
    pub fn run(&self, count: u64) -> Result<(String, Duration), Failure> {
        let mut args = self.guest.args().to_vec();
        let named = self.bench.iterations.to_string();
        if let Some(place) = args.iter_mut().find(|arg| **arg == named) {
            *place = count.to_string();
        }
        let mut command = Command::new(&self.elfuse);
        command.arg(&self.program).args(args).stdin(Stdio::null()).stderr(Stdio::inherit());
        let started = Instant::now();
        let output = command.output().map_err(|error| Failure(format!("{}: {error}", self.elfuse.display())))?;
        let took = started.elapsed();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_golden = self.guest.stdout().is_none_or(|golden| golden == text);
        if output.status.success() && is_golden {
            Ok((text, took))
        } else {
            Err(Failure(format!("{}: {}, output {text:?}", self.guest.name(), output.status)))
        }
    }

    /// Runs `count` operations of a row of kind [`BenchKind::NsPerOp`]; the answer is the time of all by the guest's clock.
    ///
    /// # Errors
    /// As [`BenchGuest::run`], or it did not print a number.
    pub fn operations(&self, count: u64) -> Result<Duration, Failure> {
        let (text, _) = self.run(count)?;
        let ns: u64 = text.trim().parse().map_err(|_| Failure(format!("{}: printed {text:?}", self.guest.name())))?;
        Ok(Duration::from_nanos(ns.saturating_mul(count)))
    }
}

/// Ends the bench with the failure's text.
pub fn or_exit<T>(result: Result<T, Failure>) -> T {
    result.unwrap_or_else(|failure| {
        eprintln!("bench: {failure}");
        std::process::exit(1)
    })
}
