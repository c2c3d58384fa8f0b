//! Rows: futexes and robust lists.

use crate::syscall::{futex, process};

rows! {
    98 futex Partial futex (Ptr, Int, Int, Ptr, Ptr, Int);
    99 set_robust_list Full process (Ptr, Size);
    100 get_robust_list Full process (Int, Ptr, Ptr);
    449 futex_waitv;
    454 futex_wake;
    455 futex_wait;
    456 futex_requeue;
}
