//! The command line: [`Cli`], and what each subcommand does, [`Cli::run`].
//!
//! Exit status: 0 the gate is open (or all runs passed), 1 it is closed (or some did not), 2 the harness could not run. A
//! mistake or a host that refuses is one line that says what, and what to do.

use crate::event::{Event, Phase, Reader};
use crate::exec::Stop;
use crate::gate::controls::CONTROLS;
use crate::gate::flow::{Flow, FlowError, Orders};
use crate::gate::{builds, verdict};
use crate::plan::{PlanError, Selection, select};
use crate::program::{self, ProgramError};
use crate::record::{self, Host, Record, Stage, TRACKED_RECORD};
use crate::report::{self, json, table, terminal::Terminal};
use crate::results::{Plan, Platform, Results};
use crate::shard::{self, MergeError, Shard};
use crate::stats::{self, StatsFile};
use clap::{Args, Parser, Subcommand};
use elfuse::host::tell;
use guest_tests::{Class, Manifest, Use};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The gate is open, all runs passed.
pub const EXIT_OPEN: u8 = 0;
/// The gate is closed, a run failed.
pub const EXIT_CLOSED: u8 = 1;
/// The harness could not run.
pub const EXIT_UNABLE: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  harness                                      the whole gate: build, measure, controls, latency, fatal build
  harness --iterations 500 --record            the acceptance plan; a passing verdict goes to ci/unknown-gate.json
  harness run --guest spin --iterations 20     one guest under the storm, on a measuring build
  harness run --elfuse target/debug/elfuse     any binary
  harness run --kills --duration 30m           everything for half an hour, with random kills
  harness run --program '--sysroot R -- /bin/sh -c \"echo a | wc -c\"' --expect golden
                                               any program under the storm
  harness controls --control mask-worker       one deliberate breakage
  harness report target/harness                show a report again
  harness stats run.stats                      what elfuse --stats run.stats has counted
  harness --seed 1 --shard 2/4 --report part2  the second of four parts, each on a machine of its own
  harness merge part1 part2 part3 part4        one verdict over all parts

Exit status: 0 the gate is open or all runs passed, 1 it is closed or one failed, 2 the harness could not run.";

/// Stress harness and gate of elfuse
#[derive(Debug, Parser)]
#[command(name = "harness", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Task>,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Decide whether UNKNOWN may be fatal (the default)
    Gate(GateArgs),
    /// Run guests under the storm, without controls and verdict
    Run(RunArgs),
    /// Run the controls alone: deliberate breakages, each of which one check must catch
    Controls(ControlArgs),
    /// Show the guests, the controls and the checks
    List,
    /// Make the reports of all shards of a plan into one, and judge that
    Merge {
        /// The report.json of each shard, or the folder of it
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Write report.html, report.json and junit.xml to this folder
        #[arg(long, value_name = "DIR")]
        report: Option<PathBuf>,
    },
    /// Show a report again
    Report {
        /// A report.json, or the folder of one
        path: PathBuf,
        /// Write it as HTML, JSON and JUnit XML to this folder, too
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Show what `elfuse --stats FILE` has counted
    Stats {
        /// The statistics file, of a run that has ended or goes on
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct GateArgs {
    #[command(flatten)]
    common: Common,
    /// Repetitions of each control
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,
    /// Write a passing verdict over the acceptance plan to ci/unknown-gate.json
    #[arg(long)]
    record: bool,
    /// Write the record to FILE, whatever the verdict and the plan
    #[arg(long, value_name = "FILE")]
    record_to: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    common: Common,
    /// The binary to run; a measuring one is built without
    #[arg(long, value_name = "PATH")]
    elfuse: Option<PathBuf>,
    /// Any program in place of the guests: what follows `elfuse` on a command line, in one word
    #[arg(long, value_name = "CMD", allow_hyphen_values = true, conflicts_with_all = ["guest", "class"])]
    program: Option<String>,
    /// What the program must write to its standard output; without it, anything
    #[arg(long, value_name = "FILE", requires = "program")]
    expect: Option<PathBuf>,
    /// Kill one member of each run's tree at a random moment; how such a run ends is not judged
    #[arg(long)]
    kills: bool,
    /// The status that the program must exit with
    #[arg(long, value_name = "N", requires = "program", default_value_t = 0)]
    status: u8,
}

#[derive(Debug, Args)]
struct ControlArgs {
    #[command(flatten)]
    common: Common,
    /// Repetitions of each control
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,
    /// Only this control (repeatable)
    #[arg(long, value_name = "NAME")]
    control: Vec<String>,
}

#[derive(Debug, Args)]
struct Common {
    /// Runs of each guest
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    iterations: u32,
    /// Only guests of this class: single, multi, fork, timeout, exec (repeatable)
    #[arg(long, value_name = "CLASS", value_parser = parse_class)]
    class: Vec<Class>,
    /// Only this guest, whatever it is for (repeatable)
    #[arg(long, value_name = "NAME")]
    guest: Vec<String>,
    /// Runs at a time; by default one more than there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    jobs: Option<u32>,
    /// The seed of the order; drawn and reported without
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Doorbells a second for each process
    #[arg(long, value_name = "HZ", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    storm: u32,
    /// Repeat rounds for this long, in place of --iterations: seconds, or 90s, 30m, 2h
    #[arg(long, value_name = "TIME", conflicts_with = "iterations", value_parser = parse_time)]
    duration: Option<Duration>,
    /// Run only the K-th of N parts of the plan; `harness merge` makes one of them all
    #[arg(long, value_name = "K/N", requires = "seed", conflicts_with = "duration")]
    shard: Option<Shard>,
    /// End a run after this long
    #[arg(long, value_name = "TIME", default_value = "300", value_parser = parse_time)]
    wall_limit: Duration,
    /// Write report.html, report.json and junit.xml to this folder
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Why the harness could not run; shown as one line.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Flow(#[from] FlowError),
    #[error(transparent)]
    Report(#[from] json::ReadError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Merge(#[from] MergeError),
    #[error(transparent)]
    Record(#[from] record::RecordError),
    #[error("cannot write to standard output: {0}; reports and records are written where they were asked for")]
    Output(#[source] io::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Usage(String),
}

fn parse_class(text: &str) -> Result<Class, String> {
    let known = || Class::ALL.map(Class::name).join(", ");
    Class::ALL.into_iter().find(|class| class.name() == text).ok_or_else(|| format!("classes are {}", known()))
}

impl Cli {
    /// Does what the command line says, and returns the exit status. Must be called before there is a second thread.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            None => gate(&self.gate),
            Some(Task::Gate(args)) => gate(&args),
            Some(Task::Run(args)) => run(&args),
            Some(Task::Controls(args)) => controls(&args),
            Some(Task::List) => list(),
            Some(Task::Merge { paths, report }) => merge(&paths, report.as_deref()),
            Some(Task::Report { path, to }) => show_report(&path, to.as_deref()),
            Some(Task::Stats { file }) => show_stats(&file),
        };
        match done {
            Ok(true) => ExitCode::from(EXIT_OPEN),
            Ok(false) => ExitCode::from(EXIT_CLOSED),
            Err(failure) => {
                tell(format_args!("harness: {failure}"));
                ExitCode::from(EXIT_UNABLE)
            }
        }
    }
}

fn gate(args: &GateArgs) -> Result<bool, Failure> {
    if args.record && args.common.iterations < crate::plan::ACCEPTANCE_ITERATIONS {
        let text = "--record needs --iterations 500 or more (--record-to FILE records any plan elsewhere)";
        return Err(Failure::Usage(text.into()));
    }
    if args.record && !(args.common.class.is_empty() && args.common.guest.is_empty() && args.common.duration.is_none())
    {
        return Err(Failure::Usage("--record needs all guests: leave --class, --guest and --duration out".into()));
    }
    if args.common.shard.is_some() && (args.record || args.record_to.is_some()) {
        return Err(Failure::Usage("a shard is no record: leave --record out, and merge the shards".into()));
    }
    let mut orders = orders(&args.common, &Phase::ALL)?;
    orders.plan.control_repetitions = args.repetitions;
    let root = orders.root.clone();
    let results = perform(orders, &args.common)?;
    let passed = results.verdict.as_ref().is_some_and(|verdict| verdict.passed);
    let record = Record::of(&results, Stage::Final);
    if let Some(path) = &args.record_to {
        record.write(path)?;
    }
    if args.record {
        match (passed, verdict::may_be_recorded(&results)) {
            (true, Ok(())) => record.write(&root.join(TRACKED_RECORD))?,
            (true, Err(reason)) => tell(format_args!("harness: not recorded: {reason}")),
            (false, _) => tell(format_args!("harness: not recorded: the gate is closed")),
        }
    }
    Ok(passed)
}

fn run(args: &RunArgs) -> Result<bool, Failure> {
    let mut orders = orders(&args.common, &[Phase::Measure])?;
    orders.kills = args.kills;
    if let Some(command) = &args.program {
        let guest = program::parse(command, args.expect.as_deref(), args.status)?;
        orders.plan.guests = vec![guest.name().to_owned()];
        orders.plan.all_guests = false;
        orders.guests = vec![Arc::new(guest)];
    }
    if let Some(path) = &args.elfuse {
        let version = builds::version_of(path, &Stop::new()?);
        version.map_err(|error| Failure::Usage(format!("--elfuse: {error}; name a binary of elfuse")))?;
        orders.elfuse = Some(path.canonicalize()?);
    }
    let results = perform(orders, &args.common)?;
    Ok(results.all_passed())
}

fn controls(args: &ControlArgs) -> Result<bool, Failure> {
    for name in &args.control {
        if !CONTROLS.iter().any(|row| row.breakage.name() == name) {
            return Err(Failure::Usage(format!("no control `{name}`: `harness list` shows them")));
        }
    }
    let mut orders = orders(&args.common, &[Phase::Controls])?;
    orders.plan.control_repetitions = args.repetitions;
    orders.controls.clone_from(&args.control);
    let results = perform(orders, &args.common)?;
    let wanted = if args.control.is_empty() { CONTROLS.len() } else { args.control.len() };
    Ok(results.controls.len() == wanted && results.controls.iter().all(crate::event::ControlResult::passed))
}

fn list() -> Result<bool, Failure> {
    let manifest = Manifest::load().map_err(PlanError::from)?;
    let mut text = String::from("guests\n");
    for guest in manifest.guests() {
        let once = if guest.once() { ", once" } else { "" };
        let (name, class, summary) = (guest.name(), guest.class().name(), guest.summary());
        text += &format!("  {name:20} {class:8} {:?}{once}: {summary}\n", guest.used_by());
    }
    text += "controls\n";
    for row in &CONTROLS {
        text += &format!("  {:26} with {:16} caught by {}\n", row.breakage.name(), row.guest, row.caught_by.name());
    }
    text += "checks\n";
    for check in crate::event::Check::ALL {
        text += &format!("  {}\n", check.name());
    }
    say(&text)?;
    Ok(true)
}

/// Writes to standard output.
fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Output)
}

fn merge(paths: &[PathBuf], report: Option<&Path>) -> Result<bool, Failure> {
    let parts: Vec<Results> = paths.iter().map(|path| json::read(path)).collect::<Result<_, _>>()?;
    let mut merged = shard::merge(&parts)?;
    let verdict = verdict::verdict(&merged);
    let passed = if merged.is_gate() { verdict.passed } else { merged.all_passed() };
    merged.verdict = Some(verdict);
    let said = say(&table::render(&merged));
    if let Some(folder) = report {
        report::write_files(folder, &merged)?;
    }
    said?;
    Ok(passed)
}

fn show_report(path: &Path, to: Option<&Path>) -> Result<bool, Failure> {
    let results = json::read(path)?;
    let said = say(&table::render(&results));
    if let Some(folder) = to {
        report::write_files(folder, &results)?;
    }
    said?;
    Ok(if results.is_gate() { results.verdict.is_some_and(|verdict| verdict.passed) } else { results.all_passed() })
}

fn show_stats(file: &Path) -> Result<bool, Failure> {
    let snapshot = StatsFile::new(file).read();
    let snapshot = snapshot.map_err(|error| Failure::Usage(format!("statistics file {}: {error}", file.display())))?;
    say(&table::render_tally(&stats::tally(&snapshot)))?;
    Ok(true)
}

fn orders(common: &Common, phases: &[Phase]) -> Result<Orders, Failure> {
    let manifest = Manifest::load().map_err(PlanError::from)?;
    let selection = Selection { classes: common.class.clone(), guests: common.guest.clone() };
    let guests = select(&manifest, Use::Test, &selection)?;
    for guest in manifest.guests() {
        guest_tests::verify(guest.program()).map_err(PlanError::from)?;
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = common.jobs.unwrap_or(u32::try_from(processors).unwrap_or(1).saturating_add(1));
    let whole_iterations = if common.duration.is_some() { 0 } else { common.iterations };
    let plan = Plan {
        iterations: common.shard.unwrap_or(Shard::WHOLE).share(whole_iterations),
        control_repetitions: 0,
        storm_hz: common.storm,
        jobs,
        seed: common.seed.unwrap_or_else(drawn_seed),
        guests: guests.iter().map(|guest| guest.name().to_owned()).collect(),
        phases: phases.to_vec(),
        all_guests: common.class.is_empty() && common.guest.is_empty(),
        by_duration: common.duration.is_some(),
        shard: common.shard,
    };
    let root = workspace_root()?;
    Ok(Orders {
        root,
        plan,
        guests,
        manifest,
        elfuse: None,
        controls: Vec::new(),
        duration: common.duration,
        wall_limit: common.wall_limit,
        kills: false,
        whole_iterations,
    })
}

/// The checkout that this harness was built from: guests and sources are there.
fn workspace_root() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().map_err(|error| {
        Failure::Usage(format!("{} is not there ({error}): run the harness in its checkout", root.display()))
    })
}

/// A length of time: whole seconds, minutes or hours, not none and less than a year.
fn parse_time(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 3] = [('s', 1), ('m', 60), ('h', 3600)];
    let unit = UNITS.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)));
    let (number, unit_seconds) = unit.unwrap_or((text, 1));
    let seconds = number.parse().ok().and_then(|number: u64| number.checked_mul(unit_seconds));
    let seconds = seconds.filter(|seconds| (1..365 * 24 * 3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "not a length of time; write for example 90, 30m or 2h".to_owned())
}

fn drawn_seed() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::from(since_epoch.subsec_nanos()) << 20 ^ u64::from(std::process::id())
}

/// Runs the flow on a thread of its own, and feeds the readers here.
fn perform(orders: Orders, common: &Common) -> Result<Results, Failure> {
    let stop = Stop::on_signals()?;
    if let Some(folder) = &common.report {
        // Before hours of work, not after.
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Usage(format!(
                "cannot make the folder of --report {}: {error}; name a folder where you may write",
                folder.display()
            ))
        })?;
    }
    let host = Host::of_target(std::env::consts::OS, std::env::consts::ARCH);
    let platform = Platform { back_end: host.back_end, engine: "interpreter".into(), os: host.os, arch: host.arch };
    let results = Results::new(orders.plan.clone(), platform, record::source_hash(&orders.root)?);
    let mut shown = results.clone();
    let (sender, receiver) = channel();
    let flow = Flow::new(orders, results, stop.clone(), sender)?;
    let thread = std::thread::Builder::new().name("flow".into()).spawn(move || flow.run())?;
    let mut terminal = Terminal::new();
    let read = read_events(&receiver, &mut [&mut shown, &mut terminal]);
    if read.is_err() {
        stop.raise();
    }
    let finished = thread.join().map_err(|_| Failure::Usage("the flow thread panicked: please report it".into()))?;
    terminal.close();
    if finished.is_err() {
        shown.verdict = None;
    }
    let results = finished.as_ref().map_or(&shown, |results| results);
    let said = say(&table::render(results));
    if let Some(folder) = &common.report {
        report::write_files(folder, results)?;
    }
    read?;
    said?;
    Ok(finished?)
}

fn read_events(receiver: &Receiver<Event>, readers: &mut [&mut dyn Reader]) -> io::Result<()> {
    for event in receiver {
        for reader in readers.iter_mut() {
            reader.event(&event)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit_or_is_in_seconds() {
        for (text, seconds) in [("90", 90), ("1s", 1), ("30m", 1800), ("2h", 7200)] {
            assert_eq!(parse_time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0", "0m", "m", "-1", "1.5", "5d", "9000h", "18446744073709551615h", "1 m", "m3"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
