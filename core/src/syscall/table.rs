//! **The** syscall table: one [`Row`] a call, with its number, name, support level, handler and the form of its arguments
//! in the trace. Everything that must know all calls reads it: dispatch, trace, crash reports, documentation.
//!
//! A row reads `number name level family (argument forms);`, and its handler is the family's function of that name. A row
//! of number and name alone is a call that this elfuse does not have: ENOSYS. Source: arm64's use of
//! `include/uapi/asm-generic/unistd.h` and `scripts/syscall.tbl` of Linux, up to number 470 (Linux 6.18).

use super::{
    Handler, epoll, exec, fcntl, fs, futex, id, io, ioctl, metadata, misc, mm, poll, process, signal, time, timers,
};
use crate::trace::ArgForm;

/// How much of a call there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// All that its manual page says of arm64.
    Full,
    /// Some; the handler's comment says what is missing.
    Partial,
    /// Nothing: ENOSYS.
    None,
}

/// A syscall.
#[derive(Debug)]
pub struct Row {
    /// x8.
    pub number: u16,
    /// The name in the manual.
    pub name: &'static str,
    /// How much of it there is.
    pub level: Level,
    /// What runs.
    pub handler: Option<Handler>,
    /// The form of each argument in the trace.
    pub args: &'static [ArgForm],
}

/// One more than the highest number that a row can have.
pub const NUMBERS: usize = 512;

macro_rules! rows {
    (@row $number:literal $name:ident) => {
        Row { number: $number, name: stringify!($name), level: Level::None, handler: None, args: &[] }
    };
    (@row $number:literal $name:ident $level:ident $family:ident ($($form:ident),*)) => {
        Row {
            number: $number,
            name: stringify!($name),
            level: Level::$level,
            handler: Some($family::$name),
            args: &[$(ArgForm::$form),*],
        }
    };
    ($($number:literal $name:ident $($level:ident $family:ident ($($form:ident),*))?;)*) => {
        /// The rows in order of number.
        pub static ROWS: &[Row] = &[$(rows!(@row $number $name $($level $family ($($form),*))?)),*];
    };
}

/// Index of each number's row, or `NO_ROW`.
static INDEX: [u16; NUMBERS] = index();
const NO_ROW: u16 = u16::MAX;

const fn index() -> [u16; NUMBERS] {
    let mut index = [NO_ROW; NUMBERS];
    let mut row = 0;
    while row < ROWS.len() {
        index[ROWS[row].number as usize] = row as u16;
        row += 1;
    }
    index
}

/// The row of a number.
#[must_use]
pub fn find(number: u64) -> Option<&'static Row> {
    let row = *INDEX.get(usize::try_from(number).ok()?)?;
    ROWS.get(usize::from(row))
}

rows! {
    0 io_setup;
    1 io_destroy;
    2 io_submit;
    3 io_cancel;
    4 io_getevents;
    5 setxattr;
    6 lsetxattr;
    7 fsetxattr;
    8 getxattr;
    9 lgetxattr;
    10 fgetxattr;
    11 listxattr;
    12 llistxattr;
    13 flistxattr;
    14 removexattr;
    15 lremovexattr;
    16 fremovexattr;
    17 getcwd Full fs (Ptr, Size);
    18 lookup_dcookie;
    19 eventfd2 Full io (Int, Hex);
    20 epoll_create1 Full epoll (Hex);
    21 epoll_ctl Full epoll (Int, Int, Int, Ptr);
    22 epoll_pwait Full epoll (Int, Ptr, Int, Int, Ptr, Size);
    23 dup Full io (Int);
    24 dup3 Full io (Int, Int, Hex);
    25 fcntl Partial fcntl (Int, Int, Hex);
    26 inotify_init1;
    27 inotify_add_watch;
    28 inotify_rm_watch;
    29 ioctl Partial ioctl (Int, Hex, Ptr);
    30 ioprio_set;
    31 ioprio_get;
    32 flock Partial fcntl (Int, Int);
    33 mknodat Full fs (Dir, Str, Octal, Hex);
    34 mkdirat Full fs (Dir, Str, Octal);
    35 unlinkat Full fs (Dir, Str, Hex);
    36 symlinkat Full fs (Str, Dir, Str);
    37 linkat Full fs (Dir, Str, Dir, Str, Hex);
    38 renameat Full fs (Dir, Str, Dir, Str);
    39 umount2;
    40 mount;
    41 pivot_root;
    42 nfsservctl;
    43 statfs Full metadata (Str, Ptr);
    44 fstatfs Full metadata (Int, Ptr);
    45 truncate Full fs (Str, Long);
    46 ftruncate Full fs (Int, Long);
    47 fallocate Full fs (Int, Hex, Long, Long);
    48 faccessat Full fs (Dir, Str, Octal);
    49 chdir Full fs (Str);
    50 fchdir Full fs (Int);
    51 chroot;
    52 fchmod Full metadata (Int, Octal);
    53 fchmodat Full metadata (Dir, Str, Octal);
    54 fchownat Full metadata (Dir, Str, Int, Int, Hex);
    55 fchown Full metadata (Int, Int, Int);
    56 openat Partial fs (Dir, Str, Hex, Octal);
    57 close Full io (Int);
    58 vhangup;
    59 pipe2 Full io (Ptr, Hex);
    60 quotactl;
    61 getdents64 Full fs (Int, Ptr, Size);
    62 lseek Full io (Int, Long, Int);
    63 read Full io (Int, Ptr, Size);
    64 write Full io (Int, Bytes, Size);
    65 readv Full io (Int, Ptr, Size);
    66 writev Full io (Int, Ptr, Size);
    67 pread64 Full io (Int, Ptr, Size, Long);
    68 pwrite64 Full io (Int, Bytes, Size, Long);
    69 preadv Full io (Int, Ptr, Size, Long);
    70 pwritev Full io (Int, Ptr, Size, Long);
    71 sendfile;
    72 pselect6 Full poll (Int, Ptr, Ptr, Ptr, Ptr, Ptr);
    73 ppoll Full poll (Ptr, Size, Ptr, Ptr, Size);
    74 signalfd4;
    75 vmsplice;
    76 splice;
    77 tee;
    78 readlinkat Full fs (Dir, Str, Ptr, Size);
    79 newfstatat Full metadata (Dir, Str, Ptr, Hex);
    80 fstat Full metadata (Int, Ptr);
    81 sync Full fs ();
    82 fsync Full fs (Int);
    83 fdatasync Full fs (Int);
    84 sync_file_range;
    85 timerfd_create;
    86 timerfd_settime;
    87 timerfd_gettime;
    88 utimensat Full metadata (Dir, Str, Ptr, Hex);
    89 acct;
    90 capget;
    91 capset;
    92 personality Partial misc (Hex);
    93 exit Full process (Int);
    94 exit_group Full process (Int);
    95 waitid Full process (Int, Int, Ptr, Hex, Ptr);
    96 set_tid_address Full process (Ptr);
    97 unshare;
    98 futex Partial futex (Ptr, Int, Int, Ptr, Ptr, Int);
    99 set_robust_list Full process (Ptr, Size);
    100 get_robust_list Full process (Int, Ptr, Ptr);
    101 nanosleep Full timers (Ptr, Ptr);
    102 getitimer Full timers (Int, Ptr);
    103 setitimer Full timers (Int, Ptr, Ptr);
    104 kexec_load;
    105 init_module;
    106 delete_module;
    107 timer_create Full timers (Int, Ptr, Ptr);
    108 timer_gettime Full timers (Int, Ptr);
    109 timer_getoverrun Full timers (Int);
    110 timer_settime Full timers (Int, Hex, Ptr, Ptr);
    111 timer_delete Full timers (Int);
    112 clock_settime;
    113 clock_gettime Full time (Int, Ptr);
    114 clock_getres Full time (Int, Ptr);
    115 clock_nanosleep Full timers (Int, Hex, Ptr, Ptr);
    116 syslog;
    117 ptrace;
    118 sched_setparam;
    119 sched_setscheduler;
    120 sched_getscheduler Partial misc (Int);
    121 sched_getparam Partial misc (Int, Ptr);
    122 sched_setaffinity Full misc (Int, Size, Ptr);
    123 sched_getaffinity Full misc (Int, Size, Ptr);
    124 sched_yield Full misc ();
    125 sched_get_priority_max Full misc (Int);
    126 sched_get_priority_min Full misc (Int);
    127 sched_rr_get_interval;
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
    140 setpriority;
    141 getpriority;
    142 reboot;
    143 setregid;
    144 setgid;
    145 setreuid;
    146 setuid;
    147 setresuid;
    148 getresuid Full id (Ptr, Ptr, Ptr);
    149 setresgid;
    150 getresgid Full id (Ptr, Ptr, Ptr);
    151 setfsuid;
    152 setfsgid;
    153 times Full time (Ptr);
    154 setpgid Full process (Int, Int);
    155 getpgid Full process (Int);
    156 getsid Full process (Int);
    157 setsid Full process ();
    158 getgroups Full id (Int, Ptr);
    159 setgroups;
    160 uname Full misc (Ptr);
    161 sethostname;
    162 setdomainname;
    163 getrlimit Full misc (Int, Ptr);
    164 setrlimit Partial misc (Int, Ptr);
    165 getrusage Full misc (Int, Ptr);
    166 umask Full fs (Octal);
    167 prctl Partial misc (Int, Hex, Hex, Hex, Hex);
    168 getcpu Full misc (Ptr, Ptr, Ptr);
    169 gettimeofday Full time (Ptr, Ptr);
    170 settimeofday;
    171 adjtimex;
    172 getpid Full process ();
    173 getppid Full process ();
    174 getuid Full id ();
    175 geteuid Full id ();
    176 getgid Full id ();
    177 getegid Full id ();
    178 gettid Full process ();
    179 sysinfo Full misc (Ptr);
    180 mq_open;
    181 mq_unlink;
    182 mq_timedsend;
    183 mq_timedreceive;
    184 mq_notify;
    185 mq_getsetattr;
    186 msgget;
    187 msgctl;
    188 msgrcv;
    189 msgsnd;
    190 semget;
    191 semctl;
    192 semtimedop;
    193 semop;
    194 shmget;
    195 shmctl;
    196 shmat;
    197 shmdt;
    198 socket;
    199 socketpair;
    200 bind;
    201 listen;
    202 accept;
    203 connect;
    204 getsockname;
    205 getpeername;
    206 sendto;
    207 recvfrom;
    208 setsockopt;
    209 getsockopt;
    210 shutdown;
    211 sendmsg;
    212 recvmsg;
    213 readahead;
    214 brk Full mm (Ptr);
    215 munmap Full mm (Ptr, Size);
    216 mremap Full mm (Ptr, Size, Size, Hex, Ptr);
    217 add_key;
    218 request_key;
    219 keyctl;
    220 clone Partial process (Hex, Ptr, Ptr, Ptr, Ptr);
    221 execve Partial exec (Str, Ptr, Ptr);
    222 mmap Full mm (Ptr, Size, Prot, Hex, Int, Hex);
    223 fadvise64 Full fs (Int, Long, Long, Int);
    224 swapon;
    225 swapoff;
    226 mprotect Full mm (Ptr, Size, Prot);
    227 msync Full mm (Ptr, Size, Hex);
    228 mlock Partial mm (Ptr, Size);
    229 munlock Partial mm (Ptr, Size);
    230 mlockall Partial mm (Hex);
    231 munlockall Partial mm ();
    232 mincore Full mm (Ptr, Size, Ptr);
    233 madvise Full mm (Ptr, Size, Int);
    234 remap_file_pages;
    235 mbind;
    236 get_mempolicy;
    237 set_mempolicy;
    238 migrate_pages;
    239 move_pages;
    240 rt_tgsigqueueinfo Full signal (Int, Int, Signal, Ptr);
    241 perf_event_open;
    242 accept4;
    243 recvmmsg;
    260 wait4 Full process (Int, Ptr, Hex, Ptr);
    261 prlimit64 Partial misc (Int, Int, Ptr, Ptr);
    262 fanotify_init;
    263 fanotify_mark;
    264 name_to_handle_at;
    265 open_by_handle_at;
    266 clock_adjtime;
    267 syncfs;
    268 setns;
    269 sendmmsg;
    270 process_vm_readv;
    271 process_vm_writev;
    272 kcmp;
    273 finit_module;
    274 sched_setattr;
    275 sched_getattr;
    276 renameat2 Full fs (Dir, Str, Dir, Str, Hex);
    277 seccomp;
    278 getrandom Full misc (Ptr, Size, Hex);
    279 memfd_create Full fs (Str, Hex);
    280 bpf;
    281 execveat Partial exec (Dir, Str, Ptr, Ptr, Hex);
    282 userfaultfd;
    283 membarrier Partial mm (Int, Hex, Int);
    284 mlock2 Partial mm (Ptr, Size, Hex);
    285 copy_file_range;
    286 preadv2 Full io (Int, Ptr, Size, Long, Long, Hex);
    287 pwritev2 Full io (Int, Ptr, Size, Long, Long, Hex);
    288 pkey_mprotect;
    289 pkey_alloc;
    290 pkey_free;
    291 statx Full metadata (Dir, Str, Hex, Hex, Ptr);
    292 io_pgetevents;
    293 rseq;
    294 kexec_file_load;
    424 pidfd_send_signal;
    425 io_uring_setup;
    426 io_uring_enter;
    427 io_uring_register;
    428 open_tree;
    429 move_mount;
    430 fsopen;
    431 fsconfig;
    432 fsmount;
    433 fspick;
    434 pidfd_open;
    435 clone3 Partial process (Ptr, Size);
    436 close_range Partial io (Size, Size, Hex);
    437 openat2;
    438 pidfd_getfd;
    439 faccessat2 Full fs (Dir, Str, Octal, Hex);
    440 process_madvise;
    441 epoll_pwait2 Full epoll (Int, Ptr, Int, Ptr, Ptr, Size);
    442 mount_setattr;
    443 quotactl_fd;
    444 landlock_create_ruleset;
    445 landlock_add_rule;
    446 landlock_restrict_self;
    447 memfd_secret;
    448 process_mrelease;
    449 futex_waitv;
    450 set_mempolicy_home_node;
    451 cachestat;
    452 fchmodat2 Full metadata (Dir, Str, Octal, Hex);
    453 map_shadow_stack;
    454 futex_wake;
    455 futex_wait;
    456 futex_requeue;
    457 statmount;
    458 listmount;
    459 lsm_get_self_attr;
    460 lsm_set_self_attr;
    461 lsm_list_modules;
    462 mseal;
    463 setxattrat;
    464 getxattrat;
    465 listxattrat;
    466 removexattrat;
    467 open_tree_attr;
    468 file_getattr;
    469 file_setattr;
    470 listns;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_sorted_and_unique() {
        assert!(ROWS.is_sorted_by(|a, b| a.number < b.number));
        let names: BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            assert_eq!(find(row.number.into()).map(|found| found.name), Some(row.name));
            assert_eq!(row.level == Level::None, row.handler.is_none(), "{}", row.name);
            assert!(row.args.len() <= 6, "{}", row.name);
        }
    }

    #[test]
    fn numbers_are_those_of_arm64() {
        let known = [
            (17, "getcwd"),
            (29, "ioctl"),
            (56, "openat"),
            (63, "read"),
            (64, "write"),
            (73, "ppoll"),
            (79, "newfstatat"),
            (93, "exit"),
            (94, "exit_group"),
            (98, "futex"),
            (129, "kill"),
            (134, "rt_sigaction"),
            (139, "rt_sigreturn"),
            (172, "getpid"),
            (214, "brk"),
            (220, "clone"),
            (221, "execve"),
            (222, "mmap"),
            (260, "wait4"),
            (278, "getrandom"),
            (291, "statx"),
            (435, "clone3"),
            (439, "faccessat2"),
            (452, "fchmodat2"),
            (470, "listns"),
        ];
        for (number, name) in known {
            assert_eq!(find(number).map(|row| row.name), Some(name));
        }
        for unknown in [244, 259, 300, 471, 511, 512, 1000, u64::MAX] {
            assert!(find(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn levels_are_counted() {
        let count = |level| ROWS.iter().filter(|row| row.level == level).count();
        let (full, partial, none) = (count(Level::Full), count(Level::Partial), count(Level::None));
        println!("{} calls: {full} full, {partial} partial, {none} unsupported", ROWS.len());
        assert_eq!(full + partial + none, ROWS.len());
    }
}
