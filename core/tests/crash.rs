//! Crash reports: each kind that a machine can cause, from a machine that plays a script, and the watchdog's from a guest.
//!
//! A case ends by crashing, so it is a process of its own that is started, awaited and judged here.

#[path = "support/memory_of.rs"]
mod memory_of;
#[path = "support/processes.rs"]
mod processes;

use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use elfuse::abi::{Errno, GuestAddr, GuestPtr, PAGE_SIZE, SigSet};
use elfuse::fs::{Root, RootConfig};
use elfuse::host::thread::{self, Role};
use elfuse::host::{SignalsBlocked, signal};
use elfuse::kernel::fd_table::FdTable;
use elfuse::kernel::process::{ImageInfo, Options};
use elfuse::kernel::signal::Member;
use elfuse::kernel::sink::Sink;
use elfuse::kernel::{Process, Task, TaskContext};
use elfuse::mem::{AddressSpace, MmapRequest, Prot};
use elfuse::preempt::stats::{ProcessKind, Stats, TaskRole};
use elfuse::preempt::{Bounds, Preemption};
use elfuse::run::{CrashKind, run_thread};
use elfuse::soft::SoftMachine;
use elfuse::vcpu::{
    CpuFeatures, CpuState, Esr, Exception, ExceptionKind, Machine, SyscallRegisters, Vcpu, VcpuError, VcpuExit, VcpuId,
};
use serde_json::Value;

/// Where the record of a scripted case goes.
const RECORD: &str = "ELFUSE_TEST_RECORD";
const CODE: u64 = 0x40_0000;

/// How many descriptors that are not open, from 1000 on, the guest closes: more calls than are kept.
const TURNS: u64 = 70;
/// Number and first argument of the system calls that the guest makes then: `getpid`, and a `close` that fails.
const CALLS: [[u64; 2]; 2] = [[172, 0], [57, 99]];

/// Number and first argument of the call that ends a run; `None` where the guest crashes.
fn call(run: u64) -> Option<[u64; 2]> {
    if run < TURNS { Some([57, 1000 + run]) } else { CALLS.get((run - TURNS) as usize).copied() }
}

type Script = fn() -> Result<VcpuExit, VcpuError>;

/// Name, what the machine does in the end, and what must be reported.
const SCRIPTS: &[(&str, Script, CrashKind, &str)] = &[
    ("unknown_exit", || Ok(VcpuExit::Unknown(3)), CrashKind::UnexpectedExit, "exit reason 0x3"),
    ("exit_of_the_future", || Ok(VcpuExit::Unknown(77)), CrashKind::UnexpectedExit, "exit reason 0x4d"),
    (
        "unexpected_class",
        || Ok(VcpuExit::Exception(Exception { esr: Esr::new(0x2c, 5), kind: ExceptionKind::Other })),
        CrashKind::UnexpectedEc,
        "exception class 0x2c, syndrome 0x5",
    ),
    (
        "interface_failure",
        || Err(VcpuError::Backend { call: "hv_vcpu_run", detail: "HV_DENIED".to_owned() }),
        CrashKind::HvCheck,
        "hv_vcpu_run failed: HV_DENIED",
    ),
    ("wrong_thread", || Err(VcpuError::WrongThread(VcpuId(0))), CrashKind::HvCheck, "does not own it"),
];

/// The software machine's memory, and one vCPU that makes the calls of [`call`] and then does what the script says.
struct Scripted {
    memory: Arc<SoftMachine>,
    script: Script,
}

struct ScriptedVcpu {
    script: Script,
    state: CpuState,
    runs: AtomicU64,
}

impl Vcpu for ScriptedVcpu {
    fn id(&self) -> VcpuId {
        VcpuId(0)
    }

    fn run(&mut self) -> Result<VcpuExit, VcpuError> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        match call(run) {
            Some([number, first]) => {
                (self.state.x[8], self.state.x[0]) = (number, first);
                Ok(VcpuExit::Exception(Exception::new(ExceptionKind::Syscall { imm: 0 })))
            }
            None => (self.script)(),
        }
    }

    fn syscall(&self) -> SyscallRegisters {
        SyscallRegisters { number: self.state.x[8], args: std::array::from_fn(|index| self.state.x[index]) }
    }

    fn set_return_value(&mut self, value: u64) {
        self.state.x[0] = value;
    }

    fn pull(&self) -> CpuState {
        self.state.clone()
    }

    fn push(&mut self, state: &CpuState) {
        self.state = state.clone();
    }
}

impl Machine for Scripted {
    fn create_vcpu(&self, _proof: &SignalsBlocked) -> Result<Box<dyn Vcpu>, VcpuError> {
        let state = CpuState { pc: CODE + 4, ..CpuState::default() };
        Ok(Box::new(ScriptedVcpu { script: self.script, state, runs: AtomicU64::new(0) }))
    }

    fn exit_vcpus(&self, _ids: &[VcpuId]) -> Result<(), VcpuError> {
        Ok(())
    }

    fn features(&self) -> &CpuFeatures {
        self.memory.features()
    }

    fn backend_name(&self) -> &'static str {
        "scripted"
    }
}

memory_of!(Scripted, memory);

/// In the case's own process: brings a guest process up on the scripted machine and runs it to its crash.
fn play(script: Script) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let proof = signal::block_kick_set().map_err(|error| text(&error))?;
    let memory = SoftMachine::new().map_err(|error| text(&error))?;
    let machine: Arc<dyn Machine> = Arc::new(Scripted { memory: memory.clone(), script });
    let stats = Stats::anonymous(ProcessKind::Initial).map_err(|error| text(&error))?;
    let preemption = Preemption::prepare(&proof, machine.clone(), stats, Bounds::default()).map_err(|e| text(&e))?;
    let root = Root::new(RootConfig::default()).map_err(|error| text(&error))?;
    let options = Options { crash_json: std::env::var_os(RECORD).map(Into::into), ..Options::default() };
    let process = Process::new(machine.clone(), AddressSpace::new(memory).into(), preemption, options, root);
    put_code(process.space()).map_err(|errno| text(&errno))?;
    process.set_image(ImageInfo {
        path: "/bin/scripted".into(),
        args: vec![b"scripted".to_vec()],
        ..ImageInfo::default()
    });
    process.preemption().start(&proof, Arc::new(Sink(process.clone()))).map_err(|error| text(&error))?;
    let proof = thread::adopt(Role::Bootstrap);
    let vcpu = machine.create_vcpu(&proof).map_err(|error| text(&error))?;
    let task = Task::new(process.clone(), thread::gettid());
    task.set_vcpu(vcpu.id());
    let enlisted = process.preemption().enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
    process.group().members.insert(task.tid(), Member::new(task.clone(), SigSet::EMPTY));
    process.lifetime().begin();
    let files = Arc::new(FdTable::new(16));
    run_thread(&mut TaskContext::new(task, vcpu, files, enlisted, proof, run_thread));
    Err("the guest ended without a crash".to_owned())
}

/// `mov x0, #1`, `svc #0` and an undefined word, at the end of a mapping.
fn put_code(space: &AddressSpace) -> Result<(), Errno> {
    space.mmap(&MmapRequest::anonymous(PAGE_SIZE, Prot::READ | Prot::WRITE | Prot::EXEC).at(GuestAddr(CODE)))?;
    for (at, word) in [0xd280_0020_u32, 0xd400_0001, 0x0000_0007].iter().enumerate() {
        space.memory().write(GuestPtr::new(GuestAddr(CODE + 4 * at as u64)), word)?;
    }
    Ok(())
}

/// Runs a case that crashes, in a process of its own.
fn crash(command: &mut Command, record: &Path) -> Result<(Output, Value), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(record).map_err(|error| format!("no record ({error}): {output:?}"))?;
    if text.lines().count() != 1 || !text.ends_with('\n') {
        return Err(format!("not one line: {text}"));
    }
    Ok((output, serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?))
}

/// What a scripted crash must say.
fn judge_script(name: &str, kind: CrashKind, detail: &str) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let record = dir.path().join("crash.json");
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let (output, json) = crash(Command::new(own).args(["--play", name]).env(RECORD, &record), &record)?;
    let text = String::from_utf8_lossy(&output.stderr);
    let says = |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("{what}\n{json:#}\n{text}")) };
    says("exit status", output.status.code() == Some(kind.exit_status().into()))?;
    says("kind", json["kind"] == kind.name() && json["exit_status"] == kind.exit_status())?;
    says("detail", json["detail"].as_str().is_some_and(|said| said.contains(detail)))?;
    says("version and host", json["version"].as_str().is_some_and(|v| v.contains("back end")) && json["host"] != "")?;
    says("binary", json["path"] == "/bin/scripted" && json["command"] == serde_json::json!(["scripted"]))?;
    says("registers", json["registers"]["pc"] == "0x400004" && json["registers"]["x"][8] == "0x39")?;
    let calls: Vec<_> = json["calls"].as_array().into_iter().flatten().collect();
    let pid = json["pid"].as_i64().unwrap_or(0);
    let last = [format!("getpid() = {pid}"), "close(99) = -1 EBADF (Bad file descriptor)".to_owned()];
    says(
        "64 calls, the last of all",
        calls.len() == 64 && calls[62]["text"] == last[0] && calls[63]["text"] == last[1],
    )?;
    let closes =
        |call: &Value, turn| call["text"].as_str().is_some_and(|text| text.starts_with(&format!("close({turn})")));
    says(
        "none between is missing",
        calls.iter().zip(1000 + TURNS - 62..1000 + TURNS).all(|(call, turn)| closes(call, turn)),
    )?;
    let marked: Vec<_> = json["code"].as_array().into_iter().flatten().filter(|line| line["is_pc"] == true).collect();
    says("code", marked.len() == 1 && marked[0]["text"] == "svc #0x0" && text.contains("=> 0x400004: d4000001"))?;
    says("mapping", json["mappings"][0]["here"] == "400000-401000 rwxp")?;
    // Other threads name themselves when they begin, which may be later: they are told by their masks.
    let threads: Vec<_> = json["threads"].as_array().into_iter().flatten().collect();
    let has_mask = |thread: &&Value| thread["sig_blk"].as_str().is_some_and(|mask| mask.len() == 16);
    let guests = threads.iter().filter(|thread| thread["guest_mask"].is_string()).count();
    says("threads", guests == 1 && threads.len() > 1 && threads.iter().all(has_mask))?;
    says("text", text.contains("## Last system calls") && text.contains(kind.name()) && text.contains("What to do"))?;
    let class = if kind == CrashKind::UnexpectedEc { "trapped floating-point exception" } else { "SVC in AArch64" };
    says("syndrome", json["exception"]["class"] == class && text.contains(class))
}

/// The watchdog ends a guest, whose last exception is a fault that it handled: FAR and the mappings around it are told.
fn judge_timeout() -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let record = dir.path().join("crash.json");
    let fixture = guest_tests::verify("endless").map_err(|error| error.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.args(["--timeout", "0.2", "--crash-json"]).arg(&record).arg(&fixture).args(["one", "two words"]);
    let (output, json) = crash(&mut command, &record)?;
    let command = json["command"].as_array().map_or(0, Vec::len);
    let is_right = output.status.code() == Some(124)
        && json["kind"] == "TIMEOUT"
        && command == 3
        && json["path"].as_str() == fixture.to_str()
        && json["calls"].as_array().is_some_and(|calls| {
            calls.iter().any(|call| call["text"].as_str().is_some_and(|text| text.starts_with("write(1, 0x")))
        });
    if is_right { Ok(()) } else { Err(format!("{output:?}\n{json:#}")) }
}

/// A record that cannot be written is one line more on standard error; status and report are the same.
fn judge_unwritable_record() -> Result<(), String> {
    let fixture = guest_tests::verify("endless").map_err(|error| error.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_elfuse"));
    command.args(["--timeout", "0.1", "--crash-json", "/dev/full"]).arg(&fixture).stdin(Stdio::null());
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = "elfuse: cannot append the crash record to /dev/full: No space left on device";
    let is_right = output.status.code() == Some(124) && text.starts_with(line) && text.contains("type: TIMEOUT");
    if is_right { Ok(()) } else { Err(format!("{output:?}")) }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, play_it, name] = &arguments[..]
        && play_it == "--play"
    {
        let script = SCRIPTS.iter().find(|(known, ..)| known == name);
        let finding = script.map_or(Err("no such script".to_owned()), |(_, script, ..)| play(*script));
        eprintln!("{finding:?}");
        return ExitCode::FAILURE;
    }
    let mut names: Vec<_> = SCRIPTS.iter().map(|(name, ..)| *name).collect();
    names.extend(["timeout", "unwritable_record"]);
    processes::run(&names, |name| match SCRIPTS.iter().find(|(known, ..)| *known == name) {
        Some((name, _, kind, detail)) => judge_script(name, *kind, detail),
        None if name == "timeout" => judge_timeout(),
        None => judge_unwritable_record(),
    })
}
