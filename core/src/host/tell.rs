//! Words to people on standard error: [`tell`].

use std::fmt::Display;
use std::io::Write;

/// Writes a line to standard error, in one piece. One that cannot be written is lost: nobody is there to be told, and no
/// guest is to die of it, as it would of a panic of `eprintln!`.
pub fn tell(line: impl Display) {
    let _lost = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
