//! Arbitrary words, at arbitrary addresses: decoding and disassembling agree on what is an instruction, and never panic.

#![no_main]

use elfuse::soft::a64::{Inst, disassemble};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, u64)| {
    let (word, pc) = input;
    let text = disassemble(word, pc);
    assert_eq!(Inst::decode(word).is_none(), text.starts_with(".inst"), "{word:08x} {text}");
    assert!(!text.contains("{?"), "{word:08x} {text}");
});
