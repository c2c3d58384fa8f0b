//! The last guest access of this thread that faulted, as far as the host signal tells it.
//!
//! The window is reserved without access rights, so that an unmapped guest page and a forbidden one look alike to the
//! host: who has a map of the guest's mappings decides between [`AbortCause::Translation`] and
//! [`AbortCause::Permission`]. SIGBUS is [`AbortCause::External`] in any case.

use crate::host::fault;
use crate::vcpu::AbortCause;

/// The host address and the cause of the last fixed-up fault of this thread.
#[must_use]
pub fn last() -> (usize, AbortCause) {
    let fault = fault::last();
    (fault.address, if fault.is_bus_error { AbortCause::External } else { AbortCause::Translation })
}
