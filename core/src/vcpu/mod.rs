//! The seam: guest virtual addresses below, exits above (`docs/design.md` §4).
//!
//! A back end is a [`Machine`] (one per process) that makes [`Vcpu`]s (one per guest thread). `soft` is the software
//! one, `hvf` Apple's. Nothing above this module knows which it runs on. Every back end passes the contract tests of
//! `vcpu/contract.rs`. Names follow Hypervisor.framework where it has the thing, the Arm ARM otherwise.

pub mod contract;
mod cpu_features;
mod exit;
mod pauth;
pub mod registry;
mod state;
mod syndrome;

pub use cpu_features::CpuFeatures;
pub use exit::{AbortCause, Access, Esr, Exception, ExceptionKind, VcpuExit};
pub use pauth::PauthKeys;
pub use state::{CpuState, Pstate};
pub use syndrome::SyndromeField;

use crate::host::SignalsBlocked;
use crate::mem::Mapper;

/// A vCPU's handle. Zero is a valid handle, as in Hypervisor.framework.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VcpuId(pub u64);

/// Why a back end could not do what was asked; distinct from every guest-made condition.
#[derive(Debug, thiserror::Error)]
pub enum VcpuError {
    /// The call must come from the thread that created the vCPU.
    #[error("vCPU {0:?} was used by a thread that does not own it")]
    WrongThread(VcpuId),
    /// The back end has no room for another vCPU.
    #[error("cannot create another vCPU: {0}")]
    NoResources(String),
    /// The hypervisor interface itself failed (`hv_return_t` or a host error in the text).
    #[error("{call} failed: {detail}")]
    Backend {
        /// The interface call.
        call: &'static str,
        /// What it answered.
        detail: String,
    },
}

/// The machine of a process: its guest mappings and its vCPUs.
pub trait Machine: Mapper {
    /// Makes a vCPU that belongs to the calling thread. The proof says that the kick set is blocked here.
    ///
    /// # Errors
    /// [`VcpuError::NoResources`] where the back end has no more vCPUs.
    fn create_vcpu(&self, proof: &SignalsBlocked) -> Result<Box<dyn Vcpu>, VcpuError>;

    /// Cancels the current run of each of these vCPUs, or, latched, the next one where none is in progress.
    /// Ids that are no longer alive are passed over. Callable from any thread; see [`registry`].
    ///
    /// # Errors
    /// [`VcpuError::Backend`] where the hypervisor refused.
    fn exit_vcpus(&self, ids: &[VcpuId]) -> Result<(), VcpuError>;

    /// What the guest's CPUs can do, as the kernel tells programs.
    fn features(&self) -> &CpuFeatures;

    /// The name of the back end, as in the gate's record: `soft` or `hvf`.
    fn backend_name(&self) -> &'static str;

    /// Holds the machine still, so that a host fork finds none of its locks taken. `None` where a machine does not survive
    /// a host fork, as a hypervisor's does not.
    fn hold_for_fork(&self) -> Option<Box<dyn HeldMachine + '_>> {
        None
    }
}

/// A machine that is held still for a host fork; it is let go of when this is dropped.
pub trait HeldMachine {
    /// In the forked process: goes on with the vCPU of the calling thread, which is the only one left.
    fn continue_with(self: Box<Self>, own: VcpuId);
}

/// A vCPU, used by its owner thread only.
///
/// A run goes from [`run`](Vcpu::run) to an exit; between runs the owner may look at and change the registers.
pub trait Vcpu {
    /// The handle by which others cancel this vCPU.
    fn id(&self) -> VcpuId;

    /// Runs guest code until something must be handled. A cancel that arrived since the last exit ends the run at
    /// once. On a syscall exit the PC is already past the `svc`; on every other exception it is at the instruction.
    ///
    /// # Errors
    /// Failures of the hypervisor interface; never a guest condition.
    fn run(&mut self) -> Result<VcpuExit, VcpuError>;

    /// The registers of a syscall: number (x8) and arguments (x0 to x5).
    fn syscall(&self) -> SyscallRegisters;

    /// Sets x0, the return value of a syscall.
    fn set_return_value(&mut self, value: u64);

    /// Copies all registers out.
    fn pull(&self) -> CpuState;

    /// Replaces all registers.
    fn push(&mut self, state: &CpuState);
}

/// The registers that Linux's arm64 syscall convention reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyscallRegisters {
    /// x8.
    pub number: u64,
    /// x0 to x5.
    pub args: [u64; 6],
}
