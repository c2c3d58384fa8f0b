//! Instructions executed on recorded states, with the results of `qemu-aarch64 -cpu max` as the reference.
//!
//! A line is `word nzcv x0..x7 sp -> nzcv x0..x7 sp offset=byte...`, all hexadecimal, or `sig4` after the arrow for an
//! undefined instruction. Where SIMD&FP registers matter, `fpcr fpsr v0..v7` follow the inputs, `fpsr v0..v7` the
//! registers of the outcome; a vector register is `high:low`. Memory at [`DATA`] starts as `(7 * i + 3) ^ (i >> 5)`; the offsets are the bytes that changed.
//! `ci/differential` makes the lines; three a row are kept in `vectors.txt`, two a floating-point row in `fp_vectors.txt`.

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

fn hex_vector(text: &str) -> u128 {
    let (high, low) = text.split_once(':').unwrap_or_else(|| panic!("{text}: no colon"));
    u128::from(hex(high)) << 64 | u128::from(hex(low))
}

/// What a line says about the outcome, in the line's own words.
fn outcome(guest: &mut Guest, inputs: &[&str]) -> String {
    for index in 0..DATA_BYTES {
        guest.window.store(GuestAddr(DATA + index), initial_byte(index)).unwrap();
    }
    let (numbers, vectors) = inputs.split_at(inputs.len().min(13));
    let numbers: Vec<u64> = numbers.iter().copied().map(hex).collect();
    guest.put_code(CODE, &[numbers[0] as u32, SVC]);
    guest.interpreter.code.invalidate(GuestRange::new(GuestAddr(CODE), 8).unwrap());
    guest.state.pc = CODE;
    guest.state.pstate = Pstate(numbers[1] << 28);
    guest.state.x[..8].copy_from_slice(&numbers[2..10]);
    guest.state.sp = numbers[10];
    if let Some(&[fpcr, fpsr]) = numbers.get(11..) {
        (guest.state.fpcr, guest.state.fpsr) = (fpcr as u32, fpsr as u32);
    }
    for (register, text) in guest.state.v.iter_mut().zip(vectors) {
        *register = hex_vector(text);
    }
    match guest.run_to_exception() {
        ExceptionKind::Syscall { .. } => {}
        ExceptionKind::Undefined { .. } => return "sig4".to_owned(),
        other => return format!("{other:x?}"),
    }
    let registers = guest.state.x[..8].iter().chain([&guest.state.sp]);
    let mut text = format!("{:x}", guest.state.pstate.0 >> 28);
    registers.for_each(|register| text += &format!(" {register:x}"));
    if !vectors.is_empty() {
        text += &format!(" {:x}", guest.state.fpsr);
        let registers = guest.state.v.iter().take(vectors.len());
        registers.for_each(|register| text += &format!(" {:x}:{:x}", register >> 64, *register as u64));
    }
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
        let inputs: Vec<&str> = inputs.split(' ').collect();
        let seen = outcome(&mut guest, &inputs);
        if seen != expected {
            let name = Inst::decode(hex(inputs[0]) as u32).map_or("?", |inst| inst.row().symbol);
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
    assert!(check(include_str!("fp_vectors.txt")) > 200);
}

#[test]
#[ignore = "needs a file of lines, named by ELFUSE_VECTORS"]
fn lines_of_a_file_give_the_reference_results() {
    let path = std::env::var("ELFUSE_VECTORS").expect("ELFUSE_VECTORS names a file");
    assert!(check(&std::fs::read_to_string(path).unwrap()) > 0);
}
