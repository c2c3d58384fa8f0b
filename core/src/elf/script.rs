//! `#!` scripts: the first line names the interpreter. Source: execve(2) "Interpreter scripts", `fs/binfmt_script.c`.

/// Bytes of the file that count (`BINPRM_BUF_SIZE`).
pub(super) const SCRIPT_LINE_MAX: usize = 256;

/// The first line of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptLine {
    /// Path of the interpreter.
    pub interpreter: Vec<u8>,
    /// Everything behind it, as one argument.
    pub argument: Option<Vec<u8>>,
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Reads the first line of a file from its first bytes. `None` for a file that is no script; a script without a usable
/// interpreter is `Some(None)`.
#[must_use]
pub fn parse_script(start: &[u8]) -> Option<Option<ScriptLine>> {
    let start = &start[..start.len().min(SCRIPT_LINE_MAX)];
    let rest = start.strip_prefix(b"#!")?;
    let newline = rest.iter().position(|byte| *byte == b'\n');
    let line = trim(&rest[..newline.unwrap_or(rest.len())]);
    let end = line.iter().position(|byte| is_blank(*byte) || *byte == 0);
    let is_cut = newline.is_none() && start.len() == SCRIPT_LINE_MAX && end.is_none();
    let interpreter = &line[..end.unwrap_or(line.len())];
    if interpreter.is_empty() || is_cut {
        return Some(None);
    }
    let argument = trim(&line[interpreter.len()..]);
    let argument = argument.split(|byte| *byte == 0).next().filter(|argument| !argument.is_empty());
    Some(Some(ScriptLine { interpreter: interpreter.to_vec(), argument: argument.map(<[u8]>::to_vec) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: &[u8]) -> (String, Option<String>) {
        let line = parse_script(bytes).unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(line.interpreter), line.argument.map(text))
    }

    #[test]
    fn the_rest_of_the_line_is_one_argument() {
        assert_eq!(line(b"#!/bin/sh\necho"), ("/bin/sh".into(), None));
        assert_eq!(line(b"#! \t/usr/bin/env  a b \t\n"), ("/usr/bin/env".into(), Some("a b".into())));
        assert_eq!(line(b"#!/bin/sh"), ("/bin/sh".into(), None));
        assert_eq!(parse_script(b"\x7fELF"), None);
        assert_eq!(parse_script(b"#! \n"), Some(None));
    }

    #[test]
    fn a_cut_interpreter_is_none_and_a_cut_argument_is_cut() {
        let mut long = b"#!/".to_vec();
        long.resize(400, b'x');
        assert_eq!(parse_script(&long), Some(None));
        long[100] = b' ';
        assert_eq!(line(&long).1.map(|argument| argument.len()), Some(SCRIPT_LINE_MAX - 101));
    }
}
