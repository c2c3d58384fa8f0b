//! The elfuse command: parses the command line and hands over to `run`.

use std::process::ExitCode;

use elfuse::cli::Cli;
use elfuse::kernel::fd_table::open_host_fds;

fn main() -> ExitCode {
    // First of all: descriptors that elfuse opens itself are none that the guest inherits.
    let inherited = open_host_fds();
    let cli = match Cli::from_command_line() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    match inherited {
        Ok(inherited) => elfuse::run::start(&cli, &inherited),
        Err(errno) => {
            elfuse::cli::report_error(
                "cannot list open descriptors",
                format_args!("{errno}; see that /proc is mounted"),
            );
            ExitCode::from(elfuse::cli::EXIT_FAILURE)
        }
    }
}
