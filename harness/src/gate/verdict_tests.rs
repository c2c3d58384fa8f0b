//! The verdict over good results passes, and every single flaw closes the gate for its own reason.

use super::*;
use crate::event::{ControlResult, LatencyResult};
use crate::results::{GuestResults, Plan};
use crate::tally::Cell;
use std::collections::BTreeMap;

fn good_guest(runs: u32) -> GuestResults {
    let cells = BTreeMap::from([
        (Who::InitialBootstrap, Cell { canceled_in_code: 80_000, ..Cell::default() }),
        (Who::InitialWorker, Cell { canceled_in_code: 20_000, ..Cell::default() }),
        (Who::ChildBootstrap, Cell { canceled_in_code: 20_000, ..Cell::default() }),
    ]);
    GuestResults {
        planned: runs,
        seen: runs,
        outcomes: BTreeMap::from([(Outcome::Passed, runs)]),
        tally: Tally { cells, ..Tally::default() },
        ..GuestResults::default()
    }
}

fn good_control() -> ControlResult {
    ControlResult {
        control: "mask-worker".into(),
        guest: "spin-workers".into(),
        caught_by: Check::Mask,
        planned: 20,
        seen: 20,
        caught: 20,
        fired: BTreeMap::from([(Check::Mask, 20)]),
    }
}

fn good_latency(guest: &str) -> LatencyResult {
    LatencyResult {
        guest: guest.into(),
        samples: 1000,
        p50_ns: 50_000,
        p99_ns: 400_000,
        max_ns: 3_000_000,
        ..LatencyResult::default()
    }
}

fn good() -> Results {
    let phases = [Phase::Measure, Phase::Controls, Phase::Latency, Phase::Fatal];
    let plan = Plan { iterations: 500, phases: phases.to_vec(), all_guests: true, ..Plan::default() };
    let phase = || PhaseResults {
        guests: BTreeMap::from([("spin".to_owned(), good_guest(500))]),
        strays: Vec::new(),
        wall_ms: Some(1000),
    };
    Results {
        plan,
        phases: phases.into_iter().map(|name| (name, phase())).collect(),
        controls: vec![good_control()],
        latency: vec![good_latency("latency-spin"), good_latency("latency-park")],
        ..Results::default()
    }
}

/// The only reason that this change of good results gives.
fn reason(change: impl FnOnce(&mut Results)) -> String {
    let mut results = good();
    change(&mut results);
    let verdict = verdict(&results);
    assert!(!verdict.passed);
    assert_eq!(verdict.reasons.len(), 1, "{:?}", verdict.reasons);
    verdict.reasons.into_iter().next().unwrap()
}

fn guest(results: &mut Results, phase: Phase) -> &mut GuestResults {
    results.phases.get_mut(&phase).unwrap().guests.get_mut("spin").unwrap()
}

#[test]
fn good_results_pass() {
    assert_eq!(verdict(&good()), Verdict { passed: true, reasons: Vec::new() });
    assert_eq!(may_be_recorded(&good()), Ok(()));
}

#[test]
fn nothing_at_all_does_not_pass() {
    assert!(!verdict(&Results::default()).passed);
}

#[test]
fn an_interruption_closes_the_gate() {
    assert!(reason(|results| results.interrupted = true).contains("interrupted"));
}

#[test]
fn every_phase_must_be_asked_for_begin_and_end() {
    for phase in [Phase::Measure, Phase::Controls, Phase::Latency, Phase::Fatal] {
        let name = phase.name();
        let missing = reason(|results| results.plan.phases.retain(|known| *known != phase));
        assert_eq!(missing, format!("phase {name} was not asked for"));
        assert_eq!(reason(|r| drop(r.phases.remove(&phase))), format!("phase {name} did not begin"));
        let open = reason(|r| r.phases.get_mut(&phase).unwrap().wall_ms = None);
        assert_eq!(open, format!("phase {name} did not come to its end"));
    }
}

#[test]
fn a_storm_that_was_late_closes_the_gate() {
    for phase in [Phase::Measure, Phase::Fatal] {
        let late = |us| {
            move |r: &mut Results| {
                guest(r, phase).storm = StormCounts { process_us: 949, late_us: us, ..StormCounts::default() }
            }
        };
        let mut results = good();
        late(50)(&mut results);
        assert!(verdict(&results).passed);
        assert!(reason(late(60)).contains("missed 59 thousandths"));
    }
}

#[test]
fn what_is_planned_must_be_seen() {
    for phase in [Phase::Measure, Phase::Controls, Phase::Latency, Phase::Fatal] {
        let reason = reason(|results| guest(results, phase).planned = 501);
        assert!(reason.contains("501 runs planned, 500 seen"), "{reason}");
    }
}

#[test]
fn a_phase_without_runs_proves_nothing() {
    let mut results = good();
    results.phases.get_mut(&Phase::Controls).unwrap().guests.clear();
    assert_eq!(verdict(&results).reasons, ["phase controls: no run was planned"]);
}

#[test]
fn every_check_closes_the_gate() {
    for phase in [Phase::Measure, Phase::Latency, Phase::Fatal] {
        for check in Check::ALL {
            let reason = reason(|results| {
                guest(results, phase).failures.insert(check, 1);
            });
            assert!(reason.contains(&format!("check {} failed in 1 of 500", check.name())), "{reason}");
        }
    }
    // With a control, checks are to fail.
    let mut results = good();
    guest(&mut results, Phase::Controls).failures.insert(Check::Mask, 500);
    assert!(verdict(&results).passed);
}

#[test]
fn a_run_that_neither_passed_nor_failed_a_check_closes_the_gate() {
    let reason = reason(|results| {
        guest(results, Phase::Fatal).outcomes = BTreeMap::from([(Outcome::Passed, 499), (Outcome::NotStarted, 1)]);
    });
    assert!(reason.contains("499 of 500 runs passed"), "{reason}");
}

#[test]
fn counts_that_must_be_zero() {
    for phase in [Phase::Measure, Phase::Latency, Phase::Fatal] {
        let cell = |results: &mut Results, change: fn(&mut Cell)| {
            change(guest(results, phase).tally.cells.get_mut(&Who::InitialWorker).unwrap());
        };
        assert!(reason(|r| cell(r, |cell| cell.unknown = 1)).contains("1 UNKNOWN exits"));
        assert!(reason(|r| cell(r, |cell| cell.stray_handler = 1)).contains("1 stray handlers"));
        assert!(reason(|r| cell(r, |cell| cell.inside_handler = 1)).contains("1 stray handlers"));
        assert!(reason(|r| cell(r, |cell| cell.self_kick = 1)).contains("1 self kicks"));
    }
}

#[test]
fn cancellations_inside_guest_code_must_be_many() {
    let set = |results: &mut Results, who, count| {
        guest(results, Phase::Measure).tally.cells.get_mut(&who).unwrap().canceled_in_code = count;
    };
    let few = reason(|r| set(r, Who::InitialBootstrap, 59_999));
    assert!(few.contains("99999 cancellations inside guest code, 100000 wanted"), "{few}");
    assert!(
        reason(|r| set(r, Who::InitialWorker, 19_999)).contains("19999 cancellations inside guest code on workers")
    );
    assert!(reason(|r| set(r, Who::ChildBootstrap, 19_999)).contains("in fork children"));
    let worker_of_child = reason(|r| {
        set(r, Who::InitialWorker, 0);
        set(r, Who::InitialBootstrap, 100_000);
    });
    assert!(worker_of_child.contains("0 cancellations inside guest code on workers"));
}

#[test]
fn thresholds_scale_with_the_plan_and_are_never_zero() {
    assert_eq!(scaled(IN_CODE, 500), 100_000);
    assert_eq!(scaled(IN_CODE, 50), 10_000);
    assert_eq!(scaled(IN_CODE, 1000), 200_000);
    assert_eq!(scaled(IN_CODE, 0), 1);
}

#[test]
fn every_control_must_be_caught_every_time() {
    assert!(reason(|r| r.controls[0].caught = 19).contains("in 19 of 20"));
    assert!(reason(|r| r.controls[0].seen = 19).contains("control mask-worker"));
    assert!(reason(|r| r.controls[0].planned = 0).contains("control mask-worker"));
    assert_eq!(reason(|r| r.controls.clear()), "no control was run");
    let other = reason(|r| {
        r.controls[0].caught = 0;
        r.controls[0].fired = BTreeMap::from([(Check::Ending, 20)]);
    });
    assert!(other.contains("checks that failed: ending 20"), "{other}");
}

#[test]
fn latency_must_be_measured_and_low() {
    assert!(reason(|r| drop(r.latency.pop())).contains("1 guests measured, 2 wanted"));
    assert!(reason(|r| r.latency[0].samples = 0).contains("measured nothing"));
    assert!(reason(|r| r.latency[1].p99_ns = 2_000_000).contains("p99 of 2000 us"));
    // The longest single one is reported, and decides nothing.
    let mut results = good();
    results.latency[0].max_ns = u64::MAX;
    assert!(verdict(&results).passed);
}

#[test]
fn strays_close_the_gate() {
    assert!(reason(|r| r.phases.get_mut(&Phase::Measure).unwrap().strays = vec![7]).contains("[7]"));
}

#[test]
fn a_candidate_leaves_the_fatal_phase_out_and_nothing_else() {
    let mut results = good();
    results.phases.remove(&Phase::Fatal);
    assert!(candidate_verdict(&results).passed);
    assert!(!verdict(&results).passed);
    results.controls[0].caught = 0;
    assert!(!candidate_verdict(&results).passed);
}

#[test]
fn only_an_acceptance_plan_may_be_recorded() {
    let refused = |change: fn(&mut Plan)| {
        let mut results = good();
        change(&mut results.plan);
        may_be_recorded(&results).unwrap_err()
    };
    assert!(refused(|plan| plan.iterations = 499).contains("499"));
    assert!(refused(|plan| plan.all_guests = false).contains("--class"));
    assert!(refused(|plan| plan.by_duration = true).contains("--duration"));
}
