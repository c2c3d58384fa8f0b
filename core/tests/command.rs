//! The command as people meet it: help, version, trace.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

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
    for part in ["Examples:", "--timeout", "--trace", "--stats", "--crash-json", "Exit status:", "  124 ", "  128 "] {
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
