//! The command as people meet it: help, version, trace.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

fn elfuse(args: &[&str], guest: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.args(args).stdin(Stdio::null());
    if let [program, rest @ ..] = guest {
        command.arg(guest_tests::verify(program).unwrap()).args(rest);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_shows_examples_and_exit_statuses() {
    let output = elfuse(&["--help"], &[]);
    let help = text(&output.stdout);
    assert!(output.status.success() && output.stderr.is_empty());
    for part in [
        "Examples:",
        "--timeout",
        "--trace",
        "--stats",
        "--crash-json",
        "Exit status:",
        "  124 ",
        "  128 ",
        "Environment:",
    ] {
        assert!(help.contains(part), "{part} in {help}");
    }
}

#[test]
fn the_version_says_what_unknown_exits_mean() {
    let output = elfuse(&["--version"], &[]);
    let version = text(&output.stdout);
    let modes = ["(fatal, ", "(measuring, "].iter().filter(|mode| version.contains(**mode)).count();
    assert!(output.status.success() && version.starts_with("elfuse ") && modes == 1, "{version}");
}

#[test]
fn the_trace_shows_calls_and_names_missing_ones() {
    let output = elfuse(&["--trace"], &["syscalls", "4"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "syscalls: ok\n");
    let trace = text(&output.stderr);
    let count = |part: &str| trace.lines().filter(|line| line.contains(part)).count();
    assert_eq!(count("] write(99, \"x\", 1) = -1 EBADF (Bad file descriptor)"), 1, "{trace}");
    assert_eq!(count("] write(1, \"syscalls: ok\\n\", 13) = 13"), 1, "{trace}");
    assert_eq!(count("] exit_group(0) = ?"), 1, "{trace}");
    for call in ["] syscall_1000(", "] syscall_5000(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) = -1 ENOSYS"] {
        assert_eq!(count(call), 1, "{trace}");
    }
    // Numbers beyond the table are named once together.
    assert_eq!(count("elfuse: system call 1000 (unknown): not implemented; the guest gets ENOSYS"), 1, "{trace}");
    assert_eq!(count("the guest gets ENOSYS"), 1, "{trace}");
}

/// Calls that are there and refuse what Linux does: why is said once each.
#[test]
fn the_trace_names_processes_that_are_not_made() {
    let output = elfuse(&["--trace=membarrier,signal=none"], &["clone", "refused"]);
    assert!(output.status.success(), "{output:?}");
    let named: Vec<String> = lines(&output.stderr);
    let begins = [
        "elfuse: clone: no CLONE_PARENT with CLONE_VM; the guest gets EINVAL",
        "elfuse: clone: no namespaces; the guest gets EINVAL",
        "elfuse: clone: CLONE_FILES, CLONE_FS and CLONE_SIGHAND give a process copies",
        "elfuse: clone3: no CLONE_INTO_CGROUP; the guest gets EINVAL",
        "elfuse: clone3: no ids of the caller's choice (set_tid); the guest gets EPERM",
    ];
    assert!(
        named.len() == begins.len() && named.iter().zip(begins).all(|(line, begin)| line.starts_with(begin)),
        "{named:?}"
    );
    let silent = elfuse(&[], &["clone", "refused"]);
    assert!(silent.stderr.is_empty(), "{silent:?}");
}

fn lines(bytes: &[u8]) -> Vec<String> {
    text(bytes).lines().map(str::to_owned).collect()
}

#[test]
fn the_trace_shows_what_a_filter_names() {
    let output = elfuse(&["--trace=%desc,!read"], &["syscalls", "4"]);
    let trace = lines(&output.stderr);
    assert!(trace.iter().any(|line| line.contains("] write(1, \"syscalls: ok\\n\", 13) = 13")), "{trace:?}");
    for hidden in ["exit_group(", "] read("] {
        assert!(!trace.iter().any(|line| line.contains(hidden)), "{hidden} in {trace:?}");
    }
    let output = elfuse(&["--trace=fd=99"], &["syscalls", "4"]);
    let trace = lines(&output.stderr);
    let calls: Vec<_> = trace.iter().filter(|line| line.starts_with('[')).collect();
    assert!(!calls.is_empty() && calls.iter().all(|line| line.contains("(99")), "{trace:?}");
    let output = elfuse(&["--trace=writ"], &["hello"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("\"writ\" is no system call"), "{output:?}");
}

#[test]
fn the_trace_decodes_flags_structures_and_what_calls_give() {
    let directory = tempfile::tempdir().unwrap();
    let output = elfuse(&["--trace"], &["files", directory.path().to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    let trace = text(&output.stderr);
    for part in ["O_CREAT|", "AT_FDCWD, \"", "{st_mode=S_IFREG|", "SEEK_SET", "= -1 ENOENT (No such file or directory)"]
    {
        assert!(trace.contains(part), "{part} in {trace}");
    }
    let trace = text(&elfuse(&["--trace=%signal"], &["signal"]).stderr);
    for part in ["rt_sigaction(SIG", "{sa_handler=", "SIG_BLOCK, [", "SIGUSR1"] {
        assert!(trace.contains(part), "{part} in {trace}");
    }
}

#[test]
fn a_trace_file_has_the_lines_of_all_processes() {
    for way in ["host", "spawn"] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("trace.json");
        let path = file.to_str().unwrap();
        std::fs::write(&file, "of an older run\n").unwrap();
        let options = ["--fork", way, "--trace", "--trace-format", "json", "--trace-file", path];
        let output = elfuse(&options, &["exit-status", "3"]);
        assert!(output.stderr.is_empty(), "{output:?}");
        let records = std::fs::read_to_string(&file).unwrap();
        let records: Vec<serde_json::Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(records.iter().any(|record| record["call"] == "exit_group"), "{way}: {records:?}");
        let output = elfuse(&options, &["fork"]);
        assert!(output.status.success(), "{output:?}");
        let records = std::fs::read_to_string(&file).unwrap();
        let records = records.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let pids: std::collections::BTreeSet<_> = records.map(|record| record["pid"].as_i64().unwrap()).collect();
        assert!(pids.len() > 1, "{way}: {pids:?}");
    }
    let output = elfuse(&["--trace", "--trace-file", "/nonexistent/t"], &["hello"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write the trace file /nonexistent/t"), "{output:?}");
}

#[test]
fn the_trace_tells_threads_apart() {
    let output = elfuse(&["--trace=exit,write", "--trace-format", "json"], &["thread-churn", "2"]);
    let records =
        lines(&output.stderr).into_iter().map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
    let ends: Vec<_> = records.filter(|record| record["call"] == "exit").map(|record| record["tid"].as_i64()).collect();
    let threads: std::collections::BTreeSet<_> = ends.iter().collect();
    assert!(threads.len() > 1 && threads.len() == ends.len() && !threads.contains(&None), "{ends:?}");
    // The same in text: each of them ends in a line of its own.
    let trace = lines(&elfuse(&["--trace=exit"], &["thread-churn", "2"]).stderr);
    let threads: std::collections::BTreeSet<_> = trace.iter().map(|line| line.split(']').next()).collect();
    assert!(threads.len() > 1 && threads.len() == trace.len(), "{trace:?}");
}

/// A guest that waits for its input shows in which call before it gets any.
#[test]
fn a_call_that_sleeps_is_shown_before_it_ends() {
    for (format, begun, ended) in [
        ("text", "] read(3,  <unfinished ...>", "] <... read resumed>\"x\\n\", "),
        ("json", "\"unfinished\":true", "\"args\":[\"3\",\"\\\"x\\\\n\\\"\","),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
        command.args(["--trace=read", "--trace-format", format]).arg(guest_tests::verify("tree").unwrap());
        command.args(["read", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut guest = command.spawn().unwrap();
        let mut trace = BufReader::new(guest.stderr.take().unwrap()).lines();
        let line = trace.next().unwrap().unwrap();
        assert!(line.contains(begun), "{line}");
        guest.stdin.take().unwrap().write_all(b"x\n").unwrap();
        let line = trace.next().unwrap().unwrap();
        assert!(line.contains(ended) && !line.contains(begun), "{line}");
        assert_eq!(trace.count(), 0);
        assert!(guest.wait().unwrap().success());
    }
}

#[test]
fn the_trace_shows_signals() {
    let trace = text(&elfuse(&["--trace=rt_sigreturn"], &["signal"]).stderr);
    let lines: Vec<_> = trace.lines().collect();
    let first =
        lines.iter().position(|line| line.contains("] --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid="));
    assert!(lines[first.unwrap() + 1..].iter().any(|line| line.contains("] rt_sigreturn() = ")), "{trace}");
    let others = text(&elfuse(&["--trace=rt_sigreturn,signal=HUP"], &["signal"]).stderr);
    assert!(others.contains("rt_sigreturn()") && !others.contains("SIGUSR1"), "{others}");
    let death = lines_of_death("text");
    assert!(
        death[0].ends_with(" ---")
            && death[0].contains("] --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=")
    );
    assert!(death[1].ends_with("] +++ killed by SIGSEGV +++") && death.len() == 2, "{death:?}");
    let records = lines_of_death("json");
    let records: Vec<serde_json::Value> = records.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&records[0]["info"]["si_code"], &records[1]["killed_by"]), (&"SEGV_MAPERR".into(), &"SIGSEGV".into()));
    let output = elfuse(&["--trace=signal=NOTHING"], &["hello"]);
    assert!(output.status.code() == Some(1) && text(&output.stderr).contains("\"NOTHING\" is no signal"), "{output:?}");
}

/// What the trace says of the signal that a guest dies by.
fn lines_of_death(format: &str) -> Vec<String> {
    lines(&elfuse(&["--trace=exit", "--trace-format", format], &["death", "segv"]).stderr)
}

#[test]
fn the_trace_follows_the_descriptors_of_a_path() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "text\n").unwrap();
    std::fs::write(directory.path().join("other"), "text\n").unwrap();
    let path = directory.path().join("file");
    let filter = format!("--trace=path={}", path.display());
    let other = directory.path().join("other");
    let verbs = ["tree", "read", path.to_str().unwrap(), "read", other.to_str().unwrap(), "enter"];
    let verbs = [&verbs[..], &[directory.path().to_str().unwrap(), "read", "file"]].concat();
    let trace = lines(&elfuse(&[&filter], &verbs).stderr);
    let calls: Vec<_> = trace.iter().map(|line| line.split(['(', ' ']).nth(1).unwrap_or(line)).collect();
    // By its path, then by its name in the working directory.
    assert_eq!(calls, ["openat", "read", "close", "openat", "read", "close"], "{trace:?}");
}

#[test]
fn every_option_has_a_variable_and_a_section() {
    let help = text(&elfuse(&["--help"], &[]).stdout);
    // Lines are wrapped anywhere.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for option in [
        "timeout",
        "trace",
        "verbose",
        "trace-file",
        "trace-format",
        "stats",
        "crash-json",
        "cpu",
        "fork",
        "env",
        "clear-env",
        "sysroot",
        "bind",
        "workdir",
        "release",
        "argv0",
    ] {
        let variable = format!("[env: ELFUSE_{}", option.to_uppercase().replace('-', "_"));
        assert!(help.contains(&format!("--{option}")) && help.contains(&variable), "{option} in {help}");
    }
    let command = |name: &str, value: &str| {
        let guest = guest_tests::verify("hello").unwrap();
        Command::new(env!("CARGO_BIN_EXE_elfuse")).env(name, value).arg(guest).output().unwrap()
    };
    assert!(text(&command("ELFUSE_TRACE", "write").stderr).contains("] write(1, "));
    assert!(text(&command("ELFUSE_VERBOSE", "1").stderr).contains("] exit_group(0) = ?"));
    assert!(command("ELFUSE_VERBOSE", "0").stderr.is_empty());
    assert_eq!(command("ELFUSE_TIMEOUT", "x").status.code(), Some(1));
    for name in ["ELFUSE_SYSROOT", "ELFUSE_TRACE", "ELFUSE_TIMEOUT", "ELFUSE_BIND", "ELFUSE_CPU", "ELFUSE_FORK"] {
        let output = command(name, "");
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {output:?}");
    }
}

#[test]
fn a_registration_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_elfuse")).args(["binfmt", "print"]).output().unwrap();
    assert!(output.status.success() && text(&output.stdout).starts_with(":elfuse:M::"), "{output:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_elfuse")).args(["binfmt", "remove"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// In a user namespace, whose registrations are its own: the kernel then runs a guest that is just executed.
#[test]
fn an_installed_registration_runs_guests() {
    let script = "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 77
        \"$0\" binfmt install && cat /proc/sys/fs/binfmt_misc/elfuse && \"$1\" 42; echo $?; \"$0\" binfmt install";
    let mut command = Command::new("unshare");
    command.args(["-U", "-r", "-m", "sh", "-c", script, env!("CARGO_BIN_EXE_elfuse")]);
    let Ok(output) = command.arg(guest_tests::verify("exit-status").unwrap()).stdin(Stdio::null()).output() else {
        println!("skipped: there is no unshare(1)");
        return;
    };
    if text(&output.stdout).is_empty() {
        // Linux before 6.7, or no user namespaces.
        println!("skipped: binfmt_misc cannot be mounted: {output:?}");
        return;
    }
    let said = text(&output.stdout);
    assert!(said.starts_with(&format!("enabled\ninterpreter {}\n", env!("CARGO_BIN_EXE_elfuse"))), "{output:?}");
    assert!(said.ends_with("\n42\n") && output.status.code() == Some(1), "{output:?}");
    // A second one is refused, with the remedy.
    let refused = text(&output.stderr);
    assert!(refused.contains("File exists") && refused.contains("echo -1 >"), "{refused}");
}

/// What the guest gets for `-E`, `--clear-env`, `-0` and `-r`, by the first words of files below /proc.
#[test]
fn arguments_and_environment_are_the_guests() {
    let first = |options: &[&str], path: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
        command.args(options).arg(guest_tests::verify("tree").unwrap()).args(["read", path]).stdin(Stdio::null());
        let output = command.env_clear().env("FROM", "here").env("OTHER", "1").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout).trim_end_matches('\n').split_once(": ").unwrap().1.to_owned()
    };
    let environment = "/proc/self/environ";
    assert_eq!(first(&[], environment), "FROM=here");
    assert_eq!(first(&["-E", "FROM=there", "-E", "OTHER=2", "--env", "A=3"], environment), "FROM=there");
    assert_eq!(first(&["--clear-env", "-E", "A=1=2"], environment), "A=1=2");
    assert_eq!(first(&["--clear-env"], environment), "");
    assert!(first(&[], "/proc/self/cmdline").ends_with("/tree"));
    assert_eq!(first(&["-0", "-login"], "/proc/self/cmdline"), "-login");
    assert_eq!(first(&["-r", "4.19.1-old"], "/proc/sys/kernel/osrelease"), "4.19.1-old");
}
