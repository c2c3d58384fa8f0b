//! Calls that change the machine: mounts, modules, swap, the clock, the host's name. A guest may ask, and is refused as an
//! unprivileged process is, whoever runs elfuse: it is a program of the host's, not its administrator.
//!
//! Missing: everything but the refusal.

use super::Args;
use crate::abi::Errno;
use crate::kernel::{SyscallResult, TaskContext};

macro_rules! refused {
    ($($name:ident)*) => {
        $(
            pub(super) fn $name(_ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
                Err(Errno::EPERM.into())
            }
        )*
    };
}

refused! {
    umount2 mount pivot_root swapon swapoff acct kexec_load kexec_file_load init_module finit_module delete_module
    syslog reboot clock_settime settimeofday sethostname setdomainname quotactl quotactl_fd vhangup
}
