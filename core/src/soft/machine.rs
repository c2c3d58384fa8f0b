//! [`SoftMachine`]: the window with its mappings, and the table of live vCPUs.
//!
//! Guest mappings are host mappings inside the window (`docs/design.md` §5). Executable guest pages are readable and
//! never executable on the host.

use std::sync::Arc;

use super::a64::{CpuModel, features};
use super::code::{CodeChanges, CodePages, HeldCode, Region};
use super::interp::{CodePage, CodeSource, StaleCode};
use super::vcpu::{HeldVcpus, SoftVcpu, VcpuTable};
use crate::abi::{Errno, GuestAddr, GuestRange};
use crate::host::memory::Source;
use crate::host::{SignalsBlocked, fault};
use crate::mem::{Backing, CodeCounter, GuestMemory, Mapper, Prot, Window, WindowError};
use crate::vcpu::{AbortCause, CpuFeatures, HeldMachine, Machine, Vcpu, VcpuError, VcpuId};

/// Why there is no machine.
#[derive(Debug, thiserror::Error)]
pub enum SoftMachineError {
    /// The guest's window could not be reserved.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The handlers of fault signals could not be installed.
    #[error("cannot install the fault handlers: {0}")]
    FaultHandlers(std::io::Error),
}

/// The machine of the software back end.
pub struct SoftMachine {
    cpu: CpuModel,
    features: CpuFeatures,
    window: Window,
    code: Arc<CodePages>,
    vcpus: Arc<VcpuTable>,
}

impl SoftMachine {
    /// A machine whose CPUs have every feature; see [`Self::with_cpu`].
    ///
    /// # Errors
    /// [`SoftMachineError`] says what the host refused and what to do.
    pub fn new() -> Result<Arc<Self>, SoftMachineError> {
        Self::with_cpu(CpuModel::default())
    }

    /// Reserves the window and installs the fault handlers.
    ///
    /// # Errors
    /// [`SoftMachineError`] says what the host refused and what to do.
    pub fn with_cpu(cpu: CpuModel) -> Result<Arc<Self>, SoftMachineError> {
        fault::install().map_err(SoftMachineError::FaultHandlers)?;
        let features = CpuFeatures {
            hwcaps: features::hwcaps(cpu.features),
            names: features::cpuinfo_names(cpu.features),
            midr: cpu.midr,
            counter_hz: features::CNTFRQ_EL0,
        };
        Ok(Arc::new(Self { cpu, features, window: Window::reserve()?, code: Arc::default(), vcpus: Arc::default() }))
    }

    /// The window.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The code side of the mappings.
    #[must_use]
    pub fn code(&self) -> &CodePages {
        &self.code
    }
}

/// The host's rights for a guest page: what can be written or executed can be read, as on arm64 without FEAT_PAN3.
fn host_prot(prot: Prot) -> i32 {
    let mut host = if prot.difference(Prot::BTI).is_empty() { libc::PROT_NONE } else { libc::PROT_READ };
    if prot.contains(Prot::WRITE) {
        host |= libc::PROT_WRITE;
    }
    host
}

impl Mapper for SoftMachine {
    fn address_space_len(&self) -> u64 {
        self.window.len_bytes()
    }

    fn memory(&self) -> GuestMemory {
        self.window.memory()
    }

    fn map(&self, range: GuestRange, prot: Prot, backing: Backing<'_>) -> Result<(), Errno> {
        let (source, is_shared) = match backing {
            Backing::Anonymous => (Source::Anonymous, false),
            Backing::PrivateFile { file, offset } => (Source::File { file, offset, is_shared: false }, false),
            Backing::SharedFile { file, offset, writable: _ } => (Source::File { file, offset, is_shared: true }, true),
            Backing::Segment { id, offset, writable } => (Source::Segment { id, offset, is_writable: writable }, true),
        };
        self.window.map(range, host_prot(prot), source)?;
        self.code.mapped(range, Region { prot, is_shared });
        Ok(())
    }

    fn protect(&self, range: GuestRange, prot: Prot) -> Result<(), Errno> {
        self.window.protect(range, host_prot(prot))?;
        self.code.protected(range, prot);
        Ok(())
    }

    fn unmap(&self, range: GuestRange) -> Result<(), Errno> {
        self.window.release(range)?;
        self.code.unmapped(range);
        Ok(())
    }

    fn relocate(&self, from: GuestRange, to: GuestAddr) -> Result<(), Errno> {
        self.window.relocate(from, to)?;
        for (part, region) in self.code.unmapped(from) {
            let start = GuestAddr(to.0 + (part.start.0 - from.start.0));
            self.code.mapped(GuestRange::new(start, part.len())?, region);
        }
        Ok(())
    }

    fn advise(&self, range: GuestRange, advice: i32) -> Result<(), Errno> {
        self.window.advise(range, advice)
    }

    fn sync(&self, range: GuestRange, flags: i32) -> Result<(), Errno> {
        self.window.sync(range, flags)
    }

    fn resident(&self, start: GuestAddr, pages: &mut [u8]) -> Result<(), Errno> {
        self.window.resident(start, pages)
    }

    fn count_code_changes(&self, counter: Option<CodeCounter>) {
        self.code.count_for_others(counter);
    }

    fn see_code_changes(&self) {
        self.code.see_others();
    }

    fn invalidate_code(&self, range: GuestRange) {
        self.code.invalidate(range);
    }
}

impl CodeSource for CodePages {
    fn mark_decoded(&self, pc: GuestAddr) -> Result<CodePage, AbortCause> {
        let prot = Self::mark_decoded(self, pc)?;
        Ok(CodePage { is_guarded: prot.contains(Prot::BTI) })
    }

    fn generation(&self) -> &std::sync::atomic::AtomicU64 {
        self.generation_cell()
    }

    fn stale_since(&self, seen: u64) -> (u64, StaleCode) {
        let (now, changes) = self.changes_since(seen);
        let stale = match changes {
            CodeChanges::Ranges(ranges) => StaleCode::Ranges(ranges),
            CodeChanges::Everything => StaleCode::Everything,
        };
        (now, stale)
    }

    fn invalidate(&self, range: GuestRange) {
        Self::invalidate(self, range);
        self.tell_others();
    }

    fn synchronize(&self) {
        self.see_others();
    }

    fn abort_cause(&self, addr: GuestAddr) -> AbortCause {
        Self::abort_cause(self, addr)
    }
}

impl Machine for SoftMachine {
    fn create_vcpu(&self, _proof: &SignalsBlocked) -> Result<Box<dyn Vcpu>, VcpuError> {
        Ok(Box::new(SoftVcpu::new(self.vcpus.clone(), self.window.accessor(), self.code.clone(), self.cpu)))
    }

    fn exit_vcpus(&self, ids: &[VcpuId]) -> Result<(), VcpuError> {
        self.vcpus.cancel(ids);
        Ok(())
    }

    fn features(&self) -> &CpuFeatures {
        &self.features
    }

    fn backend_name(&self) -> &'static str {
        "soft"
    }

    fn hold_for_fork(&self) -> Option<Box<dyn HeldMachine + '_>> {
        Some(Box::new(Held { _code: self.code.hold(), vcpus: self.vcpus.hold() }))
    }
}

/// All locks of the machine. Mappings, decoded code and the calling thread's vCPU are as good in a forked process as here.
struct Held<'machine> {
    _code: HeldCode<'machine>,
    vcpus: HeldVcpus<'machine>,
}

impl HeldMachine for Held<'_> {
    fn continue_with(mut self: Box<Self>, own: VcpuId) {
        self.vcpus.retain(own);
    }
}
