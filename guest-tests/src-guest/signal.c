// signal: delivery of process-directed signals within one single-threaded process.
//
// A handler runs before kill returns; blocked signals stay pending; SA_RESETHAND, SA_NODEFER and the handler's mask;
// siginfo fields; sigaltstack; ITIMER_REAL ends a blocking read with EINTR, and with SA_RESTART does not; a handler without
// SA_RESTORER returns by the kernel's own trampoline. Sources: signal(7), sigaction(2), sigaltstack(2), setitimer(2).

#include "rt.h"

// Handlers and main share these: volatile, since the compiler sees no call between a kill and the next line.
static volatile u32 count;
static volatile u32 depth, deepest;
static volatile siginfo_t last;
static volatile u64 mask_inside;
static volatile u64 sp_inside;
static s32 alarm_fds[2];

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, info->si_signo);
    volatile u8 here;
    sp_inside = (u64)&here;
    last = *info;
    mask_inside = rt_sigmask(SIG_BLOCK, 0);
    count++;
}

static void on_nested(int sig, siginfo_t *info, ucontext_t *context) {
    (void)info, (void)context;
    depth++;
    if (depth > deepest) deepest = depth;
    if (count++ == 0) CHECK_EQ(sys2(NR_kill, getpid(), sig), 0);
    depth--;
}

static void on_alarm_write(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    CHECK_EQ(info->si_code, SI_KERNEL);
    count++;
    CHECK_EQ(sys3(NR_write, alarm_fds[1], "a", 1), 1);
}

static void send_self(int sig) { CHECK_EQ(sys2(NR_kill, getpid(), sig), 0); }

static void runs_before_kill_returns(u64 flags) {
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | flags, SIGBIT(SIGHUP));
    for (u32 i = 1; i <= 20; i++) {
        count = 0;
        send_self(SIGUSR1);
        CHECK_EQ(count, 1);
        CHECK_EQ(last.si_signo, SIGUSR1);
        CHECK_EQ(last.si_code, SI_USER);
        CHECK_EQ(last.si_pid, getpid());
        CHECK_EQ(last.si_uid, sys0(NR_getuid));
        CHECK_EQ(mask_inside, SIGBIT(SIGUSR1) | SIGBIT(SIGHUP));
        CHECK_EQ(rt_sigmask(SIG_BLOCK, 0), 0);
    }
    count = 0;
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGUSR1), 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_code, SI_TKILL);
    CHECK_EQ(sys2(NR_tkill, gettid(), SIGUSR1), 0);
    CHECK_EQ(count, 2);
    CHECK_EQ(rt_queue(getpid(), SIGUSR1, 0x1122334455667788), 0);
    CHECK_EQ(count, 3);
    CHECK_EQ(last.si_code, SI_QUEUE);
    CHECK_EQ(last.si_value, 0x1122334455667788);
    CHECK_EQ(sys2(NR_kill, getpid(), 0), 0);
    CHECK_EQ(sys2(NR_kill, getpid(), 65), -EINVAL);
}

static void blocked_stays_pending(void) {
    u64 pending;
    count = 0;
    CHECK_EQ(rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1)), 0);
    send_self(SIGUSR1);
    send_self(SIGUSR1);
    CHECK_EQ(count, 0);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, SIGBIT(SIGUSR1));
    CHECK_EQ(rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGUSR1)), SIGBIT(SIGUSR1));
    CHECK_EQ(count, 1);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, 0);
    // Pending and then ignored is discarded.
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    send_self(SIGUSR1);
    rt_sigaction(SIGUSR1, SIG_IGN, 0, 0);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, 0);
    rt_sigmask(SIG_SETMASK, 0);
    // SIGKILL and SIGSTOP cannot be blocked.
    rt_sigmask(SIG_SETMASK, 0x7fffffff);
    CHECK_EQ(rt_sigmask(SIG_SETMASK, 0), 0x7fffffff & ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP)));
}

static void reset_and_nodefer(void) {
    struct kernel_sigaction action;
    count = 0;
    rt_sigaction(SIGURG, on_signal, SA_SIGINFO | SA_RESETHAND, 0);
    send_self(SIGURG);
    send_self(SIGURG);  // its default action is to be ignored
    CHECK_EQ(count, 1);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGURG, 0, &action, 8), 0);
    CHECK_EQ(action.handler, SIG_DFL);

    count = 0;
    rt_sigaction(SIGUSR1, on_nested, SA_SIGINFO | SA_NODEFER, 0);
    send_self(SIGUSR1);
    CHECK_EQ(count, 2);
    CHECK_EQ(deepest, 2);
    count = 0;
    deepest = 0;
    rt_sigaction(SIGUSR1, on_nested, SA_SIGINFO, 0);
    send_self(SIGUSR1);
    CHECK_EQ(count, 2);
    CHECK_EQ(deepest, 1);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGKILL, &action, 0, 8), -EINVAL);
}

static void alternate_stack(void) {
    stack_t stack = { rt_mmap(16384, PROT_READ | PROT_WRITE), 0, 16384 };
    stack_t old;
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO | SA_ONSTACK, 0);
    send_self(SIGUSR1);
    CHECK(sp_inside > (u64)stack.ss_sp && sp_inside < (u64)stack.ss_sp + stack.ss_size);
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    send_self(SIGUSR1);
    CHECK(sp_inside < (u64)stack.ss_sp || sp_inside > (u64)stack.ss_sp + stack.ss_size);
    stack.ss_flags = SS_DISABLE;
    CHECK_EQ(sys2(NR_sigaltstack, &stack, &old), 0);
    CHECK_EQ(old.ss_size, 16384);
    CHECK_EQ(old.ss_flags, 0);
}

static void alarm_every(u64 usec) {
    struct itimerval timer = { { 0, (s64)usec }, { 0, (s64)usec } };
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &timer, 0), 0);
}

// On a busy machine an alarm may come before the call that it is to end: each comes again until one finds the call.
static void alarm_and_blocking_read(void) {
    char byte = 0;
    CHECK_EQ(sys2(NR_pipe2, alarm_fds, 0), 0);
    count = 0;
    rt_sigaction(SIGALRM, on_signal, SA_SIGINFO, 0);
    alarm_every(3000);
    CHECK_EQ(sys3(NR_read, alarm_fds[0], &byte, 1), -EINTR);
    alarm_every(0);
    CHECK(count >= 1);
    CHECK_EQ(last.si_signo, SIGALRM);
    // With SA_RESTART the read goes on; the handler itself gives it its byte.
    count = 0;
    rt_sigaction(SIGALRM, on_alarm_write, SA_SIGINFO | SA_RESTART, 0);
    alarm_every(3000);
    CHECK_EQ(sys3(NR_read, alarm_fds[0], &byte, 1), 1);
    alarm_every(0);
    CHECK_EQ(byte, 'a');
    CHECK(count >= 1);
    for (u32 more = count; more > 1; more--) CHECK_EQ(sys3(NR_read, alarm_fds[0], &byte, 1), 1);
    // nanosleep is never restarted by SA_RESTART with a handler: EINTR and the time left.
    struct timespec nap = { 20, 0 }, left = { 0, 0 };
    rt_sigaction(SIGALRM, on_signal, SA_SIGINFO | SA_RESTART, 0);
    alarm_every(3000);
    CHECK_EQ(sys2(NR_nanosleep, &nap, &left), -EINTR);
    alarm_every(0);
    CHECK(left.tv_sec < 20 && left.tv_sec >= 0);
    // An ignored signal ends no wait.
    rt_sigaction(SIGALRM, on_signal, SA_SIGINFO, 0);
    rt_sigaction(SIGHUP, SIG_IGN, 0, 0);
    send_self(SIGHUP);
    alarm_every(3000);
    CHECK_EQ(sys3(NR_read, alarm_fds[0], &byte, 1), -EINTR);
    alarm_every(0);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard_timer(30);
    runs_before_kill_returns(0);
    runs_before_kill_returns(RT_NO_RESTORER);
    blocked_stays_pending();
    reset_and_nodefer();
    alternate_stack();
    alarm_and_blocking_read();
    say("signal: ok\n");
    return 0;
}
