//! What a run did wrong: [`judge`], a pure function from what was seen of it ([`Evidence`]) to its failures.
//!
//! Each check of [`crate::event::Check`] is one function here. A check says nothing about what it could not see: a run that
//! the harness killed has no exit status of its own, but its counts, masks and crash records are judged as ever.

use crate::event::{Ending, Failure};
use crate::stats::{cell, who};
use crate::storm::StormReport;
use crate::tally::{Tally, Who};
use elfuse::preempt::stats::StatsSnapshot;
use guest_tests::{Expect, Guest};
use std::collections::BTreeSet;

/// Cancellations inside guest code that a spinning guest must see in one run, on each kind of thread that its row names.
pub const IN_CODE_PER_RUN: u64 = 20;
/// Bytes of output kept in a failure.
const KEPT_BYTES: usize = 400;

/// A crash record that a process of the tree wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashRecord {
    /// Its `kind`.
    pub kind: String,
    /// The record as it stands in the file.
    pub text: String,
}

/// What was seen of a run.
#[derive(Debug)]
pub struct Evidence {
    /// How the top process ended; `None` if the harness killed it.
    pub ending: Option<Ending>,
    /// The limit that it broke, in milliseconds.
    pub wall_limit_ms: Option<u64>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// The counts of its tree, or why there are none.
    pub snapshot: Result<StatsSnapshot, String>,
    /// The crash records of its tree.
    pub crashes: Vec<CrashRecord>,
    /// Processes that were left.
    pub left: BTreeSet<i32>,
    /// Files that were left; of a run that the harness ended, those that the next start of elfuse would leave, too.
    pub left_files: Vec<String>,
    /// What the storm saw.
    pub storm: StormReport,
}

impl Default for Evidence {
    /// A run of which nothing was seen.
    fn default() -> Self {
        Self {
            ending: None,
            wall_limit_ms: None,
            stdout: Vec::new(),
            stderr: Vec::new(),
            snapshot: Err("not read".into()),
            crashes: Vec::new(),
            left: BTreeSet::new(),
            left_files: Vec::new(),
            storm: StormReport::default(),
        }
    }
}

/// What a run must do, besides what its guest's row says.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Doorbells a second for each process; 0 if the run is not stormed (latency).
    pub storm_hz: u32,
    /// Processes that may be left.
    pub leaves: u32,
}

/// All that is wrong with a run, in the order of [`crate::event::Check`].
#[must_use]
pub fn judge(guest: &Guest, terms: Terms, seen: &Evidence) -> Vec<Failure> {
    let mut failures = Vec::new();
    match &seen.snapshot {
        Ok(snapshot) => counts(guest, terms, snapshot, seen.ending.is_some(), &mut failures),
        Err(problem) => failures.push(Failure::Stats { problem: problem.clone() }),
    }
    failures.extend(seen.storm.failures.iter().cloned());
    failures.extend(crash(guest, &seen.crashes));
    if let Some(limit_ms) = seen.wall_limit_ms {
        failures.push(Failure::WallLimit { limit_ms });
    }
    if !seen.left_files.is_empty() {
        failures.push(Failure::LeftFile { paths: seen.left_files.clone() });
    }
    if let Some(ending) = seen.ending {
        failures.extend(ended(guest, ending, &seen.stderr));
        failures.extend(output(guest, &seen.stdout));
        if seen.left.len() > terms.leaves as usize {
            failures.push(Failure::LeftProcess { pids: seen.left.iter().copied().collect(), wanted: terms.leaves });
        }
        if let Some(hz) = seen.storm.slowest_hz.filter(|hz| *hz < u64::from(terms.storm_hz)) {
            failures.push(Failure::StormRate { hz, wanted_hz: u64::from(terms.storm_hz) });
        }
    }
    failures.sort_by_key(Failure::check);
    failures
}

/// The checks of the statistics.
fn counts(guest: &Guest, terms: Terms, snapshot: &StatsSnapshot, ended: bool, failures: &mut Vec<Failure>) {
    let tally = crate::stats::tally(snapshot);
    let total = tally.total();
    if total.unknown > 0 {
        failures.push(Failure::Unknown { count: total.unknown });
    }
    if tally.handlers() > 0 {
        failures.push(Failure::StrayHandler { count: tally.handlers() });
    }
    if tally.self_kicks() > 0 {
        failures.push(Failure::SelfKick { count: tally.self_kicks() });
    }
    if tally.records_undelivered > 0 {
        failures.push(Failure::Undelivered { count: tally.records_undelivered });
    }
    for task in &snapshot.tasks {
        let cell = cell(task);
        if !cell.balances() {
            let accounted = cell.exits().saturating_add(cell.in_flight);
            failures.push(Failure::Balance { who: who(task), entered: cell.runs_entered, accounted });
        }
    }
    // One that was killed may have been claiming a slot.
    let unfinished = if ended { snapshot.unfinished_slots } else { 0 };
    if snapshot.overflowed > 0 || snapshot.unreadable_slots > 0 || unfinished > 0 {
        let (unreadable, lost) = (snapshot.unreadable_slots, snapshot.overflowed);
        let problem = format!("{unreadable} slots unreadable, {unfinished} unfinished, {lost} lost");
        failures.push(Failure::Stats { problem });
    } else if snapshot.processes.is_empty() {
        failures.push(Failure::Stats { problem: "no process counted".into() });
    }
    if ended && guest.spins() && terms.storm_hz > 0 {
        failures.extend(in_code(guest, &tally));
    }
}

fn in_code(guest: &Guest, tally: &Tally) -> impl Iterator<Item = Failure> {
    let anywhere = !guest.workers() && !guest.children();
    let places = [
        ("any", anywhere, tally.total()),
        ("workers", guest.workers(), tally.sum(Who::is_worker)),
        ("children", guest.children(), tally.sum(Who::is_child)),
    ];
    places.into_iter().filter_map(|(place, wanted, cell)| {
        let count = cell.canceled_in_code;
        (wanted && count < IN_CODE_PER_RUN).then(|| Failure::InCode {
            place: place.to_owned(),
            count,
            wanted: IN_CODE_PER_RUN,
        })
    })
}

fn crash(guest: &Guest, records: &[CrashRecord]) -> Option<Failure> {
    let kinds: Vec<String> = records.iter().map(|record| record.kind.clone()).collect();
    let unannounced = records.iter().find(|record| Some(record.kind.as_str()) != guest.crash());
    let missing = guest.crash().is_some() && records.is_empty();
    (missing || unannounced.is_some()).then(|| Failure::Crash {
        wanted: guest.crash().map(str::to_owned),
        seen: kinds,
        record: unannounced.map(|record| cut(record.text.as_bytes())).unwrap_or_default(),
    })
}

fn ended(guest: &Guest, seen: Ending, stderr: &[u8]) -> Option<Failure> {
    let wanted = match guest.expect() {
        Expect::Status(status) => Ending::Exit(i32::from(status)),
        Expect::Signal(signal) => Ending::Signal(i32::from(signal.number())),
    };
    (seen != wanted).then(|| Failure::Ending { wanted, seen, stderr: crate::exec::tail(stderr, KEPT_BYTES) })
}

fn output(guest: &Guest, stdout: &[u8]) -> Option<Failure> {
    let golden = guest.stdout()?;
    (golden.as_bytes() != stdout).then(|| Failure::Output { seen: crate::exec::tail(stdout, KEPT_BYTES) })
}

fn cut(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT_BYTES)]).into_owned()
}

/// Reads the crash records of a `--crash-json` file: JSON objects one after another. What is not one is a record of kind
/// `unreadable`, since something did crash.
#[must_use]
pub fn parse_crashes(bytes: &[u8]) -> Vec<CrashRecord> {
    let mut records = Vec::new();
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>();
    let mut from = 0;
    while let Some(next) = stream.next() {
        let to = stream.byte_offset().min(bytes.len());
        let text = String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).trim().to_owned();
        match next {
            Ok(value) => {
                let kind = value.get("kind").and_then(serde_json::Value::as_str).unwrap_or("unreadable").to_owned();
                records.push(CrashRecord { kind, text });
            }
            Err(_) => {
                let text = cut(bytes.get(from..).unwrap_or_default());
                records.push(CrashRecord { kind: "unreadable".into(), text });
                break;
            }
        }
        from = to;
    }
    records
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
