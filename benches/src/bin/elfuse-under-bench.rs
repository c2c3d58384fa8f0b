//! The command elfuse as the benches start it, built with their profile.

use std::process::ExitCode;

fn main() -> ExitCode {
    elfuse::cli::main()
}
