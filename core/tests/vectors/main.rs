//! Instructions on recorded states, with the results of `qemu-aarch64 -cpu max` as the reference.
//!
//! The lines of `core/tests/vectors/GROUP.txt` are those of [`lines`], with ` -> ` and the expected answer after each;
//! `# SYMBOL` names the row of the instruction table that the lines below it are for. `ci/differential` makes them.

mod lines;

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use elfuse::soft::a64::Inst;
use elfuse::soft::a64::features::Feature;
use elfuse::soft::a64::table::{self, Row};
use lines::Executor;

/// The recorded files with their names.
fn files() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder of vectors")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a file of vectors")))
        .collect();
    files.sort();
    files
}

#[test]
fn recorded_states_give_the_reference_results() {
    let mut executor = Executor::new().expect("a machine");
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, lines) in files() {
        let mut symbol = "";
        for line in lines.lines() {
            if let Some(next) = line.strip_prefix("# ") {
                symbol = next;
                continue;
            }
            let (state, expected) = line.split_once(" ->").expect("a line has an arrow");
            let seen = executor.answer(state).unwrap_or_else(|error| error);
            if seen != expected.trim() {
                wrong.push(format!("{name}: {symbol}: {line}\n    but here {seen}"));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(count > 1000, "only {count} vectors");
}

/// True for a row that the reference cannot judge, for the reasons in `ci/differential/reasons.py`; tests beside the
/// interpreter do.
fn is_tested_elsewhere(group: &str, row: &Row) -> bool {
    let is_newer = matches!(row.feature, Feature::PAuth | Feature::Cssc | Feature::Mops);
    let needs_its_address = ["ADR", "ADRP", "LDRSW_lit"].contains(&row.symbol);
    is_newer || needs_its_address || ["branch", "system"].contains(&group) || row.symbol.starts_with("PRF")
}

#[test]
fn every_row_has_vectors() {
    let files = files();
    let lines = files.iter().flat_map(|(_, text)| text.lines());
    let mut symbol = "";
    let mut judged = HashSet::new();
    for line in lines {
        match line.strip_prefix("# ") {
            Some(next) => symbol = next,
            None => {
                let word = u32::from_str_radix(&line[..8], 16).expect("a word");
                judged.extend(Inst::decode(word).map(|inst| inst.row().symbol).filter(|decoded| *decoded == symbol));
            }
        }
    }
    let all = table::GROUPS.iter().flat_map(|(group, rows)| rows.iter().map(move |row| (group, row)));
    let left_out = all.filter(|(group, row)| !judged.contains(row.symbol) && !is_tested_elsewhere(group, row));
    let left_out: Vec<&str> = left_out.map(|(_, row)| row.symbol).collect();
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[test]
fn an_instruction_cannot_write_what_is_behind_it() {
    let mut executor = Executor::new().expect("a machine");
    // `str x1, [x0]`, of a branch to itself over the `svc` behind it.
    let seen = executor.answer("f9000001 x0=100004 x1=14000000").expect("an answer");
    assert!(seen.starts_with("sig11"), "{seen}");
}
