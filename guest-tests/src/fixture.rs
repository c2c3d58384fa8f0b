//! Paths and checksums of the prebuilt guest programs.
//!
//! They lie in `fixtures/` beside this crate, or where the environment variable `ELFUSE_FIXTURES` says. `SHA256SUMS` there
//! is in the form of sha256sum(1), written by `build.sh`.

use crate::Error;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folder of the prebuilt programs: `$ELFUSE_FIXTURES` where it is set and not empty, the repository's `fixtures/`
/// otherwise.
pub fn fixtures_dir() -> PathBuf {
    match std::env::var_os("ELFUSE_FIXTURES") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        Some(_) | None => default_dir(),
    }
}

fn default_dir() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_dir.parent().unwrap_or(crate_dir).join("fixtures")
}

/// The absolute or `ELFUSE_FIXTURES`-relative path of a prebuilt program ([`crate::Guest::program`]).
///
/// # Errors
/// [`Error::MissingFixture`] if there is no such file.
pub fn fixture(program: &str) -> Result<PathBuf, Error> {
    fixture_in(&fixtures_dir(), program)
}

fn fixture_in(dir: &Path, program: &str) -> Result<PathBuf, Error> {
    let path = dir.join(program);
    if path.is_file() { Ok(path) } else { Err(Error::MissingFixture(path)) }
}

/// The recorded SHA-256 of every program, as lower-case hexadecimal, by name.
///
/// # Errors
/// [`Error::Read`] if `SHA256SUMS` is not readable, [`Error::BadChecksumLine`] if it is not in the form of sha256sum(1).
pub fn checksums() -> Result<BTreeMap<String, String>, Error> {
    checksums_in(&fixtures_dir())
}

fn checksums_in(dir: &Path) -> Result<BTreeMap<String, String>, Error> {
    let path = dir.join("SHA256SUMS");
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let mut sums = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let bad = || Error::BadChecksumLine { path: path.clone(), line: index + 1 };
        let (sum, name) = line.split_once("  ").ok_or_else(bad)?;
        if sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit()) || name.is_empty() {
            return Err(bad());
        }
        sums.insert(name.to_owned(), sum.to_ascii_lowercase());
    }
    Ok(sums)
}

/// Checks that the prebuilt program is the one that `SHA256SUMS` records, and returns its path.
///
/// # Errors
/// What [`fixture`] and [`checksums`] return, [`Error::NoChecksum`] and [`Error::ChecksumMismatch`].
pub fn verify(program: &str) -> Result<PathBuf, Error> {
    let dir = fixtures_dir();
    verify_in(&dir, program, &checksums_in(&dir)?)
}

/// Checks every recorded program, as [`verify`] does, and returns how many there are.
///
/// # Errors
/// The first error of [`verify`].
pub fn verify_all() -> Result<usize, Error> {
    let dir = fixtures_dir();
    let sums = checksums_in(&dir)?;
    for program in sums.keys() {
        verify_in(&dir, program, &sums)?;
    }
    Ok(sums.len())
}

fn verify_in(dir: &Path, program: &str, sums: &BTreeMap<String, String>) -> Result<PathBuf, Error> {
    let path = fixture_in(dir, program)?;
    let recorded = sums.get(program).ok_or_else(|| Error::NoChecksum(program.to_owned()))?;
    let bytes = std::fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let actual: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if actual == *recorded {
        Ok(path)
    } else {
        Err(Error::ChecksumMismatch { path, recorded: recorded.clone(), actual })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_committed_fixture_has_its_recorded_checksum() {
        let dir = default_dir();
        let sums = checksums_in(&dir).unwrap();
        assert!(sums.contains_key("hello"));
        for program in sums.keys() {
            verify_in(&dir, program, &sums).unwrap();
        }
    }

    #[test]
    fn every_file_in_fixtures_is_recorded() {
        let dir = default_dir();
        let sums = checksums_in(&dir).unwrap();
        for entry in fs::read_dir(&dir).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_text = matches!(name.as_str(), "SHA256SUMS" | "RECIPE.txt" | "README.md");
            assert!(is_text || sums.contains_key(&name), "fixtures/{name} is not in SHA256SUMS");
        }
    }

    #[test]
    fn a_missing_fixture_is_named() {
        let error = fixture_in(&default_dir(), "no-such-guest").unwrap_err();
        assert!(error.to_string().contains("no-such-guest is missing"), "{error}");
    }

    #[test]
    fn a_changed_program_is_a_mismatch() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"changed").unwrap();
        let line = format!("{}  a\n", "0".repeat(64));
        fs::write(dir.path().join("SHA256SUMS"), line).unwrap();
        let sums = checksums_in(dir.path()).unwrap();
        let error = verify_in(dir.path(), "a", &sums).unwrap_err();
        assert!(matches!(error, Error::ChecksumMismatch { .. }), "{error}");
        fs::write(dir.path().join("b"), b"").unwrap();
        assert!(matches!(verify_in(dir.path(), "b", &sums), Err(Error::NoChecksum(_))));
    }

    #[test]
    fn the_hash_is_sha256() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("empty"), b"").unwrap();
        // FIPS 180-4: SHA-256 of the empty string.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        fs::write(dir.path().join("SHA256SUMS"), format!("{empty}  empty\n")).unwrap();
        verify_in(dir.path(), "empty", &checksums_in(dir.path()).unwrap()).unwrap();
    }

    #[test]
    fn a_bad_checksum_file_names_its_line() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(checksums_in(dir.path()), Err(Error::Read { .. })));
        fs::write(dir.path().join("SHA256SUMS"), format!("{}  a\nnonsense\n", "0".repeat(64))).unwrap();
        let error = checksums_in(dir.path()).unwrap_err();
        assert!(error.to_string().ends_with("SHA256SUMS:2: not a sha256sum line"), "{error}");
    }
}
