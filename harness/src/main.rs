//! `harness`: storms guests and decides about UNKNOWN. All of it is in the library.

use clap::Parser;
use harness::cli::{Cli, EXIT_UNABLE};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => {
            // --help and --version are no mistakes.
            let status = if error.use_stderr() { ExitCode::from(EXIT_UNABLE) } else { ExitCode::SUCCESS };
            if error.print().is_err() {
                return ExitCode::from(EXIT_UNABLE);
            }
            status
        }
    }
}
