//! Instructions executed on recorded states, with the results of `qemu-aarch64 -cpu max` as the reference.
//!
//! A line is `word nzcv x0..x7 sp -> nzcv x0..x7 sp offset=byte...`, all hexadecimal, or `sig4` after the arrow for an
//! undefined instruction. Memory at [`DATA`] starts as `(7 * i + 3) ^ (i >> 5)`; the offsets are the bytes that changed.
//! `ci/differential` makes the lines; three a row are kept in `vectors.txt`.

use super::{CODE, DATA, Guest, SVC};
use crate::abi::{GuestAddr, GuestRange};
use crate::soft::a64::Inst;
use crate::vcpu::{ExceptionKind, Pstate};

const DATA_BYTES: u64 = 4096;

fn initial_byte(index: u64) -> u8 {
    ((index * 7 + 3) ^ (index >> 5)) as u8
}

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a line says about the outcome, in the line's own words.
fn outcome(guest: &mut Guest, inputs: &[u64]) -> String {
    for index in 0..DATA_BYTES {
        guest.window.store(GuestAddr(DATA + index), initial_byte(index)).unwrap();
    }
    guest.put_code(CODE, &[inputs[0] as u32, SVC]);
    guest.interpreter.code.invalidate(GuestRange::new(GuestAddr(CODE), 8).unwrap());
    guest.state.pc = CODE;
    guest.state.pstate = Pstate(inputs[1] << 28);
    guest.state.x[..8].copy_from_slice(&inputs[2..10]);
    guest.state.sp = inputs[10];
    match guest.run_to_exception() {
        ExceptionKind::Syscall { .. } => {}
        ExceptionKind::Undefined { .. } => return "sig4".to_owned(),
        other => return format!("{other:x?}"),
    }
    let registers = guest.state.x[..8].iter().chain([&guest.state.sp]);
    let mut text = format!("{:x}", guest.state.pstate.0 >> 28);
    registers.for_each(|register| text += &format!(" {register:x}"));
    for index in 0..DATA_BYTES {
        let byte = guest.window.load::<u8>(GuestAddr(DATA + index)).unwrap();
        if byte != initial_byte(index) {
            text += &format!(" {index:x}={byte:x}");
        }
    }
    text
}

/// Runs all lines; returns how many there were.
fn check(lines: &str) -> usize {
    let mut guest = Guest::new(&[]);
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let (inputs, expected) = line.split_once(" -> ").expect("a line has an arrow");
        let inputs: Vec<u64> = inputs.split(' ').map(hex).collect();
        let seen = outcome(&mut guest, &inputs);
        if seen != expected {
            let name = Inst::decode(inputs[0] as u32).map_or("?", |inst| inst.row().symbol);
            wrong.push(format!("{name}: {line}\n    but here {seen}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    count
}

#[test]
fn recorded_states_give_the_reference_results() {
    assert!(check(include_str!("vectors.txt")) > 500);
}

#[test]
#[ignore = "needs a file of lines, named by ELFUSE_VECTORS"]
fn lines_of_a_file_give_the_reference_results() {
    let path = std::env::var("ELFUSE_VECTORS").expect("ELFUSE_VECTORS names a file");
    assert!(check(&std::fs::read_to_string(path).unwrap()) > 0);
}
