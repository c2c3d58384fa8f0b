//! Executes the lines of standard input on the software vCPU and writes each with what it changed, for comparison with
//! `ci/differential/executor.c`; `lines.rs` describes them. Lines that begin with `#` are copied.

#[path = "../tests/vectors/lines.rs"]
mod lines;

use std::io::{self, BufRead, Write};

use lines::Executor;

fn main() -> io::Result<()> {
    let mut executor = Executor::new().map_err(io::Error::other)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line.starts_with('#') {
            writeln!(out, "{line}")?;
            continue;
        }
        let answer = executor.answer(&line).unwrap_or_else(|error| error);
        writeln!(out, "{line} -> {answer}")?;
    }
    out.flush()
}
