//! What a crash report holds: [`Report`], gathered by the thread that crashed; its JSON form is this structure.
//!
//! `docs/crash-report.md` describes the fields. Numbers that people read in hexadecimal are text, which also keeps 64 bits
//! whole in readers that know only doubles.

use serde::Serialize;

use super::CrashKind;
use crate::abi::{GuestAddr, GuestPtr, Tid};
use crate::host::thread::own_tasks;
use crate::kernel::TaskContext;
use crate::kernel::recent::RecentCall;
use crate::mem::{Prot, Vma, VmaFlags};
use crate::soft::a64::disassemble;
use crate::syscall;
use crate::vcpu::{CpuState, Exception, ExceptionKind};

/// Instructions that are shown on each side of the PC.
const INSTRUCTIONS_AROUND: u64 = 8;

/// A crash report. The number of its form is raised when a field goes away or changes its meaning.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) schema: u32,
    pub(super) kind: &'static str,
    pub(super) detail: String,
    pub(super) exit_status: u8,
    pub(super) remedy: &'static str,
    /// What `--version` says.
    pub(super) version: &'static str,
    pub(super) host: String,
    pub(super) pid: i32,
    pub(super) tid: i32,
    pub(super) path: String,
    pub(super) command: Vec<String>,
    pub(super) registers: Registers,
    /// The last exception of this thread's guest code, of which the crash need not be a consequence.
    pub(super) exception: Option<Syndrome>,
    pub(super) mappings: Vec<Place>,
    pub(super) code: Vec<CodeLine>,
    pub(super) threads: Vec<Thread>,
    /// The last system calls of this thread, oldest first.
    pub(super) calls: Vec<Call>,
}

#[derive(Serialize)]
pub(super) struct Registers {
    pub(super) pc: String,
    pub(super) sp: String,
    pub(super) pstate: String,
    pub(super) tpidr: String,
    pub(super) fpcr: String,
    pub(super) fpsr: String,
    pub(super) x: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Syndrome {
    pub(super) esr: String,
    pub(super) class: &'static str,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) far: Option<String>,
}

/// An address with the mappings around it.
#[derive(Serialize)]
pub(super) struct Place {
    pub(super) of: &'static str,
    pub(super) address: String,
    pub(super) below: Option<String>,
    pub(super) here: Option<String>,
    pub(super) above: Option<String>,
}

#[derive(Serialize)]
pub(super) struct CodeLine {
    pub(super) address: String,
    pub(super) word: String,
    pub(super) text: String,
    pub(super) is_pc: bool,
}

/// A thread of the process; those of elfuse's own have no guest mask.
#[derive(Serialize)]
pub(super) struct Thread {
    pub(super) tid: i32,
    pub(super) name: String,
    pub(super) sig_blk: String,
    pub(super) sig_pnd: String,
    pub(super) guest_mask: Option<String>,
    pub(super) last_call: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) text: String,
}

impl Report {
    /// Gathers the report of a crash of the calling thread.
    pub(super) fn gather(ctx: &TaskContext, kind: CrashKind, detail: &str) -> Self {
        let state = ctx.vcpu.pull();
        let image = ctx.process().image();
        let far = ctx.last_exception.and_then(far_of);
        let vmas = ctx.process().space().vmas();
        let mut mappings = vec![place("PC", GuestAddr(state.pc), &vmas)];
        mappings.extend(far.map(|far| place("FAR", far, &vmas)));
        Self {
            schema: 1,
            kind: kind.name(),
            detail: detail.to_owned(),
            exit_status: kind.exit_status(),
            remedy: kind.remedy(),
            version: crate::cli::version(),
            host: host(),
            pid: ctx.process().pid().0,
            tid: ctx.task.tid().0,
            path: image.path.display().to_string(),
            command: image.args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect(),
            registers: registers(&state),
            exception: ctx.last_exception.map(syndrome),
            mappings,
            code: code(ctx, GuestAddr(state.pc)),
            threads: threads(ctx),
            calls: ctx.task.recent().snapshot().iter().map(call).collect(),
        }
    }
}

fn hex(value: u64) -> String {
    format!("{value:#x}")
}

/// System, release, architecture and processors of the host.
fn host() -> String {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let field = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    match nix::sys::utsname::uname() {
        Ok(name) => {
            format!("{} {} {}, {cpus} processors", field(name.sysname()), field(name.release()), field(name.machine()))
        }
        Err(_) => format!("{} {}, {cpus} processors", std::env::consts::OS, std::env::consts::ARCH),
    }
}

fn registers(state: &CpuState) -> Registers {
    Registers {
        pc: hex(state.pc),
        sp: hex(state.sp),
        pstate: hex(state.pstate.0),
        tpidr: hex(state.tpidr_el0),
        fpcr: hex(state.fpcr.into()),
        fpsr: hex(state.fpsr.into()),
        x: state.x.iter().map(|value| hex(*value)).collect(),
    }
}

const fn far_of(exception: Exception) -> Option<GuestAddr> {
    match exception.kind {
        ExceptionKind::DataAbort { far, .. }
        | ExceptionKind::InstructionAbort { far, .. }
        | ExceptionKind::PcAlignment { far } => Some(far),
        ExceptionKind::Syscall { .. }
        | ExceptionKind::Undefined { .. }
        | ExceptionKind::Breakpoint { .. }
        | ExceptionKind::SpAlignment
        | ExceptionKind::BranchTarget { .. }
        | ExceptionKind::Other => None,
    }
}

fn syndrome(exception: Exception) -> Syndrome {
    Syndrome {
        esr: hex(exception.esr.0),
        class: exception.esr.class_name(),
        fields: exception.esr.fields(),
        far: far_of(exception).map(|far| hex(far.0)),
    }
}

fn place(of: &'static str, address: GuestAddr, vmas: &[Vma]) -> Place {
    let below = vmas.iter().rev().find(|vma| vma.range.end <= address);
    let here = vmas.iter().find(|vma| vma.range.start <= address && address < vma.range.end);
    let above = vmas.iter().find(|vma| vma.range.start > address);
    let text = |vma: &Vma| mapping(vma);
    Place { of, address: hex(address.0), below: below.map(text), here: here.map(text), above: above.map(text) }
}

/// A mapping as in /proc/self/maps.
fn mapping(vma: &Vma) -> String {
    let letter = |right, letter| if vma.prot.contains(right) { letter } else { '-' };
    let (read, write, exec) = (letter(Prot::READ, 'r'), letter(Prot::WRITE, 'w'), letter(Prot::EXEC, 'x'));
    let sharing = if vma.flags.contains(VmaFlags::SHARED) { 's' } else { 'p' };
    format!("{} {read}{write}{exec}{sharing} {}", vma.range, String::from_utf8_lossy(vma.name())).trim_end().to_owned()
}

fn code(ctx: &TaskContext, pc: GuestAddr) -> Vec<CodeLine> {
    let first = pc.0.saturating_sub(4 * INSTRUCTIONS_AROUND);
    let addresses = (0..=2 * INSTRUCTIONS_AROUND).map(|index| first.wrapping_add(4 * index));
    let line = |address: u64| {
        let word: u32 = ctx.memory().read(GuestPtr::new(GuestAddr(address))).ok()?;
        Some(CodeLine {
            address: hex(address),
            word: format!("{word:08x}"),
            text: disassemble(word, address),
            is_pc: address == pc.0,
        })
    };
    addresses.filter_map(line).collect()
}

fn threads(ctx: &TaskContext) -> Vec<Thread> {
    let group = ctx.process().group();
    let thread = |task: &crate::host::thread::TaskMask| {
        let member = group.members.get(&Tid(task.tid.0));
        Thread {
            tid: task.tid.0,
            name: task.name.clone(),
            sig_blk: format!("{:016x}", task.blocked.0),
            sig_pnd: format!("{:016x}", task.pending.0),
            guest_mask: member.map(|member| format!("{:016x}", member.blocked.0)),
            last_call: member.and_then(|member| member.task.recent().snapshot().last().map(|last| call(last).text)),
        }
    };
    own_tasks().unwrap_or_default().iter().map(thread).collect()
}

/// A call by its name. What its pointers pointed to may have changed since: they are shown as addresses.
fn call(call: &RecentCall) -> Call {
    Call { number: call.number, text: syscall::describe_recent(call) }
}
