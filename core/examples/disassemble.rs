//! Disassembles hexadecimal words, one a line on standard input, at address 0: for comparison with other disassemblers.

use std::io::{BufRead, Write};

use elfuse::soft::a64::disassemble;

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match u32::from_str_radix(line.trim(), 16) {
            Ok(word) => writeln!(out, "{word:08x} {}", disassemble(word, 0))?,
            Err(error) => writeln!(out, "{line}: {error}")?,
        }
    }
    out.flush()
}
