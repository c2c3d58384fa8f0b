//! Bring-up and end of a process: [`start`].
//!
//! The order of start-up facts: the kick set is blocked before any other thread exists, the preemption takes kicks
//! before a vCPU exists, the kick thread runs before guest code does.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::{crash, run_thread};
use crate::abi::{Fd, GuestAddr, GuestPtr, SigSet};
use crate::cli::{self, Cli, GuestCommand};
use crate::elf::{self, Finder, Program};
use crate::fork;
use crate::fs::Root;
use crate::host::errno::io_text;
use crate::host::fault::AltStack;
use crate::host::fault_report;
use crate::host::signal::{HostSignalState, SignalsBlocked, block_kick_set};
use crate::host::thread::{self, Role};
use crate::kernel::exec::{hwcaps, name_thread};
use crate::kernel::fd_table::FdTable;
use crate::kernel::limits::RLIMIT_AS;
use crate::kernel::paths::GuestFinder;
use crate::kernel::process::{ImageInfo, Options};
use crate::kernel::signal::{Handler, SigAction};
use crate::kernel::{Process, TaskContext, bring_up};
use crate::mem::AddressSpace;
use crate::preempt::stats::{ProcessKind, Stats};
use crate::preempt::{Bounds, Preemption};
use crate::soft::SoftMachine;
use crate::soft::a64::CpuModel;
use crate::vcpu::CpuState;

/// Descriptors that the guest may have open, as most systems set it.
const DESCRIPTOR_LIMIT: u64 = 1024;

/// What went wrong before the guest ran, for people.
struct Failure {
    what: String,
    why: String,
}

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> Failure {
    move |why| Failure { what: what.to_owned(), why: why.to_string() }
}

/// Runs the command line's guest, or the forked guest that it names, to its end. `inherited` are the descriptors that
/// were open at start.
#[must_use]
pub fn start(cli: &Cli, inherited: &[Fd]) -> ExitCode {
    // As for every thread of ours; this one's lasts as long as the process.
    let _stack = AltStack::install();
    let brought_up = match (cli.fork_child(), cli.guest_command(std::env::vars_os())) {
        (Some(descriptor), _) => bring_up_fork_child(descriptor),
        (None, Some(command)) => bring_up_first(cli, &command, inherited),
        (None, None) => Err(failed("command line")(&"no program is named; see `elfuse --help`")),
    };
    match brought_up {
        Ok(mut ctx) => {
            ctx.process().gate().enter();
            run_thread(&mut ctx);
            ctx.finish()
        }
        Err(failure) => {
            cli::report_error(&failure.what, failure.why);
            ExitCode::from(cli::EXIT_FAILURE)
        }
    }
}

/// The first process of a run.
fn bring_up_first(cli: &Cli, command: &GuestCommand, inherited: &[Fd]) -> Result<TaskContext, Failure> {
    let at_start = HostSignalState::capture();
    block_kick_set().map_err(|error| failed("cannot block signals")(&error))?;
    let proof = thread::adopt(Role::Bootstrap);
    let files = FdTable::inherit(inherited, DESCRIPTOR_LIMIT)
        .map_err(|error| failed("cannot take over open descriptors")(&error))?;
    let process = make_process(&proof, cli.options(), ProcessKind::Initial)?;
    enter_directory(cli, &process, &files)?;
    let state = load(&process, &files, command)?;
    start_kicks(&process, &proof)?;
    {
        let mut group = process.group();
        for signal in at_start.ignored.iter() {
            group.actions.set(signal, SigAction { handler: Handler::Ignore, ..SigAction::default() });
        }
    }
    process.preemption().directory().sweep();
    process.follow_child_disposition();
    first_task(&process, files, proof, Role::Bootstrap, &state, at_start.blocked)
}

/// A process that a guest's fork made. Its parent waits for the answer, or is gone.
fn bring_up_fork_child(descriptor: i32) -> Result<TaskContext, Failure> {
    let cannot = failed("cannot take over a forked guest");
    block_kick_set().map_err(|error| failed("cannot block signals")(&error))?;
    let proof = thread::adopt(Role::ForkChildBootstrap);
    let received = fork::receive(descriptor).map_err(|error| cannot(&error))?;
    let files = received.descriptors().map_err(|error| cannot(&error))?;
    let process = make_process(&proof, received.image.options(), ProcessKind::ForkChild)?;
    received.rebuild(process.space()).map_err(|error| cannot(&error))?;
    process.set_image(received.program().map_err(|error| cannot(&error))?);
    process.limits().inherit(received.image.resource_limits(), received.image.is_dumpable);
    if let Some(limit) = process.limits().get(RLIMIT_AS) {
        process.space().limit_size(limit.soft);
    }
    process.group().actions = received.image.signal_actions();
    received.renew_signal_descriptors(&process, &files).map_err(|error| cannot(&error))?;
    process.follow_child_disposition();
    let state = received.image.registers.to_state().map_err(|error| cannot(&error))?;
    start_kicks(&process, &proof)?;
    let blocked = SigSet(received.image.blocked);
    let mut ctx = first_task(&process, files, proof, Role::ForkChildBootstrap, &state, blocked)?;
    ctx.alt_stack = received.image.signal_stack();
    ctx.rseq = received.image.registered_rseq();
    ctx.clear_child_tid = GuestAddr(received.image.clear_child_tid);
    if let Some(place) = received.image.set_child_tid {
        // A bad pointer is the guest's affair: Linux ignores it too.
        let _ignored = ctx.memory().write(GuestPtr::new(GuestAddr(place)), &ctx.task.tid().0);
    }
    if let Some(parent) = received.report_ready(process.space()).map_err(|error| cannot(&error))? {
        process.hold_vfork_parent(parent);
    }
    Ok(ctx)
}

/// The process with its machine and all of its preemption but the threads.
fn make_process(proof: &SignalsBlocked, options: Options, kind: ProcessKind) -> Result<Arc<Process>, Failure> {
    let stats = match &options.stats {
        Some(path) => Stats::open(path, kind),
        None => Stats::anonymous(kind),
    }
    .map_err(|error| {
        let path = options.stats.as_deref().unwrap_or(Path::new("in memory"));
        failed(&format!("cannot use the statistics file {}", path.display()))(&error)
    })?;
    let cpu: CpuModel = match &options.cpu {
        Some(text) => text.parse().map_err(|error| failed("--cpu")(&error))?,
        None => CpuModel::default(),
    };
    if kind == ProcessKind::Initial
        && let Some(trace) = &options.trace
    {
        let path = trace.file.as_deref().unwrap_or(Path::new("standard error"));
        trace.start().map_err(|error| Failure {
            what: format!("cannot write the trace file {}", path.display()),
            why: format!("{}; name a file that can be made", io_text(&error)),
        })?;
    }
    if kind == ProcessKind::Initial
        && let Some(path) = &options.crash_json
    {
        crash::check_record_file(path).map_err(|error| Failure {
            what: format!("cannot append crash records to {}", path.display()),
            why: format!("{}; name a file that can be made", io_text(&error)),
        })?;
    }
    fault_report::arm(options.crash_json.as_deref());
    let machine = SoftMachine::with_cpu(cpu).map_err(|error| failed("cannot make the virtual machine")(&error))?;
    let bounds = Bounds { run_limit_ns: options.timeout_ns, directory: None };
    let preemption = Preemption::prepare(proof, machine.clone(), stats, bounds)
        .map_err(|error| failed("cannot prepare the kick thread")(&error))?;
    let root = Root::new(options.root.clone()).map_err(|error| failed("cannot use the guest's files")(&error))?;
    Ok(Process::new(machine.clone(), Arc::new(AddressSpace::new(machine)), preemption, options, root))
}

/// Starts the kick thread. From here on signals are heard.
fn start_kicks(process: &Arc<Process>, proof: &SignalsBlocked) -> Result<(), Failure> {
    let started = bring_up::start_kicks(process, proof);
    if let Some(warning) = started.map_err(|error| failed("cannot start the kick thread")(&error))? {
        cli::report_error("signals from other elfuse processes will not arrive", warning);
    }
    Ok(())
}

/// Maps the program and says with which registers it begins.
fn load(process: &Process, files: &FdTable, command: &GuestCommand) -> Result<CpuState, Failure> {
    let finder = GuestFinder { process, files };
    let path = find_program(&finder, command);
    let cannot = |error: &dyn std::fmt::Display| {
        let name = path.display().to_string();
        // Errors about a file begin with its name, which may also be that of a script's interpreter.
        let why = error.to_string();
        let why = why.strip_prefix(&format!("{name}: ")).unwrap_or(&why);
        failed(&format!("cannot run {name}"))(&why)
    };
    let program = Program::open(&finder, &path, command.args.clone(), command.env.clone());
    let program = program.map_err(|error| cannot(&error))?;
    let image =
        elf::load_program(process.space(), &finder, program, hwcaps(process)).map_err(|error| cannot(&error))?;
    let state = CpuState::at_start(image.entry.0, image.sp.0);
    name_thread(&image.path);
    process.set_image(ImageInfo::of(image));
    Ok(state)
}

/// Changes to the directory of `--workdir`, a path of the guest.
fn enter_directory(cli: &Cli, process: &Process, files: &FdTable) -> Result<(), Failure> {
    let Some(directory) = cli.workdir() else { return Ok(()) };
    let location = GuestFinder { process, files }.find(directory);
    let entered = location.and_then(|location| std::env::set_current_dir(&location.host));
    entered.map_err(|error| {
        failed(&format!("cannot enter {}", directory.display()))(&format_args!(
            "{error}; name a directory of the guest"
        ))
    })
}

/// Where programs are looked for when the guest has no `PATH`.
const DEFAULT_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// A name without a slash is looked up in the guest's `PATH`, as a shell does; with a sysroot, first in the directories that
/// are the sysroot's, so that a program of the same name in a directory that only the host has (`~/.local/bin`) is not met.
fn find_program(finder: &GuestFinder<'_>, command: &GuestCommand) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let name = &command.path;
    if name.as_os_str().as_bytes().contains(&b'/') {
        return name.clone();
    }
    let path = command.env.iter().find_map(|variable| variable.strip_prefix(b"PATH="));
    let found = |is_wanted: &dyn Fn(&Path) -> bool| {
        std::env::split_paths(OsStr::from_bytes(path.unwrap_or(DEFAULT_PATH)))
            .map(|directory| directory.join(name))
            .find(|file| finder.find(file).is_ok_and(|place| place.host.is_file() && is_wanted(&place.guest)))
    };
    let of_sysroot = finder.process.options().root.sysroot.as_ref().and_then(|sysroot| {
        found(&|guest| guest.strip_prefix("/").is_ok_and(|relative| sysroot.join(relative).is_file()))
    });
    of_sysroot.or_else(|| found(&|_anywhere| true)).unwrap_or_else(|| name.clone())
}

/// The process's first thread, on the calling thread, with its vCPU.
fn first_task(
    process: &Arc<Process>,
    files: FdTable,
    proof: SignalsBlocked,
    role: Role,
    state: &CpuState,
    blocked: SigSet,
) -> Result<TaskContext, Failure> {
    let vcpu = process.machine().create_vcpu(&proof).map_err(|error| failed("cannot make a vCPU")(&error))?;
    let (task, enlisted) = bring_up::enlist_first_thread(process, vcpu.id(), role, blocked);
    let mut ctx = TaskContext::new(task, vcpu, Arc::new(files), enlisted, proof, run_thread);
    ctx.vcpu.push(state);
    Ok(ctx)
}
