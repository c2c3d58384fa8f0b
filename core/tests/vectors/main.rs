//! Instructions on recorded states, with the results of `qemu-aarch64 -cpu max` as the reference.
//!
//! The lines of `core/tests/vectors/GROUP.txt` are those of [`lines`], with ` -> ` and the expected answer after each;
//! `# SYMBOL` names the row of the instruction table that the lines below it are for. `ci/differential` makes them.

mod lines;

use std::fs;
use std::path::PathBuf;

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
