//! The last guest access of this thread that faulted, as far as the host signal tells it.
//!
//! The window is reserved without access rights, so that an unmapped guest page and a forbidden one look alike to the
//! host: who has a map of the guest's mappings decides between [`AbortCause::Translation`] and
//! [`AbortCause::Permission`]. SIGBUS is [`AbortCause::External`] in any case.

use crate::host::fault;

/// The host address and the cause of the last fixed-up fault of this thread.
#[must_use]
pub fn last() -> (usize, AbortCause) {
    let fault = fault::last();
    (fault.address, if fault.is_bus_error { AbortCause::External } else { AbortCause::Translation })
}

/// Why an access was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AbortCause {
    /// Nothing is mapped there (translation fault, SEGV_MAPERR).
    Translation,
    /// The mapping forbids the access (permission fault, SEGV_ACCERR).
    Permission,
    /// Misaligned where alignment is required (BUS_ADRALN).
    Alignment,
    /// The mapping exists but its object does not reach that far (synchronous external abort, BUS_ADRERR).
    External,
}

impl AbortCause {
    /// DFSC/IFSC: the fault status code, for a level 3 fault where a level is told.
    #[must_use]
    pub const fn fault_status(self) -> u32 {
        match self {
            Self::Translation => 0b00_0111,
            Self::Permission => 0b00_1111,
            Self::External => 0b01_0000,
            Self::Alignment => 0b10_0001,
        }
    }
}
