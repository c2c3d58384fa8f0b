//! disasm placeholder
use super::Inst;
/// Text.
#[must_use]
pub fn disassemble(word: u32, _pc: u64) -> String {
    match Inst::decode(word) {
        Some(i) => i.row().symbol.to_owned(),
        None => format!(".inst 0x{word:08x}"),
    }
}
