//! The closing table: guest × exit reason, kicks by cause, latency, failures, controls and what caught them, verdict.
//!
//! [`render`] is a function from results to text, used at the end of a run and by `harness report`; [`render_tally`] one from
//! the counts of a single run, for `harness stats`.

use crate::event::{Check, Phase};
use crate::results::{GuestResults, PhaseResults, Results};
use crate::tally::{Cell, Tally, Who};
use std::fmt::Write;

/// Failed runs that are shown.
const SHOWN_FAILED_RUNS: usize = 20;

/// A table of text: the first column flush left, the others flush right.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    fn row(&mut self, name: &str, numbers: &[u64]) {
        self.rows.push(std::iter::once(name.to_owned()).chain(numbers.iter().map(u64::to_string)).collect());
    }

    fn render(&self, out: &mut String) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
                let (before, after) = if column == 0 { ("", padding.as_str()) } else { (padding.as_str(), "") };
                let gap = if column == 0 { "" } else { "  " };
                line.push_str(gap);
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// The whole closing text.
#[must_use]
pub fn render(results: &Results) -> String {
    let mut out = String::new();
    for (phase, seen) in &results.phases {
        render_phase(*phase, seen, &mut out);
    }
    render_controls(results, &mut out);
    render_latency(results, &mut out);
    render_failed_runs(results, &mut out);
    render_verdict(results, &mut out);
    out
}

/// The counts of a statistics file: kind of thread × exit reason, kicks by cause.
#[must_use]
pub fn render_tally(tally: &Tally) -> String {
    let mut out = String::new();
    let mut table =
        Table::new(&["threads", "entered", "in-code", "latched", "exception", "vtimer", "UNKNOWN", "stray", "self"]);
    let numbers = |cell: &Cell| {
        let stray = cell.stray_handler.saturating_add(cell.inside_handler);
        [
            cell.runs_entered,
            cell.canceled_in_code,
            cell.canceled_latched,
            cell.exception,
            cell.vtimer,
            cell.unknown,
            stray,
            cell.self_kick,
        ]
    };
    for (who, cell) in &tally.cells {
        table.row(threads_of(*who), &numbers(cell));
    }
    table.row("all", &numbers(&tally.total()));
    table.render(&mut out);
    render_kicks(tally, &mut out);
    let _ = writeln!(out, "processes: {}", tally.processes);
    out
}

const fn threads_of(who: Who) -> &'static str {
    match who {
        Who::InitialBootstrap => "first thread",
        Who::InitialWorker => "its workers",
        Who::ChildBootstrap => "first threads of fork children",
        Who::ChildWorker => "workers of fork children",
    }
}

fn render_kicks(tally: &Tally, out: &mut String) {
    let kicks: Vec<String> = tally.kicks.iter().map(|(cause, count)| format!("{cause} {count}")).collect();
    if !kicks.is_empty() {
        let _ = writeln!(out, "kicks by cause: {}", kicks.join(", "));
    }
}

fn render_phase(phase: Phase, seen: &PhaseResults, out: &mut String) {
    let total = seen.total();
    let _ = write!(out, "\nphase {}: {} runs of {} planned", phase.name(), total.seen, total.planned);
    match seen.wall_ms {
        Some(wall_ms) => drop(writeln!(out, ", {}.{} s", wall_ms / 1000, wall_ms % 1000 / 100)),
        None => out.push_str(", not finished\n"),
    }
    let mut table = Table::new(&[
        "guest",
        "runs",
        "failed",
        "mean ms",
        "entered",
        "in-code",
        "latched",
        "exception",
        "vtimer",
        "UNKNOWN",
        "stray",
        "self",
    ]);
    for (guest, counts) in &seen.guests {
        table.row(guest, &numbers(counts));
    }
    table.row("all", &numbers(&total));
    table.render(out);
    let in_code = |select: fn(Who) -> bool| total.tally.sum(select).canceled_in_code;
    let _ = writeln!(
        out,
        "cancellations inside guest code: {} ({} on workers, {} in fork children)",
        in_code(|_| true),
        in_code(Who::is_worker),
        in_code(Who::is_child)
    );
    render_kicks(&total.tally, out);
    let storm = total.storm;
    let _ = writeln!(
        out,
        "storm: {} doorbells ({} with a guest signal), {} to single threads, {} masks read, {} doorbells a second and process, late {} per mille",
        storm.doorbells,
        storm.records,
        storm.thread_doorbells,
        storm.masks_read,
        storm.hz().unwrap_or(0),
        storm.late_per_mille()
    );
    if storm.kills > 0 {
        let _ = writeln!(out, "killed at random: {} processes, one of a run", storm.kills);
    }
    if !seen.strays.is_empty() {
        let _ = writeln!(out, "processes left that belong to no run: {:?}", seen.strays);
    }
}

fn numbers(counts: &GuestResults) -> [u64; 11] {
    let total = counts.tally.total();
    [
        u64::from(counts.seen),
        u64::from(counts.not_passed()),
        counts.mean_ms(),
        total.runs_entered,
        total.canceled_in_code,
        total.canceled_latched,
        total.exception,
        total.vtimer,
        total.unknown,
        counts.tally.handlers(),
        counts.tally.self_kicks(),
    ]
}

fn render_controls(results: &Results, out: &mut String) {
    if results.controls.is_empty() {
        return;
    }
    out.push_str("\ncontrols\n");
    let mut table = Table { rows: Vec::new() };
    let header = ["control", "guest", "must be caught by", "caught", "checks that failed"];
    table.rows.push(header.map(str::to_owned).to_vec());
    for control in &results.controls {
        let fired: Vec<String> = control.fired.iter().map(|(check, runs)| format!("{} {runs}", check.name())).collect();
        table.rows.push(vec![
            control.control.clone(),
            control.guest.clone(),
            control.caught_by.name().to_owned(),
            format!("{}/{}{}", control.caught, control.planned, if control.passed() { "" } else { " MISSED" }),
            fired.join(", "),
        ]);
    }
    table.render(out);
}

fn render_latency(results: &Results, out: &mut String) {
    if results.latency.is_empty() {
        return;
    }
    out.push_str("\ndoorbell to handler, in microseconds\n");
    let mut table = Table::new(&["guest", "samples", "p50", "p99", "max"]);
    for latency in &results.latency {
        let us = [latency.p50_ns / 1000, latency.p99_ns / 1000, latency.max_ns / 1000];
        table.row(&latency.guest, &[latency.samples, us[0], us[1], us[2]]);
    }
    table.render(out);
}

fn render_failed_runs(results: &Results, out: &mut String) {
    if results.failed_runs.is_empty() {
        return;
    }
    out.push_str("\nfailed runs\n");
    for run in results.failed_runs.iter().take(SHOWN_FAILED_RUNS) {
        for failure in &run.failures {
            let text = failure.to_string().replace('\n', " | ");
            let _ = writeln!(out, "  {}: {}: {text}", run.id, failure.check().name());
        }
    }
    if let Some(more) = results.failed_runs.len().checked_sub(SHOWN_FAILED_RUNS).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more in the report");
    }
    for check in Check::ALL {
        let runs: u32 = results
            .phases
            .iter()
            .filter(|(phase, _)| **phase != Phase::Controls)
            .map(|(_, seen)| seen.total().failures.get(&check).copied().unwrap_or(0))
            .sum();
        if runs > 0 {
            let _ = writeln!(out, "  check {} failed in {runs} runs", check.name());
        }
    }
}

fn render_verdict(results: &Results, out: &mut String) {
    out.push('\n');
    for build in &results.builds {
        let _ = writeln!(out, "binary {}: {}", build.kind, build.version);
    }
    let platform = &results.platform;
    let _ = writeln!(
        out,
        "{} back end ({}) on {} {}, seed {}",
        platform.back_end, platform.engine, platform.os, platform.arch, results.plan.seed
    );
    if !results.is_gate() {
        let _ = writeln!(out, "{}", summary(results));
        return;
    }
    match &results.verdict {
        None => out.push_str("verdict: none\n"),
        Some(verdict) if verdict.passed => out.push_str("verdict: the gate is OPEN\n"),
        Some(verdict) => {
            out.push_str("verdict: the gate is CLOSED\n");
            for reason in &verdict.reasons {
                let _ = writeln!(out, "  {reason}");
            }
        }
    }
}

/// What became of a plan that is no gate, in a line.
#[must_use]
pub fn summary(results: &Results) -> String {
    let (passed, planned) = results.passed_of_planned();
    let mut parts = Vec::new();
    if planned > 0 {
        parts.push(format!("{passed} of {planned} runs passed"));
    }
    if !results.controls.is_empty() {
        let caught = results.controls.iter().filter(|control| control.passed()).count();
        parts.push(format!("{caught} of {} controls were caught every time", results.controls.len()));
    }
    if results.interrupted {
        parts.push("interrupted".to_owned());
    }
    let what = if parts.is_empty() { "nothing was run".to_owned() } else { parts.join(", ") };
    format!("{}: {what}", if results.all_passed() { "passed" } else { "FAILED" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Verdict;
    use std::collections::BTreeMap;

    #[test]
    fn columns_align() {
        let mut table = Table::new(&["guest", "n"]);
        table.row("a", &[1]);
        table.row("longer-name", &[100]);
        let mut out = String::new();
        table.render(&mut out);
        assert_eq!(out, "guest          n\na              1\nlonger-name  100\n");
    }

    #[test]
    fn all_parts_are_there() {
        let counts = GuestResults { planned: 2, seen: 2, ..GuestResults::default() };
        let phase = PhaseResults { guests: BTreeMap::from([("spin".to_owned(), counts)]), ..PhaseResults::default() };
        let verdict = Verdict { passed: false, reasons: vec!["because".into()] };
        let mut results =
            Results { phases: BTreeMap::from([(Phase::Measure, phase)]), verdict: Some(verdict), ..Results::default() };
        let text = render(&results);
        assert!(text.ends_with("FAILED: 0 of 2 runs passed\n") && !text.contains("verdict"), "{text}");
        results.plan.phases = Phase::ALL.to_vec();
        let text = render(&results);
        assert!(text.contains("phase measure: 2 runs of 2 planned, not finished"), "{text}");
        assert!(text.contains("UNKNOWN") && text.contains("CLOSED\n  because"), "{text}");
    }
}
