//! The JSON report: the [`Results`] as they are, with a schema version. `docs/harness.md` documents the fields.

use crate::record::write_whole;
use crate::results::{Results, SCHEMA};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The report's file name in the folder of `--report`.
pub const FILE_NAME: &str = "report.json";
/// Largest report that is read, in bytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The host refused.
    #[error("cannot read the report {path}: {source}; name a folder that --report has filled")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no report.
    #[error("{path} is no report of the harness: {source}; run the harness again to get a whole one")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// It is a report of another version.
    #[error("{path} has report schema {found}, this harness reads {SCHEMA}; show it with the harness that wrote it")]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It is absurdly large.
    #[error("{path} is larger than any report ({SIZE_LIMIT} bytes); name a folder that --report has filled")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// Writes the report.
///
/// # Errors
/// The host's, with the path in the message.
pub fn write(folder: &Path, results: &Results) -> io::Result<()> {
    let path = folder.join(FILE_NAME);
    let written = write_whole(&path, |file| {
        let mut writer = io::BufWriter::new(file);
        serde_json::to_writer_pretty(&mut writer, results)?;
        writer.write_all(b"\n")?;
        writer.flush()
    });
    written.map_err(|error| super::unwritten(&path, &error))
}

/// Reads a report: a file, or the one in a folder.
///
/// # Errors
/// [`ReadError`].
pub fn read(path: &Path) -> Result<Results, ReadError> {
    let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
    let io_error = |source| ReadError::Io { path: path.clone(), source };
    if std::fs::metadata(&path).map_err(io_error)?.len() > SIZE_LIMIT {
        return Err(ReadError::TooLarge { path });
    }
    let bytes = std::fs::read(&path).map_err(io_error)?;
    parse(&bytes).map_err(|problem| match problem {
        Problem::Syntax(source) => ReadError::Syntax { path, source },
        Problem::Schema(found) => ReadError::Schema { path, found },
    })
}

enum Problem {
    Syntax(serde_json::Error),
    Schema(u32),
}

fn parse(bytes: &[u8]) -> Result<Results, Problem> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema: u32,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(Problem::Syntax)?;
    if version.schema != SCHEMA {
        return Err(Problem::Schema(version.schema));
    }
    serde_json::from_slice(bytes).map_err(Problem::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Check, Event, Phase, RunId};
    use crate::results::{Plan, Platform};
    use proptest::prelude::*;

    fn results() -> Results {
        let plan = Plan { iterations: 3, guests: vec!["a".into()], phases: vec![Phase::Measure], ..Plan::default() };
        let mut results = Results::new(plan, Platform::default(), "aa".into());
        results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: 3 });
        let run = crate::event::RunResult {
            id: RunId { phase: Phase::Measure, guest: "a".into(), control: None, iteration: 0 },
            outcome: crate::event::Outcome::Failed,
            failures: Check::ALL.map(|_| crate::event::Failure::Unknown { count: 1 }).to_vec(),
            tally: crate::tally::Tally {
                cells: [(crate::tally::Who::ChildWorker, crate::tally::Cell { unknown: 1, ..Default::default() })]
                    .into(),
                ..Default::default()
            },
            storm: crate::event::StormCounts::default(),
            wall_us: 1,
            latencies_ns: vec![1],
        };
        results.note(&Event::RunFinished(Box::new(run)));
        results
    }

    #[test]
    fn a_report_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("new"), &results()).unwrap();
        assert_eq!(read(&dir.path().join("new")).unwrap(), results());
        assert_eq!(read(&dir.path().join("new").join(FILE_NAME)).unwrap(), results());
    }

    #[test]
    fn what_is_no_report_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        assert!(matches!(read(&path), Err(ReadError::Io { .. })));
        std::fs::write(&path, "{\"schema\": 99}").unwrap();
        assert!(matches!(read(&path), Err(ReadError::Schema { found: 99, .. })));
        std::fs::write(&path, "{\"schema\": 1}").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("r.json"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_with_its_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = write(&file.path().join("sub"), &results()).unwrap_err();
        assert!(error.to_string().contains("sub"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_damaged_report_is_a_value(at in 0_usize..4000, byte in any::<u8>(), keep in 0_usize..8000) {
            let mut bytes = serde_json::to_vec_pretty(&results()).unwrap();
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(keep.max(1));
            // Whatever it is read as can be shown.
            if let Ok(results) = parse(&bytes) {
                let _ = crate::report::table::render(&results);
                let _ = crate::gate::verdict::verdict(&results);
            }
        }
    }
}
