//! elfuse beside `qemu-aarch64`: system-call, process, start-up and compute rows, each run by both in turn, as ratios; and the
//! memory that programs take.
//!
//!     cargo bench --bench versus -- [--sysroot DIR] [--rounds N] [--qemu PATH] [NAME...]
//!
//! Guests are the manifest's with `use = "bench"`; with a sysroot, rows of its programs join them. A cell is the median of the
//! rounds; which of the two goes first changes from round to round. Without a qemu there is nothing to compare with, and
//! the bench says so. Programs that execute others are no rows: qemu would need a registration for their children.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benches::{BenchGuest, Failure, or_exit};
use guest_tests::BenchKind;
use nix::sys::resource::{UsageWho, getrusage};

const ELFUSE: &str = env!("CARGO_BIN_EXE_elfuse-under-bench");
/// Asks this program to run another and to print the most memory that it had, in kibibytes.
const MEASURE: &str = "--measure-memory";
const ROUNDS: usize = 5;

/// Programs of a sysroot: the row, the file, its arguments.
const PROGRAMS: [(&str, &str, &[&str]); 9] = [
    ("start: true, dynamic", "usr/bin/true", &[]),
    ("start: bash", "usr/bin/bash", &["-c", ":"]),
    ("start: perl", "usr/bin/perl", &["-e", "1"]),
    ("start: python3", "usr/bin/python3", &["-c", "pass"]),
    ("process: bash, 100 subshells", "usr/bin/bash", &["-c", "for ((i = 0; i < 100; i++)); do (:); done"]),
    ("process: python3, 20 forks", "usr/bin/python3", &["-c", FORKS]),
    ("compute: bash, loop", "usr/bin/bash", &["-c", "for ((i = 0; i < 50000; i++)); do :; done"]),
    ("compute: perl, loop", "usr/bin/perl", &["-e", "my $s = 0; $s += $_ * 3 for 1 .. 500000; exit($s == 0)"]),
    ("compute: python3, loop", "usr/bin/python3", &["-c", "s = 0\nfor i in range(300000): s += i * 3"]),
];

const FORKS: &str = "import os
for i in range(20):
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)";

/// Programs whose memory is shown, beside the static `hello`.
const IN_MEMORY: [(&str, &str, &[&str]); 3] = [
    ("memory: true, dynamic", "usr/bin/true", &[]),
    ("memory: bash, interactive", "usr/bin/bash", &["--norc", "--noprofile", "-i"]),
    ("memory: python3", "usr/bin/python3", &["-c", "pass"]),
];

/// What the command line says.
struct Options {
    qemu: PathBuf,
    sysroot: Option<PathBuf>,
    rounds: usize,
    names: Vec<String>,
}

fn main() {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == MEASURE) {
        return measure_memory(args);
    }
    let options = or_exit(options());
    if Command::new(&options.qemu).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("versus: skipped: there is no {}; name one with --qemu", options.qemu.display());
        return;
    }
    println!("{:<32} {:>12} {:>12} {:>8}", "row", "elfuse", "qemu", "ratio");
    or_exit(guests(&options));
    if let Some(sysroot) = &options.sysroot {
        or_exit(programs(&options, sysroot));
    }
    or_exit(memory(&options));
    println!(
        "ratio: qemu's value by elfuse's; above 1 elfuse is faster or smaller. Medians of {} rounds.",
        options.rounds
    );
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { qemu: "qemu-aarch64".into(), sysroot: None, rounds: ROUNDS, names: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| Failure::new(format!("{arg} needs a value")));
        match arg.as_str() {
            "--qemu" => options.qemu = value()?.into(),
            "--sysroot" => options.sysroot = Some(value()?.into()),
            "--rounds" => {
                let text = value()?;
                let rounds = text.parse().ok().filter(|rounds| *rounds > 0);
                options.rounds =
                    rounds.ok_or_else(|| Failure::new(format!("--rounds {text}: not a number of rounds")))?;
            }
            // What cargo says to every bench.
            "--bench" => {}
            name => options.names.push(name.to_owned()),
        }
    }
    Ok(options)
}

impl Options {
    fn wants(&self, row: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| row.contains(name.as_str()))
    }

    /// Prints a row: `measure` is asked in turn for elfuse's value and for qemu's.
    fn row(
        &self,
        name: &str,
        show: fn(f64) -> String,
        measure: impl Fn(Who) -> Result<f64, Failure>,
    ) -> Result<(), Failure> {
        if !self.wants(name) {
            return Ok(());
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            let order = if round % 2 == 0 { [Who::Elfuse, Who::Qemu] } else { [Who::Qemu, Who::Elfuse] };
            for who in order {
                let value = measure(who)?;
                match who {
                    Who::Elfuse => ours.push(value),
                    Who::Qemu => theirs.push(value),
                }
            }
        }
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        println!("{name:<32} {:>12} {:>12} {:>8.2}", show(ours), show(theirs), theirs / ours.max(f64::MIN_POSITIVE));
        Ok(())
    }
}

/// Whose turn it is.
#[derive(Clone, Copy)]
enum Who {
    Elfuse,
    Qemu,
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn time(seconds: f64) -> String {
    match seconds {
        ..1e-6 => format!("{:.0} ns", seconds * 1e9),
        1e-6..1e-3 => format!("{:.1} µs", seconds * 1e6),
        1e-3..1.0 => format!("{:.1} ms", seconds * 1e3),
        _longer => format!("{seconds:.2} s"),
    }
}

fn mebibytes(kibibytes: f64) -> String {
    format!("{:.1} MiB", kibibytes / 1024.0)
}

/// The manifest's guests.
fn guests(options: &Options) -> Result<(), Failure> {
    let kinds = [
        (BenchKind::NsPerOp, "call"),
        (BenchKind::StartUp, "start"),
        (BenchKind::Mips, "compute"),
        (BenchKind::Floating, "compute"),
        (BenchKind::Simd, "compute"),
    ];
    for (kind, group) in kinds {
        let (ours, theirs) = (BenchGuest::all(Path::new(ELFUSE), kind)?, BenchGuest::all(&options.qemu, kind)?);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let count = ours.bench().iterations.max(1);
            let name = match kind {
                BenchKind::StartUp => "hello, static",
                BenchKind::NsPerOp | BenchKind::Mips | BenchKind::Floating | BenchKind::Simd => ours.name(),
            };
            options.row(&format!("{group}: {name}"), time, |who| {
                let guest = match who {
                    Who::Elfuse => ours,
                    Who::Qemu => theirs,
                };
                let took = match kind {
                    BenchKind::NsPerOp => guest.operations(count)?.div_f64(count as f64),
                    BenchKind::Mips | BenchKind::Floating | BenchKind::Simd | BenchKind::StartUp => guest.run(count)?.1,
                };
                Ok(took.as_secs_f64())
            })?;
        }
    }
    Ok(())
}

/// The command that runs a program of the sysroot.
fn runner(options: &Options, sysroot: &Path, who: Who, program: &str) -> Vec<PathBuf> {
    let (runner, option) = match who {
        Who::Elfuse => (Path::new(ELFUSE), "--sysroot"),
        Who::Qemu => (options.qemu.as_path(), "-L"),
    };
    vec![runner.to_owned(), option.into(), sysroot.to_owned(), sysroot.join(program)]
}

/// The sysroot's programs that are there.
fn programs(options: &Options, sysroot: &Path) -> Result<(), Failure> {
    for (name, program, args) in PROGRAMS {
        if !sysroot.join(program).exists() {
            println!("{name:<32} skipped: the sysroot has no {program}");
            continue;
        }
        options.row(name, time, |who| {
            let words = runner(options, sysroot, who, program);
            let [first, rest @ ..] = words.as_slice() else { return Err(Failure::new("no command".to_owned())) };
            Ok(run(Command::new(first).args(rest).args(args))?.0.as_secs_f64())
        })?;
    }
    Ok(())
}

/// Runs a command to its end; the answer is how long that took, and what it printed.
fn run(command: &mut Command) -> Result<(Duration, String), Failure> {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map_err(|error| Failure::new(format!("{command:?}: {error}")))?;
    let took = started.elapsed();
    if !output.status.success() {
        return Err(Failure::new(format!("{command:?}: {}", output.status)));
    }
    Ok((took, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The most memory that programs had.
fn memory(options: &Options) -> Result<(), Failure> {
    let hello = guest_tests::verify("hello")?;
    let static_hello = |who| {
        let runner = match who {
            Who::Elfuse => PathBuf::from(ELFUSE),
            Who::Qemu => options.qemu.clone(),
        };
        peak(&[runner, hello.clone()], &[])
    };
    options.row("memory: hello, static", mebibytes, static_hello)?;
    let Some(sysroot) = &options.sysroot else { return Ok(()) };
    for (name, program, args) in IN_MEMORY {
        if sysroot.join(program).exists() {
            options.row(name, mebibytes, |who| peak(&runner(options, sysroot, who, program), args))?;
        }
    }
    Ok(())
}

/// The most memory of a command, in kibibytes, by a process that has no other child.
fn peak(command: &[PathBuf], args: &[&str]) -> Result<f64, Failure> {
    let own = std::env::current_exe().map_err(|error| Failure::new(format!("cannot find myself: {error}")))?;
    let (_took, printed) = run(Command::new(own).arg(MEASURE).args(command).args(args))?;
    let last = printed.lines().last().unwrap_or_default();
    last.parse().map_err(|_| Failure::new(format!("{command:?}: printed {printed:?}")))
}

/// The other side of [`peak`].
fn measure_memory(mut command: impl Iterator<Item = std::ffi::OsString>) {
    let program = command.next().unwrap_or_default();
    let ended = Command::new(program).args(command).stdin(Stdio::null()).status();
    match (ended, getrusage(UsageWho::RUSAGE_CHILDREN)) {
        (Ok(ended), Ok(usage)) => {
            println!("\n{}", usage.max_rss());
            std::process::exit(ended.code().unwrap_or(1));
        }
        (Err(_), _) | (_, Err(_)) => std::process::exit(1),
    }
}
