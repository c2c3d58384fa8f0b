//! Runs the guests under qemu-aarch64 and compares status and output with the manifest: a second opinion on the guests.
//!
//! `verify-qemu [--runs N] [NAME...]`: every row (or the named ones) N times (default 1; rows that run once: once). Exit
//! status 0 when all rows did what they must, 1 when one did not, 2 for wrong usage. What QEMU 7.2 user mode cannot do is in
//! [`EXCEPTIONS`], each with its reason; such a row is reported as an exception, never as a pass.

use guest_tests::{Class, Error, Expect, Guest, Manifest, Use};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Output};

/// What is done about a row that QEMU 7.2 cannot run as it stands.
enum Instead {
    /// It is not run.
    Skip,
    /// It is run with these arguments.
    Args(&'static [&'static str]),
}

/// Rows that QEMU cannot run as they stand: name, what is done, why.
const EXCEPTIONS: &[(&str, Instead, &str)] = &[
    (
        "mt-fork",
        Instead::Args(&["2"]),
        "a thread started in the child of a multi-threaded fork ends QEMU with an assertion of its own",
    ),
    ("faults", Instead::Args(&["ill=2"]), "undefined instructions give ILL_ILLOPN, the kernel gives ILL_ILLOPC"),
    ("signal-frame-layout", Instead::Skip, "no AT_MINSIGSTKSZ"),
    ("signal-frame-edit", Instead::Skip, "no SS_AUTODISARM; an SVE record in every frame"),
    ("signal-frame-bad", Instead::Skip, "a refused frame's SIGSEGV tells no address"),
    ("signal-send-self", Instead::Skip, "a siginfo is converted, not copied"),
    ("job-control-caught", Instead::Skip, "SA_NOCLDSTOP is not passed on"),
    ("rseq-register", Instead::Skip, "no rseq"),
    ("rseq-signal", Instead::Skip, "no rseq"),
    ("rseq-counters", Instead::Skip, "no rseq"),
    ("rseq-barrier", Instead::Skip, "no rseq"),
    ("rseq-bad-signature", Instead::Skip, "no rseq"),
    ("rseq-bad-descriptor", Instead::Skip, "no rseq"),
    ("self-modify-alias", Instead::Skip, "mremap with an old length of zero is not done"),
    ("syscall-fuzz", Instead::Skip, "it is about the program that runs it, and QEMU's own faults are not asked for"),
    ("death-each", Instead::Skip, "32 and 33 are QEMU's own"),
    ("exec-plain", Instead::Skip, "execve of a guest needs binfmt_misc (ENOEXEC)"),
    ("exec-threads", Instead::Skip, "execve of a guest needs binfmt_misc (ENOEXEC)"),
    ("exec-worker", Instead::Skip, "execve of a guest needs binfmt_misc (ENOEXEC)"),
    ("exec-child", Instead::Skip, "execve of a guest needs binfmt_misc (ENOEXEC)"),
];

fn main() -> ExitCode {
    let mut runs: u32 = 1;
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word != "--runs" {
            names.push(word);
            continue;
        }
        match words.next().and_then(|number| number.parse().ok()) {
            Some(number) => runs = number,
            None => {
                eprintln!("verify-qemu: --runs takes a number");
                return ExitCode::from(2);
            }
        }
    }
    match verify(runs, &names) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("verify-qemu: {failures} rows failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("verify-qemu: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the rows and returns how many failed.
fn verify(runs: u32, names: &[String]) -> Result<u32, Error> {
    let manifest = Manifest::load()?;
    let rows: Vec<&Guest> = if names.is_empty() {
        manifest.guests().iter().collect()
    } else {
        names.iter().map(|name| manifest.guest(name)).collect::<Result<_, _>>()?
    };
    let mut failures = 0;
    for guest in rows {
        let exception = EXCEPTIONS.iter().find(|(name, ..)| *name == guest.name());
        let args = match (exception, guest.class(), guest.used_by()) {
            (_, _, Use::Latency) => {
                println!("{}: not run: nobody sends to it here", guest.name());
                continue;
            }
            (_, Class::Timeout, _) => {
                println!("{}: not run: QEMU has no watchdog", guest.name());
                continue;
            }
            (Some((_, Instead::Skip, why)), ..) => {
                println!("{}: not run: {why}", guest.name());
                continue;
            }
            (Some((_, Instead::Args(args), why)), ..) => {
                println!("{}: run as {args:?}: {why}", guest.name());
                args.iter().map(|arg| (*arg).to_owned()).collect()
            }
            (None, ..) => guest.args().to_vec(),
        };
        let times = if guest.once() { 1 } else { runs };
        let problem = (0..times).find_map(|run| run_once(guest, &args).err().map(|text| (run, text)));
        match problem {
            None => println!("{}: ok, {times} runs", guest.name()),
            Some((run, text)) => {
                failures += 1;
                println!("{}: FAILED in run {}: {text}", guest.name(), run + 1);
            }
        }
    }
    Ok(failures)
}

/// One run; the error says what differs.
fn run_once(guest: &Guest, args: &[String]) -> Result<(), String> {
    let path = guest_tests::verify(guest.program()).map_err(|error| error.to_string())?;
    // timeout(1) bounds what the guest's own guard does not.
    let output = Command::new("timeout")
        .args(["--kill-after=5", "120", "qemu-aarch64"])
        .arg(path)
        .args(args)
        .envs(guest.env())
        .output()
        .map_err(|error| format!("cannot start qemu-aarch64 by timeout(1): {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !ended_as_expected(guest, &output) {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("expected {:?}, got {}: {}", guest.expect(), output.status, stderr.trim()));
    }
    match guest.stdout() {
        Some(golden) if golden != stdout => Err(format!("expected output {golden:?}, got {stdout:?}")),
        Some(_) | None => Ok(()),
    }
}

/// timeout(1) passes a death by signal on by dying alike, or as status 128 + signal.
fn ended_as_expected(guest: &Guest, output: &Output) -> bool {
    match guest.expect() {
        Expect::Status(status) => output.status.code() == Some(i32::from(status)),
        Expect::Signal(signal) => {
            let number = i32::from(signal.number());
            output.status.signal() == Some(number) || output.status.code() == Some(128 + number)
        }
    }
}
