//! Rows: clocks, sleeps and timers.

use crate::syscall::{privileged, time, timers};

rows! {
    101 nanosleep Full timers (In(Timespec), Ptr);
    102 getitimer Full timers (Flags(ITIMER), Out(Itimerval));
    103 setitimer Full timers (Flags(ITIMER), In(Itimerval), Out(Itimerval));
    107 timer_create Full timers (Flags(CLOCK), Ptr, Out(Number));
    108 timer_gettime Full timers (Int, Out(Itimerspec));
    109 timer_getoverrun Full timers (Int);
    110 timer_settime Full timers (Int, Flags(TIMER), In(Itimerspec), Out(Itimerspec));
    111 timer_delete Full timers (Int);
    112 clock_settime Partial privileged (Flags(CLOCK), In(Timespec));
    113 clock_gettime Full time (Flags(CLOCK), Out(Timespec));
    114 clock_getres Full time (Flags(CLOCK), Out(Timespec));
    115 clock_nanosleep Full timers (Flags(CLOCK), Flags(TIMER), In(Timespec), Ptr);
    153 times Full time (Ptr);
    169 gettimeofday Full time (Out(Timeval), Ptr);
    170 settimeofday Partial privileged (Ptr, Ptr);
    171 adjtimex Partial time (Ptr);
    266 clock_adjtime Partial time (Flags(CLOCK), Ptr);
}
