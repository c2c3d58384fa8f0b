//! Every guest of the manifest runs to its expected end: status or signal, golden output, crash record or none.
//!
//! Rows that are measured (`use = "bench"`, `"latency"`) are the benches' and the harness's, and so is the one of
//! [`FOR_THE_HARNESS`].

#![expect(clippy::unwrap_used, reason = "a test may say so")]

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use guest_tests::{Expect, Guest, Manifest, Use};

/// A million interruptions take minutes; everything else is run here.
const FOR_THE_HARNESS: &str = "sigreturn-million";

/// No guest of the manifest takes longer than this on a busy machine, by far.
const LIMIT: Duration = Duration::from_secs(90);

/// What happened, `Ok` where it is what the row says.
fn run(guest: &Guest) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let crash = dir.path().join("crash.json");
    let fixture = guest_tests::verify(guest.program()).map_err(|error| error.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.arg("--crash-json").arg(&crash).args(guest.options()).arg("--").arg(fixture).args(guest.args());
    command.envs(guest.env()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let output = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_len| text)
    });
    let errors = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes).map(|_len| String::from_utf8_lossy(&bytes).into_owned())
    });
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        if started.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err("did not end".to_owned());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let output = output.join().unwrap().map_err(|error| error.to_string())?;
    let errors = errors.join().unwrap().map_err(|error| error.to_string())?;
    let is_expected = match guest.expect() {
        Expect::Status(expected) => status.code() == Some(expected.into()),
        Expect::Signal(expected) => status.signal() == Some(expected.number().into()),
    };
    if !is_expected {
        return Err(format!("ended with {status}, expected {:?}; stderr: {}", guest.expect(), errors.trim()));
    }
    if guest.stdout().is_some_and(|golden| golden != output) {
        return Err(format!("printed {output:?}, expected {:?}", guest.stdout()));
    }
    let record = std::fs::read_to_string(&crash).ok();
    match (guest.crash(), record) {
        (None, None) => Ok(()),
        (None, Some(record)) => Err(format!("left a crash record: {record}")),
        (Some(kind), Some(record)) if record.contains(&format!("\"kind\":\"{kind}\"")) => Ok(()),
        (Some(kind), record) => Err(format!("should have left a crash record {kind}, left {record:?}")),
    }
}

#[test]
fn every_guest_ends_as_its_row_says() {
    let manifest = Manifest::load().unwrap();
    let rows = manifest.used_by(Use::Test).chain(manifest.used_by(Use::Alone));
    let rows: Vec<&Guest> = rows.filter(|guest| guest.name() != FOR_THE_HARNESS).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(guest) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = run(guest) {
                        failures.lock().unwrap().push(format!("{}: {what}", guest.name()));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} guests failed:\n{}", failures.len(), rows.len(), failures.join("\n"));
}
