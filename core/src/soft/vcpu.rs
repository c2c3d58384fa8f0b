//! [`SoftVcpu`]: the interpreter behind the seam, and [`VcpuTable`], by which others cancel it.
//!
//! A run ends as CANCELED when `exit_vcpus` set the cancel bit of the vCPU's interrupt word, and as UNKNOWN when a
//! handler of the kick set ran on its thread inside the run: that bit is set only there, wins, and is never suppressed
//! (`docs/design.md` §4).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::a64::CpuModel;
use super::interp::{CodeSource, Interpreter, StopReason};
use crate::host::signal::{INTERRUPT_CANCEL, INTERRUPT_HOST_SIGNAL, with_interrupt_word};
use crate::mem::WindowRef;
use crate::vcpu::{CpuState, SyscallRegisters, Vcpu, VcpuError, VcpuExit, VcpuId};

/// The live vCPUs of a machine with their interrupt words. The lock is a leaf.
#[derive(Default)]
pub(super) struct VcpuTable {
    next_id: AtomicU64,
    words: Mutex<BTreeMap<VcpuId, Arc<AtomicU32>>>,
}

impl VcpuTable {
    fn words(&self) -> MutexGuard<'_, BTreeMap<VcpuId, Arc<AtomicU32>>> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps everybody else out until the answer is dropped: for a host fork.
    pub(super) fn hold(&self) -> HeldVcpus<'_> {
        HeldVcpus { words: self.words() }
    }

    /// Sets the cancel bit of these vCPUs; ids that are no longer alive are passed over.
    pub(super) fn cancel(&self, ids: &[VcpuId]) {
        let words = self.words();
        for word in ids.iter().filter_map(|id| words.get(id)) {
            word.fetch_or(INTERRUPT_CANCEL, Ordering::SeqCst);
        }
    }
}

/// A [`VcpuTable`] that nobody else changes.
pub(super) struct HeldVcpus<'table> {
    words: MutexGuard<'table, BTreeMap<VcpuId, Arc<AtomicU32>>>,
}

impl HeldVcpus<'_> {
    /// Forgets all vCPUs but `own`: their threads are not in this process.
    pub(super) fn retain(&mut self, own: VcpuId) {
        // Where there is one thread, nothing is written, nor is a page of code needed for it.
        if self.words.len() > 1 {
            self.words.retain(|id, _word| *id == own);
        }
    }
}

/// A vCPU of the software back end, on one page of the host: every run writes its registers.
#[repr(align(2048))]
pub(super) struct SoftVcpu {
    id: VcpuId,
    owner: ThreadId,
    interrupt: Arc<AtomicU32>,
    table: Arc<VcpuTable>,
    interpreter: Interpreter,
    state: CpuState,
}

const _: () = assert!(size_of::<SoftVcpu>() == 2048);

impl SoftVcpu {
    /// A vCPU of the calling thread, all registers zero.
    pub(super) fn new(table: Arc<VcpuTable>, window: WindowRef, code: Arc<dyn CodeSource>, cpu: CpuModel) -> Self {
        let id = VcpuId(table.next_id.fetch_add(1, Ordering::Relaxed));
        let interrupt = Arc::new(AtomicU32::new(0));
        table.words().insert(id, interrupt.clone());
        let interpreter = Interpreter::with_cpu(window, code, cpu);
        Self { id, owner: thread::current().id(), interrupt, table, interpreter, state: CpuState::default() }
    }
}

impl Drop for SoftVcpu {
    fn drop(&mut self) {
        self.table.words().remove(&self.id);
    }
}

impl Vcpu for SoftVcpu {
    fn id(&self) -> VcpuId {
        self.id
    }

    fn run(&mut self) -> Result<VcpuExit, VcpuError> {
        if thread::current().id() != self.owner {
            return Err(VcpuError::WrongThread(self.id));
        }
        let (interpreter, state, word) = (&mut self.interpreter, &mut self.state, &*self.interrupt);
        let (stop, is_host_signal) = with_interrupt_word(word, || {
            let stop = interpreter.run(state, word);
            // A handler may run up to the end of this scope, whatever the guest did meanwhile.
            (stop, word.load(Ordering::SeqCst) & INTERRUPT_HOST_SIGNAL != 0)
        });
        if is_host_signal {
            word.fetch_and(!INTERRUPT_HOST_SIGNAL, Ordering::SeqCst);
            return Ok(VcpuExit::Unknown(VcpuExit::UNKNOWN_RAW));
        }
        match stop.reason {
            StopReason::Exception(exception) => Ok(VcpuExit::Exception(exception)),
            StopReason::Interrupted => {
                word.fetch_and(!INTERRUPT_CANCEL, Ordering::SeqCst);
                Ok(VcpuExit::Canceled { in_code: stop.instructions_retired > 0 })
            }
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
