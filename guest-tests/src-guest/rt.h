// Runtime of the guest programs: no libc, no floating point, raw syscalls only.
//
// A guest is one C file with `int main(int, char **, char **)` (plus an assembly file of the same stem where needed),
// linked with rt.c and start.S. Every guest checks itself: CHECK prints file, line and condition on standard error and
// ends the whole process with status 1. Structures and numbers are those of the Linux arm64 uapi (include/uapi/asm-generic
// and arch/arm64/include/uapi/asm); each name is the man page's.

#ifndef RT_H
#define RT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

// ---- syscall numbers (asm-generic/unistd.h) ----
enum {
    NR_fcntl = 25, NR_openat = 56, NR_close = 57, NR_pipe2 = 59, NR_lseek = 62, NR_read = 63, NR_write = 64,
    NR_ppoll = 73, NR_exit = 93, NR_exit_group = 94, NR_set_tid_address = 96, NR_futex = 98, NR_nanosleep = 101,
    NR_getitimer = 102, NR_setitimer = 103, NR_timer_create = 107, NR_timer_gettime = 108, NR_timer_getoverrun = 109,
    NR_timer_settime = 110, NR_timer_delete = 111, NR_clock_gettime = 113, NR_sched_yield = 124, NR_kill = 129,
    NR_tkill = 130, NR_tgkill = 131, NR_sigaltstack = 132, NR_rt_sigsuspend = 133, NR_rt_sigaction = 134,
    NR_rt_sigprocmask = 135, NR_rt_sigpending = 136, NR_rt_sigtimedwait = 137, NR_rt_sigqueueinfo = 138,
    NR_rt_sigreturn = 139, NR_getpid = 172, NR_getppid = 173, NR_getuid = 174, NR_gettid = 178, NR_brk = 214,
    NR_munmap = 215, NR_mremap = 216, NR_clone = 220, NR_execve = 221, NR_mmap = 222, NR_mprotect = 226,
    NR_wait4 = 260,
};

// ---- errno values ----
enum {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, ENOEXEC = 8, EBADF = 9, ECHILD = 10, EAGAIN = 11, ENOMEM = 12,
    EACCES = 13, EFAULT = 14, EINVAL = 22, EPIPE = 32, ENOSYS = 38, ETIMEDOUT = 110,
};

// ---- signals ----
enum {
    SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9,
    SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19,
    SIGURG = 23, SIGWINCH = 28,
    // As libc counts them: 32 and 33 are the kernel's first two real-time signals, kept by C libraries for themselves.
    SIGRTMIN = 34, SIGRTMAX = 64,
};
#define SIG_DFL ((sig_fn)0)
#define SIG_IGN ((sig_fn)1)
#define SIGBIT(sig) (1ull << ((sig) - 1))
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };
#define SA_NOCLDSTOP 0x1ul
#define SA_SIGINFO 0x4ul
#define SA_RESTORER 0x04000000ul
#define SA_ONSTACK 0x08000000ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul
enum { SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2, SI_TKILL = -6 };
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, ILL_ILLOPC = 1, TRAP_BRKPT = 1, CLD_EXITED = 1 };
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };

typedef struct {
    s32 si_signo, si_errno, si_code, pad;
    union {
        struct { s32 si_pid; u32 si_uid; u64 si_value; };            // kill, tgkill, rt_sigqueueinfo
        struct { s32 si_tid; s32 si_overrun; u64 si_timer_value; };  // POSIX timers
        struct { s32 chld_pid; u32 chld_uid; s32 si_status; };       // SIGCHLD
        u64 si_addr;                                                 // faults
        u8 fill[112];
    };
} siginfo_t;
_Static_assert(sizeof(siginfo_t) == 128, "siginfo_t is 128 bytes");

typedef struct { void *ss_sp; s32 ss_flags; u64 ss_size; } stack_t;

typedef struct {
    u64 uc_flags, uc_link;
    stack_t uc_stack;
    u64 uc_sigmask;
    u8 unused[120];
    // struct sigcontext, 16-byte aligned
    struct { u64 fault_address, regs[31], sp, pc, pstate; } __attribute__((aligned(16))) uc_mcontext;
} ucontext_t;
_Static_assert(offsetof(ucontext_t, uc_mcontext) == 176, "sigcontext stands at 176");

typedef void (*sig_fn)(int, siginfo_t *, ucontext_t *);
struct kernel_sigaction { sig_fn handler; u64 flags; void (*restorer)(void); u64 mask; };

// ---- time, polling, memory, threads ----
struct timespec { s64 tv_sec, tv_nsec; };
struct timeval { s64 tv_sec, tv_usec; };
struct itimerval { struct timeval it_interval, it_value; };
struct itimerspec { struct timespec it_interval, it_value; };
struct sigevent { u64 sigev_value; s32 sigev_signo, sigev_notify, sigev_tid; u8 fill[44]; };
_Static_assert(sizeof(struct sigevent) == 64, "struct sigevent is 64 bytes");
enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD_ID = 4, TIMER_ABSTIME = 1 };
enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, ITIMER_REAL = 0 };
struct pollfd { s32 fd; u16 events, revents; };
enum { POLLIN = 1, POLLOUT = 4, POLLHUP = 16, POLLNVAL = 32 };
enum { O_RDONLY = 0, O_NONBLOCK = 04000, O_CLOEXEC = 02000000, AT_FDCWD = -100 };
enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32, MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_PRIVATE = 128 };
#define CLONE_VM 0x100ul
#define CLONE_FS 0x200ul
#define CLONE_FILES 0x400ul
#define CLONE_SIGHAND 0x800ul
#define CLONE_THREAD 0x10000ul
#define CLONE_SYSVSEM 0x40000ul
#define CLONE_SETTLS 0x80000ul
#define CLONE_PARENT_SETTID 0x100000ul
#define CLONE_CHILD_CLEARTID 0x200000ul
enum { AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_ENTRY = 9, AT_UID = 11, AT_HWCAP = 16,
       AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31, AT_SYSINFO_EHDR = 33 };
#define WIFEXITED(status) (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WTERMSIG(status) ((status) & 0x7f)
#define WNOHANG 1

// ---- raw syscalls: the result is the kernel's, -errno on failure ----
static inline long sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
    register u64 x8 __asm__("x8") = (u64)nr;
    register u64 x0 __asm__("x0") = a;
    register u64 x1 __asm__("x1") = b;
    register u64 x2 __asm__("x2") = c;
    register u64 x3 __asm__("x3") = d;
    register u64 x4 __asm__("x4") = e;
    register u64 x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x8) : "memory", "cc");
    return (long)x0;
}
#define SYS_ARG(x) ((u64)(x))
#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)
#define sys5(nr, a, b, c, d, e) sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)
#define getpid() ((s32)sys0(NR_getpid))
#define gettid() ((s32)sys0(NR_gettid))

// ---- start-up facts, filled by rt_start before main ----
extern u64 *rt_initial_sp;
extern u64 *rt_auxv;
/// Value of an auxiliary vector entry; `*found` (may be null) says whether it is there.
u64 rt_auxval(u64 type, int *found);

// ---- output and checks ----
/// Formats %s %c %d %u %x (64-bit arguments: %ld %lu %lx) and writes it with one write call.
void rt_printf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define say(...) rt_printf(1, __VA_ARGS__)
__attribute__((noreturn)) void rt_exit_group(int status);
__attribute__((noreturn, cold)) void rt_check_failed(const char *where, const char *what, s64 left, s64 right);
#define RT_STR2(x) #x
#define RT_STR(x) RT_STR2(x)
#define RT_WHERE __FILE__ ":" RT_STR(__LINE__)
#define CHECK(cond) do { if (!(cond)) rt_check_failed(RT_WHERE, #cond, 0, 0); } while (0)
/// Compares as 64-bit values and prints both sides when they differ.
#define CHECK_EQ(left, right)                                                                                        \
    do {                                                                                                             \
        s64 l_ = (s64)(left), r_ = (s64)(right);                                                                     \
        if (l_ != r_) rt_check_failed(RT_WHERE, #left " == " #right, l_, r_);                                        \
    } while (0)

int rt_streq(const char *a, const char *b);
u64 rt_parse_u64(const char *text);
void *memset(void *to, int byte, size_t count);
void *memcpy(void *to, const void *from, size_t count);

// ---- time ----
u64 rt_now_ns(void);
/// Sleeps at least `ns`, going on after EINTR.
void rt_sleep_ns(u64 ns);
/// Bounds the life of this process: SIGALRM with its default action after `seconds`. Fork children call it again.
void rt_guard(u32 seconds);
/// The same for guests that use ITIMER_REAL or SIGALRM themselves: a POSIX timer that sends SIGTERM.
void rt_guard_timer(u32 seconds);

// ---- signals ----
/// Installs a handler with our own restorer (SA_RESTORER); a flag word with RT_NO_RESTORER leaves it to the kernel.
void rt_sigaction(int sig, sig_fn handler, u64 flags, u64 mask);
#define RT_NO_RESTORER (1ull << 63)
u64 rt_sigmask(int how, u64 set);
int rt_queue(s32 pid, int sig, u64 value);
void rt_restorer(void);

// ---- memory ----
void *rt_mmap(u64 length, int prot);

// ---- threads ----
struct rt_thread {
    u32 child_tid;   // cleared and woken by the kernel when the thread ends (CLONE_CHILD_CLEARTID)
    s32 tid;         // set by the kernel before clone returns (CLONE_PARENT_SETTID)
    void (*fn)(void *);
    void *arg;
    void *stack;
    u64 stack_len;
};
long rt_clone_thread(u64 flags, void *stack, s32 *parent_tid, void *tls, u32 *child_tid, void (*fn)(void *), void *arg);
struct rt_thread *rt_thread_start(void (*fn)(void *), void *arg);
void rt_thread_join(struct rt_thread *thread);
long rt_futex_wait(u32 *word, u32 value, const struct timespec *timeout);
long rt_futex_wake(u32 *word, u32 count);
/// Waits until `*word` is at least `value`, asleep on the futex; who changes the word wakes it.
void rt_wait_at_least(u32 *word, u32 value);
/// Adds one to `*word` and wakes everybody who waits for it.
void rt_post(u32 *word);
#define LOAD(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define ADD(p, v) __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)

// ---- processes ----
/// fork: the pid in the parent, 0 in the child. A failure ends the guest.
s32 rt_fork(void);
/// Waits for one child, going on after EINTR, and returns its wait status.
int rt_wait(s32 pid);

// ---- work ----
/// `turns` times four instructions without a syscall; returns turns * (turns + 1) / 2.
u64 rt_spin(u64 turns);
/// rt_spin with its result checked.
void rt_spin_checked(u64 turns);

#endif
