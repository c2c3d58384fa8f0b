//! The user-visible register file of a vCPU, [`CpuState`]: what `pull`, `push`, signal frames and fork images carry.
//!
//! Source: Arm ARM B1.2 (registers in AArch64 state), C5.2 (PSTATE fields).

use super::PauthKeys;

/// PSTATE as SPSR_EL1 shows it to a signal frame; only what EL0 can change is kept: NZCV, SSBS, DIT, TCO, BTYPE.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(transparent)]
pub struct Pstate(pub u64);

impl Pstate {
    /// Negative.
    pub const N: u64 = 1 << 31;
    /// Zero.
    pub const Z: u64 = 1 << 30;
    /// Carry.
    pub const C: u64 = 1 << 29;
    /// Overflow.
    pub const V: u64 = 1 << 28;
    /// The four condition flags.
    pub const NZCV: u64 = 0xf << 28;
    /// Data independent timing.
    pub const DIT: u64 = 1 << 24;
    /// Speculative store bypass is safe.
    pub const SSBS: u64 = 1 << 12;
    /// Tag check override.
    pub const TCO: u64 = 1 << 25;
    /// Branch type, two bits.
    pub const BTYPE: u64 = 3 << Self::BTYPE_SHIFT;
    /// Lowest bit of the branch type.
    pub const BTYPE_SHIFT: u32 = 10;
    /// The branch type of a call, with which Linux enters signal handlers.
    pub const BTYPE_CALL: u64 = 2 << Self::BTYPE_SHIFT;
    /// What a signal handler may hand back through rt_sigreturn; other bits of a frame must be zero.
    pub const USER_WRITABLE: u64 = Self::NZCV | Self::DIT | Self::TCO | Self::BTYPE | Self::SSBS;
}

/// All registers that EL0 can see.
#[derive(Clone, PartialEq, Eq, Debug)]
#[repr(C, align(16))]
pub struct CpuState {
    /// X0 to X30.
    pub x: [u64; 31],
    /// The stack pointer SP_EL0.
    pub sp: u64,
    /// The program counter.
    pub pc: u64,
    /// Condition flags and friends.
    pub pstate: Pstate,
    /// V0 to V31.
    pub v: [u128; 32],
    /// Floating-point control.
    pub fpcr: u32,
    /// Floating-point status.
    pub fpsr: u32,
    /// The thread pointer TPIDR_EL0.
    pub tpidr_el0: u64,
    /// The read-only thread pointer TPIDRRO_EL0 (zero on Linux).
    pub tpidrro_el0: u64,
    /// The keys of pointer authentication. EL0 cannot see these, but they belong to the thread.
    pub pauth: PauthKeys,
}

impl CpuState {
    /// What a program begins with: keys of its own, and all other registers zero.
    #[must_use]
    pub fn at_start(pc: u64, sp: u64) -> Self {
        Self { pc, sp, pauth: PauthKeys::random(), ..Self::default() }
    }
}

impl Default for CpuState {
    fn default() -> Self {
        Self {
            x: [0; 31],
            sp: 0,
            pc: 0,
            pstate: Pstate(0),
            v: [0; 32],
            fpcr: 0,
            fpsr: 0,
            tpidr_el0: 0,
            tpidrro_el0: 0,
            pauth: PauthKeys::default(),
        }
    }
}
