//! Rows: futexes and robust lists.

use crate::syscall::{futex, process};

rows! {
    98 futex Full futex (Ptr, Flags(FUTEX), Int, Ptr, Ptr, Int);
    99 set_robust_list Full process (Ptr, Size);
    100 get_robust_list Full process (Int, Ptr, Ptr);
    449 futex_waitv Full futex (Ptr, Int, Hex, In(Timespec), Flags(CLOCK));
    454 futex_wake Full futex (Ptr, Hex, Int, Hex);
    455 futex_wait Full futex (Ptr, Hex, Hex, Hex, In(Timespec), Flags(CLOCK));
    456 futex_requeue Full futex (Ptr, Hex, Int, Int);
}
