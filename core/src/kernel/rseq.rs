//! Restartable sequences, rseq(2), and the virtual CPUs that they count on: [`VirtualCpus`].
//!
//! A critical section relies on nobody else running a section of the same `cpu_id` until it commits or aborts. The host moves
//! and preempts vCPU threads without telling, so the ids are our own: a registered thread owns a virtual CPU while it runs
//! guest code, and no two own the same. A thread keeps its CPU across exits until another one takes it; who comes back to
//! another CPU, or to the same after somebody else had it, was preempted: ids are written anew and a section is aborted. So it
//! is when a handler begins, and when membarrier(2) asks for it. There are as many virtual CPUs as the host has processors, so
//! only a process with more running threads than that ever waits, and then takes turns.
//!
//! Sources: rseq(2), Linux `kernel/rseq.c`, `include/uapi/linux/rseq.h`, membarrier(2).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::{Interrupted, TaskContext};
use crate::abi::{Errno, GuestAddr, GuestPtr, SiCode, SigInfo, Signal, Tid};
use crate::host::clock::monotonic_ns;
use crate::mem::GuestMemory;
use crate::preempt::KickCause;
use crate::vcpu::CpuState;

/// `RSEQ_CPU_ID_UNINITIALIZED`.
const CPU_ID_UNINITIALIZED: u32 = u32::MAX;
/// Where user addresses end.
const TASK_SIZE: u64 = 1 << 48;
/// How long a thread runs on while others wait for a CPU, in nanoseconds.
const SLICE_NS: u64 = 1_000_000;

/// What a thread registered, and where it is.
#[derive(Clone, Debug)]
pub struct Rseq {
    /// `struct rseq`.
    pub area: GuestAddr,
    /// Its length in bytes.
    pub len_bytes: u32,
    /// What stands before every abort handler.
    pub signature: u32,
    /// The virtual CPU that the area names.
    pub cpu: Option<u32>,
    /// CPUs that the thread may run on; empty for all.
    pub allowed: Vec<u32>,
    /// [`VirtualCpus::barriers`] as this thread last saw it.
    seen_barriers: u64,
}

impl Rseq {
    /// A fresh registration.
    #[must_use]
    pub const fn new(area: GuestAddr, len_bytes: u32, signature: u32) -> Self {
        Self { area, len_bytes, signature, cpu: None, allowed: Vec::new(), seen_barriers: 0 }
    }
}

/// Who owns which virtual CPU.
#[derive(Debug)]
pub struct VirtualCpus {
    /// For each CPU its last owner's id and, in bit 0, whether that runs guest code now.
    slots: Box<[AtomicU64]>,
    waiting: AtomicUsize,
    barriers: AtomicU64,
}

impl Default for VirtualCpus {
    fn default() -> Self {
        Self::new(crate::host::schedule::configured_processors())
    }
}

impl VirtualCpus {
    /// This many CPUs, at least one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let slots = (0..count.max(1)).map(|_| AtomicU64::new(0)).collect();
        Self { slots, waiting: AtomicUsize::new(0), barriers: AtomicU64::new(0) }
    }

    const fn word(owner: Tid, is_running: bool) -> u64 {
        (owner.0.cast_unsigned() as u64) << 1 | is_running as u64
    }

    fn swap(&self, cpu: u32, from: u64, to: u64) -> bool {
        let Some(slot) = self.slots.get(cpu as usize) else { return false };
        slot.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Goes on with a CPU that nobody has taken meanwhile.
    #[must_use]
    pub fn take_back(&self, cpu: u32, owner: Tid) -> bool {
        self.swap(cpu, Self::word(owner, false), Self::word(owner, true))
    }

    /// Takes a CPU whose owner does not run, of those that are `allowed` (empty: of all).
    #[must_use]
    pub fn take_any(&self, owner: Tid, allowed: &[u32]) -> Option<u32> {
        (0..self.slots.len() as u32).filter(|cpu| allowed.is_empty() || allowed.contains(cpu)).find(|cpu| {
            let word = self.slots[*cpu as usize].load(Ordering::Acquire);
            word & 1 == 0 && self.swap(*cpu, word, Self::word(owner, true))
        })
    }

    /// Leaves guest code; the CPU stays the owner's until somebody takes it. True when somebody waits for one.
    #[must_use]
    pub fn leave(&self, cpu: u32, owner: Tid) -> bool {
        let _is_ours = self.swap(cpu, Self::word(owner, true), Self::word(owner, false));
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Has every thread look at its critical section before it runs on.
    pub fn begin_barrier(&self) {
        self.barriers.fetch_add(1, Ordering::AcqRel);
    }
}

/// A registration that the thread cannot go on with: the guest gets SIGSEGV.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Damaged;

impl From<Errno> for Damaged {
    fn from(_efault: Errno) -> Self {
        Self
    }
}

/// Before guest code runs: a virtual CPU, and the area as it must be. False when something else must be looked at first.
#[must_use]
pub fn enter(ctx: &mut TaskContext) -> bool {
    if ctx.rseq.is_none() {
        return true;
    }
    let process = ctx.process().clone();
    let (cpus, tid) = (process.virtual_cpus(), ctx.task.tid());
    let Some(rseq) = &mut ctx.rseq else { return true };
    let barriers = cpus.barriers.load(Ordering::Acquire);
    if rseq.cpu.is_some_and(|cpu| cpus.take_back(cpu, tid)) && rseq.seen_barriers == barriers {
        return true;
    }
    // Taken back and yet to be looked at, or another one.
    let taken = match rseq
        .cpu
        .filter(|cpu| cpus.slots[*cpu as usize].load(Ordering::Acquire) == VirtualCpus::word(tid, true))
    {
        Some(cpu) => Some(cpu),
        None => match cpus.take_any(tid, &rseq.allowed) {
            Some(cpu) => Some(cpu),
            None => wait_for_cpu(ctx),
        },
    };
    let Some(cpu) = taken else { return false };
    let mut state = ctx.vcpu.pull();
    let memory = ctx.memory();
    let Some(rseq) = &mut ctx.rseq else { return true };
    rseq.seen_barriers = barriers;
    rseq.cpu = Some(cpu);
    let fixed = abort_section(memory, rseq, &mut state).and_then(|_is_aborted| write_ids(memory, rseq.area, cpu));
    match fixed {
        Ok(()) => {
            ctx.vcpu.push(&state);
            true
        }
        Err(Damaged) => {
            let _others_wait = cpus.leave(cpu, tid);
            damaged(ctx);
            false
        }
    }
}

/// After guest code ran.
pub fn leave(ctx: &TaskContext) {
    let Some(cpu) = ctx.rseq.as_ref().and_then(|rseq| rseq.cpu) else { return };
    let process = ctx.process();
    if process.virtual_cpus().leave(cpu, ctx.task.tid()) {
        process.wake_all();
        // Whoever waits has a moment to take it.
        process.gate().outside(std::thread::yield_now);
    }
}

/// Sleeps until a CPU is free. Who runs on for too long is interrupted. `None` when something else must be looked at.
fn wait_for_cpu(ctx: &TaskContext) -> Option<u32> {
    let process = ctx.process();
    let (cpus, tid) = (process.virtual_cpus(), ctx.task.tid());
    let allowed = ctx.rseq.as_ref().map_or(&[][..], |rseq| &rseq.allowed);
    cpus.waiting.fetch_add(1, Ordering::AcqRel);
    let taken = loop {
        let slice_ends = monotonic_ns().saturating_add(SLICE_NS);
        match ctx.task.block_until(Some(slice_ends), || cpus.take_any(tid, allowed)) {
            Ok(cpu) => break Some(cpu),
            Err(Interrupted::TimedOut) => process.preemption().kick_others(ctx.vcpu.id(), KickCause::Timer),
            Err(Interrupted::Signal | Interrupted::Failed(_)) => break None,
        }
    };
    cpus.waiting.fetch_sub(1, Ordering::AcqRel);
    taken
}

/// Before a handler's frame is made: a section that the signal interrupts is aborted. False when the registration is
/// damaged; SIGSEGV is pending then.
#[must_use]
pub fn before_handler(ctx: &mut TaskContext, state: &mut CpuState) -> bool {
    let memory = ctx.memory();
    let Some(rseq) = &ctx.rseq else { return true };
    let is_whole = abort_section(memory, rseq, state).is_ok();
    if !is_whole {
        damaged(ctx);
    }
    is_whole
}

fn damaged(ctx: &mut TaskContext) {
    // Without it the handler, if there is one, can run.
    ctx.rseq = None;
    let info = SigInfo::new(Signal::SIGSEGV, SiCode::SI_KERNEL);
    ctx.process().group().force(ctx.task.tid(), info);
    ctx.task.set_interrupts(super::task::Interrupts::SIGNAL);
}

fn word(area: GuestAddr, at: u64) -> Result<GuestPtr<u32>, Errno> {
    area.add(at).map(GuestPtr::new)
}

/// `cpu_id_start`, `cpu_id`, `node_id` and `mm_cid`.
fn write_ids(memory: GuestMemory, area: GuestAddr, cpu: u32) -> Result<(), Damaged> {
    for (at, value) in [(0, cpu), (4, cpu), (20, 0), (24, cpu)] {
        memory.write(word(area, at)?, &value)?;
    }
    Ok(())
}

/// Puts the area back as it is without a registration.
///
/// # Errors
/// `EFAULT`.
pub fn reset_ids(memory: GuestMemory, area: GuestAddr) -> Result<(), Errno> {
    for (at, value) in [(0, 0), (4, CPU_ID_UNINITIALIZED), (20, 0), (24, 0)] {
        memory.write(word(area, at)?, &value)?;
    }
    Ok(())
}

/// Moves the PC to the abort handler where it is in the section that the area names; true if it was. The area names none
/// afterwards.
fn abort_section(memory: GuestMemory, rseq: &Rseq, state: &mut CpuState) -> Result<bool, Damaged> {
    let place = GuestPtr::<u64>::new(rseq.area.add(8)?);
    let descriptor = memory.read(place)?;
    if descriptor == 0 {
        return Ok(false);
    }
    if descriptor >= TASK_SIZE {
        return Err(Damaged);
    }
    // Version and flags, start, length up to the commit, abort handler.
    let [version_flags, start, len, abort] = memory.read(GuestPtr::<[u64; 4]>::new(GuestAddr(descriptor)))?;
    let is_sane = start < TASK_SIZE
        && start.checked_add(len).is_some_and(|end| end < TASK_SIZE)
        && abort < TASK_SIZE
        && abort.wrapping_sub(start) >= len
        && version_flags as u32 == 0;
    if !is_sane || memory.read(GuestPtr::<u32>::new(GuestAddr(abort.wrapping_sub(4))))? != rseq.signature {
        return Err(Damaged);
    }
    let is_inside = state.pc.wrapping_sub(start) < len;
    if is_inside && version_flags >> 32 != 0 {
        // Flags that forbid the abort have been withdrawn from the interface.
        return Err(Damaged);
    }
    memory.write(place, &0)?;
    if is_inside {
        state.pc = abort;
    }
    Ok(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_has_one_running_owner_and_is_kept_until_taken() {
        let cpus = VirtualCpus::new(2);
        let (a, b, c) = (Tid(10), Tid(11), Tid(12));
        let (first, second) = (cpus.take_any(a, &[]).unwrap(), cpus.take_any(b, &[]).unwrap());
        assert_ne!(first, second);
        assert_eq!(cpus.take_any(c, &[]), None);
        assert!(!cpus.leave(first, a) && cpus.take_back(first, a));
        assert!(!cpus.leave(first, a));
        assert_eq!(cpus.take_any(c, &[second]), None);
        assert_eq!(cpus.take_any(c, &[]), Some(first));
        assert!(!cpus.take_back(first, a));
    }

    #[test]
    fn threads_that_share_cpus_never_own_one_together() {
        use std::sync::atomic::AtomicU32;
        let cpus = VirtualCpus::new(2);
        let running = [AtomicU32::new(0), AtomicU32::new(0)];
        std::thread::scope(|scope| {
            for id in 1..=5 {
                let (cpus, running) = (&cpus, &running);
                scope.spawn(move || {
                    let mut own = None;
                    for _ in 0..2000 {
                        let cpu = match own.filter(|cpu| cpus.take_back(*cpu, Tid(id))) {
                            Some(cpu) => cpu,
                            None => loop {
                                match cpus.take_any(Tid(id), &[]) {
                                    Some(cpu) => break cpu,
                                    None => std::thread::yield_now(),
                                }
                            },
                        };
                        assert_eq!(running[cpu as usize].swap(1, Ordering::SeqCst), 0);
                        running[cpu as usize].store(0, Ordering::SeqCst);
                        let _others_wait = cpus.leave(cpu, Tid(id));
                        own = Some(cpu);
                    }
                });
            }
        });
    }
}
