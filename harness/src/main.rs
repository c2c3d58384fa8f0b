//! `harness`: storms guests and decides about UNKNOWN. All of it is in the library.

use clap::Parser;
use harness::cli::{Cli, EXIT_UNABLE};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) if error.use_stderr() => {
            // Where standard error does not take it either, the exit status says it alone.
            let _ = writeln!(std::io::stderr(), "harness: command line: {}; see `harness --help`", one_line(&error));
            ExitCode::from(EXIT_UNABLE)
        }
        // --help and --version are no mistakes.
        Err(error) => error.print().map_or(ExitCode::from(EXIT_UNABLE), |()| ExitCode::SUCCESS),
    }
}

/// The first paragraph of clap's message.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraph = text.split("\n\n").next().unwrap_or(&text);
    let words: Vec<_> = paragraph.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}
