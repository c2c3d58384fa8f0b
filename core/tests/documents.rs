//! Tables of the documents that say what shows something: all that they name exists.
//!
//! `docs/lessons.md` and `docs/promises/*.md` end each row with the guests (rows of `guest-tests/manifest.toml`), test
//! functions, controls, files of the repository and commands that show the row true. [`Evidence`] knows all of those, so
//! that a renamed test or guest cannot leave a document behind. Guests run in `guests.rs`.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use guest_tests::Manifest;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a row may name as its evidence.
struct Evidence {
    /// The repository's root.
    root: PathBuf,
    /// Guests, functions of tests and benches, and controls, by name.
    names: BTreeSet<String>,
}

impl Evidence {
    /// Reads the manifest and the sources.
    fn gather() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = Manifest::load().unwrap();
        let mut names: BTreeSet<String> = manifest.guests().iter().map(|guest| guest.name().to_owned()).collect();
        for folder in
            ["core/src", "core/tests", "core/build", "harness/src", "harness/tests", "guest-tests/src", "benches"]
        {
            functions_below(&root.join(folder), &mut names);
        }
        Self { root, names }
    }

    /// Whether `named`, the text of one code span, is there: a name, `control NAME`, a path, or a command whose program or
    /// target is.
    fn has(&self, named: &str) -> bool {
        let words: Vec<&str> = named.split_whitespace().collect();
        let bench_is_there = || {
            let target = words.iter().position(|word| *word == "--bench").and_then(|at| words.get(at + 1));
            target.is_none_or(|target| self.root.join(format!("benches/benches/{target}.rs")).is_file())
        };
        match words.as_slice() {
            ["control", name] => self.controls().contains(&format!("\"{name}\"")),
            ["cargo", "bench", ..] => bench_is_there(),
            ["cargo", "test" | "run" | "clippy" | "fmt" | "fuzz", ..] | ["harness" | "elfuse", _, ..] => true,
            [path, ..] if path.contains('/') => self.root.join(path).exists(),
            [name] => self.names.contains(*name),
            _ => false,
        }
    }

    /// The sources that name the controls: those of elfuse, and the harness's own.
    fn controls(&self) -> String {
        let text = |path: &str| std::fs::read_to_string(self.root.join(path)).unwrap();
        ["core/src/host/controls.rs", "harness/src/gate/controls.rs"].map(text).concat()
    }
}

/// Every `fn NAME(` of the sources below a folder.
fn functions_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            functions_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names =
                text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned());
            found.extend(names);
        }
    }
}

/// What stands in the last column of a table's line.
fn last_column(line: &str) -> &str {
    line.trim_end_matches('|').rsplit_once(" | ").map_or("", |(_, last)| last)
}

/// The rows of a document's tables without their headings, each with the code spans of its last column.
fn rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    let following = text.lines().skip(1).chain([""]);
    let is_row = |(line, next): &(&str, &str)| line.starts_with("| ") && !next.starts_with("|---");
    let row = |(line, _)| (line, last_column(line).split('`').skip(1).step_by(2).collect());
    text.lines().zip(following).filter(is_row).map(row).collect()
}

/// What is wrong with a document's rows, a line each.
fn complaints(evidence: &Evidence, text: &str) -> Vec<String> {
    let wrong = |(row, named): (&str, Vec<&str>)| {
        let missing: Vec<&str> = named.iter().copied().filter(|name| !evidence.has(name)).collect();
        (named.is_empty() || !missing.is_empty()).then(|| format!("{missing:?} in {row}"))
    };
    rows(text).into_iter().filter_map(wrong).collect()
}

#[test]
fn lessons_are_shown_by_what_exists() {
    let evidence = Evidence::gather();
    let lessons = std::fs::read_to_string(evidence.root.join("docs/lessons.md")).unwrap();
    assert_eq!(rows(&lessons).len(), 20);
    assert_eq!(complaints(&evidence, &lessons), Vec::<String>::new());
}

#[test]
fn promises_are_shown_by_what_exists() {
    let evidence = Evidence::gather();
    let documents: Vec<PathBuf> = std::fs::read_dir(evidence.root.join("docs/promises"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    assert!(!documents.is_empty());
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        assert!(!rows(&text).is_empty(), "no row in {}", document.display());
        assert_eq!(complaints(&evidence, &text), Vec::<String>::new(), "{}", document.display());
    }
}

#[test]
fn evidence_that_does_not_exist_is_seen() {
    let evidence = Evidence::gather();
    let table = |named: &str| format!("| what | shown by |\n|---|---|\n| it works | {named} |\n");
    for good in
        ["`hello`", "`ci/check-locks`", "`control mask-worker`, `cargo bench --bench seam`", "`harness run --kills`"]
    {
        assert_eq!(complaints(&evidence, &table(good)), Vec::<String>::new(), "{good}");
    }
    for bad in ["nothing", "`no_such_test`", "`ci/no-such-script`", "`control no-such`", "`cargo bench --bench none`"] {
        assert_eq!(complaints(&evidence, &table(bad)).len(), 1, "{bad}");
    }
}
