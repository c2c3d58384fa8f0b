//! Runs the seam's contract on this host's back end, each check in a process of its own.

#[path = "support/processes.rs"]
mod processes;

use std::process::ExitCode;
use std::sync::Arc;

use elfuse::host::signal;
use elfuse::host::thread::{self, Role};
use elfuse::soft::SoftMachine;
use elfuse::vcpu::{Machine, contract};

fn main() -> ExitCode {
    let checks = contract::checks();
    let names: Vec<_> = checks.iter().map(|check| check.name).collect();
    processes::run(&names, |name| {
        let check = checks.iter().find(|check| check.name == name).ok_or("no such check")?;
        signal::block_kick_set().map_err(|error| error.to_string())?;
        let proof = thread::adopt(Role::Bootstrap);
        let machine: Arc<dyn Machine> = SoftMachine::new().map_err(|error| error.to_string())?;
        (check.run)(&machine, &proof)
    })
}
