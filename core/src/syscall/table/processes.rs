//! Rows: processes and threads, their identity, scheduling and limits.

use crate::syscall::{clone, exec, id, limits, misc, pidfd, prctl, process, schedule, wait};

rows! {
    30 ioprio_set Full id (Int, Int, Int);
    31 ioprio_get Full id (Int, Int);
    90 capget Full id (Ptr, Ptr);
    91 capset Full id (Ptr, Ptr);
    92 personality Partial misc (Hex);
    93 exit Full process (Int);
    94 exit_group Full process (Int);
    95 waitid Full wait (Flags(ID_TYPE), Int, Ptr, Flags(WAIT), Ptr);
    96 set_tid_address Full process (Ptr);
    97 unshare; // namespaces: elfuse's own files and ids would change with the guest's
    117 ptrace; // the host stops elfuse, and shows its registers
    118 sched_setparam Full schedule (Int, In(Number));
    119 sched_setscheduler Full schedule (Int, Flags(POLICY), In(Number));
    120 sched_getscheduler Full schedule (Int);
    121 sched_getparam Full schedule (Int, Out(Number));
    122 sched_setaffinity Full schedule (Int, Size, Ptr);
    123 sched_getaffinity Full schedule (Int, Size, Ptr);
    124 sched_yield Full schedule ();
    125 sched_get_priority_max Full schedule (Flags(POLICY));
    126 sched_get_priority_min Full schedule (Flags(POLICY));
    127 sched_rr_get_interval Full schedule (Int, Out(Timespec));
    140 setpriority Full schedule (Int, Int, Int);
    141 getpriority Full schedule (Int, Int);
    143 setregid Full id (Int, Int);
    144 setgid Full id (Int);
    145 setreuid Full id (Int, Int);
    146 setuid Full id (Int);
    147 setresuid Full id (Int, Int, Int);
    148 getresuid Full id (Out(Number), Out(Number), Out(Number));
    149 setresgid Full id (Int, Int, Int);
    150 getresgid Full id (Out(Number), Out(Number), Out(Number));
    151 setfsuid Full id (Int);
    152 setfsgid Full id (Int);
    154 setpgid Full process (Int, Int);
    155 getpgid Full process (Int);
    156 getsid Full process (Int);
    157 setsid Full process ();
    158 getgroups Full id (Int, Ptr);
    159 setgroups Full id (Int, Ptr);
    163 getrlimit Full limits (Flags(RESOURCE), Out(Limit));
    164 setrlimit Partial limits (Flags(RESOURCE), In(Limit));
    165 getrusage Full misc (Flags(RUSAGE), Ptr);
    167 prctl Partial prctl (Flags(PRCTL), Hex, Hex, Hex, Hex);
    168 getcpu Full schedule (Out(Number), Out(Number), Ptr);
    172 getpid Full process ();
    173 getppid Full process ();
    174 getuid Full id ();
    175 geteuid Full id ();
    176 getgid Full id ();
    177 getegid Full id ();
    178 gettid Full process ();
    220 clone Partial clone (Flags(CLONE), Ptr, Ptr, Ptr, Ptr);
    221 execve Partial exec (Path, In(Strings), In(Environment));
    260 wait4 Full wait (Int, Out(Status), Flags(WAIT), Ptr);
    261 prlimit64 Full limits (Int, Flags(RESOURCE), In(Limit), Out(Limit));
    268 setns; // namespaces: elfuse's own files and ids would change with the guest's
    272 kcmp Partial pidfd (Int, Int, Flags(KCMP), Hex, Hex);
    274 sched_setattr Full schedule (Int, Ptr, Hex);
    275 sched_getattr Full schedule (Int, Ptr, Size, Hex);
    277 seccomp; // filters would judge elfuse's own calls
    281 execveat Partial exec (Dir, Path, In(Strings), In(Environment), Flags(AT));
    293 rseq Full schedule (Ptr, Size, Hex, Hex);
    434 pidfd_open Full pidfd (Int, Flags(FD_FLAGS));
    435 clone3 Partial clone (In(Clone), Size);
    438 pidfd_getfd Partial pidfd (Fd, Fd, Hex);
}
