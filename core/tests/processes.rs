//! Trees of guest processes: 200 deep and 200 wide, and what is left of one whose members are killed at any moment.

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// No tree takes that long to end on a busy machine, by far.
const LIMIT: Duration = Duration::from_secs(60);

fn elfuse(dir: &Path, way: &str, guest: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.args(["--fork", way, "--"]).arg(guest_tests::verify(guest[0]).unwrap()).args(&guest[1..]);
    command.env("ELFUSE_SIGNAL_DIR", dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(dir: &Path, way: &str, guest: &[&str]) -> Output {
    elfuse(dir, way, guest).output().unwrap()
}

fn files(dir: &Path) -> usize {
    std::fs::read_dir(dir).unwrap().count()
}

/// Children of `pid`, as the host lists them.
fn children(pid: i32) -> Vec<i32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn trees_are_as_deep_and_as_wide_as_one_likes() {
    for way in ["host", "spawn"] {
        for shape in ["deep", "wide"] {
            let dir = tempfile::tempdir().unwrap();
            let output = run(dir.path(), way, &["family", shape, "200"]);
            let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!((said.as_ref(), errors.as_ref()), (format!("family {shape}: ok\n").as_str(), ""), "{way}");
            assert_eq!(files(dir.path()), 0, "{way} {shape}");
        }
    }
}

/// Whatever user a process has become by its end, in a directory of its first user's as in one that is everybody's.
#[test]
fn a_change_of_the_user_leaves_no_file_behind() {
    for (way, mode) in [("host", 0o700), ("host", 0o1777), ("spawn", 0o700)] {
        for how in ["drop", "effective", "back"] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            let output = run(dir.path(), way, &["users", how]);
            let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!((said.as_ref(), errors.as_ref()), (format!("users {how}: ok\n").as_str(), ""), "{way} {mode:o}");
            assert_eq!(files(dir.path()), 0, "{way} {mode:o} {how}");
        }
    }
}

/// One generation is killed, then the first process; the rest ends by itself, and the next start-up clears what was left.
#[test]
fn killed_members_leave_nothing_stuck_and_nothing_behind() {
    // Orphans come here.
    use elfuse::host::children::{ADOPTS_ORPHANS, adopt_orphans};
    assert_eq!(adopt_orphans(), Ok(ADOPTS_ORPHANS));
    for way in ["host", "spawn"] {
        let dir = tempfile::tempdir().unwrap();
        let mut top = elfuse(dir.path(), way, &["family", "stay", "4"]).spawn().unwrap();
        let mut ready = [0; 6];
        top.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        let first = top.id().cast_signed();
        let middle = children(first);
        assert_eq!(middle.len(), 4, "{way}");
        let members: Vec<i32> = middle.iter().flat_map(|pid| children(*pid)).chain(middle.iter().copied()).collect();
        assert_eq!((members.len(), files(dir.path())), (20, 21), "{way}");
        for pid in [middle[0], middle[2], first] {
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        }
        top.wait().unwrap();
        wait_for_all(&members);
        // Nobody was there to remove the first one's, and perhaps others'.
        assert!(files(dir.path()) > 0);
        assert_eq!(run(dir.path(), way, &["hello"]).stdout, b"hello, world\n");
        assert_eq!(files(dir.path()), 0, "{way}");
    }
}

/// Waits for every member that becomes an orphan, until none is left.
fn wait_for_all(members: &[i32]) {
    let started = Instant::now();
    let is_left = |pid: &i32| Path::new(&format!("/proc/{pid}")).exists();
    while members.iter().any(is_left) {
        for pid in members {
            if let Ok(status) = waitpid(Pid::from_raw(*pid), Some(WaitPidFlag::WNOHANG)) {
                assert!(!matches!(status, WaitStatus::Exited(_, code) if code != 0), "{status:?}");
            }
        }
        assert!(started.elapsed() < LIMIT, "left: {:?}", members.iter().filter(|pid| is_left(pid)).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(2));
    }
}
