//! Tests of `manifest.rs`: the project's own rows, and what a wrong row is told.

use super::*;
use std::fs;
use std::path::Path;

/// A row that is right, to spoil in one place each.
const GOOD: &str = r#"
[[guest]]
name = "a"
summary = "does a thing"
class = "single"
status = 0
stdout = "a\n"
"#;

fn error_of(text: &str) -> String {
    Manifest::parse(text).unwrap_err().to_string()
}

#[test]
fn the_projects_manifest_loads() {
    let manifest = Manifest::load().unwrap();
    assert!(manifest.guests().len() >= 15);
    for class in Class::ALL {
        assert!(manifest.guests().iter().any(|g| g.class() == class), "no guest of class {}", class.name());
    }
    for purpose in [Use::Test, Use::Alone, Use::Bench, Use::Latency, Use::Control] {
        assert!(manifest.used_by(purpose).next().is_some(), "no guest for {purpose:?}");
    }
}

#[test]
fn every_row_has_a_fixture_and_sources() {
    for guest in Manifest::load().unwrap().guests() {
        crate::verify(guest.program()).unwrap();
        assert!(!guest.sources().is_empty(), "{} has no source", guest.program());
    }
}

#[test]
fn every_source_has_a_row_or_a_test() {
    let manifest = Manifest::load().unwrap();
    let used: BTreeSet<PathBuf> = manifest.guests().iter().flat_map(Guest::sources).collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src-guest");
    // What cannot be run unattended has a test of its own in place of a row.
    let tests: Vec<PathBuf> =
        fs::read_dir(dir.join("../../core/tests")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let tested = |source: &Path| {
        let name = format!("\"{}\"", source.file_stem().unwrap().to_string_lossy());
        tests.iter().any(|test| fs::read_to_string(test).is_ok_and(|text| text.contains(&name)))
    };
    let included = |header: &Path| {
        let line = format!("#include \"{}\"", header.file_name().unwrap().to_string_lossy());
        used.iter().any(|source| fs::read_to_string(source).unwrap().contains(&line))
    };
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let is_runtime = ["rt.c", "rt.h", "start.S"].iter().any(|name| path.ends_with(name));
        let is_header = path.extension().is_some_and(|ending| ending == "h") && included(&path);
        let is_run = used.contains(&path) || tested(&path);
        assert!(is_runtime || is_header || is_run, "no row runs {}", path.display());
    }
}

#[test]
fn spinning_rows_cover_the_gates_three_counts() {
    let manifest = Manifest::load().unwrap();
    let tests: Vec<&Guest> = manifest.used_by(Use::Test).filter(|g| g.spins() && !g.once()).collect();
    assert!(tests.iter().any(|g| !g.workers() && !g.children()));
    assert!(tests.iter().any(|g| g.workers()));
    assert!(tests.iter().any(|g| g.children()));
}

#[test]
fn a_good_row_has_the_documented_defaults() {
    let manifest = Manifest::parse(GOOD).unwrap();
    let guest = manifest.guest("a").unwrap();
    assert_eq!(guest.program(), "a");
    assert_eq!(guest.used_by(), Use::Test);
    assert_eq!(guest.expect(), Expect::Status(0));
    assert_eq!(guest.storm(), [StormRecord::Null]);
    assert_eq!((guest.leaves(), guest.spins(), guest.once()), (0, false, false));
    assert!(guest.args().is_empty() && guest.options().is_empty() && guest.env().is_empty());
    assert!(guest.crash().is_none() && guest.bench().is_none() && guest.needs().is_empty());
}

#[test]
fn an_unknown_class_is_a_clear_error() {
    let error = error_of(&GOOD.replace("single", "simple"));
    assert!(error.contains("simple") && error.contains("`single`") && error.contains("`exec`"), "{error}");
    assert!(error.contains("line 5"), "{error}");
}

#[test]
fn unknown_and_missing_fields_are_errors() {
    assert!(error_of(&format!("{GOOD}\nrepeats = 3")).contains("repeats"));
    assert!(error_of(&GOOD.replace("class = \"single\"", "")).contains("class"));
    assert!(error_of("[[guests]]").contains("guests"));
}

#[test]
fn status_and_signal_exclude_each_other() {
    assert!(error_of(&format!("{GOOD}signal = \"SIGTERM\"")).contains("both status and signal"));
    assert!(error_of(&GOOD.replace("status = 0", "")).contains("neither status nor signal"));
    let manifest = Manifest::parse(&GOOD.replace("status = 0", "signal = \"SIGTERM\"")).unwrap();
    assert_eq!(manifest.guest("a").unwrap().expect(), Expect::Signal("SIGTERM".parse().unwrap()));
    assert!(error_of(&GOOD.replace("status = 0", "signal = \"TERM\"")).contains("not a signal name"));
    assert!(error_of(&GOOD.replace("status = 0", "status = 256")).contains("256"));
}

#[test]
fn a_row_that_contradicts_itself_is_an_error() {
    for (added, problem) in [
        ("storm = [\"SIGUSR1\"]", "lacks \"null\""),
        ("storm = [\"null\", \"SIGUSR1\"]", "begin with the line `ready`"),
        ("storm = [\"null\", \"USR1\"]", "not a signal name"),
        ("workers = true\nspins = true", "class single"),
        ("children = true\nspins = true", "not of class fork"),
        ("use = \"bench\"", "bench facts"),
        ("bench = { kind = \"mips\" }", "bench facts"),
        ("use = \"bench\"\nbench = { kind = \"mips\", iterations = 1 }", "do not fit"),
        ("use = \"bench\"\nbench = { kind = \"start-up\", iterations = 1 }", "do not fit"),
        ("use = \"bench\"\nbench = { kind = \"ns-per-op\", iterations = 0 }", "do not fit"),
    ] {
        let error = error_of(&format!("{GOOD}{added}\n"));
        assert!(error.contains(problem), "{added}: {error}");
    }
    let spinless = GOOD.replace("single", "multi") + "workers = true\n";
    assert!(error_of(&spinless).contains("without spins"));
    assert!(error_of(&GOOD.replace("single", "timeout")).contains("crash record"));
    assert!(error_of(&GOOD.replace("stdout", "#")).contains("no stdout"));
    assert!(error_of(&format!("{GOOD}{GOOD}")).contains("used twice"));
}

#[test]
fn an_unknown_guest_is_named() {
    let error = Manifest::parse(GOOD).unwrap().guest("b").unwrap_err();
    assert!(error.to_string().contains("no guest `b`"), "{error}");
}
