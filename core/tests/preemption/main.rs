//! Tests of masks, kick thread, transport, timers, watchdog and statistics against the host's real signals.
//!
//! Every case runs in a process of its own, single-threaded when it begins, and never beside libtest's threads: this
//! program starts itself once per case. Cases that need a control run in builds with the feature `controls` only:
//! `cargo test -p elfuse --features controls --test preemption`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a case fails by panicking, in its own process")]

mod cases;
mod controls;
#[path = "../support/memory_of.rs"]
mod memory_of;
mod records;
mod rig;
mod starts;
mod statistics;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A case: its name, its body, and the control that is on while it runs.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
    pub(crate) control: Option<&'static str>,
}

/// Shorthand for a table of cases.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$($crate::Case { name: stringify!($name), body: $name, control: None }),*]
    };
}

/// How long a case may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = [cases::CASES, controls::CASES, records::CASES, starts::CASES, statistics::CASES].concat_refs();
    match arguments.first().map(String::as_str) {
        Some("--case") => run_here(&all, arguments.get(1).map_or("", String::as_str)),
        Some("--helper") => {
            rig::helper(&arguments[1..]);
            ExitCode::SUCCESS
        }
        Some("--list") => {
            all.iter().for_each(|case| println!("{}: test", case.name));
            ExitCode::SUCCESS
        }
        _all_or_filter => run_all(&all, arguments.iter().find(|argument| !argument.starts_with('-'))),
    }
}

/// Joins tables without copying cases.
trait ConcatRefs {
    fn concat_refs(&self) -> Vec<&'static Case>;
}

impl<const N: usize> ConcatRefs for [&'static [Case]; N] {
    fn concat_refs(&self) -> Vec<&'static Case> {
        self.iter().flat_map(|table| table.iter()).collect()
    }
}

fn run_here(all: &[&'static Case], name: &str) -> ExitCode {
    let Some(case) = all.iter().find(|case| case.name == name) else {
        eprintln!("no case {name}");
        return ExitCode::from(2);
    };
    (case.body)();
    ExitCode::SUCCESS
}

fn run_all(all: &[&'static Case], filter: Option<&String>) -> ExitCode {
    let chosen: Vec<_> =
        all.iter().filter(|case| filter.is_none_or(|text| case.name.contains(text.as_str()))).collect();
    println!("\nrunning {} tests, each in a process of its own", chosen.len());
    let mut failed = 0;
    for case in &chosen {
        let outcome = run_apart(case);
        println!("test {} ... {}", case.name, if outcome.is_ok() { "ok" } else { "FAILED" });
        if let Err(report) = outcome {
            failed += 1;
            println!("---- {}\n{report}", case.name);
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {} passed; {failed} failed; {} filtered out\n",
        chosen.len() - failed,
        all.len() - chosen.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a case in a fresh process, in a directory of its own, and waits for it a bounded time.
fn run_apart(case: &Case) -> Result<(), String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let output = tempfile::NamedTempFile::new_in(directory.path()).map_err(|error| error.to_string())?;
    let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
    command.args(["--case", case.name]).env("ELFUSE_SIGNAL_DIR", directory.path()).stdin(Stdio::null());
    command.env_remove("ELFUSE_CONTROL").envs(case.control.map(|name| ("ELFUSE_CONTROL", name)));
    command.stdout(output.reopen().map_err(|error| error.to_string())?);
    command.stderr(output.reopen().map_err(|error| error.to_string())?);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break Some(status),
            None if Instant::now() >= deadline => break None,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if status.is_some_and(|status| status.success()) {
        return Ok(());
    }
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = std::fs::read_to_string(output.path()).unwrap_or_default();
    Err(format!("{}\n{text}", status.map_or_else(|| "hung".to_owned(), |status| status.to_string())))
}
