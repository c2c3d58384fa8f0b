// timers: ITIMER_REAL, POSIX timers (SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGEV_NONE), and the clocks they are measured by.
//
// A timer never fires early; how late is not judged. Sources: setitimer(2), timer_create(2), timer_settime(2),
// timer_getoverrun(2), clock_gettime(2), nanosleep(2).

#include "rt.h"

static volatile u32 alarms;
static volatile u32 fired;
static volatile s32 fired_tid, fired_code;
static volatile u64 fired_value;
static u32 worker_ready, worker_stop;

static void on_alarm(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGALRM);
    CHECK_EQ(info->si_code, SI_KERNEL);
    alarms++;
}

static void on_timer(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context, (void)sig;
    fired_tid = gettid();
    fired_code = info->si_code;
    fired_value = info->si_timer_value;
    fired++;
}

static s32 create_timer(s32 notify, s32 tid, int sig, u64 value) {
    struct sigevent event = { .sigev_value = value, .sigev_signo = sig, .sigev_notify = notify, .sigev_tid = tid };
    s32 id = -1;
    CHECK_EQ(sys3(NR_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
    return id;
}

static void set_timer(s32 id, int flags, u64 value_ns, u64 interval_ns) {
    struct itimerspec when = { { 0, (s64)interval_ns },
                               { (s64)(value_ns / 1000000000), (s64)(value_ns % 1000000000) } };
    CHECK_EQ(sys4(NR_timer_settime, id, flags, &when, 0), 0);
}

static void clocks(void) {
    u64 last = rt_now_ns();
    for (int i = 0; i < 500; i++) {
        u64 now = rt_now_ns();
        CHECK(now >= last);
        last = now;
    }
    struct timespec real;
    CHECK_EQ(sys2(NR_clock_gettime, CLOCK_REALTIME, &real), 0);
    CHECK(real.tv_sec > 1000000000 && real.tv_nsec < 1000000000);
    CHECK_EQ(sys2(NR_clock_gettime, 1000, &real), -EINVAL);
    CHECK_EQ(sys2(NR_clock_gettime, CLOCK_MONOTONIC, 16), -EFAULT);
    u64 before = rt_now_ns();
    rt_sleep_ns(2000000);
    CHECK(rt_now_ns() - before >= 2000000);
    struct timespec bad = { 0, 1000000000 };
    CHECK_EQ(sys2(NR_nanosleep, &bad, 0), -EINVAL);
}

static void interval_timer(void) {
    struct itimerval timer = { { 0, 1000 }, { 0, 2000 } }, old;
    rt_sigaction(SIGALRM, on_alarm, SA_SIGINFO, 0);
    u64 before = rt_now_ns();
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &timer, 0), 0);
    while (alarms < 3) rt_spin(1000);
    CHECK(rt_now_ns() - before >= 4000000);
    CHECK_EQ(sys2(NR_getitimer, ITIMER_REAL, &old), 0);
    CHECK_EQ(old.it_interval.tv_usec, 1000);
    struct itimerval none = { { 0, 0 }, { 0, 0 } };
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &none, &old), 0);
    u32 seen = alarms;
    rt_sleep_ns(3000000);
    CHECK_EQ(alarms, seen);
    // Armed far away and read back: between zero and what was set.
    timer.it_value.tv_sec = 1000;
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &timer, 0), 0);
    CHECK_EQ(sys3(NR_setitimer, ITIMER_REAL, &none, &old), 0);
    CHECK(old.it_value.tv_sec >= 900 && old.it_value.tv_sec <= 1000);
}

static void to_process(void) {
    rt_sigaction(SIGRTMIN + 2, on_timer, SA_SIGINFO, 0);
    s32 id = create_timer(SIGEV_SIGNAL, 0, SIGRTMIN + 2, 0x1234567890abcdef);
    u64 before = rt_now_ns();
    set_timer(id, 0, 2000000, 0);
    while (fired < 1) rt_spin(1000);
    CHECK(rt_now_ns() - before >= 2000000);
    CHECK_EQ(fired_code, SI_TIMER);
    CHECK_EQ(fired_value, 0x1234567890abcdef);
    // Absolute, and again by interval while parked in a sleep.
    set_timer(id, TIMER_ABSTIME, rt_now_ns() + 1000000, 1000000);
    while (fired < 4) {
        struct timespec nap = { 1, 0 };
        long result = sys2(NR_nanosleep, &nap, 0);
        CHECK(result == -EINTR || result == 0);
    }
    struct itimerspec now;
    CHECK_EQ(sys2(NR_timer_gettime, id, &now), 0);
    CHECK_EQ(now.it_interval.tv_nsec, 1000000);
    // Blocked for several periods: one signal, the rest is overrun.
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGRTMIN + 2));
    rt_sleep_ns(5000000);
    u32 seen = fired;
    rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGRTMIN + 2));
    CHECK(fired >= seen + 1);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
    seen = fired;
    rt_sleep_ns(3000000);
    CHECK_EQ(fired, seen);
    CHECK_EQ(sys1(NR_timer_delete, id), -EINVAL);
}

static void worker(void *arg) {
    *(s32 *)arg = gettid();
    rt_post(&worker_ready);
    while (!LOAD(&worker_stop)) rt_spin(100);
}

static void to_thread(void) {
    static s32 tid;
    struct rt_thread *thread = rt_thread_start(worker, &tid);
    rt_wait_at_least(&worker_ready, 1);
    fired = 0;
    s32 id = create_timer(SIGEV_THREAD_ID, tid, SIGRTMIN + 2, 77);
    set_timer(id, 0, 1000000, 0);
    while (fired < 1) sys0(NR_sched_yield);
    CHECK_EQ(fired_tid, tid);
    CHECK_EQ(fired_value, 77);
    STORE(&worker_stop, 1);
    rt_thread_join(thread);
    CHECK_EQ(sys1(NR_timer_delete, id), 0);
    s32 quiet = create_timer(SIGEV_NONE, 0, 0, 0);
    set_timer(quiet, 0, 1, 0);
    rt_sleep_ns(1000000);
    struct itimerspec now;
    CHECK_EQ(sys2(NR_timer_gettime, quiet, &now), 0);
    CHECK_EQ(now.it_value.tv_sec, 0);
    CHECK_EQ(now.it_value.tv_nsec, 0);
    CHECK_EQ(fired, 1);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard_timer(30);
    clocks();
    interval_timer();
    to_process();
    to_thread();
    say("timers: ok\n");
    return 0;
}
