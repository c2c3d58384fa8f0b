//! The part of a gate record that decides how elfuse is built: [`GateRecord`], and the decision, [`decide`]. Shared by
//! `core/build.rs` and the harness, by `#[path]`.
//!
//! A record is `ci/unknown-gate.json`, written by `harness gate --record`, or the file that `ELFUSE_GATE_RECORD` names. The
//! gate itself builds its fatal binary on a *candidate*: a record of the phases before the fatal one, which nothing but
//! that build may rest on. `docs/harness.md` tells the whole story.

use serde::{Deserialize, Serialize};

/// Version of the record.
pub const RECORD_SCHEMA: u32 = 1;
/// Iterations of each guest in a plan that may open the flag, at least.
pub const ACCEPTANCE_ITERATIONS: u32 = 500;
/// The tracked record, relative to the workspace's root.
pub const TRACKED_RECORD: &str = "ci/unknown-gate.json";
/// Environment variable that names another record than the tracked one.
pub const RECORD_VARIABLE: &str = "ELFUSE_GATE_RECORD";
/// Environment variable that, set to `1`, demands a passing record of these very sources.
pub const REQUIRE_VARIABLE: &str = "ELFUSE_REQUIRE_GATE";

/// How far the gate had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Everything but the fatal build's phase: for that build alone.
    Candidate,
    /// Everything.
    Final,
}

/// Where a record is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `soft` or `hvf`.
    pub back_end: String,
    /// The OS, as Rust's `target_os` names it.
    pub os: String,
    /// The architecture, as Rust's `target_arch` names it.
    pub arch: String,
}

impl Host {
    /// The host of a target, and the back end that elfuse uses there.
    #[must_use]
    pub fn of_target(os: &str, arch: &str) -> Self {
        let back_end = if os == "macos" && arch == "aarch64" { "hvf" } else { "soft" };
        Self { back_end: back_end.to_owned(), os: os.to_owned(), arch: arch.to_owned() }
    }
}

/// What a build needs to know of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRecord {
    /// [`RECORD_SCHEMA`].
    pub schema: u32,
    /// How far the gate had come.
    pub stage: Stage,
    /// The verdict.
    pub passed: bool,
    /// Iterations of each guest.
    pub iterations: u32,
    /// Where it ran.
    pub host: Host,
    /// [`source_hash`](super::source_hash) of what it ran.
    pub sources: String,
}

/// What is being built.
#[derive(Debug, Clone)]
pub struct Request {
    /// Feature `unknown-fatal`.
    pub wants_fatal: bool,
    /// Feature `unknown-measuring`.
    pub wants_measuring: bool,
    /// `ELFUSE_REQUIRE_GATE=1`.
    pub requires_gate: bool,
    /// Whether the record is the tracked one, not one that `ELFUSE_GATE_RECORD` names.
    pub is_tracked: bool,
    /// The target.
    pub host: Host,
    /// The hash of the sources being built.
    pub sources: String,
}

/// How to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// UNKNOWN is fatal.
    Fatal,
    /// UNKNOWN is measured, for this reason (none where it was asked for).
    Measuring(Option<String>),
}

/// Decides how to build with `record`, which may be missing or unreadable (then with the reason).
///
/// # Errors
/// Why the build must fail, and what to do.
pub fn decide(request: &Request, record: &Result<GateRecord, String>) -> Result<Mode, String> {
    if request.wants_fatal && request.wants_measuring {
        return Err("the features unknown-fatal and unknown-measuring exclude each other".into());
    }
    if request.wants_measuring {
        if request.requires_gate {
            return Err(format!("{REQUIRE_VARIABLE}=1 and the feature unknown-measuring exclude each other"));
        }
        return Ok(Mode::Measuring(None));
    }
    let flaw = match record {
        Ok(record) => flaw(request, record),
        Err(problem) => Some(problem.clone()),
    };
    let advice = "run `cargo run --release -p harness -- gate --record` first";
    match flaw {
        None => Ok(Mode::Fatal),
        Some(flaw) if request.requires_gate => Err(format!("{REQUIRE_VARIABLE}=1, but {flaw}: {advice}")),
        Some(flaw) if request.wants_fatal => Err(format!("the feature unknown-fatal is refused, {flaw}: {advice}")),
        Some(flaw) => Ok(Mode::Measuring(Some(flaw))),
    }
}

/// Why the record does not open the flag for this request.
fn flaw(request: &Request, record: &GateRecord) -> Option<String> {
    let (host, wanted) = (&record.host, &request.host);
    let is_candidate = record.stage == Stage::Candidate;
    // The gate rehearses small plans, too: their fatal build is an ordinary one on a named candidate.
    let is_rehearsal = is_candidate && !request.is_tracked && !request.wants_fatal;
    if record.schema != RECORD_SCHEMA {
        Some(format!("the gate record has schema {}, not {RECORD_SCHEMA}", record.schema))
    } else if !record.passed {
        Some("the gate record says that the gate is closed".into())
    } else if host != wanted {
        Some(format!(
            "the gate record is about {} on {} {}, not {} on {} {}",
            host.back_end, host.os, host.arch, wanted.back_end, wanted.os, wanted.arch
        ))
    } else if record.iterations < ACCEPTANCE_ITERATIONS && !is_rehearsal {
        Some(format!(
            "the gate record is about {} iterations, fewer than the acceptance plan's {ACCEPTANCE_ITERATIONS}",
            record.iterations
        ))
    } else if is_candidate && request.is_tracked {
        Some("the tracked gate record is only a candidate".into())
    } else if is_candidate && request.requires_gate {
        Some("the gate record is only a candidate".into())
    } else if request.requires_gate && record.sources != request.sources {
        Some(format!("the gate record is about sources {}, these are {}", record.sources, request.sources))
    } else {
        None
    }
}

/// Reads the deciding part of a record.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<GateRecord, String> {
    serde_json::from_str(text).map_err(|error| format!("the gate record is not readable ({error})"))
}

#[cfg(test)]
#[path = "gate_record_tests.rs"]
mod tests;
