//! Writes the instruction table: group, symbol, pattern, feature and assembly form of every row, separated by tabs.

use std::io::{self, Write};

use elfuse::soft::a64::table;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (group, rows) in table::GROUPS {
        for row in *rows {
            writeln!(out, "{group}\t{}\t{}\t{:?}\t{}", row.symbol, row.pattern, row.feature, row.syntax)?;
        }
    }
    out.flush()
}
