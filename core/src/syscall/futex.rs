//! Handlers of the futex family.

use super::Args;
use crate::abi::Errno;
use crate::kernel::{SyscallResult, TaskContext};

pub(super) fn futex(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    Err(Errno::ENOSYS.into())
}
