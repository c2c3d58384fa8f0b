//! `harness run --program 'CMD'`: any program as the guest of a plan, [`parse`].
//!
//! CMD is what would follow `elfuse` on a command line: the program and its arguments, or options for elfuse, `--`, and then
//! these. Words are split and quoted as in a POSIX shell, and nothing else of a shell is there: no variables, no pipes.

use guest_tests::{Guest, Program};
use std::path::{Path, PathBuf};

/// Why there is no such guest.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A quote that is not closed.
    #[error("--program: a quote or backslash is not closed in `{0}`")]
    Quotes(String),
    /// There is no word that names a program.
    #[error("--program: no program in `{0}`; it takes `PROGRAM ARGS...` or `ELFUSE-OPTIONS -- PROGRAM ARGS...`")]
    Empty(String),
    /// Options without `--`.
    #[error("--program: `{0}` looks like an option for elfuse: put `--` before the program")]
    Option(String),
    /// The golden output cannot be read.
    #[error("--expect {path}: {source}")]
    Expect {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The guest that `command` names, which must exit with `status` and, where `expect` is a file, write what stands in it.
///
/// # Errors
/// [`ProgramError`].
pub fn parse(command: &str, expect: Option<&Path>, status: u8) -> Result<Guest, ProgramError> {
    let words = shlex::split(command).ok_or_else(|| ProgramError::Quotes(command.to_owned()))?;
    let (options, words) = match words.iter().position(|word| word == "--") {
        Some(at) => (words[..at].to_vec(), words[at + 1..].to_vec()),
        None => (Vec::new(), words),
    };
    let Some((path, args)) = words.split_first() else { return Err(ProgramError::Empty(command.to_owned())) };
    if path.starts_with('-') {
        return Err(ProgramError::Option(path.clone()));
    }
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|source| ProgramError::Expect { path: path.to_owned(), source })
    };
    let stdout = expect.map(read).transpose()?;
    Ok(Guest::of_program(Program { path: PathBuf::from(path), options, args: args.to_vec(), status, stdout }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_like_a_shell_does() {
        let guest = parse("--sysroot /arm64 -- /bin/sh -c 'echo \"a  b\"'", None, 3).unwrap();
        assert_eq!(guest.options(), ["--sysroot", "/arm64"]);
        assert_eq!(guest.path().unwrap(), Path::new("/bin/sh"));
        assert_eq!(guest.args(), ["-c", "echo \"a  b\""]);
        assert_eq!((guest.name(), guest.stdout(), guest.expect()), ("sh", None, guest_tests::Expect::Status(3)));
    }

    #[test]
    fn what_names_no_program_is_an_error() {
        assert!(matches!(parse("", None, 0), Err(ProgramError::Empty(_))));
        assert!(matches!(parse("--trace --", None, 0), Err(ProgramError::Empty(_))));
        assert!(matches!(parse("'open", None, 0), Err(ProgramError::Quotes(_))));
        assert!(matches!(parse("--trace /bin/true", None, 0), Err(ProgramError::Option(_))));
    }

    #[test]
    fn the_golden_output_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "golden\n").unwrap();
        assert_eq!(parse("/bin/a", Some(file.path()), 0).unwrap().stdout(), Some("golden\n"));
        let missing = parse("/bin/a", Some(&file.path().join("no")), 0).unwrap_err();
        assert!(missing.to_string().contains("no"), "{missing}");
    }
}
