//! What cannot be run: one line on standard error that says what and what to do, the documented status, nothing left.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder for what a case makes, and an empty one for transport files.
struct Place {
    dir: tempfile::TempDir,
    signals: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), signals: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An executable file with these bytes.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn elfuse(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
        command.env("ELFUSE_SIGNAL_DIR", self.signals.path()).stdin(Stdio::null());
        command
    }

    /// Runs, and returns the one line of complaint.
    fn complaint(&self, command: &mut Command) -> String {
        let output = output_of(command);
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{command:?}: {output:?}");
        assert!(text.starts_with("elfuse: ") && text.lines().count() == 1, "{command:?}: {text}");
        self.assert_nothing_left(&output);
        text.trim_end().to_owned()
    }

    fn assert_nothing_left(&self, output: &Output) {
        let left: Vec<_> = std::fs::read_dir(self.signals.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?} after {output:?}");
    }

    /// What is said of a program.
    fn refusal(&self, program: &Path) -> String {
        self.complaint(self.elfuse().arg(program))
    }
}

/// A program that this test has just written may still be open for writing in a child that another test is about to start.
fn output_of(command: &mut Command) -> Output {
    for _ in 0..10_000 {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            ended => return ended.unwrap(),
        }
    }
    command.output().unwrap()
}

fn hello() -> Vec<u8> {
    std::fs::read(guest_tests::verify("hello").unwrap()).unwrap()
}

/// `hello` with these bytes at this place.
fn hello_with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = hello();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn mistakes_on_the_command_line_name_the_help() {
    let place = Place::new();
    let mistakes: &[(&[&str], &str)] = &[
        (&[], "<PROGRAM>"),
        (&["--"], "<PROGRAM>"),
        (&["--no-such-option", "x"], "--no-such-option"),
        (&["--timeout", "soon", "x"], "not a number of seconds"),
        (&["--timeout=-1", "x"], "not a length of time"),
        (&["--timeout", "-1", "x"], "not a length of time"),
        (&["-E", "NOVALUE", "x"], "NAME=VALUE"),
        (&["--fork-child", "3", "x"], "--fork-child"),
    ];
    for (args, said) in mistakes {
        let text = place.complaint(place.elfuse().args(*args));
        assert!(text.contains(said) && text.ends_with("see `elfuse --help`"), "{text}");
    }
}

#[test]
fn files_that_are_no_programs_are_named_with_a_remedy() {
    let place = Place::new();
    let folder = place.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let plain = place.file("plain", &hello());
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    let link = place.path("loop");
    symlink("loop", &link).unwrap();
    let cases = [
        (place.path("none"), "No such file or directory; check the path"),
        (folder, "a directory; name an executable file"),
        ("/dev/null".into(), "not a regular file; name an executable file"),
        (plain, "not executable (try `chmod +x`)"),
        (link, "Too many levels of symbolic links; check the file"),
        (place.file("text", b"just text\n"), "not an ELF file; elfuse runs AArch64 Linux programs"),
        (place.file("empty", b""), "not an ELF file"),
        (place.file("script", b"#!\n"), "a script with a bad first line; write `#!/path/of/interpreter`"),
        (place.file("x86", &hello_with(18, &[62, 0])), "an ELF file for x86-64; "),
        (place.file("riscv", &hello_with(18, &[243, 0])), "an ELF file for RISC-V; "),
        (place.file("big", &hello_with(5, &[2])), "big-endian; elfuse runs 64-bit little-endian executables"),
        (place.file("32", &hello_with(4, &[1])), "32-bit; elfuse runs 64-bit little-endian executables"),
        (place.file("object", &hello_with(16, &[1, 0])), "elfuse runs 64-bit little-endian executables"),
    ];
    for (path, said) in cases {
        let text = place.refusal(&path);
        assert!(text.starts_with(&format!("elfuse: cannot run {}: ", path.display())), "{text}");
        assert!(text.contains(said) && text.matches(&*path.to_string_lossy()).count() == 1, "{text}");
    }
    let lost = place.file("lost", b"#!/no/such/interpreter\n");
    let text = place.refusal(&lost);
    assert!(text.contains("/no/such/interpreter: No such file or directory; "), "{text}");
}

#[test]
fn an_unreadable_file_is_named_with_a_remedy() {
    use std::os::unix::process::CommandExt;
    let place = Place::new();
    let path = place.file("secret", &hello());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o111)).unwrap();
    let mut command = place.elfuse();
    if nix::unistd::geteuid().is_root() {
        // Nothing is unreadable to root: somebody else must try, with an elfuse that they can reach.
        let copy = place.path("elfuse");
        std::fs::copy(env!("CARGO_BIN_EXE_elfuse"), &copy).unwrap();
        std::fs::set_permissions(place.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        command = Command::new(copy);
        command.env("ELFUSE_SIGNAL_DIR", place.signals.path()).stdin(Stdio::null()).uid(65534).gid(65534);
    }
    let text = place.complaint(command.arg(&path));
    assert!(text.ends_with("Permission denied; check the permissions of the file and its directories"), "{text}");
}

/// Every place at which a file can be cut, and hostile values in every field of its headers: an error of one line or a guest
/// that runs, never a panic, and never so much memory that a small limit of data is passed.
#[test]
fn cut_and_hostile_programs_are_refused_or_run() {
    let place = Place::new();
    let whole = hello();
    let headers = 64 + 56 * usize::from(u16::from_le_bytes([whole[56], whole[57]]));
    let mut files: Vec<Vec<u8>> = [1, 4, 16, 63, 64, 119, headers - 1, headers, whole.len() / 2]
        .into_iter()
        .map(|len| whole[..len].to_vec())
        .collect();
    // All 8-byte fields of the file header's addresses and of the program headers.
    for at in [24, 32, 40].into_iter().chain((64..headers).step_by(8)) {
        for value in [0, 1, 0x7fff_ffff_ffff_f000, u64::MAX, 1 << 41, 0x1000] {
            files.push(hello_with(at, &u64::to_le_bytes(value)));
        }
    }
    for (index, bytes) in files.iter().enumerate() {
        let path = place.file(&format!("file-{index}"), bytes);
        let output = place.elfuse().args(["--timeout", "20"]).arg(&path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("panicked") && !text.contains("crash report"), "{index}: {text}");
        if output.status.code() == Some(1) {
            assert!(text.starts_with("elfuse: cannot run ") && text.lines().count() == 1, "{index}: {text}");
        }
        place.assert_nothing_left(&output);
    }
}

#[test]
fn a_statistics_file_that_cannot_be_used_is_named_with_a_remedy() {
    let place = Place::new();
    let foreign = place.file("foreign", b"something else, longer than a word");
    for (path, said) in [
        (place.dir.path().to_owned(), "cannot open it: Is a directory; name a new file"),
        (place.path("no/such"), "cannot open it: No such file or directory; name a new file"),
        ("/dev/full".into(), "; name"),
        (foreign.clone(), "not a statistics file of this version of elfuse"),
    ] {
        let text = place.complaint(place.elfuse().arg("--stats").arg(&path).arg(guest_tests::verify("hello").unwrap()));
        let start = format!("elfuse: cannot use the statistics file {}: ", path.display());
        assert!(text.starts_with(&start) && text.contains(said), "{text}");
    }
    assert_eq!(std::fs::read(foreign).unwrap(), b"something else, longer than a word");
}

#[test]
fn a_crash_record_that_could_not_be_written_is_refused_before_the_guest_runs() {
    let place = Place::new();
    let file = place.file("file", b"");
    for (path, said) in [
        (place.dir.path().to_owned(), "Is a directory; name a file"),
        (place.path("no/such"), "No such file or directory; name a file"),
        (file.join("under"), "Not a directory; name a file"),
    ] {
        let hello = guest_tests::verify("hello").unwrap();
        let text = place.complaint(place.elfuse().arg("--crash-json").arg(&path).arg(&hello));
        let start = format!("elfuse: cannot append crash records to {}: ", path.display());
        assert!(text.starts_with(&start) && text.contains(said), "{text}");
    }
    let record = place.path("record");
    let hello = guest_tests::verify("hello").unwrap();
    assert!(place.elfuse().arg("--crash-json").arg(&record).arg(&hello).status().unwrap().success());
    assert!(!record.exists(), "there is no record without a crash");
}

#[test]
fn a_full_disk_under_the_statistics_is_an_error_before_the_guest_runs() {
    let place = Place::new();
    let script = "ulimit -f 1; trap '' XFSZ; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_elfuse"), "--stats"]).arg(place.path("stats"));
    command.arg(guest_tests::verify("hello").unwrap()).env("ELFUSE_SIGNAL_DIR", place.signals.path());
    let text = place.complaint(&mut command);
    assert!(text.contains("File too large; name"), "{text}");
    assert_eq!(std::fs::metadata(place.path("stats")).unwrap().len(), 0, "cut short again");
    // A page that is a hole would be SIGBUS on a full disk.
    let room = place.path("room");
    assert!(
        place.elfuse().arg("--stats").arg(&room).arg(guest_tests::verify("hello").unwrap()).status().unwrap().success()
    );
    assert!(std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&room).unwrap()) * 512 >= 64 << 10);
}

/// The program is cut short and made whole again, over and over, while elfuse reads and maps it.
#[test]
fn a_program_that_changes_under_the_loader_is_refused_runs_or_dies() {
    let place = Place::new();
    let whole = std::fs::read(guest_tests::verify("syscalls").unwrap()).unwrap();
    let path = place.file("changing", &whole);
    // Ends with its sender, however this test does.
    let (end, is_over) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let (path, whole) = (&path, &whole);
        scope.spawn(move || {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            while is_over.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                for len in [100, 0x1000, whole.len() / 2, whole.len() - 1] {
                    file.set_len(len as u64).unwrap();
                    std::thread::yield_now();
                    std::os::unix::fs::FileExt::write_all_at(&file, whole, 0).unwrap();
                }
            }
        });
        let _until_the_end = end;
        for round in 0..100 {
            let output = place.elfuse().args(["--timeout", "20"]).arg(path).arg("4").output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            match output.status.code() {
                Some(1) if text.starts_with("elfuse: ") => assert_eq!(text.lines().count(), 1, "{round}: {text}"),
                // A guest that met a hole, or code of zeros: its own affair, and elfuse has nothing to say.
                Some(_) | None => assert_eq!(text, "", "{round}: {output:?}"),
            }
            place.assert_nothing_left(&output);
        }
    });
}

/// What a shell's redirection makes of standard output and error: the guest sees just that, and elfuse complains where it can.
#[test]
fn closed_and_full_outputs_are_errors() {
    let place = Place::new();
    let run = |redirection: &str, args: &[&str]| {
        let script = format!("exec \"$@\" {redirection}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_elfuse")]).args(args).stdin(Stdio::null());
        let output = command.env("ELFUSE_SIGNAL_DIR", place.signals.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let guest = guest_tests::verify("tree").unwrap();
    let guest = guest.to_str().unwrap();
    for (redirection, result) in [(">&-", "-1 EBADF"), (">/dev/full", "-1 ENOSPC"), ("", "27")] {
        let (status, trace) = run(redirection, &["--trace=write", "--", guest, "read", "/nonexistent"]);
        assert!(
            status == Some(0) && trace.contains("] write(1, ") && trace.contains(&format!(" = {result}")),
            "{trace}"
        );
    }
    for args in [&["--help"][..], &["--version"], &["binfmt", "print"]] {
        for (redirection, why) in [(">&-", "closed"), (">/dev/full", "No space left")] {
            let (status, text) = run(redirection, args);
            assert_eq!(status, Some(1), "{args:?} {text}");
            assert!(text.starts_with("elfuse: ") && text.contains(why) && text.lines().count() == 1, "{args:?} {text}");
        }
    }
    // A trace that nobody gets does not end the guest.
    let (status, text) = run("", &["--trace", "--trace-file", "/dev/full", "--", guest, "where"]);
    assert!(status == Some(0) && text.lines().count() == 1, "{text}");
    assert!(text.starts_with("elfuse: cannot write the trace file /dev/full: No space left"), "{text}");
    let missing = guest_tests::verify("syscalls").unwrap();
    assert_eq!(run("2>/dev/full", &["--trace", "--", missing.to_str().unwrap(), "4"]), (Some(0), String::new()));
    assert_eq!(run("2>/dev/full", &["/nonexistent"]), (Some(1), String::new()));
}

/// A file or symlink of somebody else where the transport file goes: a warning, and the run goes on; a stale one of our own
/// is replaced without a word.
#[test]
fn foreign_transport_files_cost_a_warning_and_stale_ones_nothing() {
    let place = Place::new();
    let target = place.file("target", b"precious");
    let hello = guest_tests::verify("hello").unwrap();
    let run = |prepare: &str| {
        let script = format!("file=$ELFUSE_SIGNAL_DIR/elfuse-sig-$$; {prepare}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_elfuse")]).arg(&hello);
        command.env("ELFUSE_SIGNAL_DIR", place.signals.path()).env("TARGET", &target).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"hello, world\n"[..]), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for prepare in ["ln -s \"$TARGET\" \"$file\"", "mkdir \"$file\""] {
        let text = run(prepare);
        assert!(text.starts_with("elfuse: signals from other elfuse processes will not arrive: "), "{text}");
        assert!(text.lines().count() == 1 && text.contains("ELFUSE_SIGNAL_DIR"), "{text}");
        let left = std::fs::read_dir(place.signals.path()).unwrap().next().unwrap().unwrap().path();
        if left.is_dir() { std::fs::remove_dir(left) } else { std::fs::remove_file(left) }.unwrap();
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    assert_eq!(run("umask 077; echo stale > \"$file\""), "");
    place.assert_nothing_left(&place.elfuse().arg(&hello).output().unwrap());
}

#[test]
fn what_is_no_fork_image_is_refused() {
    let place = Place::new();
    for (descriptor, said) in [("77", "cannot take over the descriptor: Bad file descriptor"), ("0", "cannot receive")]
    {
        let text = place.complaint(place.elfuse().args(["--fork-child", descriptor]));
        assert!(text.contains(said) && text.ends_with("`--fork-child` is for elfuse itself"), "{text}");
    }
}
