//! Readers of the event stream: what people and programs get to see.
//!
//! `terminal.rs` shows progress, `table.rs` the closing table, `json.rs`, `junit.rs` and `html/` write files. Each implements
//! [`Reader`](crate::event::Reader) or is a function of [`Results`](crate::results::Results); none decides anything.

pub mod html;
pub mod json;
pub mod junit;
pub mod table;
pub mod terminal;

use crate::results::Results;
use std::io;
use std::path::Path;

/// Writes all the files of `--report` to `folder`.
///
/// # Errors
/// The host's, with the path in the message.
pub fn write_files(folder: &Path, results: &Results) -> io::Result<()> {
    json::write(folder, results)?;
    junit::write(folder, results)?;
    html::write(folder, results)
}

/// Why a file of the report is not there, and what to do.
fn unwritten(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}; make room, or name another folder", path.display()))
}
