//! The parent's side of a fork: snapshot, spawn, send, wait for the answer. Source: clone(2), fork(2), vfork(2).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::mem::forget;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::child::Packet;
use super::host::{Unready, host_fork};
use super::image::{Descriptor, Header, Image, MappedFileRecord, Mapping, Registers, Run};
use super::pages::Snapshot;
use super::ready::Answer;
use super::vfork::take_back;
use crate::abi::{Errno, Pid, SigSet, Signal, Tid};
use crate::host::children;
use crate::host::clock::monotonic_ns;
use crate::host::fds::{self, PollFd, PollFlags};
use crate::host::handover::{DESCRIPTORS_PER_MESSAGE, Handover};
use crate::host::pidfd;
use crate::host::sibling::spawn_sibling;
use crate::host::twin::Twin;
use crate::kernel::clone::{CloneArgs, CloneFlags, first_registers, store_pidfd};
use crate::kernel::process::ForkWay;
use crate::kernel::signal::{SignalActions, ThreadGroup};
use crate::kernel::task::Interrupts;
use crate::kernel::{Process, TaskContext};
use crate::mem::{MappedFile, SharedSegment, Vma, VmaBacking, VmaFlags};
use crate::preempt::KickCause;

/// How long a child may take until it is ready: what is longer is a child that hangs.
const READY_LIMIT_NS: u64 = 60_000_000_000;

/// How often a wait for the child looks whether this process is to end, in nanoseconds.
const LOOK_INTERVAL_NS: u64 = 10_000_000;

/// clone(2) without `CLONE_VM`, and vfork: a child process that goes on with a copy of this thread.
///
/// With `CLONE_VFORK` the caller waits until the child executes a program or ends, and with `CLONE_VM` too it gets what
/// the child has written ([`super::vfork`]).
///
/// # Errors
/// `EAGAIN` where the child could not be made, `ENOMEM` where the snapshot could not.
pub fn fork_process(ctx: &mut TaskContext, args: &CloneArgs) -> Result<Pid, Errno> {
    let process = ctx.process().clone();
    process.attend_to_children(false);
    let started = if is_by_host(&process, args) { host_fork(ctx, args) } else { spawn_fork(ctx, args).map(Some) };
    let Ok(Some(Unready { pid, answer, twin, sibling })) = started else {
        // In the child the parent's process is not to be dropped.
        return match started {
            Ok(_child) => {
                forget(process);
                Ok(Pid(0))
            }
            Err(errno) => {
                process.serve_children();
                Err(errno)
            }
        };
    };
    process.note_fork();
    // While it has not run: afterwards it may end at once, and be taken away, by its parent or by the host.
    let descriptor = args.flags.contains(CloneFlags::PIDFD).then(|| match &sibling {
        Some(process) => Ok(process.try_clone()?),
        None => pidfd::open(pid, 0),
    });
    let made = descriptor.transpose().and_then(|descriptor| {
        if !is_ready(ctx, pid, &answer) {
            return Err(Errno::EAGAIN);
        }
        descriptor.map_or(Ok(()), |descriptor| store_pidfd(ctx, args, descriptor))
    });
    if made.is_err() {
        discard(pid, sibling.as_ref());
    }
    if sibling.is_none() {
        process.children().settle(pid, made.is_ok());
    }
    process.serve_children();
    if let Err(errno) = made {
        drop_twin(&process, twin);
        return Err(errno);
    }
    if args.flags.contains(CloneFlags::PARENT_SETTID) {
        // As on Linux: the child exists whatever becomes of this store.
        let _ignored = ctx.memory().write(args.parent_tid, &pid.0);
    }
    if let Some(stream) = answer.stream().filter(|_| args.flags.contains(CloneFlags::VFORK)) {
        await_release(ctx, stream, twin.as_ref());
    }
    drop_twin(&process, twin);
    Ok(pid)
}

/// Whether the host's fork makes the child.
fn is_by_host(process: &Process, args: &CloneArgs) -> bool {
    let is_sibling = args.flags.contains(CloneFlags::PARENT);
    let is_common = process.space().is_common();
    let is_wanted = match process.options().fork_way {
        // The C library's fork, which sees to malloc, makes children alone. One that is to have a copy of memory that others
        // write meanwhile has it from an image.
        ForkWay::Host => !is_sibling && (!is_common || args.flags.contains(CloneFlags::VM)),
        // Memory that both run in comes by no image.
        ForkWay::Spawn => !is_sibling && (args.shares_memory() || is_common && args.flags.contains(CloneFlags::VM)),
    };
    is_wanted && process.machine().hold_for_fork().is_some()
}

/// By a new elfuse that gets the image of this process.
fn spawn_fork(ctx: &TaskContext, args: &CloneArgs) -> Result<Unready, Errno> {
    let (snapshot, files, header, twin) = {
        let _still = close_gate(ctx);
        let (snapshot, files, header) = take_snapshot(ctx, args).map_err(|_no_room| Errno::ENOMEM)?;
        (snapshot, files, header, twin_for(ctx, args)?)
    };
    let (pid, handover, sibling) = if args.flags.contains(CloneFlags::PARENT) {
        let (pid, handover, process) = spawn_as_sibling()?;
        (pid, handover, Some(process))
    } else {
        let mut making = ctx.process().children().make();
        let (child, handover) = spawn().map_err(|_refused| Errno::EAGAIN)?;
        let pid = Pid(child.id().cast_signed());
        making.made(pid, args.exit_signal());
        (pid, handover, None)
    };
    // A child that gets no image is never ready.
    let _sent = send(&handover, header, &snapshot, &files);
    Ok(Unready { pid, answer: Answer::Stream(handover), twin, sibling })
}

/// Holds all other threads outside of guest code and system calls.
pub fn close_gate<'ctx>(ctx: &'ctx TaskContext) -> crate::kernel::quiesce::Closed<'ctx> {
    let process = ctx.process();
    process.gate().close(|| {
        let own = ctx.task.tid();
        let others = {
            let group = process.group();
            let others = group.members.values().filter(|member| member.task.tid() != own);
            others.map(|member| member.task.set_interrupts(Interrupts::QUIESCE)).count()
        };
        if others > 0 {
            process.preemption().kick_others(ctx.vcpu.id(), KickCause::Fork);
        }
    })
}

/// Open files in the order in which they are sent, each once.
#[derive(Default)]
pub(super) struct Files {
    pub(super) files: Vec<Arc<OwnedFd>>,
    known: BTreeMap<usize, u32>,
}

impl Files {
    fn index_of(&mut self, file: &Arc<OwnedFd>) -> u32 {
        let next = self.files.len() as u32;
        let index = *self.known.entry(Arc::as_ptr(file).addr()).or_insert(next);
        if index == next {
            self.files.push(file.clone());
        }
        index
    }
}

/// Files of mappings in the order in which they are described, each once.
#[derive(Default)]
pub(super) struct MappedFiles {
    pub(super) records: Vec<MappedFileRecord>,
    known: BTreeMap<usize, u32>,
}

impl MappedFiles {
    fn index_of(&mut self, file: &Arc<MappedFile>, files: &mut Files) -> u32 {
        let next = self.records.len() as u32;
        let index = *self.known.entry(Arc::as_ptr(file).addr()).or_insert(next);
        if index == next {
            self.records.push(MappedFileRecord { file: files.index_of(&file.fd), name: file.name.clone() });
        }
        index
    }
}

/// Everything that the child begins with. The world must stand still.
fn take_snapshot(ctx: &TaskContext, args: &CloneArgs) -> io::Result<(OwnedFd, Files, Header)> {
    let process = ctx.process();
    let mut snapshot = Snapshot::new(ctx.memory())?;
    let mut files = Files::default();
    let image = describe(ctx, args, &mut snapshot, &mut files)?;
    let text = serde_json::to_vec(&image)?;
    let text_offset = snapshot.append(&text)?;
    debug_assert_eq!(process.pid(), crate::host::process::own_pid());
    let header = Header { files: files.files.len() as u32, text_offset, text_len: text.len() as u64 };
    Ok((snapshot.into_file(), files, header))
}

fn describe(ctx: &TaskContext, args: &CloneArgs, snapshot: &mut Snapshot, files: &mut Files) -> io::Result<Image> {
    let process = ctx.process();
    let (actions, blocked) = child_signals(&process.group(), ctx.task.tid(), args);
    let (actions, blocked) = (Image::wire_actions(&actions), blocked.0);
    let child_tid = args.child_tid.addr().0;
    let (options, program, layout) = (process.options(), process.image(), process.space().layout());
    let (brk_start, brk) = process.space().brk_area();
    let bytes = |path: &std::path::PathBuf| path.as_os_str().as_bytes().to_vec();
    let (mapped_files, mappings) = describe_mappings(process, snapshot, files)?;
    let program_file = program.file.as_ref().map(|file| files.index_of(file));
    let descriptors = ctx.files.entries().into_iter().map(|entry| Descriptor {
        fd: entry.fd.0,
        is_close_on_exec: entry.is_close_on_exec,
        file: files.index_of(entry.file.host()),
        signals: entry.file.signals().map(|signals| signals.set().0),
    });
    Ok(Image {
        registers: Registers::of(&first_registers(ctx, args)),
        actions,
        blocked,
        rseq: ctx.rseq.as_ref().map(|rseq| (rseq.area.0, rseq.len_bytes, rseq.signature)),
        alt_stack: ctx.alt_stack.map(|stack| (stack.base.0, stack.len_bytes, stack.autodisarm)),
        set_child_tid: args.flags.contains(CloneFlags::CHILD_SETTID).then_some(child_tid),
        clear_child_tid: args.word_to_clear().0,
        is_vfork: args.flags.contains(CloneFlags::VFORK),
        shares_memory: args.flags.contains(CloneFlags::VM),
        areas: program.areas,
        program_file,
        program: (bytes(&program.path), program.args, program.sigtramp.0),
        root: process.root().config().clone(),
        release: options.release.clone(),
        timeout_ns: options.timeout_ns,
        trace: options.trace.as_deref().cloned(),
        is_forking_by_spawn: options.fork_way == ForkWay::Spawn,
        crash_json: options.crash_json.as_ref().map(bytes),
        cpu: options.cpu.clone(),
        stats: options.stats.as_ref().map(bytes),
        layout: [layout.task_size, layout.stack_top.0, layout.mmap_base.0, layout.pie_base.0, layout.brk_gap_bytes],
        brk: (brk_start.0, brk.0),
        mapped_files,
        mappings,
        descriptors: descriptors.collect(),
        descriptor_limit: ctx.files.limit(),
        limits: process
            .limits()
            .all()
            .into_iter()
            .map(|(resource, limit)| (resource, limit.soft, limit.hard))
            .collect(),
        is_dumpable: process.limits().is_dumpable(),
    })
}

fn describe_mappings(
    process: &Process,
    snapshot: &mut Snapshot,
    files: &mut Files,
) -> io::Result<(Vec<MappedFileRecord>, Vec<Mapping>)> {
    let mut mapped = MappedFiles::default();
    let mut mappings = Vec::new();
    for vma in process.space().vmas().iter().filter(|vma| !vma.flags.contains(VmaFlags::DONTFORK)) {
        mappings.push(describe_mapping(vma, snapshot.add(vma)?, &mut mapped, files));
    }
    Ok((mapped.records, mappings))
}

/// A mapping with `runs` of written pages.
pub(super) fn describe_mapping(vma: &Vma, runs: Vec<Run>, mapped: &mut MappedFiles, files: &mut Files) -> Mapping {
    let (file, segment) = match &vma.backing {
        // Of its own again, whatever the pages came from.
        VmaBacking::Anonymous | VmaBacking::Common { .. } => (None, None),
        VmaBacking::File { file, offset } => (Some((mapped.index_of(file, files), *offset)), None),
        VmaBacking::Segment { segment, offset } => (None, Some((SharedSegment::clone(segment), *offset))),
    };
    Mapping {
        start: vma.range.start.0,
        end: vma.range.end.0,
        prot: vma.prot.bits(),
        // Locks on memory are not inherited.
        flags: vma.flags.difference(VmaFlags::LOCKED | VmaFlags::ELSEWHERE).bits(),
        file,
        segment,
        runs,
    }
}

/// Starts elfuse anew, with one end of the socket as its standard input: that leaks into no other child, since it is
/// close-on-exec everywhere else. Its standard output is nobody's, so that a guest that closes its own really does; what it
/// has to say goes to standard error. The child inherits the mask of this thread, so that the kick set is blocked in it from
/// the first instruction on.
fn spawn() -> io::Result<(Child, Handover)> {
    let (handover, theirs) = Handover::pair()?;
    let executable = OsStr::new(if cfg!(target_os = "linux") { "/proc/self/exe" } else { "elfuse" });
    let child = Command::new(executable)
        .args(["--fork-child", "0"])
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()?;
    Ok((child, handover))
}

/// The same, as a child of this process's parent.
fn spawn_as_sibling() -> io::Result<(Pid, Handover, OwnedFd)> {
    let (handover, theirs) = Handover::pair()?;
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    let args = [c"elfuse", c"--fork-child", c"0"];
    let (pid, process) = spawn_sibling(c"/proc/self/exe", &args, theirs.as_fd(), null.as_fd())?;
    Ok((pid, handover, process))
}

pub(super) fn send(handover: &Handover, header: Header, snapshot: &OwnedFd, files: &Files) -> io::Result<()> {
    handover.send(&header.to_bytes(), &[snapshot.as_fd()])?;
    let files: Vec<BorrowedFd<'_>> = files.files.iter().map(|file| file.as_fd()).collect();
    files.chunks(DESCRIPTORS_PER_MESSAGE).try_for_each(|batch| handover.send(&[0], batch))
}

/// The dispositions and the mask that the child begins with.
pub(super) fn child_signals(group: &ThreadGroup, own: Tid, args: &CloneArgs) -> (SignalActions, SigSet) {
    let blocked = group.members.get(&own).map_or(SigSet::EMPTY, |member| member.blocked);
    let mut actions = group.actions.clone();
    if args.flags.contains(CloneFlags::CLEAR_SIGHAND) {
        actions.reset_for_exec();
    }
    (actions, blocked)
}

/// The memory as it is now, for a parent that shares it with a child and has other threads; the world must stand still.
///
/// # Errors
/// `EAGAIN` where the host refuses.
pub(super) fn twin_for(ctx: &TaskContext, args: &CloneArgs) -> Result<Option<Twin>, Errno> {
    let is_copy = args.flags.contains(CloneFlags::VFORK | CloneFlags::VM) && !ctx.process().space().is_common();
    if !is_copy || ctx.process().group().members.len() == 1 {
        return Ok(None);
    }
    match Twin::make() {
        Ok(twin) => Ok(Some(twin)),
        // A host without such processes: whole pages count.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => Ok(None),
        Err(_refused) => Err(Errno::EAGAIN),
    }
}

/// Ends a twin while nobody looks at children: there is a moment when it can be seen.
fn drop_twin(process: &Process, twin: Option<Twin>) {
    if twin.is_some() {
        let making = process.children().make();
        drop(twin);
        drop(making);
        process.serve_children();
    }
}

/// Waits until the child executes a program or ends, or this process is to end, and takes what the child gives back.
fn await_release(ctx: &TaskContext, handover: &Handover, twin: Option<&Twin>) {
    ctx.task.show_call();
    while is_readable(ctx, handover.as_fd(), None, || false) {
        // The end of the stream, or damage that ends it as well.
        let Ok(packet) = Packet::receive(handover) else { return };
        // What cannot be done is not seen by the guest, as what a killed child did.
        let _incomplete = take_back(ctx.process(), &packet, twin);
    }
}

/// Waits until the child says that it is about to run.
fn is_ready(ctx: &TaskContext, child: Pid, answer: &Answer) -> bool {
    let limit_ns = monotonic_ns().saturating_add(READY_LIMIT_NS);
    is_readable(ctx, answer.as_fd(), Some(limit_ns), || answer.is_over(child)) && answer.is_ready()
}

/// Waits for the child's next word or the end of the stream; false at the deadline, when `is_over` before such a word, and
/// when this process is to end.
///
/// A fork that has begun is not interrupted by signals, as on Linux. Other threads may close the gate meanwhile.
fn is_readable(
    ctx: &TaskContext,
    from_child: BorrowedFd<'_>,
    deadline_ns: Option<u64>,
    is_over: impl Fn() -> bool,
) -> bool {
    let is_ready_until = |until| {
        let mut polled = [PollFd::new(from_child, PollFlags::POLLIN)];
        let ready = ctx.process().gate().outside(|| fds::poll(&mut polled, Some(until)));
        !matches!(ready, Ok(0))
    };
    loop {
        if is_ready_until(monotonic_ns().saturating_add(LOOK_INTERVAL_NS)) {
            return true;
        }
        if is_over() {
            // Its last word may have come since.
            return is_ready_until(0);
        }
        if ctx.task.interrupts().contains(Interrupts::EXIT) || deadline_ns.is_some_and(|limit| monotonic_ns() >= limit)
        {
            return false;
        }
    }
}

/// Ends a child that is none, and takes its corpse away before anybody sees it. That of a sibling is its parent's.
fn discard(pid: Pid, sibling: Option<&OwnedFd>) {
    // It may have ended by itself.
    if let Some(process) = sibling {
        let _gone = pidfd::send_signal(process.as_fd(), Some(Signal::SIGKILL), None, 0);
    } else {
        let _gone = children::kill(pid, Some(Signal::SIGKILL));
        let _reaped = children::reap(pid);
    }
}
