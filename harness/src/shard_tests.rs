use super::*;
use crate::event::{Check, Event, Failure, Outcome, Phase, RunId, RunResult, StormCounts};
use crate::results::{Plan, Platform};
use crate::tally::Tally;
use proptest::prelude::*;

fn part(index: u32, of: u32) -> Results {
    let shard = Shard { index, of };
    let plan = Plan {
        shard: Some(shard),
        iterations: shard.share(10),
        seed: 7,
        phases: vec![Phase::Measure],
        ..Plan::default()
    };
    let mut results = Results::new(plan, Platform::default(), "aa".into());
    results.note(&Event::PhaseStarted(Phase::Measure));
    results.note(&Event::Planned { phase: Phase::Measure, guest: "a".into(), runs: shard.share(10) });
    for iteration in (0..10).filter(|iteration| shard.takes(*iteration)) {
        results.note(&Event::RunFinished(Box::new(RunResult {
            id: RunId { phase: Phase::Measure, guest: "a".into(), control: None, iteration },
            outcome: if iteration == 3 { Outcome::Failed } else { Outcome::Passed },
            failures: if iteration == 3 { vec![Failure::Unknown { count: 1 }] } else { Vec::new() },
            tally: Tally { processes: 1, ..Tally::default() },
            storm: StormCounts { doorbells: 5, ..StormCounts::default() },
            wall_us: 10,
            latencies_ns: Vec::new(),
        })));
    }
    results.note(&Event::PhaseFinished { phase: Phase::Measure, strays: Vec::new(), wall_ms: u64::from(index) });
    results
}

fn control(caught: u32) -> ControlResult {
    ControlResult {
        control: "c".into(),
        guest: "a".into(),
        caught_by: Check::Mask,
        planned: 2,
        seen: 2,
        caught,
        fired: BTreeMap::from([(Check::Mask, caught)]),
    }
}

#[test]
fn parts_add_up_to_the_whole() {
    let parts: Vec<Results> = (1..=4).map(|index| part(index, 4)).collect();
    let merged = merge(&parts).unwrap();
    let whole = part(1, 1);
    assert_eq!(merged.plan.iterations, 10);
    assert_eq!(merged.phases[&Phase::Measure].guests, whole.phases[&Phase::Measure].guests);
    assert_eq!(merged.failed_runs, whole.failed_runs);
    assert_eq!(merged.phases[&Phase::Measure].wall_ms, Some(4), "the longest");
    assert_eq!((merged.plan.shard, &merged.verdict), (None, &None));
}

#[test]
fn what_is_not_all_of_one_plan_is_an_error() {
    assert_eq!(merge(&[]), Err(MergeError::Nothing));
    assert_eq!(merge(&[part(1, 2)]), Err(MergeError::Missing(Shard { index: 2, of: 2 })));
    assert_eq!(merge(&[part(1, 2), part(1, 2)]), Err(MergeError::Twice(Shard { index: 1, of: 2 })));
    let mut other = part(2, 2);
    other.plan.seed = 8;
    assert!(matches!(merge(&[part(1, 2), other]), Err(MergeError::Differs { report: 2, .. })));
    let mut other = part(2, 2);
    other.sources = "bb".into();
    assert!(matches!(merge(&[part(1, 2), other]), Err(MergeError::Differs { report: 2, .. })));
    let mut whole = part(1, 1);
    whole.plan.shard = None;
    assert_eq!(merge(&[whole]), Err(MergeError::NoShard(1)));
}

#[test]
fn a_phase_that_a_part_did_not_end_is_not_ended() {
    let mut second = part(2, 2);
    second.phases.remove(&Phase::Measure);
    assert_eq!(merge(&[part(1, 2), second]).unwrap().phases[&Phase::Measure].wall_ms, None);
    let mut second = part(2, 2);
    second.phases.entry(Phase::Measure).or_default().wall_ms = None;
    assert_eq!(merge(&[part(1, 2), second]).unwrap().phases[&Phase::Measure].wall_ms, None);
}

#[test]
fn a_control_missed_anywhere_is_missed_and_the_slowest_machine_decides() {
    let (mut a, mut b) = (part(1, 2), part(2, 2));
    a.controls = vec![control(2)];
    b.controls = vec![control(1)];
    let times = |p99_ns| LatencyResult { guest: "l".into(), samples: 10, p99_ns, ..LatencyResult::default() };
    a.latency = vec![times(100)];
    b.latency = vec![times(900)];
    let merged = merge(&[a.clone(), b.clone()]).unwrap();
    assert!(!merged.controls[0].passed() && merged.controls[0].planned == 4);
    assert_eq!((merged.latency[0].p99_ns, merged.latency[0].samples), (900, 20));
    a.latency[0].samples = 0;
    assert_eq!(merge(&[a, b]).unwrap().latency[0].samples, 0, "one machine measured nothing");
}

proptest! {
    #[test]
    fn each_number_falls_to_one_part(of in 1_u32..20, count in 0_u32..200) {
        let shards: Vec<Shard> = (1..=of).map(|index| Shard { index, of }).collect();
        for number in 0..count {
            prop_assert_eq!(shards.iter().filter(|shard| shard.takes(number)).count(), 1);
        }
        for shard in shards {
            prop_assert_eq!(shard.share(count) as usize, (0..count).filter(|number| shard.takes(*number)).count());
            prop_assert_eq!(shard.to_string().parse::<Shard>(), Ok(shard));
        }
    }

    #[test]
    fn other_texts_are_errors(text in "[0-9/ -]{0,12}") {
        if let Ok(shard) = text.parse::<Shard>() {
            prop_assert!(1 <= shard.index && shard.index <= shard.of && shard.of <= Shard::MOST);
        }
    }
}
