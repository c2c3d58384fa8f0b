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
