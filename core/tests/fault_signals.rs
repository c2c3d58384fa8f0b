//! Fault signals of elfuse itself: crashes are reported and stay crashes, signals that somebody sent are no faults, and
//! the window is found or refused under limits. Each case is a process of its own.

#![expect(unsafe_code, reason = "faults on purpose")]

#[path = "support/processes.rs"]
mod processes;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use elfuse::host::fault::{self, AltStack, FaultSignal};
use elfuse::host::fault_report;
use elfuse::mem::Window;

/// A name and what it checks.
type Case = (&'static str, fn() -> Result<(), String>);

/// Cases, and those that only other cases start, as `case/child`.
const CASES: &[Case] = &[
    ("crash_is_reported_and_kills", crash_is_reported_and_kills),
    ("crash_hook_runs_before_death", crash_hook_runs_before_death),
    ("crash_in_the_hook_ends", crash_in_the_hook_ends),
    ("crash_leaves_report_and_record", crash_leaves_report_and_record),
    ("exhausted_stack_is_reported", exhausted_stack_is_reported),
    ("sent_fault_signals_go_to_the_hook", sent_fault_signals_go_to_the_hook),
    ("sent_fault_signal_without_hook_kills", sent_fault_signal_without_hook_kills),
    ("window_shrinks_under_a_limit", window_shrinks_under_a_limit),
    ("window_refusal_says_what_to_do", window_refusal_says_what_to_do),
    ("window_has_guards", window_has_guards),
];

fn main() -> ExitCode {
    let names: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
    processes::run(&names, |name| match name.split_once('/') {
        Some((_, child)) => run_child(child),
        None => CASES.iter().find(|(case, _)| *case == name).ok_or("no such case")?.1(),
    })
}

/// What the children of cases do.
fn run_child(name: &str) -> Result<(), String> {
    fault::install().map_err(|error| error.to_string())?;
    let _stack = AltStack::install().map_err(|error| error.to_string())?;
    match name {
        "fault" => fault_at(0x10),
        "hook" => {
            fault::set_crash_hook(|event| say(if event.address == 0x10 { b"hook saw 0x10\n" } else { b"wrong\n" }));
            fault_at(0x10);
        }
        "record" => {
            let path = std::env::var_os("RECORD_FILE").ok_or("no file is named")?;
            fault_report::arm(Some(path.as_ref()));
            fault_at(0x10);
        }
        "faulty-hook" => {
            fault::set_crash_hook(|_event| fault_at(0x20));
            fault_at(0x10);
        }
        "recurse" => {
            println!("{}", recurse(1));
        }
        "sent" => {
            // SAFETY: raises a signal at this thread.
            unsafe { libc::raise(libc::SIGSEGV) };
        }
        other => return Err(format!("no such child: {other}")),
    }
    Err("the child survived".to_owned())
}

/// Writes to standard error from a handler.
fn say(text: &[u8]) {
    // SAFETY: write(2) with an initialised buffer.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

/// A fault that is in no table.
fn fault_at(address: usize) {
    let place = std::ptr::without_provenance::<u8>(std::hint::black_box(address));
    // SAFETY: none: this is the bug that the case is about. The volatile read keeps it a plain load.
    unsafe { place.read_volatile() };
}

/// Uses up the stack.
fn recurse(depth: u64) -> u64 {
    let pad = std::hint::black_box([depth; 128]);
    if depth == 0 { 0 } else { recurse(depth + 1) + pad[depth as usize % 128] }
}

/// Starts a child and checks the signal it died of and what it said.
fn dies(child: &str, signal: i32, saying: &str) -> Result<(), String> {
    let outcome = processes::spawn(child, &[]);
    let died_of = outcome.status.and_then(|status| status.signal());
    if died_of == Some(signal) && outcome.output.contains(saying) {
        Ok(())
    } else {
        Err(format!("{child}: {:?}, said {:?}", outcome.status, outcome.output))
    }
}

fn crash_is_reported_and_kills() -> Result<(), String> {
    dies("crash/fault", libc::SIGSEGV, "internal fault, signal 11 at host pc 0x")?;
    dies("crash/fault", libc::SIGSEGV, "address 0x10; this is a bug in elfuse")
}

fn crash_hook_runs_before_death() -> Result<(), String> {
    dies("crash/hook", libc::SIGSEGV, "hook saw 0x10")
}

fn crash_leaves_report_and_record() -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = dir.path().join("crash.json");
    let outcome = processes::spawn("crash/record", &[("RECORD_FILE", path.to_str().ok_or("a strange path")?)]);
    let record = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let record: serde_json::Value = serde_json::from_str(&record).map_err(|error| error.to_string())?;
    let is_reported = outcome.output.contains("type: INTERNAL_FAULT") && outcome.output.contains("address 0x10;");
    let died_of = outcome.status.and_then(|status| status.signal());
    match (record["kind"].as_str(), record["address"].as_str(), record["signal"].as_i64()) {
        (Some("INTERNAL_FAULT"), Some("0x10"), Some(11)) if is_reported && died_of == Some(libc::SIGSEGV) => Ok(()),
        _other => Err(format!("{record}; {:?}, said {:?}", outcome.status, outcome.output)),
    }
}

fn crash_in_the_hook_ends() -> Result<(), String> {
    dies("crash/faulty-hook", libc::SIGSEGV, "address 0x20; this is a bug in elfuse")
}

fn exhausted_stack_is_reported() -> Result<(), String> {
    dies("crash/recurse", libc::SIGSEGV, "this is a bug in elfuse")
}

fn sent_fault_signal_without_hook_kills() -> Result<(), String> {
    dies("crash/sent", libc::SIGSEGV, "")
}

static SENT: [AtomicI32; 3] = [const { AtomicI32::new(0) }; 3];
static SENT_COUNT: AtomicUsize = AtomicUsize::new(0);

fn keep_sent(event: &FaultSignal) {
    SENT_COUNT.fetch_add(1, Ordering::SeqCst);
    for (slot, value) in SENT.iter().zip([event.signal, event.code, event.sender_pid]) {
        slot.store(value, Ordering::SeqCst);
    }
}

/// `si_code` of a signal that raise(3) sent: `SI_TKILL`, or `SI_USER` where the host does not say more.
const RAISED: i32 = if cfg!(target_os = "linux") { -6 } else { 0 };

fn sent_fault_signals_go_to_the_hook() -> Result<(), String> {
    fault::install().map_err(|error| error.to_string())?;
    fault::set_sent_hook(keep_sent);
    for (index, signal) in fault::FAULT_SIGNALS.into_iter().enumerate() {
        // SAFETY: raises a signal at this thread, which has returned from the handler when the call returns.
        let pid = unsafe {
            libc::raise(signal);
            libc::getpid()
        };
        let seen: Vec<i32> = SENT.iter().map(|slot| slot.load(Ordering::SeqCst)).collect();
        if seen != [signal, RAISED, pid] || SENT_COUNT.load(Ordering::SeqCst) != index + 1 {
            return Err(format!("signal {signal}: the hook saw {seen:?}"));
        }
    }
    Ok(())
}

/// Limits the address space of this process.
fn limit_address_space(bytes: u64) -> Result<(), String> {
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_AS, bytes, bytes)
        .map_err(|errno| errno.to_string())
}

fn window_shrinks_under_a_limit() -> Result<(), String> {
    let free = Window::reserve().map_err(|error| error.to_string())?.len_bytes();
    limit_address_space((1 << 42) + (1 << 41))?;
    let limited = Window::reserve().map_err(|error| error.to_string())?.len_bytes();
    if (free, limited) == (1 << 42, 1 << 39) {
        Ok(())
    } else {
        Err(format!("2^{} and 2^{}", free.ilog2(), limited.ilog2()))
    }
}

fn window_refusal_says_what_to_do() -> Result<(), String> {
    limit_address_space(1 << 34)?;
    match Window::reserve() {
        Err(error) if error.to_string().contains("ulimit -v unlimited") => Ok(()),
        other => Err(format!("{:?}", other.map(|window| window.len_bytes()))),
    }
}

/// Nothing of the process lies within the guards, and the mappings around the window are not accessible.
fn window_has_guards() -> Result<(), String> {
    let window = Window::reserve().map_err(|error| error.to_string())?;
    let start = window.base().addr().get();
    let end = start + usize::try_from(window.len_bytes()).map_err(|error| error.to_string())?;
    let guarded = start - elfuse::mem::GUARD_BYTES..end + elfuse::mem::GUARD_BYTES;
    let maps = std::fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    let mut covered = 0;
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').ok_or("a line without a space")?;
        let (from, to) = range.split_once('-').ok_or("a range without a dash")?;
        let parse = |text| usize::from_str_radix(text, 16).map_err(|error| error.to_string());
        let (from, to) = (parse(from)?.max(guarded.start), parse(to)?.min(guarded.end));
        if from < to {
            covered += to - from;
            if !rest.starts_with("---p") {
                return Err(format!("in the window or its guards: {line}"));
            }
        }
    }
    if covered == guarded.len() { Ok(()) } else { Err(format!("{covered} of {} bytes are reserved", guarded.len())) }
}
