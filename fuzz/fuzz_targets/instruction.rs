//! One arbitrary instruction on arbitrary registers: it ends, and never by a panic.
//!
//! `lines` runs it on a whole software vCPU. Branches are left out: they may lead into an endless loop.

#![no_main]

#[path = "../../core/tests/vectors/lines.rs"]
mod lines;

use std::cell::RefCell;
use std::fmt::Write;

use elfuse::soft::a64::{Inst, table};
use libfuzzer_sys::fuzz_target;
use lines::Executor;

thread_local! {
    static EXECUTOR: RefCell<Executor> = RefCell::new(Executor::new().expect("a machine"));
}

/// A word of the row of this number, or any word: so most inputs are instructions.
fn word_of(row: u16, bits: u32) -> u32 {
    let rows: Vec<_> = table::rows().collect();
    match rows.get(usize::from(row)) {
        Some(row) => bits & !row.pattern.mask() | row.pattern.value(),
        None => bits,
    }
}

fn is_branch(word: u32) -> bool {
    let Some(inst) = Inst::decode(word) else { return false };
    let branches = table::GROUPS.iter().filter(|(name, _)| *name == "branch").flat_map(|(_, rows)| *rows);
    branches.into_iter().any(|row| row.symbol == inst.row().symbol)
}

fuzz_target!(|input: (u16, u32, [u64; 8], [u64; 8], u32, u8)| {
    let (row, bits, general, vectors, fpcr, nzcv) = input;
    let word = word_of(row, bits);
    if is_branch(word) {
        return;
    }
    let mut line = format!("{word:08x} n={:x} c={fpcr:x}", nzcv & 15);
    for (index, value) in general.iter().enumerate() {
        let _ = write!(line, " x{index}={value:x}");
    }
    for (index, pair) in vectors.chunks_exact(2).enumerate() {
        let _ = write!(line, " v{index}={:x}", u128::from(pair[0]) << 64 | u128::from(pair[1]));
    }
    // An outcome without a name in `lines` (a breakpoint) is a value as well.
    let _ = EXECUTOR.with_borrow_mut(|executor| executor.answer(&line));
});
