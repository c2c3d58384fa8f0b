//! The guest programs of elfuse: the manifest's rows, and the paths of their prebuilt fixtures.
//!
//! Core's tests, the harness and the benches all learn from here which guests there are, how each is run and what it must
//! do. [`Manifest`] is `manifest.toml`, read into [`Guest`] rows and checked; [`fixture`] finds a prebuilt program and
//! [`verify`] compares it with `fixtures/SHA256SUMS`. The sources are in `src-guest/`, `build.sh` builds them.
//!
//! ```
//! let manifest = guest_tests::Manifest::load()?;
//! let hello = manifest.guest("hello")?;
//! assert_eq!(hello.stdout(), Some("hello, world\n"));
//! let path = guest_tests::fixture(hello.program())?;
//! assert!(path.is_file());
//! # Ok::<(), guest_tests::Error>(())
//! ```
//!
//! # What a guest promises
//! - It checks itself: a failed check prints `file:line: check failed: ...` on standard error and the status is 1.
//! - It ends by itself even if a wait is never ended: within 30 seconds, 60 where it spins, 300 where its row says `once`; not
//!   so in class [`Class::Timeout`].
//! - It uses no floating point or SIMD register, and its standard output is the same in each run where the row has a
//!   golden one.
//! - A row whose [`Guest::storm`] names signals writes the line `ready` first: until then its process has no handler for
//!   them and only null records may be sent. Its fork children inherit the handler, so each is ready from its first moment.

mod fixture;
mod manifest;
mod signal;

pub use fixture::{checksums, fixture, fixtures_dir, verify, verify_all};
pub use manifest::{Bench, BenchKind, Class, Expect, Guest, Manifest, Program, Use};
pub use signal::{Signal, StormRecord};

use std::path::PathBuf;

/// What can be wrong with the manifest or the fixtures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `manifest.toml` is not TOML of the documented form; the source error names line and field.
    #[error("guest-tests/manifest.toml: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A row contradicts itself or another row.
    #[error("guest-tests/manifest.toml: guest `{guest}`: {problem}")]
    Row {
        /// The row's name.
        guest: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No row has this name.
    #[error("no guest `{0}` in guest-tests/manifest.toml (`harness list` shows them)")]
    UnknownGuest(String),
    /// The prebuilt program is not there.
    #[error("fixture {0} is missing: run guest-tests/build.sh")]
    MissingFixture(PathBuf),
    /// A fixture or its checksum file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of `SHA256SUMS` is not `<64 hex digits>  <name>`.
    #[error("{path}:{line}: not a sha256sum line")]
    BadChecksumLine {
        /// The checksum file.
        path: PathBuf,
        /// One-based line number.
        line: usize,
    },
    /// The program has no line in `SHA256SUMS`.
    #[error("fixtures/SHA256SUMS has no line for `{0}`: run guest-tests/build.sh")]
    NoChecksum(String),
    /// The program is not the one that was recorded.
    #[error("fixture {path} has SHA-256 {actual}, SHA256SUMS says {recorded}: run guest-tests/build.sh")]
    ChecksumMismatch {
        /// The program.
        path: PathBuf,
        /// What SHA256SUMS records.
        recorded: String,
        /// What the file hashes to.
        actual: String,
    },
}
