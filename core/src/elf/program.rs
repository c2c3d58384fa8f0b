//! [`Program`]: a file to execute with its arguments, `#!` scripts resolved; [`Finder`]: how its files are found.

use std::any::Any;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use super::LoadError;
use super::image::ReadAt;
use super::script::{SCRIPT_LINE_MAX, parse_script};

/// How many scripts may lead to each other.
const SCRIPT_DEPTH_MAX: usize = 5;

/// Where a program's file is.
pub struct Location {
    /// A path that host calls take, as long as `hold` lives.
    pub host: PathBuf,
    /// The guest's path, absolute and without symbolic links, for /proc/self/exe.
    pub guest: PathBuf,
    /// What keeps the host path's meaning.
    pub hold: Option<Box<dyn Any + Send>>,
}

/// Finds files as the guest names them.
pub trait Finder {
    /// Where the file is. It need be no regular file, nor executable.
    ///
    /// # Errors
    /// The host's: `NotFound` and its kin.
    fn find(&self, path: &Path) -> io::Result<Location>;
}

/// The host's files, by the host's paths.
pub struct HostFinder;

impl Finder for HostFinder {
    fn find(&self, path: &Path) -> io::Result<Location> {
        Ok(Location { host: path.to_owned(), guest: std::fs::canonicalize(path)?, hold: None })
    }
}

/// What to execute.
#[derive(Debug)]
pub struct Program {
    /// The ELF file's path as it was named: the interpreter's where a script was.
    pub path: PathBuf,
    /// Where it is for the guest.
    pub guest_path: PathBuf,
    /// The open file.
    pub file: File,
    /// The argument vector.
    pub args: Vec<Vec<u8>>,
    /// The environment.
    pub env: Vec<Vec<u8>>,
    /// The name as it was given, for `AT_EXECFN`.
    pub exec_fn: Vec<u8>,
}

impl Program {
    /// True for a program of the host's own architecture.
    #[must_use]
    pub fn is_native(&self) -> bool {
        let mut start = [0; 20];
        ReadAt::read_at(&self.file, &mut start, 0).is_ok_and(|got| crate::host::exec::is_native(&start[..got]))
    }

    /// Opens the file at `path`; where it is a script, its interpreter, with the arguments that execve(2) makes.
    ///
    /// # Errors
    /// [`LoadError`] for a file that cannot be opened or executed.
    pub fn open(finder: &dyn Finder, path: &Path, args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Result<Self, LoadError> {
        let exec_fn = path.as_os_str().as_bytes().to_vec();
        let (file, guest_path) = open_executable(finder, path)?;
        let mut program = Self { path: path.to_owned(), guest_path, file, args, env, exec_fn };
        for _ in 0..=SCRIPT_DEPTH_MAX {
            let mut start = [0; SCRIPT_LINE_MAX];
            let got = ReadAt::read_at(&program.file, &mut start, 0)
                .map_err(|source| LoadError::Open { path: program.path.clone(), source })?;
            let Some(script) = parse_script(&start[..got]) else { return Ok(program) };
            let line = script.ok_or(LoadError::BadScript)?;
            // The script's name takes the place of the first argument.
            let name = program.path.as_os_str().as_bytes().to_vec();
            let rest = program.args.drain(..).skip(1);
            let args = std::iter::once(line.interpreter.clone()).chain(line.argument).chain([name]).chain(rest);
            program.args = args.collect();
            let interpreter = PathBuf::from(OsStr::from_bytes(&line.interpreter));
            let opened = open_executable(finder, &interpreter);
            (program.file, program.guest_path) = opened.map_err(|error| error.of_interpreter(&interpreter))?;
            program.path = interpreter;
        }
        Err(LoadError::ScriptDepth)
    }
}

/// Opens a file that may be executed.
///
/// # Errors
/// [`LoadError::Open`], [`LoadError::NotExecutable`].
pub(super) fn open_executable(finder: &dyn Finder, path: &Path) -> Result<(File, PathBuf), LoadError> {
    let open_error = |source| LoadError::Open { path: path.to_owned(), source };
    let not = |why| Err(LoadError::NotExecutable { path: path.to_owned(), why });
    let Location { host, guest, hold: _hold } = finder.find(path).map_err(open_error)?;
    // Before it is opened: a FIFO would wait, a device might act.
    let metadata = std::fs::metadata(&host).map_err(open_error)?;
    if metadata.is_dir() {
        return not("a directory");
    }
    if !metadata.is_file() {
        return not("not a regular file");
    }
    if metadata.mode() & 0o111 == 0 || access(&host, AccessFlags::X_OK).is_err() {
        return not("not executable (try `chmod +x`)");
    }
    File::open(&host).map(|file| (file, guest)).map_err(open_error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(dir: &Path, name: &str, contents: &[u8], mode: u32) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn scripts_lead_to_their_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let elf = file(dir.path(), "elf", b"\x7fELF", 0o755);
        let script = file(dir.path(), "script", format!("#!{} -x y\n", elf.display()).as_bytes(), 0o755);
        let args = vec![b"zero".to_vec(), b"one".to_vec()];
        let program = Program::open(&HostFinder, &script, args, Vec::new()).unwrap();
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        assert_eq!(program.args, [bytes(&elf), b"-x y".to_vec(), bytes(&script), b"one".to_vec()]);
        assert_eq!((program.path, program.exec_fn), (elf, bytes(&script)));
    }

    #[test]
    fn what_cannot_be_executed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let open = |path: &Path| Program::open(&HostFinder, path, Vec::new(), Vec::new()).unwrap_err();
        assert!(matches!(open(&dir.path().join("none")), LoadError::Open { .. }));
        assert!(matches!(open(dir.path()), LoadError::NotExecutable { why: "a directory", .. }));
        assert!(matches!(open(&file(dir.path(), "plain", b"x", 0o644)), LoadError::NotExecutable { .. }));
        assert!(matches!(open(Path::new("/dev/null")), LoadError::NotExecutable { .. }));
        let own = dir.path().join("loop");
        let looping = file(dir.path(), "loop", format!("#!{}\n", own.display()).as_bytes(), 0o755);
        assert!(matches!(open(&looping), LoadError::ScriptDepth));
    }
}
