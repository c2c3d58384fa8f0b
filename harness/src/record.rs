//! The gate's record: [`Record`], the file `ci/unknown-gate.json`.
//!
//! The part that decides how elfuse is built, and the decision, are shared with `core/build.rs` and tested here; the rest is
//! for people and for later comparisons: plan, counts, controls, latency.

#[path = "../../core/build/gate_record.rs"]
pub mod gate_record;
#[path = "../../core/build/source_hash.rs"]
pub mod source_hash;

pub use gate_record::{
    ACCEPTANCE_ITERATIONS, GateRecord, Host, RECORD_SCHEMA, RECORD_VARIABLE, Stage, TRACKED_RECORD, parse,
};
pub use source_hash::source_hash;

use crate::event::{ControlResult, LatencyResult, Phase, Verdict};
use crate::gate::verdict;
use crate::results::{Plan, Platform, Results};
use crate::tally::{Cell, Who};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the gate saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What decides.
    #[serde(flatten)]
    pub gate: GateRecord,
    /// How guest code ran.
    pub engine: String,
    /// The verdict's reasons; empty if it passed.
    pub reasons: Vec<String>,
    /// What was asked for.
    pub plan: Plan,
    /// Runs seen and counts, by phase.
    pub phases: BTreeMap<Phase, PhaseRecord>,
    /// The controls, and what caught them.
    pub controls: Vec<ControlResult>,
    /// Doorbell to handler.
    pub latency: Vec<LatencyResult>,
}

/// The counts of one phase, over all guests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRecord {
    /// Runs planned.
    pub planned: u32,
    /// Runs seen.
    pub seen: u32,
    /// By kind of thread.
    pub counts: BTreeMap<Who, Cell>,
    /// Kicks by cause.
    pub kicks: BTreeMap<String, u64>,
    /// Doorbells sent, records included.
    pub doorbells: u64,
    /// Thread-directed doorbells sent.
    pub thread_doorbells: u64,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The host refused to write it.
    #[error("cannot write the record {path}: {source}; make room, or name another file")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Record {
    /// The record of `results`, at this stage of the gate.
    #[must_use]
    pub fn of(results: &Results, stage: Stage) -> Self {
        let Verdict { passed, reasons } = match stage {
            Stage::Candidate => verdict::candidate_verdict(results),
            Stage::Final => verdict::verdict(results),
        };
        let Platform { back_end, engine, os, arch } = results.platform.clone();
        let phases = results.phases.iter().map(|(phase, seen)| {
            let total = seen.total();
            let record = PhaseRecord {
                planned: total.planned,
                seen: total.seen,
                counts: total.tally.cells,
                kicks: total.tally.kicks,
                doorbells: total.storm.doorbells,
                thread_doorbells: total.storm.thread_doorbells,
            };
            (*phase, record)
        });
        Self {
            gate: GateRecord {
                schema: RECORD_SCHEMA,
                stage,
                passed,
                iterations: results.plan.iterations,
                host: Host { back_end, os, arch },
                sources: results.sources.clone(),
            },
            engine,
            reasons,
            plan: results.plan.clone(),
            phases: phases.collect(),
            controls: results.controls.clone(),
            latency: results.latency.clone(),
        }
    }

    /// Writes it, so that whoever reads meanwhile sees the old or the new one, whole.
    ///
    /// # Errors
    /// [`RecordError::Write`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        write_whole(path, |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })
        .map_err(|source| RecordError::Write { path: path.to_owned(), source })
    }
}

/// Writes a file beside `path` and renames it into its place; makes missing folders.
///
/// # Errors
/// The host's; then nothing is left, and an old file stays as it was.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".harness-").tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file_mut().sync_all()?;
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_record_is_one_that_the_build_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/record.json");
        let platform = Platform {
            back_end: "soft".into(),
            engine: "interpreter".into(),
            os: "linux".into(),
            arch: "x86_64".into(),
        };
        let results = Results::new(Plan { iterations: 7, ..Plan::default() }, platform, "aa".into());
        let record = Record::of(&results, Stage::Final);
        record.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(parse(&text).unwrap(), record.gate);
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        assert!(!record.gate.passed, "nothing was seen");
        assert_eq!(std::fs::read_dir(dir.path().join("new")).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn the_acceptance_plan_is_one() {
        assert_eq!(ACCEPTANCE_ITERATIONS, crate::plan::ACCEPTANCE_ITERATIONS);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record.json");
        std::fs::write(&path, "old").unwrap();
        let full = write_whole(&path, |_| Err(std::io::ErrorKind::StorageFull.into())).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn these_sources_have_a_hash() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(source_hash(root).unwrap().len(), 64);
    }
}
