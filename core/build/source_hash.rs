//! The hash of elfuse's sources: what a gate record is about. Shared by `core/build.rs` and the harness, by `#[path]`.
//!
//! Part of it is everything that decides what the binary does and that lies in this repository: the package's sources, its
//! build script and manifest, the workspace's manifest (profiles) and the lock file.

use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files and folders that are part of the hash, relative to the workspace's root.
pub const SOURCES: [&str; 6] =
    ["Cargo.lock", "Cargo.toml", "core/Cargo.toml", "core/build", "core/build.rs", "core/src"];

/// SHA-256, in lower-case hexadecimal, over all files of [`SOURCES`] in the order of their paths: for each file the length
/// and the bytes of its path (with `/`), the length and the bytes of its content; lengths as 64-bit little-endian numbers.
///
/// # Errors
/// A file that cannot be read; the message names it.
pub fn source_hash(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    let mut named: Vec<(String, PathBuf)> = files.into_iter().map(|file| (relative_name(root, &file), file)).collect();
    named.sort();
    let mut hash = Sha256::new();
    for (name, file) in named {
        let content = fs::read(&file).map_err(|error| named_error(&file, &error))?;
        for part in [name.as_bytes(), &content] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(|error| named_error(path, &error))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

fn relative_name(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn named_error(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["core/src/a", "core/build"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["Cargo.lock", "Cargo.toml", "core/Cargo.toml", "core/build/x.rs", "core/build.rs"] {
            fs::write(root.path().join(file), file).unwrap();
        }
        fs::write(root.path().join("core/src/a/b.rs"), "code").unwrap();
        root
    }

    #[test]
    fn content_and_names_decide() {
        let root = tree();
        let hash = source_hash(root.path()).unwrap();
        assert_eq!(hash.len(), 64);
        assert_eq!(source_hash(tree().path()).unwrap(), hash, "not the place");
        fs::write(root.path().join("README.md"), "x").unwrap();
        assert_eq!(source_hash(root.path()).unwrap(), hash, "not what is no source");
        fs::write(root.path().join("core/src/a/b.rs"), "Code").unwrap();
        assert_ne!(source_hash(root.path()).unwrap(), hash);
        fs::write(root.path().join("core/src/a/b.rs"), "code").unwrap();
        assert_eq!(source_hash(root.path()).unwrap(), hash);
        fs::rename(root.path().join("core/src/a/b.rs"), root.path().join("core/src/b.rs")).unwrap();
        assert_ne!(source_hash(root.path()).unwrap(), hash);
    }

    #[test]
    fn a_missing_file_is_named() {
        let root = tree();
        fs::remove_file(root.path().join("Cargo.lock")).unwrap();
        let error = source_hash(root.path()).unwrap_err().to_string();
        assert!(error.contains("Cargo.lock"), "{error}");
    }
}
