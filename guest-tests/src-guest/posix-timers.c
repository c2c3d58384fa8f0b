// posix-timers WHAT: timers and their signals beyond the plain case.
//
// WHAT is `overrun` (one signal stands for many expiries, also while it is ignored), `cpu` (timers on CPU clocks) or
// `interval` (ITIMER_VIRTUAL and ITIMER_PROF). A timer never fires early; how late is not judged.
// Sources: timer_create(2), timer_settime(2), timer_getoverrun(2), setitimer(2), clock_getcpuclockid(3).

#include "rt.h"

enum { SIGVTALRM = 26, SIGPROF = 27, EOPNOTSUPP_ = 95, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2 };
enum { CLOCK_PROCESS_CPUTIME_ID = 2, CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_MONOTONIC_RAW = 4, CLOCK_BOOTTIME = 7, CLOCK_TAI = 11 };

static volatile u32 count;
static volatile u64 total;
static volatile siginfo_t last;
static volatile s32 handler_tid;

static void on_timer(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    last = *info;
    handler_tid = gettid();
    total += 1 + (u64)info->si_overrun;
    count++;
}

static s32 create(s32 clock, s32 notify, s32 tid, int sig, u64 value) {
    struct sigevent event = { .sigev_value = value, .sigev_signo = sig, .sigev_notify = notify, .sigev_tid = tid };
    s32 id = -1;
    CHECK_EQ(sys3(NR_timer_create, clock, &event, &id), 0);
    return id;
}

static void set(s32 id, int flags, u64 value_ns, u64 interval_ns) {
    struct itimerspec when = { { (s64)(interval_ns / 1000000000), (s64)(interval_ns % 1000000000) },
                               { (s64)(value_ns / 1000000000), (s64)(value_ns % 1000000000) } };
    CHECK_EQ(sys4(NR_timer_settime, id, flags, &when, 0), 0);
}

static u64 clock_ns(s32 clock) {
    struct timespec now;
    CHECK_EQ(sys2(NR_clock_gettime, clock, &now), 0);
    return (u64)now.tv_sec * 1000000000ull + (u64)now.tv_nsec;
}

static void one_stands_for_many(int sig) {
    u64 pending, interval = 500000;
    rt_sigaction(sig, on_timer, SA_SIGINFO, 0);
    s32 id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, sig, 0xabcdef);
    rt_sigmask(SIG_BLOCK, SIGBIT(sig));
    u64 before = rt_now_ns();
    count = 0;
    set(id, 0, interval, interval);
    rt_sleep_ns(20000000);
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, SIGBIT(sig));
    CHECK_EQ(sys1(NR_timer_getoverrun, id), 0);
    // Another sender's signal is one of its own.
    CHECK_EQ(sys2(NR_kill, getpid(), SIGHUP), 0);
    siginfo_t info;
    u64 set_of_one = SIGBIT(sig);
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set_of_one, &info, 0, 8), sig);
    u64 after = rt_now_ns();
    CHECK_EQ(info.si_code, SI_TIMER);
    CHECK_EQ(info.si_timer_value, 0xabcdef);
    CHECK(info.si_overrun >= 38);
    CHECK((u64)info.si_overrun < (after - before) / interval);
    CHECK_EQ(sys1(NR_timer_getoverrun, id), info.si_overrun);
    // Then on and on, without a gap in the count.
    total = 1 + (u64)info.si_overrun;
    rt_sigmask(SIG_UNBLOCK, SIGBIT(sig));
    while (count < 5) rt_spin(1000);
    rt_sigmask(SIG_BLOCK, SIGBIT(sig));
    CHECK(total <= (rt_now_ns() - before) / interval);
    // Ignored and caught again: it goes on.
    rt_sigaction(sig, SIG_IGN, 0, 0);
    rt_sleep_ns(2000000);
    rt_sigaction(sig, on_timer, SA_SIGINFO, 0);
    rt_sigmask(SIG_UNBLOCK, SIGBIT(sig));
    count = 0;
    while (count < 3) rt_spin(1000);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
    rt_sigmask(SIG_SETMASK, 0);
}

static void overrun(void) {
    rt_sigaction(SIGHUP, SIG_IGN, 0, 0);
    one_stands_for_many(SIGRTMIN + 2);
    one_stands_for_many(SIGUSR1);
    // An interval far below what anybody can deliver costs nothing while its signal is blocked.
    s32 id = create(CLOCK_REALTIME, SIGEV_SIGNAL, 0, SIGUSR1, 1);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    set(id, 0, 1, 10);
    rt_sleep_ns(3000000);
    count = 0;
    total = 0;
    u64 set_of_one = SIGBIT(SIGUSR1);
    siginfo_t info;
    CHECK_EQ(sys4(NR_rt_sigtimedwait, &set_of_one, &info, 0, 8), SIGUSR1);
    CHECK(info.si_overrun > 200000);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
    // Clocks: those that timers can count on, and those that are only read.
    static const s32 good[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };
    for (int i = 0; i < 4; i++) {
        s32 timer = create(good[i], SIGEV_SIGNAL, 0, SIGRTMIN + 5, (u64)i);
        rt_sigaction(SIGRTMIN + 5, on_timer, SA_SIGINFO, 0);
        count = 0;
        set(timer, TIMER_ABSTIME, clock_ns(good[i]) + 1000000, 0);
        while (count < 1) rt_spin(1000);
        CHECK_EQ(last.si_timer_value, i);
        CHECK_EQ(sys1(NR_timer_delete, timer), 0);
    }
    struct sigevent event = { .sigev_signo = SIGUSR1, .sigev_notify = SIGEV_SIGNAL };
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC_RAW, &event, &id), -EOPNOTSUPP_);
    CHECK_EQ(sys3(NR_timer_create, 100, &event, &id), -EINVAL);
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC, &event, 16), -EFAULT);
    event.sigev_signo = 65;
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC, &event, &id), -EINVAL);
}

static u32 worker_tid, worker_stop;

static void worker(void *arg) {
    (void)arg;
    s32 id = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_THREAD_ID, gettid(), SIGRTMIN + 4, 9);
    set(id, 0, 3000000, 0);
    STORE(&worker_tid, (u32)gettid());
    while (!LOAD(&worker_stop)) rt_spin(1000);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
}

static void cpu(void) {
    rt_sigaction(SIGRTMIN + 4, on_timer, SA_SIGINFO, 0);
    s32 id = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, 0, SIGRTMIN + 4, 7);
    u64 before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    set(id, 0, 5000000, 2000000);
    struct itimerspec now;
    CHECK_EQ(sys2(NR_timer_gettime, id, &now), 0);
    CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 5000000 + 10000000);
    CHECK_EQ(now.it_interval.tv_nsec, 2000000);
    // Asleep no CPU time passes, or next to none.
    while (count < 3) rt_spin(1000);
    CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 5000000 + 2 * 2000000);
    CHECK_EQ(last.si_code, SI_TIMER);
    CHECK_EQ(last.si_timer_value, 7);
    set(id, 0, 0, 0);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
    // A thread's own clock, and its signal for that thread.
    count = 0;
    struct rt_thread *thread = rt_thread_start(worker, 0);
    while (count < 1) sys0(NR_sched_yield);
    CHECK_EQ(handler_tid, worker_tid);
    CHECK_EQ(last.si_timer_value, 9);
    STORE(&worker_stop, 1);
    rt_thread_join(thread);
}

static void interval(void) {
    static const struct { s32 which; int sig; } rows[] = { { ITIMER_PROF, SIGPROF }, { ITIMER_VIRTUAL, SIGVTALRM } };
    for (int i = 0; i < 2; i++) {
        struct itimerval timer = { { 0, 4000 }, { 0, 4000 } }, old, none = { { 0, 0 }, { 0, 0 } };
        rt_sigaction(rows[i].sig, on_timer, SA_SIGINFO, 0);
        count = 0;
        u64 before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        CHECK_EQ(sys3(NR_setitimer, rows[i].which, &timer, 0), 0);
        while (count < 3) rt_spin(1000);
        CHECK_EQ(last.si_signo, rows[i].sig);
        CHECK_EQ(last.si_code, SI_KERNEL);
        // The kernel counts in ticks of at most 10 ms.
        CHECK(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before >= 2000000);
        CHECK_EQ(sys2(NR_getitimer, rows[i].which, &old), 0);
        CHECK(old.it_interval.tv_usec >= 4000);
        CHECK_EQ(sys3(NR_setitimer, rows[i].which, &none, &old), 0);
        CHECK(old.it_value.tv_usec > 0);
    }
    struct itimerval bad = { { 0, 0 }, { 0, 1000000 } };
    CHECK_EQ(sys3(NR_setitimer, ITIMER_PROF, &bad, 0), -EINVAL);
    CHECK_EQ(sys3(NR_setitimer, 3, &bad, 0), -EINVAL);
    CHECK_EQ(sys2(NR_getitimer, 3, &bad), -EINVAL);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(60);
    if (rt_streq(argv[1], "overrun")) overrun();
    else if (rt_streq(argv[1], "cpu")) cpu();
    else if (rt_streq(argv[1], "interval")) interval();
    else CHECK(!"a part that this guest knows");
    say("posix-timers %s: ok\n", argv[1]);
    return 0;
}
