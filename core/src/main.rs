//! The elfuse command; see [`elfuse::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    elfuse::cli::main()
}
