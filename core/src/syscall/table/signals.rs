//! Rows: signals.

use crate::syscall::{pidfd, signal};

rows! {
    128 restart_syscall Full signal ();
    129 kill Full signal (Int, Signal);
    130 tkill Full signal (Int, Signal);
    131 tgkill Full signal (Int, Int, Signal);
    132 sigaltstack Full signal (In(Stack), Out(Stack));
    133 rt_sigsuspend Full signal (In(Signals), Size);
    134 rt_sigaction Full signal (Signal, In(Action), Out(Action), Size);
    135 rt_sigprocmask Full signal (Flags(SIG_HOW), In(Signals), Out(Signals), Size);
    136 rt_sigpending Full signal (Out(Signals), Size);
    137 rt_sigtimedwait Full signal (In(Signals), Ptr, In(Timespec), Size);
    138 rt_sigqueueinfo Full signal (Int, Signal, Ptr);
    139 rt_sigreturn Full signal ();
    240 rt_tgsigqueueinfo Full signal (Int, Int, Signal, Ptr);
    424 pidfd_send_signal Partial pidfd (Fd, Signal, Ptr, Hex);
}
