//! Rows: signals.

use crate::syscall::{pidfd, signal};

rows! {
    128 restart_syscall Full signal ();
    129 kill Full signal (Int, Signal);
    130 tkill Full signal (Int, Signal);
    131 tgkill Full signal (Int, Int, Signal);
    132 sigaltstack Full signal (Ptr, Ptr);
    133 rt_sigsuspend Full signal (Ptr, Size);
    134 rt_sigaction Full signal (Signal, Ptr, Ptr, Size);
    135 rt_sigprocmask Full signal (Int, Ptr, Ptr, Size);
    136 rt_sigpending Full signal (Ptr, Size);
    137 rt_sigtimedwait Full signal (Ptr, Ptr, Ptr, Size);
    138 rt_sigqueueinfo Full signal (Int, Signal, Ptr);
    139 rt_sigreturn Full signal ();
    240 rt_tgsigqueueinfo Full signal (Int, Int, Signal, Ptr);
    424 pidfd_send_signal Partial pidfd (Int, Signal, Ptr, Hex);
}
