//! The seam's contract: what every back end must do, as checks over [`Machine`] and [`Vcpu`] alone.
//!
//! A check runs in a process of its own, on a fresh machine: some of them open signal masks and send real signals, which
//! must not meet a test runner's threads. `core/tests/seam.rs` runs them all on the back end of the host. The checks of
//! interruptions are in [`interrupts`], those of registers, exceptions and memory in [`execution`]. `docs/design.md` §4.

mod execution;
mod interrupts;

use std::sync::Arc;

use super::{CpuState, Exception, ExceptionKind, Machine, Vcpu, VcpuError, VcpuExit};
use crate::abi::{GuestAddr, GuestPtr, GuestRange, PAGE_SIZE};
use crate::host::SignalsBlocked;
use crate::mem::{Backing, Prot};

/// What a check found wrong, in words.
pub type Finding = String;

/// A check of the contract.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Runs it on a fresh machine, on a thread whose kick set is blocked.
    pub run: fn(&Arc<dyn Machine>, &SignalsBlocked) -> Result<(), Finding>,
}

/// All checks.
#[must_use]
pub fn checks() -> Vec<Check> {
    [execution::CHECKS, interrupts::CHECKS].concat()
}

/// Fails the check unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($format:tt)+) => {
        if !$condition {
            return Err(format!($($format)+));
        }
    };
}

/// Fails the check unless both values are equal.
macro_rules! ensure_eq {
    ($left:expr, $right:expr, $what:expr) => {{
        let (left, right) = ($left, $right);
        if left != right {
            return Err(format!("{}: {left:x?} instead of {right:x?}", $what));
        }
    }};
}

use {ensure, ensure_eq};

/// Instructions that the checks are made of, by their encodings (Arm ARM C6.2).
mod code {
    /// `svc #0`.
    pub(super) const SVC: u32 = 0xd400_0001;
    /// `svc #0x1234`.
    pub(super) const SVC_1234: u32 = 0xd402_4681;
    /// `nop`.
    pub(super) const NOP: u32 = 0xd503_201f;

    /// `b .-8`.
    pub(super) const BRANCH_BACK_TWO: u32 = 0x17ff_fffe;
    /// `brk #5`.
    pub(super) const BRK_5: u32 = 0xd420_00a0;
    /// `udf #0`.
    pub(super) const UDF: u32 = 0;
    /// `br x1`.
    pub(super) const BR_X1: u32 = 0xd61f_0020;
    /// `ldr x0, [x1]`.
    pub(super) const LDR_X0_X1: u32 = 0xf940_0020;
    /// `str x0, [x1]`.
    pub(super) const STR_X0_X1: u32 = 0xf900_0020;
    /// `ldr x0, [x1], #8`.
    pub(super) const LDR_X0_X1_POST_8: u32 = 0xf840_8420;
    /// `add x0, x0, #1`.
    pub(super) const ADD_X0_1: u32 = 0x9100_0400;
    /// `ic ivau, x1`.
    pub(super) const IC_IVAU_X1: u32 = 0xd50b_7521;
    /// `dc cvau, x1`.
    pub(super) const DC_CVAU_X1: u32 = 0xd50b_7b21;
    /// `dsb ish`.
    pub(super) const DSB_ISH: u32 = 0xd503_3b9f;
    /// `isb`.
    pub(super) const ISB: u32 = 0xd503_3fdf;
    /// `str w2, [x1]`.
    pub(super) const STR_W2_X1: u32 = 0xb900_0022;
    /// `mov w0, #1`.
    pub(super) const MOV_W0_1: u32 = 0x5280_0020;
    /// `mov w0, #2`.
    pub(super) const MOV_W0_2: u32 = 0x5280_0040;
    /// `ret`.
    pub(super) const RET: u32 = 0xd65f_03c0;
    /// `blr x1`.
    pub(super) const BLR_X1: u32 = 0xd63f_0020;
}

/// Where the checks put their code.
const CODE: u64 = 0x40_0000;
/// Where they put their data.
const DATA: u64 = 0x50_0000;
/// Where nothing is ever mapped.
const NOWHERE: u64 = 0x60_0000;

/// One page of a range.
fn page(addr: u64) -> GuestRange {
    GuestRange { start: GuestAddr(addr), end: GuestAddr(addr + PAGE_SIZE) }
}

/// Maps a page of code and a page of data.
fn load(machine: &Arc<dyn Machine>, words: &[u32]) -> Result<(), Finding> {
    let failed = |errno| format!("cannot map the check's guest: {errno}");
    let rw = Prot::READ | Prot::WRITE;
    machine.map(page(DATA), rw, Backing::Anonymous).map_err(failed)?;
    machine.map(page(CODE), rw, Backing::Anonymous).map_err(failed)?;
    for (at, word) in (CODE..).step_by(4).zip(words) {
        machine.memory().write(GuestPtr::new(GuestAddr(at)), word).map_err(failed)?;
    }
    machine.protect(page(CODE), Prot::READ | Prot::EXEC).map_err(failed)?;
    machine.invalidate_code(page(CODE));
    Ok(())
}

/// Makes a vCPU of the calling thread with the PC at the code.
fn start(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<Box<dyn Vcpu>, Finding> {
    let mut vcpu = machine.create_vcpu(proof).map_err(|error| error.to_string())?;
    vcpu.push(&CpuState { pc: CODE, ..CpuState::default() });
    Ok(vcpu)
}

/// Runs, and fails on an interface error.
fn run(vcpu: &mut dyn Vcpu) -> Result<VcpuExit, Finding> {
    vcpu.run().map_err(|error: VcpuError| error.to_string())
}

/// Puts the PC back to the code and runs.
fn run_again(vcpu: &mut dyn Vcpu) -> Result<VcpuExit, Finding> {
    let mut state = vcpu.pull();
    state.pc = CODE;
    vcpu.push(&state);
    run(vcpu)
}

/// The exit of an exception of this kind.
fn exception(kind: ExceptionKind) -> VcpuExit {
    VcpuExit::Exception(Exception::new(kind))
}

/// The exit of `svc #0`.
fn syscall_exit() -> VcpuExit {
    exception(ExceptionKind::Syscall { imm: 0 })
}
