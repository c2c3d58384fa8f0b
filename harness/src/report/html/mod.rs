//! The HTML report: one page that needs nothing else, for people: [`write`], [`render`].
//!
//! Verdict, failed runs with their crash records, distributions of latency, controls and what caught them, histograms of exit
//! reasons by guest. Like the closing table it is a function of [`Results`] and decides nothing. `chart.rs` draws,
//! `style.css` is the look of it; whatever came from a guest or a file is escaped by [`Text`].

mod chart;

use crate::event::{ControlResult, Failure, Phase};
use crate::record::write_whole;
use crate::report::table::summary;
use crate::results::{FailedRun, GuestResults, PhaseResults, Results};
use crate::tally::Who;
use chart::Reason;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

/// The report's file name in the folder of `--report`.
pub const FILE_NAME: &str = "report.html";
/// Failed runs that are shown.
const SHOWN_FAILED_RUNS: usize = 50;
/// Reasons of a verdict that are shown at once: a run that was interrupted has one for every guest.
const SHOWN_REASONS: usize = 8;
const STYLE: &str = include_str!("style.css");

/// Writes the page.
///
/// # Errors
/// The host's, with the path in the message.
pub fn write(folder: &Path, results: &Results) -> io::Result<()> {
    let path = folder.join(FILE_NAME);
    let written = write_whole(&path, |file| file.write_all(render(results).as_bytes()));
    written.map_err(|error| super::unwritten(&path, &error))
}

/// Text between tags or in quotes, with what HTML would take for markup escaped.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            // Narrow, and no line breaks there.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// The whole page.
#[must_use]
pub fn render(results: &Results) -> String {
    let mut page = String::new();
    // Writing to a String does not fail.
    let _ = page_of(results, &mut page);
    page
}

fn page_of(results: &Results, out: &mut String) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>elfuse harness report</title><style>\n{STYLE}</style></head><body>\n"
    )?;
    header(results, out)?;
    tiles(results, out)?;
    // What fits a screen first: the phases have a row for every guest.
    failures_section(&results.failed_runs, out)?;
    latency_section(results, out)?;
    controls_section(&results.controls, out)?;
    for (phase, seen) in &results.phases {
        phase_section(*phase, seen, out)?;
    }
    builds_section(results, out)?;
    out.write_str("</body></html>\n")
}

fn header(results: &Results, out: &mut String) -> fmt::Result {
    let (platform, plan) = (&results.platform, &results.plan);
    writeln!(out, "<h1>elfuse: are all vCPU exits accounted for?</h1>")?;
    writeln!(
        out,
        "<p>{} back end ({}) on {} {}; {} iterations of {} guests, {} jobs, seed {}</p>",
        Text(&platform.back_end),
        Text(&platform.engine),
        Text(&platform.os),
        Text(&platform.arch),
        plan.iterations,
        plan.guests.len(),
        plan.jobs,
        plan.seed
    )?;
    if !results.is_gate() {
        let class = if results.all_passed() { "open" } else { "closed" };
        let summary = summary(results);
        return writeln!(out, "<div class=\"verdict {class}\"><strong>{}</strong></div>", Text(&summary));
    }
    match &results.verdict {
        Some(verdict) if verdict.passed => writeln!(
            out,
            "<div class=\"verdict open\"><strong>The gate is open</strong><br>UNKNOWN may be fatal: none was seen, and \
             every deliberate breakage was caught.</div>"
        ),
        Some(verdict) => {
            write!(out, "<div class=\"verdict closed\"><strong>The gate is closed</strong>")?;
            let (shown, more) = verdict.reasons.split_at(verdict.reasons.len().min(SHOWN_REASONS));
            reasons_list(shown, out)?;
            if !more.is_empty() {
                write!(out, "<details><summary>and {} more reasons</summary>", more.len())?;
                reasons_list(more, out)?;
                write!(out, "</details>")?;
            }
            writeln!(out, "</div>")
        }
        None => writeln!(out, "<div class=\"verdict closed\"><strong>No verdict</strong></div>"),
    }
}

fn reasons_list(reasons: &[String], out: &mut String) -> fmt::Result {
    write!(out, "<ul>")?;
    for reason in reasons {
        write!(out, "<li>{}</li>", Text(reason))?;
    }
    write!(out, "</ul>")
}

fn tiles(results: &Results, out: &mut String) -> fmt::Result {
    // With a control, UNKNOWN is what must be seen: those runs are not the claim.
    let claimed =
        || results.phases.iter().filter(|(phase, _)| **phase != Phase::Controls).map(|(_, seen)| seen.total());
    let sum = |of: fn(&GuestResults) -> u64| claimed().map(|total| of(&total)).sum::<u64>();
    let unknown = sum(|total| total.tally.total().unknown);
    let worst_ns = results.latency.iter().map(|latency| latency.p99_ns).max();
    let tiles = [
        ("runs seen", grouped(sum(|total| u64::from(total.seen))), false),
        ("vCPU runs entered", grouped(sum(|total| total.tally.total().runs_entered)), false),
        ("UNKNOWN exits", grouped(unknown), unknown > 0),
        ("cancellations inside guest code", grouped(sum(|total| total.tally.total().canceled_in_code)), false),
        ("doorbells", grouped(sum(|total| total.storm.doorbells)), false),
        ("p99 doorbell to handler", worst_ns.map_or("not measured".into(), |ns| format!("{} µs", ns / 1000)), false),
    ];
    write!(out, "<div class=\"tiles\">")?;
    for (what, number, is_bad) in tiles {
        let class = if is_bad { " class=\"bad\"" } else { "" };
        write!(out, "<div class=\"tile\"><b{class}>{number}</b><span>{what}</span></div>")?;
    }
    writeln!(out, "</div>")
}

fn phase_section(phase: Phase, seen: &PhaseResults, out: &mut String) -> fmt::Result {
    let total = seen.total();
    write!(
        out,
        "<h2>Phase {}</h2><p>{} runs of {} planned",
        phase.name(),
        grouped(total.seen.into()),
        grouped(total.planned.into())
    )?;
    match seen.wall_ms {
        Some(wall_ms) => write!(out, " in {}.{} s", wall_ms / 1000, wall_ms % 1000 / 100)?,
        None => out.write_str(", not finished")?,
    }
    let in_code = |select: fn(Who) -> bool| grouped(total.tally.sum(select).canceled_in_code);
    writeln!(
        out,
        "; canceled inside guest code {} times, {} of them on workers and {} in fork children</p>",
        in_code(|_| true),
        in_code(Who::is_worker),
        in_code(Who::is_child)
    )?;
    chart::legend(out)?;
    write!(
        out,
        "<div class=\"wide\"><table><tr><th>guest</th><th>runs</th><th>failed</th><th class=\"left\">exits</th>"
    )?;
    for reason in Reason::ALL {
        write!(out, "<th>{}</th>", reason.name())?;
    }
    writeln!(out, "<th>mean ms</th></tr>")?;
    for (guest, counts) in &seen.guests {
        guest_row(guest, counts, "", out)?;
    }
    guest_row("all", &total, " class=\"all\"", out)?;
    writeln!(out, "</table></div>")
}

fn guest_row(guest: &str, counts: &GuestResults, class: &str, out: &mut String) -> fmt::Result {
    let failed = counts.not_passed();
    let is_bad = if failed > 0 { " class=\"bad\"" } else { "" };
    write!(out, "<tr{class}><td>{}</td><td>{}</td><td{is_bad}>{failed}</td>", Text(guest), counts.seen)?;
    let cell = counts.tally.total();
    write!(out, "<td class=\"bar\">")?;
    chart::stack(&cell, out)?;
    write!(out, "</td>")?;
    for reason in Reason::ALL {
        write!(out, "<td>{}</td>", grouped(reason.count(&cell)))?;
    }
    writeln!(out, "<td>{}</td></tr>", grouped(counts.mean_ms()))
}

fn latency_section(results: &Results, out: &mut String) -> fmt::Result {
    if results.latency.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Latency</h2><p>From a sender's clock to the first instruction of the guest's handler, one job on an idle \
         machine.</p><div class=\"charts\">"
    )?;
    for latency in &results.latency {
        let us = |ns: u64| grouped(ns / 1000);
        write!(
            out,
            "<figure><figcaption><b>{}</b>: {} samples, p50 {} µs, p99 {} µs, max {} µs</figcaption>",
            Text(&latency.guest),
            grouped(latency.samples),
            us(latency.p50_ns),
            us(latency.p99_ns),
            us(latency.max_ns)
        )?;
        chart::distribution(latency, out)?;
        writeln!(out, "</figure>")?;
    }
    writeln!(out, "</div>")
}

fn controls_section(controls: &[ControlResult], out: &mut String) -> fmt::Result {
    if controls.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<h2>Controls</h2><p>Each breaks one invariant on purpose; the named check must catch it every time.</p>\
         <div class=\"wide\"><table><tr><th>control</th><th class=\"left\">guest</th><th class=\"left\">caught by</th>\
         <th>caught</th><th class=\"left\">checks that failed</th></tr>"
    )?;
    for control in controls {
        let class = if control.passed() { "good" } else { "bad" };
        let fired: Vec<String> =
            control.fired.iter().map(|(check, runs)| format!("<span>{} {runs}</span>", check.name())).collect();
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"left\">{}</td><td class=\"left\">{}</td><td class=\"{class}\">{}/{}</td>\
             <td class=\"left list\">{}</td></tr>",
            Text(&control.control),
            Text(&control.guest),
            control.caught_by.name(),
            control.caught,
            control.planned,
            fired.join(", ")
        )?;
    }
    writeln!(out, "</table></div>")
}

fn failures_section(failed: &[FailedRun], out: &mut String) -> fmt::Result {
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>Failed runs</h2>")?;
    for run in failed.iter().take(SHOWN_FAILED_RUNS) {
        let checks: Vec<&str> = run.failures.iter().map(|failure| failure.check().name()).collect();
        write!(
            out,
            "<details><summary>{} <span class=\"bad\">{}</span></summary>",
            Text(&run.id.to_string()),
            checks.join(", ")
        )?;
        for failure in &run.failures {
            write!(out, "<pre>{}</pre>", Text(&failure.to_string()))?;
            if let Failure::Crash { wanted: Some(_), record, .. } = failure {
                write!(out, "<pre>{}</pre>", Text(record))?;
            }
        }
        writeln!(out, "</details>")?;
    }
    match failed.len().checked_sub(SHOWN_FAILED_RUNS) {
        Some(more) if more > 0 => writeln!(out, "<p>and {more} more in report.json</p>"),
        Some(_) | None => Ok(()),
    }
}

fn builds_section(results: &Results, out: &mut String) -> fmt::Result {
    writeln!(out, "<h2>Binaries</h2><div class=\"wide\"><table><tr><th>kind</th><th class=\"left\">version</th></tr>")?;
    for build in &results.builds {
        writeln!(out, "<tr><td>{}</td><td class=\"left\">{}</td></tr>", Text(&build.kind), Text(&build.version))?;
    }
    writeln!(out, "</table></div><p>Sources: SHA-256 {}</p>", Text(&results.sources))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Check, LatencyResult, Outcome, RunId, Verdict};
    use crate::results::Plan;
    use std::collections::BTreeMap;

    fn results() -> Results {
        let counts = GuestResults { planned: 2, seen: 2, ..GuestResults::default() };
        let phase =
            PhaseResults { guests: BTreeMap::from([("a<b>&\"".to_owned(), counts)]), ..PhaseResults::default() };
        let id = RunId { phase: Phase::Measure, guest: "g".into(), control: None, iteration: 0 };
        let failures =
            vec![Failure::Crash { wanted: None, seen: vec!["X".into()], record: "{\"k\": \"</pre><script>\"}".into() }];
        Results {
            phases: BTreeMap::from([(Phase::Measure, phase)]),
            failed_runs: vec![FailedRun { id, outcome: Outcome::Failed, failures }],
            latency: vec![LatencyResult { samples: 3, p99_ns: 5_000, ..LatencyResult::default() }],
            controls: vec![ControlResult {
                control: "mask-pool".into(),
                guest: "spin".into(),
                caught_by: Check::Mask,
                planned: 2,
                seen: 2,
                caught: 1,
                fired: BTreeMap::new(),
            }],
            verdict: Some(Verdict { passed: false, reasons: vec!["a <b> reason".into()] }),
            ..gate(None)
        }
    }

    /// The results of a gate over nothing.
    fn gate(verdict: Option<Verdict>) -> Results {
        Results { plan: Plan { phases: Phase::ALL.to_vec(), ..Plan::default() }, verdict, ..Results::default() }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let page = render(&results());
        assert!(page.contains("a&lt;b&gt;&amp;&quot;") && page.contains("a &lt;b&gt; reason"), "{page}");
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;/pre&gt;&lt;script&gt;"), "the crash record is shown: {page}");
    }

    #[test]
    fn all_parts_are_there_and_nothing_is_fetched() {
        let page = render(&results());
        for part in
            ["The gate is closed", "Phase measure", "Latency", "Controls", "Failed runs", "Binaries", "mask-pool"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("http") && !page.contains("url("), "self-contained");
        let open = gate(Some(Verdict { passed: true, reasons: Vec::new() }));
        assert!(render(&open).contains("The gate is open"));
        assert!(render(&gate(None)).contains("No verdict"));
        let no_gate = Results { plan: Plan::default(), ..results() };
        assert!(render(&no_gate).contains("FAILED: 0 of 2 runs passed, 0 of 1 controls were caught every time"));
    }

    #[test]
    fn many_reasons_leave_room_for_the_rest() {
        let reasons = (0..30).map(|guest| format!("reason {guest}")).collect();
        let page = render(&gate(Some(Verdict { passed: false, reasons })));
        assert!(page.contains("and 22 more reasons") && page.contains("reason 29"), "{page}");
        assert!(!render(&results()).contains("more reasons"));
    }

    #[test]
    fn thousands_are_apart() {
        let seen: Vec<String> = [0, 999, 1000, 1_234_567].map(grouped).to_vec();
        assert_eq!(seen, ["0", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
    }
}
