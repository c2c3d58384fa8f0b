//! Building elfuse: [`Kind`], and [`build`], which makes each kind in a target directory of its own.
//!
//! The harness rests on no default of elfuse and on no binary that happens to lie around: it names the features, clears the
//! variables that steer `core/build.rs`, and asks the binary what it is.

use crate::event::Build;
use crate::exec::{Command, Stop, Woken, read_all, reap, steers_elfuse, tail};
use crate::record::{self, Stage};
use elfuse::host::pidfd::PidFd;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Which binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UNKNOWN is counted.
    Measuring,
    /// As measuring, with deliberate breakages to choose from.
    Controls,
    /// UNKNOWN is fatal.
    Fatal,
}

impl Kind {
    /// The name in reports, and of the target directory.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measuring => "measuring",
            Self::Controls => "controls",
            Self::Fatal => "fatal",
        }
    }

    /// What `--version` must say.
    const fn mode(self) -> &'static str {
        match self {
            Self::Measuring | Self::Controls => "measuring",
            Self::Fatal => "fatal",
        }
    }
}

/// Why there is no binary.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// cargo could not be started, or the host refused something else.
    #[error("cannot build elfuse: {0}")]
    Io(#[from] io::Error),
    /// The binary cannot be started.
    #[error("cannot run {path}: {source}")]
    Start {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// cargo failed.
    #[error("cargo could not build the {kind} elfuse:\n{output}")]
    Cargo {
        /// Which binary.
        kind: &'static str,
        /// The end of what cargo said.
        output: String,
    },
    /// The binary is not what was asked for.
    #[error("{path} says it is `{version}`, not {wanted}")]
    Version {
        /// The binary.
        path: PathBuf,
        /// What it prints.
        version: String,
        /// What was asked for.
        wanted: &'static str,
    },
    /// The harness was told to stop.
    #[error("interrupted")]
    Interrupted,
}

/// The record that the fatal build rests on.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its file.
    pub path: PathBuf,
    /// Whether it is about an acceptance plan, so that the feature `unknown-fatal` may be asked for.
    pub is_acceptance: bool,
}

/// Builds elfuse and returns the binary.
///
/// # Errors
/// [`BuildError`].
pub fn build(
    root: &Path,
    kind: Kind,
    candidate: Option<&Candidate>,
    stop: &Stop,
) -> Result<(PathBuf, Build), BuildError> {
    let started_at = Instant::now();
    let target_dir = root.join("target/gate").join(kind.name());
    let cargo = which_cargo();
    let mut command = Command::new(&cargo, steers_elfuse)
        .args(["build", "--release", "--locked", "--package", "elfuse", "--bin", "elfuse", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir);
    command = match kind {
        Kind::Measuring => command.args(["--features", "unknown-measuring"]),
        Kind::Controls => command.args(["--features", "unknown-measuring,controls"]),
        // A rehearsal of a smaller plan may not ask for the feature: an ordinary build on the candidate is fatal, too.
        Kind::Fatal if candidate.is_some_and(|candidate| !candidate.is_acceptance) => command,
        Kind::Fatal => command.args(["--features", "unknown-fatal"]),
    };
    if let Some(candidate) = candidate {
        command = command.env(record::RECORD_VARIABLE, &candidate.path);
    }
    let (status, output) = output_of(command, stop, Duration::from_secs(3600))?;
    if status != crate::event::Ending::Exit(0) {
        return Err(BuildError::Cargo { kind: kind.name(), output });
    }
    let binary = target_dir.join("release/elfuse");
    let version = version(&binary, kind, stop)?;
    let wall_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((binary, Build { kind: kind.name().to_owned(), version, wall_ms }))
}

/// What the binary's `--version` prints, if it fits the kind.
///
/// # Errors
/// [`BuildError::Version`] if it does not.
fn version(binary: &Path, kind: Kind, stop: &Stop) -> Result<String, BuildError> {
    let version = version_of(binary, stop)?;
    if version.contains(kind.mode()) {
        Ok(version)
    } else {
        Err(BuildError::Version { path: binary.to_owned(), version, wanted: kind.mode() })
    }
}

/// What `binary --version` prints.
///
/// # Errors
/// [`BuildError`]: it cannot be started, or it says nothing.
pub fn version_of(binary: &Path, stop: &Stop) -> Result<String, BuildError> {
    let command = Command::new(binary, steers_elfuse).arg("--version");
    let ended = output_of(command, stop, Duration::from_secs(20));
    let (status, output) = ended.map_err(|error| match error {
        BuildError::Io(source) => BuildError::Start { path: binary.to_owned(), source },
        other => other,
    })?;
    let line = output.lines().next().unwrap_or_default().trim().to_owned();
    if status != crate::event::Ending::Exit(0) || !line.starts_with("elfuse ") {
        return Err(BuildError::Version { path: binary.to_owned(), version: line, wanted: "elfuse" });
    }
    Ok(line)
}

/// Runs a command to its end, and returns how it ended with its standard output and the end of its standard error.
fn output_of(command: Command, stop: &Stop, limit: Duration) -> Result<(crate::event::Ending, String), BuildError> {
    let started = command.start()?;
    let woken = PidFd::open(started.pid).and_then(|process| stop.wait(process.as_fd(), Instant::now() + limit));
    if !matches!(woken, Ok(Woken::Ready)) {
        crate::exec::tree::kill_all(started.pid, &[]);
    }
    let ending = reap(started.pid)?;
    match woken? {
        Woken::Ready => {}
        Woken::Stopped => return Err(BuildError::Interrupted),
        Woken::TimedOut => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
    let mut output = tail(&read_all(&started.stdout, 1 << 20)?, 4000);
    let stderr = tail(&read_all(&started.stderr, 1 << 24)?, 4000);
    if ending != crate::event::Ending::Exit(0) && !stderr.is_empty() {
        output = stderr;
    }
    Ok((ending, output))
}

/// cargo, as cargo itself tells those that it starts, or found in PATH.
fn which_cargo() -> PathBuf {
    if let Some(cargo) = std::env::var_os("CARGO").filter(|path| !path.is_empty()) {
        return PathBuf::from(cargo);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("cargo"))
        .find(|file| file.is_file())
        .unwrap_or_else(|| PathBuf::from("cargo"))
}

/// Writes the candidate record of `results` for the fatal build.
///
/// # Errors
/// [`record::RecordError`].
pub fn write_candidate(root: &Path, results: &crate::results::Results) -> Result<Candidate, record::RecordError> {
    let path = root.join("target/gate/candidate.json");
    record::Record::of(results, Stage::Candidate).write(&path)?;
    let is_acceptance = results.plan.iterations >= record::ACCEPTANCE_ITERATIONS;
    Ok(Candidate { path, is_acceptance })
}
