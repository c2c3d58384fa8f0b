//! What the interpreter asks of the keeper of code pages: [`CodeSource`].
//!
//! Decoded blocks belong to one vCPU. Before instructions are read from a page it is marked; whoever changes a marked page
//! moves the generation, which every vCPU compares before each block. `docs/design.md` §5.

use std::sync::atomic::AtomicU64;

use crate::abi::{GuestAddr, GuestRange};
use crate::vcpu::AbortCause;

/// Decoded code to drop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StaleCode {
    /// What overlaps these ranges.
    Ranges(Vec<GuestRange>),
    /// All of it: too much has changed to tell.
    Everything,
}

/// What a page of code is like.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CodePage {
    /// Branches may only go where an instruction expects them (the GP bit of FEAT_BTI).
    pub is_guarded: bool,
}

/// The code side of the guest's mappings, shared by all vCPUs.
pub trait CodeSource: Send + Sync {
    /// Says that the page of `pc` is about to be decoded; its instructions may be read afterwards.
    ///
    /// # Errors
    /// `Translation` where nothing is mapped, `Permission` where execution is not allowed.
    fn mark_decoded(&self, pc: GuestAddr) -> Result<CodePage, AbortCause>;

    /// A number that moves whenever decoded code may have become stale. Read (acquire) before each block.
    fn generation(&self) -> &AtomicU64;

    /// What has become stale after generation `seen`, and the generation that this brings the caller to.
    fn stale_since(&self, seen: u64) -> (u64, StaleCode);

    /// The guest says that instructions in `range` may have changed (`IC IVAU`).
    fn invalidate(&self, range: GuestRange);

    /// The guest wants to see what instructions others have changed (`ISB`).
    fn synchronize(&self) {}

    /// Why an access to `addr` (untagged), which the host refused, is refused to the guest.
    fn abort_cause(&self, addr: GuestAddr) -> AbortCause;
}
