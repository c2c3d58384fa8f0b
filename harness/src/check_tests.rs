//! Every check fails once.

use super::*;
use crate::event::Check;
use elfuse::preempt::stats::{ProcessCounter, ProcessKind, Stats, TaskCounter, TaskRole};
use guest_tests::Manifest;

const TERMS: Terms = Terms { storm_hz: 2000, leaves: 0 };

fn guest(name: &str) -> Guest {
    Manifest::load().unwrap().guest(name).unwrap().clone()
}

/// Counts as a run with one process and one task would write them.
fn snapshot(counts: &[(TaskCounter, u64)], process_counts: &[(ProcessCounter, u64)]) -> StatsSnapshot {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stats");
    let stats = Stats::open(&path, ProcessKind::Initial).unwrap();
    let process = stats.claim_process();
    let task = stats.claim_task(TaskRole::Bootstrap);
    for (counter, count) in counts {
        task.add(*counter, *count);
    }
    for (counter, count) in process_counts {
        process.add(*counter, *count);
    }
    StatsSnapshot::open(&path).unwrap()
}

fn good_hello() -> Evidence {
    Evidence {
        ending: Some(Ending::Exit(0)),
        stdout: b"hello, world\n".to_vec(),
        snapshot: Ok(snapshot(&[(TaskCounter::RunsEntered, 2), (TaskCounter::ExitsException, 2)], &[])),
        ..Evidence::default()
    }
}

fn checks(guest: &Guest, seen: &Evidence) -> Vec<Check> {
    judge(guest, TERMS, seen).iter().map(Failure::check).collect()
}

#[test]
fn a_good_run_has_no_failures() {
    assert_eq!(judge(&guest("hello"), TERMS, &good_hello()), []);
}

#[test]
fn counts_that_must_be_zero() {
    use TaskCounter as T;
    let base = [(T::RunsEntered, 2), (T::ExitsException, 1)];
    type Row<'a> = (&'a [(T, u64)], &'a [(ProcessCounter, u64)], Check);
    let rows: [Row<'_>; 6] = [
        (&[(T::ExitsUnknown, 1)], &[], Check::Unknown),
        (&[(T::ExitsException, 1), (T::HandlersOutsideRun, 1)], &[], Check::StrayHandler),
        (&[(T::ExitsException, 1), (T::HandlersInsideRun, 1)], &[], Check::StrayHandler),
        (&[(T::ExitsException, 1)], &[(ProcessCounter::StrayHandlers, 1)], Check::StrayHandler),
        (&[(T::ExitsException, 1), (T::SelfKicks, 1)], &[], Check::SelfKick),
        (&[(T::ExitsException, 1)], &[(ProcessCounter::RecordsUndelivered, 1)], Check::Undelivered),
    ];
    for (task, process, check) in rows {
        let seen = Evidence { snapshot: Ok(snapshot(&[&base, task].concat(), process)), ..good_hello() };
        assert_eq!(checks(&guest("hello"), &seen), [check]);
    }
}

#[test]
fn a_run_lost_from_the_books() {
    let lost = snapshot(&[(TaskCounter::RunsEntered, 4), (TaskCounter::ExitsException, 2)], &[]);
    assert_eq!(checks(&guest("hello"), &Evidence { snapshot: Ok(lost), ..good_hello() }), [Check::Balance]);
    let invented = snapshot(&[(TaskCounter::RunsEntered, 1), (TaskCounter::ExitsException, 2)], &[]);
    assert_eq!(checks(&guest("hello"), &Evidence { snapshot: Ok(invented), ..good_hello() }), [Check::Balance]);
}

#[test]
fn no_statistics_are_a_failure() {
    let seen = Evidence { snapshot: Err("no such file".into()), ..good_hello() };
    assert_eq!(checks(&guest("hello"), &seen), [Check::Stats]);
    let seen = Evidence { snapshot: Ok(StatsSnapshot::default()), ..good_hello() };
    assert_eq!(checks(&guest("hello"), &seen), [Check::Stats]);
}

#[test]
fn slots_that_cannot_be_read_are_a_failure() {
    let snapshot = |change: fn(&mut StatsSnapshot)| {
        let Evidence { snapshot: Ok(mut good), .. } = good_hello() else { unreachable!() };
        change(&mut good);
        Ok(good)
    };
    for broken in [snapshot(|it| it.overflowed = 1), snapshot(|it| it.unreadable_slots = 1)] {
        assert_eq!(checks(&guest("hello"), &Evidence { snapshot: broken, ..good_hello() }), [Check::Stats]);
    }
    let unfinished = || snapshot(|it| it.unfinished_slots = 1);
    assert_eq!(checks(&guest("hello"), &Evidence { snapshot: unfinished(), ..good_hello() }), [Check::Stats]);
    // One of its processes was killed by the harness, perhaps while it claimed the slot.
    assert_eq!(checks(&guest("hello"), &Evidence { snapshot: unfinished(), ending: None, ..good_hello() }), []);
}

#[test]
fn a_spinning_guest_must_be_interrupted_in_its_code() {
    let spin = guest("spin");
    let of = |n| Evidence {
        stdout: spin.stdout().unwrap().into(),
        snapshot: Ok(snapshot(&[(TaskCounter::RunsEntered, n), (TaskCounter::ExitsCanceledInCode, n)], &[])),
        ..good_hello()
    };
    assert_eq!(checks(&spin, &of(19)), [Check::InCode]);
    assert_eq!(checks(&spin, &of(20)), []);
    // On a thread that the row does not name they do not count.
    let workers = guest("spin-workers");
    let seen = Evidence { stdout: workers.stdout().unwrap().into(), ..of(100) };
    assert_eq!(checks(&workers, &seen), [Check::InCode]);
}

#[test]
fn ending_and_output() {
    let hello = guest("hello");
    for ending in [Ending::Exit(1), Ending::Signal(9)] {
        assert_eq!(checks(&hello, &Evidence { ending: Some(ending), ..good_hello() }), [Check::Ending]);
    }
    let seen = Evidence { stdout: b"hello, world\nhello, world\n".to_vec(), ..good_hello() };
    assert_eq!(checks(&hello, &seen), [Check::Output]);
}

#[test]
fn crash_records_are_failures_whatever_the_top_process_returned() {
    let record = |kind: &str| CrashRecord { kind: kind.into(), text: String::new() };
    let seen = Evidence { crashes: vec![record("UNEXPECTED_EXIT")], ..good_hello() };
    assert_eq!(checks(&guest("hello"), &seen), [Check::Crash]);
    let timeout = Manifest::load().unwrap();
    let Some(timeout) = timeout.guests().iter().find(|guest| guest.crash().is_some()) else { return };
    let kind = timeout.crash().unwrap();
    assert_eq!(crash(timeout, &[record(kind)]), None);
    assert!(crash(timeout, &[]).is_some(), "the announced record is missing");
    assert!(crash(timeout, &[record(kind), record("UNEXPECTED_EXIT")]).is_some());
}

#[test]
fn a_killed_run_is_judged_by_what_can_be_seen() {
    let seen = Evidence { ending: None, wall_limit_ms: Some(5), stdout: Vec::new(), ..good_hello() };
    assert_eq!(checks(&guest("hello"), &seen), [Check::WallLimit]);
    // Whoever it was that the harness killed: what nobody will take away is left.
    let seen = Evidence { left: BTreeSet::from([7]), left_files: vec!["/tmp/elfuse-sig-7".into()], ..seen };
    assert_eq!(checks(&guest("hello"), &seen), [Check::WallLimit, Check::LeftFile]);
}

#[test]
fn leftovers() {
    let seen = Evidence { left: BTreeSet::from([7]), left_files: vec!["/tmp/elfuse-sig-7".into()], ..good_hello() };
    assert_eq!(checks(&guest("hello"), &seen), [Check::LeftProcess, Check::LeftFile]);
    let allowed = Terms { leaves: 1, ..TERMS };
    let left = judge(&guest("hello"), allowed, &Evidence { left_files: Vec::new(), ..seen });
    assert_eq!(left, []);
}

#[test]
fn masks_and_a_slow_storm() {
    let mask = Failure::Mask { pid: 1, tid: 2, comm: "elfuse".into(), sig_blk: 0, wrong: 0x800 };
    let storm = StormReport { failures: vec![mask], slowest_hz: Some(1999), ..StormReport::default() };
    assert_eq!(checks(&guest("hello"), &Evidence { storm, ..good_hello() }), [Check::Mask, Check::StormRate]);
}

#[test]
fn crash_files_hold_records_one_after_another() {
    assert_eq!(parse_crashes(b""), []);
    let kinds = |bytes: &[u8]| parse_crashes(bytes).into_iter().map(|r| r.kind).collect::<Vec<_>>();
    assert_eq!(kinds(b"{\"kind\":\"TIMEOUT\",\"pid\":1}\n{\"kind\":\"A\"}\n"), ["TIMEOUT", "A"]);
    assert_eq!(kinds(b"{\n  \"kind\": \"TIMEOUT\"\n}\n"), ["TIMEOUT"]);
    assert_eq!(kinds(b"{\"kind\":\"TIMEOUT\"}\n{\"kind\":"), ["TIMEOUT", "unreadable"]);
    assert_eq!(kinds(b"7"), ["unreadable"]);
    assert_eq!(parse_crashes(b" {\"kind\":\"A\"} ")[0].text, "{\"kind\":\"A\"}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_some_crash_records(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = parse_crashes(&bytes);
    }
}
