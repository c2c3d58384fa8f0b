//! Crash reports: what ended the process that was not the guest's own doing. Text on standard error, and one JSON
//! object a line with `--crash-json`, which alone tells elfuse's exit statuses from the guest's.

use std::fmt::Write as _;
use std::io::Write as _;

use super::State;
use crate::host::thread::own_tasks;
use crate::kernel::TaskContext;
use crate::preempt::stats::TaskCounter;
use crate::vcpu::CpuState;

/// The kinds of crash, with the names that reports use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CrashKind {
    /// The watchdog found a run past its limit.
    Timeout,
    /// A vCPU exit that no legitimate path gives: UNKNOWN.
    UnexpectedExit,
    /// The hypervisor interface failed.
    HvCheck,
}

impl CrashKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::UnexpectedExit => "UNEXPECTED_EXIT",
            Self::HvCheck => "HV_CHECK",
        }
    }

    /// The exit status of elfuse.
    const fn exit_status(self) -> i32 {
        match self {
            Self::Timeout => 124,
            Self::UnexpectedExit => 128,
            Self::HvCheck => 1,
        }
    }
}

/// Reports and ends the process at once: nothing of its state can be trusted to end it in order.
pub(super) fn end_process(ctx: &mut TaskContext, kind: CrashKind, detail: &str) -> State {
    ctx.enlisted.stats.bump(TaskCounter::CrashRecords);
    let state = ctx.vcpu.pull();
    // A closed standard error must not keep the process from ending.
    let _unseen = std::io::stderr().write_all(text(ctx, kind, detail, &state).as_bytes());
    if let Some(path) = &ctx.process().options().crash_json {
        let record = json(ctx, kind, detail, &state);
        let appended = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(format!("{record}\n").as_bytes()));
        if let Err(error) = appended {
            eprintln!("elfuse: cannot append the crash record to {}: {error}", path.display());
        }
    }
    ctx.process().preemption().close_transport();
    crate::host::children::exit_now(kind.exit_status())
}

fn text(ctx: &TaskContext, kind: CrashKind, detail: &str, state: &CpuState) -> String {
    let mut out = String::new();
    let image = ctx.process().image();
    let args: Vec<_> = image.args.iter().map(|arg| String::from_utf8_lossy(arg)).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "==== elfuse crash report ====");
    let _ = writeln!(out, "## Environment\nelfuse {} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let _ = writeln!(out, "## Crash\ntype: {}\ndetail: {detail}", kind.name());
    let _ = writeln!(out, "## Binary\npath: {}\ncommand: {}", image.path.display(), args.join(" "));
    let _ = writeln!(out, "## Registers (thread {})", ctx.task.tid());
    let _ = writeln!(out, "PC {:#018x}  SP {:#018x}  PSTATE {:#x}", state.pc, state.sp, state.pstate.0);
    for (row, registers) in state.x.chunks(4).enumerate() {
        let line: Vec<_> =
            registers.iter().enumerate().map(|(at, value)| format!("X{:<2} {value:#018x}", row * 4 + at)).collect();
        let _ = writeln!(out, "{}", line.join("  "));
    }
    let _ = writeln!(out, "## Mapping of the PC");
    match ctx.process().space().lookup(crate::abi::GuestAddr(state.pc)) {
        Some(vma) => {
            let _ = writeln!(out, "{} {:?} {}", vma.range, vma.prot, String::from_utf8_lossy(vma.name()));
        }
        None => {
            let _ = writeln!(out, "nothing is mapped there");
        }
    }
    let _ = writeln!(out, "## Threads");
    for task in own_tasks().unwrap_or_default() {
        let _ = writeln!(out, "{} {} SigBlk {:016x}", task.tid, task.name, task.blocked.0);
    }
    let _ = writeln!(out, "## Last system calls");
    for call in ctx.task.recent().snapshot() {
        let _ = writeln!(out, "{} {:x?} = {:#x}", call.number, call.args, call.result);
    }
    out
}

fn json(ctx: &TaskContext, kind: CrashKind, detail: &str, state: &CpuState) -> serde_json::Value {
    serde_json::json!({
        "kind": kind.name(),
        "detail": detail,
        "exit_status": kind.exit_status(),
        "pid": ctx.process().pid().0,
        "tid": ctx.task.tid().0,
        "version": env!("CARGO_PKG_VERSION"),
        "path": ctx.process().image().path.display().to_string(),
        "pc": format!("{:#x}", state.pc),
        "sp": format!("{:#x}", state.sp),
        "x": state.x.iter().map(|value| format!("{value:#x}")).collect::<Vec<_>>(),
        "threads": own_tasks().unwrap_or_default().iter().map(|task| serde_json::json!({
            "tid": task.tid.0, "name": task.name, "sig_blk": format!("{:016x}", task.blocked.0),
        })).collect::<Vec<_>>(),
    })
}
