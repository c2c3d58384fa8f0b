//! Rows: clocks, sleeps and timers.

use crate::syscall::{time, timers};

rows! {
    101 nanosleep Full timers (Ptr, Ptr);
    102 getitimer Full timers (Int, Ptr);
    103 setitimer Full timers (Int, Ptr, Ptr);
    107 timer_create Full timers (Int, Ptr, Ptr);
    108 timer_gettime Full timers (Int, Ptr);
    109 timer_getoverrun Full timers (Int);
    110 timer_settime Full timers (Int, Hex, Ptr, Ptr);
    111 timer_delete Full timers (Int);
    112 clock_settime;
    113 clock_gettime Full time (Int, Ptr);
    114 clock_getres Full time (Int, Ptr);
    115 clock_nanosleep Full timers (Int, Hex, Ptr, Ptr);
    153 times Full time (Ptr);
    169 gettimeofday Full time (Ptr, Ptr);
    170 settimeofday;
    171 adjtimex;
    266 clock_adjtime;
}
