// rt-signals BETWEEN N: N real-time signals with values are counted exactly: none lost, none doubled, in order.
//
// BETWEEN is `self` (queued while blocked: lowest number first, then order of sending), `threads` (two workers send to the
// process, main takes), `child` (a child sends to its parent) or `parent` (a parent sends to its child, which computes). A
// full queue (EAGAIN) is tried again. Sources: signal(7), rt_sigqueueinfo(2).

#include "rt.h"

#define SENDERS 2

static u64 count;
static volatile u32 taken;
static volatile u32 next_value[SENDERS];
static volatile s32 expected_pid;
static volatile u64 order_taken;
static volatile s32 last_signal;

static void on_counted(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGRTMIN + 4);
    CHECK_EQ(info->si_code, SI_QUEUE);
    CHECK_EQ(info->si_pid, expected_pid);
    u64 who = info->si_value >> 32;
    CHECK(who < SENDERS);
    CHECK_EQ((u32)info->si_value, next_value[who]);
    next_value[who]++;
    taken++;
}

static void on_ordered(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    if (sig != last_signal) {
        CHECK(sig > last_signal);
        CHECK_EQ(order_taken % count, 0);
        last_signal = sig;
    }
    CHECK_EQ(info->si_value, order_taken % count);
    order_taken++;
}

static void send_one(s32 pid, int sig, u64 value) {
    int result;
    while ((result = rt_queue(pid, sig, value)) == -EAGAIN) sys0(NR_sched_yield);
    CHECK_EQ(result, 0);
}

static void send_all(s32 pid, u64 who) {
    for (u64 i = 0; i < count; i++) send_one(pid, SIGRTMIN + 4, who << 32 | i);
}

static void to_self(void) {
    u64 set = SIGBIT(SIGRTMIN + 4) | SIGBIT(SIGRTMIN + 5) | SIGBIT(SIGRTMIN + 6), pending;
    for (int i = 4; i <= 6; i++) rt_sigaction(SIGRTMIN + i, on_ordered, SA_SIGINFO, set);
    rt_sigmask(SIG_BLOCK, set);
    for (u64 i = 0; i < count; i++) {
        send_one(getpid(), SIGRTMIN + 6, i);
        send_one(getpid(), SIGRTMIN + 4, i);
        send_one(getpid(), SIGRTMIN + 5, i);
    }
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, set);
    CHECK_EQ(order_taken, 0);
    // A few by sigtimedwait, as they come; the rest by handlers.
    siginfo_t info;
    for (u64 i = 0; i < 3; i++) {
        CHECK_EQ(sys4(NR_rt_sigtimedwait, &set, &info, 0, 8), SIGRTMIN + 4);
        CHECK_EQ(info.si_value, i);
    }
    order_taken = 3;
    last_signal = SIGRTMIN + 4;
    rt_sigmask(SIG_UNBLOCK, set);
    CHECK_EQ(order_taken, 3 * count);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, 0);
}

static void worker(void *arg) { send_all(getpid(), (u64)arg); }

static void from_threads(void) {
    struct rt_thread *threads[SENDERS];
    expected_pid = getpid();
    u64 old = rt_sigmask(SIG_BLOCK, SIGBIT(SIGRTMIN + 4));
    for (u64 i = 0; i < SENDERS; i++) threads[i] = rt_thread_start(worker, (void *)i);
    rt_sigmask(SIG_SETMASK, old);
    for (int i = 0; i < SENDERS; i++) rt_thread_join(threads[i]);
    while (taken < SENDERS * count) rt_spin(100);
    CHECK_EQ(taken, SENDERS * count);
}

static void from_child(void) {
    s32 parent = getpid();
    // Blocked until the pid to expect is known.
    u64 old = rt_sigmask(SIG_BLOCK, SIGBIT(SIGRTMIN + 4));
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        send_all(parent, 1);
        rt_exit_group(6);
    }
    expected_pid = pid;
    rt_sigmask(SIG_SETMASK, old);
    while (taken < count) rt_spin(1000);
    CHECK_EQ(rt_wait(pid), 6 << 8);
    CHECK_EQ(taken, count);
}

static void from_parent(void) {
    expected_pid = getpid();
    s32 pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        while (taken < count) rt_spin(1000);
        rt_sleep_ns(1000000);
        CHECK_EQ(taken, count);
        rt_exit_group(8);
    }
    send_all(pid, 0);
    CHECK_EQ(rt_wait(pid), 8 << 8);
    CHECK_EQ(taken, 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    const char *between = argv[1];
    count = rt_parse_u64(argv[2]);
    CHECK(count > 3 && count < 100000);
    rt_guard(30);
    rt_sigaction(SIGRTMIN + 4, on_counted, SA_SIGINFO | SA_RESTART, 0);
    if (rt_streq(between, "self")) to_self();
    else if (rt_streq(between, "threads")) from_threads();
    else if (rt_streq(between, "child")) from_child();
    else if (rt_streq(between, "parent")) from_parent();
    else CHECK(!"a pair that this guest knows");
    say("rt-signals %s: ok\n", between);
    return 0;
}
