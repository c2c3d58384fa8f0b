//! A plan in four parts, each a harness of its own, merged to one report: the same runs and the same verdict as the whole.
//!
//! The elfuse is a shell script (see `executor.rs`), so every run fails the check `stats`, in the parts as in the whole.
//! `ci/shards` does the same with a real elfuse and GNU parallel.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

fn fake(dir: &Path) -> PathBuf {
    let path = dir.join("elfuse");
    let script =
        "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'elfuse 0 (measuring)'; exit; fi\necho 'hello, world'\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn start(dir: &Path, report: &str, more: &[&str]) -> Child {
    Command::new(HARNESS)
        .args(["run", "--guest", "hello", "--iterations", "10", "--jobs", "1", "--seed", "5", "--elfuse"])
        .arg(dir.join("elfuse"))
        .arg("--report")
        .arg(dir.join(report))
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn merge(dir: &Path, parts: &[&str]) -> Output {
    let parts = parts.iter().map(|part| dir.join(part));
    Command::new(HARNESS).arg("merge").args(parts).arg("--report").arg(dir.join("merged")).output().unwrap()
}

fn report(dir: &Path, name: &str) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(dir.join(name).join("report.json")).unwrap()).unwrap()
}

#[test]
fn four_shards_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fake(dir);
    let shards = ["1/4", "2/4", "3/4", "4/4"];
    let names = ["p1", "p2", "p3", "p4"];
    let parts = names.iter().zip(shards).map(|(name, shard)| start(dir, name, &["--shard", shard]));
    let mut all: Vec<Child> = parts.collect();
    all.push(start(dir, "whole", &[]));
    for child in &mut all {
        assert_eq!(child.wait().unwrap().code(), Some(1), "runs without statistics fail");
    }
    let output = merge(dir, &names);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (merged, whole) = (report(dir, "merged"), report(dir, "whole"));
    assert_eq!(merged["plan"]["iterations"], 10);
    for field in ["planned", "seen", "outcomes", "failures"] {
        let of = |report: &serde_json::Value| report["phases"]["measure"]["guests"]["hello"][field].clone();
        assert_eq!(of(&merged), of(&whole), "{field}");
    }
    assert_eq!(merged["verdict"], whole["verdict"]);
    assert_eq!(report(dir, "p1")["phases"]["measure"]["guests"]["hello"]["planned"], 3);
    assert!(dir.join("merged/report.html").is_file() && dir.join("merged/junit.xml").is_file());
}

#[test]
fn a_missing_part_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fake(dir);
    for (name, shard) in [("p1", "1/2"), ("again", "1/2")] {
        start(dir, name, &["--shard", shard]).wait().unwrap();
    }
    let say = |parts: &[&str]| {
        let output = merge(dir, parts);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(say(&["p1"]), "harness: shard 2/2 is missing\n");
    assert_eq!(say(&["p1", "again"]), "harness: shard 1/2 is there twice\n");
    assert!(say(&["p1", "nowhere"]).contains("nowhere"));
}
