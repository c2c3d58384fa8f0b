//! Every way in which a record opens the flag, and every way in which it does not.

use super::*;

fn record() -> GateRecord {
    GateRecord {
        schema: RECORD_SCHEMA,
        stage: Stage::Final,
        passed: true,
        iterations: 500,
        host: Host::of_target("linux", "x86_64"),
        sources: "aa".into(),
    }
}

fn ordinary() -> Request {
    Request {
        wants_fatal: false,
        wants_measuring: false,
        requires_gate: false,
        is_tracked: true,
        host: Host::of_target("linux", "x86_64"),
        sources: "aa".into(),
    }
}

fn fatal() -> Request {
    Request { wants_fatal: true, ..ordinary() }
}

fn required() -> Request {
    Request { requires_gate: true, ..ordinary() }
}

fn is_measuring(decision: Result<Mode, String>) -> bool {
    matches!(decision, Ok(Mode::Measuring(Some(_))))
}

#[test]
fn a_passing_record_makes_every_build_fatal() {
    for request in [ordinary(), fatal(), required(), Request { requires_gate: true, ..fatal() }] {
        assert_eq!(decide(&request, &Ok(record())), Ok(Mode::Fatal));
    }
}

#[test]
fn a_flaw_makes_an_ordinary_build_measuring_and_others_fail() {
    let flaws = [
        GateRecord { schema: 2, ..record() },
        GateRecord { passed: false, ..record() },
        GateRecord { iterations: 499, ..record() },
        GateRecord { host: Host::of_target("linux", "aarch64"), ..record() },
        GateRecord { host: Host::of_target("macos", "aarch64"), ..record() },
        GateRecord { stage: Stage::Candidate, ..record() },
    ];
    for flawed in flaws.map(Ok).into_iter().chain([Err("there is no gate record".to_owned())]) {
        assert!(is_measuring(decide(&ordinary(), &flawed)), "{flawed:?}");
        assert!(decide(&fatal(), &flawed).is_err(), "{flawed:?}");
        assert!(decide(&required(), &flawed).is_err(), "{flawed:?}");
    }
}

#[test]
fn sources_matter_where_the_gate_is_required() {
    let other = Ok(GateRecord { sources: "bb".into(), ..record() });
    assert_eq!(decide(&ordinary(), &other), Ok(Mode::Fatal));
    assert_eq!(decide(&fatal(), &other), Ok(Mode::Fatal));
    assert!(decide(&required(), &other).unwrap_err().contains("bb"));
}

#[test]
fn a_candidate_serves_the_gates_own_fatal_build_alone() {
    let named = |request: Request| Request { is_tracked: false, ..request };
    let candidate = Ok(GateRecord { stage: Stage::Candidate, ..record() });
    assert_eq!(decide(&named(fatal()), &candidate), Ok(Mode::Fatal));
    assert_eq!(decide(&named(ordinary()), &candidate), Ok(Mode::Fatal));
    assert!(decide(&named(required()), &candidate).is_err());
    // Of a small plan: a rehearsal, and never the feature.
    let small = Ok(GateRecord { stage: Stage::Candidate, iterations: 20, ..record() });
    assert_eq!(decide(&named(ordinary()), &small), Ok(Mode::Fatal));
    assert!(decide(&named(fatal()), &small).is_err());
    assert!(is_measuring(decide(&ordinary(), &small)));
    let small_final = Ok(GateRecord { iterations: 20, ..record() });
    assert!(is_measuring(decide(&named(ordinary()), &small_final)));
}

#[test]
fn the_measuring_feature_asks_no_record() {
    let measuring = Request { wants_measuring: true, ..ordinary() };
    assert_eq!(decide(&measuring, &Err(String::new())), Ok(Mode::Measuring(None)));
    assert!(decide(&Request { wants_fatal: true, ..measuring.clone() }, &Ok(record())).is_err());
    assert!(decide(&Request { requires_gate: true, ..measuring }, &Ok(record())).is_err());
}

#[test]
fn records_with_more_fields_are_read_and_others_refused() {
    let text = serde_json::to_string(&record()).unwrap().replacen('{', "{\"counts\":{\"a\":1},", 1);
    assert_eq!(parse(&text), Ok(record()));
    for bad in ["", "{}", "[]", "7", &text[..text.len() - 1]] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}
