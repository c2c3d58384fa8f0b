//! The Apple back end: Hypervisor.framework behind the seam. Present: the mapping of its exits to [`VcpuExit`]
//! (`exit`), which is pure and tested on every host, and its connection to the crate `hv`. Absent: the machine (EL1 shim,
//! stage-1 tables, HVC protocol), so that no guest runs on it yet. `docs/design.md` §3, §4.
//!
//! [`VcpuExit`]: crate::vcpu::VcpuExit

mod exit;
#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
mod framework;

pub use exit::{ExitInformation, FORWARD, Observed, exception_of, exit_of};
#[cfg(all(target_os = "macos", target_arch = "aarch64"))]
pub use framework::exit_information;
