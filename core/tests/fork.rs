//! Fork children under a storm of doorbells, and what becomes of a child whose bring-up is cut short.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use elfuse::abi::{Pid, SigInfo, Signal};
use elfuse::preempt::stats::{ProcessKind, StatsSnapshot, TaskCounter};
use elfuse::preempt::transport::{Directory, SenderHandle};

/// Rounds of doorbells that a guest may take, of about a millisecond each.
const ROUNDS: u32 = 60_000;

/// Sends null records to every process of the run that `stats` lists, and with them what `send` makes of the count.
struct Storm<'run> {
    stats: &'run Path,
    directory: &'run Directory,
    receivers: BTreeMap<i32, (SenderHandle, u64)>,
}

impl Storm<'_> {
    fn blow(&mut self, with_signals: bool) {
        let snapshot = StatsSnapshot::open(self.stats).unwrap_or_default();
        for process in snapshot.processes.iter().filter(|process| process.live) {
            if !self.receivers.contains_key(&process.pid.0)
                && let Ok(handle) = SenderHandle::open(self.directory, process.pid)
            {
                self.receivers.insert(process.pid.0, (handle, 0));
            }
        }
        for (handle, sent) in self.receivers.values_mut() {
            // A process that has ended takes no more.
            let _gone = handle.send_null();
            if with_signals {
                let signal = Signal::new(35).unwrap();
                let own = Pid(std::process::id().cast_signed());
                if handle.send_signal(None, &SigInfo::queued(signal, own, 0, *sent + 1)).is_ok() {
                    *sent += 1;
                }
            }
        }
    }
}

/// Runs a fixture under a storm; signals are sent once it has written `ready`.
fn storm(program: &str, args: &[&str], with_signals: bool) -> (Output, StatsSnapshot) {
    let dir = tempfile::tempdir().unwrap();
    let (stats, directory) = (dir.path().join("stats"), Directory::at(dir.path()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_elfuse"))
        .arg("--stats")
        .arg(&stats)
        .arg(guest_tests::verify(program).unwrap())
        .args(args)
        .env("ELFUSE_SIGNAL_DIR", dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = Vec::new();
    if with_signals {
        let mut ready = [0; 6];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        stdout.extend(ready);
    }
    let mut storm = Storm { stats: &stats, directory: &directory, receivers: BTreeMap::new() };
    for _ in 0..ROUNDS {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        storm.blow(with_signals);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let _ended_already = child.kill();
    let mut output = child.wait_with_output().unwrap();
    stdout.append(&mut output.stdout);
    output.stdout = stdout;
    (output, StatsSnapshot::open(&stats).unwrap())
}

fn assert_clean(output: &Output, snapshot: &StatsSnapshot, expected: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), errors.as_ref()), (expected, ""));
    assert!(output.status.success(), "{:?}", output.status);
    for task in &snapshot.tasks {
        assert_eq!(task.get(TaskCounter::ExitsUnknown), 0);
        assert_eq!(task.get(TaskCounter::HandlersInsideRun) + task.get(TaskCounter::HandlersOutsideRun), 0);
    }
}

#[test]
fn doorbells_cancel_fork_children_in_their_code() {
    let (output, snapshot) = storm("spin-children", &["20000000"], false);
    assert_clean(&output, &snapshot, "spin-children: ok\n");
    let children = snapshot.tasks.iter().filter(|task| task.process == ProcessKind::ForkChild);
    let canceled: Vec<u64> = children.map(|task| task.get(TaskCounter::ExitsCanceledInCode)).collect();
    assert!(canceled.len() == 2 && canceled.iter().all(|count| *count > 0), "{canceled:?}");
}

#[test]
fn signals_reach_every_process_of_a_fork_in_order() {
    let (output, snapshot) = storm("storm-target", &["rt", "fork", "60", "400"], true);
    assert_clean(&output, &snapshot, "ready\nstorm-target rt fork: ok\n");
    assert_eq!(snapshot.processes.len(), 3);
}

#[test]
fn forks_of_a_process_with_threads_stand_a_storm() {
    let (output, snapshot) = storm("mt-fork", &["4", "thread"], false);
    assert_clean(&output, &snapshot, "mt-fork: ok\n");
}

/// Starts a fork child with `sent` in its socket, whose other end is then closed.
fn cut_short(sent: &[u8]) -> Output {
    let (mut own, theirs) = UnixStream::pair().unwrap();
    own.write_all(sent).unwrap();
    drop(own);
    let theirs = std::os::fd::OwnedFd::from(theirs);
    Command::new(env!("CARGO_BIN_EXE_elfuse")).args(["--fork-child", "0"]).stdin(theirs).output().unwrap()
}

#[test]
fn a_child_whose_parent_is_gone_ends_by_itself() {
    let newer = [&b"elfuseFK"[..], &99u32.to_le_bytes(), &[0; 20]].concat();
    for (sent, said) in
        [(&b""[..], "receive"), (&newer[..20], "receive"), (&newer[..], "version 99"), (&[b'x'; 32], "not the image")]
    {
        let output = cut_short(sent);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(said) && errors.lines().count() == 1, "{errors}");
    }
}

/// How many descriptors and threads a process of the host has.
fn belongings(pid: u32) -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).map_or(0, Iterator::count);
    (count("fd"), count("task"))
}

/// The only child of a process, once it has one.
fn child_of(pid: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok()
}

#[test]
fn forks_leave_no_descriptor_and_no_thread_behind() {
    let fixture = guest_tests::verify("fork-chain").unwrap();
    let mut first = Command::new(env!("CARGO_BIN_EXE_elfuse"))
        .arg("--")
        .arg(&fixture)
        .arg("6")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 6];
    first.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"ready\n");
    let chain: Vec<u32> = std::iter::successors(Some(first.id()), |pid| child_of(*pid)).collect();
    // A parent may still be about to close what it made its child with. The last process polls, and has made its wake-up for
    // that; of the others each is as the one before.
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        seen = chain.iter().map(|pid| belongings(*pid)).collect();
        if chain.len() == 7 && seen[1..6].iter().all(|one| *one == seen[1]) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    drop(first.stdin.take());
    assert!(first.wait().unwrap().success());
    assert_eq!(chain.len(), 7);
    assert!(seen[1..6].iter().all(|one| *one == seen[1]), "{seen:?}");
}
