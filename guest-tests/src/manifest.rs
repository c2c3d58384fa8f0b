//! `manifest.toml` as typed rows: [`Manifest`], [`Guest`] and the small enums that their fields use.
//!
//! The file is compiled in, so that a binary knows its guests wherever it runs. Every field is documented at [`Guest`], and
//! at the top of the file itself. Rows are checked when they are read: a manifest that loads contradicts itself nowhere.

use crate::{Error, Signal, StormRecord};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// What kind of process tree a guest makes; the harness selects by it (`--class`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// One process, one thread.
    Single,
    /// One process, several threads.
    Multi,
    /// Several processes.
    Fork,
    /// Runs until elfuse's watchdog ends it.
    Timeout,
    /// Replaces its image by execve.
    Exec,
}

impl Class {
    /// All classes, in the order in which reports show them.
    pub const ALL: [Self; 5] = [Self::Single, Self::Multi, Self::Fork, Self::Timeout, Self::Exec];

    /// The name in the manifest and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Multi => "multi",
            Self::Fork => "fork",
            Self::Timeout => "timeout",
            Self::Exec => "exec",
        }
    }
}

/// Who runs a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// The harness under a storm, and core's tests.
    #[default]
    Test,
    /// Core's tests alone: a guest some of whose descendants outlive it, which the harness would call left behind.
    Alone,
    /// The benches alone.
    Bench,
    /// The harness's latency phase alone.
    Latency,
    /// The harness's own checks: a guest that does what a check must find.
    Control,
}

/// How a guest must end, as seen by who waits for elfuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Exit with this status.
    Status(u8),
    /// Death by this signal.
    Signal(Signal),
}

/// What a bench guest measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BenchKind {
    /// Guest instructions a second: known instructions in a loop, timed from outside.
    Mips,
    /// The same, for floating point.
    Floating,
    /// The same, for Advanced SIMD.
    Simd,
    /// Prints one line, the nanoseconds per operation, as the guest measured them by CLOCK_MONOTONIC.
    NsPerOp,
    /// Its whole run is the measurement.
    StartUp,
}

impl BenchKind {
    /// Whether it counts the instructions of a loop.
    #[must_use]
    pub const fn is_loop(self) -> bool {
        matches!(self, Self::Mips | Self::Floating | Self::Simd)
    }
}

/// Facts that only benches need.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bench {
    /// What is measured.
    pub kind: BenchKind,
    /// Turns of the loop, or operations; one of its arguments is this number. Zero for [`BenchKind::StartUp`].
    #[serde(default)]
    pub iterations: u64,
    /// Guest instructions in one turn of the loop; of a loop only, zero otherwise. What stands outside the loop
    /// is under a thousand instructions.
    #[serde(default)]
    pub instructions_per_iteration: u64,
}

/// One row of the manifest: a guest program and how it is run.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RawGuest")]
pub struct Guest {
    raw: RawGuest,
    expect: Expect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGuest {
    name: String,
    program: Option<String>,
    summary: String,
    class: Class,
    #[serde(default, rename = "use")]
    used_by: Use,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    options: Vec<String>,
    status: Option<u8>,
    signal: Option<Signal>,
    stdout: Option<String>,
    crash: Option<String>,
    #[serde(default = "null_only")]
    storm: Vec<StormRecord>,
    #[serde(default)]
    leaves: u32,
    #[serde(default)]
    spins: bool,
    #[serde(default)]
    workers: bool,
    #[serde(default)]
    children: bool,
    #[serde(default)]
    once: bool,
    #[serde(default = "each_one")]
    every: u32,
    #[serde(default)]
    needs: Vec<String>,
    bench: Option<Bench>,
    /// A program that is no fixture; no row has one.
    #[serde(skip)]
    path: Option<PathBuf>,
}

fn each_one() -> u32 {
    1
}

fn null_only() -> Vec<StormRecord> {
    vec![StormRecord::Null]
}

impl TryFrom<RawGuest> for Guest {
    type Error = String;

    fn try_from(raw: RawGuest) -> Result<Self, String> {
        let expect = match (raw.status, raw.signal) {
            (Some(status), None) => Expect::Status(status),
            (None, Some(signal)) => Expect::Signal(signal),
            (Some(_), Some(_)) => {
                return Err(format!("guest `{}` has both status and signal", raw.name));
            }
            (None, None) => {
                return Err(format!("guest `{}` has neither status nor signal", raw.name));
            }
        };
        Ok(Self { raw, expect })
    }
}

/// Any program as a guest, for [`Guest::of_program`].
#[derive(Debug, Clone)]
pub struct Program {
    /// Its path, as elfuse is to be given it.
    pub path: PathBuf,
    /// Options for elfuse, before the path.
    pub options: Vec<String>,
    /// Arguments after the path.
    pub args: Vec<String>,
    /// The status that it must exit with.
    pub status: u8,
    /// Its golden standard output; `None` where any will do.
    pub stdout: Option<String>,
}

impl Guest {
    /// A guest that is no row: any program, named after its file, stormed with null records alone.
    pub fn of_program(program: Program) -> Self {
        let name = program.path.file_name().unwrap_or(program.path.as_os_str()).to_string_lossy().into_owned();
        let raw = RawGuest {
            name,
            program: None,
            summary: format!("the program {}", program.path.display()),
            class: Class::Exec,
            used_by: Use::Test,
            args: program.args,
            env: BTreeMap::new(),
            options: program.options,
            status: Some(program.status),
            signal: None,
            stdout: program.stdout,
            crash: None,
            storm: null_only(),
            leaves: 0,
            spins: false,
            workers: false,
            children: false,
            once: false,
            every: each_one(),
            needs: Vec::new(),
            bench: None,
            path: Some(program.path),
        };
        Self { raw, expect: Expect::Status(program.status) }
    }

    /// What elfuse is given to run: the fixture, or the path of [`Guest::of_program`].
    ///
    /// # Errors
    /// [`Error::MissingFixture`].
    pub fn path(&self) -> Result<PathBuf, Error> {
        match &self.raw.path {
            Some(path) => Ok(path.clone()),
            None => crate::fixture(self.program()),
        }
    }

    /// The row's name, unique in the manifest.
    pub fn name(&self) -> &str {
        &self.raw.name
    }

    /// The fixture's name: the row's own, unless several rows share a program.
    pub fn program(&self) -> &str {
        self.raw.program.as_deref().unwrap_or(&self.raw.name)
    }

    /// One line for people: what the guest does.
    pub fn summary(&self) -> &str {
        &self.raw.summary
    }

    /// What kind of process tree it makes.
    pub fn class(&self) -> Class {
        self.raw.class
    }

    /// Who runs it.
    pub fn used_by(&self) -> Use {
        self.raw.used_by
    }

    /// Arguments after the program's path.
    pub fn args(&self) -> &[String] {
        &self.raw.args
    }

    /// Environment variables that the guest must see, besides what it inherits.
    pub fn env(&self) -> &BTreeMap<String, String> {
        &self.raw.env
    }

    /// Options for elfuse, before the program's path.
    pub fn options(&self) -> &[String] {
        &self.raw.options
    }

    /// How the run must end.
    pub fn expect(&self) -> Expect {
        self.expect
    }

    /// The golden standard output; `None` where it differs from run to run (measured times).
    pub fn stdout(&self) -> Option<&str> {
        self.raw.stdout.as_deref()
    }

    /// The kind of crash record that this run must write (`TIMEOUT`); with `None` it must write none.
    pub fn crash(&self) -> Option<&str> {
        self.raw.crash.as_deref()
    }

    /// The records that a storm may send it. Always contains [`StormRecord::Null`].
    pub fn storm(&self) -> &[StormRecord] {
        &self.raw.storm
    }

    /// How many processes are left when the top process has ended.
    pub fn leaves(&self) -> u32 {
        self.raw.leaves
    }

    /// Whether it computes long enough that a run under a storm shows at least 20 cancellations inside guest code.
    pub fn spins(&self) -> bool {
        self.raw.spins
    }

    /// Whether CLONE_THREAD workers do the spinning, so that cancellations on workers are expected.
    pub fn workers(&self) -> bool {
        self.raw.workers
    }

    /// Whether fork children do the spinning, so that cancellations in children are expected.
    pub fn children(&self) -> bool {
        self.raw.children
    }

    /// Whether it runs once, in parallel to the others, and not in each iteration.
    pub fn once(&self) -> bool {
        self.raw.once
    }

    /// It runs in each iteration whose number, counted from 0, is a multiple of this: for what takes long.
    pub fn every(&self) -> u32 {
        self.raw.every
    }

    /// What the host must offer beyond the ordinary, in words; empty for most.
    pub fn needs(&self) -> &[String] {
        &self.raw.needs
    }

    /// The benches' facts; there if and only if [`Guest::used_by`] is [`Use::Bench`].
    pub fn bench(&self) -> Option<&Bench> {
        self.raw.bench.as_ref()
    }

    /// The guest's own source files, beside the runtime's `rt.h`, `rt.c` and `start.S`.
    pub fn sources(&self) -> Vec<PathBuf> {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src-guest");
        let files = ["c", "S"].map(|ending| dir.join(format!("{}.{ending}", self.program())));
        files.into_iter().filter(|file| file.is_file()).collect()
    }

    /// What the row says that cannot be so, if anything.
    fn problem(&self) -> Option<String> {
        let row = &self.raw;
        let names_signals = row.storm.iter().any(|record| matches!(record, StormRecord::Signal(_)));
        let says_ready = row.stdout.as_deref().is_some_and(|text| text.starts_with("ready\n"));
        let is_measured = matches!(row.used_by, Use::Bench | Use::Latency);
        let checks = [
            (!row.storm.contains(&StormRecord::Null), "storm lacks \"null\", which every guest must bear"),
            (
                names_signals && !says_ready && row.used_by != Use::Latency,
                "storm names signals, so stdout must begin with the line `ready`",
            ),
            (row.workers && row.class == Class::Single, "workers in a guest of class single"),
            (row.children && !matches!(row.class, Class::Fork), "children in a guest that is not of class fork"),
            ((row.workers || row.children) && !row.spins, "workers or children without spins"),
            (row.stdout.is_none() && !is_measured, "no stdout (only bench and latency rows may leave it out)"),
            (row.bench.is_some() != (row.used_by == Use::Bench), "bench facts go with use = \"bench\", and only there"),
            (
                row.bench.as_ref().is_some_and(|b| {
                    b.kind.is_loop() != (b.instructions_per_iteration > 0)
                        || (b.kind == BenchKind::StartUp) != (b.iterations == 0)
                }),
                "bench kind, iterations and instructions_per_iteration do not fit together",
            ),
            (row.every == 0, "every = 0: a guest that never runs shows nothing"),
            (row.once && row.every != 1, "once and every contradict each other"),
            (row.class == Class::Timeout && row.crash.is_none(), "class timeout without a crash record to expect"),
        ];
        checks.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, text)| text.to_owned())
    }
}

/// All rows, in the order of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    #[serde(rename = "guest")]
    guests: Vec<Guest>,
}

impl Manifest {
    /// The project's manifest.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn load() -> Result<Self, Error> {
        Self::parse(include_str!("../manifest.toml"))
    }

    /// Reads a manifest and checks its rows.
    ///
    /// # Errors
    /// [`Error::Syntax`] for what is not TOML of the documented form (an unknown class or field, a missing one, both or
    /// neither of status and signal), [`Error::Row`] for a row that contradicts itself or has the name of another.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let manifest: Self = toml::from_str(text)?;
        let mut names = BTreeSet::new();
        for guest in &manifest.guests {
            let is_new = names.insert(guest.name());
            let problem = if is_new { guest.problem() } else { Some("the name is used twice".to_owned()) };
            if let Some(problem) = problem {
                return Err(Error::Row { guest: guest.name().to_owned(), problem });
            }
        }
        Ok(manifest)
    }

    /// All rows.
    pub fn guests(&self) -> &[Guest] {
        &self.guests
    }

    /// The row with this name.
    ///
    /// # Errors
    /// [`Error::UnknownGuest`].
    pub fn guest(&self, name: &str) -> Result<&Guest, Error> {
        self.guests.iter().find(|guest| guest.name() == name).ok_or_else(|| Error::UnknownGuest(name.to_owned()))
    }

    /// The rows for one purpose.
    pub fn used_by(&self, purpose: Use) -> impl Iterator<Item = &Guest> {
        self.guests.iter().filter(move |guest| guest.used_by() == purpose)
    }
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
