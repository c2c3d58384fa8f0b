//! The report as one page of HTML that needs nothing else: no script, no font, no file besides.
//!
//! Verdict, histograms of exit reasons by guest, latency, controls, failed runs with what they left. [`render`] is a function of
//! the results, as the closing table is. Widths are percentages, so that the page fits a telephone and a wall.

use crate::event::{Outcome, Phase};
use crate::record::write_whole;
use crate::results::{GuestResults, PhaseResults, Results};
use crate::tally::{Cell, Who};
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

/// The page's file name in the folder of `--report`.
pub const FILE_NAME: &str = "report.html";

/// An exit reason: its name, its class in the style sheet, its count.
type Reason = (&'static str, &'static str, fn(&Cell) -> u64);

/// The exit reasons in the order of the bars.
const REASONS: [Reason; 6] = [
    ("canceled inside guest code", "in-code", |cell| cell.canceled_in_code),
    ("canceled, latched", "latched", |cell| cell.canceled_latched),
    ("exception", "exception", |cell| cell.exception),
    ("vtimer", "vtimer", |cell| cell.vtimer),
    ("UNKNOWN", "unknown", |cell| cell.unknown),
    ("interface failure", "failed", |cell| cell.failed),
];

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8885;--soft:#8882}\
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}\
.verdict{padding:.6rem 1rem;border-left:.4rem solid;background:var(--soft)}\
.open{border-color:#2a8f4b}.closed{border-color:#c0392b}\
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid var(--soft);white-space:nowrap}\
th:first-child,td:first-child,td.text{text-align:left}td.wide{width:45%;min-width:12rem}\
.bar{display:flex;height:1rem;background:var(--soft);border-radius:2px;overflow:hidden}.bar i{display:block;min-width:1px}\
.in-code{background:#2c7fb8}.latched{background:#7fcdbb}.exception{background:#bbb}.vtimer{background:#8c6bb1}\
.unknown{background:#d7191c}.failed{background:#000}\
.key span{display:inline-block;margin-right:1rem}.key i{display:inline-block;width:.8rem;height:.8rem;margin-right:.3rem}\
.bad{color:#c0392b;font-weight:600}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);padding:.5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dd{margin:0;overflow-wrap:anywhere}";

/// Writes the page.
///
/// # Errors
/// The host's, with the path in the message.
pub fn write(folder: &Path, results: &Results) -> io::Result<()> {
    let path = folder.join(FILE_NAME);
    let written = write_whole(&path, |file| file.write_all(render(results).as_bytes()));
    written.map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}

/// The whole page. Writing to a string cannot fail.
#[must_use]
pub fn render(results: &Results) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str(
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>elfuse: stress report</title>",
    );
    let _ = write!(out, "<style>{STYLE}</style></head><body>\n<h1>elfuse: stress report</h1>\n");
    render_verdict(results, &mut out);
    render_facts(results, &mut out);
    for (phase, seen) in &results.phases {
        render_phase(*phase, seen, &mut out);
    }
    render_latency(results, &mut out);
    render_controls(results, &mut out);
    render_failed_runs(results, &mut out);
    out.push_str("</body></html>\n");
    out
}

/// Text that is safe inside of an element and of a quoted attribute.
fn escape(text: impl Display) -> String {
    let text = text.to_string();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn render_verdict(results: &Results, out: &mut String) {
    let (class, text) = match &results.verdict {
        Some(verdict) if verdict.passed => ("open", "The gate is open: UNKNOWN may be fatal."),
        Some(_) => ("closed", "The gate is closed."),
        None => ("closed", "No verdict: not all phases of the gate were asked for, or they did not end."),
    };
    let _ = write!(out, "<div class=\"verdict {class}\"><strong>{text}</strong>");
    let reasons = results.verdict.iter().flat_map(|verdict| &verdict.reasons);
    let reasons: Vec<_> = reasons.map(|reason| format!("<li>{}</li>", escape(reason))).collect();
    if !reasons.is_empty() {
        let _ = write!(out, "<ul>{}</ul>", reasons.concat());
    }
    if results.interrupted {
        out.push_str("<p class=\"bad\">Somebody stopped the harness.</p>");
    }
    out.push_str("</div>\n");
}

fn render_facts(results: &Results, out: &mut String) {
    let (plan, platform) = (&results.plan, &results.platform);
    let iterations =
        if plan.by_duration { "repeated for a time".to_owned() } else { format!("{} iterations", plan.iterations) };
    let mut facts = vec![
        (
            "plan",
            format!("{iterations}, {} guests, {} runs at a time, seed {}", plan.guests.len(), plan.jobs, plan.seed),
        ),
        ("storm", format!("{} doorbells a second for each process", plan.storm_hz)),
        ("platform", format!("{} back end, {}, {} {}", platform.back_end, platform.engine, platform.os, platform.arch)),
        ("sources", results.sources.clone()),
    ];
    facts.extend(results.builds.iter().map(|build| (build.kind.as_str(), build.version.clone())));
    let rows = facts.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>", escape(name), escape(value)));
    let _ = writeln!(out, "<dl>{}</dl>", rows.collect::<String>());
}

fn render_phase(phase: Phase, seen: &PhaseResults, out: &mut String) {
    let total = seen.total();
    let time = seen.wall_ms.map_or("not finished".to_owned(), |wall_ms| format!("{} s", wall_ms / 1000));
    let _ = write!(
        out,
        "<h2>Phase {}: {} runs of {} planned, {time}</h2>\n<p class=\"key\">",
        phase.name(),
        total.seen,
        total.planned
    );
    for (name, class, _) in REASONS {
        let _ = write!(out, "<span><i class=\"{class}\"></i>{name}</span>");
    }
    out.push_str("</p>\n<div class=\"scroll\"><table><tr><th>guest</th><th>exit reasons</th><th>exits</th>");
    out.push_str("<th>in code</th><th>UNKNOWN</th><th>stray</th><th>runs</th><th>failed</th><th>mean ms</th></tr>\n");
    for (guest, counts) in &seen.guests {
        render_guest(guest, counts, out);
    }
    render_guest("all", &total, out);
    out.push_str("</table></div>\n");
    let in_code = |select: fn(Who) -> bool| total.tally.sum(select).canceled_in_code;
    let kicks: Vec<_> = total.tally.kicks.iter().map(|(cause, count)| format!("{} {count}", escape(cause))).collect();
    let _ = writeln!(
        out,
        "<p>Cancellations inside guest code: {} on workers, {} in fork children. Kicks by cause: {}.</p>",
        in_code(Who::is_worker),
        in_code(Who::is_child),
        kicks.join(", ")
    );
}

fn render_guest(guest: &str, counts: &GuestResults, out: &mut String) {
    let cell = counts.tally.total();
    let all = REASONS.iter().map(|(_, _, count)| count(&cell)).sum::<u64>();
    let passed = counts.outcomes.get(&Outcome::Passed).copied().unwrap_or(0);
    let failed = counts.seen.saturating_sub(passed);
    let _ = write!(out, "<tr><td>{}</td><td class=\"wide\"><span class=\"bar\">", escape(guest));
    for (name, class, count) in REASONS {
        let count = count(&cell);
        if count != 0 {
            let percent = count as f64 * 100.0 / all.max(1) as f64;
            let _ = write!(out, "<i class=\"{class}\" style=\"width:{percent:.2}%\" title=\"{name}: {count}\"></i>");
        }
    }
    let number =
        |value: u64| if value == 0 { "<td>0</td>".to_owned() } else { format!("<td class=\"bad\">{value}</td>") };
    let mean_ms = counts.wall_us.div_ceil(1000).checked_div(u64::from(counts.seen)).unwrap_or(0);
    let _ = writeln!(
        out,
        "</span></td><td>{all}</td><td>{}</td>{}{}<td>{}</td>{}<td>{mean_ms}</td></tr>",
        cell.canceled_in_code,
        number(cell.unknown),
        number(counts.tally.handlers()),
        counts.seen,
        number(u64::from(failed)),
    );
}

fn render_latency(results: &Results, out: &mut String) {
    let Some(longest) = results.latency.iter().map(|latency| latency.max_ns).max() else { return };
    out.push_str("<h2>Latency: doorbell to the handler's first instruction</h2>\n<div class=\"scroll\"><table>");
    out.push_str("<tr><th>guest</th><th></th><th>median &micro;s</th><th>99th &micro;s</th><th>longest &micro;s</th><th>samples</th></tr>\n");
    for latency in &results.latency {
        // Each part of the bar is what the next quantile adds, on a common scale.
        let share = |ns: u64| ns as f64 * 100.0 / longest.max(1) as f64;
        let parts = [
            ("in-code", latency.p50_ns),
            ("latched", latency.p99_ns.saturating_sub(latency.p50_ns)),
            ("exception", latency.max_ns.saturating_sub(latency.p99_ns)),
        ];
        let bar: String = parts
            .iter()
            .map(|(class, ns)| format!("<i class=\"{class}\" style=\"width:{:.2}%\"></i>", share(*ns)))
            .collect();
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"wide\"><span class=\"bar\">{bar}</span></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&latency.guest),
            latency.p50_ns / 1000,
            latency.p99_ns / 1000,
            latency.max_ns / 1000,
            latency.samples
        );
    }
    out.push_str("</table></div>\n");
}

fn render_controls(results: &Results, out: &mut String) {
    if results.controls.is_empty() {
        return;
    }
    out.push_str("<h2>Controls: deliberate breakages, and what caught them</h2>\n<div class=\"scroll\"><table>");
    out.push_str("<tr><th>control</th><th>guest</th><th>must be caught by</th><th>caught</th><th>of</th><th>checks that fired</th></tr>\n");
    for control in &results.controls {
        let fired: Vec<_> = control.fired.iter().map(|(check, runs)| format!("{} {runs}", check.name())).collect();
        let class = if control.passed() { "" } else { " class=\"bad\"" };
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td><td{class}>{}</td><td>{}</td><td class=\"text\">{}</td></tr>",
            escape(&control.control),
            escape(&control.guest),
            control.caught_by.name(),
            control.caught,
            control.planned,
            escape(fired.join(", "))
        );
    }
    out.push_str("</table></div>\n");
}

fn render_failed_runs(results: &Results, out: &mut String) {
    if results.failed_runs.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>Failed runs (the first {})</h2>", results.failed_runs.len());
    for run in &results.failed_runs {
        let _ = write!(
            out,
            "<details><summary>{}: {}</summary>",
            escape(&run.id),
            format!("{:?}", run.outcome).to_lowercase()
        );
        for failure in &run.failures {
            let _ = write!(out, "<pre><strong>{}</strong> {}</pre>", failure.check().name(), escape(failure));
        }
        out.push_str("</details>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Check, ControlResult, Failure, LatencyResult, RunId, Verdict};
    use crate::results::FailedRun;
    use crate::tally::Tally;

    fn results() -> Results {
        let mut results = Results::default();
        let cell = Cell { canceled_in_code: 30, exception: 69, unknown: 1, ..Cell::default() };
        let tally = Tally { cells: [(Who::InitialWorker, cell)].into(), ..Tally::default() };
        let guest = GuestResults { planned: 4, seen: 4, tally, ..GuestResults::default() };
        let phase = PhaseResults { guests: [("a<b".to_owned(), guest)].into(), ..PhaseResults::default() };
        results.phases.insert(Phase::Measure, phase);
        results.latency.push(LatencyResult {
            guest: "parked".into(),
            samples: 9,
            p50_ns: 50_000,
            p99_ns: 90_000,
            max_ns: 200_000,
        });
        results.controls.push(ControlResult {
            control: "mask-worker".into(),
            guest: "spin".into(),
            caught_by: Check::Mask,
            planned: 3,
            seen: 3,
            caught: 2,
            fired: [(Check::Mask, 2)].into(),
        });
        let id = RunId { phase: Phase::Measure, guest: "a<b".into(), control: None, iteration: 7 };
        let failures = vec![Failure::Unknown { count: 1 }];
        results.failed_runs.push(FailedRun { id, outcome: Outcome::Failed, failures });
        results.verdict = Some(Verdict { passed: false, reasons: vec!["1 exit is <UNKNOWN> & bad".into()] });
        results
    }

    #[test]
    fn all_parts_are_there_and_texts_are_escaped() {
        let page = render(&results());
        for part in [
            "The gate is closed.",
            "<li>1 exit is &lt;UNKNOWN&gt; &amp; bad</li>",
            "Phase measure: 4 runs of 4 planned, not finished",
            "class=\"in-code\" style=\"width:30.00%\"",
            "class=\"unknown\" style=\"width:1.00%\" title=\"UNKNOWN: 1\"",
            "<td class=\"bad\">1</td>",
            "<td>parked</td>",
            "style=\"width:25.00%\"",
            "<td class=\"bad\">2</td><td>3</td>",
            "<summary>measure a&lt;b",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("a<b"));
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = render(&results());
        for foreign in ["http", "src=", "href=", "<script", "url(", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn nothing_is_a_page_too() {
        let page = render(&Results::default());
        assert!(page.contains("No verdict") && page.ends_with("</html>\n"));
    }
}
