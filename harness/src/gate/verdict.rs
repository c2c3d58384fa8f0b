//! The gate's answer as a pure function of the results: [`verdict`].
//!
//! The conditions are those of `docs/design.md` §8. Counts that must be reached are stated for the acceptance plan and scale
//! with the iterations; a smaller plan can pass, but never be recorded as acceptance ([`may_be_recorded`]).

use crate::event::{Check, Outcome, Phase, StormCounts, Verdict};
use crate::plan::ACCEPTANCE_ITERATIONS;
use crate::results::{PhaseResults, Results};
use crate::tally::{Tally, Who};

/// Cancellations inside guest code that an acceptance plan shows, at least.
pub const IN_CODE: u64 = 100_000;
/// Of these, on CLONE_THREAD workers.
pub const IN_CODE_WORKERS: u64 = 20_000;
/// Of these, in fork children.
pub const IN_CODE_CHILDREN: u64 = 20_000;
/// The 99th percentile of doorbell to handler that must not be reached, in nanoseconds.
pub const LATENCY_P99_NS: u64 = 2_000_000;
/// The part of the processes' lives that the storm may miss, in thousandths: a machine that gives it no processor for longer
/// has not stormed them.
pub const LATE_PER_MILLE: u64 = 50;
/// Latency guests that must have been measured: one that runs and one that is parked.
const LATENCY_GUESTS: usize = 2;

/// Whether the gate is open, and if not, why.
#[must_use]
pub fn verdict(results: &Results) -> Verdict {
    let mut reasons = Vec::new();
    if results.interrupted {
        reasons.push("the harness was interrupted".to_owned());
    }
    for phase in &results.plan.phases {
        match results.phases.get(phase) {
            Some(seen) => phase_reasons(*phase, seen, results, &mut reasons),
            None => reasons.push(format!("phase {} did not begin", phase.name())),
        }
    }
    for phase in Phase::ALL {
        if !results.plan.phases.contains(&phase) {
            reasons.push(format!("phase {} was not asked for", phase.name()));
        }
    }
    Verdict { passed: reasons.is_empty(), reasons }
}

/// The verdict over the phases that come before the fatal build: what a candidate record is made from.
#[must_use]
pub fn candidate_verdict(results: &Results) -> Verdict {
    let mut before = results.clone();
    before.plan.phases.retain(|phase| *phase != Phase::Fatal);
    before.phases.remove(&Phase::Fatal);
    let mut verdict = verdict(&before);
    verdict.reasons.retain(|reason| *reason != format!("phase {} was not asked for", Phase::Fatal.name()));
    verdict.passed = verdict.reasons.is_empty();
    verdict
}

/// Whether a passing verdict over these results may be recorded, and if not, why.
///
/// # Errors
/// The reason, in words.
pub fn may_be_recorded(results: &Results) -> Result<(), String> {
    let plan = &results.plan;
    if plan.by_duration {
        return Err("a plan by --duration has no fixed number of iterations".into());
    }
    if plan.iterations < ACCEPTANCE_ITERATIONS {
        return Err(format!(
            "{} iterations are fewer than the acceptance plan's {ACCEPTANCE_ITERATIONS}",
            plan.iterations
        ));
    }
    if !plan.all_guests {
        return Err("only some of the guests took part (--class, --guest)".into());
    }
    Ok(())
}

fn phase_reasons(phase: Phase, seen: &PhaseResults, results: &Results, reasons: &mut Vec<String>) {
    let name = phase.name();
    if seen.wall_ms.is_none() {
        reasons.push(format!("phase {name} did not come to its end"));
    }
    if !seen.strays.is_empty() {
        reasons.push(format!("phase {name} left processes {:?} that belong to no run", seen.strays));
    }
    if seen.total().planned == 0 {
        reasons.push(format!("phase {name}: no run was planned"));
    }
    for (guest, counts) in &seen.guests {
        if counts.seen != counts.planned {
            reasons.push(format!("phase {name}, {guest}: {} runs planned, {} seen", counts.planned, counts.seen));
        }
    }
    match phase {
        Phase::Measure | Phase::Fatal => {
            failures(name, seen, reasons);
            zero_counts(name, &seen.total().tally, reasons);
            in_code_counts(name, &seen.total().tally, results.plan.iterations, reasons);
            storm(name, &seen.total().storm, reasons);
        }
        Phase::Controls => controls(results, reasons),
        Phase::Latency => {
            failures(name, seen, reasons);
            zero_counts(name, &seen.total().tally, reasons);
            latency(results, reasons);
        }
    }
}

fn failures(name: &str, seen: &PhaseResults, reasons: &mut Vec<String>) {
    for (guest, counts) in &seen.guests {
        for check in Check::ALL {
            if let Some(runs) = counts.failures.get(&check).filter(|runs| **runs > 0) {
                let check = check.name();
                reasons.push(format!("phase {name}, {guest}: check {check} failed in {runs} of {} runs", counts.seen));
            }
        }
        let passed = counts.outcomes.get(&Outcome::Passed).copied().unwrap_or(0);
        if counts.failures.is_empty() && passed != counts.seen {
            reasons.push(format!("phase {name}, {guest}: {passed} of {} runs passed", counts.seen));
        }
    }
}

/// The zeros are read from the counts, too, not only from the checks: two ways to see the same thing.
fn zero_counts(name: &str, tally: &Tally, reasons: &mut Vec<String>) {
    let zeros = [
        ("UNKNOWN exits", tally.total().unknown),
        ("stray handlers", tally.handlers()),
        ("self kicks", tally.self_kicks()),
    ];
    for (what, count) in zeros {
        if count > 0 {
            reasons.push(format!("phase {name}: {count} {what}"));
        }
    }
}

fn in_code_counts(name: &str, tally: &Tally, iterations: u32, reasons: &mut Vec<String>) {
    let places = [
        ("", tally.total(), IN_CODE),
        (" on workers", tally.sum(Who::is_worker), IN_CODE_WORKERS),
        (" in fork children", tally.sum(Who::is_child), IN_CODE_CHILDREN),
    ];
    for (place, cell, acceptance) in places {
        let wanted = scaled(acceptance, iterations);
        let count = cell.canceled_in_code;
        if count < wanted {
            reasons.push(format!("phase {name}: {count} cancellations inside guest code{place}, {wanted} wanted"));
        }
    }
}

fn storm(name: &str, storm: &StormCounts, reasons: &mut Vec<String>) {
    let late = storm.late_per_mille();
    if late > LATE_PER_MILLE {
        reasons.push(format!(
            "phase {name}: the storm missed {late} thousandths of the processes' time, {LATE_PER_MILLE} allowed: run it on an idle machine"
        ));
    }
}

/// A count of the acceptance plan for a plan of another size, at least 1.
fn scaled(acceptance: u64, iterations: u32) -> u64 {
    (acceptance * u64::from(iterations) / u64::from(ACCEPTANCE_ITERATIONS)).max(1)
}

fn controls(results: &Results, reasons: &mut Vec<String>) {
    if results.controls.is_empty() {
        reasons.push("no control was run".to_owned());
    }
    for control in results.controls.iter().filter(|control| !control.passed()) {
        let fired: Vec<String> = control.fired.iter().map(|(check, runs)| format!("{} {runs}", check.name())).collect();
        reasons.push(format!(
            "control {} with {}: caught by {} alone in {} of {} repetitions (checks that failed: {})",
            control.control,
            control.guest,
            control.caught_by.name(),
            control.caught,
            control.planned,
            if fired.is_empty() { "none".to_owned() } else { fired.join(", ") },
        ));
    }
}

fn latency(results: &Results, reasons: &mut Vec<String>) {
    if results.latency.len() < LATENCY_GUESTS {
        reasons.push(format!("latency: {} guests measured, {LATENCY_GUESTS} wanted", results.latency.len()));
    }
    for latency in &results.latency {
        if latency.samples == 0 {
            reasons.push(format!("latency: {} measured nothing", latency.guest));
        }
        if latency.p99_ns >= LATENCY_P99_NS {
            let (guest, p99_us, limit_us) = (&latency.guest, latency.p99_ns / 1000, LATENCY_P99_NS / 1000);
            reasons.push(format!("latency: {guest} has a p99 of {p99_us} us, less than {limit_us} us wanted"));
        }
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
