//! The JUnit XML report: a suite for each phase with a case for each guest, a suite of the controls, one of the verdict.
//!
//! A case is a guest, not a run: there are tens of thousands of runs. What was planned and not seen is a failed case.

use crate::event::Outcome;
use crate::record::write_whole;
use crate::results::{GuestResults, PhaseResults, Results};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// The report's file name in the folder of `--report`.
pub const FILE_NAME: &str = "junit.xml";

/// Writes the report.
///
/// # Errors
/// The host's, with the path in the message.
pub fn write(folder: &Path, results: &Results) -> io::Result<()> {
    let path = folder.join(FILE_NAME);
    let written = write_whole(&path, |file| file.write_all(render(results)?.as_bytes()));
    written.map_err(|error| super::unwritten(&path, &error))
}

/// The XML text.
///
/// # Errors
/// None that is known: XML of any results can be written.
pub fn render(results: &Results) -> io::Result<String> {
    let mut report = Report::new("elfuse harness");
    for (phase, seen) in &results.phases {
        report.add_test_suite(phase_suite(phase.name(), seen, results));
    }
    if !results.controls.is_empty() {
        report.add_test_suite(controls_suite(results));
    }
    report.add_test_suite(verdict_suite(results));
    report.to_string().map_err(io::Error::other)
}

fn phase_suite(name: &str, seen: &PhaseResults, results: &Results) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.set_time(Duration::from_millis(seen.wall_ms.unwrap_or(0)));
    for (guest, counts) in &seen.guests {
        // With a control a run is to fail; the suite of the controls says whether it did.
        let problem = if name == "controls" { not_seen(counts) } else { problem(counts) };
        let mut case = case(guest, problem);
        case.set_classname(name).set_time(Duration::from_micros(counts.wall_us));
        let examples: Vec<String> = results
            .failed_runs
            .iter()
            .filter(|run| run.id.phase.name() == name && run.id.guest == *guest)
            .take(5)
            .flat_map(|run| run.failures.iter().map(move |failure| format!("{}: {failure}", run.id)))
            .collect();
        if !examples.is_empty() {
            case.set_system_err(examples.join("\n"));
        }
        suite.add_test_case(case);
    }
    suite
}

fn not_seen(counts: &GuestResults) -> Option<String> {
    (counts.seen != counts.planned).then(|| format!("{} runs planned, {} seen", counts.planned, counts.seen))
}

fn problem(counts: &GuestResults) -> Option<String> {
    let failed: Vec<String> =
        counts.failures.iter().map(|(check, runs)| format!("{} in {runs} runs", check.name())).collect();
    let passed = counts.outcomes.get(&Outcome::Passed).copied().unwrap_or(0);
    not_seen(counts)
        .or_else(|| (!failed.is_empty()).then(|| failed.join(", ")))
        .or_else(|| (passed != counts.planned).then(|| format!("{passed} of {} runs passed", counts.planned)))
}

fn controls_suite(results: &Results) -> TestSuite {
    let mut suite = TestSuite::new("controls caught");
    for control in &results.controls {
        let problem = (!control.passed()).then(|| {
            format!("caught by {} alone in {} of {}", control.caught_by.name(), control.caught, control.planned)
        });
        suite.add_test_case(case(&control.control, problem));
    }
    suite
}

fn verdict_suite(results: &Results) -> TestSuite {
    let mut suite = TestSuite::new("verdict");
    let problem = match &results.verdict {
        Some(verdict) if verdict.passed => None,
        Some(verdict) => Some(verdict.reasons.join("\n")),
        None => Some("there is no verdict".to_owned()),
    };
    suite.add_test_case(case("gate", problem));
    suite
}

fn case(name: &str, problem: Option<String>) -> TestCase {
    let status = match problem {
        None => TestCaseStatus::success(),
        Some(problem) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(problem);
            status
        }
    };
    TestCase::new(name, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Check, Phase, Verdict};
    use std::collections::BTreeMap;

    #[test]
    fn what_is_not_seen_is_a_failure_and_names_are_escaped() {
        let counts = GuestResults { planned: 2, seen: 1, ..GuestResults::default() };
        let phase = PhaseResults { guests: BTreeMap::from([("a<&\"".to_owned(), counts)]), ..PhaseResults::default() };
        let results = Results { phases: BTreeMap::from([(Phase::Measure, phase)]), ..Results::default() };
        let xml = render(&results).unwrap();
        assert!(xml.contains("2 runs planned, 1 seen") && xml.contains("a&lt;&amp;"), "{xml}");
        assert!(xml.contains("there is no verdict"), "{xml}");
    }

    #[test]
    fn runs_with_a_control_may_fail_checks() {
        let failures = BTreeMap::from([(Check::Mask, 2)]);
        let counts = GuestResults { planned: 2, seen: 2, failures, ..GuestResults::default() };
        assert!(problem(&counts).is_some() && not_seen(&counts).is_none());
        let passed = Verdict { passed: true, reasons: Vec::new() };
        let phase = PhaseResults { guests: BTreeMap::from([("a".to_owned(), counts)]), ..PhaseResults::default() };
        let phases = BTreeMap::from([(Phase::Controls, phase)]);
        let xml = render(&Results { phases, verdict: Some(passed), ..Results::default() }).unwrap();
        assert!(xml.contains("failures=\"0\""), "{xml}");
    }
}
