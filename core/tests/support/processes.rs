//! A test runner whose every case is a process of its own: cases open signal masks, crash on purpose, or set limits.
//!
//! It prints what libtest prints, takes a name filter, and ends a case that does not end by itself.

use std::io::Read;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

/// Names the case in a child's environment.
const CASE: &str = "ELFUSE_TEST_CASE";
/// Polls of 10 ms that a case may take.
const PATIENCE: u32 = 12_000;

/// What came of a case's process.
pub(crate) struct Outcome {
    /// How it ended; `None` when it had to be ended.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output and standard error.
    pub(crate) output: String,
}

/// Runs `case` for every name, each in a child process, or, in such a child, only the one that is asked for.
pub(crate) fn run(names: &[&str], case: impl Fn(&str) -> Result<(), String>) -> ExitCode {
    if let Ok(name) = std::env::var(CASE) {
        return match case(&name) {
            Ok(()) => ExitCode::SUCCESS,
            Err(finding) => {
                eprintln!("{finding}");
                ExitCode::FAILURE
            }
        };
    }
    let filters: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if std::env::args().any(|arg| arg == "--list") {
        names.iter().for_each(|name| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    for name in names.iter().filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter))) {
        let outcome = spawn(name, &[]);
        if outcome.status.is_some_and(|status| status.success()) {
            println!("test {name} ... ok");
            passed += 1;
        } else {
            println!("test {name} ... FAILED ({:?})\n{}", outcome.status, outcome.output);
            failed += 1;
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out",
        names.len() - passed - failed
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one case of this test binary in a child with these environment variables too.
pub(crate) fn spawn(name: &str, environment: &[(&str, &str)]) -> Outcome {
    let failed = |error: std::io::Error| Outcome { status: None, output: format!("cannot start the case: {error}") };
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(error) => return failed(error),
    };
    let mut command = Command::new(own);
    command.env(CASE, name).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => wait(child),
        Err(error) => failed(error),
    }
}

/// Waits for a child in bounded time. Cases print little: nothing is read before the end.
fn wait(mut child: Child) -> Outcome {
    let mut status = None;
    for _ in 0..PATIENCE {
        status = child.try_wait().ok().flatten();
        if status.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if status.is_none() {
        // The child is ours and unreaped, so its id is still its own.
        let _ended = child.kill().and_then(|()| child.wait());
    }
    let mut output = String::new();
    if let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) {
        let _all = stdout.read_to_string(&mut output).and_then(|_| stderr.read_to_string(&mut output));
    }
    Outcome { status, output }
}
