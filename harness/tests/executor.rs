//! The harness as a program, with an elfuse that is a shell script: endings, leftovers, limits, interruption, bad input.
//!
//! The script counts nothing, so every run fails the check `stats`: what a test looks at is what fails besides.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A folder with an elfuse that says its version, and else does what `body` says.
fn fake(body: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("elfuse");
    let version = "if [ \"$1\" = --version ]; then echo 'elfuse 0 (measuring)'; exit; fi";
    fs::write(&path, format!("#!/bin/sh\n{version}\ncd '{}'\n{body}\n", dir.path().display())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    (dir, path)
}

fn run(elfuse: &Path, report: &Path, more: &[&str]) -> Output {
    Command::new(HARNESS)
        .args(["run", "--guest", "hello", "--iterations", "2", "--jobs", "2", "--elfuse"])
        .arg(elfuse)
        .arg("--report")
        .arg(report)
        .args(more)
        .output()
        .unwrap()
}

/// The checks that failed in all runs of the report, besides `stats`, with their number of runs.
fn failures(report: &Path) -> serde_json::Map<String, serde_json::Value> {
    let text = fs::read_to_string(report.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let guest = &report["phases"]["measure"]["guests"]["hello"];
    let mut failures = guest["failures"].as_object().unwrap().clone();
    assert!(failures.remove("stats").is_some() || guest["seen"] == 0);
    failures
}

fn names(failures: &serde_json::Map<String, serde_json::Value>) -> Vec<&str> {
    failures.keys().map(String::as_str).collect()
}

fn is_alive(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}

#[test]
fn a_good_ending_fails_nothing_but_the_missing_statistics() {
    let (dir, elfuse) = fake("echo 'hello, world'");
    let output = run(&elfuse, dir.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(failures(dir.path()).is_empty());
    let junit = fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    assert!(junit.contains("stats in 2 runs"), "{junit}");
}

#[test]
fn status_signal_and_output_are_compared() {
    let (dir, elfuse) = fake("echo 'hello, world'; kill -KILL $$");
    run(&elfuse, dir.path(), &[]);
    assert_eq!(names(&failures(dir.path())), ["ending"]);
    let (dir, elfuse) = fake("echo 'hello'; exit 0");
    run(&elfuse, dir.path(), &[]);
    assert_eq!(names(&failures(dir.path())), ["output"]);
}

#[test]
fn a_left_process_is_counted_and_ended() {
    let (dir, elfuse) = fake("echo 'hello, world'; sleep 300 & echo $! > left.$$");
    run(&elfuse, dir.path(), &[]);
    let failures = failures(dir.path());
    assert_eq!(names(&failures), ["left-process"]);
    assert_eq!(failures["left-process"], 2);
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("left.") {
            assert!(!is_alive(&fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn an_orphan_that_has_ended_is_not_left() {
    // The orphan outlives its parent, which might reap it. Gone is as good as dead: then somebody else has reaped it.
    let until_dead = "until ! [ -e /proc/$(cat orphan.$$) ] || grep -q 'State:.Z' /proc/$(cat orphan.$$)/status; do sleep 0.01; done";
    let orphan = "(sleep 0.2 & echo $! > orphan.$$)";
    let (dir, elfuse) = fake(&format!("{orphan}; {until_dead}; echo 'hello, world'"));
    run(&elfuse, dir.path(), &[]);
    assert_eq!(names(&failures(dir.path())), [""; 0]);
}

#[test]
fn a_program_may_come_after_options_with_values() {
    let (dir, elfuse) = fake("echo \"$@\" > arguments");
    let output = Command::new(HARNESS)
        .args(["run", "--iterations", "1", "--program", "--sysroot / -E A=b -- /bin/true x", "--elfuse"])
        .arg(&elfuse)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "only the statistics are missing: {output:?}");
    let arguments = fs::read_to_string(dir.path().join("arguments")).unwrap();
    assert!(arguments.contains("--sysroot / -E A=b"), "{arguments}");
}

#[test]
fn a_left_transport_file_is_a_failure() {
    let (dir, elfuse) = fake("echo 'hello, world'; : > \"$ELFUSE_SIGNAL_DIR/elfuse-sig-$$\"");
    run(&elfuse, dir.path(), &[]);
    assert_eq!(failures(dir.path())["left-file"], 2);
}

#[test]
fn a_crash_record_anywhere_in_the_tree_is_a_failure() {
    // The argument after --crash-json is the file.
    let body = "while [ \"$1\" != --crash-json ]; do shift; done
(echo '{\"kind\":\"UNEXPECTED_EXIT\",\"pid\":1,\"exit_status\":128}' >> \"$2\")
echo 'hello, world'";
    let (dir, elfuse) = fake(body);
    run(&elfuse, dir.path(), &[]);
    assert_eq!(names(&failures(dir.path())), ["crash"]);
}

#[test]
fn a_run_that_does_not_end_is_ended_with_its_tree() {
    let (dir, elfuse) = fake("sleep 300 & echo $! > child.$$; wait");
    run(&elfuse, dir.path(), &["--wall-limit", "1"]);
    assert_eq!(names(&failures(dir.path())), ["wall-limit"]);
    let child = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let child = child.into_iter().find(|path| path.to_string_lossy().contains("child.")).unwrap();
    assert!(!is_alive(&fs::read_to_string(child).unwrap()));
}

#[test]
fn who_left_the_group_of_a_run_that_is_ended_is_found() {
    // It counts nothing and has a session of its own: nothing but the variables that it was started with tell whose it is.
    let (dir, elfuse) = fake("setsid sh -c 'echo $$ > daemon.$$; exec sleep 300' & sleep 300");
    let output = run(&elfuse, dir.path(), &["--wall-limit", "1"]);
    assert_eq!(names(&failures(dir.path())), ["wall-limit"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("belong to no run"), "{output:?}");
    let files = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let daemons: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().contains("daemon.")).collect();
    assert_eq!(daemons.len(), 2);
    for daemon in daemons {
        assert!(!is_alive(&fs::read_to_string(daemon).unwrap()));
    }
}

#[test]
fn an_interrupted_harness_ends_its_runs_and_reports() {
    let (dir, elfuse) = fake("mkfifo gone.$$ && echo $$ > begun.pipe; exec sleep 300");
    let pipe = dir.path().join("begun.pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut harness = Command::new(HARNESS)
        .args(["run", "--guest", "hello", "--iterations", "1", "--elfuse"])
        .arg(&elfuse)
        .arg("--report")
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(fs::File::open(&pipe).unwrap()).read_line(&mut pid).unwrap();
    let id = i32::try_from(harness.id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(harness.wait().unwrap().code(), Some(1));
    assert!(!is_alive(&pid));
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["interrupted"], true);
    let guest = &report["phases"]["measure"]["guests"]["hello"];
    assert_eq!((&guest["planned"], &guest["seen"]), (&1.into(), &0.into()), "planned, not seen");
    assert_eq!(report["verdict"]["passed"], false);
}

/// What the harness says when it cannot run: one line, and nothing else.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    last_complaint(output)
}

/// What the harness says when it has run, and cannot tell of it: one line after those of its progress.
fn last_complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let complaints = text.lines().filter(|line| line.starts_with("harness: ")).count();
    let last = text.lines().last().unwrap();
    assert!(complaints == 1 && last.starts_with("harness: "), "{text}");
    last.to_owned()
}

#[test]
fn what_keeps_it_from_running_is_one_line_and_status_2() {
    let dir = tempfile::tempdir().unwrap();
    let missing = run(&dir.path().join("no-elfuse"), dir.path(), &[]);
    let said = complaint(&missing);
    assert!(said.contains("no-elfuse: No such file") && said.ends_with("; name a binary of elfuse"), "{said}");
    let (_other_dir, no_elfuse) = fake("");
    fs::write(&no_elfuse, "#!/bin/sh\necho something else\n").unwrap();
    assert!(complaint(&run(&no_elfuse, dir.path(), &[])).contains("something else"));
    let (_fake_dir, elfuse) = fake("echo 'hello, world'");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let said = complaint(&run(&elfuse, &file.join("sub"), &[]));
    assert!(said.contains("--report") && said.ends_with("; name a folder where you may write"), "{said}");
    assert!(complaint(&run(&elfuse, dir.path(), &["--guest", "no-such"])).contains("harness list"));
    assert!(complaint(&run(&elfuse, dir.path(), &["--class", "exec"])).contains("--class"));
    let mistyped = Command::new(HARNESS).args(["run", "--iterations", "0"]).output().unwrap();
    assert!(complaint(&mistyped).ends_with("; see `harness --help`"), "{mistyped:?}");
}

#[test]
fn a_report_is_shown_again_and_a_damaged_one_refused() {
    let (dir, elfuse) = fake("echo 'hello, world'");
    let first = run(&elfuse, dir.path(), &["--seed", "7"]);
    let again = Command::new(HARNESS).arg("report").arg(dir.path()).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(again.stdout, first.stdout);
    assert!(String::from_utf8_lossy(&again.stdout).contains("seed 7"));
    fs::write(dir.path().join("report.json"), "{\"schema\":1").unwrap();
    let said = complaint(&Command::new(HARNESS).arg("report").arg(dir.path()).output().unwrap());
    assert!(said.ends_with("; run the harness again to get a whole one"), "{said}");
}

#[test]
fn a_statistics_file_is_shown_and_another_file_refused() {
    use elfuse::preempt::stats::{ProcessCounter, ProcessKind, Stats, TaskRole};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stats");
    let show = |path: &Path| Command::new(HARNESS).arg("stats").arg(path).output().unwrap();
    assert!(complaint(&show(&path)).contains("No such file"));
    let stats = Stats::open(&path, ProcessKind::ForkChild).unwrap();
    let (process, task) = (stats.claim_process(), stats.claim_task(TaskRole::Worker));
    process.bump(ProcessCounter::KicksDoorbell);
    task.run_entered();
    task.run_exited(&elfuse::vcpu::VcpuExit::Canceled { in_code: true });
    let output = show(&path);
    let lines: Vec<Vec<String>> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines[0][..4], ["threads", "entered", "in-code", "latched"]);
    assert_eq!(lines[1], "workers of fork children 1 1 0 0 0 0 0 0".split(' ').collect::<Vec<_>>());
    assert_eq!(lines[3..], [vec!["kicks", "by", "cause:", "doorbell", "1"], vec!["processes:", "1"]]);
    let other = dir.path().join("other");
    fs::write(&other, "something else").unwrap();
    assert!(complaint(&show(&other)).contains("not a statistics file"));
}

#[test]
fn a_full_disk_under_the_report_leaves_the_old_one_whole() {
    let (dir, elfuse) = fake("echo 'hello, world'");
    let old = "an old report";
    fs::write(dir.path().join("report.json"), old).unwrap();
    let limited = "ulimit -f 1; trap '' XFSZ; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited, "sh", HARNESS, "run", "--guest", "hello", "--iterations", "1", "--elfuse"]);
    let output = command.arg(&elfuse).arg("--report").arg(dir.path()).output().unwrap();
    let said = last_complaint(&output);
    assert!(said.contains("report.json: File too large"), "{said}");
    assert!(said.ends_with("; make room, or name another folder"), "{said}");
    assert_eq!(fs::read_to_string(dir.path().join("report.json")).unwrap(), old);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_still_reported() {
    let (dir, elfuse) = fake("echo 'hello, world'");
    let run = |stdout: fs::File, stderr: Stdio| {
        let mut command = Command::new(HARNESS);
        command.args(["run", "--guest", "hello", "--iterations", "1", "--elfuse"]).arg(&elfuse);
        command.arg("--report").arg(dir.path()).stdout(stdout).stderr(stderr).output().unwrap()
    };
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(last_complaint(&run(full(), Stdio::piped())).contains("standard output"));
    assert!(dir.path().join("report.json").exists());
    fs::remove_file(dir.path().join("report.json")).unwrap();
    assert_eq!(run(full(), full().into()).status.code(), Some(2));
    assert!(dir.path().join("report.json").exists());
}

#[test]
fn recording_needs_an_acceptance_plan() {
    for more in [["--iterations", "499"], ["--guest", "hello"]] {
        let output = Command::new(HARNESS).args(["gate", "--record"]).args(more).output().unwrap();
        assert!(complaint(&output).contains("--record needs"));
    }
}
